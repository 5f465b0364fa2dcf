"""Detection of the edition of a notebook from the packages and names that its cells use."""

import sys
from pathlib import Path

import pytest

from d2lrnn.book import editions, names, notebook

TORCH = "from d2l import torch as d2l\n"
TRANSLATION = [
    f"{TORCH}from torch import nn",
    "train_iter, src_vocab, tgt_vocab = d2l.load_data_nmt(32, 8)",
    "class Reader(d2l.Encoder):\n    pass\nclass Writer(d2l.Decoder):\n    pass",
    "net = d2l.EncoderDecoder(Reader(), Writer())",
    "d2l.train_seq2seq(net, train_iter, 0.01, 5, tgt_vocab, d2l.try_gpu())",
]
ONLY = {
    edition: [name for name, known in names.names().items() if known.editions() == having]
    for edition, having in (("classic", {"classic"}), ("1.0", {"1.0", "2026"}))
}
# What decides where no name does: arguments, forms of import, versions before 0.17.
FORMS = [
    (f"{TORCH}d2l.AdditiveAttention(8, 8, 8, 0.1)", "classic"),
    (
        f"{TORCH}d2l.AdditiveAttention(key_size=8, query_size=8, **settings)",
        "classic",
    ),
    (f"{TORCH}d2l.AdditiveAttention(num_hiddens=8, dropout=0)", "1.0"),
    (f"{TORCH}d2l.MultiHeadAttention(100, 100, 100, 100, 5, 0.5)", "classic"),
    (f"{TORCH}d2l.MultiHeadAttention(100, 5, 0.5)", "1.0"),
    (f"{TORCH}d2l.download('time_machine', cache_dir='data')", "classic"),
    (f"{TORCH}d2l.download(d2l.DATA_URL + 'timemachine.txt')", "1.0"),
    (f"{TORCH}d2l.download(url, folder, sha1_hash='0')", "1.0"),
    (
        f"{TORCH}class E(d2l.Encoder):\n    def __init__(self, **kwargs):\n"
        "        super(E, self).__init__(**kwargs)",
        "classic",
    ),
    ("class DotProductAttention(nn.Block):\n    def __init__(self, dropout):\n        pass", "1.0"),
    (
        "class DotProductAttention(nn.Block):\n    def __init__(self, dropout, **kwargs):\n"
        "        pass",
        "classic",
    ),
    ("from d2l import jax as d2l\nd2l.plot([1])", "1.0"),
    ("from d2l import paddle as d2l\nd2l.plot([1])", "classic"),
    (f"{TORCH}d2l.evaluate_accuracy(net, data_iter)", "classic"),  # 1.0 has it for others
    ("from d2l import tensorflow as d2l\nd2l.log(x)", "1.0"),  # 0.17 has it for others
    ("import d2l\nd2l.plot([1])", "classic"),
    (f"{TORCH}d2l.train_s2s_ch9(net)", "classic"),
    ("from d2l.torch import *\ntrain_ch8(net)", "classic"),
    ("from d2l.torch import load_data_nmt as load\nload(32)", "classic"),
    ("import d2l.torch\nd2l.torch.Trainer(1)", "1.0"),
    ("from d2l import torch as book\nbook.train_ch8(net)", "classic"),
    ("class Net(book.Module):\n    def validation_step(self, batch):\n        pass", "1.0"),
    (f"{TORCH}print 'Python 2'\nd2l.train_ch8(net)", "classic"),
    (f"%%time\n{TORCH}d2l.train_ch8(net)", "classic"),
    (f"%matplotlib inline\n!ls\n{TORCH}d2l.train_ch8?\nd2l.train_ch8(net)", "classic"),
    ("!pip install d2l==0.17.6", "classic"),
    ("!pip install 'd2l<1'", "classic"),
    ("!pip install d2l~=0.17", "classic"),
    ("!pip install git+https://github.com/d2l-ai/d2l-en.git@v0.17.6", "classic"),
    (f"!pip install d2l>=1.0\n{TORCH}d2l.plot([1])", "1.0"),
    (f"!pip install d2l>=1.0\n{TORCH}d2l.train_ch8\nd2l.Trainer", "1.0"),
    ("!pip install d2l==0.16.1\n!pip install -U d2l==1.0.3", "1.0"),
    ("!pip install git+https://github.com/d2l-ai/d2l-zh@release", "classic"),
    ("import os\nos.system('pip install d2l==0.17.6')", "classic"),
    (f"!pip install d2l>=0.17\n{TORCH}d2l.train_ch8", "classic"),
]


