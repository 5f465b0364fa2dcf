"""Language models and their training, in TensorFlow (the book's sections 8.5 and 8.6)."""

import sys

from d2lrnn.book.classic.tensorflow import generation, training
from d2lrnn.book.classic.tensorflow.framework import tf
from d2lrnn.book.classic.tensorflow.graphs import as_graph

d2l = sys.modules[__package__]


class RNNModelScratch:
    """A language model of three functions: parameters, first state and forward computation."""

    def __init__(self, vocab_size, num_hiddens, init_state, forward_fn, get_params):
        """Make the parameters: get_params(vocab_size, num_hiddens)."""
        self.vocab_size, self.num_hiddens = vocab_size, num_hiddens
        self.init_state, self.forward_fn = init_state, forward_fn
        self.trainable_variables = get_params(vocab_size, num_hiddens)

    def __call__(self, X, state):
        """Return the scores (T * n, V) for ids X (n, T), and the new state."""
        inputs = tf.one_hot(tf.cast(tf.transpose(X), tf.int32), self.vocab_size)  # (T, n, V)
        return self.forward_fn(inputs, state, self.trainable_variables)

    def begin_state(self, batch_size, *args, **kwargs):
        """Return the state before the first time step; further arguments are ignored."""
        return self.init_state(batch_size, self.num_hiddens)


class RNNModel(tf.keras.layers.Layer):
    """A language model of a layer ``tf.keras.layers.RNN`` and a dense output layer.

    The layer returns sequences and states; it may be time-major.
    """

    def __init__(self, rnn_layer, vocab_size, **kwargs):
        """Add the output layer."""
        super().__init__(**kwargs)
        self.rnn, self.vocab_size = rnn_layer, vocab_size
        self.dense = tf.keras.layers.Dense(vocab_size)

    def call(self, inputs, state):
        """Return the scores (T * n, V) for ids (n, T), and the new state."""
        ids = tf.cast(inputs, tf.int32)
        if getattr(self.rnn, "time_major", False):
            Y, *state = self.rnn(tf.one_hot(tf.transpose(ids), self.vocab_size), state)
        else:
            Y, *state = self.rnn(tf.one_hot(ids, self.vocab_size), initial_state=state)
            Y = tf.transpose(Y, (1, 0, 2))  # (T, n, h)
        return self.dense(tf.reshape(Y, (-1, Y.shape[-1]))), state

    def begin_state(self, *args, **kwargs):
        """Return the state before the first time step, as the layer's cell returns it."""
        return self.rnn.cell.get_initial_state(*args, **kwargs)


def predict_ch8(prefix, num_preds, net, vocab):
    """Return the prefix and num_preds predicted tokens, each the one with the highest score."""
    state = net.begin_state(batch_size=1, dtype=tf.float32)
    following = as_graph(make_following, net)

    def step(index, state):
        return following(d2l.reshape(d2l.tensor([index]), (1, 1)), state)

    return generation.generate(prefix, num_preds, vocab, step, generation.best, state)


def make_following(net):
    """Return a function (ids, state) -> (scores, new state)."""
    return lambda X, state: net(X, state)


def make_step(net, loss, updater):
    """Return a function (X, Y, state) -> (mean loss, new state), which trains on a minibatch."""

    def step(X, Y, state):
        with tf.GradientTape() as tape:
            y_hat, state = net(X, state)
            value = tf.reduce_mean(loss(d2l.reshape(tf.transpose(Y), (-1,)), y_hat))
        params = net.trainable_variables
        grads = d2l.grad_clipping(tape.gradient(value, params), 1)
        updater.apply_gradients(zip(grads, params))
        return value, state

    return step


def train_epoch_ch8(net, train_iter, loss, updater, use_random_iter):
    """Train for one epoch; return the perplexity and the tokens per second.

    updater is one of Keras' optimizers.
    """

    step = as_graph(make_step, net, loss, updater)
    started = training.Started(net, dtype=tf.float32)
    return training.epoch(started, train_iter, step, use_random_iter)


def train_ch8(net, train_iter, vocab, lr, num_epochs, strategy, use_random_iter=False):
    """Train a language model by gradient descent, clipped at 1, and print what it predicts."""
    with strategy.scope():
        loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        updater = tf.keras.optimizers.SGD(float(lr))
    training.train(
        lambda: d2l.train_epoch_ch8(net, train_iter, loss, updater, use_random_iter),
        lambda prefix: d2l.predict_ch8(prefix, 50, net, vocab),
        num_epochs,
        d2l.try_gpu()._device_name,
    )
