"""The tasks, run as a user runs them, reach their results."""

import numpy as np
import pytest
from matplotlib import pyplot

from d2lrnn import backends
from d2lrnn.data import datasets, generated, text
from d2lrnn.data.batches import BatchLoader
from d2lrnn.nets import cells
from d2lrnn.recipes import tasks
from d2lrnn.recipes.pairs import END, Pairs
from d2lrnn.training import sequences
from d2lrnn.training.history import Scores


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def numpy_tasks(reference):
    """The tasks that take a while, each run once, in NumPy."""
    done = {}

    def run(name, **settings):
        if name not in done:
            done[name] = tasks.TASKS[name](reference, seed=0, progress=False, **settings)
        return done[name]

    return run


def test_digits_are_read_row_by_row(reference):
    outcome = tasks.digits(reference, 30, seed=0, progress=False)
    shapes = [array.shape for array in outcome.net.arrays()]
    assert shapes[:3] == [(8, 128), (128, 128), (128,)]
    assert shapes[-2:] == [(128, 10), (10,)]
    assert outcome.scores.score[-1] >= 0.95
    assert outcome.scores.loss[-1] < outcome.scores.loss[0] / 5
    assert len(outcome.scores.loss) == len(outcome.scores.score) == 30


@pytest.mark.frameworks
def test_digits_are_learned_in_as_many_epochs_as_in_numpy(rnn):
    numpy = backends.load("numpy")
    settings = {"seed": 0, "progress": False}
    found, expected = (tasks.digits(module, 3, **settings).scores for module in (rnn, numpy))
    assert expected.loss[-1] < 0.85 * expected.loss[0]
    np.testing.assert_allclose(found.loss, expected.loss, rtol=1e-4)
    np.testing.assert_allclose(found.score, expected.score, atol=0.01)


def test_the_gallery_shows_ten_test_images_and_five_marked_mistakes(numpy_tasks):
    outcome, found = numpy_tasks("digits", num_epochs=5), datasets.load_digits()
    axes = outcome.draw()
    predictions = outcome.net.predict(found.test_images)
    wrong = [i for i in np.flatnonzero(predictions != found.test_labels) if i >= 10][:5]
    shown = [*range(10), *wrong]
    assert len(shown) == 15
    titles = [f"label={found.test_labels[i]}, pred={predictions[i]}" for i in shown]
    assert [ax.get_title() for ax in axes] == titles
    marked = [bool(ax.patches) for ax in axes]
    assert marked == [predictions[i] != found.test_labels[i] for i in shown]
    grid = axes[0].get_subplotspec().get_gridspec()
    assert (grid.nrows, grid.ncols) == (3, 5)


def test_a_gallery_without_mistakes_shows_the_first_fifteen():
    assert tasks._ten_and_mistakes(np.zeros(30, bool)).tolist() == list(range(15))


def test_mnist_is_read_row_by_row(reference, monkeypatch):
    rng = np.random.default_rng(0)
    labels = rng.integers(10, size=300).astype(np.uint8)
    images = np.zeros((300, 28, 28), np.uint8)
    images[np.arange(300), 2 * labels + 3] = 255  # a bright row, whose place is the label
    monkeypatch.setattr(datasets, "read_mnist", lambda split: (images, labels))
    outcome = tasks.mnist(reference, 40, seed=0, progress=False)
    assert outcome.net.num_inputs == 28
    assert outcome.scores.score[-1] > 0.9


def test_a_decoder_draws_the_digit_of_its_label(numpy_tasks):
    outcome = numpy_tasks("drawing", num_epochs=40)
    assert int(outcome.lines[-1].split()[0]) >= 8
    images = outcome.net.generate(np.eye(10), 8)
    assert abs(images[0] - images[1]).max() > 0.5
    axes = outcome.draw()
    assert [ax.get_title() for ax in axes] == [f"label={i}" for i in range(10)]


def test_an_untrained_decoder_draws_no_digit(reference):
    found = datasets.load_digits()
    net = reference.DecoderScratch(8, 16, 10, loss="sigmoid", seed=0)
    images = net.generate(np.eye(10), 8)
    nearest = tasks.nearest_label(images, found.train_images, found.train_labels)
    assert (nearest == np.arange(10)).sum() <= 3


