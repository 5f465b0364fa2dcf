"""Several processes for MXNet: its parameter server, kvstore("dist_sync").

In addition to the workers there are a scheduler, through which they find each other, and a server,
which adds up the arrays that they push. The variables DMLC_* determine the role of a process;
d2lrnn launch sets them and starts all processes.
"""

import atexit
import functools
import os

import numpy as onp

from d2lrnn import processes
from d2lrnn.mxnet.framework import mxnet, np
from d2lrnn.mxnet.tensors import unrecorded


class Engine:
    """The group of workers of one scheduler."""

    def __init__(self):
        """Connect to the other workers."""
        self.store = mxnet.kv.create("dist_sync")
        self.size = self.store.num_workers
        self.rank = int(os.environ.get("DMLC_TASK_ID", self.store.rank))  # or in order of arrival
        self.local_rank = int(os.environ.get("LOCAL_RANK", self.rank))
        self.keys = {}
        atexit.register(self.leave)  # if it ran later, MXNet would abort the process

    def leave(self):
        """Wait until the other workers leave too, and close the connections."""
        self.store = None

    def all_reduce(self, vector):
        """Return the sum of the flat tensors of all workers.

        The server computes in float32. So each float64 number is sent as three float32 numbers that
        add up to it, in a row to which no other worker writes; the server's sums are then exact.
        """
        if vector.dtype == onp.float32:
            return self.added(vector)
        rest, parts = vector.asnumpy(), onp.zeros((self.size, 3, vector.size), onp.float32)
        for part in parts[self.rank]:
            part[:] = rest
            rest = rest - part
        rows = self.added(np.array(parts.reshape(-1), dtype="float32", ctx=vector.ctx)).asnumpy()
        total = rows.reshape(parts.shape).astype(onp.float64)
        return np.array(total[:, ::-1].sum(1).sum(0), dtype="float64", ctx=vector.ctx)

    def added(self, vector):
        """Return the sum of the flat float32 tensors of all workers: push, add up, pull.

        A server without an optimizer stores, for each key, the sum of the pushed arrays.
        """
        if vector.shape not in self.keys:
            self.keys[vector.shape] = str(len(self.keys))
            self.store.init(self.keys[vector.shape], np.zeros_like(vector).as_nd_ndarray())
        total, key = np.zeros_like(vector), self.keys[vector.shape]
        self.store.push(key, vector.as_nd_ndarray())
        self.store.pull(key, out=total.as_nd_ndarray())
        return total


@functools.cache
def connect():
    """Return the engine, or None if this process was started alone."""
    is_worker = os.environ.get("DMLC_ROLE") == "worker"
    if not (is_worker and int(os.environ.get("DMLC_NUM_WORKER", 1)) > 1):
        return None
    return processes.meet(Engine)


def compile_function(function):
    """Return the function unchanged: MXNet runs it eagerly."""
    return function


without_gradients = unrecorded


def pack(tensors):
    """Return tensors joined in one tensor with one axis."""
    return np.concatenate([tensor.reshape(-1) for tensor in tensors])


def shaped(tensor, shape):
    """Return a tensor reshaped."""
    return tensor.reshape(shape)


def placed(array, like):
    """Return an array as a tensor of the dtype and on the device of another."""
    return np.array(array, dtype=like.dtype, ctx=like.ctx)


def detached(state):
    """Return a state detached from the graph."""
    return tuple(tensor.detach() for tensor in state)


@unrecorded
def assigned(params, new):
    """Return the parameters with new values."""
    for param, value in zip(params, new, strict=True):
        param[:] = value
    return params
