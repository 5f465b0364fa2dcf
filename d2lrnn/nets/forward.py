"""Forward functions: those of this package, and custom functions, whose results are checked."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from d2lrnn import checks
from d2lrnn.nets.cells import CELLS, Architecture

COPIED = ("__module__", "__name__", "__qualname__", "__doc__")


@dataclass(frozen=True, repr=False)
class ForwardFunction:
    """A forward function of this package, with the facts about it that a net needs.

    Attributes:
        function: called with (inputs, state, params); returns the outputs and the last state.
        architecture: the cell, layers and directions that it computes; None for a function whose
            parameters have another form, such as the concatenated cells.
        takes_ids: whether the inputs may be token ids (T, n) instead of one-hot rows (T, n, V).
        trace: in NumPy, a function that takes the same arguments and returns the outputs, the last
            state, and a function that computes the gradients. None: d2lrnn.numpy.bptt computes
            them.
        lay_out: in PyTorch, a function that arranges the parameters in memory as the framework's
            kernel needs them. None: they are not rearranged.
    """

    function: Callable[..., Any]
    architecture: Architecture | None = None
    takes_ids: bool = False
    trace: Callable[..., Any] | None = None
    lay_out: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        """Copy the name and the docstring of the function."""
        kind = type(self.function)
        name(self, **{n: getattr(self.function, n, getattr(kind, n)) for n in COPIED})
        name(self, __wrapped__=self.function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the outputs and the last state."""
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        """Return the name and the arguments."""
        arguments = ", ".join(inspect.signature(self).parameters)
        return f"<forward function {name_of(self)}({arguments})>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Pickle a function with a public name by that name, as pickle does for any function."""
        place: str = vars(self)["__qualname__"]
        if getattr(sys.modules.get(self.__module__), place, None) is self:
            return place
        facts = self.architecture, self.takes_ids, self.trace, self.lay_out
        return ForwardFunction, (self.function, *facts)


def name(function: Any, **names: Any) -> None:
    """Set attributes such as __name__ and __doc__ of a function, class or ForwardFunction."""
    for key, value in names.items():
        if isinstance(function, ForwardFunction):
            vars(function)[key] = value  # setattr raises an error: the dataclass is frozen
        else:
            setattr(function, key, value)


def of_cell(cell: str, **facts: Any) -> Callable[[Callable[..., Any]], ForwardFunction]:
    """Return a decorator for a backend's forward function of the cell of that name.

    Args:
        cell: a key of CELLS.
        facts: the attributes takes_ids, trace and lay_out of ForwardFunction.
    """

    def decorate(function: Callable[..., Any]) -> ForwardFunction:
        return ForwardFunction(function, Architecture(cell), **facts)

    return decorate


class NoArchitectureError(AttributeError, ValueError):
    """A custom forward function has no architecture; hasattr(net, "architecture") is then False."""


def architecture_of(forward_fn: Callable[..., Any]) -> Architecture:
    """Return the architecture that a forward function computes.

    Raises:
        NoArchitectureError: the function is a custom function.
    """
    if isinstance(forward_fn, ForwardFunction) and forward_fn.architecture is not None:
        return forward_fn.architecture
    raise NoArchitectureError(
        f"forward_fn is the custom function {name_of(forward_fn)}; this needs one of "
        f"{', '.join(CELLS)}, a function that stack returns, or a cell that new_cell makes from "
        "the function of one time step"
    )


def is_custom(forward_fn: Any) -> bool:
    """Return whether a forward function is not one of this package.

    functools.partial, jit and wrappers of a function of this package are custom functions too.
    """
    return not isinstance(forward_fn, ForwardFunction) or forward_fn.architecture is None


def parameter_names(network: Any) -> list[str]:
    """Return the names of the parameters of a forward function or network, or [] if unknown."""
    architecture = getattr(getattr(network, "forward_fn", network), "architecture", None)
    return [] if architecture is None else list(architecture.parameters)


def user_code(forward_fn: Any) -> Any:
    """Return the function of a user that a forward function calls, or None for our own functions.

    It may compute differently at each call, and so code that is compiled of it is not shared.
    """
    return forward_fn if is_custom(forward_fn) else forward_fn.architecture.custom


def call(forward_fn: Callable[..., Any], inputs: Any, state: Any, params: Any) -> Any:
    """Call a forward function; check that a custom one returns outputs and a state.

    Raises:
        ValueError: a custom function does not return (outputs, state), or the new state does not
            have as many tensors as the state before.
    """
    results = forward_fn(inputs, state, params)
    return results if not is_custom(forward_fn) else unpacked(forward_fn, results, len(state))


def unpacked(forward_fn: Any, results: Any, num_states: int) -> tuple[Any, tuple[Any, ...]]:
    """Return the outputs and the state that a forward function returned.

    Raises:
        ValueError: the results are not (outputs, state) with that number of states.
    """
    own_name = f"the forward function {name_of(forward_fn)}"
    expected = f"expected (outputs, state), the state as a tuple of {num_states}"
    if not isinstance(results, (tuple, list)) or len(results) != 2:
        raise ValueError(f"{own_name} returns {described(results)}; {expected}")
    outputs, last = results
    if not isinstance(last, (tuple, list)) or len(last) != num_states:
        raise ValueError(f"{own_name} returns {described(last)} as the state; {expected}")
    return outputs, tuple(last)


def run(
    forward_fn: Callable[..., Any], width: int | None, inputs: Any, state: Any, params: Any
) -> Any:
    """Call a language model's forward function; check the shapes if it is a custom function."""
    outputs, last = call(forward_fn, inputs, state, params)
    check_results(forward_fn, width, inputs, state, outputs, last)
    return outputs, last


def check_results(
    forward_fn: Any, width: int | None, inputs: Any, state: Any, outputs: Any, last: Any
) -> None:
    """Check the shapes that a custom forward function returns.

    Raises:
        ValueError: the outputs are not of shape (T * n, width), where None means any width, or the
            tensors of the last state do not have the shapes of those of the first.
    """
    if not is_custom(forward_fn):
        return
    own_name = f"the forward function {name_of(forward_fn)}"
    shapes = [tuple(getattr(tensor, "shape", ())) for tensor in (*last, outputs)]
    for number, (before, shape) in enumerate(zip(state, shapes, strict=False)):
        if checks.shapes_differ(shape, tuple(before.shape)):
            raise ValueError(
                f"{own_name} returns state[{number}] of shape {shape}; expected "
                f"{tuple(before.shape)}, the shape of the state before"
            )
    T, n = inputs.shape[:2]
    rows = None if T is None or n is None else T * n
    expected: Any = (rows, width)
    if checks.shapes_differ(shapes[-1], expected):
        of_shape = f" of shape {shapes[-1]}" if hasattr(outputs, "shape") else ""
        raise ValueError(
            f"{own_name} returns {described(outputs)}{of_shape} as outputs; expected "
            "a tensor (num_steps * batch_size, vocab_size), ordered by time step, here of shape "
            f"({rows}, {width})"
        )


def name_of(function: Any) -> str:
    """Return the name of a function, or the type of a callable object without a name."""
    return str(getattr(function, "__name__", type(function).__name__))


def described(value: Any) -> str:
    """Return the type of a value with its article, and its length, for error messages."""
    kind = type(value).__name__
    article = "an" if kind[0] in "aeiouAEIOU" else "a"
    is_long = isinstance(value, (tuple, list, dict))
    return f"{article} {kind} of {len(value)}" if is_long else f"{article} {kind}"
