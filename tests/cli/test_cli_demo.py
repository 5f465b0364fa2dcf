"""The command ``d2lrnn demo``, as far as it goes without Panel; tests/demo has the rest."""

import sys

from click.testing import CliRunner

from d2lrnn import cli


def test_without_panel_the_pip_command_is_named(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("d2lrnn.demo")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "panel", None)
    monkeypatch.setitem(sys.modules, "bokeh", None)
    result = CliRunner().invoke(cli.main, ["demo", "--no-show"])
    assert result.exit_code == 1
    assert "not installed; run: pip install panel" in result.output
