"""Features of TensorFlow only: graphs, and Keras 2 beside Keras 3."""

import subprocess
import sys

import pytest


@pytest.fixture
def graphs(keras):
    from d2lrnn.book.classic.tensorflow import graphs

    return graphs


@pytest.fixture
def tf(graphs):
    return graphs.tf


def test_a_function_becomes_a_graph_and_its_python_runs_once(graphs, tf):
    runs = []

    @graphs.GraphFunction
    def double(x):
        runs.append(tf.executing_eagerly())
        return 2 * x

    assert [float(double(tf.constant(v))) for v in (1.0, 2.0)] == [2, 4]
    assert runs == [False]


def test_a_function_that_cannot_be_traced_runs_line_by_line(graphs, tf):
    @graphs.GraphFunction
    def double(x):
        return x.numpy() * 2  # a symbolic tensor has no value

    assert [float(double(tf.constant(v))) for v in (1.0, 2.0)] == [2, 4]


def test_an_error_of_the_function_itself_is_raised(graphs, tf):
    @graphs.GraphFunction
    def wrong(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        wrong(tf.constant(1.0))


@pytest.fixture
def scratch(keras, d2l, rnn):
    """A function that makes the model from scratch, of built-in or custom functions."""

    def make(forward=rnn.rnn):
        def get_params(vocab_size, num_hiddens):
            return rnn.get_params(vocab_size, num_hiddens, seed=0)

        return d2l.RNNModelScratch(3, 2, rnn.init_rnn_state, forward, get_params)

    return make


def train(d2l, net, epochs=2):
    """Train a net for some epochs of three minibatches; return the perplexity of each epoch."""
    loss = d2l.tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    ids = d2l.tf.constant([[0, 1, 2, 0]])
    batches = [(ids[:, :-1], ids[:, 1:])] * 3
    updater = d2l.tf.keras.optimizers.SGD(1.0)
    return [d2l.train_epoch_ch8(net, batches, loss, updater, False)[0] for _ in range(epochs)]


def test_a_net_of_built_in_functions_trains_as_a_graph(d2l, scratch, monkeypatch):
    traces, function = [], d2l.tf.function
    monkeypatch.setattr(
        d2l.tf, "function", lambda *args, **kwargs: traces.append(1) or function(*args, **kwargs)
    )
    first, second = train(d2l, scratch())
    assert first > second
    assert traces == [1]


def test_a_readers_forward_function_runs_at_each_step(d2l, rnn, scratch):
    eager = []

    def forward(inputs, state, params):
        eager.append(d2l.tf.executing_eagerly())
        return rnn.rnn(inputs, state, params)

    first, second = train(d2l, scratch(forward))
    assert first > second
    assert eager == [True] * 6


def test_a_replaced_forward_function_is_called_afterwards(d2l, rnn, scratch):
    net, calls = scratch(), []
    train(d2l, net)
    net.forward_fn = lambda *arguments: calls.append(1) or rnn.rnn(*arguments)
    train(d2l, net)
    assert len(calls) == 6


def test_a_readers_decoder_runs_at_each_step(keras, d2l, texts, make_pair, monkeypatch):
    data_iter, source, target = d2l.load_data_nmt(batch_size=8, num_steps=6)
    net, eager = make_pair(source, target), []
    call = type(net.decoder).call

    def counted(self, *args, **kwargs):
        eager.append(d2l.tf.executing_eagerly())
        return call(self, *args, **kwargs)

    monkeypatch.setattr(type(net.decoder), "call", counted)
    d2l.train_seq2seq(net, data_iter, 0.01, 2, target, d2l.try_gpu())
    assert eager == [True] * 2 * len(list(data_iter))


def test_a_model_whose_layer_has_been_called_before_is_built_as_a_whole(tf, capsys):
    from d2lrnn.book.classic import tensorflow as d2l

    layers = tf.keras.layers
    layer = layers.RNN(layers.SimpleRNNCell(4), return_sequences=True, return_state=True)
    layer(tf.zeros((2, 3, 5)))  # now the layer has parameters, and the model's output layer none
    net, ids = d2l.RNNModel(layer, 5), tf.constant([[0, 1, 2, 3]])
    strategy = tf.distribute.OneDeviceStrategy("/CPU:0")
    d2l.train_ch8(net, [(ids[:, :-1], ids[:, 1:])], d2l.Vocab([list("time")]), 1, 2, strategy)
    assert "perplexity" in capsys.readouterr().out
    assert len(net.trainable_variables) == 5


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("print(d2l.tf.keras.layers.Layer.__module__.split('.')[0])", "tf_keras"),
        ("print(keras.layers.Layer.__module__.split('.')[0])", "keras"),
        ("print('TF_USE_LEGACY_KERAS' in os.environ)", "False"),
    ],
)
def test_importing_tf_keras_does_not_change_keras_or_the_environment(keras, program, said):
    imports = "import os, keras; from d2lrnn.book.classic import tensorflow as d2l; "
    done = subprocess.run(
        [sys.executable, "-c", imports + program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == said
