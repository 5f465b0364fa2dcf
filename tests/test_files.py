"""Files that are whole or not there."""

import os
import pathlib
import subprocess
import sys
import tempfile
import textwrap

import pytest

from d2lrnn.files import atomic

REPLACE = """
import sys
from d2lrnn.files import atomic
{before}
try:
    atomic.replace(sys.argv[1], bytes(200_000))
except OSError as error:
    print(error)
"""


def replace_in_another_process(path, before=""):
    """Return what a process says that tries to write 200,000 bytes into path."""
    program = textwrap.dedent(REPLACE).format(before=before)
    command = [sys.executable, "-c", program, str(path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path):
    (tmp_path / "f").write_bytes(b"before")
    atomic.replace(tmp_path / "f", b"after")
    assert (tmp_path / "f").read_bytes() == b"after"
    assert os.listdir(tmp_path) == ["f"]


def test_a_name_may_be_as_long_as_a_folder_allows(tmp_path):
    atomic.replace(tmp_path / ("x" * 255), b"content")
    assert (tmp_path / ("x" * 255)).read_bytes() == b"content"


def test_the_file_is_on_the_disk_before_it_gets_its_name_and_the_name_after(tmp_path, monkeypatch):
    calls, fsync, rename = [], os.fsync, os.replace
    kinds = {True: "folder", False: "file"}

    def note_flush(handle):
        calls.append(f"flush {kinds[os.path.isdir(f'/proc/self/fd/{handle}')]}")
        fsync(handle)

    def note_rename(*names):
        calls.append("rename")
        rename(*names)

    monkeypatch.setattr(os, "fsync", note_flush)
    monkeypatch.setattr(os, "replace", note_rename)
    atomic.replace(tmp_path / "f", b"content")
    assert calls == ["flush file", "rename", "flush folder"]


def test_where_no_more_can_be_written_the_file_before_stays(tmp_path):
    (tmp_path / "f").write_bytes(b"before")
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"
    said = replace_in_another_process(tmp_path / "f", limit)
    assert f"cannot write {tmp_path / 'f'} (File too large): it needs 200,000 bytes" in said
    assert "the file that was there is as it was; make room there, or choose another" in said
    assert (tmp_path / "f").read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["f"]


@pytest.fixture
def read_only():
    """A folder that holds a file and cannot be written to, and how not to be root."""
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "f").write_bytes(b"before")
        os.chmod(folder, 0o555)
        yield pathlib.Path(folder), "import os; os.geteuid() or os.setuid(65534)"
        os.chmod(folder, 0o755)


def test_in_a_read_only_folder_the_file_stays_and_the_error_says_what_is_needed(read_only):
    folder, be_no_root = read_only
    said = replace_in_another_process(folder / "f", be_no_root)
    assert f"cannot write {folder / 'f'} (Permission denied): it needs 200,000 bytes" in said
    assert "make the folder writable, or choose another folder" in said
    assert (folder / "f").read_bytes() == b"before"


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"and {tmp_path / 'no'} is not there; make the"):
        atomic.replace(tmp_path / "no" / "f", b"content")


def test_what_a_killed_process_left_is_removed(tmp_path):
    kill = "import os, signal; os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)"
    program = textwrap.dedent(REPLACE).format(before=kill)
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "f")], timeout=60)
    (stray,) = tmp_path.iterdir()
    assert atomic.remove_strays(tmp_path / "f") == [stray]
    assert list(tmp_path.iterdir()) == []


def test_no_other_file_is_taken_for_a_stray(tmp_path):
    atomic.replace(tmp_path / "f", b"content")
    with atomic._temporary(tmp_path / "another"):
        assert atomic.remove_strays(tmp_path / "f") == []
        assert len(os.listdir(tmp_path)) == 2
