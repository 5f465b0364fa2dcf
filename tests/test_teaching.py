"""Helpers for lessons outside of a notebook: source, exercises, figures, short runs."""

import inspect
import io
import re
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pooch
import pytest

from d2lrnn import plot, teaching
from d2lrnn.plot import diagrams
from d2lrnn.training.progress import PROGRESS, bar


@pytest.fixture(autouse=True)
def _leave_matplotlib_as_it_was():
    from matplotlib import pyplot

    with pyplot.rc_context():
        yield
    pyplot.close("all")


def test_the_source_shown_is_that_of_the_function(rnn, backend, capsys):
    rnn.show(rnn.rnn)
    shown = capsys.readouterr().out
    assert shown.startswith(f"# d2lrnn/{backend}/scratch.py\n")
    assert inspect.getsource(rnn.rnn) in shown


def test_helpers_are_shown_in_their_order_and_hold_the_equation(rnn, capsys):
    rnn.show(rnn.rnn, helpers=True)
    shown = capsys.readouterr().out
    assert "tanh(X @ W_xh + H @ W_hh + b_h)" in shown
    places = [shown.index(f"def {name}(") for name in ("unroll", "output_layer", "rnn_step", "rnn")]
    assert places == sorted(places)


def test_classes_and_wrapped_functions_have_source_too(rnn, capsys):
    rnn.show(rnn.RNNModelScratch)
    rnn.show(rnn.load_data_builtin)
    shown = capsys.readouterr().out
    assert "class RNNModelScratch" in shown
    assert "corpora.read_builtin()" in shown


@pytest.mark.parametrize("thing", [len, 3, "rnn"])
def test_an_object_without_source_code_is_refused(rnn, thing):
    with pytest.raises(
        ValueError, match="does not have source in Python; expected a function or a class"
    ):
        rnn.show(thing)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (3, 3),
        (1 / 3, 0.33333334),
        ("cat", "cat"),
        (["a", "b"], ["a", "b"]),
        (np.ones((2, 2)), [[1, 1], [1, 1]]),
        (lambda: [1.0, 2.0], lambda: np.array([1, 2])),
        (0, 0.0),
        ([], []),
        (True, True),
    ],
)
def test_a_right_answer_is_accepted(capsys, answer, expected):
    teaching.check(answer, expected, "none is needed")
    assert capsys.readouterr().out == "Right.\n"


@pytest.mark.parametrize(
    ("answer", "expected", "said"),
    [
        (4, 3, "the answer is 4"),
        (1.001, 1.0, "the answer is 1.001"),
        ("3", 3, "the answer is '3'"),
        ("dog", "cat", "the answer is 'dog'"),
        (["a"], ["a", "b"], "the answer is ['a']"),
        ([1, 1], [[1, 1]], "the answer is [1, 1]"),
        (float("nan"), 1.0, "the answer is nan"),
        ([1, [2, 3]], [1, 2], "the answer is [1, [2, 3]]"),
        (lambda: 1 / 0, 3, "ZeroDivisionError: division by zero"),
    ],
)
def test_a_wrong_answer_gets_the_hint(capsys, answer, expected, said):
    teaching.check(answer, expected, "count again")
    assert capsys.readouterr().out == f"Not yet: {said}. Hint: count again\n"


blank = ...


def given():
    return 3


def unwritten(x):
    """Return something."""
    ...


def half_written(x):
    """Return something, which needs a first line."""
    x = x + 1
    ...
    return x


def uses_it(x):
    return unwritten(x) + 1


@pytest.mark.parametrize(
    "answer",
    [
        ...,
        None,
        lambda: None,
        [1, ...],
        (None, [None]),
        lambda: blank + 1,
        lambda: [blank],
        lambda: unwritten(2),
        lambda: unwritten(2) + 1,
        lambda: np.asarray(unwritten(2), dtype=float),
        lambda: np.array([unwritten(number) for number in (1, 2)]),
        lambda: sum(unwritten(number) + 1 for number in (1, 2)),
        lambda: half_written(2),
        lambda: uses_it(2),
    ],
)
def test_a_blank_is_reported_as_no_answer_yet(capsys, answer):
    teaching.check(answer, 5, "count again")
    assert capsys.readouterr().out == "No answer yet. Hint: count again\n"


