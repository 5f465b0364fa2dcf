"""Clipping, the step, the epoch loop, prediction."""

import io
import itertools
import math
import random
import sys

import numpy as np
import pytest
from bounds import AGREED, EXACT

from d2lrnn.data import batches
from d2lrnn.measure import agreement
from d2lrnn.nets import build, cells, first_values
from d2lrnn.nets.model import Model
from d2lrnn.nets.sampling import Draws, Sampling
from d2lrnn.nets.steps import TrainingStep
from d2lrnn.training import callbacks, language, language_epoch
from d2lrnn.training.epoch import Epoch
from d2lrnn.training.history import in_short, perplexity_of

LR = 0.5


def joint_norm(arrays):
    return math.sqrt(sum((array.astype("float64") ** 2).sum() for array in arrays))


@pytest.mark.parametrize(("theta", "factor"), [(1.0, 1 / 13), (13.0, 1.0), (20.0, 1.0)])
def test_gradients_are_clipped_by_their_joint_norm(rnn, theta, factor):
    grads = [np.array([[3.0, 4.0]]), np.array([0.0, 12.0])]  # of norm 13
    tensors = [rnn.from_numpy(grad) for grad in grads]
    clipped, norm = rnn.grad_clipping(tensors, theta)
    assert float(rnn.to_numpy(norm)) == pytest.approx(13, rel=EXACT)
    for found, tensor, grad in zip(clipped, tensors, grads):
        np.testing.assert_allclose(rnn.to_numpy(found), grad * factor, rtol=EXACT)
        np.testing.assert_array_equal(rnn.to_numpy(tensor), grad)  # nothing in place


@pytest.mark.parametrize("last", [(1,), (), (3, 0)])
@pytest.mark.parametrize("rows", [64, 65, 600])
def test_small_and_large_gradients_are_added_up_to_one_norm(rnn, rows, last):
    rng = np.random.default_rng(0)
    shapes = (rows, 64), (64,), last
    grads = [np.asarray(rng.standard_normal(shape), "float32") for shape in shapes]
    expected = joint_norm(grads)
    clipped, norm = rnn.grad_clipping([rnn.from_numpy(grad) for grad in grads], 2.0)
    assert rnn.to_numpy(norm).shape == ()
    assert float(rnn.to_numpy(norm)) == pytest.approx(expected, rel=2e-6)
    for found, grad in zip(clipped, grads, strict=True):
        np.testing.assert_allclose(rnn.to_numpy(found), grad * (2 / expected), rtol=3e-6)


def test_gradients_are_clipped_value_by_value(rnn):
    tensors = [rnn.from_numpy(grad) for grad in (np.array([[3.0, -4.0]]), np.array([0.5, 12.0]))]
    clipped, norm = rnn.grad_clipping(tensors, 3.5, clip="value")
    assert float(rnn.to_numpy(norm)) == pytest.approx(math.sqrt(169.25), rel=EXACT)
    np.testing.assert_array_equal(rnn.to_numpy(clipped[0]), [[3.0, -3.5]])
    np.testing.assert_array_equal(rnn.to_numpy(clipped[1]), [0.5, 3.5])


def clipped_by_value(net):
    """Check that a step moves each parameter by its gradient, but by no more than theta."""
    X, Y, theta = np.array([[0, 1, 2]]), np.array([[1, 2, 3]]), 1e-3
    before, (_, gradients) = net.arrays(), net.gradients(X, Y, net.begin_state(1))
    net.make_step(1.0, theta, clip="value")(X, Y, net.begin_state(1))
    assert max(abs(gradient).max() for gradient in gradients) > theta
    for old, new, gradient in zip(before, net.arrays(), gradients, strict=True):
        if gradient.ndim == 2:  # a bias may be the sum of two, each clipped
            np.testing.assert_allclose(old - new, gradient.clip(-theta, theta), rtol=0, atol=AGREED)


