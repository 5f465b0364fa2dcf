"""The runs of ``d2lrnn train``: load the text, train the networks, print and save the results."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from d2lrnn.cli import sampling, summary, train_net
from d2lrnn.cli.common import ending_in_order, saving_first
from d2lrnn.cli.output import tell_of_unknown
from d2lrnn.cli.recipe import TrainOptions
from d2lrnn.data import corpora, tensor_loaders
from d2lrnn.nets import describe
from d2lrnn.training import evaluation
from d2lrnn.training.history import DivergenceError

if TYPE_CHECKING:
    from d2lrnn.interface import Backend


def train(rnn: Backend, runs: Sequence[TrainOptions]) -> None:
    """Train a net for each run; print and save the results."""
    histories: dict[str, Any] = {}
    with contextlib.ExitStack() as stack:
        for options, label in zip(runs, summary.labels(runs), strict=True):
            if len(runs) > 1:
                click.echo(f"run {len(histories) + 1} of {len(runs)}: {label}")
            with _results_first(rnn, runs, histories):
                net, loader, vocab, name, valid_iter = _begin(rnn, options)
            prefix = None if net.bidirectional else _prefix(options, name, loader, vocab)
            if options.prefix is not None and prefix:
                tell_of_unknown(prefix, vocab)
            facts = {"corpus": name, "seed": options.seed, "epochs": options.epochs}
            facts |= {"prefix": prefix} if prefix else {}
            save = functools.partial(options.save, rnn, net, vocab, facts)
            if not histories:  # from here on, there are results that a signal must not lose
                stack.enter_context(ending_in_order())
            note = functools.partial(_note, runs, label, histories)
            with (
                saving_first(save, note=note),
                _best_saved(options, save),
                _results_first(rnn, runs, histories),
            ):
                data = loader, vocab, valid_iter
                histories[label] = _history(rnn, net, data, options, prefix)
            if len(runs) > 1:  # the next run makes another net
                _tell_of_bits(net, valid_iter)
        summary.tell(runs, histories)
        if len(runs) == 1:
            _tell_of_bits(net, valid_iter)
        save()  # of the only run: --out is not for several
        _save_results(rnn, runs, histories)
        if len(runs) == 1:
            options.tell_next(net)


def _tell_of_bits(net: Any, valid_iter: Any) -> None:
    """Print the bits per byte of the validation part, if there is one."""
    if valid_iter is not None:
        bits = evaluation.evaluate(net, valid_iter).bits_per_byte
        click.echo(f"validation part: {bits:.3f} bits per byte, comparable between tokenizers")


@contextlib.contextmanager
def _results_first(
    rnn: Backend, runs: Sequence[TrainOptions], histories: dict[str, Any]
) -> Iterator[None]:
    """Print and save the results so far before an interrupt or an error ends training.

    These are the results of the runs that have finished, and of the epochs of the current run that
    have ended.
    """
    try:
        yield
    except (KeyboardInterrupt, Exception) as error:
        history = getattr(error, "history", None)
        if history is not None and (history.perplexity or len(runs) == 1):
            histories[summary.labels(runs)[len(histories)]] = history
        if (len(runs) > 1 and histories) or (history is not None and history.validation):
            summary.tell(runs, histories, ended=False)
        if histories:
            _save_results(rnn, runs, histories)
        raise


@contextlib.contextmanager
def _best_saved(options: TrainOptions, save: Callable[[], None]) -> Iterator[None]:
    """Save the best parameters, if --best is given, when an error such as divergence ends training.

    saving_first saves the model after an interrupt and an OSError.
    """
    try:
        yield
    except Exception as error:
        history = getattr(error, "history", None)
        if options.best and history and history.validation and not isinstance(error, OSError):
            save()
        raise


def _note(runs: Sequence[TrainOptions], label: str, histories: dict[str, Any]) -> str | None:
    """Return what to print if the run with a label is interrupted."""
    num_epochs = len(histories[label].perplexity) if label in histories else 0
    return runs[0].note(len(histories) - (label in histories), len(runs), num_epochs)


def _save_results(rnn: Backend, runs: Sequence[TrainOptions], histories: dict[str, Any]) -> None:
    if rnn.processes().rank == 0:
        summary.save(runs, histories)


def _begin(rnn: Backend, options: TrainOptions) -> tuple[Any, Any, Any, str, Any]:
    """Return a new net, the loader, the Vocab, the name of the text, and the validation part."""
    *loaded, name = _load(rnn, options)
    loader, *validation, vocab = loaded
    net = train_net.make(rnn, len(vocab), options)
    click.echo(f"model: {describe.in_detail(net)}, computed by {options.backend}")
    held_out = "".join(f", {part.num_tokens:,} more for validation" for part in validation)
    variety = "in the vocabulary" if vocab.token == "bpe" else "of them different"
    click.echo(
        f"text: {name}, {loader.num_tokens:,} tokens, {len(vocab):,} {variety}, "
        f"{len(loader):,} minibatches per epoch{held_out}"
    )
    if net.bidirectional:
        click.echo("no samples: a bidirectional network cannot generate text")
    if options.resume and options.checkpoint and not os.path.exists(options.checkpoint):
        click.echo(f"the checkpoint {options.checkpoint} does not exist yet; training starts anew")
    return net, loader, vocab, name, validation[0] if validation else None


def _history(
    rnn: Backend, net: Any, data: tuple[Any, Any, Any], options: TrainOptions, prefix: str | None
) -> Any:
    """Train the net on a loader, with its Vocab and validation part, and return its History."""
    loader, vocab, valid_iter = data
    with _divergence_by_options():
        return rnn.train_ch8(
            net,
            loader,
            vocab,
            options.lr,
            options.epochs,
            theta=options.theta,
            optimizer=options.optimizer,
            momentum=options.momentum,
            weight_decay=options.weight_decay,
            schedule=options.schedule,
            dropout=options.dropout,
            validation=valid_iter,
            patience=options.patience,
            keep="best" if options.best else "last",
            use_random_iter=options.use_random_iter,
            prefix=prefix,
            sample_every=options.sample_every,
            sampling=sampling.chosen(options) or None,
            checkpoint=options.checkpoint,
            every=options.every,
            resume=options.resume,
        )


@contextlib.contextmanager
def _divergence_by_options() -> Iterator[None]:
    """Let a DivergenceError name the options of the command."""
    try:
        yield
    except DivergenceError as error:
        raise error.replace(names=("--lr", "--clip 1")) from None


def _prefix(options: TrainOptions, name: str, loader: Any, vocab: Any) -> str:
    if options.prefix is not None:
        return options.prefix
    if name in corpora.CORPORA:
        return corpora.CORPORA[name].prefix
    return str(vocab.join(vocab.to_tokens(loader.corpus[:10])))


def _load(rnn: Backend, options: TrainOptions) -> tuple[Any, ...]:
    """Return the loader, that of the validation part if there is one, the Vocab and a name."""
    sizes = options.batch_size, options.steps, options.use_random_iter, options.max_tokens or None
    settings: dict[str, Any] = {"token": options.token, "seed": options.seed}
    if options.token == "bpe":
        settings["vocab_size"] = options.vocab_size
    settings["validation"] = options.validation
    options.check_one_source()
    if options.text is not None:
        settings["encoding"] = options.encoding
        return *rnn.load_data_text(options.text, *sizes, **settings), options.text
    corpus = options.corpus or "builtin"
    load = tensor_loaders.with_tensors(tensor_loaders.load_data, rnn.from_numpy)
    return *load(corpus, *sizes, **settings), corpus
