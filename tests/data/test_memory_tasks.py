"""Copying, recall, parity and adding: each answer computed again, one sequence at a time."""

import numpy as np
import pytest

from d2lrnn.data import memory_tasks

TASKS = {
    "selective_copy": memory_tasks.selective_copy,
    "recall": memory_tasks.recall,
    "parity": memory_tasks.parity,
    "adding": memory_tasks.adding,
}


@pytest.mark.parametrize(("num_steps", "num_tokens"), [(9, 4), (5, 5), (7, 1)])
def test_selective_copy_asks_for_the_tokens_in_their_order(num_steps, num_tokens):
    X, Y = memory_tasks.selective_copy(200, num_steps, num_tokens, 3, seed=1)
    assert X.shape == Y.shape == (200, num_steps + num_tokens)
    for x, y in zip(X.tolist(), Y.tolist(), strict=True):
        first, last = x[:num_steps], x[num_steps:]
        tokens = [token for token in first if token != 0]
        assert (len(tokens), last) == (num_tokens, [1] * num_tokens)
        assert set(tokens) <= {2, 3, 4}
        assert y == [-1] * num_steps + tokens


def test_the_tokens_of_selective_copy_are_at_all_positions_equally_often():
    X, _ = memory_tasks.selective_copy(4000, 8, 2, 3, seed=2)
    shares = (X[:, :8] != 0).mean(axis=0)
    np.testing.assert_allclose(shares, 0.25, atol=0.03)
    counts = np.bincount(X[:, :8].ravel())[2:]
    np.testing.assert_allclose(counts / counts.sum(), 1 / 3, atol=0.03)


@pytest.mark.parametrize("overwrite", [False, True])
def test_recall_asks_for_the_last_value_of_a_key(overwrite):
    X, Y = memory_tasks.recall(300, 4, 5, 4, 6, overwrite=overwrite, seed=1)
    assert X.shape == Y.shape == (300, 13)
    num_repeated = 0
    for x, y in zip(X.tolist(), Y.tolist(), strict=True):
        keys, values, queries = x[:8:2], x[1:8:2], x[8:]
        assert all(0 <= key < 4 for key in keys)
        assert all(4 <= value < 10 for value in values)
        pairs = dict(zip(keys, values))  # a later pair replaces an earlier one
        assert y == [-1] * 8 + [pairs[query] for query in queries]
        num_repeated += len(pairs) < 4
    assert (num_repeated > 0) == overwrite


def test_parity_is_that_of_the_bits_so_far():
    X, Y = memory_tasks.parity(100, 11, seed=1)
    for x, y in zip(X.tolist(), Y.tolist(), strict=True):
        assert y == [x[: end + 1].count(1) % 2 for end in range(11)]
    assert abs(X.mean() - 0.5) < 0.05


@pytest.mark.parametrize("num_steps", [2, 5, 12])
def test_adding_asks_for_the_sum_of_two_marked_numbers(num_steps):
    X, y = memory_tasks.adding(100, num_steps, seed=1)
    assert (X.shape, y.shape) == ((100, num_steps, 2), (100,))
    for rows, total in zip(X.tolist(), y.tolist(), strict=True):
        marked = [(step, number) for step, (number, mark) in enumerate(rows) if mark == 1]
        (one, first), (other, second) = marked
        assert one < num_steps // 2 <= other
        assert total == first + second
        assert all(0 <= number < 1 and mark in (0, 1) for number, mark in rows)


def test_always_answering_1_has_the_error_of_the_baseline():
    _, y = memory_tasks.adding(100_000, 6, seed=2)
    assert ((y - 1) ** 2).mean() == pytest.approx(memory_tasks.ADDING_BASELINE, rel=0.01)


@pytest.mark.parametrize("task", TASKS)
def test_the_same_seed_makes_the_same_sequences_in_every_backend(rnn, task):
    generate = getattr(rnn, task)
    assert generate is TASKS[task]
    one, same, other = (generate(20, seed=seed) for seed in (1, 1, 2))
    for array, copy, changed in zip(one, same, other, strict=True):
        assert type(array) is np.ndarray
        np.testing.assert_array_equal(array, copy)
        assert not np.array_equal(array, changed)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("wrong", [0, -1, 1.5, True])
def test_a_number_that_is_not_a_count_is_refused(task, wrong):
    with pytest.raises(ValueError, match=r"num_sequences is .*; expected an integer, 1 or above"):
        TASKS[task](wrong)
    with pytest.raises(ValueError, match=r" is .*; expected an integer, 1 or above"):
        TASKS[task](3, wrong)


@pytest.mark.parametrize("task", TASKS)
def test_a_seed_below_zero_is_refused(task):
    with pytest.raises(ValueError, match=r"^seed is -1; expected an integer, 0 or above$"):
        TASKS[task](1, seed=-1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: memory_tasks.selective_copy(1, 3, 4), "num_tokens is 4; expected at most num_"),
        (lambda: memory_tasks.recall(1, 5, num_keys=4), "num_pairs is 5; expected at most num_ke"),
        (lambda: memory_tasks.adding(1, 1), "num_steps is 1; expected 2 or more, for two marked"),
    ],
)
def test_sizes_that_do_not_fit_together_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
