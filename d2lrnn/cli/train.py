"""The command ``d2lrnn train``."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterable
from typing import Any

import click
from click.core import ParameterSource

from d2lrnn.cli.common import (
    BACKEND,
    check_apart,
    check_outputs,
    interruptible,
    load_backend,
    plain_errors,
    save_picture,
)
from d2lrnn.data import corpora
from d2lrnn.nets import build, cells
from d2lrnn.recipes import min_char

PREFIXES = {
    "builtin": "Listen, ",
    "time-machine": "time traveller",
    "tiny-shakespeare": "First Citizen:",
    "grammar": "the ",
}
RECIPES = ("min-char",)
FORWARD = [*cells.CELLS, *(f"{cell}_fused" for cell in build.FUSED)]
# What a recipe leaves to the user; all else is part of it.
FREE = {"recipe", "iterations", "backend", "corpus", "text", "seed", "dtype", "gpu", "out", "plot"}


@click.command()
@click.option("--backend", type=BACKEND, default="numpy", help="What computes.")
@click.option(
    "--corpus", type=click.Choice(list(PREFIXES)), help="Which text to learn.  [default: builtin]"
)
@click.option("--text", type=click.Path(), help="A UTF-8 file of your own to learn instead.")
@click.option("--token", type=click.Choice(["char", "word"]), default="char", help="Unit of text.")
@click.option("--max-tokens", default=10000, help="Learn the first so many tokens; 0 for all.")
@click.option("--cell", type=click.Choice(list(cells.CELLS)), default="rnn", help="Kind of cell.")
@click.option("--layers", default=1, help="Layers of cells, one on top of the other.")
@click.option("--bidirectional", is_flag=True, help="Read in both directions; cannot generate.")
@click.option("--concise", is_flag=True, help="Use the framework's own layer (not numpy).")
@click.option(
    "--forward",
    type=click.Choice(FORWARD),
    help="The function that computes a plain cell: as in the book, or fused, which is faster.  "
    "[default: fused where there is one]",
)
@click.option("--hiddens", default=256, help="Hidden units.")
@click.option("--steps", default=35, help="Time steps in a subsequence.")
@click.option("--batch-size", default=32, help="Subsequences in a minibatch.")
@click.option("--epochs", default=400, help="Passes over the text.")
@click.option("--lr", default=1.0, help="Learning rate.")
@click.option("--optimizer", type=click.Choice(["sgd", "adagrad", "adam"]), default="sgd")
@click.option("--clip", default=1.0, help="Largest norm of the gradients.")
@click.option("--random", "use_random_iter", is_flag=True, help="Sample subsequences at random.")
@click.option("--seed", default=0, help="Of the weights and the minibatches.")
@click.option("--dtype", type=click.Choice(["float32", "float64"]), default="float32")
@click.option("--gpu", is_flag=True, help="Compute on a GPU if there is one.")
@click.option("--prefix", help="What samples go on from.  [default: depends on the corpus]")
@click.option("--sample-every", default=50, help="Epochs between two samples.")
@click.option("--out", type=click.Path(), help="Save the model in this file.")
@click.option("--checkpoint", type=click.Path(), help="Keep the run in this file as it goes.")
@click.option("--every", default=100, help="Minibatches from one checkpoint to the next.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint, if there is one.")
@click.option("--plot", type=click.Path(), help="Draw the perplexity into this file (.png, .svg).")
@click.option(
    "--recipe",
    type=click.Choice(RECIPES),
    help="Train the minimal character model instead, by default on tiny-shakespeare: 100 hidden "
    "units, 25 steps, batch 1, Adagrad 0.1, gradients clipped to -5..5.",
)
@click.option("--iterations", default=100_000, help="Of the recipe.")
@click.pass_context
def train(context: click.Context, /, **options: Any) -> None:
    """Train a language model on a text; show progress, perplexity, speed and a sample."""
    with plain_errors():
        files = ("text", "checkpoint", "out", "plot")
        check_apart(**{name: options[name] for name in files})
        check_outputs(options["out"], options["plot"])
        check_outputs(options["checkpoint"], None)
        rnn = load_backend(options["backend"])
        if options["recipe"]:
            _refuse_others(context)
            _train_min_char(rnn, options)
        else:
            _train(rnn, options)


def _train(rnn: Any, options: dict[str, Any]) -> None:
    use_random_iter = options["use_random_iter"]
    loader, vocab, name = _load(rnn, options)
    net = _net(rnn, len(vocab), options)
    if net.bidirectional:
        click.echo("no samples: a network that reads in both directions cannot generate")
    click.echo(
        f"{options['backend']}: {loader.num_tokens:,} tokens of {name}, {len(vocab):,} different; "
        f"{len(loader)} minibatches an epoch"
    )
    if options["resume"] and options["checkpoint"] and not os.path.exists(options["checkpoint"]):
        click.echo(f"no checkpoint {options['checkpoint']} yet: training starts at its beginning")
    known = {"corpus": name, "seed": options["seed"], "epochs": options["epochs"]}
    with interruptible(lambda: _save(rnn, net, vocab, options, known)):
        history = rnn.train_ch8(
            net,
            loader,
            vocab,
            options["lr"],
            options["epochs"],
            theta=options["clip"],
            optimizer=options["optimizer"],
            use_random_iter=use_random_iter,
            prefix=None if net.bidirectional else _prefix(options, name, loader, vocab),
            sample_every=options["sample_every"],
            checkpoint=options["checkpoint"],
            every=options["every"],
            resume=options["resume"],
        )
    click.echo(str(history))
    if history.floor:
        click.echo(f"the lowest perplexity that this text allows is {history.floor:.2f}")
    _keep(rnn, net, vocab, history, options, known)


def _prefix(options: dict[str, Any], name: str, loader: Any, vocab: Any) -> str:
    if options["prefix"] is not None:
        return str(options["prefix"])
    return PREFIXES.get(name) or str(vocab.join(vocab.to_tokens(loader.corpus[:10])))


def _keep(
    rnn: Any, net: Any, vocab: Any, seen: Any, options: dict[str, Any], known: dict[str, Any]
) -> None:
    """Save the model and the picture that were asked for."""
    _save(rnn, net, vocab, options, known)
    if options["plot"]:
        save_picture(seen.plot(label=options["backend"]), options["plot"])


def _save(rnn: Any, net: Any, vocab: Any, options: dict[str, Any], known: dict[str, Any]) -> None:
    """Save the model, if that was asked for; also when training is interrupted."""
    if options["out"]:
        rnn.save_model(options["out"], net, vocab, **known)
        with contextlib.suppress(OSError):  # a terminal that is closed cannot be told
            click.echo(f"model saved in {options['out']}")


def _train_min_char(rnn: Any, options: dict[str, Any]) -> None:
    lines, name = _lines(options["corpus"] or "tiny-shakespeare", options)
    corpus, vocab = min_char.character_corpus(lines)
    settings = _settings(rnn, options)
    architecture = cells.Architecture("rnn")
    net = build.new_net(rnn, architecture, len(vocab), min_char.NUM_HIDDENS, **settings)
    click.echo(
        f"{options['backend']}: {len(corpus):,} characters of {name}, {len(vocab)} different"
    )
    known = {"corpus": name, "seed": options["seed"], "iterations": options["iterations"]}
    with interruptible(lambda: _save(rnn, net, vocab, options, known)):
        seen = min_char.train_min_char(
            net, corpus, vocab, options["iterations"], seed=options["seed"]
        )
    click.echo(
        f"iteration {seen.iterations[-1]:,}: smooth loss {seen.values[-1]:.2f}, "
        f"at first {seen.values[0]:.2f}"
    )
    _keep(rnn, net, vocab, seen, options, known)


def _refuse_others(context: click.Context) -> None:
    """Refuse options that a recipe fixes."""
    given = [
        option.opts[0]
        for option in context.command.params
        if option.name not in FREE
        and option.name is not None
        and context.get_parameter_source(option.name) == ParameterSource.COMMANDLINE
    ]
    if given:
        raise ValueError(f"--recipe fixes {', '.join(given)}; leave out one or the other")


def _lines(corpus: str, options: dict[str, Any]) -> tuple[Iterable[str], str]:
    """Return a text, whole, in pieces, and its name."""
    if options["text"] is not None:
        _one_source(options)
        return corpora.read_blocks(options["text"]), options["text"]
    if corpus == "grammar":
        raise ValueError("--recipe needs a text that does not change; choose another --corpus")
    read = getattr(corpora, f"read_{corpus.replace('-', '_')}")
    return read(), corpus


def _load(rnn: Any, options: dict[str, Any]) -> tuple[Any, Any, str]:
    """Return the loader, the Vocab and the name of the text."""
    sizes = options["batch_size"], options["steps"], options["use_random_iter"]
    settings = {name: options[name] for name in ("token", "seed")}
    settings["max_tokens"] = options["max_tokens"] or None
    if options["text"] is not None:
        _one_source(options)
        return *rnn.load_data_text(options["text"], *sizes, **settings), options["text"]
    corpus = options["corpus"] or "builtin"
    if corpus == "grammar":
        settings["max_tokens"] = options["max_tokens"] or 10000  # there is no end to its text
    load = getattr(rnn, f"load_data_{corpus.replace('-', '_')}")
    return *load(*sizes, **settings), corpus


def _one_source(options: dict[str, Any]) -> None:
    if options["corpus"] is not None:
        raise ValueError("--corpus and --text are both given; choose one")


def _settings(rnn: Any, options: dict[str, Any]) -> dict[str, Any]:
    device = rnn.try_gpu() if options["gpu"] else None
    return {"seed": options["seed"], "dtype": options["dtype"], "device": device}


def _is_fused(architecture: cells.Architecture, forward: str | None) -> bool:
    """Return whether the fused forward function is to be used: where there is one, by default."""
    if forward is None:
        return architecture.plain and architecture.cell in build.FUSED
    if not architecture.plain or forward.removesuffix("_fused") != architecture.cell:
        raise ValueError(f"--forward {forward} is not for {architecture}; choose a --cell to match")
    return forward.endswith("_fused")


def _net(rnn: Any, vocab_size: int, options: dict[str, Any]) -> Any:
    architecture = cells.Architecture(options["cell"], options["layers"], options["bidirectional"])
    sizes, settings = (vocab_size, options["hiddens"]), _settings(rnn, options)
    if not options["concise"]:
        fused = _is_fused(architecture, options["forward"])
        return build.new_net(rnn, architecture, *sizes, fused=fused, **settings)
    if options["forward"]:
        raise ValueError("--concise and --forward are both given; choose one")
    if not hasattr(rnn, "RNNModel"):
        raise ValueError("--concise: NumPy has no layers of its own; choose another --backend")
    if architecture.cell == "gru":  # the frameworks' own is the other kind
        architecture = dataclasses.replace(architecture, cell="gru_reset_after")
    return build.concise_net(rnn, architecture, *sizes, **settings)