def test_a_step_can_clip_value_by_value(make_net):
    clipped_by_value(make_net(dtype="float64"))


def test_a_framework_s_own_layer_is_clipped_by_value_too(make_concise):
    clipped_by_value(make_concise("lstm", dtype="float64"))


def test_clipping_keeps_the_dtype_and_leaves_zeros_alone(rnn):
    zeros = [rnn.from_numpy(np.zeros(3, "float32"))]
    clipped, norm = rnn.grad_clipping(zeros, 1.0)
    assert rnn.to_numpy(clipped[0]).dtype == "float32"
    assert not rnn.to_numpy(clipped[0]).any()
    assert float(rnn.to_numpy(norm)) == 0


@pytest.mark.parametrize("theta", [1e-3, 1e3])
def test_a_step_moves_the_parameters_against_the_clipped_gradients(rnn, make_net, theta):
    X, Y = np.array([[0, 1, 2], [4, 4, 3]]), np.array([[1, 2, 3], [4, 3, 0]])
    net = make_net(dtype="float64")
    before = net.arrays()
    outputs, _ = net.evaluate(X, net.begin_state(2))
    log_probs = outputs - np.log(np.exp(outputs).sum(axis=1, keepdims=True))
    targets = np.eye(5)[Y.T.reshape(-1)]  # time-major, as the outputs are
    d_outputs = (np.exp(log_probs) - targets) / len(targets)
    ends = rnn.from_numpy(d_outputs), net.begin_state(2)
    state = net.begin_state(2)
    _, _, grads = rnn.vjp(rnn.rnn, net.inputs(X, state), state, net.params, *ends)
    grads = [rnn.to_numpy(grad) for grad in grads]
    scale = min(1, theta / joint_norm(grads))
    loss, state = net.make_step(LR, theta)(X, Y, net.begin_state(2))
    assert isinstance(loss, float)
    assert loss == pytest.approx(-(log_probs * targets).sum() / len(targets), rel=AGREED)
    for param, start, grad in zip(net.arrays(), before, grads):
        np.testing.assert_allclose(param, start - LR * scale * grad, rtol=AGREED, atol=EXACT)
    assert rnn.to_numpy(state[0]).shape == (2, 4)


@pytest.mark.parametrize("theta", [0.1, 100.0])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_the_step_that_is_written_out_computes_the_numbers_of_make_step(rnn, cell, theta):
    new_net = lambda: build.new_net(  # noqa: E731
        rnn, cells.Architecture(cell), 5, 4, seed=0, dtype="float64"
    )
    (X, Y), nets = np.random.default_rng(0).integers(5, size=(2, 3, 7)), (new_net(), new_net())
    states, step = [net.begin_state(3) for net in nets], rnn.make_step(nets[1], LR, theta)
    for _ in range(4):
        loss, states[0] = rnn.sgd_step(nets[0], X, Y, states[0], LR, theta)
        expected, states[1] = step(X, Y, states[1])
        assert float(loss) == pytest.approx(expected, rel=AGREED)
    for found, expected in zip(nets[0].arrays(), nets[1].arrays()):
        np.testing.assert_allclose(found, expected, rtol=0, atol=AGREED)


def test_sgd_step_does_not_add_earlier_gradients(pytorch):
    (X, Y), arrays = np.random.default_rng(0).integers(5, size=(2, 3, 7)), []
    for old in (False, True):
        net = pytorch.RNNModelScratch(5, 4, *pytorch.stack("rnn"), seed=0)
        if old:
            net(X, net.begin_state(3))[0].sum().backward()
        pytorch.sgd_step(net, X, Y, net.begin_state(3), LR)
        arrays.append(net.arrays())
    for found, expected in zip(*arrays):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", agreement.DTYPES)
def test_a_step_stays_in_its_dtype(rnn, make_net, dtype):
    net = make_net(dtype=dtype)
    X = np.array([[0, 1, 2]])
    _, state = net.make_step(LR)(X, X, net.begin_state(1))
    assert {array.dtype.name for array in [*net.arrays(), rnn.to_numpy(state[0])]} == {dtype}


