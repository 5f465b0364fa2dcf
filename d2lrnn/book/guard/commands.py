"""Recognize commands that install or remove packages, or change settings of package tools."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import sys
from collections.abc import Iterator, Sequence

PACKAGES = ("pip", "conda", "mamba", "micromamba", "uv", "pipx", "easy_install")
PROJECTS = ("poetry", "pipenv", "pdm", "rye", "pixi")
SYSTEMS = ("apt", "apt-get", "aptitude", "dpkg", "brew", "dnf", "yum", "apk", "snap")
MODULES = ("setup.py", "ensurepip", "get-pip.py")
TOOLS = (*PACKAGES, *PROJECTS, *SYSTEMS, *MODULES)
INSTALL = ("install", "uninstall", "reinstall", "develop", "add", "inject", "sync", "create")
REMOVE = ("remove", "purge", "autoremove")
UPGRADE = ("update", "upgrade", "dist-upgrade", "full-upgrade", "build-dep")
CHANGES = frozenset([*INSTALL, *REMOVE, *UPGRADE])
READS = frozenset(["list", "show", "search", "help", "info", "index", "run"])
# Words after config or cache that change the user's files.
SET = ("set", "unset", "edit", "--set", "--unset", "--add", "--append", "--prepend", "--remove")
SETTINGS = {
    "config": frozenset([*SET, "--remove-key", "remove-key", "append", "prepend", "--delete"]),
    "cache": frozenset(["purge", "remove", "clean", "clear", "prune", "delete"]),
}
USER_FILES = {"conda": ("init", "clean"), "mamba": ("init", "clean"), "pipx": ("ensurepath",)}
ALWAYS = ("easy_install", "ensurepip", "get-pip.py")  # these install without a subcommand
HARMLESS = frozenset(["--help", "-h", "--version", "-V", "--dry-run"])
DPKG = frozenset(["-i", "--install", "-r", "--remove", "-P", "--purge"])
PRINTERS = frozenset(["echo", "printf", "cat", "grep", "man"])
TOOL = re.compile(
    rf"(?:{'|'.join(map(re.escape, TOOLS))})(?:[-\d.]*|\.__main__)(?:\.exe|\.bat|\.cmd|\.pyz)?"
)
RUNNER = "__pip-runner__.py"  # the program that pip runs in the Python that PIP_PYTHON names
PUNCTUATION = "();&|\n"
LOG = "skipped.txt"  # in the environment's folder
HINT = "d2lrnn book skipped this command; --allow-install runs it"


def installs(command: str | Sequence[str]) -> bool:
    """Return whether a command of a shell, or a list of words, installs or removes packages."""
    if isinstance(command, str):
        return any(_words_install(words) for words in _simple_commands(command))
    return _words_install([str(word) for word in command])


def _simple_commands(command: str) -> Iterator[list[str]]:
    """Yield the words of each command in a line or a script of a shell."""
    command = re.sub(r"\\\r?\n|\$\(|`", " ", command)
    command = re.sub(r"\\(?=\w)", "/", command)  # a path on Windows
    lexer = shlex.shlex(command, posix=True, punctuation_chars=PUNCTUATION)
    lexer.whitespace_split, lexer.whitespace, lexer.commenters = True, " \t\r", ""
    try:
        words = list(lexer)
    except ValueError:  # a quotation mark that is not closed
        words = re.sub(r"([();&|\n])", r" \1 ", command).split(" ")
    simple: list[str] = []
    comment = False
    for word in filter(None, words):
        separates = set(word) <= set(PUNCTUATION)
        comment = "\n" not in word if separates and comment else comment or word[0] == "#"
        if separates and set(word) & set(";&|\n"):
            yield simple
            simple = []
        elif not separates and not comment:
            simple.append(word)
    yield simple


def _words_install(words: list[str]) -> bool:
    if not words or words[0] in PRINTERS:
        return False
    return any(
        _is_install(word, words[place + 1 :])
        or _runs_text(words[:place], word)
        or (_is_variable(word) and words[place + 1 : place + 2] in (["install"], ["uninstall"]))
        for place, word in enumerate(words)
    )


def _is_install(word: str, following: list[str]) -> bool:
    """Return whether a word names a tool, and the words that follow make it change something."""
    name = re.split(r"[/\\]", word)[-1].lower().lstrip("!%")
    name = "pip" if name == RUNNER else name
    if re.match("-m.", word):
        name = word[2:]
    if not TOOL.fullmatch(name) or HARMLESS & set(following):
        return False
    if name.startswith(ALWAYS):
        return True
    if name == "dpkg":
        return bool(DPKG & set(following))
    for place, word in enumerate(following):
        if word in SETTINGS:
            return _is_setting(name, word, following[place + 1 :])
        if word in CHANGES or word in READS:
            return word in CHANGES
        if word in USER_FILES.get(name.removeprefix("micro"), ()):
            return True
    return False


def _is_setting(tool: str, verb: str, following: list[str]) -> bool:
    """Return whether ``config`` or ``cache`` of a tool changes one of the user's files."""
    values = [word for word in following if not word.startswith("-")]
    if tool in PROJECTS and verb == "config" and len(values) > 1:  # config NAME VALUE
        return True
    return bool(SETTINGS[verb] & set(following))


def _runs_text(before: list[str], word: str) -> bool:
    """Return whether a word is a command in itself, as after bash -c, that installs."""
    if " " not in word or not re.fullmatch("-[a-z]*c|eval", "".join(before[-1:])):
        return False
    return not any(re.search("python|executable", earlier) for earlier in before) and installs(word)


def _is_variable(word: str) -> bool:
    """Return whether a word is a variable, of Python or a shell, with the name of a tool."""
    return bool(re.match(r"[{$].*(pip|conda|mamba)", word, re.I))


def skip(line: str) -> None:
    """Print that a command has been skipped, and write it into the file."""
    with contextlib.suppress(OSError, ValueError):  # for example, no process reads the pipe
        print(f"{HINT}: {line}", flush=True)
    with open(os.path.join(sys.prefix, LOG), "a", encoding="utf-8", errors="replace") as log:
        log.write(line.replace("\n", " ") + "\n")
