"""The one place that knows the backends' names, what each needs, and how to get it."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from d2lrnn.interface import Backend


@dataclass(frozen=True)
class Framework:
    """A backend's framework: the folder ``d2lrnn/<name>``, the module it imports, how to get it.

    ``distributions`` are the packages that may have brought the module; ``environment`` holds the
    variables that a program sets before the import, for float64, for float32 that a GPU does not
    round to TF32, and for less talk; ``layers`` the modules that its own recurrent layers come
    from; ``needs`` what pip cannot install; ``gpu`` how it comes to compute on a GPU.
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
        """What is imported: the framework, and the library of layers that goes with it."""
        return (self.name, *self.layers)

    @property
    def install(self) -> str:
        """The command that installs what is missing, wherever d2lrnn itself came from."""
        return f"pip install {' '.join(self.modules)}"

    @property
    def installed(self) -> bool:
        """Whether the framework can be found, without importing it."""
        return all(importlib.util.find_spec(module) is not None for module in self.modules)

    @property
    def version(self) -> str | None:
        """The framework's version, without importing it, or None where it is absent."""
        from importlib import metadata  # here: it brings the parts for mail

        for distribution in self.distributions:
            try:
                return metadata.version(distribution)
            except metadata.PackageNotFoundError:
                continue
        return None


BACKENDS = {
    backend.name: backend
    for backend in (
        Framework("numpy", "NumPy", ("numpy",), gpu="it knows only CPUs; choose another --backend"),
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
    """Return the pip command that installs what an extra of d2lrnn needs.

    The packages are named, so that the command works wherever d2lrnn itself came from: the package
    index, a repository or a folder.
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
    """Return what an extra needs, of the lines of a package's metadata."""
    found = []
    for line in lines:
        need, _, condition = line.partition(";")
        if f'extra == "{extra}"' in condition.replace("'", '"'):
            own = need.strip().partition("d2lrnn[")[2].rstrip("]")
            nested = [_requirements(name, lines) for name in own.split(",") if name]
            found += [name for names in nested for name in names] if own else [need.strip()]
    return found


def available() -> list[str]:
    """Return the names of the backends whose framework is installed."""
    return [name for name, backend in BACKENDS.items() if backend.installed]


def load(name: str) -> Backend:
    """Return the backend of that name, as ``from d2lrnn import <name>`` would.

    Raises ValueError for a name that is none of ours and ImportError, with the pip command, where
    the framework is not installed.
    """
    if name not in BACKENDS:
        raise ValueError(f"backend is {name!r}; expected one of {', '.join(BACKENDS)}")
    module: Any = importlib.import_module(f"d2lrnn.{name}")
    return cast("Backend", module)


def prepare() -> None:
    """Set what makes every backend compute in float64 too, and start without a word.

    For programs, which own their process, before any framework is imported; in a notebook the
    framework's own settings are the ones to use. Variables that are set already are left alone.
    """
    os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")  # float32 means float32, on any GPU
    for backend in BACKENDS.values():
        for variable, value in backend.environment:
            os.environ.setdefault(variable, value)


@contextmanager
def requires(name: str) -> Iterator[None]:
    """Turn the absence of a framework, while importing it, into the command that installs it."""
    # TensorFlow 2.21 says two lines when it is imported, even to those who have asked for silence.
    asked = name == "tensorflow" and os.environ.get("TF_CPP_MIN_LOG_LEVEL", "0") != "0"
    try:
        with hushed() if asked else nullcontext():
            yield
    except ModuleNotFoundError as error:
        if error.name not in BACKENDS[name].modules:
            raise
        backend = BACKENDS[name]
        raise ImportError(
            f"d2lrnn.{name} needs {backend.title}, and {error.name} is not installed; "
            f"run: {backend.install}",
            name=error.name,
        ) from None


@contextmanager
def hushed() -> Iterator[None]:
    """Let nothing that C++ writes to stderr be seen; what Python says about errors is."""
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