def test_a_step_trains_the_parameters_that_the_net_has_now(rnn, make_net):
    net, other, X = make_net(), make_net(seed=1), np.array([[0, 1, 2]])
    step = net.make_step(LR)
    step(X, X, net.begin_state(1))
    rnn.copy_params(other, net)
    step(X, X, net.begin_state(1))
    other.make_step(LR)(X, X, other.begin_state(1))
    for one, same in zip(net.arrays(), other.arrays()):
        np.testing.assert_array_equal(one, same)


def test_numpy_numbers_are_accepted_for_lr_and_theta(make_net):
    nets, X = [make_net(), make_net()], np.array([[0, 1, 2]])
    rates = [(0.5, 1.0), (np.float64(0.5), np.float32(1))]
    for net, (lr, theta) in zip(nets, rates):
        step = net.make_step(lr, theta)
        for _ in range(2):
            step(X, X, net.begin_state(1))
    for one, same in zip(nets[0].arrays(), nets[1].arrays()):
        np.testing.assert_array_equal(one, same)


def test_a_carried_state_has_no_gradient_of_earlier_minibatches(rnn, make_net):
    X = np.array([[0, 1, 2]])
    carried, fresh = make_net(dtype="float64"), make_net(dtype="float64")
    _, state = carried(X, carried.begin_state(1))
    copy = tuple(rnn.from_numpy(rnn.to_numpy(s)) for s in state)
    carried.make_step(LR)(X, X, state)
    fresh.make_step(LR)(X, X, copy)
    for one, other in zip(carried.arrays(), fresh.arrays()):
        np.testing.assert_array_equal(one, other)


class Recorder:
    """A net and a step that note which state each minibatch starts from."""

    bidirectional = False

    def __init__(self):
        self.starts = []

    def begin_state(self, batch_size):
        return 0

    def step(self, X, Y, state):
        self.starts.append(state)
        return math.log(2), state + 1


@pytest.mark.parametrize(("use_random_iter", "starts"), [(False, [0, 1, 2]), (True, [0, 0, 0])])
def test_sequential_minibatches_carry_the_state_and_random_ones_do_not(use_random_iter, starts):
    net, X = Recorder(), np.zeros((2, 5), int)
    perplexity, speed = language_epoch.train_epoch_ch8(
        net, [(X, X)] * 3, net.step, use_random_iter=use_random_iter
    )
    assert net.starts == starts
    assert perplexity == pytest.approx(2)
    assert speed > 0


def test_perplexity_weighs_minibatches_by_their_tokens():
    losses = iter([1.0, 4.0])
    net = Recorder()
    pairs = [(np.zeros((1, 6), int),) * 2, (np.zeros((1, 3), int),) * 2]
    perplexity, _ = language_epoch.train_epoch_ch8(net, pairs, lambda X, Y, s: (next(losses), s))
    assert perplexity == pytest.approx(math.exp((6 * 1 + 3 * 4) / 9))


class Scalar:
    """A loss that records when its value is read."""

    def __init__(self, number, looked):
        self.number, self.looked = number, looked

    def __float__(self):
        self.looked.append(self.number)
        return 1.0


def test_losses_are_not_fetched_until_the_epoch_ends(monkeypatch):
    monkeypatch.setattr(Epoch, "pause", math.inf)
    numbers, looked, seen = itertools.count(), [], []
    net, X = Recorder(), np.zeros((1, 5), int)

    def deferred(X, Y, state):
        return Scalar(next(numbers), looked), state

    step = TrainingStep(deferred, dict, None)
    perplexity, _ = language_epoch.train_epoch_ch8(
        net, [(X, X)] * 9, step, on_minibatch=lambda: seen.append(len(looked))
    )
    assert seen == [0] * 9
    assert looked == list(range(9))
    assert perplexity == pytest.approx(math.e)