def test_a_name_that_the_kernel_defined_can_be_a_blank(capsys, tmp_path):
    path = tmp_path / "cell.py"
    path.write_text("def f(x):\n    ...  # your code\n\n\ndef g(x):\n    return x / 0\n")
    cell = {}
    exec(compile(path.read_text(), str(path), "exec"), cell)
    teaching.check(eval("lambda: f(1) + 1", cell), 2, "add")
    teaching.check(eval("lambda: g(1)", cell), 2, "add")
    assert capsys.readouterr().out == (
        "No answer yet. Hint: add\nNot yet: ZeroDivisionError: division by zero. Hint: add\n"
    )


def test_the_report_of_check_cell_is_an_answer(reference, capsys):
    teaching.check(lambda: reference.check_cell("rnn", "rnn"), True, "add the bias")
    assert capsys.readouterr().out == "Right.\n"

    def my_rnn(inputs, state, params):
        return reference.rnn(inputs, state, [*params[:2], 0 * params[2], *params[3:]])

    teaching.check(lambda: reference.check_cell(my_rnn, "rnn"), True, "add the bias")
    output = capsys.readouterr().out
    assert output.startswith("Not yet: my_rnn (numpy) differs from rnn\nfirst difference: outputs ")
    assert "\nprobable cause: b_h is not used\n" in output
    assert output.endswith("\nHint: add the bias\n")


def test_an_ellipsis_beside_a_right_answer_is_ignored(capsys):
    teaching.check(lambda: half_written(4), 5, "none is needed")
    teaching.check(lambda: given() + 1, 5, "add")
    said = capsys.readouterr().out
    assert said == "Right.\nNot yet: the answer is 4. Hint: add\n"


@pytest.mark.parametrize("blank", [..., None, lambda: None])
def test_a_blank_is_never_the_expected_answer(blank):
    with pytest.raises(ValueError, match="pass the right answer to check"):
        teaching.check(1, blank, "none")


def test_a_tolerance_is_relative_to_the_largest_number(capsys):
    teaching.check([100.5, 0.5], [100.0, 0.0], "no", tolerance=0.01)
    teaching.check([100.5, 2.0], [100.0, 0.0], "no", tolerance=0.01)
    assert [line[:6] for line in capsys.readouterr().out.splitlines()] == ["Right.", "Not ye"]


@pytest.mark.parametrize(
    ("value", "chosen"), [(None, "full"), ("", "full"), ("0", "full"), ("1", "fast")]
)
def test_a_variable_switches_the_fast_mode_on(monkeypatch, value, chosen):
    monkeypatch.delenv(teaching.FAST, raising=False)
    if value is not None:
        monkeypatch.setenv(teaching.FAST, value)
    assert teaching.full_or_fast("full", "fast") == chosen


class Terminal(io.StringIO):
    def isatty(self):
        return True


def is_shown(progress, file):
    with bar(progress, file=file) as made:
        return not made.disable


def test_a_variable_turns_progress_off_except_with_progress_true(monkeypatch):
    monkeypatch.delenv(PROGRESS, raising=False)
    assert [is_shown(asked, Terminal()) for asked in (None, True, False)] == [True, True, False]
    assert not is_shown(None, io.StringIO())  # no terminal
    monkeypatch.setenv(PROGRESS, "0")
    assert [is_shown(asked, Terminal()) for asked in (None, True, False)] == [False, True, False]


@pytest.mark.parametrize(
    ("at_hand", "file"),
    [
        (teaching.time_machine_at_hand, "timemachine.txt"),
        (teaching.tiny_shakespeare_at_hand, "tinyshakespeare.txt"),
    ],
)
def test_a_text_is_available_if_its_folder_is_named(monkeypatch, tmp_path, at_hand, file):
    monkeypatch.setenv(teaching.data_files.DATA_FOLDER, str(tmp_path))
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache")
    assert not at_hand()
    (tmp_path / file).touch()
    assert at_hand()


