"""The book's training and prediction, compared with those of the package."""

import importlib
import io
import sys

import numpy as np
import pytest

from d2lrnn.training.language import DivergenceError

VOCAB_SIZE = 9
LETTERS = ["<unk>", *"time rav"]


@pytest.fixture
def vocab(d2l):
    return d2l.Vocab([list("".join(LETTERS[1:]))])


@pytest.fixture
def minibatches(rnn):
    """Three minibatches (X, Y) of 2 rows and 5 steps; each row continues in the next minibatch."""
    ids = np.random.default_rng(0).integers(VOCAB_SIZE, size=(2, 16))
    parts = [(ids[:, i : i + 5], ids[:, i + 1 : i + 6]) for i in (0, 5, 10)]
    return [(rnn.from_numpy(X), rnn.from_numpy(Y)) for X, Y in parts]


@pytest.fixture
def params_of(rnn):
    """A function that returns a book net's parameters as NumPy arrays."""

    def params(net):
        found = net.params if hasattr(net, "params") else net.trainable_variables
        return [rnn.to_numpy(param) for param in found]

    return params


@pytest.fixture
def ours(rnn):
    """A net of the package with the initial parameters of the book's net."""
    functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn
    return rnn.RNNModelScratch(VOCAB_SIZE, 8, *functions, seed=0)


@pytest.mark.parametrize("use_random_iter", [False, True])
def test_training_gives_the_parameters_of_the_packages_training(
    d2l, rnn, device, make_book_net, ours, minibatches, vocab, params_of, use_random_iter
):
    net = make_book_net(VOCAB_SIZE)
    d2l.train_ch8(net, minibatches, vocab, 1, 3, device, use_random_iter=use_random_iter)
    rnn.train_ch8(ours, minibatches, vocab, 1, 3, use_random_iter=use_random_iter)
    for found, expected in zip(params_of(net), ours.arrays()):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_training_prints_the_perplexity_and_two_samples(
    d2l, device, make_book_net, minibatches, vocab, capsys
):
    assert d2l.train_ch8(make_book_net(VOCAB_SIZE), minibatches, vocab, 1, 1, device) is None
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("perplexity 9.")
    assert lines[0].split(" on ")[1].upper().startswith(("CPU", "/CPU", "/DEVICE:CPU"))
    assert [line[:9] for line in lines[1:]] == ["time trav", "trave<unk"]  # no l in the vocabulary


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_a_sample_that_the_output_cannot_encode_does_not_end_training(
    d2l, device, make_book_net, minibatches, vocab, monkeypatch, errors
):
    output = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output, encoding="ascii", errors=errors))
    net = make_book_net(VOCAB_SIZE)
    monkeypatch.setattr(d2l, "predict_ch8", lambda *_: "漢字")
    d2l.train_ch8(net, minibatches, vocab, 1, 1, device)
    sys.stdout.flush()
    assert output.getvalue().splitlines()[1:] == [b"\\u6f22\\u5b57"] * 2


def test_the_perplexity_is_drawn_every_ten_epochs(
    d2l, device, make_book_net, minibatches, vocab, monkeypatch
):
    drawn = []
    monkeypatch.setattr(d2l.Animator, "add", lambda self, x, y: drawn.append((x, len(y))))
    d2l.train_ch8(make_book_net(VOCAB_SIZE), minibatches, vocab, 1, 20, device)
    assert drawn == [(10, 1), (20, 1)]


def test_training_for_zero_epochs_changes_nothing(
    d2l, device, make_book_net, minibatches, vocab, params_of, capsys
):
    net = make_book_net(VOCAB_SIZE)
    before = params_of(net)
    d2l.train_ch8(net, minibatches, vocab, 1, 0, device)
    assert all((a == b).all() for a, b in zip(before, params_of(net)))
    assert "perplexity" not in capsys.readouterr().out


@pytest.mark.parametrize("lr", [1e38, 1e30, float("nan")])
def test_the_error_of_diverged_training_names_a_remedy(
    d2l, device, make_book_net, minibatches, vocab, lr
):
    net = make_book_net(VOCAB_SIZE)
    with np.errstate(all="ignore"), pytest.raises(DivergenceError) as error:
        d2l.train_ch8(net, minibatches, vocab, lr, 9, device)
    assert str(error.value).endswith(
        "training diverged; try a smaller learning rate (lr), "
        "or clip the gradients at 1 (grad_clipping(net, 1))"
    )


def test_a_loader_of_dictionaries_is_refused(d2l, device, make_book_net, minibatches, vocab):
    batches = [{"X": X, "Y": Y} for X, Y in minibatches]
    words = r"^train_iter yields a dictionary with the keys 'X', 'Y'; expected a tuple \(X, Y\)"
    with pytest.raises(ValueError, match=words):
        d2l.train_ch8(make_book_net(VOCAB_SIZE), batches, vocab, 1, 1, device)


