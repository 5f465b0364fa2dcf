"""Module and Trainer in JAX (section 3.2)."""

import sys
from dataclasses import field
from typing import Any

import jax
import optax
from flax import linen as nn
from flax.training import train_state
from jax import numpy as jnp

from d2lrnn.book.jax import bases
from d2lrnn.book.jax.bases import DataModule as DataModule
from d2lrnn.book.jax.board import ProgressBoard
from d2lrnn.book.jax.former import FormerCells
from d2lrnn.book.jax.own_code import is_own_code, may_be_compiled
from d2lrnn.book.objects import HyperParameters

d2l = sys.modules[__package__]


class Module(FormerCells, bases.ModelPlots, nn.Module):
    """The base class of models, which are dataclasses (section 3.2)."""

    plot_train_per_epoch: int = field(default=2, init=False)
    plot_valid_per_epoch: int = field(default=1, init=False)
    board: ProgressBoard = field(default_factory=lambda: d2l.ProgressBoard(), init=False)

    def loss(self, y_hat, y):
        """Return the mean loss; each model defines loss(self, params, X, y, state)."""
        raise NotImplementedError(f"{type(self).__name__} needs loss(self, params, X, y, state)")

    def forward(self, X, *args, **kwargs):
        """Return the outputs of the network ``net`` for X."""
        assert hasattr(self, "net"), "the model has neither a network net nor a method forward"
        return self.net(X, *args, **kwargs)

    def __call__(self, X, *args, **kwargs):
        """Return the outputs of ``forward`` for X."""
        return self.forward(X, *args, **kwargs)

    def training_step(self, params, batch, state):
        """Return (loss, gradients) of a minibatch (inputs..., targets), and plot the loss."""
        l, grads = loss_and_gradients(self, params, batch, state, has_aux=False)
        self.plot("loss", l, train=True)
        return l, grads

    def validation_step(self, params, batch, state):
        """Plot the loss of a validation minibatch (inputs..., targets)."""
        compute: Any = self.loss  # that of a model has other arguments, as in the book
        self.plot("loss", compute(params, batch[:-1], batch[-1], state), train=False)

    def apply_init(self, dummy_input, key):
        """Return the variables of the model for inputs like these, a tuple."""
        return self.init(key, *dummy_input)

    def configure_optimizers(self):
        """Return the optimizer: stochastic gradient descent with the learning rate ``lr``."""
        return optax.sgd(self.lr)

    def _number(self, value):
        return d2l.to(value, d2l.cpu())


def _loss_and_gradients(model, params, batch, state, has_aux):
    differentiated = jax.value_and_grad(model.loss, has_aux=has_aux)
    return differentiated(params, batch[:-1], batch[-1], state)


_compiled_loss_and_gradients = jax.jit(_loss_and_gradients, static_argnums=(0, 4))


def loss_and_gradients(model, params, batch, state, *, has_aux):
    """Return a model's loss and gradients, compiled together if the loss is compiled."""
    compute = (
        _compiled_loss_and_gradients if hasattr(type(model).loss, "lower") else _loss_and_gradients
    )
    return compute(model, params, tuple(batch), state, has_aux)


class TrainState(train_state.TrainState):
    """The parameters during training, batch statistics, and a random key for dropout."""

    batch_stats: Any
    dropout_rng: jax.Array


class Trainer(bases.Trainer):
    """Train a model on data: epoch after epoch, step after step; ``state`` has the parameters.

    The gradients are clipped by ``gradient_clip_val``, which the book's own JAX code ignores.
    """

    def fit(self, model, data, key=None):
        """Train the model on a DataModule's minibatches for max_epochs epochs.

        Args:
            model, data: the two.
            key: a random key for the first parameters and for dropout; None draws one.
        """
        self.prepare_data(data)
        self.prepare_model(model)
        self.optim = model.configure_optimizers()
        params_key, dropout_key = jax.random.split(d2l.get_key() if key is None else key)
        inputs = next(iter(self.train_dataloader))[:-1]
        variables = self._variables(inputs, {"params": params_key, "dropout": dropout_key})
        self.state = TrainState.create(
            apply_fn=model.apply,
            params=variables["params"],
            batch_stats=variables.get("batch_stats", {}),
            dropout_rng=dropout_key,
            tx=self.optim,
        )
        # Compiled code runs once, so a student's own functions are never compiled.
        is_own = is_own_code(self.clip_gradients, self.optim)
        self._update = jax.jit(self._clipped_update) if is_own else self._clipped_update
        self._run()

    def _variables(self, inputs, key):
        """Return the first variables; a compiled apply_init computes nothing else."""
        apply_init = self.model.apply_init
        apply_init = jax.jit(apply_init) if may_be_compiled(self.model) else apply_init
        return apply_init(inputs, key=key)

    def _train_batch(self, batch):
        value, grads = self.model.training_step(self.state.params, batch, self.state)
        self._note(jax.tree_util.tree_leaves(value)[0])  # (loss, changed variables), or a loss
        self.state = self._update(self.state, grads)
        if self.state.batch_stats:
            self.state = self.state.replace(batch_stats=value[1]["batch_stats"])

    def _validate_batch(self, batch):
        self.model.validation_step(self.state.params, batch, self.state)

    def _clipped_update(self, state, grads):
        if self.gradient_clip_val > 0:
            grads = self.clip_gradients(self.gradient_clip_val, grads)
        state = state.apply_gradients(grads=grads)
        return state.replace(dropout_rng=jax.random.split(state.dropout_rng)[0])

    def clip_gradients(self, grad_clip_val, grads):
        """Return the gradients scaled to a joint norm of at most grad_clip_val."""
        norm = jnp.sqrt(sum((grad**2).sum() for grad in jax.tree_util.tree_leaves(grads)))
        scale = grad_clip_val / jnp.maximum(norm, grad_clip_val)
        return jax.tree_util.tree_map(lambda grad: grad * scale, grads)


class SGD(HyperParameters):
    """Stochastic gradient descent with the interface of Optax (section 3.4)."""

    def __init__(self, lr):
        """Store the learning rate."""
        self.save_hyperparameters()

    def init(self, params):
        """Return the state of the optimizer, which is empty."""
        return optax.EmptyState()

    def update(self, updates, state, params=None):
        """Return the changes of the parameters for their gradients, and the state."""
        return jax.tree_util.tree_map(lambda grad: -self.lr * grad, updates), state

    def __call__(self):
        """Return this optimizer as a transformation of Optax."""
        return optax.GradientTransformation(self.init, self.update)
