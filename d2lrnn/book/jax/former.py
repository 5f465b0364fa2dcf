"""Flax's recurrent cells as they were when the book was written, for the book's own classes only.

A cell was made without its size and took it from its state; ``initialize_carry`` was a function of
the class, given the sizes. Flax has changed both. A subclass of a class of d2lrnn whose methods
name such a cell gets cells that accept both forms; Flax itself is not changed.
"""

import functools
import types

from flax import linen as nn
from jax import numpy as jnp

CELLS = ("GRUCell", "LSTMCell", "OptimizedLSTMCell")


def _former(name):
    """Return Flax's cell of that name with a size that may be left out."""
    base = getattr(nn, name)

    @nn.nowrap
    def initialize_carry(self, rng, input_shape):
        """Return a state of zeros: of this cell, or, called on its class, of (rng, shape, size)."""
        if isinstance(self, nn.Module):
            return base.initialize_carry(self, rng, input_shape)
        zeros = jnp.zeros((*rng, input_shape))  # on the class, arguments are one place further left
        return (zeros, zeros) if "LSTM" in name else zeros

    body = {"__annotations__": {"features": int}, "features": 0, "__module__": base.__module__}
    return type(nn.Module)(name, (base,), {**body, "initialize_carry": initialize_carry})


class _Linen(types.ModuleType):
    """``flax.linen`` with the former cells in it."""

    def __getattr__(self, name):
        return getattr(nn, name)


LINEN = _Linen("flax.linen")
for _name in CELLS:
    setattr(LINEN, _name, _former(_name))
REPLACED = {id(nn): LINEN, **{id(getattr(nn, name)): getattr(LINEN, name) for name in CELLS}}


def names_cells(code):
    """Return whether a function's code, or one within it, names one of the cells."""
    inner = (const for const in code.co_consts if isinstance(const, types.CodeType))
    return not set(CELLS).isdisjoint(code.co_names) or any(map(names_cells, inner))


def seeing_former_cells(function):
    """Return a function that computes the same, with the former cells in flax.linen."""

    @functools.wraps(function)
    def run(*args, **kwargs):
        globals_ = {name: REPLACED.get(id(x), x) for name, x in function.__globals__.items()}
        twin = types.FunctionType(
            function.__code__,
            globals_,
            function.__name__,
            function.__defaults__,
            function.__closure__,
        )
        twin.__kwdefaults__ = function.__kwdefaults__
        return twin(*args, **kwargs)

    return run


class FormerCells:
    """A base class of classes whose methods use the former cells."""

    def __init_subclass__(cls, **kwargs):
        """Look through the methods of the new class."""
        for name, method in list(vars(cls).items()):
            if isinstance(method, types.FunctionType) and names_cells(method.__code__):
                setattr(cls, name, seeing_former_cells(method))
        super().__init_subclass__(**kwargs)
