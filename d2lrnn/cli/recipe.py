"""The options of ``d2lrnn train`` as a record, and its recipe, the minimal character model."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from d2lrnn.cli import gpu, own_cells
from d2lrnn.cli.common import as_argument, ending_in_order, save_picture, saving_first
from d2lrnn.data import corpora
from d2lrnn.nets import build, cells, describe
from d2lrnn.recipes import min_char

if TYPE_CHECKING:
    from d2lrnn.interface import Backend

RECIPES = ("min-char",)
# What a recipe leaves to the user; all else is part of it.
FREE = {
    "recipe",
    "iterations",
    "backend",
    "corpus",
    "text",
    "encoding",
    "seed",
    "dtype",
    "gpu",
    "threads",
}
FREE |= {"out", "plot"}


@dataclass(frozen=True)
class TrainOptions:
    """The options of ``d2lrnn train``; the command's help says what each is."""

    backend: str
    corpus: str | None
    text: str | None
    encoding: str
    token: str
    vocab_size: int
    max_tokens: int
    cell: str
    embedding: int | None
    layers: int
    bidirectional: bool
    concise: bool
    forward: str | None
    hiddens: int
    steps: int
    batch_size: int
    epochs: int
    lr: float
    optimizer: str
    theta: float
    use_random_iter: bool
    seed: int
    dtype: str
    gpu: str | None
    prefix: str | None
    sample_every: int
    temperature: float | None
    top_k: int | None
    top_p: float | None
    min_p: float | None
    out: str | None
    checkpoint: str | None
    every: int
    resume: bool
    plot: str | None
    log: str | None
    validation: float | None
    patience: int | None
    best: bool
    schedule: str | None
    momentum: float
    weight_decay: float
    dropout: float
    recipe: str | None
    iterations: int

    def check_one_source(self) -> None:
        """Check that there is one text to learn."""
        if self.text is not None and self.corpus is not None:
            raise ValueError("--corpus and --text are both given; choose one")

    def net_settings(self, rnn: Backend) -> dict[str, Any]:
        """Return what a net is made with beside its sizes."""
        device = gpu.device(rnn, self.gpu, rnn.processes().local_rank)
        return {"seed": self.seed, "dtype": self.dtype, "device": device}

    def note(self, num_finished: int = 0, num_runs: int = 1, num_epochs: int = 0) -> str | None:
        """Return what to print if training is interrupted, apart from where; None for nothing.

        Args:
            num_finished: the number of runs that have finished.
            num_runs: the number of runs that were requested.
            num_epochs: the number of epochs of the interrupted run that have ended.
        """
        epochs = "epoch 1" if num_epochs == 1 else f"epochs 1 to {num_epochs}"
        part = f"of {epochs} of run {num_finished + 1}" if num_epochs else ""
        if num_runs > 1 and num_finished == 0:
            results = f"the results are those {part}" if part else "nothing was saved"
            return f"none of the {num_runs} runs has finished; {results}"
        if num_runs > 1:
            more = f", and {part}" if part else ""
            finished = f"{num_finished} of {num_runs} runs that finished"
            return f"the results are those of the {finished}{more}"
        if self.out is not None or self.checkpoint is not None:
            return None
        if self.recipe:
            return "nothing was saved; use --out"
        lost = "the model was not saved" if self.log or self.plot else "nothing was saved"
        return f"{lost}; use --out or --checkpoint"

    def save(self, rnn: Backend, net: Any, vocab: Any, facts: dict[str, Any]) -> None:
        """Save the model if --out is given; also when training is interrupted."""
        if self.out and rnn.processes().rank == 0:
            rnn.save_model(self.out, net, vocab, **facts)
            click.echo(f"saved the model to {self.out}")

    def keep(self, rnn: Backend, net: Any, vocab: Any, history: Any, facts: dict[str, Any]) -> None:
        """Save the model and the plot, if --out and --plot are given."""
        self.save(rnn, net, vocab, facts)
        if self.plot and rnn.processes().rank == 0:
            save_picture(history.plot(label=self.backend), self.plot)
        self.tell_next(net)

    def tell_next(self, net: Any) -> None:
        """Print what can be done with the model."""
        run = self.checkpoint if self.checkpoint and os.path.exists(self.checkpoint) else None
        if run:
            click.echo(f"the run is saved in {run}")
        saved = self.out or run
        if saved and not net.bidirectional:
            option = f" --cell {as_argument(self.cell)}" if own_cells.is_custom(self.cell) else ""
            click.echo(f"to generate text, run: d2lrnn generate {as_argument(saved)}{option}")
        elif not saved:
            click.echo(
                "the model was not saved; to save it, add --out model.safetensors to the command"
            )


def train_min_char(rnn: Backend, options: TrainOptions) -> None:
    """Train the minimal character model, and save the files that the options name."""
    lines, name = _lines(options)
    corpus, vocab = min_char.character_corpus(lines)
    architecture, sizes = cells.Architecture("rnn"), (len(vocab), min_char.NUM_HIDDENS)
    net = build.new_net(rnn, architecture, *sizes, **options.net_settings(rnn))
    click.echo(f"model: {describe.in_detail(net)}, computed by {options.backend}")
    click.echo(f"text: {name}, {len(corpus):,} characters, {len(vocab):,} of them different")
    facts = {"corpus": name, "seed": options.seed, "iterations": options.iterations}
    with ending_in_order():
        with saving_first(lambda: options.save(rnn, net, vocab, facts), note=options.note):
            history = min_char.train_min_char(
                net, corpus, vocab, options.iterations, seed=options.seed
            )
        click.echo(
            f"iteration {history.iterations[-1]:,}: smooth loss {history.values[-1]:.2f}, "
            f"initially {history.values[0]:.2f}"
        )
        options.keep(rnn, net, vocab, history, facts)


def _lines(options: TrainOptions) -> tuple[Iterable[str], str]:
    """Return a text, whole, in pieces, and its name."""
    options.check_one_source()
    if options.text is not None:
        return corpora.read_blocks(options.text, options.encoding), options.text
    name = options.corpus or "tiny-shakespeare"
    read = corpora.CORPORA[name].read
    if read is None:
        raise ValueError("--recipe needs a text that does not change; choose another --corpus")
    return read(), name


def refuse_others(context: click.Context) -> None:
    """Refuse options that a recipe fixes."""
    fixed = [
        option.opts[0]
        for option in context.command.params
        if option.name not in FREE
        and option.name is not None
        and context.get_parameter_source(option.name) == ParameterSource.COMMANDLINE
    ]
    if fixed:
        raise ValueError(f"--recipe fixes {', '.join(fixed)}; leave out one or the other")