def test_a_step_can_leave_the_loss_on_its_device(make_net):
    net, other, X = make_net(), make_net(), np.array([[0, 1, 2]])
    loss, _ = net.make_step(LR)(X, X, net.begin_state(1))
    deferred, _ = other.make_step(LR).deferred(X, X, other.begin_state(1))
    assert float(deferred) == loss


@pytest.mark.parametrize(("loss", "shown"), [(0.05, "1.05"), (20.0, "4.9e+08"), (800.0, "inf")])
def test_a_perplexity_of_any_size_is_shown_in_a_few_letters(loss, shown):
    assert in_short(perplexity_of(loss)) == shown


IDS = np.random.default_rng(0).integers(0, 5, (3, 2, 4, 6))  # X and Y of 3 minibatches


def one_epoch(rnn, net, train_iter, **settings):
    """Return the perplexity of an epoch with a user's own minibatches."""
    vocab = rnn.Vocab("abcd")
    return rnn.train_ch8(net, train_iter, vocab, 0.1, 1, progress=False, **settings).perplexity


@pytest.mark.parametrize(
    "kind",
    [
        lambda rnn, ids: rnn.from_numpy(ids),
        lambda rnn, ids: ids.astype("int32"),
        lambda rnn, ids: ids.astype("uint8"),
        lambda rnn, ids: ids.astype(">i8"),
        lambda rnn, ids: ids[:, ::-1].copy()[:, ::-1],
        lambda rnn, ids: ids.tolist(),
        lambda rnn, ids: tuple(map(tuple, ids.tolist())),
    ],
    ids=["tensors", "int32", "uint8", "big-endian", "a view", "lists", "tuples"],
)
def test_a_custom_train_iter_can_yield_ids_of_any_type(rnn, make_net, kind):
    own = [tuple(kind(rnn, part) for part in pair) for pair in IDS]
    assert one_epoch(rnn, make_net(), own) == one_epoch(rnn, make_net(), IDS)


class Own:
    """A loader that has a length and does not know it, and a generator that is not NumPy's."""

    rng = random.Random(0)

    def __len__(self):
        raise TypeError

    def __iter__(self):
        return iter(IDS)


def test_a_custom_train_iter_needs_no_length_and_can_draw_minibatches(rnn, make_net, tmp_path):
    assert one_epoch(rnn, make_net(), Own()) == one_epoch(rnn, make_net(), IDS)
    with pytest.raises(ValueError, match="rng is a Random, whose state cannot be saved"):
        one_epoch(rnn, make_net(), Own(), checkpoint=tmp_path / "run")


def test_an_iterator_that_has_ended_is_refused():
    with pytest.raises(ValueError, match="yields no minibatch"):
        language_epoch.train_epoch_ch8(Recorder(), iter([]), lambda *minibatch: None)


@pytest.mark.parametrize("use_random_iter", [False, True])
def test_training_learns_the_corpus(rnn, make_net, builtin, use_random_iter):
    corpus, vocab = builtin
    loader = rnn.SeqDataLoader(corpus, 8, 10, use_random_iter, seed=0)
    net = make_net(len(vocab), 32)
    history = rnn.train_ch8(
        net, loader, vocab, 1.0, 12, use_random_iter=use_random_iter, prefix="the", progress=False
    )
    assert len(history.perplexity) == len(history.speed) == 12
    assert history.perplexity[0] > 20
    assert history.perplexity[-1] < 16
    assert [epoch for epoch, _ in history.samples] == [12]
    assert history.samples[0][1].startswith("the")


def test_a_random_loader_needs_random_training(rnn, make_net, builtin):
    corpus, vocab = builtin
    loader = rnn.SeqDataLoader(corpus, 8, 10, use_random_iter=True)
    with pytest.raises(ValueError) as error:
        rnn.train_ch8(make_net(len(vocab)), loader, vocab, 1.0, 1)
    assert str(error.value) == (
        "use_random_iter is False, but the loader was made with True; use the same value for both"
    )


