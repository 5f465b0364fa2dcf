"""The command ``d2lrnn``, with a file for each command but generate and doctor."""

from __future__ import annotations

import os
import platform
import sys
from typing import Any

import click

from d2lrnn import __version__, backends
from d2lrnn.cli import (
    bench,
    book,
    check,
    compare,
    demo,
    export,
    launch,
    notebooks,
    own_cells,
    sampling,
    task,
    train,
)
from d2lrnn.cli import gpu as on_gpu
from d2lrnn.cli.common import (
    BACKEND,
    NO_MODEL,
    check_outputs,
    check_readable,
    load_backend,
    plain_errors,
    save_picture,
)
from d2lrnn.cli.output import harmless, losable, tell_of_unknown, warnings_in_a_line
from d2lrnn.data import corpora, data_files
from d2lrnn.data.bpe import BYTES
from d2lrnn.files import model_file
from d2lrnn.measure import agreement
from d2lrnn.nets import cells
from d2lrnn.training import interrupts


class Commands(click.Group):
    """Commands that Ctrl-C and a full disk end with one line, and the status that shells expect."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command line."""
        with losable(), warnings_in_a_line():
            return super().main(*args, **kwargs)

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names in the order in which a reader meets them."""
        return list(self.commands)

    def invoke(self, context: click.Context) -> Any:
        """Run the chosen command."""
        try:
            return super().invoke(context)
        except KeyboardInterrupt as error:
            click.echo(f"\n{str(error) or 'interrupted'}", err=True)
            sys.exit(interrupts.status(getattr(error, "signum", None)))


@click.group(
    cls=Commands, context_settings={"show_default": True, "help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__)
def main() -> None:
    """Train the recurrent networks of Dive into Deep Learning in any of five frameworks.

    To start, run: d2lrnn train --epochs 50 --out model.safetensors
    """
    backends.prepare()


@click.command(cls=on_gpu.GPUCommand, short_help="Continue a text with a saved model.")
@click.argument("model", type=click.Path())
@click.option("--backend", type=BACKEND, default="numpy", help="The backend to use.")
@on_gpu.option
@click.option(
    "--prefix",
    help="The text to continue.  [default: the prefix of its training, which train --out saves; "
    "otherwise the first token of the vocabulary]",
)
@click.option(
    "--length",
    type=click.IntRange(0),
    default=200,
    help="Number of tokens to generate after the prefix.",
)
@click.option(
    "--num-preds", type=click.IntRange(0), hidden=True, help="The former name of --length."
)
@sampling.options
@click.option(
    "--stop",
    metavar="TOKEN",
    multiple=True,
    help="End the text after this token, or if the tokens are byte pairs, after this text; repeat "
    "it for several.",
)
@click.option("--seed", type=int, help="Seed of the sampling, to generate the same text again.")
@click.option(
    "--cell",
    help="FILE.py:FUNCTION, if MODEL has a custom cell: FUNCTION(rnn) returns rnn.new_cell(...).",
)
def generate(
    model: str,
    backend: str,
    gpu: str | None,
    prefix: str | None,
    length: int,
    num_preds: int | None,
    cell: str | None,
    **draw: Any,
) -> None:
    """Continue a prefix with a saved MODEL, whichever backend trained it."""
    with plain_errors():
        check_readable("MODEL", model, NO_MODEL)
        rnn = load_backend(backend)
        custom = None if cell is None else own_cells.load(cell).cell(rnn)
        net, vocab = rnn.load_model(model, cell=custom, device=on_gpu.device(rnn, gpu))
        if prefix is None:
            prefix = _prefix_of(model, vocab)
        tell_of_unknown(prefix, vocab)
        draw["stop"] = draw["stop"] or None
        number = length if num_preds is None else num_preds
        click.echo(harmless(rnn.predict_ch8(prefix, number, net, vocab, **draw)))


def _prefix_of(path: str, vocab: Any) -> str:
    """Return what the samples of a saved model's training began with, or its first token."""
    settings = model_file.settings_of(path)
    corpus = corpora.CORPORA.get(settings.get("corpus", ""))
    index = BYTES if vocab.token == "bpe" else 1  # not a byte that may be a control character
    first = vocab.join(vocab.to_tokens([min(index, len(vocab) - 1)]))
    return str(settings.get("prefix") or (corpus.prefix if corpus else first))


@click.command(short_help="Show which backends are installed, and how to install others.")
def doctor() -> None:
    """Show which backends are installed, their devices, and how to install the others."""
    click.echo(f"d2lrnn {__version__}, Python {platform.python_version()}, {platform.platform()}")
    for backend in backends.BACKENDS.values():
        click.echo(f"{backend.name:12}{_state(backend)}")
    folder = os.environ.get(data_files.DATA_FOLDER)
    click.echo(f"{data_files.DATA_FOLDER} {'is ' + folder if folder else 'is not set'}")


def _state(backend: backends.Framework) -> str:
    if not backend.installed:
        needs = f" (needs {backend.needs})" if backend.needs else ""
        return f"not installed; run: {backend.install}{needs}"
    try:
        device = backends.load(backend.name).try_gpu()
    except Exception as error:  # a broken installation is what a doctor is for
        return f"{backend.version} is installed, but fails: {type(error).__name__}: {error}"
    return f"{backend.version} on {device}"


for command in (
    train.train,
    generate,
    task.task,
    demo.demo,
    notebooks.notebooks,
    book.book,
    check.check,
    compare.compare,
    bench.bench_command,
    launch.launch,
    export.export,
    doctor,
):
    main.add_command(command)
