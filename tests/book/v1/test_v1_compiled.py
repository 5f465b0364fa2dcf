"""Compiled steps compute the same numbers, and a student's code is not compiled."""

import functools
import logging

import numpy as np
import pytest


@pytest.fixture(scope="module")
def data(d2l, files):
    """Three minibatches of 10 windows to train with, and one held out."""
    return d2l.TimeMachine(batch_size=10, num_steps=4, num_train=30, num_val=10)


def test_a_training_step_repeats_its_side_effects_each_time(d2l, data):
    seen = []

    class Counting(d2l.RNNLMScratch):
        def training_step(self, *batch):
            seen.append(1)
            return d2l.RNNLMScratch.training_step(self, *batch)

    rnn = d2l.RNNScratch(num_inputs=len(data.vocab), num_hiddens=4)
    d2l.Trainer(max_epochs=2).fit(Counting(rnn, vocab_size=len(data.vocab)), data)
    assert len(seen) == 6


def test_a_students_clipping_runs_at_each_step(d2l, data):
    class Trainer(d2l.Trainer):
        def clip_gradients(self, grad_clip_val, gradients):
            called.append(grad_clip_val)
            return super().clip_gradients(grad_clip_val, gradients)

    called = []
    rnn = d2l.RNNScratch(num_inputs=len(data.vocab), num_hiddens=4)
    model = d2l.RNNLMScratch(rnn, vocab_size=len(data.vocab))
    Trainer(max_epochs=1, gradient_clip_val=0.5).fit(model, data)
    assert called == [0.5] * 3


