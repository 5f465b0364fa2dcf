"""Error messages for calls with the arguments of the book's function of the same name."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

DEVICE = "give a device by name, device=..., or leave it out for the default"
NET_S_DEVICE = "leave out the device: the net's own is used"


def explained(remedy: str) -> Callable[[Function], Function]:
    """Return a decorator that adds advice to the TypeError for arguments that do not fit.

    Args:
        remedy: the advice, such as "leave out the device".
    """

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except TypeError:
                try:
                    signature.bind(*args, **kwargs)
                except TypeError as error:
                    named = [name for name in signature.parameters if name != "self"]
                    raise TypeError(
                        f"{function.__name__}: {error}; expected ({', '.join(named)}); {remedy}"
                    ) from None
                raise

        return call  # type: ignore[return-value]

    return decorate


def functions_of_a_net(get_params: Any, init_state: Any, forward_fn: Any) -> None:
    """Check the order of the three functions of a net by the names of their parameters.

    Raises:
        TypeError: one is not a function, or they are in the order of the book's TensorFlow code.
    """
    order = "expected (vocab_size, num_hiddens, get_params, init_state, forward_fn)"
    for name, function in (
        ("get_params", get_params),
        ("init_state", init_state),
        ("forward_fn", forward_fn),
    ):
        if not callable(function):
            raise TypeError(
                f"{name} is a {type(function).__name__}, not a function; {order}; {DEVICE}"
            )
    if _first(forward_fn) == "vocab_size" or _first(get_params) == "batch_size":
        names = (getattr(f, "__name__", "?") for f in (get_params, init_state, forward_fn))
        raise TypeError(f"the functions are {', '.join(names)}; {order}")


def _first(function: Any) -> str | None:
    """Return the name of a function's first parameter, or None if it is not known."""
    try:
        return next(iter(inspect.signature(function).parameters), None)
    except (TypeError, ValueError):
        return None
