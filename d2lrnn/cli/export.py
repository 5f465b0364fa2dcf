"""The command ``d2lrnn export``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from d2lrnn.cli.common import (
    NO_MODEL,
    check_readable,
    load_backend,
    plain_errors,
)
from d2lrnn.cli.output import go_on_without_output
from d2lrnn.files import atomic, onnx_file
from d2lrnn.measure import exported


@click.command(short_help="Write a saved model as an ONNX graph.")
@click.argument("model", type=click.Path())
@click.option("--onnx", is_flag=True, hidden=True, help="The format, which is the only one.")
@click.option("--out", type=click.Path(), help="File to write.  [default: MODEL, ending in .onnx]")
def export(model: str, onnx: bool, out: str | None) -> None:
    """Write a saved MODEL as an ONNX graph, which runs without any of the frameworks.

    The inputs and outputs of the graph are those of net(X, state): token ids (n, T) and the state.
    Before the file is written, ONNX Runtime loads the graph, and its results are compared with
    those of the net. If onnxruntime is not installed, the reference implementation of onnx is used.
    """
    with plain_errors():
        onnx_file.onnx_module()
        check_readable("MODEL", model, NO_MODEL)
        go_on_without_output(model)
        out = out or str(Path(model).with_suffix(".onnx"))
        atomic.check_writable(out)
        _check_replaceable(out, model)
        net, vocab = load_backend("numpy").load_model(model)
        content = onnx_file.to_onnx(net, vocab)
        report = exported.check(content, net)
        atomic.replace(out, content)
    click.echo(f"saved {net!r} to {out}")
    click.echo(f"checked: {report}")


def _check_replaceable(out: str, model: str) -> None:
    """Check that the file to write does not exist, or is a graph that d2lrnn wrote."""
    if os.path.exists(out) and os.path.exists(model) and os.path.samefile(out, model):
        raise ValueError(f"{out} is the model itself; give the graph another name with --out")
    if not os.path.isfile(out) or os.path.getsize(out) == 0:
        return
    with open(out, "rb") as file:
        start = file.read(16)
    if not start.startswith(b"\x08") or onnx_file.PRODUCER.encode() not in start:
        raise FileExistsError(
            f"{out} already exists and is not a graph of d2lrnn; choose another name, or remove it"
        )