def test_divergence_names_the_epoch(d2l, device, minibatches):
    training = importlib.import_module(f"{d2l.__name__}.training")
    losses = iter([1.0, 2.0, 800.0])

    def epoch():
        return training.epoch(Stateless(), minibatches[:1], lambda *_: (next(losses), 0), True)

    with pytest.raises(DivergenceError, match="the loss is 800 in epoch 3, and its exponential is"):
        training.train(epoch, "{}".format, 9, device)


class Stateless:
    def begin_state(self, batch_size):
        return 0


def test_prediction_equals_that_of_the_package(
    d2l, rnn, backend, device, make_book_net, ours, vocab
):
    net = make_book_net(VOCAB_SIZE)
    arguments = () if backend == "tensorflow" else (device,)
    said = d2l.predict_ch8("time ", 10, net, vocab, *arguments)
    assert said == rnn.predict_ch8("time ", 10, ours, vocab)
    assert len(said) == 15


def test_prediction_continues_a_list_of_tokens(d2l, backend, device, make_book_net, vocab):
    arguments = () if backend == "tensorflow" else (device,)
    said = d2l.predict_ch8(["t", "i"], 3, make_book_net(VOCAB_SIZE), vocab, *arguments)
    assert said.startswith("ti")


@pytest.mark.parametrize(
    ("prefix", "num_preds", "message"),
    [
        ("", 3, "prefix '' does not contain any tokens; give at least one"),
        ([], 3, "prefix [] does not contain any tokens; give at least one"),
        ("time", -1, "num_preds is -1; expected an integer, 0 or above"),
    ],
)
def test_the_error_names_the_prefix_that_cannot_be_continued(
    d2l, backend, device, make_book_net, vocab, prefix, num_preds, message
):
    arguments = () if backend == "tensorflow" else (device,)
    with pytest.raises(ValueError) as error:
        d2l.predict_ch8(prefix, num_preds, make_book_net(VOCAB_SIZE), vocab, *arguments)
    assert str(error.value) == message


def test_linear_regression_and_its_loss_are_the_books(d2l, rnn):
    X, w, y = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0], [-1.0]]), np.array([1.0, 3.0])
    X, w, y = (rnn.from_numpy(array.astype("float32")) for array in (X, w, y))
    y_hat = d2l.linreg(X, w, 0.5)
    np.testing.assert_allclose(rnn.to_numpy(y_hat), [[-0.5], [-0.5]])
    np.testing.assert_allclose(rnn.to_numpy(d2l.squared_loss(y_hat, y)), [[1.125], [6.125]])


def test_synthetic_data_lie_on_a_line_with_little_noise(d2l, rnn):
    w = rnn.from_numpy(np.array([2, -3.4], "float32"))
    X, y = map(rnn.to_numpy, d2l.synthetic_data(w, 4.2, 500))
    assert (X.shape, y.shape) == ((500, 2), (500, 1))
    noise = y[:, 0] - X @ [2, -3.4] - 4.2
    assert 0.008 < noise.std() < 0.012


def test_a_net_has_the_books_attributes(d2l, device, make_book_net, minibatches, rnn):
    net = make_book_net(VOCAB_SIZE)
    state = net.begin_state(2, device)
    scores, (H,) = net(minibatches[0][0], state)
    assert (net.vocab_size, net.num_hiddens) == (VOCAB_SIZE, 8)
    assert callable(net.init_state)
    assert callable(net.forward_fn)
    assert (tuple(scores.shape), tuple(H.shape)) == ((10, VOCAB_SIZE), (2, 8))


