"""The command ``d2lrnn train``."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from d2lrnn import checks
from d2lrnn.cli import gpu, recipe, threads
from d2lrnn.cli.common import (
    BACKEND,
    check_apart,
    check_outputs,
    check_readable,
    ending_in_order,
    given,
    load_backend,
    plain_errors,
    saving_first,
    together,
)
from d2lrnn.cli.output import go_on_without_output, tell_of_unknown
from d2lrnn.cli.recipe import RECIPES, Asked
from d2lrnn.data import corpora, loaders
from d2lrnn.nets import build, cells, describe
from d2lrnn.training.history import DivergenceError, in_short

if TYPE_CHECKING:
    from d2lrnn.interface import Backend

FORWARD = [*cells.CELLS, *(f"{cell}_fused" for cell in build.FUSED)]


@click.command(cls=gpu.GPUCommand, short_help="Train a language model on a text.")
@click.option("--backend", type=BACKEND, default="numpy", help="The framework that computes.")
@click.option(
    "--corpus",
    type=click.Choice(list(corpora.CORPORA)),
    help="The text to train on.  [default: builtin]",
)
@click.option(
    "--text", type=click.Path(), help="A text file of your own (UTF-8) to train on instead."
)
@click.option(
    "--token",
    type=click.Choice(["char", "word"]),
    default="char",
    help="Whether a token is a character or a word.",
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
    type=click.Choice(FORWARD),
    help="How a single layer is computed: step by step as in the book, or fused, which is faster.  "
    "[default: fused if the cell has a fused form]",
)
@click.option("--hiddens", default=256, help="Number of hidden units in each layer.")
@click.option("--steps", default=35, help="Number of time steps in a subsequence.")
@click.option("--batch-size", default=32, help="Number of subsequences in a minibatch.")
@click.option("--epochs", default=300, help="Number of passes over the text.")
@click.option("--lr", default=1.0, help="Learning rate.")
@click.option(
    "--optimizer",
    type=click.Choice(["sgd", "adagrad", "adam"]),
    default="sgd",
    help="The optimizer.",
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
@click.option("--seed", default=0, help="Seed of the initial parameters and the minibatches.")
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
    "--recipe",
    type=click.Choice(RECIPES),
    help="Train the minimal character model instead, by default on tiny-shakespeare: 100 hidden "
    "units, 25 steps, batch 1, Adagrad 0.1, gradients clipped to -5..5.",
)
@click.option("--iterations", default=100_000, help="With --recipe: number of training steps.")
@click.pass_context
def train(context: click.Context, /, **options: Any) -> None:
    """Train a language model on a text; show progress, perplexity, speed and samples."""
    asked = Asked(**options)
    with plain_errors():
        _check_options(context, asked)
        check_apart(text=asked.text, checkpoint=asked.checkpoint, out=asked.out, plot=asked.plot)
        check_outputs(asked.out, asked.plot, asked.checkpoint)
        go_on_without_output(asked.out, asked.plot, asked.checkpoint)
        rnn = load_backend(asked.backend)
        with together(rnn) as processes:
            if asked.text is not None and processes.size > 1:  # each of which would read a part
                check_readable("--text", asked.text)
            if asked.recipe:
                checks.one_process(processes.size, "the recipe trains on one row at a time")
                recipe.train_min_char(rnn, asked)
            else:
                _train(rnn, asked)


def _check_options(context: click.Context, asked: Asked) -> None:
    """Check that options go together, and that what they read is there."""
    if asked.recipe:
        recipe.refuse_others(context)
    elif given(context, "iterations"):
        raise ValueError("--iterations needs a recipe; add --recipe min-char, or use --epochs")
    if asked.resume and asked.checkpoint is None:
        raise ValueError("--resume continues a saved run; name its file with --checkpoint FILE")
    if asked.checkpoint is None and given(context, "every"):
        raise ValueError("--every needs a checkpoint; add --checkpoint FILE, or leave out --every")
    if asked.max_tokens < 0:
        raise ValueError(
            f"--max-tokens is {asked.max_tokens}; expected 0, for all tokens, or an integer above"
        )
    asked.check_one_source()
    if asked.text is not None:
        check_readable("--text", asked.text, pipes=True)


def _train(rnn: Backend, asked: Asked) -> None:
    loader, vocab, name = _load(rnn, asked)
    net = _net(rnn, len(vocab), asked)
    click.echo(f"model: {describe.in_detail(net)}, computed by {asked.backend}")
    click.echo(
        f"text: {name}, {loader.num_tokens:,} tokens, {len(vocab):,} of them different, "
        f"{len(loader):,} minibatches per epoch"
    )
    if net.bidirectional:
        click.echo("no samples: a network that reads in both directions cannot generate text")
    if asked.resume and asked.checkpoint and not os.path.exists(asked.checkpoint):
        click.echo(f"the checkpoint {asked.checkpoint} does not exist yet; training starts anew")
    prefix = None if net.bidirectional else _prefix(asked, name, loader, vocab)
    if asked.prefix is not None and prefix:
        tell_of_unknown(prefix, vocab)
    known = {"corpus": name, "seed": asked.seed, "epochs": asked.epochs}
    known |= {"prefix": prefix} if prefix else {}
    with ending_in_order():
        with saving_first(lambda: asked.save(rnn, net, vocab, known), saved=asked.saves):
            history = _history(rnn, net, loader, vocab, asked, prefix)
        _tell_of_perplexity(history)
        asked.keep(rnn, net, vocab, history, known)


def _history(
    rnn: Backend, net: Any, loader: Any, vocab: Any, asked: Asked, prefix: str | None
) -> Any:
    """Train the net, and return its History."""
    with _divergence_by_options():
        return rnn.train_ch8(
            net,
            loader,
            vocab,
            asked.lr,
            asked.epochs,
            theta=asked.theta,
            optimizer=asked.optimizer,
            use_random_iter=asked.use_random_iter,
            prefix=prefix,
            sample_every=asked.sample_every,
            checkpoint=asked.checkpoint,
            every=asked.every,
            resume=asked.resume,
        )


def _tell_of_perplexity(history: Any) -> None:
    """Print the last, the best and the lowest possible perplexity."""
    click.echo(str(history))
    if history.perplexity:
        best = min(history.perplexity)
        epoch = history.perplexity.index(best) + 1
        click.echo(f"best perplexity {in_short(best)}, in epoch {epoch}")
    if history.floor:
        click.echo(f"the lowest perplexity that this text allows is {history.floor:.2f}")


@contextlib.contextmanager
def _divergence_by_options() -> Iterator[None]:
    """Let a DivergenceError name the options of the command."""
    try:
        yield
    except DivergenceError as error:
        raise error.replace(names=("--lr", "--clip 1")) from None


def _prefix(asked: Asked, name: str, loader: Any, vocab: Any) -> str:
    if asked.prefix is not None:
        return asked.prefix
    if name in corpora.CORPORA:
        return corpora.CORPORA[name].prefix
    return str(vocab.join(vocab.to_tokens(loader.corpus[:10])))


def _load(rnn: Backend, asked: Asked) -> tuple[Any, Any, str]:
    """Return the loader, the Vocab and the name of the text."""
    sizes = asked.batch_size, asked.steps, asked.use_random_iter, asked.max_tokens or None
    settings: dict[str, Any] = {"token": asked.token, "seed": asked.seed}
    asked.check_one_source()
    if asked.text is not None:
        return *rnn.load_data_text(asked.text, *sizes, **settings), asked.text
    corpus = asked.corpus or "builtin"
    load = loaders.with_tensors(loaders.load_data, rnn.from_numpy)
    return *load(corpus, *sizes, **settings), corpus


def _forms(cell: str) -> list[str]:
    """Return the values of --forward that are for a cell."""
    return [form for form in FORWARD if form.removesuffix("_fused") == cell]


def _is_fused(architecture: cells.Architecture, forward: str | None) -> bool:
    """Return whether the fused forward function is to be used: where there is one, by default."""
    if forward is None:
        return architecture.plain and architecture.cell in build.FUSED
    cell = forward.removesuffix("_fused")
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
    return forward.endswith("_fused")


def _net(rnn: Backend, vocab_size: int, asked: Asked) -> Any:
    architecture = cells.Architecture(asked.cell, asked.layers, asked.bidirectional)
    sizes, settings = (vocab_size, asked.hiddens), asked.of_net(rnn)
    checks.memory(architecture.num_weights(*sizes), asked.dtype, "take fewer --layers or --hiddens")
    if not asked.concise:
        fused = _is_fused(architecture, asked.forward)
        return build.new_net(rnn, architecture, *sizes, fused=fused, **settings)
    if asked.forward:
        raise ValueError("--concise and --forward are both given; choose one")
    if not rnn.RNNModelScratch.ops.has_layers:
        raise ValueError(
            "--concise: NumPy does not have recurrent layers; choose another --backend"
        )
    if architecture.cell == "gru":  # the frameworks' own is the other kind
        architecture = dataclasses.replace(architecture, cell="gru_reset_after")
    return build.concise_net(rnn, architecture, *sizes, **settings)