def test_divergence_stops_training_and_keeps_the_history(builtin):
    _, vocab = builtin
    losses = itertools.chain([1.0] * 6, [float("nan")])
    net = Recorder()
    net.make_step = lambda lr, theta, **_: lambda X, Y, state: (next(losses), state)
    pairs = [(np.zeros((1, 5), int),) * 2] * 3
    with pytest.raises(FloatingPointError) as error:
        language.train_ch8(net, pairs, vocab, 1.0, 9, progress=False)
    assert str(error.value) == (
        "the loss is nan in epoch 3: training diverged; "
        "try a smaller learning rate (lr), or clip the gradients at 1 (theta=1)"
    )
    assert error.value.history.perplexity == pytest.approx([math.e, math.e])


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_a_learning_rate_far_too_high_is_reported_as_divergence(rnn, make_net, builtin):
    corpus, vocab = builtin
    loader = rnn.SeqDataLoader(corpus, 8, 10, seed=0)
    with (
        np.errstate(all="ignore"),
        pytest.raises(rnn.DivergenceError, match="smaller learning"),
    ):
        rnn.train_ch8(make_net(len(vocab)), loader, vocab, 1e38, 9, theta=1e38, progress=False)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("progress", "stream", "shown"),
    [
        (None, io.StringIO, False),
        (None, Terminal, True),
        (False, Terminal, False),
        (True, io.StringIO, True),
    ],
)
def test_progress_is_shown_on_a_terminal_or_with_progress_true(
    monkeypatch, builtin, progress, stream, shown
):
    monkeypatch.setattr("sys.stderr", stream())
    net = Recorder()
    net.make_step = lambda lr, theta, **_: net.step
    pairs = [(np.zeros((1, 5), int),) * 2] * 3
    language.train_ch8(net, pairs, builtin[1], 1.0, 2, progress=progress)
    assert ("epoch 2/2" in sys.stderr.getvalue()) is shown


def test_predictions_continue_the_prefix(rnn, make_net):
    vocab = rnn.Vocab("abcd")
    net = make_net(len(vocab))
    text = rnn.predict_ch8("ab", 7, net, vocab)
    assert text.startswith("ab")
    assert len(vocab.split(text.replace("<unk>", "?"))) == 9
    assert rnn.predict_ch8("ab", 0, net, vocab) == "ab"


@pytest.mark.parametrize("prefix", ["ba", "dcab", "abcdba"])
def test_greedy_prediction_takes_the_highest_score_each_time(rnn, make_net, prefix):
    vocab, rng = rnn.Vocab("abcd"), np.random.default_rng(0)
    net = make_net(len(vocab))
    net.load_arrays([2 * rng.normal(size=array.shape) for array in net.arrays()])
    ids = vocab[list(prefix)]
    for _ in range(5):
        outputs, _ = net.evaluate(np.array([ids]), net.begin_state(1))
        ids.append(int(outputs[-1].argmax()))
    assert rnn.predict_ch8(prefix, 5, net, vocab) == "".join(vocab.to_tokens(ids))


