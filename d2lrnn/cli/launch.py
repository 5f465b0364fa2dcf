"""The command ``d2lrnn launch``: several processes that train one net."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import sys
from collections.abc import Sequence

import click

from d2lrnn import backends, checks
from d2lrnn.cli import mpi, workers
from d2lrnn.cli.common import BACKEND, check_readable, plain_errors
from d2lrnn.cli.monitor import LIMIT
from d2lrnn.cli.output import go_on_without_output
from d2lrnn.cli.starters import SCRIPT, SELF, SERVE, STARTERS, Environment, Place
from d2lrnn.processes import NAME, time_limit
from d2lrnn.training import threads

LOOPBACK = "127.0.0.1"
PORT = 29500
FILES = ("--out", "--checkpoint", "--plot")  # for which a command goes on without its output
MOST = 256  # processes of one machine
# Keeps MPI's processes to shared memory and to the loopback device.
ON_LINUX = {"UCX_NET_DEVICES": "lo", "UCX_TLS": "self,sm", "FI_TCP_IFACE": "lo"}


@click.command(
    context_settings={"ignore_unknown_options": True},
    short_help="Run train, or a script, in several processes.",
)
@click.option("--processes", default=2, help="Number of processes (on each machine, with --hosts).")
@click.option(
    "--backend",
    type=BACKEND,
    help="The backend of a script; for a command, write the option after it.",
)
@click.option(
    "--hosts", help="Names of several machines, separated by commas; prints the command for each."
)
@click.option("--port", type=int, help="The first port to listen on.  [default: free ports]")
@click.option(
    "--timeout",
    type=float,
    help="Seconds after which a process that others wait for is considered lost, and all end.  "
    "[default: D2LRNN_TIMEOUT, otherwise 300]",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def launch(
    processes: int,
    backend: str | None,
    hosts: str | None,
    port: int | None,
    timeout: float | None,
    command: Sequence[str],
) -> None:
    """Run a COMMAND, such as train, or a script.py, in several processes of this machine.

    The processes train one net: each computes some rows of every minibatch, and the result equals
    that of a single process. Write the command and its options after two dashes:

        d2lrnn launch --processes 2 -- train --backend torch --epochs 10
    """
    with plain_errors():
        check_number(processes, port)
        name = backend or _backend_of(command)
        if hosts is not None:
            lines = several(name, _names(hosts), processes, port or PORT, command)
            click.echo("\n".join(lines))
            return
        go_on_without_output(*(word for word in command if word.startswith(FILES)))
        status = start(name, processes, port, _whole(command), _limit(timeout))
    sys.exit(status)


def check_number(processes: int, port: int | None) -> None:
    """Check that one machine can run that many processes, and that there are enough ports."""
    checks.size(processes=processes)
    if processes > MOST:
        raise ValueError(
            f"--processes is {processes}; expected {MOST} or fewer on one machine, because each "
            "imports the framework and needs a row of every minibatch; use fewer processes, or "
            "several machines with --hosts"
        )
    if port is not None and not 0 < port <= checks.LAST_PORT - processes + 1:
        raise ValueError(
            f"--port is {port}, for {processes} processes; expected 1 to "
            f"{checks.LAST_PORT - processes + 1}: each listens on a different port"
        )


def _names(hosts: str) -> list[str]:
    """Return the machines that --hosts names."""
    names = [host.strip() for host in hosts.split(",")]
    if not all(names):
        raise ValueError(f"--hosts is {hosts!r}; expected names with commas between them")
    return names


def _limit(timeout: float | None) -> float:
    """Return how many seconds a process may do nothing while others wait for it."""
    if timeout is None:
        return time_limit(LIMIT)
    if not timeout > 0:
        raise ValueError(f"--timeout is {timeout:g}; expected a number of seconds above 0")
    return timeout


def start(
    name: str,
    size: int,
    port: int | None,
    command: Sequence[str],
    limit: float | None = None,
) -> int:
    """Run a command in that many processes on the loopback address; return its exit status."""
    limit = _limit(None) if limit is None else limit
    places = [(LOOPBACK, number) for number in _ports(size, port)]
    if STARTERS[name].by_mpi:
        also = {**_threads(size), **(ON_LINUX if sys.platform == "linux" else {})}
        return mpi.run([_mpiexec(), "-n", f"{size}"], command, also, size, limit)
    environments = [
        {**_threads(size), "LOCAL_RANK": f"{rank}", **STARTERS[name].environment(rank, places)}
        for rank in range(size)
    ]
    helpers = [
        ({**_threads(size), NAME: role, **also}, _server())
        for role, also in STARTERS[name].helpers(places).items()
    ]
    return workers.run([(environment, command) for environment in environments], helpers, limit)


def several(
    name: str, hosts: Sequence[str], each: int, port: int, command: Sequence[str]
) -> list[str]:
    """Return what to start on each machine, line by line."""
    starter, text = STARTERS[name], f"python -m d2lrnn {shlex.join(command)}"
    places: list[Place] = [(host, port + i) for host in hosts for i in range(each)]
    if starter.several is None:
        helpers = starter.helpers(places).values()
        lines = [f"on {hosts[0]}: {_line(also, _serving())}" for also in helpers]
        for rank, (host, _) in enumerate(places):
            lines.append(f"on {host}: {_line(starter.environment(rank, places), text)}")
        return lines
    numbers = {"machines": len(hosts), "each": each, "size": len(places), "port": port}
    words = {"hosts": shlex.quote(",".join(hosts)), "host": shlex.quote(hosts[0]), "command": text}
    words["module"] = text.removeprefix("python -m ")
    lines = [
        f"on {host}: {starter.several.format(machine=machine, **numbers, **words)}"
        for machine, host in enumerate(hosts)
    ]
    return lines[:1] if starter.by_mpi else lines


def _line(environment: Environment, command: str) -> str:
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items())
    return f"{settings} {command}"


def _server() -> list[str]:
    return [sys.executable, "-c", SERVE]


def _serving() -> str:
    return f'python -c "{SERVE}"'


def _whole(command: Sequence[str]) -> list[str]:
    """Return the full command line of a command of d2lrnn or of a script."""
    if command[0].endswith(".py"):
        check_readable("the script", command[0])
        return [sys.executable, "-c", SCRIPT, *command]
    return [*SELF, *command]


def _backend_of(command: Sequence[str]) -> str:
    """Return the backend of a command: its --backend, or the default."""
    for number, word in enumerate(command):
        if word == "--backend" and number + 1 < len(command):
            checks.choice(command[number + 1], "--backend", tuple(STARTERS))
            return command[number + 1]
        if word.startswith("--backend="):
            checks.choice(word.partition("=")[2], "--backend", tuple(STARTERS))
            return word.partition("=")[2]
    return "numpy"


def _ports(number: int, first: int | None) -> list[int]:
    """Return that many free ports of this machine, or consecutive ports from the first."""
    if first is not None:
        return list(range(first, first + number))
    servers = [socket.create_server((LOOPBACK, 0)) for _ in range(number)]
    ports = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return ports


def _threads(size: int) -> Environment:
    """Share the processors among the processes, unless the environment says otherwise."""
    share = max(1, threads.cores() // size)
    return {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", f"{share}")}


def _mpiexec() -> str:
    """Return MPI's starter: beside this Python, or on the PATH."""
    folder = os.path.dirname(sys.executable)
    program = shutil.which("mpiexec", path=folder) or shutil.which("mpiexec")
    if program is None:
        raise ImportError(
            "several processes of NumPy are started by mpiexec, which is not installed; "
            f"run: {backends.install('mpi')}"
        )
    return program
