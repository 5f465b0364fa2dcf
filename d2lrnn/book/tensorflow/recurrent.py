"""The book's recurrent networks and language models in TensorFlow (sections 9.5, 9.6, 10.3)."""

import sys

import numpy as np

from d2lrnn.book.objects import check_prediction
from d2lrnn.book.tensorflow import texts
from d2lrnn.book.tensorflow.design import DataModule, Module
from d2lrnn.book.tensorflow.framework import keras, tf
from d2lrnn.book.tensorflow.models import Classifier

d2l = sys.modules[__package__]


class TimeMachine(texts.TimeMachineText, DataModule):
    """The Time Machine as one list of characters, and every window of it.

    Args:
        batch_size: rows of a minibatch.
        num_steps: length of the windows.
        num_train, num_val: how many windows there are to train with, and how many are held out.
    """

    id_dtype = np.int32

    def __init__(self, batch_size, num_steps, num_train=10000, num_val=5000):
        """Read the text and cut it into windows: X without, Y with the last character."""
        DataModule.__init__(self)
        self.save_hyperparameters()
        corpus, self.vocab = self.build(self._download())
        windows = d2l.tensor(self._windows(corpus, num_steps))
        self.X, self.Y = windows[:, :-1], windows[:, 1:]

    def get_dataloader(self, train):
        """Return the first num_train windows to train with, or the num_val that follow."""
        start, count = (0, self.num_train) if train else (self.num_train, self.num_val)
        return self.get_tensorloader([self.X, self.Y], train, slice(start, start + count))


class RNNScratch(Module):
    """The recurrent network from scratch.

    Args:
        num_inputs, num_hiddens: sizes of the inputs and of the state.
        sigma: the standard deviation of the weights.
    """

    def __init__(self, num_inputs, num_hiddens, sigma=0.01):
        """Draw the weights from N(0, sigma²); the bias is zero."""
        super().__init__()
        self.save_hyperparameters()
        self.W_xh = tf.Variable(d2l.normal((num_inputs, num_hiddens)) * sigma)
        self.W_hh = tf.Variable(d2l.normal((num_hiddens, num_hiddens)) * sigma)
        self.b_h = tf.Variable(d2l.zeros(num_hiddens))

    def forward(self, inputs, state=None):
        """Return the state after each step, as a list, and the last state (n, num_hiddens).

        Args:
            inputs: (num_steps, n, num_inputs).
            state: what holds one state, (1, n, num_hiddens) or a tuple; None begins with zeros.
        """
        if state is None:
            H = d2l.zeros((inputs.shape[1], self.num_hiddens))
        else:
            (H,) = state
            H = d2l.reshape(H, (-1, self.num_hiddens))
        outputs = []
        products = d2l.matmul(inputs, self.W_xh) + self.b_h  # of all steps at once
        for X in tf.unstack(products):
            H = d2l.tanh(X + d2l.matmul(H, self.W_hh))
            outputs.append(H)
        return outputs, H


class RNNLMScratch(Classifier):
    """A language model around a recurrent network, from scratch.

    Args:
        rnn: takes (inputs, state) and returns (outputs, state); has ``num_hiddens``, ``sigma``.
        vocab_size: how many tokens there are.
        lr: the learning rate.
    """

    def __init__(self, rnn, vocab_size, lr=0.01):
        """Take the network and draw the weights of the output layer."""
        super().__init__()
        self.save_hyperparameters()
        self.init_params()

    def init_params(self):
        """Draw the weights of the output layer from N(0, sigma²); the bias is zero."""
        W_hq = d2l.normal((self.rnn.num_hiddens, self.vocab_size)) * self.rnn.sigma
        self.W_hq = tf.Variable(W_hq)
        self.b_q = tf.Variable(d2l.zeros(self.vocab_size))

    def training_step(self, batch):
        """Return the loss of a minibatch, and plot its perplexity."""
        l = self.loss(self(*batch[:-1]), batch[-1])
        self.plot("ppl", d2l.exp(l), train=True)
        return l

    def validation_step(self, batch):
        """Plot the perplexity of a minibatch that was held out."""
        l = self.loss(self(*batch[:-1]), batch[-1])
        self.plot("ppl", d2l.exp(l), train=False)

    def one_hot(self, X):
        """Return token ids (n, num_steps) as one-hot rows (num_steps, n, vocab_size)."""
        return tf.one_hot(tf.transpose(X), self.vocab_size)

    def output_layer(self, rnn_outputs):
        """Return the scores (n, num_steps, vocab_size) of outputs of the steps."""
        if not hasattr(rnn_outputs, "shape"):
            rnn_outputs = d2l.stack(list(rnn_outputs))
        return d2l.matmul(tf.transpose(rnn_outputs, (1, 0, 2)), self.W_hq) + self.b_q

    def forward(self, X, state=None):
        """Return the scores (n, num_steps, vocab_size) of the token that follows each of X."""
        rnn_outputs, _ = self.rnn(self.one_hot(X), state)
        return self.output_layer(rnn_outputs)

    def predict(self, prefix, num_preds, vocab, device=None):
        """Return prefix and the num_preds tokens that seem likeliest after it, as a string."""
        check_prediction(prefix, num_preds)
        state, outputs = None, [vocab[prefix[0]]]
        for i in range(1, len(prefix) + num_preds):
            X = self.one_hot(d2l.tensor([[outputs[-1]]]))
            rnn_outputs, state = self.rnn(X, state)
            if i < len(prefix):  # the state warms up
                outputs.append(vocab[prefix[i]])
            else:
                Y = self.output_layer(rnn_outputs)
                outputs.append(int(d2l.reshape(d2l.argmax(Y, axis=2), -1)[0]))
        return "".join(vocab.idx_to_token[i] for i in outputs)


class RNN(Module):
    """The recurrent network with Keras' own layer.

    Args:
        num_hiddens: size of the state.
    """

    def __init__(self, num_hiddens):
        """Make the layer, with weights drawn as Keras does."""
        super().__init__()
        self.save_hyperparameters()
        settings = {"return_sequences": True, "return_state": True, "time_major": True}
        self.rnn = keras.layers.SimpleRNN(num_hiddens, **settings)

    def forward(self, inputs, H=None):
        """Return the state after each step (num_steps, n, num_hiddens), and the last state."""
        outputs, H = self.rnn(inputs, H)
        return outputs, H


class RNNLM(RNNLMScratch):
    """A language model around a recurrent network, with Keras' own output layer."""

    def init_params(self):
        """Make the output layer."""
        self.linear = keras.layers.Dense(self.vocab_size)

    def output_layer(self, hiddens):
        """Return the scores (n, num_steps, vocab_size) of states (num_steps, n, num_hiddens)."""
        return d2l.transpose(self.linear(hiddens), (1, 0, 2))


class GRU(RNN):
    """A deep GRU with Keras' own cells.

    Args:
        num_hiddens, num_layers: size of each state; how many layers.
        dropout: the share of the inputs of each layer that is left out in training.
    """

    def __init__(self, num_hiddens, num_layers, dropout=0):
        """Make the layers, with weights drawn as Keras does."""
        d2l.Module.__init__(self)
        self.save_hyperparameters()
        cells = [keras.layers.GRUCell(num_hiddens, dropout=dropout) for _ in range(num_layers)]
        settings = {"return_sequences": True, "return_state": True, "time_major": True}
        self.rnn = keras.layers.RNN(cells, **settings)

    def forward(self, X, state=None):
        """Return the last layer's states (num_steps, n, h), and a list of all last states."""
        outputs, *state = self.rnn(X, state)
        return outputs, state
