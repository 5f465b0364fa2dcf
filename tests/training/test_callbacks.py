"""Callbacks, early stopping, and the parameters of the best epoch."""

import math
import signal

import numpy as np
import pytest

from d2lrnn.training import language

NUM_MINIBATCHES = 7


@pytest.fixture
def run(rnn, make_net, builtin):
    """A function that trains a small net, and returns it and its history."""
    corpus, vocab = builtin

    def train(num_epochs=4, net=None, validate=True, **settings):
        net = net or make_net(len(vocab), 8)
        train_iter = rnn.SeqDataLoader(corpus[:240], 4, 8, seed=0)
        if validate:
            settings["validation"] = rnn.SeqDataLoader(corpus[240:400], 3, 8, shuffle=False)
        settings = {"progress": False, "lr": 0.5, **settings}
        return net, rnn.train_ch8(net, train_iter, vocab, num_epochs=num_epochs, **settings)

    return train


@pytest.fixture
def perplexities(monkeypatch):
    """A list of the perplexities of the validation part, after each epoch in turn."""
    values = [9.0, 7.0, 8.0, 7.5, 6.0, 6.5, 6.6, 6.7]

    def scripted(net, validation, use_random_iter):
        scripted.calls += 1
        return values[scripted.calls - 1]

    scripted.calls = 0
    monkeypatch.setattr(language, "validation_perplexity", scripted)
    return values


class Noted:
    """A callback, of no class of the package, that notes its calls and stops after one of them."""

    def __init__(self, stop=None):
        self.calls, self.losses, self.stop = [], [], stop

    def after_step(self, training):
        self._note(training, (training.epoch, training.step))
        self.losses.append(training.loss)

    def after_epoch(self, training):
        self._note(training, (training.epoch, "end"))

    def _note(self, training, call):
        self.calls.append(call)
        if call == self.stop:
            training.stop()


def in_order(num_epochs):
    steps = [*range(1, NUM_MINIBATCHES + 1), "end"]
    return [(epoch, step) for epoch in range(1, num_epochs + 1) for step in steps]


def test_callbacks_are_called_after_each_step_and_each_epoch(run):
    noted = Noted()
    _, history = run(2, callbacks=[noted])
    assert noted.calls == in_order(2)
    found = math.exp(noted.losses[-1])
    assert found == pytest.approx(history.perplexity[-1], rel=1e-6)


@pytest.mark.parametrize(
    ("stop", "num_epochs"), [((1, 3), 0), ((2, NUM_MINIBATCHES), 1), ((2, "end"), 2)]
)
def test_a_callback_stops_training_at_once(run, stop, num_epochs):
    noted = Noted(stop)
    net, history = run(4, callbacks=[noted])
    assert noted.calls[-1] == stop
    assert len(history.perplexity) == len(history.validation) == num_epochs
    other, _ = run(num_epochs)
    if stop[1] == "end":
        assert_same(net.arrays(), other.arrays())


