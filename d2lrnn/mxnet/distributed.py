"""Several processes for MXNet: its parameter server, kvstore("dist_sync").

Beside the workers there are a scheduler, by which they find each other, and a server, which adds up
what they push. The variables DMLC_* say which a process is; d2lrnn launch sets them and starts all.
"""

import atexit
import functools
import os

import numpy as onp

from d2lrnn import processes
from d2lrnn.mxnet.framework import mxnet, np
from d2lrnn.mxnet.tensors import unrecorded


class Engine:
    """The workers that one scheduler knows."""

    def __init__(self):
        """Meet the others."""
        self.store = mxnet.kv.create("dist_sync")
        self.size = self.store.num_workers
        self.rank = int(os.environ.get("DMLC_TASK_ID", self.store.rank))  # else: by arrival
        self.local_rank = int(os.environ.get("LOCAL_RANK", self.rank))
        self.keys = {}
        atexit.register(self.leave)  # later, MXNet would abort the process

    def leave(self):
        """Wait until the others leave too, and close the connections to them."""
        self.store = None

    def all_reduce(self, flat):
        """Return the sum of all workers' flat tensors.

        The server computes in float32. So each float64 goes there as three float32s, of which it
        is the sum, in a row that no other worker writes to; what is added up there is exact.
        """
        if flat.dtype == onp.float32:
            return self.added(flat)
        rest, parts = flat.asnumpy(), onp.zeros((self.size, 3, flat.size), onp.float32)
        for part in parts[self.rank]:
            part[:] = rest
            rest = rest - part
        rows = self.added(np.array(parts.reshape(-1), dtype="float32", ctx=flat.ctx)).asnumpy()
        total = rows.reshape(parts.shape).astype(onp.float64)
        return np.array(total[:, ::-1].sum(1).sum(0), dtype="float64", ctx=flat.ctx)

    def added(self, flat):
        """Return the sum of all workers' flat tensors of float32: pushed, added up, pulled.

        A server that was given no optimizer keeps, for a key, the sum of what was pushed.
        """
        if flat.shape not in self.keys:
            self.keys[flat.shape] = str(len(self.keys))
            self.store.init(self.keys[flat.shape], np.zeros_like(flat).as_nd_ndarray())
        total, key = np.zeros_like(flat), self.keys[flat.shape]
        self.store.push(key, flat.as_nd_ndarray())
        self.store.pull(key, out=total.as_nd_ndarray())
        return total


@functools.cache
def connect():
    """Return the engine, or None where this process was started alone."""
    asked = os.environ.get("DMLC_ROLE") == "worker"
    if not (asked and int(os.environ.get("DMLC_NUM_WORKER", 1)) > 1):
        return None
    return processes.meet(Engine)


def compiled(function):
    """Return the function: here MXNet runs line by line."""
    return function


without_gradients = unrecorded


def flat(tensors):
    """Return tensors as one, of one axis."""
    return np.concatenate([tensor.reshape(-1) for tensor in tensors])


def shaped(tensor, shape):
    """Return a tensor in another shape."""
    return tensor.reshape(shape)


def placed(array, like):
    """Return an array as a tensor of the dtype of another, where that is."""
    return np.array(array, dtype=like.dtype, ctx=like.ctx)


def detached(state):
    """Return a state, cut off from what it was computed of."""
    return tuple(tensor.detach() for tensor in state)


@unrecorded
def assigned(params, new):
    """Return the parameters with new values."""
    for param, value in zip(params, new, strict=True):
        param[:] = value
    return params
