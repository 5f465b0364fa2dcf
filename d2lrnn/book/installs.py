"""Find the statements of a notebook's cell that install or remove packages.

Commands that a cell computes at run time, such as one in a variable, are left to guard. So is
os.exec: without this call, a forked process would continue with the rest of the cell.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from d2lrnn import checks
from d2lrnn.book import guard

Test = Callable[[Any], bool]

SHELLS = re.compile(r"%%(?:bash|sh|zsh|cmd|system|sx|!|script\s+(?:\S*/)?(?:ba|z|da|)sh)(?=\s|$)")
WRAPPERS = re.compile(r"%%(?:capture|time|timeit|prun|python[\d.]*)\b")
COMMAND = re.compile(r"(?:([^=!%'\"#(]*[^=!%'\"#(\s])\s*=\s*)?[!%]+")  # !pip, %pip, out = !pip
MAGICS = (
    "magic",
    "run_cell",
    "run_cell_magic",
    "run_line_magic",
    "getoutput",
    "getpipeoutput",
    "ex",
)
CALLS = ("run", "call", "check_call", "check_output", "getstatusoutput", r"system\w*")
RUNS = re.compile(
    rf"{'|'.join([*MAGICS, *CALLS])}|[pP]open|(?:posix_)?spawn\w*|create_subprocess_\w+"
)


class Span(NamedTuple):
    """The place of a statement: lines and columns, counted from 0; the end is exclusive."""

    line: int
    column: int
    last_line: int
    end: int


def skip_installs(source: str, *, d2l_only: bool = False) -> tuple[str, list[str]]:
    """Return a cell without statements that install or remove packages, and these statements.

    A statement at the top of the cell is removed; within a block it becomes ``pass``.

    Args:
        source: the cell's text.
        d2l_only: leave out only what installs d2l.
    """
    first, newline, body = source.lstrip().partition("\n")
    test: Test = _installs_d2l if d2l_only else guard.installs
    if SHELLS.match(first):
        rest, skipped = _skip_in_shell(body, test)
    elif WRAPPERS.match(first):
        rest, skipped = skip_installs(body, d2l_only=d2l_only)
    elif first.startswith("%%"):  # text, or a language that is not Python
        return source, []
    else:
        return _skip_in_python(source, test)
    if not skipped:
        return source, []
    return (first + newline + rest if rest.strip(" :\n") else ""), skipped


def is_script(source: str) -> bool:
    """Return whether a cell is a script of a shell or another program."""
    first = source.lstrip().partition("\n")[0]
    return bool(SHELLS.match(first) or first.startswith("%%script"))


def installs_of_d2l(source: str) -> list[str]:
    """Return the commands of a cell that install d2l."""
    return skip_installs(source, d2l_only=True)[1]


def _installs_d2l(command: Any) -> bool:
    text = command if isinstance(command, str) else " ".join(command)
    return bool(re.search(r"\bd2l\b", text)) and guard.installs(command)


def _skip_in_shell(script: str, test: Test) -> tuple[str, list[str]]:
    """Replace lines of a script by ``:``; one with text of several lines is left to guard."""
    if "<<" in script or not (test(script) or _code_installs(script, test)):
        return script, []
    lines = re.findall(r"(?:[^\n]*\\\n)*[^\n]*(?:\n|$)", script)
    installing = [line for line in lines if test(line) or _code_installs(line, test)]
    rest = (":\n" if line in installing else line for line in lines)
    return "".join(rest), [line.strip() for line in installing]


def _skip_in_python(source: str, test: Test) -> tuple[str, list[str]]:
    lines = re.findall(r"[^\n]*\n|[^\n]+", source)
    commands = list(_command_spans(lines))
    spans = [span for span, text in commands if test(text) or _code_installs(text, test)]
    plain = list(lines)
    for span, _ in reversed(commands):
        _replace(plain, span, "pass", keep_lines=True)
    spans += _statement_spans("".join(plain), test)
    first = next((line for line in lines if line.strip()), "")
    indent = len(first) - len(first.lstrip())
    skipped = []
    for span in sorted(spans, reverse=True):
        skipped.append("".join(lines[span.line : span.last_line + 1]).strip())
        on_top = span.column <= indent and _is_alone(lines, span)
        _replace(lines, span, "" if on_top else "pass")
    return "".join(lines).rstrip("\n") if skipped else source, skipped[::-1]


def _is_alone(lines: list[str], span: Span) -> bool:
    """Return whether the lines of a statement do not contain any other statement."""
    before = lines[span.line][: span.column]
    after = lines[span.last_line][span.end :].strip(" \t;\r\n")
    return not before.strip() and (not after or after.startswith("#"))


def _replace(lines: list[str], span: Span, new: str, keep_lines: bool = False) -> None:
    """Replace a statement by a text; remove its lines if the text is empty."""
    before, after = lines[span.line][: span.column], lines[span.last_line][span.end :]
    rest = ["\n"] * (span.last_line - span.line) if keep_lines else []
    lines[span.line : span.last_line + 1] = [before + new + after, *rest] if new else []


def _command_spans(lines: list[str]) -> Iterator[tuple[Span, str]]:
    """Yield the places of IPython's commands, such as !pip and %pip, and what they run."""
    with checks.needed("the book's interface needs", "IPython"):
        from IPython.core.inputtransformer2 import make_tokens_by_line
    try:
        # Python 3.12 and newer refuse characters that UTF-8 does not have; "?" replaces them here.
        statements = make_tokens_by_line([_in_utf8(line) for line in lines])
    except SyntaxError:  # then IPython does not run the cell
        return
    following = 0
    for tokens in statements:
        start = next((token.start for token in tokens if token.string.strip()), None)
        if start is None or start[0] <= following:
            continue
        line, column = start[0] - 1, start[1]
        text = lines[line][column:]
        command = COMMAND.match(text)
        if command or _is_automagic(text):
            following = line + 1
            while lines[following - 1].endswith("\\\n") and following < len(lines):
                following += 1
            end = len(lines[following - 1].rstrip("\r\n"))
            whole = "".join([text, *lines[line + 1 : following]])
            runs = whole[command.end() :] if command else whole
            is_needed = command and command[1] not in (None, "_")  # out = !pip: out is needed
            yield Span(line, column, following - 1, end), "" if is_needed else runs


