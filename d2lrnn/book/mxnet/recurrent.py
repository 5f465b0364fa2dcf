"""The book's recurrent networks and language models in MXNet (sections 9.5, 9.6 and 10.3)."""

import sys

from d2lrnn.book.mxnet import texts
from d2lrnn.book.mxnet.design import DataModule, Module
from d2lrnn.book.mxnet.models import Classifier
from d2lrnn.book.mxnet.tensors import nn, np, npx, rnn
from d2lrnn.book.objects import check_prediction

d2l = sys.modules[__package__]


class TimeMachine(texts.TimeMachineText, DataModule):
    """The Time Machine as one list of characters, and every window of it.

    Args:
        batch_size: rows of a minibatch.
        num_steps: length of the windows.
        num_train, num_val: how many windows there are to train with, and how many are held out.
    """

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
        self.W_xh = d2l.randn(num_inputs, num_hiddens) * sigma
        self.W_hh = d2l.randn(num_hiddens, num_hiddens) * sigma
        self.b_h = d2l.zeros(num_hiddens)

    def forward(self, inputs, state=None):
        """Return the state after each step, as a list, and the last state (n, num_hiddens).

        Args:
            inputs: (num_steps, n, num_inputs).
            state: what holds one state, (1, n, num_hiddens) or a tuple; None begins with zeros.
        """
        if not isinstance(inputs, np.ndarray):
            inputs = np.stack(list(inputs))
        if state is None:
            H = d2l.zeros((inputs.shape[1], self.num_hiddens), ctx=inputs.ctx)
        else:
            (H,) = state
        outputs = []
        for X in inputs:  # all steps' products at once would cost more on the way back
            Z = d2l.matmul(X, self.W_xh) + d2l.matmul(H, self.W_hh)
            H = d2l.tanh(Z + self.b_h)
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
        self.W_hq = d2l.randn(self.rnn.num_hiddens, self.vocab_size) * self.rnn.sigma
        self.b_q = d2l.zeros(self.vocab_size)
        for param in self.get_scratch_params():
            param.attach_grad()

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
        return npx.one_hot(X.T, self.vocab_size)

    def output_layer(self, rnn_outputs):
        """Return the scores (n, num_steps, vocab_size) of outputs of the steps."""
        if not isinstance(rnn_outputs, np.ndarray):
            rnn_outputs = d2l.stack(list(rnn_outputs))
        return d2l.matmul(rnn_outputs.swapaxes(0, 1), self.W_hq) + self.b_q

    def forward(self, X, state=None):
        """Return the scores (n, num_steps, vocab_size) of the token that follows each of X."""
        rnn_outputs, _ = self.rnn(self.one_hot(X), state)
        return self.output_layer(rnn_outputs)

    def predict(self, prefix, num_preds, vocab, device=None):
        """Return prefix and the num_preds tokens that seem likeliest after it, as a string."""
        check_prediction(prefix, num_preds)
        state, outputs = None, [vocab[prefix[0]]]
        for i in range(1, len(prefix) + num_preds):
            X = d2l.tensor([[outputs[-1]]], ctx=device)
            rnn_outputs, state = self.rnn(self.one_hot(X), state)
            if i < len(prefix):  # the state warms up
                outputs.append(vocab[prefix[i]])
            else:
                Y = self.output_layer(rnn_outputs)
                outputs.append(int(d2l.reshape(d2l.argmax(Y, axis=2), -1)[0]))
        return "".join(vocab.idx_to_token[i] for i in outputs)


class RNN(Module):
    """The recurrent network with Gluon's own layer.

    Args:
        num_hiddens: size of the state.
    """

    def __init__(self, num_hiddens):
        """Make the layer."""
        super().__init__()
        self.save_hyperparameters()
        self.rnn = rnn.RNN(num_hiddens)

    def forward(self, inputs, H=None):
        """Return the state after each step (num_steps, n, num_hiddens), and the last state."""
        if H is None:
            (H,) = self.rnn.begin_state(inputs.shape[1], ctx=inputs.ctx)
        outputs, (H,) = self.rnn(inputs, (H,))
        return outputs, H


class RNNLM(RNNLMScratch):
    """A language model around a recurrent network, with Gluon's own output layer."""

    def init_params(self):
        """Make the output layer, and draw all weights as Gluon does."""
        self.linear = nn.Dense(self.vocab_size, flatten=False)
        self.initialize()

    def output_layer(self, hiddens):
        """Return the scores (n, num_steps, vocab_size) of states (num_steps, n, num_hiddens)."""
        return d2l.swapaxes(self.linear(hiddens), 0, 1)


class GRU(RNN):
    """A deep GRU with Gluon's own layer.

    Args:
        num_hiddens, num_layers: size of each state; how many layers.
        dropout: the share of the states between layers that is left out in training.
    """

    def __init__(self, num_hiddens, num_layers, dropout=0):
        """Make the layers."""
        d2l.Module.__init__(self)
        self.save_hyperparameters()
        self.rnn = rnn.GRU(num_hiddens, num_layers, dropout=dropout)
