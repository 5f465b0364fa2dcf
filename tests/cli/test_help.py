"""The help texts: every command and option is described in sentences that are not cut off."""

import click
import pytest
from click.testing import CliRunner

from d2lrnn import cli

COMMANDS = dict(cli.main.commands)
EVERY = {
    **COMMANDS,
    **{f"bench {name}": command for name, command in COMMANDS["bench"].commands.items()},
}
OPTIONS = [
    pytest.param(option, id=f"{name} {option.opts[0]}")
    for name, command in EVERY.items()
    for option in command.params
    if isinstance(option, click.Option)
]


def help_of(*arguments):
    result = CliRunner().invoke(cli.main, [*arguments, "--help"])
    assert result.exit_code == 0
    return result.output


@pytest.mark.parametrize("group", ["", "bench"])
def test_no_command_is_cut_off_in_the_list_of_all(group):
    assert "..." not in help_of(*group.split()).partition("Commands:")[2]


def test_commands_are_listed_in_the_order_in_which_a_reader_meets_them():
    listed = [line.split()[0] for line in help_of().partition("Commands:\n")[2].splitlines()]
    assert listed == list(COMMANDS)
    assert (listed[:2], listed[-1]) == (["train", "generate"], "doctor")


@pytest.mark.parametrize("option", OPTIONS)
def test_the_help_of_every_option_is_a_sentence(option):
    said = (option.help or "").partition("  [default")[0]
    assert said[:1].isupper() or said[:1].isdigit()
    assert said.endswith(".")


@pytest.mark.parametrize("name", EVERY)
def test_no_line_of_help_is_wider_than_a_terminal(name):
    usual = [line for line in help_of(*name.split()).splitlines() if "[rnn|" not in line]
    assert [line for line in usual if len(line) > 80] == []
