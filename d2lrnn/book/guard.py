"""Skip commands that install or remove packages, in the environment that runs a notebook.

A copy of this file lies in that environment: every Python there imports it as it starts, and the
tools there are scripts that run it. So it imports the standard library only.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.machinery
import os
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from typing import Any

PACKAGES = ("pip", "conda", "mamba", "micromamba", "uv", "pipx", "easy_install")
PROJECTS = ("poetry", "pipenv", "pdm", "rye", "pixi")
SYSTEMS = ("apt", "apt-get", "aptitude", "dpkg", "brew", "dnf", "yum", "apk", "snap")
MODULES = ("setup.py", "ensurepip", "get-pip.py")
TOOLS = (*PACKAGES, *PROJECTS, *SYSTEMS, *MODULES)
INSTALL = ("install", "uninstall", "reinstall", "develop", "add", "inject", "sync", "create")
REMOVE = ("remove", "purge", "autoremove")
UPGRADE = ("update", "upgrade", "dist-upgrade", "full-upgrade", "build-dep")
CHANGES = frozenset([*INSTALL, *REMOVE, *UPGRADE])
READS = frozenset(["list", "show", "search", "help", "info", "config", "cache", "index", "run"])
ALWAYS = ("easy_install", "ensurepip", "get-pip.py")  # these install without a subcommand
HARMLESS = frozenset(["--help", "-h", "--version", "-V", "--dry-run"])
DPKG = frozenset(["-i", "--install", "-r", "--remove", "-P", "--purge"])
PRINTERS = frozenset(["echo", "printf", "cat", "grep", "man"])
TOOL = re.compile(
    rf"(?:{'|'.join(map(re.escape, TOOLS))})(?:[-\d.]*|\.__main__)(?:\.exe|\.bat|\.cmd|\.pyz)?"
)
RUNNER = "__pip-runner__.py"  # what a pip runs in the Python that PIP_PYTHON names
PUNCTUATION = "();&|\n"
LOG = "skipped.txt"  # in the environment's folder
MARK = "D2LRNN_BOOK_RUN"  # a variable that each process has which a cell has started
KEPT = (MARK, "PIP_PYTHON")
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
    verbs = (word for word in following if word in CHANGES or word in READS)
    return next(verbs, "") in CHANGES


def _runs_text(before: list[str], word: str) -> bool:
    """Return whether a word is a command in itself, as after bash -c, that installs."""
    if " " not in word or not re.fullmatch("-[a-z]*c|eval", "".join(before[-1:])):
        return False
    return not any(re.search("python|executable", earlier) for earlier in before) and installs(word)


def _is_variable(word: str) -> bool:
    """Return whether a word is a variable, of Python or a shell, that is called after a tool."""
    return bool(re.match(r"[{$].*(pip|conda|mamba)", word, re.I))


def report(words: Sequence[str]) -> None:
    """Print that a command has been skipped, and write it down for the report."""
    line = shlex.join(words)
    print(f"{HINT}: {line}", flush=True)
    with open(os.path.join(sys.prefix, LOG), "a", encoding="utf-8", errors="replace") as log:
        log.write(line.replace("\n", " ") + "\n")


class Finder:
    """Change some modules when they are imported, whoever imports them."""

    @staticmethod
    def find_spec(fullname: str, path: Any = None, target: Any = None) -> Any:
        """Return a module with a loader that changes it, or None."""
        change = CHANGED.get(fullname)
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


def _skip_commands(module: Any) -> None:
    """Let pip's install and uninstall do nothing, and succeed."""
    run = module.Command.main

    def main(self: Any, args: list[str]) -> int:
        if not installs(["pip", self.name, *args]):
            return int(run(self, args))
        report(["pip", self.name, *args])
        return 0

    module.Command.main = main


def _stay_here(module: Any) -> None:
    """Let pip work in this Python. PIP_PYTHON leads the pips of other environments here."""
    run = module.main

    def main(args: list[str] | None = None) -> int:
        python = os.environ.pop("PIP_PYTHON", None)
        try:
            return int(run(args))
        finally:
            if python is not None:
                os.environ["PIP_PYTHON"] = python

    module.main = main


def _keep_variables(module: Any) -> None:
    """Let a process that is given variables of its own have those that lead it here, too."""
    begin = module.Popen.__init__

    @functools.wraps(begin)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("env") is not None:
            own = {name: os.environ[name] for name in KEPT if name in os.environ}
            kwargs["env"] = {**own, **kwargs["env"]}
        begin(self, *args, **kwargs)

    module.Popen.__init__ = __init__


CHANGED = {
    "subprocess": _keep_variables,
    "pip._internal.cli.base_command": _skip_commands,
    "pip._internal.cli.main": _stay_here,
}


def start() -> None:
    """Watch this Python from its start; end it if installing is all that it is here for."""
    words = sys.orig_argv[1:]
    if words[:1] == [__file__]:
        return
    if sys.argv[:1] != ["-c"] and installs(words):
        with contextlib.suppress(BaseException):
            report(["pip" if RUNNER in word else word for word in ["python", *words]])
        os._exit(0)
    sys.meta_path.insert(0, Finder)


def main(tool: str, *args: str) -> int:
    """Run a tool, unless that would install or remove packages."""
    import shutil
    import subprocess

    if installs([tool, *args]):
        report([tool, *args])
        return 0
    if tool.startswith("pip"):
        return subprocess.call([sys.executable, "-m", "pip", *args])
    own = os.path.dirname(sys.executable)
    folders = [f for f in os.environ.get("PATH", "").split(os.pathsep) if f != own]
    path = shutil.which(tool, path=os.pathsep.join(folders))
    if path is None:
        print(f"{tool}: command not found", file=sys.stderr)
        return 127
    return subprocess.call([path, *args])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
