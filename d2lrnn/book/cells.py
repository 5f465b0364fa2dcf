"""Find the names of the book's package d2l that the cells of a notebook use."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from d2lrnn.book import names

FRAMEWORKS = (*names.LETTERS, "paddle")  # 0.17 has a module for Paddle, too
# Magics of cells that contain Python.
_PYTHON = re.compile(r"%%(?:capture|prun|tab|time|timeit)\b")
# Text that is not code: strings, of one line or several, and comments.
_TEXT = re.compile(r"""('''|\"\"\").*?\1|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|#[^\n]*""", re.S)
_MAGIC = re.compile(r"^(\s*)(?:[%!?].*|[\w.]+\?+)$", re.M)


class Call(NamedTuple):
    """A call of a name: its number of positional arguments, and the names of the others."""

    name: str
    positional: int
    keywords: frozenset[str]
    unpacked: bool  # whether there is a ** among the arguments
    first: str  # the first argument, as it is written


class Usage:
    """The names and arguments that cells use.

    Attributes:
        frameworks: the modules of d2l that they import, such as "torch".
        without_modules: whether they import d2l without its modules, as the cells of 2019 do.
        used: the names that they look up in d2l or import from it.
        defined: the functions and classes that they define, with the arguments of each.
        methods: the attributes of other objects that they use, and the methods that they define.
        calls: how they call the names, or the initializers of classes derived from them.
    """

    def __init__(self, sources: Sequence[str]) -> None:
        """Parse all cells; a cell that cannot be parsed is only searched for names."""
        self.frameworks: set[str] = set()
        self.used: set[str] = set()
        self.defined: dict[str, str] = {}
        self.methods: set[str] = set()
        self.calls: list[Call] = []
        self._aliases: set[str] = set()  # the cells' names of modules of d2l
        self._packages: set[str] = set()  # their names of d2l itself
        self._imported: dict[str, str] = {}  # names of d2l, by the cells' names of them
        self._star = False
        trees = [tree for source in sources for tree in self._parse(source)]
        for node in (node for tree in trees for node in ast.walk(tree)):
            self._read_import(node)
        self.without_modules = bool(self._packages) and not self.frameworks
        if self.without_modules or not (self._aliases or self._packages):
            self._aliases |= self._packages or {"d2l"}
        for tree in trees:
            self._read(tree)

    def _parse(self, source: str) -> Iterator[ast.Module]:
        if source.lstrip().startswith("%%") and not _PYTHON.match(source.lstrip()):
            return
        try:
            yield ast.parse(_MAGIC.sub(r"\1pass", source))
        except (SyntaxError, ValueError, RecursionError):
            source = _TEXT.sub("", source)
            self.used |= set(re.findall(r"\bd2l\.(\w+)", source))
            self.defined |= dict.fromkeys(re.findall(r"^(?:def|class) (\w+)", source, re.M), "")

    def _read_import(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                package, _, module = alias.name.partition(".")
                if package == "d2l" and module:
                    self.frameworks.add(module)
                    (self._aliases if alias.asname else self._packages).add(alias.asname or "d2l")
                elif package == "d2l":
                    self._packages.add(alias.asname or "d2l")
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            package, _, module = node.module.partition(".")
            if package == "d2l":
                self._read_import_from(module, node.names)

    def _read_import_from(self, module: str, aliases: Sequence[ast.alias]) -> None:
        if module:
            self.frameworks.add(module)
        for alias in aliases:
            if alias.name == "*":
                self._star = True
            elif not module and alias.name in FRAMEWORKS:
                self.frameworks.add(alias.name)
                self._aliases.add(alias.asname or alias.name)
            elif alias.name == "d2l":
                self._aliases.add(alias.asname or "d2l")
            else:
                self.used.add(alias.name)
                self._imported[alias.asname or alias.name] = alias.name

    def _read(self, tree: ast.Module) -> None:
        definitions = [node for node in tree.body if isinstance(node, _DEFINITIONS)]
        self.defined |= {node.name: _arguments(node) for node in definitions}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                name = self._name(node)
                (self.methods if name is None else self.used).add(name or node.attr)
            elif isinstance(node, ast.Name) and self._star and node.id not in self.defined:
                self.used |= {node.id} & names.names().keys()
            elif isinstance(node, ast.Call) and (name := self._name(node.func)):
                self.calls.append(_call(name, node))
            elif isinstance(node, ast.ClassDef):
                self._read_class(node)

    def _name(self, node: ast.expr) -> str | None:
        """Return the book's name that an expression looks up, or None if it is not one."""
        if isinstance(node, ast.Name):
            star = self._star and node.id in names.names()
            return self._imported.get(node.id, node.id if star else None)
        if not isinstance(node, ast.Attribute):
            return None
        owner = node.value
        if isinstance(owner, ast.Name):
            return node.attr if owner.id in self._aliases else None
        if isinstance(owner, ast.Attribute) and isinstance(owner.value, ast.Name):
            within = owner.attr in FRAMEWORKS and owner.value.id in self._packages
            return node.attr if within else None
        return None

    def _read_class(self, node: ast.ClassDef) -> None:
        """Note the methods of a class, and its calls of the initializer of a class of the book."""
        methods = [part for part in node.body if isinstance(part, _DEFINITIONS)]
        self.methods |= {method.name for method in methods}
        bases = [name for base in node.bases if (name := self._name(base))]
        for call in (part for method in methods for part in ast.walk(method)):
            if bases and isinstance(call, ast.Call) and _is_super_init(call.func):
                self.calls.append(_call(bases[0], call))


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _arguments(node: ast.AST) -> str:
    """Return the arguments of a function, or of a class's initializer, as names.ini has them."""
    if isinstance(node, ast.ClassDef):
        inits = [part for part in node.body if getattr(part, "name", "") == "__init__"]
        return ",".join(_arguments(inits[0]).split(",")[1:]) if inits else ""
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    arguments = [argument.arg for argument in node.args.args]
    for i in range(1, len(node.args.defaults) + 1):
        arguments[-i] += "="
    if node.args.kwarg:
        arguments.append(f"**{node.args.kwarg.arg}")
    return ",".join(arguments)


def _call(name: str, node: ast.Call) -> Call:
    keywords = {keyword.arg for keyword in node.keywords}
    stars = sum(isinstance(argument, ast.Starred) for argument in node.args)
    first = ast.unparse(node.args[0]) if node.args else ""
    named = frozenset(keyword for keyword in keywords if keyword)
    return Call(name, -1 if stars else len(node.args), named, None in keywords, first)


def _is_super_init(function: ast.expr) -> bool:
    """Return whether a function is ``super().__init__``, or ``super(X, self).__init__``."""
    return (
        isinstance(function, ast.Attribute)
        and function.attr == "__init__"
        and isinstance(function.value, ast.Call)
        and isinstance(function.value.func, ast.Name)
        and function.value.func.id == "super"
    )
