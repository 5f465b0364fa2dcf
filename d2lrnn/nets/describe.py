"""The one-line description of a net, which its repr shows."""

from __future__ import annotations

import math
from typing import Any

from d2lrnn.nets import forward
from d2lrnn.nets.cells import Architecture


def in_a_line(net: Any, *sizes: str) -> str:
    """Return a net's class, backend, cell, sizes and number of parameters.

    Args:
        net: a language model or a network over sequences.
        sizes: the attributes that hold its sizes.
    """
    parts = [_computation(net), *(f"{size}={getattr(net, size)}" for size in sizes)]
    number = sum(math.prod(param.shape) for param in net.params)
    parts += [f"{number:,} parameters", net.dtype]
    return f"<{type(net).__name__} in {net.ops.name}: {', '.join(parts)}>"


def in_detail(net: Any) -> str:
    """Return the cell, the sizes, the number of parameters and the dtype of a language model."""
    number = sum(math.prod(param.shape) for param in net.params)
    return (
        f"{_computation(net)}, {net.num_hiddens:,} hidden units, {number:,} parameters, {net.dtype}"
    )


def _computation(net: Any) -> str:
    """Return the architecture of a net, or the name of its custom forward function."""
    if not getattr(net, "is_custom", False):
        return in_words(net.architecture)
    return forward.name_of(net.forward_fn)


def in_words(architecture: Architecture) -> str:
    """Return an architecture in words, such as "lstm, 2 layers"."""
    layers = "" if architecture.num_layers == 1 else f", {architecture.num_layers} layers"
    size = architecture.embedding
    layers += "" if size is None else f", embedding of {size}"
    return architecture.cell + layers + (", bidirectional" if architecture.bidirectional else "")
