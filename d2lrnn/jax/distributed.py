"""Several processes for JAX: jax.distributed. Each process holds a part of one array.

JAX does not have a launcher. JAX_COORDINATOR_ADDRESS is the address at which rank 0 listens,
JAX_NUM_PROCESSES the number of processes, and JAX_PROCESS_ID the rank of this one. d2lrnn launch
sets all three.
"""

import functools
import os

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from d2lrnn import processes

NEVER = 10**6  # seconds
VARIABLES = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")


class Engine:
    """The group of processes of jax.distributed, with one device of each."""

    def __init__(self):
        """Connect to the other processes, which must come before any computation."""
        address, size, rank = (os.environ[name] for name in VARIABLES)
        settings = {"coordinator_bind_address": address}
        if processes.has_parent():  # the parent detects and reports a process that has stopped
            settings["heartbeat_timeout_seconds"] = NEVER
        jax.distributed.initialize(address, int(size), int(rank), **settings)
        self.rank, self.size = jax.process_index(), jax.process_count()
        self.local_rank = int(os.environ.get("LOCAL_RANK", self.rank))
        firsts = {device.process_index: device for device in reversed(jax.devices())}
        mesh = Mesh(np.array([firsts[rank] for rank in range(self.size)]), ("processes",))
        self.device = firsts[self.rank]
        self.by_rows = NamedSharding(mesh, PartitionSpec("processes"))
        everywhere = NamedSharding(mesh, PartitionSpec())
        self.added = jax.jit(lambda rows: rows.sum(0), out_shardings=everywhere)

    def all_reduce(self, vector):
        """Return the sum of the flat tensors of all processes, which are the rows of one array."""
        row, shape = jax.device_put(vector[None], self.device), (self.size, *vector.shape)
        rows = jax.make_array_from_single_device_arrays(shape, self.by_rows, [row])
        return self.added(rows).addressable_data(0)


@functools.cache
def connect():
    """Return the engine, or None if this process was started alone."""
    is_set = all(name in os.environ for name in VARIABLES)
    return processes.meet(Engine) if is_set and int(os.environ["JAX_NUM_PROCESSES"]) > 1 else None


compile_function = jax.jit
without_gradients = jax.jit


def pack(tensors):
    """Return tensors joined in one tensor with one axis."""
    return jax.numpy.concatenate([tensor.reshape(-1) for tensor in tensors])


def shaped(tensor, shape):
    """Return a tensor reshaped."""
    return tensor.reshape(shape)


def placed(array, like):
    """Return an array as a tensor of the dtype and on the device of another."""
    return jax.device_put(array.astype(like.dtype), like.device)


def detached(state):
    """Return a state detached from the graph; JAX does not record one."""
    return state


def assigned(params, new):
    """Return the parameters with new values."""
    return new


connect()  # at import, because it must come before any computation
