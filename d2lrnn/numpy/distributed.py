"""Several processes for NumPy: MPI through mpi4py. Start them with mpirun or mpiexec.

Here the all-reduce is visible in its plain form: before it, each process has an array; after it,
each process has the sum of all arrays. MPI connects the processes.
"""

import functools
import os
import signal
import sys

import numpy as np

from d2lrnn import backends, processes

# The variables in which the launchers of MPICH and Open MPI give the number of processes.
SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")
LOCAL = ("MPI_LOCALRANKID", "OMPI_COMM_WORLD_LOCAL_RANK")


class Engine:
    """The group of processes that mpirun has started."""

    def __init__(self):
        """Initialize MPI."""
        try:
            from mpi4py import MPI
        except ImportError as error:
            raise ImportError(
                f"several processes of NumPy need mpi4py and an MPI ({error}); "
                f"run: {backends.install('mpi')}"
            ) from None
        self.comm = MPI.COMM_WORLD
        self.rank, self.size = self.comm.Get_rank(), self.comm.Get_size()
        self.local_rank = next((int(os.environ[n]) for n in LOCAL if n in os.environ), self.rank)
        self.show, sys.excepthook = sys.excepthook, self.fail

    def fail(self, kind, error, trace):
        """Print an uncaught error, including that of Ctrl-C, and end all processes."""
        self.show(kind, error, trace)
        sys.stderr.flush()
        self.abandon(128 + signal.SIGINT if kind is KeyboardInterrupt else 1)

    def abandon(self, status=1):
        """End all processes: under MPI, a process cannot end while another is still running."""
        self.comm.Abort(status)

    def all_reduce(self, vector):
        """Return the sum of the flat arrays of all processes."""
        total = np.empty_like(vector)
        self.comm.Allreduce(np.ascontiguousarray(vector), total)
        return total


@functools.cache
def connect():
    """Return the engine, or None if this process was started alone."""
    sizes = [int(os.environ[name]) for name in SIZES if name in os.environ]
    return processes.meet(Engine) if max(sizes, default=1) > 1 else None


def compile_function(function):
    """Return the function unchanged: NumPy does not compile functions."""
    return function


without_gradients = compile_function


def pack(tensors):
    """Return tensors joined in one tensor with one axis, of the dtype of the first."""
    parts = [np.reshape(tensor, -1) for tensor in tensors]
    return np.concatenate(parts, dtype=parts[0].dtype, casting="same_kind")


def shaped(tensor, shape):
    """Return a tensor reshaped."""
    return tensor.reshape(shape)


def placed(array, like):
    """Return an array as a tensor of the dtype and on the device of another."""
    return array.astype(like.dtype)


def detached(state):
    """Return a state detached from the graph; NumPy does not record one."""
    return state


def assigned(params, new):
    """Return the parameters with new values."""
    return new
