"""Checks of gradients, and of the arguments and results of their computation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from d2lrnn.checks.arrays import dtype_of, same_dtype
from d2lrnn.checks.scalars import floating
from d2lrnn.checks.shapes import shapes_differ


def gradients(grads: Sequence[Any]) -> None:
    """Check that there is at least one gradient to clip, and that all have one dtype of floats."""
    if len(grads) == 0:
        raise ValueError("there are no gradients to clip; give the gradients of all parameters")
    expected = dtype_of(grads[0])
    for dtype in map(dtype_of, grads):
        if dtype != expected or expected not in ("float32", "float64"):
            raise ValueError(
                f"the gradients have dtypes {expected} and {dtype}; expected 'float32' or 'float64'"
            )


def differentiable(inputs: Any, state: Any, params: Sequence[Any]) -> None:
    """Check that all of these can have gradients: that they are floats of one dtype."""
    floating(dtype_of(inputs))
    same_dtype(inputs, state=state, params=params)


def cotangents(d_outputs: Any, d_state: Any, outputs: Any, state: Sequence[Any]) -> None:
    """Check that d_outputs and d_state have the shapes and the dtype of outputs and state."""
    shapes = [tuple(tensor.shape) for tensor in (d_outputs, *d_state)]
    expected = [tuple(tensor.shape) for tensor in (outputs, *state)]
    if len(shapes) != len(expected) or any(map(shapes_differ, shapes, expected)):
        raise ValueError(
            f"d_outputs and d_state have shapes {shapes}; expected {expected}, "
            "those of the outputs and the state"
        )
    same_dtype(outputs, d_outputs=[d_outputs], d_state=d_state)


def values(has_values: bool) -> None:
    """Check that a tensor holds numbers, unlike tensors in a function that is being traced."""
    if not has_values:
        raise ValueError(
            "a tensor has no values while a function is traced (by training, jit, grad, vmap or "
            "tf.function, for example); call functions that need values (to_numpy, evaluate, "
            "gradients, training, text generation) outside of the traced function"
        )


class NotReachedError(ValueError):
    """No gradient reaches some parameters; numbers has their positions in the list."""

    numbers: tuple[int, ...] = ()


def reached(flags: Sequence[bool], *inputs: Any, names: Sequence[str] = ()) -> None:
    """Check that every parameter receives a gradient, which may be 0.

    flags contains one boolean per parameter. If one of the inputs, which are tensors or tuples of
    tensors, is empty, a parameter may be unused. names are those of the parameters, if known.
    """
    if all(flags) or _is_empty(inputs):
        return
    absent = [number for number, there in enumerate(flags) if not there]
    if len(names) == len(flags):
        unused, place = [names[number] for number in absent], "params of new_cell"
    else:
        unused, place = [f"params[{number}]" for number in absent], "get_params"
    error = NotReachedError(
        f"no gradient reaches {', '.join(unused)}, of {len(flags)} parameters: the outputs do "
        "not depend on them, or only through to_numpy, detach or similar; compute with the "
        f"framework's own operations, and remove unused parameters from {place}"
    )
    error.numbers = tuple(absent)
    raise error


def trainable(can_receive: Iterable[bool]) -> None:
    """Check that all parameters can receive a gradient; can_receive has a boolean for each."""
    constant = [f"params[{number}]" for number, able in enumerate(can_receive) if not able]
    if constant:
        raise ValueError(
            f"{', '.join(constant)} cannot receive a gradient: expected trainable parameters; make "
            "them with params = rnn.trainable(params)"
        )


def _is_empty(inputs: Any) -> bool:
    """Return whether a tensor, or any tensor in nested tuples, is empty."""
    if isinstance(inputs, (tuple, list)):
        return any(map(_is_empty, inputs))
    return 0 in getattr(inputs, "shape", ())


def targets(labels: Any, weights: Any, outputs: Any, loss: str) -> None:
    """Check that the shapes of targets, and of weights unless None, fit those of the outputs."""
    rows, num_outputs = outputs.shape
    if rows == 0:
        raise ValueError(
            "there are no outputs; a mean loss needs at least one row and one time step"
        )
    expected = (rows,) if loss == "softmax" else (rows, num_outputs)
    if shapes_differ(labels.shape, expected):
        raise ValueError(f"the targets have shape {tuple(labels.shape)}; expected {expected}")
    if weights is not None and shapes_differ(weights.shape, (rows,)):
        raise ValueError(f"the weights have shape {tuple(weights.shape)}; expected {(rows,)}")