@pytest.mark.parametrize("theta", [0.5, 100])
def test_gradients_are_clipped_by_their_joint_norm(d2l, rnn, backend, theta):
    arrays = [np.full((2, 2), 3.0, "float32"), np.full(4, 4.0, "float32")]  # norm 10
    if backend == "tensorflow":
        clipped = d2l.grad_clipping([rnn.from_numpy(array) for array in arrays], theta)
    else:
        net = with_gradients(rnn, backend, arrays)
        assert d2l.grad_clipping(net, theta) is None
        clipped = [param.grad for param in net.params]
    for grad, array in zip(clipped, arrays):
        np.testing.assert_allclose(rnn.to_numpy(grad), array * min(1, theta / 10), rtol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_sgd_moves_the_parameters_against_their_gradients(d2l, rnn, backend, batch_size):
    arrays = [np.full((2, 2), 3.0, "float32")]
    if backend == "tensorflow":
        params = rnn.trainable(arrays)
        d2l.sgd(params, [rnn.from_numpy(array) for array in arrays], 0.5, batch_size)
    else:
        params = with_gradients(rnn, backend, arrays).params
        d2l.sgd(params, 0.5, batch_size)
    np.testing.assert_allclose(rnn.to_numpy(params[0]), 3 - 0.5 * 3 / batch_size)


def with_gradients(rnn, backend, arrays):
    """Return an object like a net, with these arrays as parameters and gradients."""

    class Net:
        params = rnn.trainable(arrays)

    for param, array in zip(Net.params, arrays):
        if backend == "torch":
            param.grad = rnn.from_numpy(array)
        else:
            param.grad[:] = rnn.from_numpy(array)
    return Net


def layer_of(d2l, backend, cell, vocab_size, num_hiddens=8):
    """Return a framework's own layer as the book makes it."""
    if backend == "torch":
        return getattr(d2l.nn, cell)(vocab_size, num_hiddens)
    if backend == "mxnet":
        return getattr(d2l.rnn, cell)(num_hiddens)
    layers = d2l.tf.keras.layers
    kinds = {"RNN": layers.SimpleRNNCell, "GRU": layers.GRUCell, "LSTM": layers.LSTMCell}
    return layers.RNN(kinds[cell](num_hiddens), return_sequences=True, return_state=True)


@pytest.fixture
def _same_weights(d2l, backend):
    """Seed the framework, so that the result does not depend on earlier tests."""
    if backend == "tensorflow":
        d2l.tf.random.set_seed(0)
    else:
        (d2l.torch.manual_seed if backend == "torch" else d2l.npx.random.seed)(0)


@pytest.mark.usefixtures("_same_weights")
@pytest.mark.parametrize("cell", ["RNN", "GRU", "LSTM"])
def test_a_model_around_a_layer_learns(d2l, backend, device, minibatches, vocab, cell, capsys):
    net = d2l.RNNModel(layer_of(d2l, backend, cell, VOCAB_SIZE), VOCAB_SIZE)
    d2l.train_ch8(net, minibatches, vocab, 1, 60, device)
    line = next(li for li in capsys.readouterr().out.splitlines() if li.startswith("perplexity"))
    assert float(line.split()[1].rstrip(",")) < 6  # of 9 at random


def test_the_mean_loss_and_the_share_of_right_answers_are_those_of_all_examples(d2l, rnn, backend):
    X = rnn.from_numpy(np.arange(6, dtype="float32").reshape(6, 1))
    data_iter = d2l.load_array((X, 0 * X), 4, is_train=False)
    net, loss = (lambda X: 2 * X), (lambda out, y: (out - y) ** 2)
    assert d2l.evaluate_loss(net, data_iter, loss) == pytest.approx(4 * 55 / 6)
    labels = rnn.from_numpy(np.array([0, 1, 0], "int32"))
    scores = rnn.from_numpy(np.array([[2, 1], [1, 2], [1, 2]], "float32"))
    assert d2l.accuracy(scores, labels) == 2.0
    assert d2l.evaluate_accuracy(lambda X: X, [(scores, labels)]) == pytest.approx(2 / 3)


def test_a_loader_of_arrays_shuffles_only_to_train(d2l, rnn):
    X = rnn.from_numpy(np.arange(32, dtype="float32"))
    kept = d2l.concat([rows for rows, _ in d2l.load_array((X, X), 16, is_train=False)], 0)
    assert d2l.numpy(kept).tolist() == list(range(32))
    mixed = d2l.concat([rows for rows, _ in d2l.load_array((X, X), 16)], 0)
    assert sorted(d2l.numpy(mixed).tolist()) == list(range(32))
    assert d2l.numpy(mixed).tolist() != list(range(32))


def test_a_timer_stores_its_times(d2l):
    timer = d2l.Timer()
    assert timer.stop() >= 0
    timer.start()
    timer.stop()
    assert len(timer.times) == 2
    assert timer.avg() == pytest.approx(timer.sum() / 2)
    assert timer.cumsum()[-1] == pytest.approx(timer.sum())


def test_an_accumulator_adds_up_numbers_and_tensors(d2l):
    metric = d2l.Accumulator(2)
    metric.add(1, d2l.tensor(2.0))
    metric.add(3, 4)
    assert (metric[0], metric[1]) == (4.0, 6.0)
    metric.reset()
    assert metric[0] == 0


def test_an_animator_stores_points_without_a_display(d2l):
    animator = d2l.Animator("epoch", "loss", legend=["a", "b"], xlim=[1, 1])
    animator.add(1, (0.5, None))
    animator.add(2, (0.25, 2.0))
    assert (animator.X, animator.Y) == ([[1, 2], [2]], [[0.5, 0.25], [2]])
    assert len(animator.axes[0].lines) == 2
    d2l.plt.close(animator.fig)


@pytest.mark.parametrize("many", [False, True])
def test_plot_draws_tensors_of_the_framework(d2l, many):
    x = d2l.arange(5, dtype=d2l.float32)
    axes = d2l.plt.figure().gca()
    d2l.plot(x, [x, 2 * x] if many else x, "x", "y", legend=["a", "b"][: 1 + many], axes=axes)
    assert axes.lines[0].get_ydata().tolist() == [0, 1, 2, 3, 4]
    assert len(axes.lines) == 1 + many
    d2l.plot([3.0, 4.0], xlabel="x", axes=axes)
    assert axes.lines[0].get_ydata().tolist() == [3, 4]
    d2l.plt.close(axes.figure)


def test_the_histogram_of_lengths_has_two_kinds_of_bars(d2l):
    d2l.show_list_len_pair_hist(["a", "b"], "x", "y", [[1], [1, 2]], [[1], [2]])
    assert d2l.plt.gca().get_xlabel() == "x"
    d2l.plt.close("all")
