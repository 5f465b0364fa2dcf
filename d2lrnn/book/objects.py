"""Classes that store their arguments and get methods later, and checks (section 3.2)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any

from d2lrnn import checks


def add_to_class(Class: type) -> Callable[[Any], None]:
    """Return a decorator that makes a function a method of Class, under its own name.

    The name of the function itself becomes None, as in the book.
    """

    def wrapper(obj: Any) -> None:
        setattr(Class, obj.__name__, obj)

    return wrapper


class HyperParameters:
    """A class whose objects store the arguments that they were made with."""

    if TYPE_CHECKING:  # the attributes that save_hyperparameters sets

        def __getattr__(self, name: str) -> Any:
            """Return an argument."""

    def save_hyperparameters(self, ignore: Iterable[str] = ()) -> None:
        """Make the local variables of the calling function attributes of self, and ``hparams``.

        Args:
            ignore: names to leave out, besides ``self`` and names that start with an underscore.
        """
        frame = inspect.currentframe()
        self._store_locals(frame.f_back if frame else None, {*ignore, "self"})

    def _store_locals(self, frame: FrameType | None, left_out: set[str]) -> None:
        variables = frame.f_locals if frame else {}
        self.hparams: dict[str, Any] = {
            name: value
            for name, value in variables.items()
            if name not in left_out and not name.startswith("_")
        }
        for name, value in self.hparams.items():
            setattr(self, name, value)


def check_len(a: Any, n: int) -> None:
    """Raise AssertionError unless a has n entries."""
    assert len(a) == n, f"expected {n} entries; found {len(a)}"


def check_shape(a: Any, shape: tuple[int, ...]) -> None:
    """Raise AssertionError unless the shape of a is that one."""
    assert tuple(a.shape) == tuple(shape), f"expected shape {tuple(shape)}; found {tuple(a.shape)}"


def gradients_of(params: Iterable[Any]) -> list[Any]:
    """Return the gradients of those parameters that have one.

    Raises:
        ValueError: none has.
    """
    grads = [param.grad for param in params if param.grad is not None]
    if not grads:
        raise ValueError(
            "no parameter of the net has a gradient; call backward() of a loss before the "
            "gradients are clipped"
        )
    return grads


def check_gradients(grads: Sequence[Any]) -> None:
    """Check that there is a gradient for each parameter.

    Raises:
        ValueError: a gradient is None, or grads is empty.
    """
    absent = [f"grads[{number}]" for number, grad in enumerate(grads) if grad is None]
    if absent or not grads:
        raise ValueError(
            f"{', '.join(absent) or 'grads'} is {'None' if absent else 'empty'}; expected a "
            "gradient for each parameter: compute the loss from all of them, within the tape"
        )


def check_prediction(prefix: Sequence[str], num_preds: int) -> None:
    """Check the prefix and the number of tokens of a language model's prediction.

    Raises:
        ValueError: prefix is empty, or num_preds is not an integer, 0 or above.
    """
    checks.count(num_preds=num_preds)
    if len(prefix) == 0:
        raise ValueError(f"prefix {prefix!r} does not contain any tokens; give at least one")
