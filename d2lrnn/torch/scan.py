"""Linear recurrences h_t = a_t h_{t-1} + b_t in PyTorch."""

import torch

from d2lrnn.nets import scan
from d2lrnn.torch.contexts import is_transformed, without_autocast


def loop(a, b, state):
    """Return h for all time steps, one after the other."""
    h = []
    for a_t, b_t in zip(a.unbind(), b.unbind()):
        state = torch.addcmul(b_t, a_t, state)
        h.append(state)
    return torch.stack(h) if h else b


def is_narrow(b):
    """Return whether blocks are faster than a loop: on a GPU always."""
    return b.device.type != "cpu" or b[0].numel() <= scan.WIDE


OPERATIONS = scan.Operations(
    backend="torch",
    loop=loop,
    concat=torch.cat,
    broadcast_to=torch.broadcast_to,
    reshape=torch.reshape,
    swapped=lambda tensor: tensor.transpose(0, 1),
    flipped=lambda tensor: tensor.flip(0),
    total=lambda tensor, axes: tensor.sum(axes, keepdim=True),
    zeros_like=torch.zeros_like,
    ones_like=torch.ones_like,
    is_narrow=is_narrow,
)


class Scan(torch.autograd.Function):
    """h for all time steps; the backward pass is a scan, which can be differentiated again."""

    @staticmethod
    def forward(ctx, a, b, state):
        """Return h."""
        h = scan.in_blocks(OPERATIONS, a, b, state)
        ctx.save_for_backward(a, state, h)
        return h

    @staticmethod
    def backward(ctx, g):
        """Return the gradients of a, b and the state."""
        a, state, h = ctx.saved_tensors
        return scan.gradient(OPERATIONS, a, h, state, g)


@without_autocast
def sequential_scan(a, b, state=None):
    """Return h for all time steps, one after the other."""
    return loop(*scan.arguments(OPERATIONS, a, b, state))


@without_autocast
def associative_scan(a, b, state=None):
    """Return h for all time steps, computed in blocks."""
    a, b, state = scan.arguments(OPERATIONS, a, b, state)
    if not len(b):
        return b
    if is_transformed():  # neither torch.func nor forward_ad supports Scan
        return scan.in_blocks(OPERATIONS, a, b, state)
    return Scan.apply(a, b, state)