CHANGES = {
    "gradient_clip_val": lambda d2l, trainer: setattr(trainer, "gradient_clip_val", 1e-9),
    "optim": lambda d2l, trainer: setattr(trainer, "optim", d2l.SGD(1e-9)),
    "lr": lambda d2l, trainer: setattr(trainer.optim, "lr", 1e-9),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_setting_that_is_changed_between_epochs_takes_effect(tensorflow, change):
    d2l, data = tensorflow
    model, trainer = language_model(d2l, data), d2l.Trainer(max_epochs=2, gradient_clip_val=1)
    trainer.fit(model, data)
    trainer.optim = d2l.SGD(1.0)
    steps = []
    for number in range(2):
        before = [variable.numpy() for variable in model.trainable_variables]
        trainer.fit_epoch()
        after = [variable.numpy() for variable in model.trainable_variables]
        steps.append(max(abs(b - a).max() for a, b in zip(before, after)))
        if number == 0:
            CHANGES[change](d2l, trainer)
    assert steps[0] > 1e-3 > 1e-6 > steps[1]


def test_a_loss_that_is_replaced_after_training_runs_at_each_step(tensorflow):
    d2l, data = tensorflow
    model, trainer, calls = language_model(d2l, data), d2l.Trainer(max_epochs=2), []
    trainer.fit(model, data)
    loss = model.loss
    model.loss = lambda Y_hat, Y: calls.append(1) or loss(Y_hat, Y)
    trainer.fit_epoch()
    assert len(calls) == 3 + 1  # training steps, and the validation


@pytest.fixture
def tensorflow(keras, files):
    """The book's names in TensorFlow, and the data."""
    from d2lrnn.book import tensorflow as d2l

    return d2l, d2l.TimeMachine(batch_size=10, num_steps=4, num_train=30, num_val=10)


def language_model(d2l, data, RNN=None, LM=None):
    """Return a language model of built-in classes or of a student's classes."""
    rnn = (RNN or d2l.RNNScratch)(num_inputs=len(data.vocab), num_hiddens=4, sigma=0.5)
    return (LM or d2l.RNNLMScratch)(rnn, vocab_size=len(data.vocab), lr=1.0)


def trained(d2l, data, compiled=True, model=None):
    """Return a model and its trainer after three epochs over windows in their order."""
    d2l.tf.random.set_seed(0)
    model = model or language_model(d2l, data)
    trainer = d2l.Trainer(max_epochs=3, gradient_clip_val=1)
    if not compiled:
        trainer._runs_own_code = lambda: False
    data.train_dataloader = lambda: data.get_tensorloader([data.X, data.Y], False, slice(0, 30))
    trainer.fit(model, data)
    return model, trainer


def graphs_of(trainer):
    return [step.graph for step in trainer._steps]


def test_a_graph_trains_like_line_by_line_code(tensorflow):
    models = [trained(*tensorflow, compiled)[0] for compiled in (True, False)]
    for graph, plain in zip(*(model.get_weights() for model in models)):
        np.testing.assert_allclose(graph, plain, rtol=1e-4, atol=1e-6)


def test_a_graph_plots_the_values_of_line_by_line_training(tensorflow):
    boards = [trained(*tensorflow, compiled)[0].board.data for compiled in (True, False)]
    assert list(boards[0]) == list(boards[1])
    for graph, plain in zip(*(board["train_ppl"] for board in boards)):
        assert graph == pytest.approx(plain, rel=1e-4)


OWN_MODELS = {
    "from scratch": lambda d2l, data: language_model(d2l, data),
    "of layers": lambda d2l, data: d2l.RNNLM(d2l.RNN(4), len(data.vocab), lr=1.0),
    "of deep layers": lambda d2l, data: d2l.RNNLM(d2l.GRU(4, 2, 0.1), len(data.vocab), lr=1.0),
}


@pytest.mark.parametrize("kind", OWN_MODELS)
def test_all_steps_of_a_built_in_model_become_graphs(tensorflow, kind):
    _, trainer = trained(*tensorflow, model=OWN_MODELS[kind](*tensorflow))
    assert None not in graphs_of(trainer)


def with_method(name, owner="LM"):
    """Return a function that makes a model whose method of that name calls ``effect``."""

    def make(d2l, data, effect):
        base = {"LM": d2l.RNNLMScratch, "RNN": d2l.RNNScratch}[owner]

        def method(self, *args):
            effect()
            return getattr(base, name)(self, *args)

        return language_model(d2l, data, **{owner: type("Mine", (base,), {name: method})})

    return make


def with_loop(d2l, data, effect):
    """Return a model whose forward method loops over the steps, as a student writes it."""

    class Loop(d2l.RNNScratch):
        def forward(self, inputs, state=None):
            effect()
            H, outputs = d2l.zeros((inputs.shape[1], self.num_hiddens)), []
            for X in inputs:
                H = d2l.tanh(d2l.matmul(X, self.W_xh) + d2l.matmul(H, self.W_hh) + self.b_h)
                outputs.append(H)
            return outputs, H

    return language_model(d2l, data, RNN=Loop)


def with_function_of_an_object(d2l, data, effect):
    model = language_model(d2l, data)
    own = model.loss

    @functools.wraps(own)  # which copies the name of our module
    def loss(*args):
        effect()
        return own(*args)

    model.loss = loss
    return model


def with_partial_function(d2l, data, effect):
    def one_hot(model, X):
        effect()
        return d2l.RNNLMScratch.one_hot(model, X)

    model = language_model(d2l, data)
    model.one_hot = functools.partial(one_hot, model)
    return model


def with_activation(d2l, data, effect):
    def activation(x):
        effect()
        return x

    class Softer(d2l.RNNLM):
        def init_params(self):
            layer = d2l.tf.keras.layers.Dense
            self.linear = layer(self.vocab_size, activation=activation)

    return Softer(d2l.RNN(4), len(data.vocab), lr=1.0)


STUDENTS = {
    "training_step": with_method("training_step"),
    "validation_step": with_method("validation_step"),
    "forward": with_method("forward"),
    "loss": with_method("loss"),
    "forward of the network": with_method("forward", "RNN"),
    "a loop": with_loop,
    "a function of an object": with_function_of_an_object,
    "a partial function": with_partial_function,
    "an activation": with_activation,
}
CALLS = {"training_step": 9, "validation_step": 3}  # 3 epochs of 3 minibatches, and 1 held out


@pytest.mark.parametrize("kind", STUDENTS)
def test_a_students_method_runs_at_each_step(tensorflow, kind):
    count = 0

    def effect():
        nonlocal count
        count += 1

    d2l, data = tensorflow
    _, trainer = trained(d2l, data, model=STUDENTS[kind](d2l, data, effect))
    assert count == CALLS.get(kind, 12)
    assert graphs_of(trainer) == [None] * 3


def test_a_students_method_logs_at_each_step(tensorflow, caplog):
    d2l, data = tensorflow
    effect = functools.partial(logging.getLogger("student").info, "called")
    with caplog.at_level(logging.INFO, "student"):
        trained(d2l, data, model=STUDENTS["forward"](d2l, data, effect))
    assert caplog.messages == ["called"] * 12


def test_a_students_method_prints_at_each_step(tensorflow, capsys):
    d2l, data = tensorflow
    effect = functools.partial(print, "called")
    trained(d2l, data, model=STUDENTS["training_step"](d2l, data, effect))
    assert capsys.readouterr().out.splitlines() == ["called"] * 9


def test_a_method_that_a_student_adds_to_our_class_runs_at_each_step(tensorflow, monkeypatch):
    d2l, data = tensorflow
    calls = []
    loss = d2l.Classifier.loss
    monkeypatch.setattr(d2l.Classifier, "loss", lambda *args: calls.append(1) or loss(*args))
    trained(d2l, data)
    assert len(calls) == 12


def test_a_students_optimizer_runs_at_each_step(tensorflow):
    d2l, data = tensorflow
    calls = []

    class SGD(d2l.SGD):
        def apply_gradients(self, pairs):
            calls.append(self.lr)
            super().apply_gradients(pairs)

    class Model(d2l.RNNLMScratch):
        def configure_optimizers(self):
            return SGD(0.5)

    trained(d2l, data, model=language_model(d2l, data, LM=Model))
    assert calls == [0.5] * 9


def test_a_students_schedule_of_the_rate_runs_at_each_step(tensorflow):
    d2l, data = tensorflow
    calls = []

    class Halved(d2l.tf.keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            calls.append(step)
            return 0.5

    class Model(d2l.RNNLMScratch):
        def configure_optimizers(self):
            return d2l.tf.keras.optimizers.SGD(Halved())

    trained(d2l, data, model=language_model(d2l, data, LM=Model))
    assert len(calls) >= 9


def test_a_students_update_in_jax_runs_at_each_step(flax, files):
    from d2lrnn.book import jax as d2l

    calls = []

    def update(grads, state, params=None):
        calls.append(1)
        return d2l.jax.tree_util.tree_map(lambda grad: -0.1 * grad, grads), state

    class Model(d2l.RNNLMScratch):
        def configure_optimizers(self):
            own = d2l.optax.GradientTransformation(lambda params: (), update)
            return d2l.optax.chain(d2l.optax.clip(1.0), own)

    data = d2l.TimeMachine(batch_size=10, num_steps=4, num_train=30, num_val=10)
    d2l.Trainer(max_epochs=2).fit(language_model(d2l, data, LM=Model), data)
    assert len(calls) == 6


def test_a_students_forward_in_jax_reads_the_inputs_that_create_the_parameters(flax, files):
    from d2lrnn.book import jax as d2l

    shown = []

    class Model(d2l.RNNLMScratch):
        def forward(self, X, state=None):
            shown.append(X)
            return super().forward(X, state)

    data = d2l.TimeMachine(batch_size=10, num_steps=4, num_train=30, num_val=10)
    d2l.Trainer(max_epochs=1).fit(language_model(d2l, data, LM=Model), data)
    assert int(shown[0].max()) < len(data.vocab)


def test_our_own_update_in_jax_is_compiled(flax, files):
    from d2lrnn.book import jax as d2l

    data = d2l.TimeMachine(batch_size=10, num_steps=4, num_train=30, num_val=10)
    trainer = d2l.Trainer(max_epochs=1)
    trainer.fit(language_model(d2l, data), data)
    assert hasattr(trainer._update, "lower")


def test_keras_is_not_changed(tensorflow, keras):
    assert keras.__version__.startswith("3.")


def former(d2l, flax):
    """The GRU of the book, with the earlier interface of Flax's cells."""

    class Former(d2l.RNN):
        num_hiddens: int

        @flax.compact
        def __call__(self, inputs, H=None, training=False):
            if H is None:
                key = d2l.jax.random.PRNGKey(0)
                H = nn.GRUCell.initialize_carry(key, (inputs.shape[1],), self.num_hiddens)
            layer = nn.scan(nn.GRUCell, variable_broadcast="params", split_rngs={"params": False})
            H, outputs = layer()(H, inputs)
            return outputs, H

    global nn
    nn = flax
    return Former(num_hiddens=4)


def test_flax_cells_called_as_in_the_book_compute_the_same(flax, rnn_inputs):
    from d2lrnn.book import jax as d2l

    ours, books = d2l.GRU(num_hiddens=4, num_layers=1), former(d2l, flax)
    params = ours.init(d2l.get_key(), rnn_inputs)
    np.testing.assert_array_equal(
        ours.apply(params, rnn_inputs)[0], books.apply(params, rnn_inputs)[0]
    )


def test_flax_is_not_changed(flax, rnn_inputs):
    from d2lrnn.book import jax as d2l

    former(d2l, flax)
    with pytest.raises(TypeError, match="features"):
        flax.GRUCell()


@pytest.fixture
def rnn_inputs():
    """Inputs (5 steps, 3 rows, 2 features)."""
    return np.random.default_rng(0).normal(size=(5, 3, 2))