def test_held_out_dates_are_written_exactly(numpy_tasks):
    outcome = numpy_tasks("dates")
    assert outcome.scores.score[-1] >= 0.99
    examples = generated.date_pairs(1000, seed=1, held_out=True)[:5]
    assert outcome.lines[:5] == [f"{one!r} -> {other!r}" for one, other in examples]


def test_tagging_is_better_than_the_best_guess_from_the_word_alone(numpy_tasks):
    outcome = numpy_tasks("tagging", num_epochs=2)
    assert outcome.scores.score[-1] > generated.one_word_accuracy() + 0.15


def test_a_bidirectional_tagger_is_better_than_a_forward_tagger(reference, numpy_tasks):
    both = numpy_tasks("tagging", num_epochs=2).scores.score[-1]
    settings = {"bidirectional": False, "seed": 0, "progress": False}
    one = tasks.tagging(reference, 2, **settings).scores.score[-1]
    assert both > one + 0.05


def test_french_is_scored_by_bleu(reference, monkeypatch):
    pairs = [
        ("Go on .", "Va !"),
        ("I see .", "Je vois ."),
        ("We see the clock .", "Nous la voyons ."),
    ]
    monkeypatch.setattr(datasets, "read_fra_eng", lambda: pairs * 200)
    outcome = tasks.french(reference, 10, seed=0, progress=False)
    assert outcome.lines[0] == "'go on .' -> 'va !'"
    assert outcome.lines[-1] == "BLEU 100.0 on the 600 training sentences"


@pytest.mark.parametrize("cell", cells.CELLS)
def test_a_task_accepts_any_cell(reference, cell):
    outcome = tasks.sentiment(reference, 2, cell=cell, seed=0, progress=False)
    assert outcome.net.architecture.cell == cell


def test_minibatches_are_all_rows_in_random_order_and_repeat_by_seed():
    X, Y = np.arange(10), np.arange(10) * 2
    one, other = (BatchLoader(X, Y, batch_size=3, seed=0) for _ in range(2))
    first, again = list(one), list(other)
    assert len(one) == len(first) == 3
    assert all((y == 2 * x).all() for x, y in first)
    np.testing.assert_array_equal(np.array(first), np.array(again))
    rows = np.concatenate([x for x, _ in first])
    assert len(set(rows.tolist())) == 9
    assert rows.tolist() != np.concatenate([x for x, _ in one]).tolist()


@pytest.mark.parametrize("arrays", [(np.zeros(3), np.zeros(4)), (np.zeros(2), np.zeros(2))])
def test_arrays_that_do_not_belong_together_are_refused(arrays):
    with pytest.raises(ValueError, match="expected the same number in each, and at least 3"):
        BatchLoader(*arrays, batch_size=3)


def test_a_loss_that_is_not_finite_ends_training():
    class Broken:
        def make_step(self, lr, theta, **_):
            return lambda X: float("nan")

    with pytest.raises(sequences.DivergenceError, match="the loss is nan in epoch 1"):
        sequences.train_sequences(Broken(), [(np.zeros(1),)], 0.1, 2, progress=False)


def test_an_iterator_that_has_ended_is_refused(rnn):
    net = rnn.SequenceClassifierScratch(2, 2, 2)
    with pytest.raises(ValueError, match="yields no minibatch"):
        sequences.train_sequences(net, [], 0.1, 1, progress=False)


def test_scores_show_the_last_epoch_and_can_be_drawn():
    scores = Scores([2.0, 1.0], [0.5], [10.0, 30.0])
    assert str(scores) == "epoch 2: loss 1.0000, score 0.5000, 20 sequences/s"
    assert str(Scores()) == "trained for 0 epochs"
    left, right = scores.plot(label="numpy")
    assert list(left.lines[0].get_xdata()) == [1, 2]
    assert list(right.lines[0].get_xdata()) == [2]  # scored after the last epoch only


def test_pairs_are_padded_at_their_ends_and_targets_end():
    pairs = Pairs([("ab", "x"), ("c", "yz")])
    X, Y, valid, y_valid = pairs.arrays([("c", "yz"), ("abc", "x")])
    assert pairs.source.to_tokens(X[0].tolist()) == ["c", text.UNKNOWN]
    assert X.shape == (2, 2)  # cut to the longest that there was
    assert valid.tolist() == [1, 2]
    assert pairs.target.to_tokens(Y[0].tolist()) == ["y", "z", END]
    assert y_valid.tolist() == [3, 2]