def _is_automagic(line: str) -> bool:
    """Return whether a line without % or ! is one for pip or conda, as IPython takes it."""
    if not re.match(r"(?:pip|conda|mamba|micromamba|uv)[\d.]*\s", line):
        return False
    try:
        ast.parse(line.strip())
    except SyntaxError:
        return True
    return False


def _in_utf8(text: str) -> str:
    """Return a text with "?" in the place of each character that UTF-8 does not have."""
    return text.encode("utf-8", "replace").decode()


def _statement_spans(source: str, test: Test) -> Iterator[Span]:
    """Yield the places of statements of Python with a call that installs."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # then IPython does not run the cell
        return
    lines = [line.encode() for line in re.split(r"\r\n?|\n", source)]  # columns are in bytes
    for node in ast.walk(tree):
        calls = ast.walk(node) if isinstance(node, ast.Expr) or _is_dropped(node) else ()
        if any(isinstance(call, ast.Call) and _call_installs(call, test) for call in calls):
            statement: Any = node
            line, last_line = statement.lineno - 1, statement.end_lineno - 1
            column = len(lines[line][: statement.col_offset].decode())
            end = len(lines[last_line][: statement.end_col_offset].decode())
            yield Span(line, column, last_line, end)


def _code_installs(command: str, test: Test) -> bool:
    """Return whether a command is python -c with code that installs."""
    code = re.search(r"-c\s*(['\"])(.*)\1", command, re.S)
    return bool(code and any(_statement_spans(_in_utf8(code[2]), test)))


def _is_dropped(node: ast.AST) -> bool:
    """Return whether a statement is an assignment to ``_``."""
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_"


def _call_installs(call: ast.Call, test: Test) -> bool:
    """Return whether a call runs a command, written out in it, that installs."""
    name = ast.unparse(call.func)
    last = name.split(".")[-1]
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    parts = [_words(argument) for argument in arguments]
    words = [word for part in parts for word in part]
    if last.endswith("main"):  # that of pip, called in Python
        return ("pip" in name or words[:1] == ["install"]) and test(["pip", *words])
    if last in ("exec", "eval"):
        return any(_statement_spans(_in_utf8("\n".join(words)), test))
    if name == "ensurepip.bootstrap":
        return test(["ensurepip"])
    if not RUNS.fullmatch(last):
        return False
    texts = [part[0] for part in parts if len(part) == 1]  # commands of a shell, or cells
    return test(words) or any(test(text.lstrip("!% ")) for text in [*texts, " ".join(texts)])


def _words(node: ast.AST) -> list[str]:
    """Return the words of a command as far as they are written out; others as {name}."""
    match node:
        case ast.Constant(value=value):
            return [str(value)]
        case ast.JoinedStr(values=parts):
            return ["".join(_words_of(parts))]
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return _words_of(parts)
        case ast.FormattedValue(value=value) | ast.Starred(value=value):
            return _words(value)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            both = _words_of([left, right])
            return both if isinstance(left, ast.List) or len(both) > 2 else ["".join(both)]
        case ast.BinOp(left=value, op=ast.Mod()):
            return _words(value)
        case ast.Call(func=ast.Attribute(value=value, attr="format")):
            return _words(value)
        case ast.Call(func=ast.Attribute(value=value, attr="split"), args=parts):
            return " ".join(_words_of([value, *parts])).split()
        case ast.Call(func=ast.Attribute(attr="join"), args=parts):
            return [" ".join(_words_of(parts))]
    return ["{" + ast.unparse(node).replace(" ", "") + "}"]


def _words_of(nodes: Sequence[ast.AST]) -> list[str]:
    return [word for node in nodes for word in _words(node)]
