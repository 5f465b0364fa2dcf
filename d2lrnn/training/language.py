"""The training loop of language models over all epochs, independent of the framework.

d2lrnn.training.language_epoch has the step and the epoch, d2lrnn.nets.prediction the samples.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from d2lrnn import checks
from d2lrnn.data import text
from d2lrnn.files.atomic import StrPath
from d2lrnn.nets import group, kinds, remedies, schedules
from d2lrnn.nets.prediction import first_tokens
from d2lrnn.nets.sampling import check_options
from d2lrnn.nets.schedules import Schedule
from d2lrnn.training import divergence, minibatches, threads, together
from d2lrnn.training.callbacks import (
    Bar,
    Best,
    EarlyStopping,
    Samples,
    StoppedWithinEpochError,
    Training,
    after_epoch,
    after_step,
    checked,
)
from d2lrnn.training.evaluation import validation_perplexity
from d2lrnn.training.history import DivergenceError, History
from d2lrnn.training.keeper import Keeper
from d2lrnn.training.language_epoch import make_step, train_epoch_ch8
from d2lrnn.training.progress import Shown, bar, length
from d2lrnn.training.run import Run, regularization, validation_settings


@remedies.explained(remedies.NET_S_DEVICE)
def train_ch8(
    net: Any,
    train_iter: Any,
    vocab: text.Vocab,
    lr: float,
    num_epochs: int,
    *,
    theta: float = 1.0,
    optimizer: str = "sgd",
    clip: str = "norm",
    segment: int | None = None,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    schedule: Schedule | str | None = None,
    dropout: float = 0.0,
    seed: int | None = None,
    use_random_iter: bool = False,
    validation: Any = None,
    patience: int | None = None,
    keep: str = "last",
    callbacks: Sequence[Any] = (),
    prefix: str | None = None,
    sample_every: int = 50,
    sampling: Mapping[str, Any] | None = None,
    progress: bool | None = None,
    checkpoint: StrPath | None = None,
    every: int = 100,
    resume: bool = False,
) -> History:
    """Train a character or word model by minibatch gradient descent with clipped gradients.

    Args:
        net: the model; its parameters change.
        train_iter: a SeqDataLoader, or another iterable that yields the pairs X, Y of each epoch.
        vocab: the Vocab of the tokens.
        lr: learning rate, above 0.
        num_epochs: passes over train_iter, 0 or more.
        theta: the gradients' joint Euclidean norm is clipped to this, above 0.
        optimizer: "sgd", "adagrad", "adam" or "adamw".
        clip: "norm", or "value" to clip each element of the gradients to -theta..theta.
        segment: see make_step.
        momentum: see make_step.
        weight_decay: see make_step.
        schedule: see make_step; or a name: "step", which divides the learning rate by 10 after each
            third of all steps, "cosine", which lowers it to 0, "warmup", which raises it during the
            first tenth, "warmup-cosine", both, or "constant".
        dropout: see make_step; there is no dropout in validation and samples.
        seed: the seed of the masks of dropout, or None for that of the loader.
        use_random_iter: whether train_iter samples at random; if so, each minibatch starts from a
            zero state.
        validation: a loader of text that is not trained on, such as the second value of
            load_data_text(..., validation=0.1); its perplexity after each epoch is stored in
            history.validation. None for no validation.
        patience: stop after this number of epochs, 1 or more, without a lower perplexity of the
            validation part; None to train for all epochs.
        keep: "last", or "best" to load the parameters of the epoch with the lowest perplexity of
            the validation part at the end of training, also when an interrupt or an error ends it;
            a checkpoint holds the last parameters too, from which a resumed run continues.
        callbacks: objects whose methods after_step and after_epoch are called; see Callback.
        prefix: text after which the model generates a sample every sample_every epochs and at the
            end, or None for no samples.
        sample_every: the number of epochs from one sample to the next, 1 or more.
        sampling: how samples are drawn: arguments of predict_ch8 by name, such as {"top_p": 0.9},
            of temperature, top_k, top_p, min_p, stop and seed, which is by default the seed of the
            loader, or 0. None always takes the most probable token.
        progress: True for a progress bar, False for none, None for one if this is a terminal.
        checkpoint: the file in which to save the run during training, or None. Ctrl-C, or a signal
            that ends a process, stops training after the current minibatch and saves the run; a
            second one stops it at once. A run that has diverged is not saved. Only one process at a
            time can use the file.
        every: save a checkpoint every N minibatches, 1 or more, counted across epochs; one is also
            saved after each minute, and at the end.
        resume: continue the run in the checkpoint if the file exists. The parameters and the
            history (except speed) become the same, bit for bit, as without the interruption. All
            arguments that affect the result must be the same as before, except num_epochs; that
            too if schedule is a name other than "constant", which depends on num_epochs. A
            train_iter without a generator ``rng`` must yield the same minibatches in every epoch.

    Returns:
        a History: perplexity and tokens per second for each epoch, the perplexity of the validation
        part, and the samples.

    Raises:
        CheckpointError: the checkpoint is damaged, or belongs to another run.
        DivergenceError: the loss, the perplexity of an epoch or a parameter is not finite; the
            error holds the History so far.
        FileExistsError: the checkpoint exists, and resume is False.
        Interrupted: a KeyboardInterrupt; the message names the checkpoint. The net holds the
            parameters after the last minibatch, or with keep="best" those of the best epoch, if an
            epoch has ended. The error holds the History so far.
        LockedError: an OSError; another process is saving its run in the same file.
        ValueError: an argument is out of its range.

    Source: the book's section 9.5, Training.

    Examples:
        >>> train_iter, vocab = rnn.load_data_builtin(batch_size=32, num_steps=35, seed=0)
        >>> functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn
        >>> net = rnn.RNNModelScratch(len(vocab), 16, *functions, seed=0)
        >>> history = rnn.train_ch8(net, train_iter, vocab, lr=1, num_epochs=2, progress=False)
        >>> history.perplexity[1] < history.perplexity[0] < len(vocab)
        True
    """
    checks.count(num_epochs=num_epochs)
    checks.size(sample_every=sample_every)
    callbacks = checked(callbacks)
    _check_validation(validation, patience, keep)
    kinds.language_model(net, "the order is train_ch8(net, train_iter, vocab, lr, num_epochs)")
    minibatches.check_iterable(train_iter)
    _check_iterator(train_iter, use_random_iter)
    checks.vocab_of(net, vocab, prefix=prefix, checkpoint=checkpoint)
    draw = {"seed": _seed(train_iter) or 0, **check_options(sampling, prefix, vocab, net)}
    if prefix is not None:
        first_tokens(prefix, net, vocab)
    num_minibatches = length(train_iter)
    num_steps = None if num_minibatches is None else num_epochs * num_minibatches
    schedule = schedules.named(schedule, num_steps)
    rule: dict[str, Any] = {"momentum": momentum, "weight_decay": weight_decay}
    seed = _seed(train_iter) if seed is None else seed
    rule |= {"optimizer": optimizer, "clip": clip, "dropout": dropout, "seed": seed}
    step = make_step(net, lr, theta, segment=segment, schedule=schedule, **rule)
    history = History(floor=getattr(train_iter, "floor", None))
    settings: dict[str, Any] = {"lr": lr, "theta": theta, "optimizer": optimizer, "clip": clip}
    settings |= {"random": use_random_iter, **validation_settings(validation)}
    settings |= regularization(momentum=momentum, weight_decay=weight_decay, schedule=schedule)
    settings |= {"dropout": dropout, "dropout_seed": seed} if dropout else {}
    settings |= {"keep": keep} if keep == "best" else {}
    run = Run(net, vocab, train_iter, step, history, settings, prefix=prefix)
    keeper, shows = Keeper(checkpoint, every, run), group.group_of(net).rank == 0
    training = Training(net, history, num_epochs, vocab)
    together.check_run(run, checkpoint, num_epochs)
    with (
        keeper.running(resume),
        threads.of_net(net, number=run.threads, fixed=checkpoint is not None).limited() as limit,
        _bar(keeper, num_epochs, progress if shows else False) as shown,
    ):
        run.threads, training.write = limit.number, shown.write
        best = [Best(run)] if keep == "best" else []
        stopping = [EarlyStopping(patience)] if patience else []
        samples = [Samples(prefix, sample_every, draw)] if prefix is not None and shows else []
        # The checkpoint is saved first, before any other callback runs.
        called = [keeper, *best, limit, Bar(shown), *samples, *callbacks, *stopping]
        after_epoch(stopping, training)  # a run that is resumed may have been stopped
        with _best_at_the_end(best, net, history):
            with contextlib.suppress(StoppedWithinEpochError):
                _train(run, training, keeper, called, validation, use_random_iter)
            keeper.finish()
    return history


@contextlib.contextmanager
def _best_at_the_end(best: Sequence[Best], net: Any, history: History) -> Iterator[None]:
    """Load the best parameters when a block ends, also by an error, which receives the history."""
    try:
        yield
    except (KeyboardInterrupt, Exception) as error:
        vars(error).setdefault("history", history)
        raise
    finally:
        for callback in best:
            callback.restore(net)


def _train(
    run: Run,
    training: Training,
    keeper: Keeper,
    callbacks: Sequence[Any],
    validation: Any,
    use_random_iter: bool,
) -> None:
    """Train for the remaining epochs, until a callback stops the training.

    Raises:
        DivergenceError: training diverged.
        StoppedWithinEpochError: a callback has stopped the training after a step.
    """
    net, history, random = run.net, run.history, {"use_random_iter": use_random_iter}
    options: dict[str, Any] = {
        **random,
        "on_minibatch": functools.partial(after_step, callbacks, training),
    }
    for epoch in keeper.epochs(training):
        try:
            results = train_epoch_ch8(net, run.train_iter, run.step, epoch=epoch, **options)
            if validation is not None:
                held_out = validation_perplexity(net, validation, **random)
        except DivergenceError as error:
            raise error.replace(epoch=epoch.number, history=history) from None
        history.add(*results)
        if validation is not None:
            history.validation.append(held_out)
        if epoch.number == training.num_epochs:
            divergence.check_parameters(net, epoch.number, history)
        after_epoch(callbacks, training)


def _bar(keeper: Keeper, num_epochs: int, progress: bool | None) -> Shown:
    """Return a progress bar over all minibatches, which shows the progress of the run so far."""
    size = length(keeper.run.train_iter)
    num_finished = (keeper.epoch.number - 1) * (size or 0) + keeper.epoch.num_minibatches
    return bar(progress, total=size and num_epochs * size, initial=num_finished)


def _seed(train_iter: Any) -> int | None:
    """Return the seed of a loader, if it is known."""
    seed = getattr(train_iter, "seed", None)
    return seed if isinstance(seed, int) and seed >= 0 else None


def _check_validation(validation: Any, patience: int | None, keep: str) -> None:
    """Check the validation part, and that what needs one has it."""
    checks.choice(keep, "keep", ("last", "best"))
    if patience is not None:
        checks.size(patience=patience)
    if validation is not None:
        minibatches.check_iterable(validation, "validation")
    elif patience is not None or keep == "best":
        name = "patience" if patience is not None else "keep"
        value = patience if patience is not None else keep
        raise ValueError(
            f"{name} is {value!r}, which needs a validation part; give validation=valid_iter, from "
            f"train_iter, valid_iter, vocab = load_data_text(..., validation=0.1), or leave out "
            f"{name}"
        )


def _check_iterator(train_iter: Any, use_random_iter: bool) -> None:
    """Check that use_random_iter agrees with the loader, if the loader has that attribute."""
    if getattr(train_iter, "use_random_iter", use_random_iter) != use_random_iter:
        raise ValueError(
            f"use_random_iter is {use_random_iter}, but the loader was made with "
            f"{train_iter.use_random_iter}; use the same value for both"
        )