def assert_same(arrays, others):
    for one, other in zip(arrays, others, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("stop", [(1, 3), (2, NUM_MINIBATCHES), (2, "end")])
def test_a_run_that_a_callback_stopped_is_resumed_bit_for_bit(run, tmp_path, stop):
    run(4, callbacks=[Noted(stop)], checkpoint=tmp_path / "run")
    net, history = run(4, checkpoint=tmp_path / "run", resume=True)
    expected, whole = run(4)
    assert_same(net.arrays(), expected.arrays())
    assert history.perplexity == whole.perplexity
    assert history.validation == whole.validation


@pytest.mark.parametrize(("patience", "num_epochs"), [(1, 3), (2, 4), (3, 8), (9, 8)])
def test_training_stops_after_patience_epochs_without_improvement(
    run, perplexities, patience, num_epochs
):
    _, history = run(8, patience=patience)
    assert history.validation == perplexities[:num_epochs]


def test_a_run_that_stopped_early_is_not_continued(run, perplexities, tmp_path):
    run(8, patience=2, checkpoint=tmp_path / "run")
    _, history = run(8, patience=2, checkpoint=tmp_path / "run", resume=True)
    assert history.validation == perplexities[:4]
    _, history = run(6, patience=4, checkpoint=tmp_path / "run", resume=True)  # more patience
    assert history.validation == perplexities[:6]


def test_the_best_parameters_are_those_after_the_best_epoch(run, perplexities):
    net, history = run(4, keep="best")
    assert history.best_epoch == 2
    expected, _ = run(2, validate=False)
    assert_same(net.arrays(), expected.arrays())
    last, _ = run(4)
    assert (last.arrays()[0] != net.arrays()[0]).any()


def test_the_best_parameters_of_a_framework_s_own_layer_are_exact(
    run, make_concise, builtin, perplexities
):
    nets = [make_concise("lstm", vocab_size=len(builtin[1]), num_hiddens=8) for _ in range(2)]
    run(4, net=nets[0], keep="best")
    run(2, net=nets[1], validate=False)
    assert_same(nets[0].own_arrays(), nets[1].own_arrays())


class Raising:
    """A callback that raises an error, or sends a signal, in the fourth epoch."""

    def __init__(self, error, method):
        self.error = error
        setattr(self, method, self.act)

    def act(self, training):
        if training.epoch != 4:
            return
        if self.error is None:
            signal.raise_signal(signal.SIGINT)
        else:
            raise self.error("in a callback")


@pytest.mark.only("numpy", "torch")
@pytest.mark.parametrize("method", ["after_step", "after_epoch"])
@pytest.mark.parametrize(
    "error",
    [KeyboardInterrupt, FloatingPointError, RuntimeError, None],
    ids=["KeyboardInterrupt", "FloatingPointError", "RuntimeError", "a signal"],
)
def test_the_best_parameters_are_kept_when_an_error_ends_training(run, perplexities, error, method):
    net, _ = run(0)
    with pytest.raises(error or KeyboardInterrupt) as caught:
        run(9, net=net, keep="best", callbacks=[Raising(error, method)])
    num_epochs = 3 + (method == "after_epoch")
    assert caught.value.history.validation == perplexities[:num_epochs]
    expected, _ = run(2, validate=False)
    assert_same(net.arrays(), expected.arrays())


@pytest.mark.only("numpy", "torch")
def test_the_epoch_that_a_callback_interrupts_at_its_end_can_be_the_best(run, perplexities):
    perplexities[3] = 1.0
    net, _ = run(0)
    with pytest.raises(KeyboardInterrupt):
        run(9, net=net, keep="best", callbacks=[Raising(KeyboardInterrupt, "after_epoch")])
    expected, _ = run(4, validate=False)
    assert_same(net.arrays(), expected.arrays())


@pytest.mark.only("numpy", "torch")
def test_an_interrupted_run_with_the_best_parameters_is_resumed_bit_for_bit(
    run, perplexities, tmp_path
):
    net, _ = run(0)
    settings = {"keep": "best", "checkpoint": tmp_path / "run"}
    with pytest.raises(KeyboardInterrupt):
        run(5, net=net, callbacks=[Raising(None, "after_step")], **settings)
    resumed, history = run(5, resume=True, **settings)  # the fifth is the best
    assert history.best_epoch == 5
    expected, _ = run(5, validate=False)
    assert_same(resumed.arrays(), expected.arrays())


@pytest.mark.parametrize("num_epochs", [1, 3])
def test_a_resumed_run_still_has_the_best_parameters(run, perplexities, tmp_path, num_epochs):
    settings = {"keep": "best", "checkpoint": tmp_path / "run"}
    run(num_epochs, **settings)
    net, history = run(4, resume=True, **settings)
    assert history.validation == perplexities[:4]
    expected, _ = run(2, validate=False)
    assert_same(net.arrays(), expected.arrays())


def test_after_the_best_is_loaded_the_checkpoint_continues_from_the_last(
    run, perplexities, tmp_path
):
    run(3, keep="best", checkpoint=tmp_path / "run")
    perplexities[3] = 1.0  # the fourth is the best
    net, _ = run(4, keep="best", checkpoint=tmp_path / "run", resume=True)
    expected, _ = run(4, validate=False)
    assert_same(net.arrays(), expected.arrays())


def test_a_run_without_the_best_parameters_is_not_resumed_as_one_with_them(rnn, run, tmp_path):
    run(1, checkpoint=tmp_path / "run")
    with pytest.raises(rnn.CheckpointError, match="keep is nothing there, best here"):
        run(2, keep="best", checkpoint=tmp_path / "run", resume=True)


def test_with_no_epochs_the_best_parameters_are_the_first(run, make_net, builtin):
    net, _ = run(0, keep="best")
    assert_same(net.arrays(), make_net(len(builtin[1]), 8).arrays())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"patience": 2}, "patience is 2, which needs a validation part; give validation="),
        ({"keep": "best"}, "keep is 'best', which needs a validation part"),
        ({"keep": "first"}, "keep is 'first'; expected one of 'last', 'best'"),
        ({"patience": 0}, "patience is 0; expected an integer, 1 or above"),
        ({"callbacks": print}, "callbacks is of type builtin_function_or_method; expected a list"),
        (
            {"callbacks": [print]},
            r"callbacks\[0\] is of type builtin_function_or_method; expected an",
        ),
        ({"callbacks": [Noted]}, r"callbacks\[0\] is the class Noted; .*; call it, and give"),
        ({"callbacks": [object()]}, r"callbacks\[0\] is of type object; expected an object with a"),
    ],
)
def test_impossible_options_are_refused_before_training(run, settings, message):
    with pytest.raises(ValueError, match=message):
        run(2, validate=False, **settings)


def test_an_error_in_a_callback_is_raised(run):
    class Failing:
        def after_epoch(self, training):
            raise RuntimeError("full")

    with pytest.raises(RuntimeError, match="full"):
        run(2, callbacks=[Failing()])


def test_the_text_that_a_callback_writes_is_printed(run, capsys):
    class Writing:
        def after_epoch(self, training):
            training.write(f"{training.epoch} of {training.num_epochs}")

    run(2, callbacks=[Writing()])
    assert capsys.readouterr().out == "1 of 2\n2 of 2\n"
