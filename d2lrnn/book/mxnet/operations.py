"""What the shared code of edition 1.0 needs from MXNet."""

import sys

import numpy as host

from d2lrnn.mxnet.framework import mxnet, np, npx

from .defaults import *  # noqa: F403

d2l = sys.modules[__package__]
gluon, init, nn, rnn = mxnet.gluon, mxnet.init, mxnet.gluon.nn, mxnet.gluon.rnn


class Loader(mxnet.gluon.data.DataLoader):
    """Gluon's loader of minibatches, which takes the rows of a minibatch at once."""

    def __iter__(self):
        """Yield the minibatches, as lists of arrays."""
        arrays = self._dataset._data
        for rows in self._batch_sampler:
            rows = host.asarray(rows)
            yield [np.array(array[rows], dtype=array.dtype) for array in arrays]


def load_array(data_arrays, batch_size, is_train=True):
    """Return a loader of minibatches of the rows of the arrays; shuffled for training."""
    arrays = [a.asnumpy() if isinstance(a, np.ndarray) else a for a in data_arrays]
    return Loader(gluon.data.ArrayDataset(*arrays), batch_size, shuffle=is_train)


embedding = nn.Embedding


def optimizer(name, model):
    """Return the optimizer of this name for a model, whose parameters may be arrays."""
    params = model.parameters()
    if isinstance(params, list):
        return d2l.SGD(params, model.lr)
    return gluon.Trainer(params, name.lower(), {"learning_rate": model.lr})


def linear(num_outputs, sigma=None):
    """Return a linear layer of the last axis, with weights from N(0, sigma²) if sigma is given."""
    layer = nn.Dense(num_outputs, flatten=False)
    if sigma is not None:
        layer.initialize(init.Normal(sigma=sigma))
    return layer


def classification_layers(num_outputs):
    """Return a layer that flattens images and computes an output for each class."""
    layer = nn.Dense(num_outputs)
    layer.initialize()
    return layer


def regression_parameters(num_inputs, sigma):
    """Return weights (num_inputs, 1) from N(0, sigma²) and a bias of zero, with gradients."""
    params = d2l.normal(0, sigma, (num_inputs, 1)), d2l.zeros(1)
    for param in params:
        param.attach_grad()
    return params


def regression_loss(y_hat, y):
    """Return the mean of half the squared errors."""
    return gluon.loss.L2Loss()(y_hat, y).mean()


def weight_and_bias(layer):
    """Return the weights and the bias of a linear layer."""
    return layer.weight.data(), layer.bias.data()


def prepare_arrays(model):
    """Attach gradients to the arrays of a new model."""
    for param in model.get_scratch_params():
        param.attach_grad()


def prepare_layers(model):
    """Initialize the layers of a new model with Gluon's initial weights."""
    model.initialize()


def one_hot(X, size):
    """Return ids (n, num_steps) as one-hot rows (num_steps, n, size)."""
    return npx.one_hot(X.T, size)


def initialize_encoder(encoder):
    """Initialize the weights as Glorot and Bengio (2010) do."""
    encoder.initialize(init.Xavier())


def time_steps(inputs):
    """Return inputs, an array or a sequence of arrays, as an array (num_steps, n, d)."""
    return inputs if isinstance(inputs, np.ndarray) else np.stack(list(inputs))


def first_state(rnn, inputs, state):
    """Return the only state of a sequence, or zeros (n, num_hiddens) for None."""
    if state is None:
        return d2l.zeros((inputs.shape[1], rnn.num_hiddens), ctx=inputs.ctx)
    (H,) = state
    return H


def input_products(inputs, W, b):
    """Yield the product of each step; one product for all steps has a slower backward pass."""
    return (d2l.matmul(X, W) + b for X in inputs)


def weight(rows, columns, sigma):
    """Return a matrix from N(0, sigma²)."""
    return d2l.randn(rows, columns) * sigma


def bias(size):
    """Return a vector of zeros."""
    return d2l.zeros(size)


def cross_entropy(rows, labels, averaged):
    """Return the mean cross-entropy of scores (n, q) for labels (n,), or each row's."""
    losses = gluon.loss.SoftmaxCrossEntropyLoss()(rows, labels)
    return losses.mean() if averaged else losses


def id_tensor(index, device):
    """Return a token id as an array (1, 1)."""
    return d2l.tensor([[index]], ctx=device)
