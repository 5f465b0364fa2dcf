"""The book's Module, DataModule and Trainer in JAX, and the models of its first chapters."""

import sys
from dataclasses import field
from typing import Any

import jax
import numpy as np
import optax
from flax import linen as nn
from flax.training import train_state
from jax import numpy as jnp

from d2lrnn.book.jax import bases
from d2lrnn.book.jax.board import ProgressBoard
from d2lrnn.book.jax.former import FormerCells
from d2lrnn.book.jax.own_code import is_own_code
from d2lrnn.book.objects import HyperParameters
from d2lrnn.book.replaced import replaced

d2l = sys.modules[__package__]


class Module(FormerCells, bases.ModelPlots, nn.Module, HyperParameters):
    """The base class of models (section 3.2); its settings are the fields of a dataclass."""

    plot_train_per_epoch: int = field(default=2, init=False)
    plot_valid_per_epoch: int = field(default=1, init=False)
    board: ProgressBoard = field(default_factory=lambda: d2l.ProgressBoard(), init=False)

    def loss(self, y_hat, y):
        """Return the mean loss; each model has its own, of (params, inputs, targets, state)."""
        raise NotImplementedError(f"{type(self).__name__} needs loss(self, params, X, y, state)")

    def forward(self, X, *args, **kwargs):
        """Return what the network ``net`` makes of X."""
        assert hasattr(self, "net"), "the model has neither a network net nor a method forward"
        return self.net(X, *args, **kwargs)

    def __call__(self, X, *args, **kwargs):
        """Return what ``forward`` makes of X."""
        return self.forward(X, *args, **kwargs)

    def training_step(self, params, batch, state):
        """Return (loss, gradients) of a minibatch (inputs..., targets), and plot the loss."""
        l, grads = loss_and_gradients(self, params, batch, state, has_aux=False)
        self.plot("loss", l, train=True)
        return l, grads

    def validation_step(self, params, batch, state):
        """Plot the loss of a minibatch (inputs..., targets) that was held out."""
        self.plot("loss", self.loss(params, batch[:-1], batch[-1], state), train=False)

    def apply_init(self, dummy_input, key):
        """Return the variables of the model, of the sizes that the inputs (a tuple) ask for."""
        return self.init(key, *dummy_input)

    def configure_optimizers(self):
        """Return what makes the updates: stochastic gradient descent at the rate ``lr``."""
        return optax.sgd(self.lr)

    def _number(self, value):
        return d2l.to(value, d2l.cpu())


def _loss_and_gradients(model, params, batch, state, has_aux):
    differentiated = jax.value_and_grad(model.loss, has_aux=has_aux)
    return differentiated(params, batch[:-1], batch[-1], state)


_compiled = jax.jit(_loss_and_gradients, static_argnums=(0, 4))


def loss_and_gradients(model, params, batch, state, *, has_aux):
    """Return a model's loss and its gradients: compiled as one, if the loss is itself compiled."""
    compute = _compiled if hasattr(type(model).loss, "lower") else _loss_and_gradients
    return compute(model, params, tuple(batch), state, has_aux)


