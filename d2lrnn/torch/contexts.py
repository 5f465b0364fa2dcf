"""Support for calls within autocast, no_grad, inference_mode, torch.func and forward_ad.

The functions of this package compute in the dtype of their parameters, also within torch.autocast,
and compute gradients also within no_grad and inference_mode.
"""

import contextlib
import functools

import torch
from torch.autograd import forward_ad

if hasattr(torch, "get_autocast_dtype"):  # since 2.4
    AUTOCASTS = {
        kind: functools.partial(torch.is_autocast_enabled, kind) for kind in ("cpu", "cuda")
    }
else:
    AUTOCASTS = {"cpu": torch.is_autocast_cpu_enabled, "cuda": torch.is_autocast_enabled}


def without_autocast(function):
    """Return a function that computes in the dtype of its arguments, also within torch.autocast."""

    @functools.wraps(function)
    def exact(*args, **kwargs):
        kinds = [kind for kind, is_enabled in AUTOCASTS.items() if is_enabled()]
        if not kinds:
            return function(*args, **kwargs)
        with contextlib.ExitStack() as stack:
            for kind in kinds:
                stack.enter_context(torch.autocast(kind, enabled=False))
            return function(*args, **kwargs)

    return exact


def recording(function):
    """Return a function that records gradients, also within no_grad and inference_mode."""
    exact = without_autocast(function)

    @functools.wraps(function)
    def recorded(*args, **kwargs):
        with torch.inference_mode(False), torch.enable_grad():
            return exact(*args, **kwargs)

    return recorded


def by_hand(backward):
    """Return the backward pass of an autograd.Function that raises an error for create_graph=True.

    PyTorch's once_differentiable raises an error only in ``backward``; with torch.autograd.grad,
    second derivatives would silently lack the part of this function.
    """
    exact = without_autocast(backward)

    @functools.wraps(backward)
    def once(ctx, *gradients):
        if torch.is_grad_enabled():  # because of create_graph=True
            raise RuntimeError(
                "a fused cell has no second derivatives, which create_graph=True requires; use the "
                "plain cell, such as lstm in place of lstm_fused"
            )
        return exact(ctx, *gradients)

    return once


def detached(tensor):
    """Return a tensor detached from its graph, which can be used in another graph.

    A tensor made in inference_mode cannot be used in a graph, so it is copied.
    """
    return tensor.clone() if tensor.is_inference() else tensor.detach()


def is_transformed():
    """Return whether a transform of torch.func, such as vmap, or a dual_level is active.

    There, the functions of this package use PyTorch's operations instead of an autograd.Function.
    """
    if forward_ad._current_level >= 0:  # -1 outside of torch.autograd.forward_ad.dual_level
        return True
    return torch._C._are_functorch_transforms_active()  # the check of autograd.Function.apply


def has_values(tensor):
    """Return whether a tensor holds readable numbers: within vmap, tensors do not."""
    is_wrapped = torch._C._functorch.is_functorch_wrapped_tensor
    return not (isinstance(tensor, torch.Tensor) and is_wrapped(tensor))
