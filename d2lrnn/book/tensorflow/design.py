"""Module, DataModule and Trainer in TensorFlow (section 3.2)."""

import sys

import numpy as np

from d2lrnn.book.objects import HyperParameters
from d2lrnn.book.tensorflow import bases, graphs
from d2lrnn.book.tensorflow.basics import grad_clipping
from d2lrnn.book.tensorflow.framework import keras, tf
from d2lrnn.book.tensorflow.own_code import may_be_compiled

d2l = sys.modules[__package__]


class Module(bases.Module, keras.Model):
    """The base class of models (section 3.2)."""

    training = None

    def call(self, X, *args, **kwargs):
        """Return the outputs of ``forward`` for X; store ``training``, if it is given."""
        if "training" in kwargs:
            self.training = kwargs["training"]
        return self.forward(X, *args)

    def plot(self, key, value, train):
        """Add a point to the board: of a training step, or of a validation minibatch.

        Args:
            key: the quantity, such as "loss"; the curves are "train_loss" and "val_loss".
            value: a tensor of one element.
            train: whether the value comes from training.
        """
        if tf.executing_eagerly():
            super().plot(key, value, train)
        else:  # the trainer plots the values of a graph after it has run
            self.trainer.measured.append((key, value, train))


class DataModule(bases.DataModule):
    """The base class of data (section 3.2)."""

    id_dtype = np.int32


class Trainer(bases.Trainer):
    """Train a model on data: epoch after epoch, step after step.

    Steps run as a graph if all of their code belongs to d2lrnn, Keras or TensorFlow. A student's
    own method, layer or optimizer runs line by line, and the whole step with it.
    ``num_gpus`` is ignored: the device of TensorFlow's tensors is that of a ``with`` block.
    """

    def prepare_batch(self, batch):
        """Return the minibatch itself; its device is that of a ``with`` block."""
        return batch

    def prepare_model(self, model):
        """Connect the model to this trainer, and prepare to compile the steps."""
        super().prepare_model(model)
        self.measured = []
        steps = (self._gradients, self._measures, self._apply)
        settings = {"uses": self._uses, "first": 2}
        self._steps = [
            graphs.GraphFunction(step, self._runs_own_code, **settings) for step in steps
        ]

    def _runs_own_code(self):
        """Return whether no function of a student runs in a step; a graph would run it once."""
        return may_be_compiled(self.model, self.optim, self.clip_gradients)

    def _uses(self):
        """Return what a graph of a step depends on: settings, the optimizer, layers, variables."""
        rates = [value for value in vars(self.optim).values() if isinstance(value, (int, float))]
        functions = [value for value in vars(self.model).values() if callable(value)]
        variables = self.model.trainable_variables
        return [self.gradient_clip_val, self.optim, *rates, *functions, *variables]

    def _gradients(self, *batch):
        """Return the gradients of a training step, its loss, and the values to plot."""
        self.measured.clear()
        with tf.GradientTape() as tape:
            loss = self.model.training_step(batch)
        grads = tape.gradient(loss, self.model.trainable_variables)
        return grads, tf.reduce_sum(loss), self._values()

    def _measures(self, *batch):
        """Return the values to plot of a validation minibatch."""
        self.measured.clear()
        self.model.validation_step(batch)
        return self._values()

    def _values(self):
        """Return the values to plot by their names; without a graph they have been plotted."""
        return {f"{int(train)}{key}": value for key, value, train in self.measured}

    def _plot(self, values):
        for name, value in values.items():
            self.model.plot(name[1:], value, name[0] == "1")

    def _apply(self, *grads):
        """Clip the gradients and update the variables."""
        pairs = zip(grads, self.model.trainable_variables)
        grads, variables = zip(*((grad, v) for grad, v in pairs if grad is not None))
        if self.gradient_clip_val > 0:
            dense = [tf.convert_to_tensor(grad) for grad in grads]
            grads = self.clip_gradients(self.gradient_clip_val, dense)
        self.optim.apply_gradients(zip(grads, variables))

    def _train_batch(self, batch):
        gradients, _, update = self._steps
        grads, loss, values = gradients(*batch)
        self._note(loss)
        self._plot(values)
        update(*grads)

    def _validate_batch(self, batch):
        self._plot(self._steps[1](*batch))

    def clip_gradients(self, grad_clip_val, grads):
        """Return the gradients scaled to a joint norm of at most grad_clip_val."""
        return grad_clipping(grads, float(grad_clip_val))


class SGD(HyperParameters):
    """Stochastic gradient descent (section 3.4)."""

    def __init__(self, lr):
        """Store the learning rate."""
        self.save_hyperparameters()

    def apply_gradients(self, grads_and_vars):
        """Update each variable by its gradient."""
        for grad, param in grads_and_vars:
            param.assign_sub(self.lr * grad)
