"""Checks of the shapes of inputs, states and parameters.

Unknown sizes of traced tensors are None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from d2lrnn.checks.arrays import Shape, dtype_of, of_one_dtype, same_dtype
from d2lrnn.checks.scalars import floating


def shapes_differ(shape: Shape, expected: Shape) -> bool:
    """Return whether two shapes differ; None, an unknown size, is equal to any size."""
    if len(shape) != len(expected):
        return True
    return any(one != other for one, other in zip(shape, expected) if None not in (one, other))


def axes(name: str, shape: Shape, meaning: str) -> None:
    """Check that shape has as many axes as named in meaning, such as "(batch_size, num_steps)"."""
    if getattr(shape, "rank", 0) is None:  # the shape of a traced tensor
        raise ValueError(f"{name} has an unknown number of axes; expected axes {meaning}")
    if len(shape) != meaning.count(",") + 1:
        raise ValueError(f"{name} has shape {tuple(shape)}; expected axes {meaning}")


def num_params(number: int, names: Sequence[str]) -> None:
    """Check that there are as many parameters as names."""
    if number != len(names):
        raise ValueError(
            f"there are {number} parameters; expected {len(names)}: {', '.join(names)}; "
            "use get_params, init_state and forward_fn of the same cell"
        )


def parameters(params: Sequence[Any], names: Sequence[str], shapes: Sequence[Shape]) -> None:
    """Check that named parameters have the given shapes, and all the dtype of the first one."""
    if [tuple(param.shape) for param in params] == shapes and of_one_dtype(params):
        return
    for param, name, shape in zip(params, names, shapes, strict=True):
        if tuple(param.shape) != tuple(shape):
            raise ValueError(
                f"{name} has shape {tuple(param.shape)}; expected {tuple(shape)}, because "
                f"{names[0]} has {tuple(params[0].shape)}; use parameters of one cell and size"
            )
    same_dtype(params[0], **{name: [param] for name, param in zip(names, params, strict=True)})


def gates(params: Sequence[Any], cells: Mapping[int, str]) -> str:
    """Check parameters, and return the name of their cell, which their number determines."""
    if not isinstance(params, (list, tuple)):
        raise ValueError(
            f"params is of type {type(params).__name__}; expected the list of a cell's parameters"
        )
    if len(params) not in cells:
        choices = ", ".join(f"{number} ({name})" for number, name in cells.items())
        raise ValueError(f"there are {len(params)} parameters; expected {choices}")
    floating(dtype_of(params[0]))
    same_dtype(params[0], params=params)
    return cells[len(params)]


def features(X: Shape, weight: Shape) -> None:
    """Check that inputs (batch_size, num_inputs) fit the weight (num_inputs, ...) of a layer."""
    axes("X", X, "(batch_size, num_inputs)")
    width("X", X[1], weight[0])


def recurrent(inputs: Shape, states: Any, num_inputs: int, state_shapes: Sequence[Shape]) -> None:
    """Check the inputs and the state of a cell.

    Args:
        inputs: a shape (num_steps, batch_size, num_inputs).
        states: a tuple of tensors (batch_size, ...).
        num_inputs: the number of inputs according to the parameters.
        state_shapes: the shapes of the states, without the batch axis.
    """
    axes("inputs", inputs, "(num_steps, batch_size, num_inputs)")
    width("inputs", inputs[2], num_inputs)
    state(states, inputs[1], state_shapes)


def recurrent_ids(inputs: Shape, states: Any, state_shapes: Sequence[Shape]) -> None:
    """Check the inputs, token ids (num_steps, batch_size), and the state of a cell."""
    axes("inputs", inputs, "(num_steps, batch_size)")
    state(states, inputs[1], state_shapes)


def state(states: Any, batch_size: int, shapes: Sequence[Shape]) -> None:
    """Check that states is a tuple of tensors (batch_size, *shape), one for each of shapes."""
    remedy = f"call net.begin_state({batch_size})"
    if not isinstance(states, (tuple, list)) or len(states) != len(shapes):
        kind = f"{len(states)} tensors" if isinstance(states, (tuple, list)) else "not a tuple"
        raise ValueError(f"state is {kind}; expected a tuple of length {len(shapes)}; {remedy}")
    for tensor, expected in zip(states, shapes, strict=True):
        if not hasattr(tensor, "shape"):
            raise ValueError(f"state holds a {type(tensor).__name__}; expected tensors; {remedy}")
        shape = tuple(tensor.shape)
        names = "num_hiddens" if len(expected) == 1 else ", ".join(map(str, expected))
        axes("state", shape, f"(batch_size, {names})")
        if shapes_differ(shape[:1], (batch_size,)):
            raise ValueError(
                f"state is for batch_size {shape[0]}, the minibatch has {batch_size}; {remedy}"
            )
        if shapes_differ(shape[1:], expected):
            raise ValueError(
                f"state has {_units(shape[1:])} hidden units, the parameters have "
                f"{_units(expected)}; {remedy}"
            )


def first_state(states: Sequence[Any], shapes: Sequence[Shape]) -> None:
    """Check that init_state, called with batch_size 1, returns tensors (1, *shape)."""
    actual = [tuple(tensor.shape) for tensor in states]
    expected = [(1, *shape) for shape in shapes]
    if actual != expected:
        raise ValueError(
            f"init_state returns states of the shapes {_listed(actual)} for batch_size 1; expected "
            f"{_listed(expected)}; use get_params, init_state and forward_fn of the same cell"
        )


def _listed(shapes: Sequence[Shape]) -> str:
    return ", ".join(map(str, shapes)) or "()"


def scan(a: Any, b: Any, state: Any) -> None:
    """Check the arguments of associative_scan: that their shapes fit, and that they hold floats."""
    shape, given = tuple(b.shape), [("a", a), ("state", state)]
    if not shape:
        raise ValueError("b has shape (); expected (num_steps, ...), the time steps first")
    if "float" not in dtype_of(b):
        raise ValueError(f"b has dtype {dtype_of(b)}; expected a dtype of floats, such as float32")
    factors = (1,) * (len(shape) - len(a.shape)) + tuple(a.shape)
    if len(factors) != len(shape) or any(
        None not in (one, other) and one not in (1, other) for one, other in zip(factors, shape)
    ):
        raise ValueError(
            f"a has shape {tuple(a.shape)}, which does not broadcast to {shape}, the shape of b; "
            "expected that shape, or 1 in place of some of its sizes"
        )
    if state is not None and shapes_differ(tuple(state.shape), shape[1:]):
        raise ValueError(
            f"state has shape {tuple(state.shape)}; expected {shape[1:]}, the shape of one time "
            "step of b"
        )
    for name, tensor in given:
        if tensor is not None and dtype_of(tensor) != dtype_of(b):
            raise ValueError(
                f"{name} has dtype {dtype_of(tensor)}, b has {dtype_of(b)}; convert one of them"
            )


def _units(shape: Shape) -> str:
    return " x ".join(map(str, shape))


def width(name: str, num_features: int, expected: int) -> None:
    """Check the number of features of a row."""
    if shapes_differ((num_features,), (expected,)):
        raise ValueError(
            f"{name} has {num_features} features per row, the parameters are for {expected}; "
            "make the parameters for that width, or the rows for these parameters"
        )
