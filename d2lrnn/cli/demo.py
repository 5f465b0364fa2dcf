"""The command ``d2lrnn demo``."""

from __future__ import annotations

import os
from typing import Any

import click

from d2lrnn.cli.common import plain_errors


@click.command(short_help="Show in a browser how a network learns.")
@click.option("--port", default=5006, help="The port to listen on.")
@click.option(
    "--address",
    default="127.0.0.1",
    help="127.0.0.1 for this machine only, 0.0.0.0 for all machines.",
)
@click.option(
    "--host", "hosts", multiple=True, help="Another name that browsers may use for this machine."
)
@click.option(
    "--lecture",
    "talk",
    metavar="[FILE]",
    is_flag=False,
    flag_value="",
    help="Present scenes with the arrow keys or a presenter's remote; without FILE, the half-hour "
    "lecture of the package.",
)
@click.option("--show/--no-show", default=True, help="Open a browser.")
def demo(port: int, address: str, hosts: tuple[str, ...], talk: str | None, show: bool) -> None:
    """Show in a browser, live, how a network learns and what happens inside it."""
    # Two runs compute at a time, beside the page and often its browser: a framework that splits
    # each small product among all cores would wait for the one that another has.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with plain_errors():
        app = _app()
        read = None if talk is None else app.read_lecture(*([talk] if talk else []))
        app.check_free(port, address)
        shown = "localhost" if address in ("127.0.0.1", "0.0.0.0") else address
        click.echo(f"the demo is at http://{shown}:{port}; end it with Ctrl-C")
        app.serve(port, address, show=show, more_hosts=hosts, talk=read)


def _app() -> Any:
    try:
        from d2lrnn.demo import app
    except ModuleNotFoundError as error:
        if error.name not in ("panel", "bokeh"):
            raise
        raise ImportError(
            f"the demo needs {error.name}, which is not installed; run: pip install panel"
        ) from None
    return app
