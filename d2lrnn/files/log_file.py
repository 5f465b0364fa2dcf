"""The CSV files with the perplexity of each epoch, which replace no other tables."""

from __future__ import annotations

import csv
import io
import itertools
import os
from collections.abc import Iterable
from typing import Any

from d2lrnn.data import reading
from d2lrnn.files import atomic

COLUMNS = ("epoch", "perplexity", "validation", "speed")
OF_RUN = ("seed", "hiddens")  # the columns that a file of several runs has before these


def save(
    path: atomic.StrPath,
    histories: Iterable[tuple[tuple[Any, ...], Any]],
    of_run: tuple[str, ...] = (),
) -> None:
    """Write a table with a row for each epoch of each run to a CSV file.

    Args:
        path: the file. An existing file is replaced at once if it is such a table or empty.
        histories: the pairs (values, History) of the runs; the values are those of ``of_run``.
        of_run: the names of the first columns: OF_RUN, or nothing for a single run.

    Raises:
        FileExistsError: an OSError; the file exists and is another file.
        OSError: the file cannot be written.
    """
    check_replaceable(path)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*of_run, *COLUMNS])
    for values, history in histories:
        epochs = range(1, len(history.perplexity) + 1)
        columns = (epochs, history.perplexity, history.validation, history.speed)
        for row in itertools.zip_longest(*columns, fillvalue=""):
            writer.writerow([*values, *row])
    atomic.replace(path, text.getvalue().encode())


def check_replaceable(path: atomic.StrPath) -> None:
    """Check that a log may replace a file: that it does not exist, is empty or is a log.

    Raises:
        FileExistsError: it is another file; the message contains its name.
    """
    if not os.path.isfile(path) or os.path.getsize(path) == 0:
        return
    headings = [",".join(names).encode() for names in (COLUMNS, OF_RUN + COLUMNS)]
    with reading.opened(path) as file:
        start = file.read(max(map(len, headings)) + 2)
    if start.splitlines()[0] not in headings:
        raise FileExistsError(
            f"{os.fspath(path)} already exists and is not a log of d2lrnn; choose another name, "
            "or remove it"
        )
