"""The command ``d2lrnn demo``."""

from __future__ import annotations

import os
from typing import Any

import click

from d2lrnn.cli.common import plain_errors


@click.command(short_help="Show live, on a page, how a network learns.")
@click.option("--port", default=5006, help="Where to listen.")
@click.option(
    "--address", default="127.0.0.1", help="127.0.0.1: for this machine; 0.0.0.0: for all."
)
@click.option("--host", "hosts", multiple=True, help="Another name of this machine in a browser.")
@click.option(
    "--lecture",
    "talk",
    metavar="[FILE]",
    is_flag=False,
    flag_value="",
    help="Step through scenes, by arrow keys or a presenter's remote; without FILE, those of half "
    "an hour that come along.",
)
@click.option("--show/--no-show", default=True, help="Open a browser.")
def demo(port: int, address: str, hosts: tuple[str, ...], talk: str | None, show: bool) -> None:
    """Show on a page, live, how a network learns and what goes on inside it."""
    # Two runs compute at a time, beside the page and often its browser: a framework that splits
    # each small product among all cores would wait for the one that another has.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with plain_errors():
        app = _app()
        read = None if talk is None else app.read_lecture(*([talk] if talk else []))
        app.check_free(port, address)
        shown = "localhost" if address in ("127.0.0.1", "0.0.0.0") else address
        click.echo(f"the demo is at http://{shown}:{port}; Ctrl-C ends it")
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
