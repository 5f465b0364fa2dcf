"""Figures, drawn without a display."""

import re
import subprocess
import sys

import matplotlib
import numpy as np
import pytest

from d2lrnn import plot
from d2lrnn.training.history import History, Scores, SmoothLoss

MISSING = "plots need matplotlib, which is not installed; run: pip install matplotlib"


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    from matplotlib import pyplot

    pyplot.close("all")


def test_a_history_draws_its_perplexity_over_epochs():
    ax = History([10.0, 5.0, 2.0], [1.0, 1.0, 1.0]).plot(label="numpy")
    (line,) = ax.get_lines()
    assert list(line.get_xdata()) == [1, 2, 3]
    assert list(line.get_ydata()) == [10, 5, 2]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("epoch", "perplexity", "log")
    assert ax.get_legend().get_texts()[0].get_text() == "numpy"


def test_histories_share_axes_and_differ_in_colour_and_dash():
    ax = plot.perplexity({name: History([3.0, 2.0], [1.0, 1.0]) for name in "abcde"})
    styles = {(line.get_color(), line.get_linestyle()) for line in ax.get_lines()}
    assert len({colour for colour, _ in styles}) == 5
    again = History([4.0], [1.0]).plot(ax)
    assert again is ax
    assert len(ax.get_lines()) == 6


def test_a_known_lowest_perplexity_is_drawn_as_a_line():
    ax = History([4.0, 3.0], [1.0, 1.0], floor=2.5).plot()
    assert list(ax.get_lines()[1].get_ydata()) == [2.5, 2.5]
    assert [note.get_text() for note in ax.texts] == ["floor 2.50"]


def test_a_plot_is_saved_where_there_is_no_display(tmp_path):
    code = (
        "from d2lrnn.training.history import History\n"
        f"History([3.0, 2.0], [1.0, 1.0]).plot().figure.savefig(r'{tmp_path / 'p.png'}')"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, timeout=120, env={"HOME": str(tmp_path)}
    )
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_the_pip_command_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError) as error:
        plot.perplexity({None: History([1.0], [1.0])})
    assert str(error.value) == MISSING


@pytest.mark.parametrize("seen", [History([1.0], [1.0]), Scores([1.0]), SmoothLoss([1], [1.0])])
def test_without_matplotlib_training_continues_without_a_plot(seen, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.warns(UserWarning, match=f"^{MISSING}; the results of the training are not lost$"):
        assert seen.plot() is None


def test_a_format_that_cannot_be_written_is_refused_beforehand():
    plot.check_format("curve.svg")
    with pytest.raises(ValueError, match=r"curve.xyz ends in 'xyz'; expected one of .*png"):
        plot.check_format("curve.xyz")


def test_a_gallery_keeps_each_image_s_own_pixels(tmp_path):
    axes = plot.gallery([[[0.0, 1.0], [1.0, 0.0]]] * 6, [f"number {i}" for i in range(6)])
    assert [ax.get_title() for ax in axes] == [*(f"number {i}" for i in range(6)), *[""] * 4]
    path = tmp_path / "gallery.svg"
    axes[0].figure.savefig(path)
    assert len(re.findall(r'<image [^>]*width="2" height="2"', path.read_text())) == 6


@pytest.mark.parametrize("names", [("numpy",), ("numpy", "torch", "jax")])
def test_an_agreement_draws_all_losses_and_the_differences_of_all_but_the_first(names):
    losses = {name: np.array([3.0, 2.0]) + 1e-12 * place for place, name in enumerate(names)}
    left, right = plot.agreement(losses, 1e-9)
    assert [line.get_label() for line in left.get_lines()] == list(names)
    gaps = [line for line in right.get_lines() if line.get_label() in names]
    assert [line.get_label() for line in gaps] == list(names[1:])
    for place, line in enumerate(gaps, 1):
        assert list(line.get_ydata()) == pytest.approx([place * 1e-12 / 3, place * 1e-12 / 2], 1e-3)


def test_a_gallery_marks_the_mistakes_and_nothing_else():
    axes = plot.gallery([np.eye(2)] * 3, ["a", "b", "c"], marked=[False, True, False])
    frames = [[patch.get_edgecolor() for patch in ax.patches] for ax in axes]
    assert [len(found) for found in frames] == [0, 1, 0, 0, 0]
    (frame,) = frames[1]
    assert matplotlib.colors.to_hex(frame) == matplotlib.colors.to_hex(axes[1].title.get_color())
    assert axes[0].title.get_color() != axes[1].title.get_color()
