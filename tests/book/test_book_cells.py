"""Every cell of the book's recurrent chapters runs with one line changed: its import."""

import pytest

RECURRENT, MODERN = "chapter_recurrent-neural-networks", "chapter_recurrent-modern"
ALWAYS = [f"{RECURRENT}/rnn-scratch", f"{RECURRENT}/rnn-concise", f"{MODERN}/gru", f"{MODERN}/lstm"]
MORE = [f"{MODERN}/{page}" for page in ("deep-rnn", "bi-rnn", "encoder-decoder", "seq2seq")]
MORE += [f"{MODERN}/machine-translation-and-dataset", f"{RECURRENT}/sequence", f"{RECURRENT}/rnn"]
# By edition: the tag, the package, the chapters that the other edition calls differently.
EDITIONS = {
    "classic": (
        "v0.17.6",
        "d2lrnn.book.classic",
        [f"{RECURRENT}/text-preprocessing", f"{RECURRENT}/language-models-and-dataset"],
    ),
    "v1": (
        "v1.0.3",
        "d2lrnn.book",
        [f"{RECURRENT}/text-sequence", f"{RECURRENT}/language-model"],
    ),
}
TABS = {"torch": "pytorch"}
# Cells that their framework's own changes have broken, by edition, backend and page: what a reader
# is to change in them stands in docs/coming-from-d2l.md.
KNOWN = {}


def pytest_generate_tests(metafunc):
    """Run a page of each edition; conftest.py selects the pages."""
    pages = metafunc.config.getoption("--pages")
    more = {edition: [*MORE, *own] for edition, (_, _, own) in EDITIONS.items()}
    always = [] if pages == "sample" else ALWAYS
    cases = [
        pytest.param(edition, page, id=f"{edition}-{page.rpartition('/')[2]}")
        for edition in EDITIONS
        for page in [*always, *(more[edition] if pages != "four" else [])]
    ]
    metafunc.parametrize(("edition", "page"), cases)


def test_every_cell_of_the_book_runs_with_d2lrnn_in_place_of_d2l(run_page, edition, page, backend):
    ref, package, _ = EDITIONS[edition]
    module = f"{package}.{backend}"
    before = f"import {module}" if page.endswith("encoder-decoder") else ""  # has no import of d2l
    report = run_page(ref, f"{page}.md", TABS.get(backend, backend), module, before)
    failed = {cell["cell"]: cell["error"] for cell in report["cells"] if cell["status"] == "fail"}
    assert sorted(failed) == KNOWN.get((edition, backend, page), []), failed
