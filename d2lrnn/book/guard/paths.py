"""The environment that is protected: its programs by their whole path, and its folder."""

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
    """Return a command in which the Python and pip of the throw-away environment are called.

    They take the place of those of the protected environment, called by their whole path. So a
    Python is watched that gets no environment variables, or ignores them.
    """
    return redirect(text, _folders()[1:], os.path.dirname(sys.executable))


def redirect(text: str, folders: tuple[str, ...], own: str) -> str:
    """Return a text in which programs of other folders are replaced by those of one folder."""
    if not folders:
        return text
    names = "|".join(map(re.escape, folders))
    program = rf"(?<![\w./-])(?:{names})[/\\]+(?=(?:python|pip)[\d.]*(?![\w.-]))"
    return re.sub(program, lambda _: own + os.sep, text)


def redirect_word(word: Any) -> Any:
    """Return a word of a command, text or bytes or a path, redirected; others as they are."""
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
