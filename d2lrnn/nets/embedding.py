"""Embeddings: a table W_xe (vocab_size, size) whose rows take the place of one-hot rows.

The product of a one-hot row and the table is a row of the table. The other parameters follow the
table in the list, and are those of a net with ``size`` inputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from d2lrnn import checks
from d2lrnn.nets import forward, layers
from d2lrnn.nets.cells import TABLE, Architecture
from d2lrnn.nets.forward import ForwardFunction
from d2lrnn.nets.ops import Ops


def look_up(ops: Ops, inputs: Any, table: Any) -> Any:
    """Return the rows of a table for token ids (T, n), or the products of rows (T, n, V) with it.

    They are (T, n, size).
    """
    return ops.input_product(inputs, table, 0 * table[0])


@dataclass(frozen=True, repr=False)
class Embedded:
    """A forward function of ids (T, n) or one-hot rows (T, n, V), which looks up their rows first.

    Attributes:
        ops: the record of the backend.
        forward_fn: the forward function of the rows (T, n, size) of the table.
        architecture: that of forward_fn, with the size of the embedding.
    """

    ops: Ops
    forward_fn: ForwardFunction
    architecture: Architecture

    @property
    def __name__(self) -> str:
        """The name of the forward function of the rows."""
        return forward.name_of(self.forward_fn)

    def __call__(self, inputs: Any, state: Any, params: Any) -> tuple[Any, tuple[Any, ...]]:
        """Return the outputs (T * n, q) and the last state."""
        outputs, last = self.ops.for_empty_batches(self.run)(inputs, state, params)
        return outputs, last

    def run(self, inputs: Any, state: Any, params: Any) -> tuple[Any, tuple[Any, ...]]:
        """Return the same for a batch that is not empty."""
        self.check(inputs, params)
        table, *others = params
        outputs, last = self.forward_fn(look_up(self.ops, inputs, table), state, others)
        return outputs, last

    def check(self, inputs: Any, params: Sequence[Any]) -> None:
        """Check the number of parameters, and that inputs of rows fit the table."""
        checks.num_params(len(params), self.architecture.parameters)
        checks.axes(TABLE, params[0].shape, "(vocab_size, embedding)")
        if len(inputs.shape) == 3:
            checks.width("inputs", inputs.shape[2], params[0].shape[0])

    def lay_out(self, params: Sequence[Any], inputs: Any, state: Any) -> None:
        """Arrange the parameters in memory as the forward function of the rows needs them."""
        if self.forward_fn.lay_out:
            table, *others = params
            self.forward_fn.lay_out(others, look_up(self.ops, inputs, table), state)


def embed(ops: Ops, functions: layers.Triple, size: int) -> layers.Triple:
    """Return the three functions of a net with an embedding, given those of a net without one.

    Raises:
        ValueError: the size is not positive, or the functions are not those of a cell of this
            package, of stack or of new_cell.
    """
    checks.size(embedding=size)
    get_params, init_state, forward_fn = functions
    if not _belong_together(get_params, forward_fn):
        raise ValueError(
            f"embedding is {size}, which needs the functions of a cell of this package, of stack "
            f"or of new_cell; get_params is {forward.name_of(get_params)} and forward_fn is "
            f"{forward.name_of(forward_fn)}; use such a cell, or add a table to the parameters "
            "that get_params returns, and multiply the inputs by it in forward_fn"
        )
    inner: Any = forward_fn
    architecture = replace(inner.architecture, embedding=size)
    embedded = Embedded(ops, inner, architecture)
    lay_out = embedded.lay_out if inner.lay_out else None
    wrapped = ForwardFunction(embedded, architecture, takes_ids=True, lay_out=lay_out)
    return layers.Composed(ops, architecture).get_params, init_state, wrapped


def _belong_together(get_params: Any, forward_fn: Any) -> bool:
    """Return whether get_params makes the parameters of a forward function of this package."""
    if forward.is_custom(forward_fn) or forward_fn.architecture.embedding is not None:
        return False
    composed, architecture = getattr(get_params, "__self__", None), forward_fn.architecture
    if isinstance(composed, layers.Composed):
        return bool(composed.architecture == architecture)
    is_ours = getattr(get_params, "__module__", "").startswith("d2lrnn.")
    return is_ours and forward.name_of(get_params) == architecture.kind.get_params


def functions(ops: Ops, architecture: Architecture, *, fused: bool = False) -> layers.Triple:
    """Return get_params, init_state and forward_fn of an architecture, with or without embedding.

    The arguments are those of layers.functions.
    """
    triple = layers.functions(ops, architecture.after_embedding, fused=fused)
    if architecture.embedding is None:
        return triple
    composed = layers.Composed(ops, architecture.after_embedding)
    return embed(ops, (composed.get_params, *triple[1:]), architecture.embedding)


def without(architecture: Architecture, params: Sequence[Any]) -> list[Any]:
    """Return the parameters of a net without those of its embedding."""
    return list(params if architecture.embedding is None else params[1:])
