"""The models of the first chapters in JAX: regression and classifiers."""

import sys
from functools import partial

import jax
import optax
from flax import linen as nn
from jax import numpy as jnp

from d2lrnn.book.jax.design import Module, loss_and_gradients

d2l = sys.modules[__package__]


class LinearRegressionScratch(Module):
    """Linear regression from scratch (section 3.4)."""

    num_inputs: int
    lr: float
    sigma: float = 0.01

    def setup(self):
        """Draw the weights (num_inputs, 1) from N(0, sigma²)."""
        self.w = self.param("w", nn.initializers.normal(self.sigma), (self.num_inputs, 1))
        self.b = self.param("b", nn.initializers.zeros, (1,))

    def forward(self, X):
        """Return X w + b."""
        return d2l.matmul(X, self.w) + self.b

    def loss(self, params, X, y, state):  # type: ignore[override]  # the book's arguments
        """Return the mean of half the squared errors."""
        y_hat = state.apply_fn({"params": params}, *X)
        return d2l.reduce_mean((y_hat - d2l.reshape(y, y_hat.shape)) ** 2) / 2

    def configure_optimizers(self):
        """Return the optimizer."""
        return d2l.SGD(self.lr)


class LinearRegression(Module):
    """Linear regression with Flax's own layer (section 3.5)."""

    lr: float

    def setup(self):
        """Make the layer, with weights drawn from N(0, 0.01²)."""
        self.net = nn.Dense(1, kernel_init=nn.initializers.normal(0.01))

    def forward(self, X):
        """Return the outputs of the layer for X."""
        return self.net(X)

    @partial(jax.jit, static_argnums=0)
    def loss(self, params, X, y, state):
        """Return the mean of half the squared errors."""
        return d2l.reduce_mean(optax.l2_loss(state.apply_fn({"params": params}, *X), y))

    def get_w_b(self, state):
        """Return the weights and the bias of a trainer's state."""
        return state.params["net"]["kernel"], state.params["net"]["bias"]


class Classifier(Module):
    """The base class of models that choose one of several classes (section 4.3)."""

    def training_step(self, params, batch, state):
        """Return ((loss, changed variables), gradients) of a minibatch, and plot the loss."""
        value, grads = loss_and_gradients(self, params, batch, state, has_aux=True)
        self.plot("loss", value[0], train=True)
        return value, grads

    def validation_step(self, params, batch, state):
        """Plot the loss and the accuracy of a validation minibatch (inputs..., targets)."""
        *X, Y = batch
        self.plot("loss", self.loss(params, tuple(X), Y, state)[0], train=False)
        self.plot("acc", self.accuracy(params, tuple(X), Y, state), train=False)

    @partial(jax.jit, static_argnums=(0, 5))
    def accuracy(self, params, X, Y, state, averaged=True):
        """Return the share of rows whose largest output is at the target, or 1 or 0 for each."""
        Y_hat = state.apply_fn({"params": params, "batch_stats": state.batch_stats}, *X)
        rows = d2l.reshape(Y_hat, (-1, Y_hat.shape[-1]))
        chosen = d2l.astype(d2l.argmax(rows, axis=1), Y.dtype)
        right = d2l.astype(chosen == d2l.reshape(Y, -1), d2l.float32)
        return d2l.reduce_mean(right) if averaged else right

    @partial(jax.jit, static_argnums=(0, 5))
    def loss(self, params, X, Y, state, averaged=True):
        """Return the mean cross-entropy, or each row's, and the variables that have changed."""
        variables = {"params": params, "batch_stats": state.batch_stats}
        rngs = {"dropout": state.dropout_rng}
        Y_hat, changed = state.apply_fn(variables, *X, mutable=["batch_stats"], rngs=rngs)
        rows = d2l.reshape(Y_hat, (-1, Y_hat.shape[-1]))
        labels = d2l.reshape(Y, (-1,))
        losses = optax.softmax_cross_entropy_with_integer_labels(rows, labels)
        return (losses.mean() if averaged else losses), changed

    def layer_summary(self, X_shape, key=None):
        """Print the shapes of the outputs of the layers of ``net`` for an input of a shape."""
        X = jnp.zeros(X_shape)
        variables = self.init(jax.random.PRNGKey(0) if key is None else key, X)
        bound = self.clone().bind(variables, mutable=["batch_stats"])
        bound(X)
        for layer in bound.net.layers:
            X = layer(X)
            print(f"{type(layer).__name__} output shape:\t", X.shape)


class SoftmaxRegression(Classifier):
    """Softmax regression (section 4.5)."""

    num_outputs: int
    lr: float

    @nn.compact
    def __call__(self, X):
        """Return the scores of the classes."""
        return nn.Dense(self.num_outputs)(X.reshape(X.shape[0], -1))
