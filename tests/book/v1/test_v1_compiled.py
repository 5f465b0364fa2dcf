"""What is compiled trains as what is not; what is not to be compiled runs all the same."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def data(d2l, files):
    """Three minibatches of 10 windows to train with, and one held out."""
    return d2l.TimeMachine(batch_size=10, num_steps=4, num_train=30, num_val=10)


def test_a_training_step_with_side_effects_has_them_each_time(d2l, data):
    seen = []

    class Counting(d2l.RNNLMScratch):
        def training_step(self, *batch):
            seen.append(1)
            return d2l.RNNLMScratch.training_step(self, *batch)

    rnn = d2l.RNNScratch(num_inputs=len(data.vocab), num_hiddens=4)
    d2l.Trainer(max_epochs=2).fit(Counting(rnn, vocab_size=len(data.vocab)), data)
    assert len(seen) == 6


def test_clipping_of_a_readers_own_is_used(d2l, data):
    class Trainer(d2l.Trainer):
        def clip_gradients(self, grad_clip_val, gradients):
            called.append(grad_clip_val)
            return super().clip_gradients(grad_clip_val, gradients)

    called = []
    rnn = d2l.RNNScratch(num_inputs=len(data.vocab), num_hiddens=4)
    model = d2l.RNNLMScratch(rnn, vocab_size=len(data.vocab))
    Trainer(max_epochs=1, gradient_clip_val=0.5).fit(model, data)
    assert set(called) == {0.5}


def scratch(d2l, vocab_size):
    """A network whose forward loops over the steps, as a reader writes it."""

    class Loop(d2l.RNNScratch):
        def forward(self, inputs, state=None):
            H = d2l.zeros((inputs.shape[1], self.num_hiddens))
            outputs = []
            for X in inputs:
                H = d2l.tanh(d2l.matmul(X, self.W_xh) + d2l.matmul(H, self.W_hh) + self.b_h)
                outputs.append(H)
            return outputs, H

    rnn = Loop(num_inputs=vocab_size, num_hiddens=4, sigma=0.5)
    return d2l.RNNLMScratch(rnn, vocab_size=vocab_size, lr=1.0)


@pytest.fixture
def tensorflow(keras, files):
    """The book's names in TensorFlow, and the data."""
    from d2lrnn.book import tensorflow as d2l

    return d2l, d2l.TimeMachine(batch_size=10, num_steps=4, num_train=30, num_val=10)


def trained(d2l, data, compiled):
    """A network and its trainer after three epochs over windows in their order."""
    d2l.tf.random.set_seed(0)
    model, trainer = scratch(d2l, len(data.vocab)), d2l.Trainer(max_epochs=3, gradient_clip_val=1)
    data.train_dataloader = lambda: data.get_tensorloader([data.X, data.Y], False, slice(0, 30))
    trainer.prepare_data(data)
    trainer.prepare_model(model)
    trainer.optim = model.configure_optimizers()
    if not compiled:
        trainer._train.graph = trainer._validate.graph = trainer._update.graph = None
    trainer._run()
    return model, trainer


def test_a_graph_trains_as_line_by_line(tensorflow):
    models = [trained(*tensorflow, compiled)[0] for compiled in (True, False)]
    for graph, plain in zip(*(model.get_weights() for model in models)):
        np.testing.assert_allclose(graph, plain, rtol=1e-4, atol=1e-6)


def test_a_graph_plots_what_line_by_line_plots(tensorflow):
    boards = [trained(*tensorflow, compiled)[0].board.data for compiled in (True, False)]
    assert list(boards[0]) == list(boards[1])
    for graph, plain in zip(*(board["train_ppl"] for board in boards)):
        assert graph == pytest.approx(plain, rel=1e-4)


def test_a_readers_loop_over_the_steps_becomes_a_graph(tensorflow):
    _, trainer = trained(*tensorflow, True)
    assert None not in (trainer._train.graph, trainer._validate.graph, trainer._update.graph)


def test_a_step_that_prints_becomes_no_graph(tensorflow):
    from d2lrnn.book.tensorflow import graphs

    d2l, data = tensorflow

    class Printing(d2l.RNNLMScratch):
        def forward(self, X, state=None):
            print(X.shape)
            return super().forward(X, state)

    rnn = d2l.RNNScratch(num_inputs=len(data.vocab), num_hiddens=4)
    assert not graphs.can_be_compiled(Printing(rnn, len(data.vocab)))


def test_what_changes_a_variable_of_another_function_has_side_effects(tensorflow):
    from d2lrnn.book.tensorflow import graphs

    count = 0

    def counting(x):
        nonlocal count
        count += 1
        return x

    def own(x):
        y = x
        return [y + z for z in (1, 2)], lambda: y

    assert graphs.has_side_effects(counting.__code__)
    assert not graphs.has_side_effects(own.__code__)


def test_keras_stays_what_it_is(tensorflow, keras):
    assert keras.__version__.startswith("3.")


def former(d2l, flax):
    """A GRU as the book writes it, of Flax's cells as they were."""

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


def test_flax_cells_of_the_books_form_compute_what_todays_do(flax, rnn_inputs):
    from d2lrnn.book import jax as d2l

    ours, books = d2l.GRU(num_hiddens=4, num_layers=1), former(d2l, flax)
    params = ours.init(d2l.get_key(), rnn_inputs)
    np.testing.assert_array_equal(
        ours.apply(params, rnn_inputs)[0], books.apply(params, rnn_inputs)[0]
    )


def test_flax_itself_is_left_as_it_is(flax, rnn_inputs):
    from d2lrnn.book import jax as d2l

    former(d2l, flax)
    with pytest.raises(TypeError, match="features"):
        flax.GRUCell()


@pytest.fixture
def rnn_inputs():
    """Inputs (5 steps, 3 rows, 2 features)."""
    return np.random.default_rng(0).normal(size=(5, 3, 2))
