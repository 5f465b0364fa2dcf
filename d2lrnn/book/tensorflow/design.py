"""The book's Module, DataModule and Trainer in TensorFlow."""

import sys

from d2lrnn.book.objects import HyperParameters
from d2lrnn.book.replaced import replaced
from d2lrnn.book.tensorflow import bases, graphs, names_1_0
from d2lrnn.book.tensorflow.framework import keras, tf
from d2lrnn.book.tensorflow.own_code import is_own_code
from d2lrnn.book.tensorflow.tensors import grad_clipping, load_array

d2l = sys.modules[__package__]


class Module(bases.ModelPlots, keras.Model, HyperParameters):
    """The base class of models (section 3.2).

    Args:
        plot_train_per_epoch, plot_valid_per_epoch: how many points an epoch adds to the board.
    """

    def __init__(self, plot_train_per_epoch=2, plot_valid_per_epoch=1):
        """Take the settings, and a board to draw on."""
        super().__init__()
        self.save_hyperparameters()
        self.board = d2l.ProgressBoard()
        self.training = None

    def loss(self, y_hat, y):
        """Return the mean loss of the outputs y_hat for the targets y; each model has its own."""
        raise NotImplementedError(f"{type(self).__name__} needs a method loss(self, y_hat, y)")

    def forward(self, X):
        """Return what the network ``net`` makes of X."""
        assert hasattr(self, "net"), "the model has neither a network net nor a method forward"
        return self.net(X)

    def call(self, X, *args, **kwargs):
        """Return what ``forward`` makes of X; keep ``training``, if it is given."""
        if "training" in kwargs:
            self.training = kwargs["training"]
        return self.forward(X, *args)

    def plot(self, key, value, train):
        """Add a point to the board: of a training step, or of a minibatch held out.

        Args:
            key: what it is, such as "loss"; the curves are "train_loss" and "val_loss".
            value: a tensor of one element.
            train: whether it comes from training.
        """
        if tf.executing_eagerly():
            super().plot(key, value, train)
        else:  # the trainer plots the values of a graph after it has run
            self.trainer.measured.append((key, value, train))

    def training_step(self, batch):
        """Return the loss of a minibatch (inputs..., targets), and plot it."""
        l = self.loss(self(*batch[:-1]), batch[-1])
        self.plot("loss", l, train=True)
        return l

    def validation_step(self, batch):
        """Plot the loss of a minibatch (inputs..., targets) that was held out."""
        l = self.loss(self(*batch[:-1]), batch[-1])
        self.plot("loss", l, train=False)

    def configure_optimizers(self):
        """Return what makes the updates: stochastic gradient descent at the rate ``lr``."""
        return keras.optimizers.SGD(self.lr)

    def _number(self, value):
        return d2l.numpy(value)


class DataModule(bases.DataLoaders):
    """The base class of data (section 3.2)."""

    def __init__(self, root="../data"):
        """Take the folder that files are looked for in."""
        self.save_hyperparameters()

    def get_tensorloader(self, tensors, train, indices=slice(0, None)):
        """Return a dataset of minibatches of the rows indices of the tensors; shuffled to train."""
        return load_array([tensor[indices] for tensor in tensors], self.batch_size, train)


class Trainer(bases.TrainerBase):
    """Train a model on data: epoch after epoch, step after step.

    Steps run as a graph if all of their code belongs to d2lrnn, Keras or TensorFlow. A student's
    own method, layer or optimizer runs line by line, and the whole step with it.

    Args:
        max_epochs: how often to go through the data.
        num_gpus: is taken and ignored; TensorFlow's tensors go where a ``with`` block says.
        gradient_clip_val: what the joint norm of the gradients is cut down to; 0 leaves it.
    """

    def prepare_batch(self, batch):
        """Return the minibatch; TensorFlow's tensors go where a ``with`` block says."""
        return batch

    def prepare_model(self, model):
        """Connect the model to this trainer, and prepare to compile the steps."""
        super().prepare_model(model)
        self.measured = []
        self._train = graphs.Compiled(self._gradients, self._runs_own_code)
        self._validate = graphs.Compiled(self._measures, self._runs_own_code)
        self._update = graphs.Compiled(self._apply, self._runs_own_code)

    def _runs_own_code(self):
        """Return whether no function of a student runs in a step; a graph would run it once."""
        in_steps = replaced(d2l) - set(names_1_0.__all__)
        return not in_steps and is_own_code(self.model, self.optim, self.clip_gradients)

    def _gradients(self, *batch):
        """Return the gradients of a training step, its loss, and the values to plot."""
        self.measured.clear()
        with tf.GradientTape() as tape:
            loss = self.model.training_step(batch)
        grads = tape.gradient(loss, self.model.trainable_variables)
        return grads, tf.reduce_sum(loss), self._values()

    def _measures(self, *batch):
        """Return the values to plot of a minibatch that was held out."""
        self.measured.clear()
        self.model.validation_step(batch)
        return self._values()

    def _values(self):
        """Return the values to plot by what they are; outside of graphs they are plotted by now."""
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

    def fit_epoch(self):
        """Train for one epoch, and then look at what was held out."""
        self.model.training = True
        for batch in self.train_dataloader:
            grads, loss, values = self._train(*self.prepare_batch(batch))
            self._note(loss)
            self._plot(values)
            self._update(*grads)
            self.train_batch_idx += 1
        if self.val_dataloader is None:
            return
        self.model.training = False
        for batch in self.val_dataloader:
            self._plot(self._validate(*self.prepare_batch(batch)))
            self.val_batch_idx += 1

    def clip_gradients(self, grad_clip_val, grads):
        """Return the gradients scaled to a joint norm of grad_clip_val at most."""
        return grad_clipping(grads, float(grad_clip_val))


class SGD(HyperParameters):
    """Stochastic gradient descent (section 3.4)."""

    def __init__(self, lr):
        """Take the learning rate."""
        self.save_hyperparameters()

    def apply_gradients(self, grads_and_vars):
        """Update each variable by its gradient."""
        for grad, param in grads_and_vars:
            param.assign_sub(self.lr * grad)
