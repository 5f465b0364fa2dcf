"""The command ``d2lrnn``: train, generate, compare, doctor."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import platform
import sys
from collections.abc import Iterator
from typing import Any

import click

from d2lrnn import __version__, backends, cells, corpora
from d2lrnn import compare as comparison

PREFIXES = {"builtin": "Listen, ", "time-machine": "time traveller", "grammar": "the "}
BACKEND = click.Choice(list(backends.BACKENDS))


@click.group(context_settings={"show_default": True, "help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Recurrent networks of Dive into Deep Learning, alike in five backends."""
    backends.prepare()


@main.command()
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
@click.option("--plot", type=click.Path(), help="Draw the perplexity into this file (.png, .svg).")
def train(**options: Any) -> None:
    """Train a language model on a text; show progress, perplexity, speed and a sample."""
    with _plain_errors():
        _train(**options)


def _train(
    *,
    backend: str,
    cell: str,
    layers: int,
    bidirectional: bool,
    concise: bool,
    hiddens: int,
    epochs: int,
    lr: float,
    optimizer: str,
    clip: float,
    use_random_iter: bool,
    seed: int,
    dtype: str,
    gpu: bool,
    prefix: str | None,
    sample_every: int,
    out: str | None,
    plot: str | None,
    **source: Any,
) -> None:
    if out:
        _check_writable(out)
    if plot:
        _check_plot(plot)
    rnn = backends.load(backend)
    loader, vocab, name = _load(rnn, use_random_iter=use_random_iter, seed=seed, **source)
    architecture = cells.Architecture(cell, layers, bidirectional)
    settings = {"seed": seed, "dtype": dtype, "device": rnn.try_gpu() if gpu else None}
    net = _net(rnn, architecture, concise, len(vocab), hiddens, settings)
    if prefix is None:
        prefix = PREFIXES.get(name) or vocab.join(vocab.to_tokens(loader.corpus[:10]))
    if bidirectional:
        click.echo("no samples: a network that reads in both directions cannot generate")
    click.echo(
        f"{backend}: {loader.num_tokens:,} tokens of {name}, {len(vocab):,} different; "
        f"{len(loader)} minibatches an epoch"
    )
    history = rnn.train_ch8(
        net,
        loader,
        vocab,
        lr,
        epochs,
        theta=clip,
        optimizer=optimizer,
        use_random_iter=use_random_iter,
        prefix=None if bidirectional else prefix,
        sample_every=sample_every,
    )
    click.echo(str(history))
    if history.floor:
        click.echo(f"the lowest perplexity that this text allows is {history.floor:.2f}")
    if out:
        rnn.save_model(out, net, vocab, corpus=name, seed=seed, epochs=epochs)
        click.echo(f"model saved in {out}")
    if plot:
        history.plot(label=backend).figure.savefig(plot, dpi=150)
        click.echo(f"plot saved in {plot}")


def _net(
    rnn: Any,
    architecture: cells.Architecture,
    concise: bool,
    vocab_size: int,
    hiddens: int,
    settings: dict[str, Any],
) -> Any:
    if not concise:
        return cells.new_net(rnn, architecture, vocab_size, hiddens, **settings)
    if not hasattr(rnn, "RNNModel"):
        raise ValueError("--concise: NumPy has no layers of its own; choose another --backend")
    if architecture.cell == "gru":  # the frameworks' own is the other kind
        architecture = dataclasses.replace(architecture, cell="gru_reset_after")
    return comparison.concise_net(rnn, architecture, vocab_size, hiddens, **settings)


def _load(
    rnn: Any,
    *,
    corpus: str | None,
    text: str | None,
    token: str,
    max_tokens: int,
    steps: int,
    batch_size: int,
    use_random_iter: bool,
    seed: int,
) -> tuple[Any, Any, str]:
    """Return the loader, the Vocab and the name of the text."""
    settings = {"token": token, "seed": seed, "max_tokens": max_tokens or None}
    if text is not None:
        if corpus is not None:
            raise ValueError("--corpus and --text are both given; choose one")
        return *rnn.load_data_text(text, batch_size, steps, use_random_iter, **settings), text
    corpus = corpus or "builtin"
    if corpus == "grammar":
        settings["max_tokens"] = max_tokens or 10000  # there is no end to its text
    load = getattr(rnn, f"load_data_{corpus.replace('-', '_')}")
    return *load(batch_size, steps, use_random_iter, **settings), corpus


