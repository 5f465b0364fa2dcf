"""How the processes of each backend are started: what their environment says, and what runs beside.

A place is where a process listens, such as ("127.0.0.1", 29500); that of rank 0 comes first.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Place = tuple[str, int]
Environment = dict[str, str]
SELF = (sys.executable, "-m", "d2lrnn")
# A script runs as python SCRIPT.py does, but follows its parent from the start.
SCRIPT = (
    "import os, runpy, sys, d2lrnn; del sys.argv[0]; "
    "sys.path[0] = os.path.dirname(os.path.realpath(sys.argv[0])); "
    "runpy.run_path(sys.argv[0], run_name='__main__')"
)
SERVE = "from d2lrnn.mxnet import framework"  # MXNet serves when it is imported, and ends there


@dataclass(frozen=True)
class Starter:
    """How a backend's processes find each other.

    ``environment`` tells a process, by its rank and all places, where it is. ``helpers`` are the
    environments, by name, of what runs beside the processes, such as a server; ``several`` is the
    command that starts all processes of one machine, or None where each is started on its own.
    """

    environment: Callable[[int, Sequence[Place]], Environment]
    helpers: Callable[[Sequence[Place]], dict[str, Environment]] = lambda places: {}
    by_mpi: bool = False
    several: str | None = None


def _torch(rank: int, places: Sequence[Place]) -> Environment:
    host, port = places[0]
    return {
        "RANK": f"{rank}",
        "WORLD_SIZE": f"{len(places)}",
        "MASTER_ADDR": host,
        "MASTER_PORT": f"{port}",
    }


def _tensorflow(rank: int, places: Sequence[Place]) -> Environment:
    workers = [f"{host}:{port}" for host, port in places]
    task = {"type": "worker", "index": rank}
    return {"TF_CONFIG": json.dumps({"cluster": {"worker": workers}, "task": task})}


def _jax(rank: int, places: Sequence[Place]) -> Environment:
    host, port = places[0]
    return {
        "JAX_COORDINATOR_ADDRESS": f"{host}:{port}",
        "JAX_NUM_PROCESSES": f"{len(places)}",
        "JAX_PROCESS_ID": f"{rank}",
    }


def _mxnet(role: str, places: Sequence[Place]) -> Environment:
    host, port = places[0]
    return {
        "DMLC_ROLE": role,
        "DMLC_PS_ROOT_URI": host,
        "DMLC_PS_ROOT_PORT": f"{port}",
        "DMLC_NUM_WORKER": f"{len(places)}",
        "DMLC_NUM_SERVER": "1",
        **({"DMLC_NODE_HOST": host} if host == "127.0.0.1" else {}),
    }


STARTERS = {
    "numpy": Starter(
        lambda rank, places: {},
        by_mpi=True,
        several="mpiexec -hosts {hosts} -ppn {each} -n {size} {command}",
    ),
    "torch": Starter(
        _torch,
        several=(
            "torchrun --nnodes {machines} --node-rank {machine} --nproc-per-node {each} "
            "--master-addr {host} --master-port {port} -m {module}"
        ),
    ),
    "tensorflow": Starter(_tensorflow),
    "jax": Starter(_jax),
    "mxnet": Starter(
        lambda rank, places: {**_mxnet("worker", places), "DMLC_TASK_ID": f"{rank}"},
        lambda places: {f"the {role}": _mxnet(role, places) for role in ("scheduler", "server")},
    ),
}
