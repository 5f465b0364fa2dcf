"""Measuring in a process of its own, which does not outlive this one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from d2lrnn import children
from d2lrnn.training import interrupts

LOOK = 0.1  # seconds after which Python can act on a signal that came as it began to wait


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    check: bool = False,
    **settings: Any,
) -> subprocess.CompletedProcess[bytes]:
    """Run a command of this package as subprocess.run does.

    The process ends with this one, whatever signal ends it. SIGTERM and SIGHUP raise SystemExit
    while it runs, so that temporary files are removed too.
    """
    with interrupts.exiting(), children.listening() as environment:
        own = {**(os.environ if env is None else env), **environment}
        with subprocess.Popen(command, env=own, **settings) as process:
            try:
                output = _output(process)
            except BaseException:
                process.kill()
                raise
    done = subprocess.CompletedProcess(command, process.returncode, output)
    if check:
        done.check_returncode()
    return done


def _output(process: subprocess.Popen[bytes]) -> bytes:
    while True:
        try:
            return process.communicate(timeout=LOOK)[0]
        except subprocess.TimeoutExpired:
            continue


def result(module: str, settings: Mapping[str, Any]) -> Any:
    """Return what ``python -m MODULE SETTINGS`` prints last, in JSON as the settings are.

    Raises:
        CalledProcessError: the module has failed; what it printed to stderr says why.
    """
    command = [sys.executable, "-m", module, json.dumps(settings)]
    output = run(command, check=True, stdout=subprocess.PIPE).stdout
    return json.loads(output.splitlines()[-1])
