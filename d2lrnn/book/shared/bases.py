"""Models, data and the trainer that brings them together (the book's section 3.2).

Here is what no framework needs naming for. Each framework's classes add the rest to these.
"""

from __future__ import annotations

import sys
from typing import Any

from d2lrnn.book.objects import HyperParameters
from d2lrnn.book.watch import LOSS, Watch, watch_of

d2l = sys.modules[__package__]


class ModelPlots:
    """How a model draws what it measures while it is trained."""

    plot_train_per_epoch: int
    plot_valid_per_epoch: int
    board: Any
    trainer: Any

    def plot(self, key: str, value: Any, train: bool) -> None:
        """Add a point to the board: of a training step, or of a minibatch held out.

        Args:
            key: what it is, such as "loss"; the curves are "train_loss" and "val_loss".
            value: a tensor of one element.
            train: whether it comes from training.

        Raises:
            DivergenceError: it is a loss that is not finite, or a perplexity that is NaN.
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
        """Return a tensor of one element as what can be drawn."""
        return value


class DataLoaders(HyperParameters):
    """Where minibatches come from: one loader to train with, one of data held out."""

    def get_dataloader(self, train: bool) -> Any:
        """Return the minibatches to train with, or those held out; each data set has its own."""
        raise NotImplementedError(
            f"{type(self).__name__} needs a method get_dataloader(self, train)"
        )

    def train_dataloader(self) -> Any:
        """Return the minibatches to train with."""
        return self.get_dataloader(train=True)

    def val_dataloader(self) -> Any:
        """Return the minibatches held out, or None if nothing is."""
        return self.get_dataloader(train=False)


class TrainerBase(HyperParameters):
    """What a trainer does without naming a framework."""

    model: Any
    train_dataloader: Any
    val_dataloader: Any

    def __init__(self, max_epochs: int, num_gpus: int = 0, gradient_clip_val: float = 0) -> None:
        """Take the settings."""
        self.save_hyperparameters()
        self.gpus = self._find_gpus(num_gpus)

    def _find_gpus(self, num_gpus: int) -> list[Any]:
        return [d2l.gpu(i) for i in range(min(num_gpus, d2l.num_gpus()))]

    def prepare_data(self, data: Any) -> None:
        """Take the loaders of a DataModule, and count their minibatches."""
        self.train_dataloader = data.train_dataloader()
        self.val_dataloader = data.val_dataloader()
        self.num_train_batches = len(self.train_dataloader)
        self.num_val_batches = 0 if self.val_dataloader is None else len(self.val_dataloader)

    def prepare_model(self, model: Any) -> None:
        """Tie the model to this trainer, on the device where it is to be trained."""
        model.trainer = self
        model.board.xlim = [0, self.max_epochs]
        self.model = model

    def prepare_batch(self, batch: Any) -> Any:
        """Return the minibatch on the device where the model is trained."""
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
        finally:  # after an interrupt, too, there is something to see
            if flush := getattr(self.model.board, "flush", None):
                flush()

    def _note(self, loss: Any) -> None:
        """Note the loss of a training step, one number, whether or not the model plots it."""
        watch_of(self).note(LOSS, loss, train=True)

    def fit_epoch(self) -> None:
        """Train for one epoch, and then look at what was held out."""
        raise NotImplementedError
