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


def called(name: str, function: Any, *sizes: int, **settings: Any) -> Any:
    """Call a custom get_params or init_state with sizes, and with those settings that it accepts.

    A setting of None is left out if the function has a default for it.

    Args:
        name: what the function is, for the error message.
        function: any callable object.
        sizes: the positional arguments.
        settings: named arguments, such as seed, dtype and device.

    Raises:
        TypeError: the function needs other arguments.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # not known, as for some compiled functions
        return function(*sizes, **settings)
    parameters = signature.parameters.values()
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters)
    absent = {p.name for p in parameters if p.default is not p.empty}
    known = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    accepted = {
        setting: value
        for setting, value in settings.items()
        if (takes_all or setting in known) and not (value is None and setting in absent)
    }
    try:
        signature.bind(*sizes, **accepted)
    except TypeError as error:
        first = "vocab_size" if name == "get_params" else "batch_size"
        raise TypeError(
            f"{name} is {_name_of(function)}{signature}: {error}; expected ({first}, num_hiddens), "
            f"and optionally {', '.join(settings)}; bind other arguments with functools.partial"
        ) from None
    return function(*sizes, **accepted)


def _name_of(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


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
