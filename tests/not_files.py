"""Objects that are not files: functions that make them, and words of their error messages."""

import os
import pathlib
import socket


def unix_socket(path):
    """A socket, made by a relative name, since its name may not be long."""
    folder = os.getcwd()
    os.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)
    os.chdir(folder)


def loop(path):
    path.symlink_to(path.with_name("other"))
    path.with_name("other").symlink_to(path)


def below_a_file(path):
    path.parent.joinpath("file").write_text("content")
    return path.parent / "file" / path.name


def link(name):
    """A link, so that the name of a device may end in anything."""
    return lambda path: path.symlink_to(name)


NOT_FILES = {
    "a pipe": (getattr(os, "mkfifo", None), "is a pipe"),
    "a socket": (unix_socket, "is a socket"),
    "a folder": (pathlib.Path.mkdir, "is a folder"),
    "a full device": (link("/dev/full"), "is a device"),
    "an endless device": (link("/dev/zero"), "is a device"),
    "the memory": (link("/proc/self/mem"), "/"),
    "a circle of links": (loop, "links"),
    "a name below a file": (below_a_file, "file"),
}
NO_TEXTS = {name: made for name, made in NOT_FILES.items() if name != "a pipe"}
