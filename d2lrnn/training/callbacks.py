"""Callbacks of a training loop: how they are called, and those of this package.

The loop calls each callback after every step and after every epoch, and a callback can stop the
training. The progress bar, the samples, the best parameters and early stopping are callbacks; two
more are in training.keeper, which saves checkpoints, and training.threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from d2lrnn.nets.prediction import predict_ch8
from d2lrnn.training import progress
from d2lrnn.training.epoch import Epoch
from d2lrnn.training.history import in_short
from d2lrnn.training.progress import Shown

NUM_PREDS = 50  # tokens of a sample
METHODS = ("after_step", "after_epoch")


@dataclass
class Training:
    """The progress of a training loop, which its callbacks receive.

    Attributes:
        net: the net that is trained.
        history: the results of the epochs that have ended.
        num_epochs: the number of epochs after which training ends.
        vocab: the Vocab of a language model, or None.
        write: a function that prints a line of text above the progress bar.
        current: the progress of the current epoch.
        stopped: whether a callback has stopped the training.
    """

    net: Any
    history: Any
    num_epochs: int
    vocab: Any = None
    write: Callable[[str], Any] = progress.say
    current: Epoch = field(default_factory=Epoch)
    stopped: bool = False

    @property
    def epoch(self) -> int:
        """The number of the current epoch, from 1; after an epoch, of the one that has ended."""
        return self.current.number

    @property
    def step(self) -> int:
        """How many steps of the current epoch have been taken."""
        return self.current.num_minibatches

    @property
    def loss(self) -> float:
        """The mean cross-entropy of the current epoch so far, in nats.

        Reading it makes Python wait for the device that computes.
        """
        return self.current.loss / max(1, self.current.num_tokens)

    def stop(self) -> None:
        """End the training after the current step or epoch."""
        self.stopped = True


class Callback:
    """An object whose methods training calls; subclasses override the methods that they need.

    train_ch8(..., callbacks=[...]) calls ``after_step(training)`` after each step, and
    ``after_epoch(training)`` after each epoch. ``training`` has the attributes ``net``, ``vocab``,
    ``history``, ``epoch`` (from 1), ``step`` (of this epoch, from 1), ``num_epochs`` and ``loss``
    (of this epoch so far), and the methods ``write(text)``, which prints a line, and ``stop()``,
    which ends the training. If a callback stops it within an epoch, the history does not contain
    that epoch; with a checkpoint, the run can be resumed from there.

    An object of another class can be a callback too, if it has one of the two methods. With several
    processes, each process calls its own callbacks, and all of them must stop after the same step.
    A checkpoint does not store the state of a callback.

    Examples:
        >>> class UntilGoodEnough(rnn.Callback):
        ...     def after_epoch(self, training):
        ...         if training.history.perplexity[-1] < 3:
        ...             training.stop()
        >>> train_iter, vocab = rnn.SeqDataLoader([1, 2, 3] * 40, 2, 5, seed=0), rnn.Vocab("abc")
        >>> net = rnn.RNNModelScratch(4, 8, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
        >>> options = {"lr": 1, "num_epochs": 100, "progress": False}
        >>> history = rnn.train_ch8(
        ...     net, train_iter, vocab, callbacks=[UntilGoodEnough()], **options
        ... )
        >>> len(history.perplexity) < 100
        True
    """

    def after_step(self, training: Training) -> None:
        """Act after a step; by default, do nothing."""

    def after_epoch(self, training: Training) -> None:
        """Act after an epoch, whose results are in the history; by default, do nothing."""


@dataclass
class Bar(Callback):
    """Updates a progress bar."""

    bar: Shown

    def after_step(self, training: Training) -> None:
        """Advance the bar by one minibatch."""
        self.bar.update()

    def after_epoch(self, training: Training) -> None:
        """Show the results of the epoch beside the bar."""
        description = f"{training.history}".replace(":", f"/{training.num_epochs}:", 1)
        self.bar.set_description_str(description, refresh=False)


@dataclass
class Samples(Callback):
    """Generates text after a prefix every N epochs and at the end, and prints it.

    If a sample cannot be generated, for example because memory runs out, a message is printed and
    training continues.
    """

    prefix: str
    every: int
    draw: Mapping[str, Any] = field(default_factory=dict)  # arguments of predict_ch8

    def after_epoch(self, training: Training) -> None:
        """Generate a sample if this epoch is due for one."""
        number, history = training.epoch, training.history
        if number % self.every and number != training.num_epochs:
            return
        sample = sample_or_none(
            lambda: predict_ch8(self.prefix, NUM_PREDS, training.net, training.vocab, **self.draw),
            lambda why: training.write(f"epoch {number}: {why}"),
        )
        if sample is not None:
            history.samples.append((number, sample))
            perplexity = in_short(history.perplexity[-1])
            training.write(f"epoch {number}, perplexity {perplexity}: {sample}")


@dataclass
class Best(Callback):
    """Remembers the parameters after the best epoch, in the record of the run."""

    run: Any

    def after_epoch(self, training: Training) -> None:
        """Copy the parameters if this epoch is the best so far."""
        if training.history.best_epoch == training.epoch:
            self.run.best = training.net.arrays(), training.net.own_arrays()

    def restore(self, net: Any) -> None:
        """Load the parameters after the best epoch, if an epoch has ended."""
        if self.run.best is not None:
            net.load_exactly(*self.run.best)


@dataclass
class EarlyStopping(Callback):
    """Stops training after N epochs without a lower perplexity of the validation part."""

    patience: int

    def after_epoch(self, training: Training) -> None:
        """Stop if the best epoch is N epochs or more before the last one."""
        history = training.history
        if history.validation and len(history.validation) - history.best_epoch >= self.patience:
            training.stop()


class StoppedWithinEpochError(Exception):
    """A callback has stopped training after a step."""


def sample_or_none(sample: Callable[[], str], write: Callable[[str], Any]) -> str | None:
    """Return a sample; if it cannot be generated, pass the reason to write and return None.

    Every exception is caught, because each framework has its own classes of errors, for example for
    a lack of memory, and none of them may end the training.
    """
    try:
        return sample()
    except Exception as error:
        write(f"no sample ({type(error).__name__}: {error})")
        return None


def after_step(callbacks: Sequence[Any], training: Training) -> None:
    """Call after_step of each callback that has it.

    Raises:
        StoppedWithinEpochError: one of them stops the training.
    """
    for callback in callbacks:
        if hasattr(callback, "after_step"):
            callback.after_step(training)
    if training.stopped:
        raise StoppedWithinEpochError


def after_epoch(callbacks: Sequence[Any], training: Training) -> None:
    """Call after_epoch of each callback that has it."""
    for callback in callbacks:
        if hasattr(callback, "after_epoch"):
            callback.after_epoch(training)


def checked(callbacks: Any) -> list[Any]:
    """Return callbacks as a list, after checking that each has a method of a callback.

    Raises:
        ValueError: one of them does not, or is a class, or they are not in a list.
    """
    if isinstance(callbacks, (str, bytes)) or not hasattr(callbacks, "__iter__"):
        raise ValueError(
            f"callbacks is of type {type(callbacks).__name__}; expected a list of callbacks, "
            "such as [callback]"
        )
    listed = list(callbacks)
    for number, callback in enumerate(listed):
        is_class = isinstance(callback, type)
        if is_class or not any(callable(getattr(callback, name, None)) for name in METHODS):
            kind = (
                f"the class {callback.__name__}"
                if is_class
                else f"of type {type(callback).__name__}"
            )
            remedy = "; call it, and give what it returns" if is_class else ""
            raise ValueError(
                f"callbacks[{number}] is {kind}; expected an object with a method after_step or "
                f"after_epoch, such as a Callback{remedy}"
            )
    return listed
