"""Checks of argument types: tensors of the right backend, language models, other networks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from d2lrnn import backends, checks

# The backend of a tensor by the package that defines its type, where the two names differ
PACKAGES = {"jaxlib": "jax", "flax": "jax", "keras": "tensorflow"}


def backend_of(value: Any) -> str | None:
    """Return the name of the backend that a tensor belongs to, or None for anything else."""
    for kind in type(value).__mro__:
        package = kind.__module__.partition(".")[0]
        name = PACKAGES.get(package, package)
        if name in backends.BACKENDS and hasattr(value, "dtype"):
            return name
    return None


def check_backend(backend: str, **named: Iterable[Any]) -> None:
    """Check that named tensors are all tensors of a backend.

    Raises:
        ValueError: one is a list, a NumPy array or another framework's tensor.
    """
    for name, tensors in named.items():
        if not isinstance(tensors, (list, tuple)):
            raise ValueError(
                f"{name} is a {type(tensors).__name__}; expected a tuple of "
                f"{backends.BACKENDS[backend].title} arrays"
            )
        for tensor in tensors:
            if backend_of(tensor) != backend:
                raise ValueError(_refusal(backend, name, tensor))


def gradients(backend: str, grads: Any) -> None:
    """Check that grads is a list of at least one gradient of a backend, all of one dtype."""
    if not isinstance(grads, (list, tuple)):
        raise ValueError(
            f"grads is a {type(grads).__name__}; expected the list of the gradients of all "
            "parameters; make_step clips the gradients of a net itself"
        )
    check_backend(backend, grads=grads)
    checks.gradients(grads)


def any_backend(**named: Iterable[Any]) -> None:
    """Check that named tensors are of some backend, not lists of numbers."""
    for name, tensors in named.items():
        for tensor in tensors:
            if backend_of(tensor) is None:
                raise ValueError(f"{name} holds a {type(tensor).__name__}; expected arrays")


def language_model(net: Any, remedy: str = "", name: str = "net") -> None:
    """Check that net is a language model: that it has begin_state, and does not have minibatch.

    Args:
        net: the argument.
        remedy: the advice at the end of the error message.
        name: the name of the argument in the error message.

    Raises:
        ValueError: net is a network over sequences, which train_sequences trains, or not a network.
    """
    if hasattr(net, "minibatch"):
        remedy = "train a network over sequences with train_sequences, and call its predict"
    elif hasattr(net, "begin_state"):
        return
    raise ValueError(
        f"{name} is {_kind(net)}; expected a language model, such as an RNNModelScratch"
        f"{'; ' if remedy else ''}{remedy}"
    )


def sequence_net(net: Any) -> None:
    """Check that net is a network that train_sequences can train.

    Raises:
        ValueError: net is a language model, or does not have make_step.
    """
    generates = hasattr(net, "say")
    if hasattr(net, "make_step") and not generates:
        return
    remedy = "; train a language model with train_ch8" if generates else ""
    raise ValueError(
        f"net is {_kind(net)}; expected a network over sequences, such as a "
        f"SequenceClassifierScratch{remedy}"
    )


def instance(expected: type, order: str, **named: Any) -> None:
    """Check that the one named argument is an instance of a class.

    order is the advice at the end of the error message: how to call the function.
    """
    ((name, value),) = named.items()
    if not isinstance(value, expected):
        kind = _article(expected.__name__)
        raise ValueError(f"{name} is {_kind(value)}; expected {kind}; {order}")


def _kind(value: Any) -> str:
    """Return the type of a value with its article, for error messages; a class by its name."""
    if value is None:
        return "None"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return _article(type(value).__name__)


def _article(name: str) -> str:
    """Return a name with its article."""
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


def alike(expected: Any, **named: Iterable[Any]) -> None:
    """Check that named tensors are of the same backend as the tensor expected."""
    for name, tensors in named.items():
        for tensor in tensors:
            if type(tensor) is not type(expected):
                backend = backend_of(expected)
                if backend is not None and backend_of(tensor) != backend:
                    raise ValueError(_refusal(backend, name, tensor))


def alike_or_numpy(expected: Any, **named: Iterable[Any]) -> None:
    """Check the same, but also accept NumPy arrays, which the caller converts."""
    for name, tensors in named.items():
        alike(expected, **{name: [t for t in tensors if not isinstance(t, np.ndarray)]})


def _refusal(backend: str, name: str, tensor: Any) -> str:
    title, other = backends.BACKENDS[backend].title, backend_of(tensor)
    article = "an" if other == "mxnet" else "a"
    kind = f"{article} {backends.BACKENDS[other].title} array" if other else None
    return (
        f"{name} is {kind or f'a {type(tensor).__name__}'}; expected {title} arrays; "
        f"convert it with d2lrnn.{backend}.from_numpy(...)"
    )