@pytest.mark.parametrize(("edition", "name"), [(e, name) for e in ONLY for name in ONLY[e]])
def test_a_name_that_only_one_edition_has_decides(edition, name):
    verdict = editions.detect([TORCH, f"x = d2l.{name}"])
    assert verdict[:2] == (edition, f"edition {edition}: the cells use d2l.{name}")


def test_translation_of_0_17_is_recognized_by_names_that_1_0_only_keeps():
    assert notebook.edition_of(TRANSLATION) == "classic"
    reason = editions.detect(TRANSLATION).reason
    assert reason == "edition classic: the cells use d2l.load_data_nmt and d2l.train_seq2seq"


def test_translation_of_1_0_is_recognized_by_its_classes():
    cells = [TORCH, "data = d2l.MTFraEng(128)", "model = d2l.Seq2Seq(e, d, tgt_pad=0, lr=0.1)"]
    assert notebook.edition_of([*cells, "class D(d2l.Decoder):\n    pass"]) == "1.0"


@pytest.mark.parametrize(("cell", "edition"), FORMS)
def test_arguments_imports_and_versions_decide(cell, edition):
    assert notebook.edition_of([cell]) == edition
    assert "by default" not in editions.detect([cell]).reason


@pytest.mark.parametrize(
    "cell",
    [
        "print(1)",
        f"{TORCH}d2l.plot([1])",
        "# d2l.train_ch8",
        "'d2l.train_ch8'",
        "%%bash\nd2l.train_ch8",
        f"{TORCH}d2l.Vocab(tokens)",
        "other.train_ch8(net)",
    ],
)
def test_cells_without_evidence_are_treated_as_1_0_and_the_option_is_named(cell):
    edition, reason, other = editions.detect([cell])
    assert (edition, other) == ("1.0", "classic")
    assert reason == (
        "edition 1.0, by default: no name in the cells distinguishes d2l 1.0 from d2l 0.17; "
        "if cells fail, try --edition classic"
    )


INSTALLS = {"classic": "!pip install d2l==1.0.3", "1.0": "!pip install d2l==0.17.6"}  # the other's
SILENT = {  # forms that do not install d2l in this version
    "a comment": "# {}",
    "a comment behind code": "x = 1  # {}",
    "a comment behind a command": "!ls  # {}",
    "a comment behind another installation": "!pip install d2l  # {}",
    "a comment in a script": "%%bash\n# {}",
    "a string": "s = '''{}'''",
    "a line of a string": 's = """\n{}\n"""',
    "a string that is printed": "print('{}')",
    "a line of a shell that is printed": "!echo '{}'",
    "text of a page": "%%html\n{}",
    "a comment in a cell that is not Python 3": "print 1\n# {}",
}


@pytest.mark.parametrize("form", SILENT)
@pytest.mark.parametrize("edition", ["classic", "1.0"])
def test_a_version_that_no_command_installs_does_not_decide(form, edition):
    name = {"classic": "train_ch8", "1.0": "Trainer"}[edition]
    cells = [SILENT[form].format(INSTALLS[edition]), f"{TORCH}d2l.{name}"]
    assert editions.detect(cells).reason == f"edition {edition}: the cells use d2l.{name}"
    assert "by default" in editions.detect([cells[0], TORCH]).reason


@pytest.mark.parametrize("edition", ["classic", "1.0"])
def test_names_that_agree_count_for_more_than_what_is_installed(edition):
    used = {"classic": ["predict_ch8", "train_ch8"], "1.0": ["TimeMachine", "Trainer"]}[edition]
    cells = [INSTALLS[edition], TORCH, *(f"d2l.{name}" for name in used)]
    other = {"classic": "1.0", "1.0": "classic"}[edition]
    assert editions.detect(cells) == (
        edition,
        f"edition {edition}: the cells use d2l.{used[0]} and d2l.{used[1]}; they install "
        f"{INSTALLS[edition].split()[-1]}, but no name in them belongs to {names.describe(other)}: "
        f"if cells fail, try --edition {other}",
        other,
    )


