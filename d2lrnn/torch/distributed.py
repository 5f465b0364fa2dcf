"""Several processes for PyTorch: torch.distributed. Start them with torchrun.

gloo computes the sums on CPUs, NCCL on GPUs.
"""

import atexit
import functools
import os
import socket
import sys

import torch
import torch.distributed as dist

from d2lrnn import processes


class Engine:
    """The group of processes that torchrun or d2lrnn launch has started."""

    def __init__(self):
        """Connect to the other processes at MASTER_ADDR and MASTER_PORT."""
        if os.environ["MASTER_ADDR"] == "127.0.0.1" and sys.platform == "linux":
            os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
        self.rank, self.size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        self.local_rank = int(os.environ.get("LOCAL_RANK", self.rank))
        gpus = torch.cuda.is_available()
        if gpus:
            torch.cuda.set_device(self.local_rank % torch.cuda.device_count())
        libraries = "cpu:gloo,cuda:nccl" if gpus else "gloo"
        dist.init_process_group(libraries, store=self.store(), rank=self.rank, world_size=self.size)
        atexit.register(dist.destroy_process_group)

    def store(self):
        """Return the key-value store through which the processes find each other.

        If this process serves the store, it listens only at the given address.
        """
        host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        is_server = self.rank == 0 and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
        settings = {}
        if is_server:
            listener = socket.create_server((host, port))
            settings["master_listen_fd"] = listener.detach()
        return dist.TCPStore(host, port, self.size, is_server, **settings)

    def all_reduce(self, vector):
        """Return the sum of the flat tensors of all processes."""
        vector = vector.contiguous()  # gloo gives wrong sums for other tensors, without an error
        dist.all_reduce(vector)
        return vector


@functools.cache
def connect():
    """Return the engine, or None if this process was started alone."""
    is_set = {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"} <= set(os.environ)
    return processes.meet(Engine) if is_set and int(os.environ["WORLD_SIZE"]) > 1 else None


def compile_function(function):
    """Return the function unchanged: PyTorch runs it eagerly."""
    return function


without_gradients = torch.no_grad()


def pack(tensors):
    """Return tensors joined in one tensor with one axis."""
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


def shaped(tensor, shape):
    """Return a tensor reshaped."""
    return tensor.reshape(shape)


def placed(array, like):
    """Return an array as a tensor of the dtype and on the device of another."""
    return torch.tensor(array, dtype=like.dtype, device=like.device)


def detached(state):
    """Return a state detached from the graph."""
    return tuple(tensor.detach() for tensor in state)


@torch.no_grad()
def assigned(params, new):
    """Return the parameters with new values."""
    for param, value in zip(params, new, strict=True):
        param.copy_(value)
    return params
