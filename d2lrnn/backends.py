"""The backends: their names, the packages that each needs, and the commands that install them."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Framework:
    """The framework of a backend, its modules, and how to install it.

    Attributes:
        name: the name of the module, and of the folder ``d2lrnn/<name>``.
        title: the name of the framework in text.
        distributions: the packages that can contain the module.
        environment: the variables that a program sets before the import: for float64, for float32
            that a GPU does not round to TF32, and for fewer log messages.
        layers: the modules that contain the framework's own recurrent layers.
        needs: requirements that pip cannot install.
        gpu: the advice if no GPU is found.
    """

    name: str
    title: str
    distributions: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    layers: tuple[str, ...] = ()
    needs: str = ""
    gpu: str = ""

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules that the backend imports: the framework, and its library of layers."""
        return (self.name, *self.layers)

    @property
    def install(self) -> str:
        """The command that installs the modules, however d2lrnn itself was installed."""
        return f"pip install {' '.join(self.modules)}"

    @property
    def installed(self) -> bool:
        """Whether the framework can be found, without importing it."""
        return all(importlib.util.find_spec(module) is not None for module in self.modules)

    @property
    def version(self) -> str | None:
        """The framework's version, without importing it, or None if it is not installed."""
        from importlib import metadata  # imported here, because it loads many other modules

        for distribution in self.distributions:
            try:
                return metadata.version(distribution)
            except metadata.PackageNotFoundError:
                continue
        return None


BACKENDS = {
    backend.name: backend
    for backend in (
        Framework(
            "numpy", "NumPy", ("numpy",), gpu="it supports only CPUs; choose another --backend"
        ),
        Framework(
            "torch",
            "PyTorch",
            ("torch",),
            gpu="check the driver with nvidia-smi, and install PyTorch for CUDA (pytorch.org)",
        ),
        Framework(
            "tensorflow",
            "TensorFlow",
            ("tensorflow", "tensorflow-cpu", "tensorflow-macos"),
            (("TF_CPP_MIN_LOG_LEVEL", "3"),),
            ("keras",),
            gpu="check the driver with nvidia-smi, and run: pip install 'tensorflow[and-cuda]'",
        ),
        Framework(
            "jax",
            "JAX",
            ("jax",),
            (("JAX_ENABLE_X64", "1"), ("JAX_DEFAULT_MATMUL_PRECISION", "highest")),
            ("flax", "optax"),
            gpu="check the driver with nvidia-smi, and run: pip install -U 'jax[cuda12]'",
        ),
        Framework(
            "mxnet",
            "MXNet",
            ("mxnet", "mxnet-cu112"),
            needs="Linux and Python up to 3.12",
            gpu="check the driver with nvidia-smi, and run: pip install mxnet-cu112",
        ),
    )
}


def install(extra: str) -> str:
    """Return the pip command that installs the packages of an extra of d2lrnn.

    The command names the packages, so that it works if d2lrnn itself was installed from the package
    index, from a repository or from a folder.
    """
    from importlib import metadata

    try:
        needs = _requirements(extra, metadata.requires("d2lrnn") or [])
    except metadata.PackageNotFoundError:
        needs = []
    if not needs:
        return f"pip install '.[{extra}]', in the folder that holds d2lrnn's setup.cfg"
    return f"pip install {' '.join(shlex.quote(need) for need in needs)}"


def _requirements(extra: str, lines: Iterable[str]) -> list[str]:
    """Return the requirements of an extra, from the lines of a package's metadata."""
    requirements = []
    for line in lines:
        need, _, condition = line.partition(";")
        if f'extra == "{extra}"' in condition.replace("'", '"'):
            extras = need.strip().partition("d2lrnn[")[2].rstrip("]")
            nested = [_requirements(name, lines) for name in extras.split(",") if name]
            requirements += (
                [name for names in nested for name in names] if extras else [need.strip()]
            )
    return requirements


def available() -> list[str]:
    """Return the names of the backends whose framework is installed."""
    return [name for name, backend in BACKENDS.items() if backend.installed]


def load(name: str) -> Any:
    """Return the backend of that name, the module that ``from d2lrnn import <name>`` imports.

    Raises:
        ImportError: the framework is not installed; the message contains the pip command.
        ValueError: the name is not the name of a backend.
    """
    if name not in BACKENDS:
        raise ValueError(f"backend is {name!r}; expected one of {', '.join(BACKENDS)}")
    return importlib.import_module(f"d2lrnn.{name}")


def prepare() -> None:
    """Set the environment variables for float64 in every backend and for fewer log messages.

    Programs call it before they import a framework; in a notebook, the framework's own settings
    apply. Variables that are already set are not changed.
    """
    os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")  # no rounding of float32 to TF32 on a GPU
    for backend in BACKENDS.values():
        for variable, value in backend.environment:
            os.environ.setdefault(variable, value)


@contextmanager
def requires(name: str) -> Iterator[None]:
    """Within a block that imports a framework, raise an ImportError with the pip command.

    Raises:
        ImportError: the framework, or its library of layers, is not installed.
    """
    # TensorFlow 2.21 prints two lines at import, even with TF_CPP_MIN_LOG_LEVEL set.
    is_quiet = name == "tensorflow" and os.environ.get("TF_CPP_MIN_LOG_LEVEL", "0") != "0"
    try:
        with hushed() if is_quiet else nullcontext():
            yield
    except ModuleNotFoundError as error:
        backend, absent = BACKENDS[name], (error.name or "").partition(".")[0]
        is_part = error.name != absent and importlib.util.find_spec(absent) is not None
        if absent not in backend.modules or is_part:
            raise
        raise ImportError(
            f"d2lrnn.{name} needs {backend.title}, and {absent} is not installed; "
            f"run: {backend.install}",
            name=absent,
        ) from None


@contextmanager
def hushed() -> Iterator[None]:
    """Suppress output to stderr within a block; errors that Python reports later are shown."""
    stderr = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
