"""A temporary environment for the kernel of a notebook; packages can be installed only in it.

Its Python finds every package of the current environment. In a cell, sys.executable, python and pip
refer to it. Tools that install packages are scripts that skip commands which install; see guard.
"""

from __future__ import annotations

import os
import re
import shutil
import site
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from d2lrnn.book import guard

GUARD = "_d2lrnn_guard"  # the name of the copy of guard
RUN = f'"{{python}}" -I -m {GUARD} {{tool}}'
SCRIPT = f"@{RUN} %*\n" if os.name == "nt" else f'#!/bin/sh\nexec {RUN} "$@"\n'


def make(folder: Path) -> tuple[str, dict[str, str]]:
    """Make a temporary environment in a folder.

    Returns:
        its Python, and the variables that programs in it are started with.

    Raises:
        OSError: this Python cannot make environments.
    """
    builder = venv.EnvBuilder(symlinks=os.name != "nt", with_pip=False)
    try:
        builder.create(folder)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise OSError(
            f"cannot make a temporary environment for the notebook in {folder} ({error}); set "
            "TMPDIR to a folder that can be written to, or add --allow-install to do without"
        ) from error
    context = builder.ensure_directories(folder)
    python, scripts = context.env_exe, Path(context.bin_path)
    packages = next(folder.glob("[Ll]ib/**/site-packages"))
    shutil.copytree(Path(guard.__file__).parent, packages / GUARD)
    protected = [os.path.realpath(sys.prefix), *_program_folders()]
    (packages / GUARD / guard.FOLDERS).write_text("\n".join(protected), "utf-8", "surrogateescape")
    lines = [f"import site; site.addsitedir({name!a})" for name in _site_folders()]
    lines.append(f"import {GUARD}; {GUARD}.start()")
    (packages / "d2lrnn.pth").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for tool in _tools():
        _write_script(scripts, tool, SCRIPT.format(python=python, tool=tool))
    return python, _variables(folder, scripts, python)


def redirect(source: str, python: str) -> str:
    """Return a cell whose commands call the Python of an environment, not the current Python."""
    return guard.redirect(source, tuple(_program_folders()), os.path.dirname(python))


def _program_folders() -> list[str]:
    """Return the folders of this environment's programs, under all of their paths."""
    folders = [os.path.dirname(sys.executable), sysconfig.get_path("scripts")]
    return list(dict.fromkeys([*folders, *map(os.path.realpath, folders)]))


def skipped(folder: Path) -> list[str]:
    """Return the commands that have been skipped in an environment since this was last called."""
    log = folder / guard.LOG
    if not log.exists():
        return []
    lines = log.read_text(encoding="utf-8").splitlines()
    log.unlink()
    return lines


def _site_folders() -> list[str]:
    """Return the folders of installed packages, in their order, of the Python that runs this."""
    folders = [*site.getsitepackages(), site.getusersitepackages()]
    return [folder for folder in folders if folder in sys.path]


def _tools() -> set[str]:
    """Return the names of the scripts: those of pip, and of each other tool that is installed."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    names = {name for folder in folders if os.path.isdir(folder) for name in os.listdir(folder)}
    pips = {name for name in names if re.fullmatch(r"pip[\d.]*", name)}
    others = {tool for tool in (*guard.TOOLS, "sudo") if shutil.which(tool)}
    return pips | others | {"pip", "pip3", f"pip{sys.version_info[0]}.{sys.version_info[1]}"}


def _write_script(folder: Path, tool: str, text: str) -> None:
    path = folder / (f"{tool}.bat" if os.name == "nt" else tool)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def with_path(folder: str) -> dict[str, str]:
    """Return the environment variables of this process, with a folder first in PATH."""
    path = os.pathsep.join(filter(None, [folder, os.environ.get("PATH")]))
    return {**os.environ, "PATH": path}


def _variables(folder: Path, scripts: Path, python: str) -> dict[str, str]:
    """Return variables that make tools use this environment if a cell calls them by their path."""
    variables = with_path(str(scripts))
    variables.pop("UV_SYSTEM_PYTHON", None)
    variables.update(VIRTUAL_ENV=str(folder), PIP_PYTHON=python)
    variables.update(CONDA_DRY_RUN="true", MAMBA_DRY_RUN="true")
    return variables
