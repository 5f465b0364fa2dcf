"""Several processes for JAX: jax.distributed. Each holds a part of one array.

JAX has no starter of its own: JAX_COORDINATOR_ADDRESS says where rank 0 listens, JAX_NUM_PROCESSES
and JAX_PROCESS_ID how many there are and which this is. d2lrnn launch sets all three.
"""

import functools
import os

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from d2lrnn import processes

NEVER = 10**6  # seconds
ASKED = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")


class Engine:
    """The processes that jax.distributed brings together, with one device of each."""

    def __init__(self):
        """Meet the others; JAX wants that before anything is computed."""
        address, size, rank = (os.environ[name] for name in ASKED)
        settings = {"coordinator_bind_address": address}
        if processes.has_parent():  # which finds a process that has stopped, and names it
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

    def all_reduce(self, flat):
        """Return the sum of all processes' flat tensors: the rows of one array, added up."""
        row, shape = jax.device_put(flat[None], self.device), (self.size, *flat.shape)
        rows = jax.make_array_from_single_device_arrays(shape, self.by_rows, [row])
        return self.added(rows).addressable_data(0)


@functools.cache
def connect():
    """Return the engine, or None where this process was started alone."""
    asked = all(name in os.environ for name in ASKED)
    return processes.meet(Engine) if asked and int(os.environ["JAX_NUM_PROCESSES"]) > 1 else None


compiled = jax.jit
without_gradients = jax.jit


def flat(tensors):
    """Return tensors as one, of one axis."""
    return jax.numpy.concatenate([tensor.reshape(-1) for tensor in tensors])


def shaped(tensor, shape):
    """Return a tensor in another shape."""
    return tensor.reshape(shape)


def placed(array, like):
    """Return an array as a tensor of the dtype of another, where that is."""
    return jax.device_put(array.astype(like.dtype), like.device)


def detached(state):
    """Return a state, cut off from what it was computed of."""
    return state


def assigned(params, new):
    """Return the parameters with new values."""
    return new


connect()  # here, while nothing is computed yet