@main.command()
@click.argument("model", type=click.Path())
@click.option("--backend", type=BACKEND, default="numpy", help="What computes.")
@click.option("--prefix", default="time traveller", help="What to go on from.")
@click.option("--num-preds", default=200, help="Tokens to generate.")
@click.option("--temperature", default=0.0, help="0: the likeliest token; above: draw.")
@click.option("--seed", type=int, help="For a draw that can be repeated.")
def generate(
    model: str, backend: str, prefix: str, num_preds: int, temperature: float, seed: int | None
) -> None:
    """Continue a prefix with a saved MODEL, whichever backend trained it."""
    with _plain_errors():
        rnn = backends.load(backend)
        net, vocab = rnn.load_model(model)
        draw = {"temperature": temperature, "seed": seed}
        click.echo(rnn.predict_ch8(prefix, num_preds, net, vocab, **draw))


@main.command()
@click.option("--backends", "names", help="Separated by commas.  [default: all installed]")
@click.option("--cell", type=click.Choice(list(cells.CELLS)), help="Only this.  [default: all]")
@click.option("--plot", type=click.Path(), help="Draw the losses into this file (.png, .svg).")
def compare(names: str | None, cell: str | None, plot: str | None) -> None:
    """Compute the same in every backend; show the largest differences and their bounds."""
    from tqdm.auto import tqdm

    with _plain_errors():
        chosen = [n.strip() for n in names.split(",")] if names else backends.available()
        if plot:
            _check_plot(plot)
        known = comparison.CASES | comparison.CONCISE
        wanted = {cell, "gru_reset_after"} if cell == "gru" else {cell}
        cases = [case for case, made_of in known.items() if made_of.cell in wanted]
        for name in chosen:
            backends.load(name)
        with tqdm(disable=None, leave=False) as bar:
            rows = comparison.compare(chosen, cases, bar.set_description)
    click.echo("Largest difference from NumPy in float64, in units of the largest element;")
    click.echo("losses: of 100 training steps from one seed.")
    click.echo(comparison.table(rows, chosen))
    if plot:
        with _plain_errors():
            _plot_losses(chosen, plot)
    broken = [row for row in rows if not row.holds]
    if broken:
        click.echo(f"{len(broken)} of {len(rows)} bounds are broken.")
        sys.exit(1)
    click.echo(f"All {len(rows)} bounds held, with {len(chosen)} backends.")


def _plot_losses(names: list[str], path: str) -> None:
    from d2lrnn import plot

    order = ["numpy", *(name for name in names if name != "numpy")]
    losses = {name: comparison.train(backends.load(name), "rnn", "float64") for name in order}
    left, _ = plot.agreement(losses, comparison.bound("losses", "float64", 0))
    left.figure.savefig(path, dpi=150)
    click.echo(f"plot saved in {path}")


@main.command()
def doctor() -> None:
    """Show which backends are installed, their devices, and how to install the others."""
    click.echo(f"d2lrnn {__version__}, Python {platform.python_version()}, {platform.platform()}")
    for backend in backends.BACKENDS.values():
        click.echo(f"{backend.name:12}{_state(backend)}")
    folder = os.environ.get(corpora.DATA_FOLDER)
    click.echo(f"{corpora.DATA_FOLDER} {'is ' + folder if folder else 'is not set'}")


def _state(backend: backends.Backend) -> str:
    if not backend.installed:
        needs = f" (needs {backend.needs})" if backend.needs else ""
        return f"not installed; run: {backend.install}{needs}"
    try:
        device = backends.load(backend.name).try_gpu()
    except Exception as error:  # a broken installation is what a doctor is for
        return f"{backend.version} is installed, but fails: {type(error).__name__}: {error}"
    return f"{backend.version} on {device}"


def _check_writable(path: str) -> None:
    folder = os.path.dirname(os.path.abspath(path))
    if not os.access(folder, os.W_OK):
        raise OSError(f"cannot write {path}: the folder {folder} is missing or read-only")
    if os.path.isdir(path):
        raise OSError(f"cannot write {path}: it is a folder; give the name of a file")


def _check_plot(path: str) -> None:
    _check_writable(path)
    from d2lrnn import plot

    plot.check_format(path)


@contextlib.contextmanager
def _plain_errors() -> Iterator[None]:
    """Turn what a user can mend into one line and exit status 1."""
    try:
        yield
    except (ValueError, OSError, ImportError, FloatingPointError) as error:
        raise click.ClickException(str(error)) from error