def test_names_that_do_not_agree_count_for_less_than_what_is_installed():
    cells = [INSTALLS["classic"], f"{TORCH}d2l.predict_ch8\nd2l.train_ch8\nd2l.Trainer"]
    assert editions.detect(cells).reason == (
        "edition 1.0: the cells install d2l==1.0.3 and use d2l.Trainer; but d2l.predict_ch8 and "
        "d2l.train_ch8 fit d2l 0.17: if cells fail, try --edition classic"
    )


@pytest.mark.parametrize(
    "text", ["# d2l.train_ch8", "'d2l.train_ch8'", '"""\nd2l.train_ch8\n"""', "'''d2l.train_ch8'''"]
)
def test_comments_and_strings_of_a_cell_that_is_not_python_3_do_not_decide(text):
    assert "by default" in editions.detect([f"{TORCH}print 1\n{text}"]).reason


def test_failed_cells_with_names_of_both_editions_may_belong_to_the_other():
    assert editions.detect(TRANSLATION).other == "1.0"
    init = "    def __init__(self, **kwargs):\n        super().__init__(**kwargs)"
    assert editions.detect([*TRANSLATION, f"class E(d2l.Encoder):\n{init}"]).other == "1.0"


def test_failed_cells_with_names_that_an_edition_lacks_do_not_belong_to_it():
    assert editions.detect([TORCH, "d2l.train_ch8"]).other is None


def test_a_notebook_that_fits_both_editions_is_reported_as_such():
    edition, reason, other = editions.detect([f"{TORCH}d2l.train_ch8\nd2l.Trainer"])
    assert (edition, other) == ("1.0", "classic")
    assert reason == (
        "edition 1.0, by default: d2l.Trainer fits d2l 1.0, and d2l.train_ch8 fits d2l 0.17; "
        "if cells fail, try --edition classic"
    )


def test_names_of_the_other_edition_are_reported():
    reason = editions.detect([f"{TORCH}d2l.train_ch8\nd2l.predict_ch8\nd2l.Trainer"]).reason
    assert reason == (
        "edition classic: the cells use d2l.predict_ch8 and d2l.train_ch8; but d2l.Trainer fits "
        "d2l 1.0: if cells fail, try --edition 1.0"
    )


def test_a_long_list_of_names_is_cut():
    reason = editions.detect([TORCH, *(f"d2l.{name}" for name in ONLY["classic"])]).reason
    assert reason.endswith(f" and {len(ONLY['classic']) - 7} more")


@pytest.mark.parametrize("name", ["BPETokenizer", "sample_next", "GPT"])
def test_the_edition_of_2026_is_recognised_and_not_guessed(name):
    cells = [TORCH, f"d2l.{name}; d2l.Module; d2l.TimeMachine"]
    assert editions.detect(cells)[:2] == ("2026", f"edition 2026: the cells use d2l.{name}")
    with pytest.raises(ValueError, match="the book's edition of 2026, which d2lrnn does not"):
        notebook.setup_code(cells, notebook.edition_of(cells))


def test_a_notebook_that_defines_names_of_2026_is_not_taken_for_that_edition():
    cells = [f"{TORCH}class Net(d2l.Module): pass", "def evaluate(net): pass", "def generate(): 0"]
    assert notebook.edition_of(cells) == "1.0"


@pytest.mark.parametrize(("ref", "edition"), [("v0.17.6", "classic"), ("v1.0.3", "1.0")])
@pytest.mark.parametrize("tab", ["mxnet", "pytorch", "tensorflow"])
def test_the_edition_of_every_page_of_the_book_is_detected(book_pages, ref, edition, tab):
    sys.path.insert(0, str(book_pages))
    try:
        import cells
    finally:
        sys.path.remove(str(book_pages))
    decided = 0
    for path in sorted(Path(book_pages, "pages", ref).rglob("*.md")):
        sources = [cell["source"] for cell in cells.extract(path.read_text("utf-8"), tab)]
        verdict = editions.detect(sources)
        if "by default" not in verdict.reason:
            assert verdict.edition == edition, (path.name, verdict.reason)
            decided += 1
    assert decided >= 8
