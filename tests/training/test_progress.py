"""Progress where the output is not a terminal."""

import time

import pytest

from d2lrnn.training import progress


@pytest.fixture
def lines(monkeypatch):
    """Switch lines of progress on, as the command does."""
    monkeypatch.setenv(progress.PROGRESS, progress.LINES)


def test_the_command_writes_a_line_of_progress_every_few_seconds(monkeypatch, capsys, lines):
    monkeypatch.setattr(progress, "SECONDS", 0.01)
    start = time.monotonic()
    with progress.bar(total=50) as shown:
        for _ in range(50):
            time.sleep(0.005)
            shown.update()
    most = (time.monotonic() - start) / progress.SECONDS  # also where each update takes longer
    written = capsys.readouterr().err.splitlines()
    assert 2 <= len(written) <= most
    assert "/50 [" in written[0]


def test_a_short_training_writes_no_line_of_progress(capsys, lines):
    with progress.bar(total=3) as shown:
        shown.update()
        shown.set_description_str("epoch 1")
        shown.update(2)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("asked", [False, None])
def test_lines_can_be_turned_off(monkeypatch, capsys, lines, asked):
    monkeypatch.setattr(progress, "SECONDS", 0.01)
    if asked is None:
        monkeypatch.setenv(progress.PROGRESS, "0")
    with progress.bar(asked, total=3) as shown:
        time.sleep(0.02)
        shown.update(3)
    assert capsys.readouterr().err == ""
