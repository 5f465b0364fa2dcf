"""What ``d2lrnn train`` is asked for, as a record; and its recipe, the minimal character model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from d2lrnn.cli import gpu
from d2lrnn.cli.common import as_argument, ending_in_order, save_picture, saving_first
from d2lrnn.data import corpora
from d2lrnn.nets import build, cells, describe
from d2lrnn.recipes import min_char

if TYPE_CHECKING:
    from d2lrnn.interface import Backend

RECIPES = ("min-char",)
# What a recipe leaves to the user; all else is part of it.
FREE = {"recipe", "iterations", "backend", "corpus", "text", "seed", "dtype", "gpu", "threads"}
FREE |= {"out", "plot"}


@dataclass(frozen=True)
class Asked:
    """The options of ``d2lrnn train``; the command's help says what each is."""

    backend: str
    corpus: str | None
    text: str | None
    token: str
    max_tokens: int
    cell: str
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
    out: str | None
    checkpoint: str | None
    every: int
    resume: bool
    plot: str | None
    recipe: str | None
    iterations: int

    def check_one_source(self) -> None:
        """Check that there is one text to learn."""
        if self.text is not None and self.corpus is not None:
            raise ValueError("--corpus and --text are both given; choose one")

    def of_net(self, rnn: Backend) -> dict[str, Any]:
        """Return what a net is made with beside its sizes."""
        device = gpu.device(rnn, self.gpu, rnn.processes().local_rank)
        return {"seed": self.seed, "dtype": self.dtype, "device": device}

    @property
    def saves(self) -> bool:
        """Whether anything is saved when training is interrupted."""
        return self.out is not None or self.checkpoint is not None

    def save(self, rnn: Backend, net: Any, vocab: Any, known: dict[str, Any]) -> None:
        """Save the model, if that was asked for; also when training is interrupted."""
        if self.out and rnn.processes().rank == 0:
            rnn.save_model(self.out, net, vocab, **known)
            click.echo(f"saved the model to {self.out}")

    def keep(self, rnn: Backend, net: Any, vocab: Any, seen: Any, known: dict[str, Any]) -> None:
        """Save the model and the picture that were asked for."""
        self.save(rnn, net, vocab, known)
        if self.plot and rnn.processes().rank == 0:
            save_picture(seen.plot(label=self.backend), self.plot)
        if self.out and not net.bidirectional:
            click.echo(f"next: d2lrnn generate {as_argument(self.out)}")
        elif not self.out:
            click.echo(
                "the model was not saved; to save it, add --out model.safetensors to the command"
            )


def train_min_char(rnn: Backend, asked: Asked) -> None:
    """Train the minimal character model, and keep what was asked for."""
    lines, name = _lines(asked)
    corpus, vocab = min_char.character_corpus(lines)
    architecture, sizes = cells.Architecture("rnn"), (len(vocab), min_char.NUM_HIDDENS)
    net = build.new_net(rnn, architecture, *sizes, **asked.of_net(rnn))
    click.echo(f"model: {describe.in_detail(net)}, computed by {asked.backend}")
    click.echo(f"text: {name}, {len(corpus):,} characters, {len(vocab):,} of them different")
    known = {"corpus": name, "seed": asked.seed, "iterations": asked.iterations}
    with ending_in_order():
        with saving_first(lambda: asked.save(rnn, net, vocab, known), saved=asked.saves):
            seen = min_char.train_min_char(net, corpus, vocab, asked.iterations, seed=asked.seed)
        click.echo(
            f"iteration {seen.iterations[-1]:,}: smooth loss {seen.values[-1]:.2f}, "
            f"at first {seen.values[0]:.2f}"
        )
        asked.keep(rnn, net, vocab, seen, known)


def _lines(asked: Asked) -> tuple[Iterable[str], str]:
    """Return a text, whole, in pieces, and its name."""
    asked.check_one_source()
    if asked.text is not None:
        return corpora.read_blocks(asked.text), asked.text
    name = asked.corpus or "tiny-shakespeare"
    read = corpora.CORPORA[name].read
    if read is None:
        raise ValueError("--recipe needs a text that does not change; choose another --corpus")
    return read(), name


def refuse_others(context: click.Context) -> None:
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
