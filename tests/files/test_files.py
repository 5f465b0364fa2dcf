"""Files are complete or do not exist."""

import os
import pathlib
import subprocess
import sys
import tempfile
import textwrap

import pytest

from d2lrnn.files import atomic, locks

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
    """Return the output of a process that tries to write 200,000 bytes into path."""
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


def test_a_file_is_synchronized_to_disk_before_and_after_it_is_renamed(tmp_path, monkeypatch):
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


def test_if_writing_fails_the_earlier_file_is_kept(tmp_path):
    (tmp_path / "f").write_bytes(b"before")
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"
    said = replace_in_another_process(tmp_path / "f", limit)
    assert f"cannot write {tmp_path / 'f'} (File too large): it needs 200,000 bytes" in said
    assert "the existing file is unchanged; free some space, or choose another" in said
    assert (tmp_path / "f").read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["f"]


@pytest.fixture
def read_only():
    """A read-only folder with a file, and a function to give up the rights of root."""
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


def test_the_error_names_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"and {tmp_path / 'no'} does not exist; make the"):
        atomic.replace(tmp_path / "no" / "f", b"content")


def test_files_that_a_killed_process_left_are_removed(tmp_path):
    kill = "import os, signal; os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)"
    program = textwrap.dedent(REPLACE).format(before=kill)
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "f")], timeout=60)
    (stray,) = tmp_path.iterdir()
    assert atomic.remove_strays(tmp_path / "f") == [stray]
    assert list(tmp_path.iterdir()) == []


def stray_of(path):
    """The files that a process leaves if it is killed while writing."""
    stray = path.with_name(f"{atomic.prefix(path)}0123abcd.tmp")
    stray.write_bytes(b"half of it")
    return stray


def test_only_leftover_files_are_recognized_as_such(tmp_path):
    atomic.replace(tmp_path / "f", b"content")
    stray_of(tmp_path / "another")
    assert atomic.remove_strays(tmp_path / "f") == []
    assert len(os.listdir(tmp_path)) == 2


def test_a_file_that_a_running_process_writes_is_not_removed(tmp_path):
    stray = stray_of(tmp_path / "f")
    with atomic.replacing(tmp_path / "f", 5) as file:
        program = "import sys; from d2lrnn.files import atomic; atomic.remove_strays(sys.argv[1])"
        command = [sys.executable, "-c", program, str(tmp_path / "f")]
        subprocess.run(command, check=True, timeout=60)
        file.write(b"after")
    assert (tmp_path / "f").read_bytes() == b"after"
    assert not stray.exists()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_the_mode_of_a_file_does_not_change(tmp_path, mode):
    (tmp_path / "f").write_bytes(b"before")
    os.chmod(tmp_path / "f", mode)
    with atomic.replacing(tmp_path / "f", 5) as file:
        (temporary,) = tmp_path.glob(".d2lrnn*")
        assert temporary.stat().st_mode & 0o077 == 0  # other users cannot read it
        file.write(b"after")
    assert (tmp_path / "f").stat().st_mode & 0o777 == mode


def test_a_new_file_has_the_mode_that_the_user_s_mask_leaves(tmp_path):
    before = os.umask(0o027)
    try:
        atomic.replace(tmp_path / "f", b"content")
    finally:
        os.umask(before)
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o640


def test_a_failed_write_leaves_the_earlier_file(tmp_path):
    (tmp_path / "f").write_bytes(b"before")
    with pytest.raises(TypeError), atomic.replacing(tmp_path / "f", 5) as file:
        file.write("after")
    assert (tmp_path / "f").read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["f"]


def test_a_lock_is_held_by_one_process_and_names_it(tmp_path):
    with atomic.locked(tmp_path / "f"):
        with pytest.raises(locks.LockedError) as error, atomic.locked(tmp_path / "f"):
            pass
        assert str(error.value) == (
            f"another process, {os.getpid()}, saves its run in {tmp_path / 'f'}; "
            "wait until it has ended, end it, or choose another file"
        )
    assert os.listdir(tmp_path) == []
    with atomic.locked(tmp_path / "f"):
        assert len(os.listdir(tmp_path)) == 1


def test_the_lock_of_a_killed_process_is_released(tmp_path):
    program = """
import os, signal, sys
from d2lrnn.files import atomic
with atomic.locked(sys.argv[1]):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "f")], timeout=60)
    assert len(os.listdir(tmp_path)) == 1
    with atomic.locked(tmp_path / "f"):
        pass
    assert os.listdir(tmp_path) == []


def test_the_error_for_an_impossible_lock_names_the_file(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match=f"cannot write {tmp_path / 'no' / 'f'} "),
        atomic.locked(tmp_path / "no" / "f"),
    ):
        pass


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="Windows")
def test_a_link_in_place_of_a_lock_does_not_change_another_file(tmp_path):
    other = tmp_path / "other"
    other.write_text("of somebody else")
    (tmp_path / f"{atomic.prefix(tmp_path / 'f')}lock").symlink_to(other)
    with pytest.raises(OSError, match="cannot write"), atomic.locked(tmp_path / "f"):
        pass
    assert other.read_text() == "of somebody else"
