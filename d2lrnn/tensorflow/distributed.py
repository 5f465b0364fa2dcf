"""Several processes for TensorFlow: tf.distribute.MultiWorkerMirroredStrategy.

The variable TF_CONFIG contains the addresses of all processes and the number of this one. d2lrnn
launch sets it.
"""

import functools
import json
import os

import tensorflow as tf

from d2lrnn import processes
from d2lrnn.tensorflow import contexts


class Engine:
    """The group of processes that TF_CONFIG names."""

    def __init__(self, config):
        """Start the strategy, before TensorFlow computes anything, and wait for the others."""
        self.rank, self.size = int(config["task"]["index"]), len(config["cluster"]["worker"])
        self.local_rank = int(os.environ.get("LOCAL_RANK", self.rank))
        self.strategy = tf.distribute.MultiWorkerMirroredStrategy()
        self.added = tf.function(self.add, autograph=False)

    def add(self, vector):
        """Return the sum over the replicas; each process has one replica."""

        def inside(tensor):
            here = tf.identity(tensor)  # on the device of this replica
            return tf.distribute.get_replica_context().all_reduce("SUM", here)

        return self.strategy.run(inside, (vector,))

    def all_reduce(self, vector):
        """Return the sum of the flat tensors of all processes."""
        return self.added(vector)


@functools.cache
def connect():
    """Return the engine, or None if this process was started alone."""
    config = json.loads(os.environ.get("TF_CONFIG") or "{}")
    workers = config.get("cluster", {}).get("worker", [])
    return processes.meet(Engine, config) if len(workers) > 1 else None


compile_function = functools.partial(contexts.unrecorded, jit_compile=True)
without_gradients = compile_function


def pack(tensors):
    """Return tensors joined in one tensor with one axis."""
    return tf.concat([tf.reshape(tensor, (-1,)) for tensor in tensors], axis=0)


def shaped(tensor, shape):
    """Return a tensor reshaped."""
    return tf.reshape(tensor, shape)


def placed(array, like):
    """Return an array as a tensor of the dtype and on the device of another."""
    with tf.device(like.device):
        return tf.constant(array, like.dtype)


def detached(state):
    """Return a state detached from the graph; outside of a tape, TensorFlow does not record one."""
    return state


def assigned(params, new):
    """Return the parameters with new values."""
    for param, value in zip(params, new, strict=True):
        param.assign(value)
    return params


connect()  # at import, because it must come before any computation
