"""What ``d2lrnn train`` prints and saves at the end: a table, a CSV file and a plot of all runs."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from d2lrnn.cli.common import save_picture
from d2lrnn.files import log_file
from d2lrnn.training.history import History, in_short

if TYPE_CHECKING:
    from d2lrnn.cli.recipe import TrainOptions

HEADINGS = ("run", "epochs", "train", "validation", "best epoch", "lowest")


def labels(runs: Sequence[TrainOptions]) -> list[str]:
    """Return a name for each run: the options that have several values; for one run, the backend.

    Raises:
        ValueError: two runs are the same.
    """
    varied = [
        (name, words)
        for name, words in (("seed", "seed {}"), ("hiddens", "{} hidden units"))
        if len({getattr(run, name) for run in runs}) > 1
    ]
    if not varied:
        return [runs[0].backend]
    return [", ".join(words.format(getattr(run, name)) for name, words in varied) for run in runs]


def table(histories: Mapping[str, History]) -> str:
    """Return a table of the last perplexities, the best epoch and its perplexity, a row per run.

    The best epoch is that with the lowest perplexity of the validation part. Without validation,
    the perplexity in training counts.
    """
    rows = [HEADINGS, *itertools.starmap(_row, histories.items())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _row(label: str, history: History) -> tuple[str, ...]:
    values, epoch = history.validation or history.perplexity, history.best_epoch
    last = [
        in_short(part[-1]) if part else "-" for part in (history.perplexity, history.validation)
    ]
    best = (str(epoch), in_short(values[epoch - 1])) if epoch else ("-", "-")
    return (label, str(len(history.perplexity)), *last, *best)


def tell(
    runs: Sequence[TrainOptions], histories: Mapping[str, History], *, ended: bool = True
) -> None:
    """Print the results so far of the first of all runs, all of which have ended or not."""
    options, first = runs[0], next(iter(histories.values()))
    if len(runs) > 1 or first.validation:
        click.echo(table(histories))
    else:
        _tell_of_perplexity(first)
    if len(runs) == 1:
        _tell_of_end(options, first, ended)
    if first.floor:
        click.echo(f"the lowest perplexity that this text allows is {first.floor:.2f}")


def _tell_of_end(options: TrainOptions, history: History, ended: bool) -> None:
    """Print whether a single run has stopped early, and which parameters the network has."""
    if ended and options.patience and len(history.perplexity) < options.epochs:
        click.echo(
            f"stopped early: {options.patience} epochs without a lower perplexity of the "
            "validation part"
        )
    if options.best and history.best_epoch:
        click.echo(f"the network has the parameters of epoch {history.best_epoch}")


def _tell_of_perplexity(history: History) -> None:
    """Print the last and the best perplexity of a run without a validation part."""
    click.echo(str(history))
    if history.perplexity:
        best = min(history.perplexity)
        epoch = history.perplexity.index(best) + 1
        click.echo(f"best perplexity {in_short(best)}, in epoch {epoch}")


def save(runs: Sequence[TrainOptions], histories: Mapping[str, History]) -> None:
    """Save the plot and the log, if requested, of the first of all runs."""
    options = runs[0]
    if options.plot:
        from d2lrnn import plot

        save_picture(plot.perplexity(histories), options.plot)
    if options.log:
        if len(runs) == 1:
            next(iter(histories.values())).to_csv(options.log)
        else:
            values = ((run.seed, run.hiddens) for run in runs[: len(histories)])
            pairs = zip(values, histories.values(), strict=True)
            log_file.save(options.log, pairs, log_file.OF_RUN)
        click.echo(f"saved the log to {options.log}")