class ArrayLoader:
    """Minibatches of the rows of arrays, as tuples of NumPy arrays.

    Args:
        arrays: of as many rows each.
        batch_size: rows of a minibatch; the last may have fewer.
        shuffle: take the rows in a new order each time, which Python's ``random`` decides on.
    """

    def __init__(self, arrays, batch_size, shuffle):
        """Keep the arrays where NumPy finds them."""
        self.arrays = tuple(np.asarray(array) for array in arrays)
        self.batch_size, self.shuffle = batch_size, shuffle

    def __len__(self):
        """Return the number of minibatches."""
        return -(-len(self.arrays[0]) // self.batch_size)

    def __iter__(self):
        """Yield the minibatches."""
        order = np.arange(len(self.arrays[0]))
        if self.shuffle:
            np.random.default_rng(d2l.get_seed()).shuffle(order)
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            yield tuple(array[rows] for array in self.arrays)


class DataModule(bases.DataLoaders):
    """The base class of data (section 3.2)."""

    def __init__(self, root="../data"):
        """Take the folder that files are looked for in."""
        self.save_hyperparameters()

    def get_tensorloader(self, tensors, train, indices=slice(0, None)):
        """Return a loader of minibatches of the rows indices of the arrays; shuffled to train."""
        return ArrayLoader([tensor[indices] for tensor in tensors], self.batch_size, train)


class TrainState(train_state.TrainState):
    """The parameters in training, with what models with dropout or batch norm need."""

    batch_stats: Any
    dropout_rng: jax.Array


class Trainer(bases.TrainerBase):
    """Trains a model on data: epoch after epoch, step after step; ``state`` holds the parameters.

    Args:
        max_epochs: how often to go through the data.
        num_gpus: how many GPUs to use, if there are as many; one is enough for these chapters.
        gradient_clip_val: what the joint norm of the gradients is cut down to; 0 leaves it. The
            book's own JAX code forgets it.
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
        is_own = not replaced(d2l) and is_own_code(self.model)
        apply_init = jax.jit(self.model.apply_init) if is_own else self.model.apply_init
        return apply_init(inputs, key=key)

    def fit_epoch(self):
        """Train for one epoch, and then look at what was held out."""
        self.model.training = True
        for batch in self.train_dataloader:
            value, grads = self.model.training_step(
                self.state.params, self.prepare_batch(batch), self.state
            )
            self._note(jax.tree_util.tree_leaves(value)[0])  # (loss, changed variables), or a loss
            self.state = self._update(self.state, grads)
            if self.state.batch_stats:
                self.state = self.state.replace(batch_stats=value[1]["batch_stats"])
            self.train_batch_idx += 1
        if self.val_dataloader is None:
            return
        self.model.training = False
        for batch in self.val_dataloader:
            self.model.validation_step(self.state.params, self.prepare_batch(batch), self.state)
            self.val_batch_idx += 1

    def _clipped_update(self, state, grads):
        if self.gradient_clip_val > 0:
            grads = self.clip_gradients(self.gradient_clip_val, grads)
        state = state.apply_gradients(grads=grads)
        return state.replace(dropout_rng=jax.random.split(state.dropout_rng)[0])

    def clip_gradients(self, grad_clip_val, grads):
        """Return the gradients scaled to a joint norm of grad_clip_val at most."""
        norm = jnp.sqrt(sum((grad**2).sum() for grad in jax.tree_util.tree_leaves(grads)))
        scale = grad_clip_val / jnp.maximum(norm, grad_clip_val)
        return jax.tree_util.tree_map(lambda grad: grad * scale, grads)


class SyntheticRegressionData(DataModule):
    """Inputs drawn at random, and targets that depend on them linearly (section 3.3)."""

    def __init__(self, w, b, noise=0.01, num_train=1000, num_val=1000, batch_size=32):
        """Draw X (n, len(w)) from N(0, 1) and y = X w + b + noise; the same each time."""
        super().__init__()
        self.save_hyperparameters()
        n = num_train + num_val
        inputs_key, noise_key = jax.random.split(jax.random.PRNGKey(0))
        self.X = jax.random.normal(inputs_key, (n, w.shape[0]))
        column = d2l.reshape(w, (-1, 1))
        self.y = d2l.matmul(self.X, column) + b + jax.random.normal(noise_key, (n, 1)) * noise

    def get_dataloader(self, train):
        """Return the first num_train rows to train with, or the others."""
        rows = slice(0, self.num_train) if train else slice(self.num_train, None)
        return self.get_tensorloader((self.X, self.y), train, rows)


class SGD(HyperParameters):
    """Stochastic gradient descent, as Optax asks for it (section 3.4)."""

    def __init__(self, lr):
        """Take the learning rate."""
        self.save_hyperparameters()

    def init(self, params):
        """Return what is kept between updates: nothing."""
        return optax.EmptyState()

    def update(self, updates, state, params=None):
        """Return what to add to the parameters, given their gradients."""
        return jax.tree_util.tree_map(lambda grad: -self.lr * grad, updates), state

    def __call__(self):
        """Return this as Optax's own kind of optimizer."""
        return optax.GradientTransformation(self.init, self.update)
