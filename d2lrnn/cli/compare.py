"""The command ``d2lrnn compare``."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator, Sequence

import click

from d2lrnn import backends
from d2lrnn.cli import own_cells
from d2lrnn.cli.common import check_outputs, load_backend, plain_errors, save_picture
from d2lrnn.cli.output import go_on_without_output
from d2lrnn.measure import agreement, comparison
from d2lrnn.nets import cells

OTHERS = "each other"


@click.command(short_help="Compare the numbers of the backends.")
@click.option(
    "--backend",
    "several",
    multiple=True,
    help="A backend to compare; can be repeated.  [default: all installed]",
)
@click.option(
    "--backends", "names", help="Several backends, separated by commas, such as numpy,torch."
)
@click.option(
    "--cell",
    "chosen_cells",
    multiple=True,
    type=own_cells.CellName(list(cells.CELLS)),
    help="A cell to compare, or FILE.py:FUNCTION for a custom cell, which FUNCTION(rnn) returns; "
    "can be repeated.  [default: all cells]",
)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Show all differences, not only the largest of each cell.",
)
@click.option(
    "--plot", type=click.Path(), help="Save a plot of the losses to this file (.png, .svg)."
)
def compare(
    several: tuple[str, ...],
    names: str | None,
    chosen_cells: tuple[str, ...],
    everything: bool,
    plot: str | None,
) -> None:
    """Compute the same networks in each backend, and show the largest differences.

    Each difference is divided by its bound; a number below 1 is a rounding error.
    """
    with plain_errors():
        chosen = (
            [*several, *(n.strip() for n in names.split(","))] if names is not None else [*several]
        )
        chosen = list(dict.fromkeys(chosen)) or backends.available()
        check_outputs(None, plot)
        go_on_without_output(plot)
        for name in chosen:
            load_backend(name)
        rows: list[comparison.Gap] = []
        with _telling_of_interrupt(rows, chosen, everything):
            _compare(chosen, comparison.parts(_cases(chosen_cells)), rows)
    _print(rows, chosen, everything)
    if plot:
        with plain_errors():
            _plot_losses(chosen, plot)
    _conclude(rows, everything)


def _cases(chosen_cells: Sequence[str]) -> list[agreement.Case]:
    """Return the cases of cells; a framework's own GRU is compared with gru_reset_after."""
    custom_cases = [own_cells.load(name) for name in chosen_cells if own_cells.is_custom(name)]
    variants = ["gru_reset_after"] if "gru" in chosen_cells else []
    comparisons = agreement.CASES | agreement.CONCISE
    cells = {*chosen_cells, *variants}
    built_in = [case for case, made_of in comparisons.items() if made_of.cell in cells]
    return [*built_in, *custom_cases]


def _compare(
    chosen: Sequence[str], parts: Sequence[tuple[agreement.Case, str]], rows: list[comparison.Gap]
) -> None:
    """Compare the backends part by part, and append the differences to rows."""
    from d2lrnn.training.progress import bar

    with bar(total=len(parts), leave=False) as shown:
        for case, dtype in parts:
            rows += comparison.compare_part(chosen, case, dtype, shown.set_description_str)
            shown.update()


@contextlib.contextmanager
def _telling_of_interrupt(
    rows: list[comparison.Gap], chosen: Sequence[str], everything: bool
) -> Iterator[None]:
    """Print, if Ctrl-C or another signal ends the comparison, what has been compared so far."""
    try:
        yield
    except KeyboardInterrupt as error:
        if not rows:
            raise KeyboardInterrupt("interrupted; nothing has been compared yet") from error
        _print(rows, chosen, everything)
        raise KeyboardInterrupt(
            f"interrupted; the table holds the {len(rows)} differences compared so far"
        ) from error


def _print(rows: Sequence[comparison.Gap], chosen: Sequence[str], everything: bool) -> None:
    """Print the differences as a table."""
    if everything:
        click.echo("largest difference from NumPy in float64, relative to the largest element")
        click.echo("losses: those of 100 training steps from the same seed")
        click.echo(comparison.table(rows, chosen))
    else:
        click.echo(summary(rows, chosen))


def _conclude(rows: Sequence[comparison.Gap], everything: bool) -> None:
    """Print whether all differences are within tolerance; exit with status 1 if not."""
    broken = [row for row in rows if not row.holds]
    if broken:
        click.echo(f"{len(broken)} of {len(rows)} differences are larger than their tolerance")
        sys.exit(1)
    most = max((row.difference / row.bound for row in rows), default=0.0)
    click.echo(
        f"all {len(rows)} differences are within tolerance; the largest used {most:.0%} of its "
        f"bound{_more(everything)}"
    )


def _plot_losses(names: list[str], path: str) -> None:
    from d2lrnn import plot

    order = ["numpy", *(name for name in names if name != "numpy")]
    losses = {name: agreement.train(backends.load(name), "rnn", "float64") for name in order}
    left, _ = plot.agreement(losses, agreement.bound("losses", "float64", 0))
    save_picture(left, path)


def _more(everything: bool) -> str:
    return "" if everything else "; show them all with --all"


def summary(rows: Iterable[comparison.Gap], names: Sequence[str]) -> str:
    """Return rows as a table of a few lines: cells down, backends across, the worst of each.

    A number is a difference over its bound: under 1 it is rounding.
    """
    worst: dict[str, dict[str, float]] = {}
    for row in rows:
        cell, *more = row.case.split(", ")
        case = f"{cell}, own layer" if "concise" in more else cell
        who = row.who if row.who in names else OTHERS
        share = row.difference / row.bound
        before = worst.setdefault(case, {}).get(who, 0.0)
        worst[case][who] = before if before >= share else share  # NaN stays
    heads = [*names, *([OTHERS] if len(names) > 1 else [])]
    title = "difference/bound"
    width = max(map(len, [*worst, title]))
    columns = [max(len(head), 7) + 2 for head in heads]
    lines = [f"{title:<{width}}" + "".join(map(_right, heads, columns))]
    for case, shares_of_case in worst.items():
        shares = [
            f"{shares_of_case[head]:.2g}" if head in shares_of_case else "-" for head in heads
        ]
        lines.append(f"{case:<{width}}" + "".join(map(_right, shares, columns)))
    return "\n".join(lines)


def _right(text: str, width: int) -> str:
    return text.rjust(width)
