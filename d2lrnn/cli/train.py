"""The command ``d2lrnn train``."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from d2lrnn import checks
from d2lrnn.cli import gpu, recipe, summary, threads
from d2lrnn.cli.common import (
    BACKEND,
    check_apart,
    check_outputs,
    check_readable,
    ending_in_order,
    load_backend,
    plain_errors,
    saving_first,
    together,
    was_given,
)
from d2lrnn.cli.output import go_on_without_output, tell_of_unknown
from d2lrnn.cli.recipe import RECIPES, TrainOptions
from d2lrnn.data import corpora, tensor_loaders
from d2lrnn.nets import build, cells, describe, schedules
from d2lrnn.training.history import DivergenceError

if TYPE_CHECKING:
    from d2lrnn.interface import Backend

FORWARD = {**{cell: cell for cell in cells.CELLS}, **{f: cell for cell, f in build.FUSED.items()}}


@click.command(cls=gpu.GPUCommand, short_help="Train a language model on a text.")
@click.option("--backend", type=BACKEND, default="numpy", help="The framework that computes.")
@click.option(
    "--corpus",
    type=click.Choice(list(corpora.CORPORA)),
    help="The text to train on.  [default: builtin]",
)
@click.option("--text", type=click.Path(), help="A text file of your own to train on instead.")
@click.option("--encoding", default="utf-8", help="The encoding of --text, such as latin-1.")
@click.option(
    "--token",
    type=click.Choice(["char", "word", "wordpunct"]),
    default="char",
    help="Whether a token is a character, a word between spaces, or a word or punctuation mark.",
)
@click.option(
    "--max-tokens",
    default=10000,
    help="Number of tokens to train on, from the start; 0 for the whole text.",
)
@click.option(
    "--cell", type=click.Choice(list(cells.CELLS)), default="rnn", help="The recurrent cell."
)
@click.option("--layers", default=1, help="Number of recurrent layers.")
@click.option(
    "--bidirectional",
    is_flag=True,
    help="Read the text in both directions; such a network cannot generate text.",
)
@click.option(
    "--concise", is_flag=True, help="Use the framework's own recurrent layer (not with numpy)."
)
@click.option(
    "--forward",
    type=click.Choice(list(FORWARD)),
    metavar="NAME",
    help="How a single layer is computed: step by step (the name of the cell), or faster "
    "(rnn_fused, mingru_scan and so on).  [default: the faster form if the cell has one]",
)
@click.option(
    "--hiddens",
    default=(256,),
    multiple=True,
    type=int,
    show_default=False,
    help="Number of hidden units in each layer; repeat it to train a network of each size.  "
    "[default: 256]",
)
@click.option("--steps", default=35, help="Number of time steps in a subsequence.")
@click.option("--batch-size", default=32, help="Number of subsequences in a minibatch.")
@click.option("--epochs", default=300, help="Number of passes over the text.")
@click.option("--lr", default=1.0, help="Learning rate.")
@click.option(
    "--optimizer",
    type=click.Choice(["sgd", "adagrad", "adam", "adamw"]),
    default="sgd",
    help="The optimizer.",
)
@click.option("--momentum", default=0.0, help="Momentum of sgd, from 0 to below 1.")
@click.option("--weight-decay", default=0.0, help="Weight decay of sgd and adamw, 0 or above.")
@click.option(
    "--schedule",
    type=click.Choice(schedules.NAMES),
    help="Change the learning rate during training: divide it by 10 after each third (step), lower "
    "it along a cosine, or raise it during the first tenth (warmup).  [default: constant]",
)
@click.option(
    "--dropout",
    default=0.0,
    help="Probability of setting an input token, or a hidden unit between layers, to 0.",
)
@click.option(
    "--validation",
    type=float,
    help="Share of the text, such as 0.1, to hold out from its end and evaluate after each epoch.",
)
@click.option(
    "--patience",
    type=int,
    help="With --validation: stop after N epochs without a lower perplexity of that part.",
)
@click.option(
    "--best",
    is_flag=True,
    help="With --validation: end with the parameters of the best epoch, which --out saves.",
)
@click.option(
    "--clip",
    "theta",
    default=1.0,
    help="The largest norm of the gradients; larger ones are scaled down to it.",
)
@click.option(
    "--random",
    "use_random_iter",
    is_flag=True,
    help="Sample subsequences in random order, each with a zero initial state.",
)
@click.option(
    "--seed",
    default=(0,),
    multiple=True,
    type=int,
    show_default=False,
    help="Seed of the initial parameters and the minibatches; repeat it to train with each seed.  "
    "[default: 0]",
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    default="float32",
    help="The floating-point type.",
)
@gpu.option
@threads.option
@click.option("--prefix", help="The text that samples continue.  [default: depends on the corpus]")
@click.option("--sample-every", default=50, help="Number of epochs between two samples.")
@click.option(
    "--out",
    type=click.Path(),
    help="Save the model to this file, for d2lrnn generate and d2lrnn export.",
)
@click.option(
    "--checkpoint",
    type=click.Path(),
    help="Save the training run to this file at intervals, for --resume.",
)
@click.option(
    "--every",
    default=100,
    help="Number of minibatches between two checkpoints, counted across epochs; one is also saved "
    "every minute.",
)
@click.option(
    "--resume", is_flag=True, help="Continue the run in --checkpoint, if the file exists."
)
@click.option(
    "--plot", type=click.Path(), help="Save a plot of the perplexity to this file (.png, .svg)."
)
@click.option(
    "--log", type=click.Path(), help="Save the perplexity of each epoch to this file (.csv)."
)
@click.option(
    "--recipe",
    type=click.Choice(RECIPES),
    help="Train the minimal character model instead, by default on tiny-shakespeare: 100 hidden "
    "units, 25 steps, batch 1, Adagrad 0.1, gradients clipped to -5..5.",
)
@click.option("--iterations", default=100_000, help="With --recipe: number of training steps.")
@click.pass_context
def train(context: click.Context, /, **values: Any) -> None:
    """Train a language model on a text; show progress, perplexity, speed and samples."""
    pairs = itertools.product(*(dict.fromkeys(values[name]) for name in ("seed", "hiddens")))
    runs = [TrainOptions(**{**values, "seed": seed, "hiddens": size}) for seed, size in pairs]
    options = runs[0]
    with plain_errors():
        _check_options(context, options)
        _check_several(runs)
        files = {name: getattr(options, name) for name in ("checkpoint", "out", "plot", "log")}
        check_apart(text=options.text, **files)
        check_outputs(options.out, options.plot, options.checkpoint, options.log)
        go_on_without_output(*files.values())
        rnn = load_backend(options.backend)
        with together(rnn) as processes:
            if options.text is not None and processes.size > 1:  # each of which would read a part
                check_readable("--text", options.text)
            if options.recipe:
                checks.one_process(processes.size, "the recipe trains on one row at a time")
                recipe.train_min_char(rnn, options)
            else:
                _train(rnn, runs)


def _check_options(context: click.Context, options: TrainOptions) -> None:
    """Check that options go together, and that what they read is there."""
    if options.recipe:
        recipe.refuse_others(context)
    elif was_given(context, "iterations"):
        raise ValueError("--iterations needs a recipe; add --recipe min-char, or use --epochs")
    if options.resume and options.checkpoint is None:
        raise ValueError("--resume continues a saved run; name its file with --checkpoint FILE")
    if options.checkpoint is None and was_given(context, "every"):
        raise ValueError("--every needs a checkpoint; add --checkpoint FILE, or leave out --every")
    if options.max_tokens < 0:
        raise ValueError(
            f"--max-tokens is {options.max_tokens}; expected 0, for all tokens, or an integer above"
        )
    for name in ("patience", "best"):
        if was_given(context, name) and options.validation is None:
            raise ValueError(f"--{name} needs a validation part; add --validation 0.1")
    options.check_one_source()
    if options.text is not None:
        check_readable("--text", options.text, pipes=True)


def _check_several(runs: Sequence[TrainOptions]) -> None:
    """Check that the options of a run go together with several values of --seed or --hiddens."""
    if len(runs) == 1:
        return
    options = runs[0]
    for name in ("out", "checkpoint", "recipe"):
        if getattr(options, name):
            raise ValueError(
                f"--{name} is for one run, and --seed and --hiddens ask for {len(runs)}; leave it "
                "out, or give one value of each"
            )
    if options.text is not None and not os.path.isfile(options.text):
        raise ValueError(
            f"--text {options.text} can be read only once, and --seed and --hiddens ask for "
            f"{len(runs)} runs; give a file, or one value of each"
        )


def _train(rnn: Backend, runs: Sequence[TrainOptions]) -> None:
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
            note = options.note(len(histories), len(runs))
            with saving_first(save, note=note), _results_first(rnn, runs, histories):
                data = loader, vocab, valid_iter
                histories[label] = _history(rnn, net, data, options, prefix)
        summary.tell(runs, histories)
        save()  # of the only run: --out is not for several
        _save_results(rnn, runs, histories)
        if len(runs) == 1:
            options.tell_next(net)


@contextlib.contextmanager
def _results_first(
    rnn: Backend, runs: Sequence[TrainOptions], histories: dict[str, Any]
) -> Iterator[None]:
    """Print and save the results so far before an interrupt or an error ends training.

    These are the results of the runs that have finished, or of the epochs of a single run.
    """
    try:
        yield
    except (KeyboardInterrupt, Exception) as error:
        history = getattr(error, "history", None)
        if len(runs) > 1 and histories:
            summary.tell(runs, histories)
            _save_results(rnn, runs, histories)
        elif len(runs) == 1 and history is not None:
            _save_results(rnn, runs, {summary.labels(runs)[0]: history})
        raise


def _save_results(rnn: Backend, runs: Sequence[TrainOptions], histories: dict[str, Any]) -> None:
    if rnn.processes().rank == 0:
        summary.save(runs, histories)


def _begin(rnn: Backend, options: TrainOptions) -> tuple[Any, Any, Any, str, Any]:
    """Return a new net, the loader, the Vocab, the name of the text, and the validation part."""
    *loaded, name = _load(rnn, options)
    loader, *validation, vocab = loaded
    net = _net(rnn, len(vocab), options)
    click.echo(f"model: {describe.in_detail(net)}, computed by {options.backend}")
    held_out = "".join(f", {part.num_tokens:,} more for validation" for part in validation)
    click.echo(
        f"text: {name}, {loader.num_tokens:,} tokens, {len(vocab):,} of them different, "
        f"{len(loader):,} minibatches per epoch{held_out}"
    )
    if net.bidirectional:
        click.echo("no samples: a network that reads in both directions cannot generate text")
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
    settings["validation"] = options.validation
    options.check_one_source()
    if options.text is not None:
        settings["encoding"] = options.encoding
        return *rnn.load_data_text(options.text, *sizes, **settings), options.text
    corpus = options.corpus or "builtin"
    load = tensor_loaders.with_tensors(tensor_loaders.load_data, rnn.from_numpy)
    return *load(corpus, *sizes, **settings), corpus


def _forms(cell: str) -> list[str]:
    """Return the values of --forward that are for a cell."""
    return [form for form, of_cell in FORWARD.items() if of_cell == cell]


def _is_fused(architecture: cells.Architecture, forward: str | None) -> bool:
    """Return whether the fused forward function is to be used: where there is one, by default."""
    if forward is None:
        return architecture.plain and architecture.cell in build.FUSED
    cell = FORWARD[forward]
    if not architecture.plain:
        raise ValueError(
            f"--forward {forward} is for a single layer in one direction, not for "
            f"{describe.in_words(architecture)}; leave out --forward"
        )
    if cell != architecture.cell:
        raise ValueError(
            f"--forward {forward} is not for the cell {architecture.cell}; choose --cell {cell}, "
            f"or --forward {' or '.join(_forms(architecture.cell))}"
        )
    return forward != cell


def _net(rnn: Backend, vocab_size: int, options: TrainOptions) -> Any:
    architecture = cells.Architecture(options.cell, options.layers, options.bidirectional)
    sizes, settings = (vocab_size, options.hiddens), options.net_settings(rnn)
    checks.memory(
        architecture.num_weights(*sizes), options.dtype, "take fewer --layers or --hiddens"
    )
    if not options.concise:
        fused = _is_fused(architecture, options.forward)
        return build.new_net(rnn, architecture, *sizes, fused=fused, **settings)
    if options.forward:
        raise ValueError("--concise and --forward are both given; choose one")
    if not rnn.RNNModelScratch.ops.has_layers:
        raise ValueError(
            "--concise: NumPy does not have recurrent layers; choose another --backend"
        )
    if architecture.cell == "gru":  # the frameworks' own is the other kind
        architecture = dataclasses.replace(architecture, cell="gru_reset_after")
    return build.concise_net(rnn, architecture, *sizes, **settings)
