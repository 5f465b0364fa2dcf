"""Models, data, and the trainer that connects them (the book's section 3.2).

These classes do not name a framework. The classes of each framework are derived from them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from d2lrnn.book.objects import HyperParameters
from d2lrnn.book.watch import LOSS, Watch, watch_of

from . import operations
from .operations import load_array

d2l = sys.modules[__package__]


class ModelPlots(HyperParameters):
    """A model that plots its losses and accuracies during training."""

    board: Any

    def plot(self, key: str, value: Any, train: bool) -> None:
        """Add a point to the board: of a training step, or of a validation minibatch.

        Args:
            key: the quantity, such as "loss"; the curves are "train_loss" and "val_loss".
            value: a tensor of one element.
            train: whether the value comes from training.

        Raises:
            DivergenceError: a loss is not finite, or a perplexity is NaN.
        """
        assert hasattr(self, "trainer"), (
            "the model has no trainer yet; call trainer.fit(model, data)"
        )
        trainer = self.trainer
        self.board.xlabel = "epoch"
        if train:
            x = trainer.train_batch_idx / trainer.num_train_batches
            every_n = trainer.num_train_batches / self.plot_train_per_epoch
        else:
            x = trainer.epoch + 1
            every_n = trainer.num_val_batches / self.plot_valid_per_epoch
        every_n, number = max(1, int(every_n)), self._number(value)
        watch_of(trainer).note(key, number, train=train, every_n=every_n)
        self.board.draw(x, number, ("train_" if train else "val_") + key, every_n=every_n)

    def _number(self, value: Any) -> Any:
        """Return a tensor of one element as a value that the board can draw."""
        return d2l.numpy(value)


class Module(ModelPlots):
    """The base class of models that contain their parameters (section 3.2)."""

    __call__: Callable[..., Any]

    def __init__(self, plot_train_per_epoch: int = 2, plot_valid_per_epoch: int = 1) -> None:
        """Store how many points an epoch adds to the board, and make the board."""
        super().__init__()
        self.save_hyperparameters()
        self.board = d2l.ProgressBoard()

    def loss(self, y_hat: Any, y: Any) -> Any:
        """Return the mean loss of the outputs y_hat for the targets y; defined by each model."""
        raise NotImplementedError(f"{type(self).__name__} needs a method loss(self, y_hat, y)")

    def forward(self, X: Any) -> Any:
        """Return the outputs of the network ``net`` for X."""
        assert hasattr(self, "net"), "the model has neither a network net nor a method forward"
        return self.net(X)

    def configure_optimizers(self) -> Any:
        """Return the optimizer: stochastic gradient descent with the learning rate ``lr``."""
        return operations.optimizer("SGD", self)

    def training_step(self, batch: Any) -> Any:
        """Return the loss of a minibatch (inputs..., targets), and plot it."""
        l = self.loss(self(*batch[:-1]), batch[-1])
        self.plot("loss", l, train=True)
        return l

    def validation_step(self, batch: Any) -> None:
        """Plot the loss of a validation minibatch (inputs..., targets)."""
        l = self.loss(self(*batch[:-1]), batch[-1])
        self.plot("loss", l, train=False)


class DataModule(HyperParameters):
    """The base class of data, with a loader for training and one for validation (section 3.2)."""

    id_dtype: type = np.int64  # of token ids

    def __init__(self, root: str = "../data") -> None:
        """Store the folder that contains the files."""
        self.save_hyperparameters()

    def get_dataloader(self, train: bool) -> Any:
        """Return the minibatches for training, or for validation; defined by each data set."""
        raise NotImplementedError(
            f"{type(self).__name__} needs a method get_dataloader(self, train)"
        )

    def train_dataloader(self) -> Any:
        """Return the minibatches for training."""
        return self.get_dataloader(train=True)

    def val_dataloader(self) -> Any:
        """Return the minibatches for validation, or None if there are none."""
        return self.get_dataloader(train=False)

    def get_tensorloader(self, tensors: Any, train: bool, indices: slice = slice(0, None)) -> Any:
        """Return a loader of minibatches of the rows indices of tensors; shuffled for training."""
        return load_array([tensor[indices] for tensor in tensors], self.batch_size, train)


class Trainer(HyperParameters):
    """Train a model on data: epoch after epoch, step after step."""

    def __init__(self, max_epochs: int, num_gpus: int = 0, gradient_clip_val: float = 0) -> None:
        """Store the settings.

        Args:
            max_epochs: the number of passes over the data.
            num_gpus: how many GPUs to use, if they exist; one is enough for these chapters.
            gradient_clip_val: the largest joint norm of the gradients; 0 does not clip them.
        """
        self.save_hyperparameters()
        self.gpus = [d2l.gpu(i) for i in range(min(num_gpus, d2l.num_gpus()))]

    def prepare_data(self, data: Any) -> None:
        """Store the loaders of a DataModule, and count their minibatches."""
        self.train_dataloader = data.train_dataloader()
        self.val_dataloader = data.val_dataloader()
        self.num_train_batches = len(self.train_dataloader)
        self.num_val_batches = 0 if self.val_dataloader is None else len(self.val_dataloader)

    def prepare_model(self, model: Any) -> None:
        """Connect the model to this trainer, on the device of the training."""
        model.trainer = self
        model.board.xlim = [0, self.max_epochs]
        self.model = model

    def prepare_batch(self, batch: Any) -> Any:
        """Return the minibatch on the device of the training."""
        return [d2l.to(tensor, self.gpus[0]) for tensor in batch] if self.gpus else batch

    def fit(self, model: Any, data: Any) -> None:
        """Train the model on a DataModule's minibatches for max_epochs epochs.

        Raises:
            DivergenceError: a loss, or the last perplexity of an epoch, is not finite.
        """
        self.prepare_data(data)
        self.prepare_model(model)
        self.optim = model.configure_optimizers()
        self._run()

    def _run(self) -> None:
        self.epoch = self.train_batch_idx = self.val_batch_idx = 0
        try:
            for epoch in range(self.max_epochs):
                self.epoch, self._watch = epoch, Watch(epoch + 1)
                self.fit_epoch()
                self._watch.finish()
        finally:  # an interrupted training shows its curves, too
            if flush := getattr(self.model.board, "flush", None):
                flush()

    def _note(self, loss: Any) -> None:
        """Note the loss of a training step, one number, whether or not the model plots it."""
        watch_of(self).note(LOSS, loss, train=True)

    def fit_epoch(self) -> None:
        """Train for one epoch, then compute the validation minibatches."""
        self._set_mode(training=True)
        for batch in self.train_dataloader:
            self._train_batch(self.prepare_batch(batch))
            self.train_batch_idx += 1
        if self.val_dataloader is None:
            return
        self._set_mode(training=False)
        for batch in self.val_dataloader:
            self._validate_batch(self.prepare_batch(batch))
            self.val_batch_idx += 1

    def _set_mode(self, training: bool) -> None:
        """Prepare the model for training or for validation, which differ in dropout."""
        self.model.training = training

    def _train_batch(self, batch: Any) -> None:
        """Update the model by the gradients of a minibatch; defined by each framework."""
        raise NotImplementedError

    def _validate_batch(self, batch: Any) -> None:
        """Plot the results of a validation minibatch."""
        self.model.validation_step(batch)
