"""Several processes for NumPy: MPI, by mpi4py. Start them with mpirun or mpiexec.

NumPy knows nothing of other processes, and so here the sum is seen as it is: each process has an
array, and afterwards each has the sum of all. MPI says how they find each other.
"""

import functools
import os
import signal
import sys

import numpy as np

from d2lrnn import backends, processes

# Where MPICH's and Open MPI's starters say how many processes there are.
SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")
LOCAL = ("MPI_LOCALRANKID", "OMPI_COMM_WORLD_LOCAL_RANK")


class Engine:
    """The processes that mpirun has started."""

    def __init__(self):
        """Begin MPI."""
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
        """Show an error that nothing has caught, Ctrl-C included, and end all processes."""
        self.show(kind, error, trace)
        sys.stderr.flush()
        self.abandon(128 + signal.SIGINT if kind is KeyboardInterrupt else 1)

    def abandon(self, status=1):
        """End all processes: MPI lets none of them end while another is at work."""
        self.comm.Abort(status)

    def all_reduce(self, flat):
        """Return the sum of all processes' flat arrays."""
        total = np.empty_like(flat)
        self.comm.Allreduce(np.ascontiguousarray(flat), total)
        return total


@functools.cache
def connect():
    """Return the engine, or None where this process was started alone."""
    sizes = [int(os.environ[name]) for name in SIZES if name in os.environ]
    return processes.meet(Engine) if max(sizes, default=1) > 1 else None


def compiled(function):
    """Return the function: NumPy compiles nothing."""
    return function


without_gradients = compiled


def flat(tensors):
    """Return tensors as one, of one axis and of the dtype of the first."""
    parts = [np.reshape(tensor, -1) for tensor in tensors]
    return np.concatenate(parts, dtype=parts[0].dtype, casting="same_kind")


def shaped(tensor, shape):
    """Return a tensor in another shape."""
    return tensor.reshape(shape)


def placed(array, like):
    """Return an array as a tensor of the dtype of another, where that is."""
    return array.astype(like.dtype)


def detached(state):
    """Return a state, cut off from what it was computed of."""
    return state


def assigned(params, new):
    """Return the parameters with new values."""
    return new
