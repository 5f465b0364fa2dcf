"""Unusual arguments of the functions of both editions."""

import importlib

import numpy as np
import pytest

from d2lrnn.book import names

both_editions = pytest.mark.parametrize("edition", list(names.PACKAGES))


@pytest.fixture
def d2l(edition, backend):
    """The names of the edition in the backend under test."""
    return importlib.import_module(f"{names.PACKAGES[edition]}.{backend}")


@both_editions
@pytest.mark.parametrize(
    ("line", "num_steps", "expected"),
    [
        ([1, 2, 3], 2, [1, 2]),
        ([1], 2, [1, 0]),
        ((1, 2, 3), 2, (1, 2)),
        ((1, 2), 2, (1, 2)),
        ((1,), 2, [1, 0]),
        ("abc", 2, "ab"),
        ("a", 2, ["a", 0]),
    ],
)
def test_lines_of_any_kind_are_cut_and_padded(d2l, edition, line, num_steps, expected):
    if not hasattr(d2l, "truncate_pad"):
        assert (edition, d2l.__name__) == ("1.0", "d2lrnn.book.jax")
        return
    assert d2l.truncate_pad(line, num_steps, 0) == expected


@both_editions
def test_an_animator_refuses_more_values_than_it_has_lines(d2l, edition):
    animator = d2l.Animator()
    animator.add(1, 2)
    with pytest.raises(ValueError, match="y has 2 values, and the animator has 1 line since"):
        animator.add([1, 2], [3, 4])
    assert (animator.X, animator.Y) == ([[1]], [[2]])


@both_editions
@pytest.mark.parametrize("y", [[[2], [3]], [np.array([[2.0]]), np.float32(3)], [2, 3]])
def test_an_animator_takes_one_number_of_any_shape_for_each_line(d2l, edition, y):
    animator = d2l.Animator()
    animator.add(1, y)
    assert animator.Y == [[2], [3]]


@both_editions
def test_an_animator_refuses_several_numbers_for_one_line(d2l, edition):
    animator = d2l.Animator()
    with pytest.raises(ValueError, match=r"y has a value of shape \(2,\); expected one number"):
        animator.add(1, [[1, 2], 3])


@both_editions
def test_the_error_for_clipping_without_gradients_says_what_to_call_first(
    d2l, edition, backend, rnn
):
    if backend == "jax":  # whose d2l does not have the function
        assert not hasattr(d2l, "grad_clipping")
        return
    if backend == "tensorflow":
        for grads in ([d2l.ones((2,)), None], []):
            with pytest.raises(ValueError, match=r"expected a gradient for each parameter"):
                d2l.grad_clipping(grads, 1)
        return
    net = type("Net", (), {"params": [d2l.ones((2,))]})()
    with pytest.raises(ValueError, match=r"no parameter of the net has a gradient; call backward"):
        d2l.grad_clipping(net, 1)
