"""Words and constructions that pages, docstrings, messages and the names in the code do not use."""

import ast
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# The pattern, and what to write instead.
TABLE = {
    r"(?<!here )\b(?:is|are|was|were) no (?!longer\b|more\b)\w+": "is not a ...",
    r"\bno \w+ of (?:its|their) own\b": "does not have ...",
    r"\b(?:of|none of) ours\b": "of this package",
    r"\bof one's own\b": "of your own, custom",
    r"\bthere is none\b": "if there is no ...",
    r"\bso many \w+(?! that\b)": "that many, N",
    r"\bat hand\b": "available",
    r"\bto be had\b": "available",
    r"\bways? back\b": "backward pass",
    r"\bgo(?:es|ing)? back through\b": "compute the gradients of",
    r"\b(?:go(?:es|ing)?|went) on (?:from|with)\b": "continue",
    r"\bnobody('s)?\b": "(name who does not)",
    r"\bwho has (?:the|everything)\b": "(name the object that has)",
    r"\bcut off from\b": "detached from",
    r"\bcrews?\b": "workers",
    r"\b[Ww]hat computes\b": "the framework, the backend",
    r"\bwhat (?:came|comes) of\b": "the result of",
    r"\bwhat (?:it|a net|the net) says\b": "the text that is generated",
    r"\bsays? (?:one )?tokens?\b": "generate tokens",
    r"\b(?:run|net|model|checkpoint) (?:is|was) kept\b": "saved",
    r"\bkeeps? (?:a|the|its) run\b": "save",
    r"\bwill do\b": "may be, can be used",
    r"\bwhen nobody asks\b": "by default",
    r"\brun(?:s)? away\b": "diverge",
    r"\bcomes? along\b": "is included",
    r"\b(?:is|are) there already\b": "already exists",
    r"\ba \w+ of (?:its|their) own\b": "another ..., a separate ...",
    r"\b(?:is|are|was|were) asked for\b": "requested, given",
    r"\bgo(?:es)? on\b": "continue",
    r"\bwhatever\b": "any, for any",
    r"\b(?:is|are|was|were) told\b": "reported, receives",
    r"\bboth ways\b": "bidirectional, in both directions",
}

PAGES = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "notebooks").glob("*.md"),
]
MODULES = [*(ROOT / "d2lrnn").rglob("*.py"), *(ROOT / "notebooks").glob("*.py")]


def texts(path):
    """Yield pairs (line, text): the page, or the strings and the Markdown cells of a module."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        yield 1, source
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
    for number, line in enumerate(source.splitlines(), start=1):
        if path.parent.name == "notebooks" and line.startswith("# "):
            yield number, line


@functools.cache
def all_texts():
    """Return tuples (path, line, text) for all pages and modules."""
    return [(path, *pair) for path in PAGES + MODULES for pair in texts(path)]


@pytest.mark.parametrize("pattern", TABLE)
def test_texts_are_in_plain_words(pattern):
    hits = [
        f"{path.relative_to(ROOT)}:{line + text[: match.start()].count(chr(10))}: {match[0]!r}"
        for path, line, text in all_texts()
        for match in re.finditer(pattern, text)
    ]
    assert hits == [], f"write: {TABLE[pattern]}"


# Words that do not say what a variable holds or what a function does, and what to write instead.
NAMES = {
    **dict.fromkeys(
        ["found", "said", "kept", "seen", "asked", "made", "told", "of", "own"],
        "the thing: shape, ids",
    ),
    "flat": "vector, rows, merge_time",
    "compiled": "compile_function, or the thing that is compiled",
    "engines": "starters, libraries",
    **dict.fromkeys(["rung", "rungs", "ladder"], "form, forms"),
    **dict.fromkeys(["crew", "peer", "peers"], "worker, rank, world_size"),
}
# The parameters of public functions keep their names, and old notebooks import measure.ladder.
PUBLIC = {
    ("measure/agreement.py", "found"),
    ("plot/curves.py", "found"),
    ("nets/model.py", "own"),
    ("nets/concise.py", "own"),
    ("measure/ladder.py", "ladder"),
}


def names(tree):
    """Yield pairs (line, name) of the variables, attributes, arguments, functions and classes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.lineno, node.name
        elif isinstance(node, ast.alias) and node.asname:
            yield node.lineno, node.asname


@functools.cache
def names_in_the_package():
    """Return tuples (place, line, name) for the modules of the package."""
    package = ROOT / "d2lrnn"
    modules = {path.relative_to(package).as_posix(): path for path in package.rglob("*.py")}
    return [
        (place, line, name)
        for place, path in modules.items()
        for line, name in names(ast.parse(path.read_text(encoding="utf-8")))
    ]


# Parts of the names of tests, and what to write instead.
PARTS = {
    r"(?<!there)_(?:is|are|was|were)_no_": "is_not_a",
    r"_(?:is|are)_told(?:_|$)": "the_error_names, is_reported",
    r"_go(?:es)?_on(?:_|$)": "continues, can_be_resumed",
    r"_(?:one_s|ones)_own(?:_|$)": "custom, your_own",
    r"_(?:run|model|checkpoint)_(?:is|was)_kept(?:_|$)": "saved",
    r"^what(?:ever)?_": "name the subject",
    r"^(?:where(?:ver)?|who(?:ever)?)_": "name the subject",
    r"_speaks?(?:_|$)": "generates_text",
    r"_is_known_": "is_accepted, is_recognized",
    r"_with_anything$": "with_arbitrary_values",
}


@functools.cache
def names_of_tests():
    """Return tuples (file, name without test_) for all tests."""
    return [
        (path.relative_to(ROOT), node.name.removeprefix("test_"))
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


@pytest.mark.parametrize("part", PARTS)
def test_names_of_tests_are_plain_sentences(part):
    hits = [f"{file}: {name}" for file, name in names_of_tests() if re.search(part, name)]
    assert hits == [], f"write: {PARTS[part]}"


@pytest.mark.parametrize("word", NAMES)
def test_names_in_the_code_name_the_thing(word):
    hits = [
        f"d2lrnn/{place}:{line}: {name}"
        for place, line, name in names_in_the_package()
        if name.lower().strip("_") == word and (place, word) not in PUBLIC
    ]
    assert hits == [], f"write: {NAMES[word]}"


def test_the_check_of_names_finds_each_kind_of_name():
    source = "import a as of\nclass Own:\n  def told(self, kept): self.said = seen = 1"
    assert {name for _, name in names(ast.parse(source))} == {
        *("of", "Own", "told", "self", "kept", "said", "seen")
    }


def test_a_pattern_finds_what_it_forbids():
    sentence = "This is no error: what it says goes on from a state, and nobody asks."
    assert sum(bool(re.search(pattern, sentence)) for pattern in TABLE) == 5
