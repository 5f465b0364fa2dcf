"""Training runs that are killed, and what is left of them: nothing is lost."""

import json
import pathlib
import subprocess
import sys

SCRIPT = pathlib.Path(__file__).with_name("killed.py")


def test_a_killed_run_ends_as_one_that_was_never_killed(backend, tmp_path, faults):
    command = [sys.executable, str(SCRIPT), backend, str(tmp_path), str(faults(3, 200))]
    result = subprocess.run(command, capture_output=True, text=True, timeout=3600)
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    print(f"{backend}: {told}")
    assert told["killed"] == faults(3, 200)
    assert told["compared"] > 0
