"""Changes of a Python that is watched, so that it does not install packages.

Functions that start programs check their commands; pip and ensurepip check their arguments.
"""

from __future__ import annotations

import functools
import importlib.machinery
import os
import shlex
import sys
from collections.abc import Callable
from typing import Any

from .commands import installs, skip
from .paths import is_protected, redirect_word

SKIP = "--skip"  # the argument of this package when it replaces a command
EXEC = ("execv", "execve", "execvp", "execvpe")  # the other functions of os call these
STARTED = os.getpid()  # a process that is forked from this one has another number


def apply() -> None:
    """Change this Python."""
    setattr(os, "system", _system(os.system))  # noqa: B010 - mypy takes it for a constant
    for name in (*EXEC, "posix_spawn", "posix_spawnp"):
        if hasattr(os, name):
            setattr(os, name, _start_program(getattr(os, name)))
    sys.meta_path.insert(0, Finder)


def _instead(command: Any) -> list[str] | None:
    """Return the command that runs in place of one that installs; None for any other."""
    parts = [command] if isinstance(command, str | bytes | os.PathLike) else command
    try:
        words = [str(os.fsdecode(part)) for part in parts]
    except TypeError:  # no command
        return None
    line = words[0] if len(words) == 1 else shlex.join(words)
    if not installs(words if len(words) > 1 else line):
        return None
    return [sys.executable, "-I", "-m", __package__ or "", SKIP, line]


def _system(system: Callable[[Any], int]) -> Callable[[Any], int]:
    @functools.wraps(system)
    def changed(command: Any) -> int:
        other = _instead(command)
        return system(shlex.join(other) if other else redirect_word(command))

    changed.__module__ = "os"  # so that it can be pickled
    return changed


def _start_program(start: Callable[..., Any]) -> Callable[..., Any]:
    """Return a change of os.execv and the like."""

    @functools.wraps(start)
    def changed(path: Any, argv: Any, *rest: Any, **options: Any) -> Any:
        other = _instead(argv)
        if other and start.__name__ in EXEC and _is_kernel():
            return skip(other[-1])  # the kernel would end
        if other:
            return start(other[0], other, *rest, **options)
        return start(redirect_word(path), _redirected(argv), *rest, **options)

    changed.__module__ = "os"
    return changed


def _is_kernel() -> bool:
    """Return whether this process is the notebook's kernel, and not one that it has forked."""
    return "ipykernel" in sys.modules and os.getpid() == STARTED


def _redirected(command: Any) -> Any:
    """Return a command, a text or a sequence of words, with each word redirected."""
    if isinstance(command, list | tuple):
        return [redirect_word(word) for word in command]
    return redirect_word(command)


def _change_subprocess(module: Any) -> None:
    begin = module.Popen.__init__

    @functools.wraps(begin)
    def changed(self: Any, args: Any, *rest: Any, **options: Any) -> None:
        other = _instead(args)
        if other:
            options = {**options, "shell": False, "executable": None}
        elif options.get("executable") is not None:
            options = {**options, "executable": redirect_word(options["executable"])}
        begin(self, other or _redirected(args), *rest, **options)
        self.args = args

    module.Popen.__init__ = changed


def _change_commands(module: Any) -> None:
    """Let pip's install and uninstall do nothing, and succeed."""
    run = module.Command.main

    def main(self: Any, args: list[str]) -> int:
        if not installs(["pip", self.name, *args]):
            return int(run(self, args))
        skip(shlex.join(["pip", self.name, *args]))
        return 0

    module.Command.main = main


def _change_main(module: Any) -> None:
    """Let pip work in this Python, without PIP_PYTHON, which is for pips of other environments."""
    run = module.main

    def main(args: list[str] | None = None) -> int:
        words = ["pip", *(sys.argv[1:] if args is None else args)]
        if installs(words):
            skip(shlex.join(words))
            return 0
        python = os.environ.pop("PIP_PYTHON", None)
        try:
            return int(run(args))
        finally:
            if python is not None:
                os.environ["PIP_PYTHON"] = python

    module.main = main


def _change_ensurepip(module: Any) -> None:
    """Let ensurepip do nothing; it would install pip and remove PIP_PYTHON from the environment."""

    def bootstrap(**_: Any) -> int:
        skip("python -m ensurepip")
        return 0

    module._bootstrap = bootstrap


def _change_venv(module: Any) -> None:
    """Prevent venv from replacing the protected environment."""
    create = module.EnvBuilder.create

    def changed(self: Any, env_dir: Any) -> Any:
        if not is_protected(env_dir):
            return create(self, env_dir)
        return skip(shlex.join(["python", "-m", "venv", os.fsdecode(env_dir)]))

    module.EnvBuilder.create = changed


CHANGES = {
    "venv": _change_venv,
    "subprocess": _change_subprocess,
    "ensurepip": _change_ensurepip,
    "pip._internal.cli.base_command": _change_commands,
    "pip._internal.cli.main": _change_main,
}


class Finder:
    """Change some modules whenever they are imported."""

    @staticmethod
    def find_spec(fullname: str, path: Any = None, target: Any = None) -> Any:
        """Return a module with a loader that changes it, or None."""
        change = CHANGES.get(fullname)
        spec: Any = change and importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec:
            spec.loader = Loader(spec.loader, change)
        return spec


class Loader:
    """Load a module, then change it."""

    def __init__(self, loader: Any, change: Any) -> None:
        """Store the module's own loader."""
        self._loader, self._change = loader, change

    def __getattr__(self, name: str) -> Any:
        """Behave like the module's own loader."""
        return getattr(self._loader, name)

    def exec_module(self, module: Any) -> None:
        """Run the module, then change it."""
        self._loader.exec_module(module)
        self._change(module)
