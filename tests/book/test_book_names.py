"""Every name of the book exists, or the error names its edition, framework and chapter."""

import importlib
import types

import pytest

from d2lrnn.book import chapters, names

OURS = (*chapters.COVERED, None)
ATTENTION = "AdditiveAttention AttentionDecoder DotProductAttention masked_softmax show_heatmaps"
# By edition and name: where the name is, and, if it is here, which module has it.
ELSEWHERE = [
    ("1.0", "train_ch8", "d2l 0.17", "d2lrnn.book.classic"),
    ("1.0", "predict_ch8", "d2l 0.17", "d2lrnn.book.classic"),
    ("1.0", "RNNModelScratch", "d2l 0.17", "d2lrnn.book.classic"),
    ("1.0", "load_data_time_machine", "d2l 0.17", "d2lrnn.book.classic"),
    ("classic", "TimeMachine", "d2l 1.0", "d2lrnn.book"),
    ("classic", "Trainer", "d2l 1.0", "d2lrnn.book"),
    ("classic", "num_gpus", "d2l 1.0", "d2lrnn.book"),
    ("1.0", "train_ch3", "d2l 0.17", None),
    ("classic", "FashionMNIST", "d2l 1.0", None),
    ("1.0", "BPETokenizer", "the book's edition of 2026", None),
    ("classic", "sample_next", "the book's edition of 2026", None),
]


both_editions = pytest.mark.parametrize("edition", list(names.PACKAGES))


@pytest.fixture
def d2l(edition, backend):
    """The names of the edition in the backend under test."""
    return importlib.import_module(f"{names.PACKAGES[edition]}.{backend}")


@both_editions
def test_every_name_of_the_recurrent_chapters_exists(d2l, edition, backend):
    wanted = [
        name
        for name, known in names.names().items()
        if edition in known.editions([backend])
        and (known.chapter in OURS or name in ATTENTION.split())
    ]
    assert len(wanted) > 80
    assert [name for name in wanted if is_absent(d2l, name)] == []


def is_absent(module, name):
    """Return whether a module does not have a name; one whose library is not installed counts."""
    try:
        return not hasattr(module, name)
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize(("edition", "name", "said", "package"), ELSEWHERE)
def test_the_error_for_a_name_of_another_edition_names_its_module(
    d2l, backend, edition, name, said, package
):
    with pytest.raises(AttributeError) as error:
        getattr(d2l, name)
    message = str(error.value)
    assert message.startswith(f"d2l.{name} is a name of ")
    assert said in message
    assert "nor has the book" not in message
    if package is None:
        assert "here" not in message
    elif said == "d2l 0.17" and backend == "jax":
        assert f"in {said}, and of {package}.tensorflow here; d2l.jax does not have it" in message
    else:
        assert f"; here it is {package}.{backend}.{name}: " in message
        assert f"`from {package} import {backend} as d2l`" in message


@both_editions
def test_importing_a_name_of_another_edition_raises_the_same_error(d2l, backend, edition):
    name = {"classic": "TimeMachine", "1.0": "train_ch8"}[edition]
    with pytest.raises(AttributeError) as looked_up:
        getattr(d2l, name)
    with pytest.raises(ImportError) as imported:
        exec(f"from {d2l.__name__} import {name}", {})
    start = f"cannot import name {name!r} from {d2l.__name__!r}: "
    assert str(imported.value) == start + str(looked_up.value)


@both_editions
@pytest.mark.parametrize(
    ("name", "chapter"),
    [
        ("show_images", "linear neural networks"),
        ("Residual", "modern convolutional neural networks"),
        ("MultiHeadAttention", "attention mechanisms and transformers"),
    ],
)
def test_the_error_for_a_name_of_another_chapter_names_the_chapter(d2l, edition, name, chapter):
    expected = rf"d2l\.{name} belongs to another chapter of the book, on {chapter}; "
    with pytest.raises(AttributeError, match=expected):
        getattr(d2l, name)


@both_editions
def test_the_error_for_a_name_from_before_0_17_names_the_version(d2l, edition):
    with pytest.raises(AttributeError, match="a name of the versions of d2l before 0"):
        getattr(d2l, "MLPAttention")  # noqa: B009


@both_editions
def test_the_error_for_a_name_of_another_framework_names_the_framework(d2l, edition, backend):
    name = "USE_MXNET" if backend == "jax" else "get_key"
    with pytest.raises(AttributeError, match=f"d2l.{name} is a name of d2l.(jax|mxnet) in "):
        getattr(d2l, name)


@pytest.mark.parametrize(
    ("framework", "edition", "name", "others", "other_edition"),
    [
        (
            "jax",
            "1.0",
            "truncate_pad",
            "d2l.mxnet, d2l.torch and d2l.tensorflow",
            "edition of 2026",
        ),
        ("torch", "1.0", "evaluate_accuracy", "d2l.mxnet and d2l.tensorflow", "d2l 0.17"),
        ("tensorflow", "classic", "log", "d2l.mxnet and d2l.torch", "d2l 1.0"),
    ],
)
def test_the_error_for_a_name_of_other_frameworks_lists_them(
    monkeypatch, framework, edition, name, others, other_edition
):
    monkeypatch.setattr(chapters, "_where", lambda *_: "here")  # which imports the framework
    message = chapters.explain(name, edition, framework)
    start = f"d2l.{name} is a name of {others} in {names.describe(edition)}, and of d2l.{framework}"
    assert message.startswith(f"{start} only in ")
    assert other_edition in message


@both_editions
def test_an_unknown_name_is_an_ordinary_attribute_error(d2l, edition):
    with pytest.raises(AttributeError, match="has no attribute 'no_such'; nor has the book's d2l"):
        getattr(d2l, "no_such")  # noqa: B009
    assert not hasattr(d2l, "__wrapped__")


@both_editions
def test_a_name_of_both_editions_has_the_meaning_of_the_imported_edition(d2l, edition, backend):
    own = types.ModuleType(d2l.__name__)  # in which the files of the edition are found
    chapters.take_shared_names(own, edition)
    names_of_own = {name for name in vars(own) if not name.startswith("__")}
    assert len(names_of_own) > 10
    assert [name for name in names_of_own if getattr(d2l, name) is not getattr(own, name)] == []


@both_editions
def test_the_module_contains_itself_as_d2l(d2l, edition):
    assert d2l.d2l is d2l


@both_editions
def test_a_star_imports_what_the_book_has_with_its_modules(d2l, edition, backend):
    given = {}
    exec(f"from {d2l.__name__} import *", given)
    assert given["d2l"] is d2l
    assert given["math"].pi > 3
    assert given["collections"].Counter
    assert given["display"].display
    assert given["np"] is d2l.np
    assert {"plot", "Vocab", "plt", "bleu", "Seq2SeqEncoder"} <= given.keys()
    assert {"chapters", "requires", "annotations"}.isdisjoint(given)
    assert edition == "classic" or backend == "jax" or given["load_data_nmt"]
    for name in set(given) - {"__builtins__", "d2l"}:
        assert chapters.is_of(name, edition, backend), name
