"""The option ``--threads``: how many threads compute, set before a framework is imported."""

from __future__ import annotations

import os

import click

from d2lrnn.nets.ops import library_threads
from d2lrnn.training import threads

ONE_IN_XLA = "--xla_cpu_multi_thread_eigen=false"


def use(context: click.Context, parameter: click.Parameter, number: int | None) -> None:
    """Let this process compute with that many threads, in any framework."""
    if number is None or context.resilient_parsing:
        return
    os.environ[threads.CHOSEN] = os.environ["TF_NUM_INTRAOP_THREADS"] = f"{number}"
    if number == 1:  # XLA takes one thread, or one for each core
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {ONE_IN_XLA}".strip()
    library_threads(number)  # NumPy is imported already


option = click.option(
    "--threads",
    type=click.IntRange(min=1),
    metavar="N",
    expose_value=False,
    callback=use,
    help="Number of threads.  [default: one for each free core]",
)