def test_a_script_s_figures_are_numbered_files_where_there_is_no_display(tmp_path):
    code = "\n".join(
        [
            "from d2lrnn import plot",
            "from d2lrnn.plot import diagrams",
            "from d2lrnn.teaching import present",
            "plot.use_style()",
            "present(diagrams.rnn_cell(), 'A cell.')",
            "present(plot.new_axes(columns=2), 'Two axes.')",
            "from matplotlib import pyplot",
            "assert pyplot.get_fignums() == []",
        ]
    )
    script = tmp_path / "lesson.py"
    script.write_text(code)
    done = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        env={"HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stderr == ""
    first, second = (tmp_path / "figures" / f"lesson-{number}.png" for number in (1, 2))
    assert first.read_bytes().startswith(b"\x89PNG")
    assert second.read_bytes().startswith(b"\x89PNG")
    assert done.stdout.splitlines()[0].endswith("lesson-1.png: A cell.")


def test_the_classroom_style_has_large_letters_and_wide_lines():
    assert plot.line_style(0)["linewidth"] == 2
    plot.use_style()
    ax = plot.new_axes()
    ax.set(xlabel="epoch")
    assert ax.xaxis.label.get_size() >= 16
    assert plot.line_style(0)["linewidth"] == 3


def test_no_two_of_many_lines_have_the_same_colour_and_dash():
    styles = [plot.line_style(index) for index in range(20)]
    assert len({(style["color"], style["linestyle"]) for style in styles}) == 20


def test_the_same_figure_is_the_same_svg(tmp_path):
    plot.use_style()
    for name in ("one.svg", "other.svg"):
        diagrams.gru_cell().figure.savefig(tmp_path / name, metadata={"Date": None})
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()


def test_a_figure_in_a_notebook_is_one_line_of_svg_with_all_its_elements(monkeypatch, tmp_path):
    shown = []
    monkeypatch.setattr(teaching, "in_notebook", lambda: True)
    monkeypatch.setattr(teaching, "_display", lambda plain, rich: shown.append(rich))
    ax = plot.new_axes()
    ax.plot([1, 2], [3, 5])
    ax.figure.savefig(tmp_path / "whole.svg", metadata={"Date": None, "Creator": None})
    teaching.present(ax, "A line.")
    (small,) = [rich["image/svg+xml"] for rich in shown]
    assert "\n" not in small
    whole, found = (
        [(one.tag, set(one.attrib) - {"id"}) for one in root.iter() if "title" not in one.tag]
        for root in (ElementTree.parse(tmp_path / "whole.svg"), ElementTree.fromstring(small))
    )
    assert found == whole
    named, referred_to = re.findall(r' id="([^"]+)"', small), re.findall(r'[("]#([^)"]+)', small)
    assert referred_to
    assert set(referred_to) <= set(named)


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (diagrams.rnn_cell, {"$X_t$", "$H_t$", "$O_t$"}),
        (diagrams.unrolled, {"$X_1$", "$H_3$", "$O_T$", "RNN"}),
        (diagrams.deep, {"$X_T$", "$H_0^{(1)}$", "$H_2^{(L)}$", "$O_1$"}),
        (diagrams.bidirectional, {r"$\overrightarrow{H}_1$", r"$\overleftarrow{H}_T$", "$O_2$"}),
        (diagrams.five_kinds, {"one to many", "many to many,\nthe same length"}),
        (diagrams.gru_cell, {"$R_t$", "$Z_t$", r"$\tilde{H}_t$", "$1-$"}),
        (diagrams.lstm_cell, {"$F_t$", "$I_t$", "$O_t$", r"$\tilde{C}_t$", "$C_t$"}),
    ],
)
def test_a_diagram_contains_the_names_of_its_equations(draw, words):
    ax = draw()
    assert words <= {text.get_text() for text in ax.texts}
    assert draw(ax=ax) is ax


def test_a_deep_network_has_a_cell_for_each_step_of_each_layer():
    words = [text.get_text() for text in diagrams.deep(3, 5).texts]
    assert words.count("cell") == 15
    assert [words.count(f"$H_T^{{({name})}}$") for name in "12L"] == [1, 1, 1]
    assert [text.get_text() for text in diagrams.bidirectional(5).texts].count("cell") == 10


@pytest.mark.parametrize("use_random_iter", [False, True])
def test_a_partitioned_text_shows_each_token_of_each_minibatch(use_random_iter):
    tokens = [str(number) for number in range(23)]
    ax = diagrams.partitioning(tokens, 2, 3, use_random_iter, seed=1)
    iterate = getattr(
        diagrams.batches, f"seq_data_iter_{'random' if use_random_iter else 'sequential'}"
    )
    rows = [str(i) for X, _ in iterate(np.arange(23), 2, 3, seed=1) for i in X.ravel()]
    shown = [text.get_text() for text in ax.texts if not text.get_text().startswith("minibatch")]
    assert sorted(shown) == sorted([*tokens, *rows])
