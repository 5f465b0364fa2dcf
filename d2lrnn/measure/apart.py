"""Run measurements in a child process, which ends when this process ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from d2lrnn import children
from d2lrnn.training import interrupts

LOOK = 0.1  # seconds; Python handles signals between two waits


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    check: bool = False,
    **settings: Any,
) -> subprocess.CompletedProcess[bytes]:
    """Run a command of this package like subprocess.run.

    The child ends when this process ends, for any reason. While it runs, SIGTERM and SIGHUP
    raise SystemExit in this process, so that temporary files are removed.
    """
    with interrupts.exiting(), children.listening() as environment:
        variables = {**(os.environ if env is None else env), **environment}
        with subprocess.Popen(command, env=variables, **settings) as process:
            try:
                output = _output(process)
            except BaseException:
                process.kill()
                raise
    completed = subprocess.CompletedProcess(command, process.returncode, output)
    if check:
        completed.check_returncode()
    return completed


def _output(process: subprocess.Popen[bytes]) -> bytes:
    while True:
        try:
            return process.communicate(timeout=LOOK)[0]
        except subprocess.TimeoutExpired:
            continue


def result(module: str, settings: Mapping[str, Any]) -> Any:
    """Run ``python -m MODULE SETTINGS`` and return the JSON value in its last line of output.

    The settings are passed as JSON, too.

    Raises:
        CalledProcessError: the module failed; its output to stderr contains the reason.
    """
    command = [sys.executable, "-m", module, json.dumps(settings)]
    output = run(command, check=True, stdout=subprocess.PIPE).stdout
    return json.loads(output.splitlines()[-1])
