"""The option ``--gpu``: a GPU if there is one, or a GPU and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from d2lrnn import backends

if TYPE_CHECKING:
    from d2lrnn.interface import Backend

OPTION = "--gpu"
MODES = ("use", "require")


class GPUCommand(click.Command):
    """A command whose ``--gpu`` has a value only where it is written ``--gpu=require``.

    Click would take the argument after a bare ``--gpu`` for its value.
    """

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Give a bare --gpu its value."""
        end = args.index("--") if "--" in args else len(args)
        whole = [f"{OPTION}={MODES[0]}" if arg == OPTION else arg for arg in args[:end]]
        return super().parse_args(context, whole + args[end:])


option = click.option(
    OPTION,
    is_flag=False,
    flag_value=MODES[0],
    type=click.Choice(MODES),
    metavar="[=require]",
    help="Compute on a GPU if there is one; with --gpu=require, it is an error if no GPU is found.",
)


def device(rnn: Backend, mode: str | None, number: int = 0) -> Any:
    """Return the device that --gpu asks for, None where it was not given.

    Args:
        rnn: the backend.
        asked: "use", "require" or None.
        number: which GPU.

    Raises:
        ValueError: a GPU is required but not available; the message says what to do.
    """
    if mode is None:
        return None
    gpu = rnn.try_gpu(number)
    ops = rnn.RNNModelScratch.ops
    if ops.tensors.is_gpu(gpu):
        return gpu
    framework = backends.BACKENDS[ops.name]
    absent = f"no GPU that {framework.title} can use was found"
    if mode == "require":
        raise ValueError(f"{absent}; {framework.gpu}")
    click.echo(f"{absent}; computing on the CPU", err=True)
    return gpu