def test_sampling_repeats_with_a_seed_and_varies_without(rnn, make_net):
    vocab = rnn.Vocab("abcd")
    net = make_net(len(vocab))
    draws = [rnn.predict_ch8("a", 30, net, vocab, temperature=1.0, seed=s) for s in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


def test_sampling_follows_the_softmax_of_scores_over_temperature():
    scores = np.array([0.0, 1.0, 2.0], "float32")
    highest = (scores + Draws(Sampling(2.0), [0], 3).noise(20000)).argmax(axis=2)[:, 0]
    expected = np.exp(scores / 2) / np.exp(scores / 2).sum()
    drawn = np.bincount(highest) / 20000
    np.testing.assert_allclose(drawn, expected, atol=0.015)  # over 4 standard deviations


def test_a_tiny_temperature_is_almost_greedy():
    noise = Draws(Sampling(1e-3), [0], 2).noise(100)
    assert set((np.array([1.0, 1.1]) + noise).argmax(axis=2)[:, 0]) == {1}


def test_text_equals_that_generated_one_token_at_a_time(rnn, make_net):
    net, vocab = make_net(dtype="float64"), rnn.Vocab("abcd")
    net.load_arrays([10 * array for array in first_values.draw([a.shape for a in net.arrays()], 1)])
    noise = Draws(Sampling(0.7), [5], 5).noise(41)[:, 0]
    state, said = net.begin_state(1), vocab[list("dab")]
    for step, extra in enumerate(noise):
        outputs, state = net.evaluate(np.array([[said[step]]]), state)
        if step >= 2:
            said.append(int((outputs[0] + extra).argmax()))
    text = rnn.predict_ch8("dab", 39, net, vocab, temperature=0.7, seed=5)
    assert text == "".join(vocab.to_tokens(said))
    assert len(set(said[3:])) > 2


def test_a_text_is_generated_from_a_state(rnn, make_net):
    net, vocab = make_net(dtype="float64"), rnn.Vocab("abcd")
    net.load_arrays([10 * array for array in first_values.draw([a.shape for a in net.arrays()], 1)])
    _, state = net.evaluate(np.array([vocab[list("da")]]), net.begin_state(1))
    rest, without = (rnn.predict_ch8("d", 9, net, vocab, state=s) for s in (state, None))
    assert "da" + rest == rnn.predict_ch8("dad", 9, net, vocab) != "da" + without
    with pytest.raises(ValueError, match="state is for batch_size 2, the minibatch has 1"):
        rnn.predict_ch8("b", 9, net, vocab, state=net.begin_state(2))


def unequal_net(rnn, make_net, **settings):
    """Return a model that generates different tokens, and its Vocab."""
    net = make_net(dtype="float64", **settings)
    net.load_arrays([10 * array for array in first_values.draw([a.shape for a in net.arrays()], 1)])
    return net, rnn.Vocab("abcd")


PREFIXES = ["ab", "d", "dabcabcdabcdabcdabcdabcdabcdabcdabcd", "ab", "<unk>"]


@pytest.mark.parametrize("temperature", [0.0, 0.7])
@pytest.mark.parametrize("num_preds", [0, 1, 70])
def test_many_texts_equal_those_generated_alone(rnn, make_net, num_preds, temperature):
    net, vocab = unequal_net(rnn, make_net)
    draw = {"temperature": temperature, "seed": 3}
    found = rnn.predict_many(PREFIXES, num_preds, net, vocab, **draw)
    alone = [
        rnn.predict_ch8(p, num_preds, net, vocab, temperature=temperature, seed=3 + i)
        for i, p in enumerate(PREFIXES)
    ]
    assert found == alone
    assert num_preds < 70 or len(set(found)) >= (5 if temperature else 4)


@pytest.mark.parametrize("cell", ["gru", "gru_reset_after", "lstm"])
def test_many_texts_of_any_cell_equal_those_generated_alone(rnn, cell):
    net = build.new_net(rnn, cells.Architecture(cell, 2), 5, 6, seed=0, dtype="float64")
    net.load_arrays([8 * array for array in first_values.draw([a.shape for a in net.arrays()], 1)])
    vocab = rnn.Vocab("abcd")
    found = rnn.predict_many(PREFIXES, 33, net, vocab)
    assert found == [rnn.predict_ch8(prefix, 33, net, vocab) for prefix in PREFIXES]


def test_many_texts_continue_from_one_row_of_the_state_each(rnn, make_net):
    net, vocab = unequal_net(rnn, make_net)
    _, state = net.evaluate(np.array([vocab[list("da")], vocab[list("bc")]]), net.begin_state(2))
    found = rnn.predict_many(["d", "a"], 9, net, vocab, state=state)
    whole = rnn.predict_many(["dad", "bca"], 9, net, vocab)
    assert [text[2:] for text in whole] == found


def test_no_prefixes_give_no_texts(rnn, make_net):
    assert rnn.predict_many([], 3, make_net(), rnn.Vocab("abcd")) == []


def test_one_text_in_place_of_many_is_refused(rnn, make_net):
    words = r"prefixes is one text, 'ab'; expected many; give \['ab'\]"
    with pytest.raises(ValueError, match=words):
        rnn.predict_many("ab", 3, make_net(), rnn.Vocab("abcd"))


def test_a_longer_prefix_does_not_compile_again(rnn, make_net, monkeypatch):
    net, vocab, calls = make_net(num_hiddens=7), rnn.Vocab("abcd"), []  # a shape of its own
    network = type(net.speaker)
    run = network.__call__
    monkeypatch.setattr(network, "__call__", lambda *given: calls.append(given) or run(*given))
    rnn.predict_ch8("ab", 2, net, vocab)
    before = len(calls)
    assert before or rnn.__name__ == "d2lrnn.mxnet"  # which needs no network, and no compiler
    rnn.predict_ch8("abcdabcd", 30, net, vocab, temperature=1.0, seed=0)
    compiles = rnn.__name__ in ("d2lrnn.jax", "d2lrnn.tensorflow")
    assert len(calls) == before or not compiles


class OutOfMemory(Exception):
    """An object of an unknown type, like that of TensorFlow."""


@pytest.mark.parametrize("error", [MemoryError, RuntimeError, ValueError, OutOfMemory])
def test_a_failing_sample_does_not_lose_the_model(make_net, builtin, monkeypatch, capsys, error):
    def fails(*args, **settings):
        raise error("no room")

    monkeypatch.setattr(callbacks, "predict_ch8", fails)
    corpus, vocab = builtin
    net, loader = make_net(len(vocab)), batches.SeqDataLoader(corpus, 8, 10)
    before = net.arrays()
    history = language.train_ch8(net, loader, vocab, 0.1, 3, prefix="the", sample_every=1)
    assert len(history.perplexity) == 3
    assert history.samples == []
    assert f"epoch 3: no sample ({error.__name__}: no room)" in "".join(capsys.readouterr())
    assert abs(net.arrays()[0] - before[0]).max() > 0


def test_a_net_that_cannot_generate_text_is_refused_before_training(rnn, builtin):
    corpus, vocab = builtin
    net = build.new_net(rnn, cells.Architecture("rnn", 1, True), len(vocab), 4, seed=0)
    before, loader = net.arrays(), batches.SeqDataLoader(corpus, 8, 10)
    with pytest.raises(ValueError, match=r"^the net is bidirectional"):
        language.train_ch8(net, loader, vocab, 0.1, 1, prefix="the")
    np.testing.assert_array_equal(net.arrays()[0], before[0])


@pytest.mark.parametrize("cell", cells.CELLS)
def test_many_tokens_at_once_equal_those_generated_one_by_one(rnn, cell):
    fused = cell in build.FUSED
    net = build.new_net(rnn, cells.Architecture(cell), 5, 4, fused=fused, seed=0, dtype="float64")
    rng = np.random.default_rng(0)
    net.load_arrays([rng.normal(size=array.shape) for array in net.arrays()])  # biases too
    given, noise = np.full((6, 3), -1), rng.gumbel(size=(6, 3, 5))
    given[0] = 2
    index, state = np.array([0, 1, 4]), net.begin_state(3)
    found, last = net.say(index, state, given, noise)
    expected, states = Model.say(net, index, state, given, noise)
    np.testing.assert_array_equal(found, expected)
    for one, other in zip(last, states, strict=True):
        np.testing.assert_allclose(rnn.to_numpy(one), rnn.to_numpy(other), rtol=1e-9)
