"""The command ``d2lrnn train``."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from typing import Any

import click

from d2lrnn import checks
from d2lrnn.cli import gpu, own_cells, recipe, sampling, threads, train_net, train_runs
from d2lrnn.cli.common import (
    BACKEND,
    check_apart,
    check_outputs,
    check_readable,
    load_backend,
    plain_errors,
    together,
    was_given,
)
from d2lrnn.cli.output import go_on_without_output
from d2lrnn.cli.recipe import RECIPES, TrainOptions
from d2lrnn.data import corpora, text
from d2lrnn.nets import cells, schedules


@click.command(cls=gpu.GPUCommand, short_help="Train a language model on a text.")
@click.option("--backend", type=BACKEND, default="numpy", help="The backend to use.")
@click.option(
    "--corpus",
    type=click.Choice(list(corpora.CORPORA)),
    help="The text to train on.  [default: builtin]",
)
@click.option("--text", type=click.Path(), help="A text file of your own to train on instead.")
@click.option("--encoding", default="utf-8", help="The encoding of --text, such as latin-1.")
@click.option(
    "--token",
    type=click.Choice(["char", "word", "wordpunct", "bpe"]),
    default="char",
    help="Whether a token is a character, a word between spaces, a word or punctuation mark, or a "
    "byte-pair token, which is learned from the text (not with --corpus grammar).",
)
@click.option(
    "--vocab-size",
    default=text.VOCAB_SIZE,
    help="Number of byte-pair tokens to learn, with --token bpe; at least 256.",
)
@click.option(
    "--max-tokens",
    default=10000,
    help="Number of tokens to train on, from the start; 0 for the whole text.",
)
@click.option(
    "--cell",
    type=own_cells.CellName(list(cells.CELLS)),
    default="rnn",
    help="The recurrent cell, or FILE.py:FUNCTION for a custom cell: FUNCTION(rnn) returns "
    "rnn.new_cell(...).",
)
@click.option(
    "--embedding",
    type=click.IntRange(1),
    help="Number of features of each token, in a table that is trained.  [default: one-hot rows]",
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
    type=click.Choice(list(train_net.FORWARD)),
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
@sampling.options
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
                train_runs.train(rnn, runs)


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
    if options.token != "bpe" and was_given(context, "vocab_size"):
        raise ValueError(
            f"--vocab-size is for --token bpe, and --token is {options.token}; leave out "
            "--vocab-size, or add --token bpe"
        )
    if options.max_tokens < 0:
        raise ValueError(
            f"--max-tokens is {options.max_tokens}; expected 0, for all tokens, or an integer above"
        )
    for name in ("patience", "best"):
        if was_given(context, name) and options.validation is None:
            raise ValueError(f"--{name} needs a validation part; add --validation 0.1")
    if options.bidirectional and (given := sampling.chosen(options)):
        names = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise ValueError(
            f"a bidirectional network cannot generate samples; leave out {names}, or "
            "--bidirectional"
        )
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
                f"--{name} is for one run, and --seed and --hiddens request {len(runs)}; leave it "
                "out, or give one value of each"
            )
    if options.text is not None and not os.path.isfile(options.text):
        raise ValueError(
            f"--text {options.text} can be read only once, and --seed and --hiddens request "
            f"{len(runs)} runs; give a file, or one value of each"
        )
