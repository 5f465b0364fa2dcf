"""Stored arguments, added methods and the board, which do not need a framework."""

import copy
import sys
import types
import warnings

import pytest

from d2lrnn import teaching
from d2lrnn.book import objects, screen


class Kept(objects.HyperParameters):
    def __init__(self, a, b=2, *, c=3):
        _private = 4
        self.save_hyperparameters(ignore=["c"])


def test_arguments_become_attributes():
    assert (Kept(1).a, Kept(1).b) == (1, 2)


def test_hparams_contains_arguments_that_are_neither_ignored_nor_private():
    assert Kept(1).hparams == {"a": 1, "b": 2}


def test_an_ignored_argument_does_not_become_an_attribute():
    assert not hasattr(Kept(1), "c")


def test_a_function_becomes_a_method():
    class Empty:
        pass

    @objects.add_to_class(Empty)
    def double(self, x):
        return 2 * x

    assert (Empty().double(3), double) == (6, None)


def test_the_error_of_check_len_names_the_length():
    with pytest.raises(AssertionError, match="expected 3 entries; found 2"):
        objects.check_len([1, 2], 3)


def test_the_error_of_check_shape_names_the_shape():
    with pytest.raises(AssertionError, match=r"expected shape \(1, 2\); found \(2,\)"):
        objects.check_shape(types.SimpleNamespace(shape=(2,)), (1, 2))


@pytest.fixture
def drawn(plain):
    """A board with one curve of five points, averaged in pairs."""
    curves = plain.ProgressBoard(xlabel="x")
    for x in range(5):
        curves.draw(x, 10 * x, "ten", every_n=2)
    return curves


def test_a_point_is_the_mean_of_n_values(drawn):
    assert drawn.data["ten"] == [(0.5, 5.0), (2.5, 25.0)]


def test_points_are_drawn_when_there_are_enough(drawn):
    assert drawn.raw_points["ten"] == [(4, 40)]


def test_without_a_display_the_figure_is_kept(drawn):
    (line,) = drawn.fig.gca().lines
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([0.5, 2.5], [5.0, 25.0])


def test_without_a_display_nothing_is_printed(plain, capfd):
    plain.ProgressBoard().draw(1, 2, "one")
    assert capfd.readouterr() == ("", "")


def test_a_fifth_curve_is_drawn_too(plain):
    curves = plain.ProgressBoard()
    for label in "abcde":
        curves.draw(0, 0, label)
    assert [line.get_label() for line in curves.fig.gca().lines] == list("abcde")


def test_a_board_that_is_not_displayed_only_collects_points(plain):
    curves = plain.ProgressBoard(display=False)
    curves.draw(1, 2, "one")
    assert (curves.data["one"], curves.fig) == ([(1.0, 2.0)], None)


def test_many_boards_do_not_keep_figures_open(plain):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(25):
            plain.ProgressBoard().draw(1, 2, "one")


def test_a_copied_model_draws_on_the_same_board(drawn):
    assert copy.deepcopy({"board": drawn})["board"] is drawn


@pytest.fixture
def notebook(plain, monkeypatch):
    """A substitute for a notebook's kernel: it stores displayed figures and ends cells."""
    shown, at_the_end = [], []
    events = types.SimpleNamespace(
        register=lambda name, what: at_the_end.append(what),
        unregister=lambda name, what: at_the_end.remove(what),
    )
    shell = types.SimpleNamespace(events=events, kernel=True)
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: shell
    ipython.version_info = (9, 0)  # matplotlib asks for it
    ipython.display = types.ModuleType("IPython.display")
    ipython.display.display = lambda picture, **how: shown.append((picture, how))
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)
    monkeypatch.setattr(teaching, "in_notebook", lambda: True)
    monkeypatch.setattr(plain, "use_svg_display", lambda: None)  # there is no IPython to set
    return types.SimpleNamespace(shown=shown, at_the_end=at_the_end)


def test_in_a_notebook_the_picture_is_drawn_in_one_place(plain, notebook, monkeypatch):
    monkeypatch.setattr(screen, "PAUSE", 0.0)
    curves = plain.ProgressBoard()
    curves.draw(1, 2, "one")
    curves.draw(2, 3, "one")
    (first, second) = (how for _, how in notebook.shown)
    assert first["display_id"] == second["display_id"]
    assert (first["update"], second["update"]) == (False, True)


def test_in_a_notebook_the_last_points_are_drawn_when_the_cell_ends(plain, notebook):
    curves = plain.ProgressBoard()
    for x in range(9):
        curves.draw(x, x, "one")
    assert len(notebook.shown) == 1  # the others came too soon after it
    notebook.at_the_end[0]()
    assert len(notebook.shown) == 2


def test_flushing_shows_pending_points_once(plain, notebook):
    curves = plain.ProgressBoard()
    for x in range(9):
        curves.draw(x, x, "one")
    curves.flush()
    curves.flush()
    assert len(notebook.shown) == 2
