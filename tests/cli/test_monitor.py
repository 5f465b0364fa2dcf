"""Which worker is named when the others wait for it, with a simulated clock."""

import pytest

from d2lrnn.cli.monitor import Monitor

LIMIT = 10.0


class Played:
    """A monitor of two workers whose reports are written by a test."""

    def __init__(self, *helpers):
        self.now = 0.0
        self.monitor = Monitor(["rank 0", "rank 1"], helpers, LIMIT, clock=lambda: self.now)
        self.busy = dict.fromkeys(["rank 0", "rank 1", *helpers], 0)

    def report(self, name, begun=0, done=0, computes=False, leaving=False):
        self.busy[name] += computes
        report = {"name": name, "pid": 1, "begun": begun, "done": done, "leaving": leaving}
        self.monitor.hear({**report, "busy": self.busy[name]})

    def after(self, seconds, **reports):
        """Let time pass, with the same reports every half second; return the first problem."""
        for _ in range(int(2 * seconds)):
            self.now += 0.5
            for name, report in reports.items():
                self.report(name.replace("_", " "), **report)
            if problem := self.monitor.problem():
                return problem
        return None


WAITS, HAS_ARRIVED = {"begun": 5, "done": 4}, {"begun": 5, "done": 5}
IS_LATE = {"begun": 4, "done": 4}


@pytest.fixture
def played():
    return Played()


@pytest.mark.parametrize("last", [WAITS, IS_LATE], ids=["in an exchange", "before it"])
def test_a_process_that_has_stopped_is_named(played, last):
    played.report("rank 1", **last)
    problem = played.after(LIMIT + 1, rank_0=WAITS)
    assert problem == "rank 1 has not answered for 10 seconds"


def test_no_process_is_named_before_the_time(played):
    assert played.after(LIMIT - 1, rank_0=WAITS) is None


def test_a_process_that_has_never_reported_is_named_and_not_the_one_that_cannot(played):
    played.report("rank 0", begun=1)  # and then an engine lets no other thread run
    assert played.after(LIMIT + 1) == "rank 1 has not answered for 10 seconds"


def test_all_stopped_processes_are_named(played):
    for name in ("rank 0", "rank 1"):
        played.report(name, **IS_LATE)
    assert played.after(LIMIT + 1) == "rank 0 and rank 1 have not answered for 10 seconds"


def test_a_stopped_helper_process_is_named():
    played = Played("the server")
    played.report("the server")
    problem = played.after(LIMIT + 1, rank_0=WAITS, rank_1=WAITS)
    assert problem == "the server has not answered for 10 seconds"


def test_a_process_that_compiles_for_an_hour_is_not_ended(played):
    assert played.after(3600, rank_0=WAITS, rank_1={**IS_LATE, "computes": True}) is None


def test_a_process_that_computes_alone_is_not_ended_though_the_others_do_not_report(played):
    played.report("rank 1", leaving=True, **HAS_ARRIVED)
    assert played.after(100, rank_0=HAS_ARRIVED) is None


def test_a_process_that_does_nothing_while_another_waits_is_named(played):
    problem = played.after(LIMIT + 1, rank_0=WAITS, rank_1=IS_LATE)
    assert problem == "rank 1 has not answered for 10 seconds"


def test_a_process_that_has_left_while_another_waits_is_named(played):
    problem = played.after(LIMIT + 1, rank_0=WAITS, rank_1={**IS_LATE, "leaving": True})
    assert problem == "rank 1 has not answered for 10 seconds"


def test_the_time_limit_starts_when_the_other_process_begins_to_wait(played):
    assert played.after(100, rank_0={**IS_LATE, "computes": True}, rank_1=IS_LATE) is None
    assert played.after(LIMIT - 1, rank_0=WAITS, rank_1=IS_LATE) is None
    assert played.after(2, rank_0=WAITS, rank_1=IS_LATE) == "rank 1 has not answered for 10 seconds"


def test_continuing_exchanges_are_not_a_problem(played):
    for count in range(100):
        report = {"begun": count + 1, "done": count}
        assert played.after(1, rank_0=report, rank_1=report) is None


def test_processes_that_wait_for_one_another_are_reported(played):
    problem = played.after(LIMIT + 1, rank_0=WAITS, rank_1=WAITS)
    assert problem == "the processes have waited 10 seconds for one another"


def test_the_time_in_which_the_monitor_was_stopped_does_not_count(played):
    assert played.after(1, rank_0=WAITS, rank_1=IS_LATE) is None
    played.now += 1000
    assert played.after(1, rank_0=WAITS, rank_1=IS_LATE) is None
