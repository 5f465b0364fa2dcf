"""What is particular to TensorFlow: graphs, and Keras 2 beside Keras 3."""

import subprocess
import sys

import pytest


@pytest.fixture
def graphs(keras):
    from d2lrnn.book.classic.tensorflow import compiling

    return compiling


@pytest.fixture
def tf(graphs):
    return graphs.tf


def test_a_function_becomes_a_graph_and_its_python_runs_once(graphs, tf):
    runs = []

    @graphs.graph
    def double(x):
        runs.append(tf.executing_eagerly())
        return 2 * x

    assert [float(double(tf.constant(v))) for v in (1.0, 2.0)] == [2, 4]
    assert runs == [False]


def test_a_function_that_no_graph_can_be_made_of_runs_as_it_is(graphs, tf):
    @graphs.graph
    def double(x):
        return x.numpy() * 2  # a symbolic tensor has no value

    assert [float(double(tf.constant(v))) for v in (1.0, 2.0)] == [2, 4]


def test_an_error_of_the_function_itself_is_raised(graphs, tf):
    @graphs.graph
    def wrong(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        wrong(tf.constant(1.0))


def test_time_steps_are_a_tensor_too(graphs, tf):
    steps = graphs.Steps(tf.reshape(tf.range(6), (3, 2)))
    assert len(steps) == 3
    assert tuple(steps.shape) == (3, 2)
    assert tf.reduce_sum(steps[1]) == 5
    assert tf.transpose(steps).shape == (2, 3)


def test_a_books_forward_function_trains_as_a_graph(graphs, tf, monkeypatch):
    from d2lrnn.book.classic import tensorflow as d2l

    eager = []

    def forward(inputs, state, params):
        eager.append(tf.executing_eagerly())
        outputs = [tf.matmul(X, params[0]) for X in inputs]
        return tf.concat(outputs, 0), state

    def get_params(vocab_size, num_hiddens):
        return [tf.Variable(tf.zeros((vocab_size, vocab_size)))]

    def init_state(batch_size, num_hiddens):
        return (tf.zeros((batch_size, num_hiddens)),)

    net = d2l.RNNModelScratch(3, 2, init_state, forward, get_params)
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    ids = tf.constant([[0, 1, 2, 0]])
    batches = [(ids[:, :-1], ids[:, 1:])] * 3
    updater = tf.keras.optimizers.SGD(1.0)
    first, _ = d2l.train_epoch_ch8(net, batches, loss, updater, False)
    second, _ = d2l.train_epoch_ch8(net, batches, loss, updater, False)
    assert first > second
    assert eager == [False]


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
def test_tf_keras_is_keras_2_and_keras_and_the_environment_are_as_they_were(keras, program, said):
    imports = "import os, keras; from d2lrnn.book.classic import tensorflow as d2l; "
    done = subprocess.run(
        [sys.executable, "-c", imports + program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == said
