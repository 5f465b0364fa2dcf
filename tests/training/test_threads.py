"""The number of threads during training."""

import math
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from d2lrnn import cli
from d2lrnn.training import run_file, threads


class Clock:
    """A clock that a test sets."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def automatic(monkeypatch):
    """Leave the number of threads to the package, on a machine with four free cores."""
    monkeypatch.delenv(threads.CHOSEN, raising=False)
    monkeypatch.setattr(threads, "cores", lambda: 4)
    monkeypatch.setattr(threads, "others_running", lambda: 0)


@pytest.fixture
def library():
    """A library for matrix products: the list of the numbers of threads that were set."""
    numbers = [4]

    def set_number(number):
        numbers.append(number)
        return numbers[-2]

    return numbers, set_number


@pytest.mark.parametrize(
    ("variable", "number"), [("3", 3), ("2,4", 2), ("", None), ("many", None), ("0", 1)]
)
def test_the_number_that_a_user_chose_is_read_from_the_environment(monkeypatch, variable, number):
    monkeypatch.setenv(threads.CHOSEN, variable)
    assert threads.chosen() == number


@pytest.mark.parametrize(
    ("quotas", "expected"),
    [
        ({"cpu.max": "max 100000"}, math.inf),
        ({"cpu.max": "150000 100000", "a/cpu.max": "max 100000"}, 1.5),
        ({"cpu.max": "400000 100000", "a/b/cpu.max": "50000 100000"}, 0.5),
        ({"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"}, 2),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, math.inf),
        ({}, math.inf),
    ],
)
def test_the_quota_is_the_smallest_of_the_control_groups(tmp_path, quotas, expected):
    for name, content in quotas.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    groups = tmp_path / "groups"
    groups.write_text("0::/a/b\n")
    assert min(threads._quotas(str(tmp_path), str(groups))) == expected


def test_a_quota_below_one_core_is_one_thread(monkeypatch):
    monkeypatch.setattr(threads, "_quotas", lambda: [0.5])
    assert threads.cores() == 1


@pytest.mark.skipif(not os.path.exists("/proc/loadavg"), reason="only Linux counts them")
def test_at_least_one_core_counts_as_free():
    burners = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(2 * threads.cores())
    ]
    try:
        while threads.others_running() < threads.cores():
            pass  # they start
        assert threads.free() == 1
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def test_the_number_before_is_restored_after_training(automatic, library):
    numbers, set_number = library
    with threads.Threads(set_number, number=2).limited():
        assert numbers[-1] == 2
    assert numbers[-1] == 4


def test_the_number_before_is_restored_after_an_error(automatic, library):
    numbers, set_number = library
    with pytest.raises(KeyError), threads.Threads(set_number, number=2).limited():
        raise KeyError
    assert numbers[-1] == 4


def test_a_library_whose_threads_the_user_limited_is_not_given_more(automatic, library):
    numbers, set_number = library
    set_number(1)
    with threads.Threads(set_number).limited() as limit:
        assert (limit.number, numbers[-1]) == (1, 1)


def test_the_user_s_choice_is_left_alone(monkeypatch, automatic, library):
    numbers, set_number = library
    monkeypatch.setenv(threads.CHOSEN, "3")
    with threads.Threads(set_number).limited() as limit:
        limit.after_step()
    assert (limit.number, numbers) == (3, [4])


def look(limit, clock, times):
    for _ in range(times):
        clock.now += threads.SECONDS
        limit.after_step()


def test_fewer_threads_compute_while_other_programs_use_the_cores(monkeypatch, automatic, library):
    numbers, set_number = library
    clock = Clock()
    with threads.Threads(set_number, clock=clock).limited() as limit:
        monkeypatch.setattr(threads, "others_running", lambda: 3)
        look(limit, clock, threads.SAMPLES)
        assert numbers[-1] == 1
        monkeypatch.setattr(threads, "others_running", lambda: 0)
        look(limit, clock, threads.SAMPLES)
        assert numbers[-1] == 4


def test_the_number_of_free_cores_is_checked_once_a_second(monkeypatch, automatic, library):
    looks, clock = [], Clock()
    with threads.Threads(library[1], clock=clock).limited() as limit:
        monkeypatch.setattr(threads, "others_running", lambda: looks.append(0) or 0)
        for _ in range(100):
            clock.now += threads.SECONDS / 10
            limit.after_step()
    assert 9 <= len(looks) <= 10


def test_a_fixed_number_of_threads_does_not_change(monkeypatch, automatic, library):
    clock = Clock()
    with threads.Threads(library[1], fixed=True, clock=clock).limited() as limit:
        monkeypatch.setattr(threads, "others_running", lambda: 3)
        look(limit, clock, 2 * threads.SAMPLES)
        assert limit.number == 4


def train(rnn, make_net, **settings):
    vocab = rnn.Vocab("abcd")
    loader = rnn.SeqDataLoader([0, 1, 2, 3] * 10, 2, 5, seed=0)
    return rnn.train_ch8(make_net(len(vocab)), loader, vocab, 1, progress=False, **settings)


def threads_kept(path):
    return run_file.json_text.read(run_file.model_file.read(path)[1][run_file.RUN])["versions"].get(
        "threads"
    )


@pytest.fixture
def adjustable(rnn, monkeypatch, automatic):
    """The numbers of threads that are set, where every backend can set them."""
    ops, numbers = rnn.RNNModelScratch.ops, [4]

    def set_number(number):
        numbers.append(number)
        return numbers[-2]

    monkeypatch.setitem(ops.__dict__, "set_threads", set_number)
    return numbers


def test_a_resumed_run_uses_its_first_number_of_threads(
    rnn, make_net, monkeypatch, adjustable, tmp_path
):
    path = tmp_path / "run"
    monkeypatch.setattr(threads, "free", lambda: 2)
    train(rnn, make_net, num_epochs=1, checkpoint=path)
    assert threads_kept(path) == "2"
    monkeypatch.setattr(threads, "free", lambda: 1)
    del adjustable[1:]
    train(rnn, make_net, num_epochs=2, checkpoint=path, resume=True)
    assert adjustable == [4, 2, 4]


def test_a_resumed_run_warns_if_the_user_chose_another_number_of_threads(
    rnn, make_net, monkeypatch, adjustable, tmp_path
):
    path = tmp_path / "run"
    train(rnn, make_net, num_epochs=1, checkpoint=path)
    monkeypatch.setenv(threads.CHOSEN, "3")
    with pytest.warns(UserWarning, match="threads 4 there, 3 here"):
        train(rnn, make_net, num_epochs=2, checkpoint=path, resume=True)


def test_a_checkpoint_of_a_framework_with_fixed_threads_does_not_contain_their_number(
    rnn, make_net, monkeypatch, adjustable, tmp_path
):
    monkeypatch.setitem(rnn.RNNModelScratch.ops.__dict__, "set_threads", None)
    train(rnn, make_net, num_epochs=1, checkpoint=tmp_path / "run")
    assert threads_kept(tmp_path / "run") is None


def test_the_threads_of_the_backend_are_as_before_after_training(rnn, make_net, automatic):
    set_threads = rnn.RNNModelScratch.ops.set_threads
    if set_threads is None:
        assert rnn.RNNModelScratch.ops.name in ("tensorflow", "jax")
        return
    before = set_threads(1)
    try:
        train(rnn, make_net, num_epochs=1)
        assert set_threads(1) == 1
    finally:
        set_threads(before)


@pytest.mark.parametrize("number", ["0", "-1", "two"])
def test_the_option_refuses_what_is_not_a_number_of_threads(number):
    result = CliRunner().invoke(cli.main, ["train", "--threads", number])
    assert result.exit_code == 2
    assert "--threads" in result.stderr


def test_the_option_applies_to_the_whole_command():
    sizes = ["--size", "tiny", "--rounds", "2", "--cell", "rnn"]
    command = [sys.executable, "-m", "d2lrnn", "bench", "--threads", "1", *sizes]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "1 thread," in result.stdout
