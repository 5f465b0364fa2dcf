"""Language models and their training, in MXNet (the book's sections 8.5 and 8.6)."""

import sys

from d2lrnn.book.classic.mxnet import generation, training
from d2lrnn.book.classic.mxnet.basics import gluon
from d2lrnn.mxnet.framework import autograd, mxnet, npx

d2l = sys.modules[__package__]


class RNNModelScratch:
    """A language model of three functions: parameters, first state and forward computation."""

    def __init__(self, vocab_size, num_hiddens, device, get_params, init_state, forward_fn):
        """Make the parameters: get_params(vocab_size, num_hiddens, device)."""
        self.vocab_size, self.num_hiddens = vocab_size, num_hiddens
        self.params = get_params(vocab_size, num_hiddens, device)
        self.init_state, self.forward_fn = init_state, forward_fn

    def __call__(self, X, state):
        """Return the scores (T * n, V) for ids X (n, T), and the new state."""
        return self.forward_fn(npx.one_hot(X.T, self.vocab_size), state, self.params)

    def begin_state(self, batch_size, ctx):
        """Return the state before the first time step."""
        return self.init_state(batch_size, self.num_hiddens, ctx)


class RNNModel(gluon.nn.Block):
    """A language model of one of Gluon's recurrent layers and a dense output layer."""

    def __init__(self, rnn_layer, vocab_size, **kwargs):
        """Add the output layer."""
        super().__init__(**kwargs)
        self.rnn, self.vocab_size = rnn_layer, vocab_size
        self.dense = gluon.nn.Dense(vocab_size)

    def forward(self, inputs, state):
        """Return the scores (T * n, V) for ids (n, T), and the new state."""
        Y, state = self.rnn(npx.one_hot(inputs.T, self.vocab_size), state)
        return self.dense(Y.reshape(-1, Y.shape[-1])), state

    def begin_state(self, *args, **kwargs):
        """Return the state before the first time step, as the layer returns it."""
        return self.rnn.begin_state(*args, **kwargs)


def predict_ch8(prefix, num_preds, net, vocab, device):
    """Return the prefix and num_preds predicted tokens, each the one with the highest score."""

    def step(index, state):
        return net(d2l.reshape(d2l.tensor([index], ctx=device), (1, 1)), state)

    state = net.begin_state(batch_size=1, ctx=device)
    return generation.generate(prefix, num_preds, vocab, step, generation.best, state)


def make_step(net, loss, updater, device):
    """Return a function (X, Y, state) -> (mean loss, new state), which trains on a minibatch."""

    def step(X, Y, state):
        X, y = X.as_in_ctx(device), Y.T.reshape(-1).as_in_ctx(device)  # time-major, as scores are
        state = training.detached(state)
        with autograd.record():
            y_hat, state = net(X, state)
            mean = loss(y_hat, y).mean()
        mean.backward()
        d2l.grad_clipping(net, 1)
        updater(batch_size=1)  # the loss is a mean already
        return mean.detach(), state

    return step


def train_epoch_ch8(net, train_iter, loss, updater, device, use_random_iter):
    """Train for one epoch; return the perplexity and the tokens per second.

    updater is a function of batch_size.
    """
    started = training.Started(net, ctx=device)
    step = make_step(net, loss, updater, device)
    return training.epoch(started, train_iter, step, use_random_iter)


def train_ch8(net, train_iter, vocab, lr, num_epochs, device, use_random_iter=False):
    """Train a language model by gradient descent, clipped at 1, and print what it predicts.

    A Gluon net is initialized again, with weights from N(0, 0.01²).
    """
    if isinstance(net, gluon.Block):
        net.initialize(ctx=device, force_reinit=True, init=mxnet.init.Normal(0.01))
        updater = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": lr}).step
    else:

        def updater(batch_size):
            d2l.sgd(net.params, lr, batch_size)

    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    training.train(
        lambda: d2l.train_epoch_ch8(net, train_iter, loss, updater, device, use_random_iter),
        lambda prefix: d2l.predict_ch8(prefix, 50, net, vocab, device),
        num_epochs,
        device,
        samples=False,
    )
