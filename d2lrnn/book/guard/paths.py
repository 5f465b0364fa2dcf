"""Replace the full paths of programs of the protected environment, and recognize its folder."""

from __future__ import annotations

import functools
import os
import re
import sys
from typing import Any

FOLDERS = "folders.txt"  # beside this file: the protected environment, and its folders of programs


@functools.cache
def _folders() -> tuple[str, ...]:
    path = os.path.join(os.path.dirname(__file__), FOLDERS)
    if not os.path.exists(path):
        return ()
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return tuple(file.read().splitlines())


def redirected(text: str) -> str:
    """Return a command that calls the Python and pip of the temporary environment.

    They replace the programs of the protected environment that the command calls by their full
    path. So a Python without environment variables, or one that ignores them, is watched too.
    """
    return redirect(text, _folders()[1:], os.path.dirname(sys.executable))


def redirect(text: str, folders: tuple[str, ...], folder: str) -> str:
    """Return a text in which programs of other folders are replaced by those of one folder."""
    if not folders:
        return text
    names = "|".join(map(re.escape, folders))
    program = rf"(?<![\w./-])(?:{names})[/\\]+(?=(?:python|pip)[\d.]*(?![\w.-]))"
    return re.sub(program, lambda _: folder + os.sep, text)


def redirect_word(word: Any) -> Any:
    """Return a word of a command (str, bytes or path) redirected, and other objects unchanged."""
    if not isinstance(word, str | bytes | os.PathLike):
        return word
    path = os.fspath(word)
    if isinstance(path, bytes):
        return os.fsencode(redirected(os.fsdecode(path)))
    return redirected(path)


def is_protected(folder: Any) -> bool:
    """Return whether a folder is the protected environment."""
    protected = _folders()[:1]
    return bool(protected) and os.path.realpath(os.fsdecode(folder)) == protected[0]
