"""Which of several processes has stopped, of those that the others wait for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from d2lrnn.children import Report

LIMIT = 300.0  # seconds
LONGEST_STEP = 1.0  # seconds of the monitor's clock at most from one look to the next
NEARLY = 0.75  # of the limit, after which a process is named together with those that reached it
QUIET = 5.0  # seconds without a report after which a process is not said to be alive


@dataclass
class Process:
    """What a process has reported, and when, by the monitor's clock."""

    pid: int | None = None
    begun: int = 0  # exchanges with the others
    done: int = 0
    busy: int = 0  # intervals of computing
    leaving: bool = False
    ended: bool = False
    heard: float = 0.0  # when it reported
    moved: float = 0.0  # when an exchange began or ended
    active: float = 0.0  # the same, or when it computed

    def hear(self, report: Report, now: float) -> None:
        """Note a report."""
        if (self.begun, self.done) != (report["begun"], report["done"]):
            self.moved = self.active = now
        if self.busy != report["busy"]:
            self.active = now
        self.heard = now
        for name in ("pid", "begun", "done", "busy", "leaving"):
            setattr(self, name, report[name])
        self.ended = "ended" in report

    @property
    def waits(self) -> bool:
        """Whether it is in an exchange."""
        return self.begun > self.done


class Monitor:
    """Collect the reports of workers, which exchange numbers, and of helpers, which serve them.

    Its clock stops while this process is stopped, because no reports arrive then.
    """

    def __init__(
        self,
        workers: Sequence[str],
        helpers: Sequence[str] = (),
        limit: float = LIMIT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take names, and for how many seconds a process may do nothing while others wait."""
        self.limit, self._clock = limit, clock
        self.workers = {name: Process() for name in workers}
        self.all = {**self.workers, **{name: Process() for name in helpers}}
        self._now, self._last = 0.0, clock()

    def hear(self, report: Report) -> None:
        """Note what a process reports."""
        if (name := report.get("name")) in self.all:
            self.all[name].hear(report, self._now)

    def _to_blame(self, reached: int) -> list[str]:
        """Return the processes that do not report.

        Those that wait in the last exchange are returned only if all others report.

        While an engine waits, it may not let other threads run, and then no process reports.
        """
        silent = {name: self.all[name] for name in self.silent(NEARLY * self.limit)}
        others = [name for name, p in silent.items() if not (p.waits and p.begun == reached)]
        return others or list(silent)

    def silent(self, seconds: float) -> list[str]:
        """Return the names of those that have not reported for so long: stopped, or not started."""
        late = self._now - seconds
        return [n for n, p in self.all.items() if p.heard < late and not p.leaving]

    def quiet(self) -> str | None:
        """Return in words which processes are probably not alive, or None."""
        names = self.silent(QUIET)
        last = max((self.all[name].heard for name in names), default=0.0)
        return unanswered(names, round(self._now - last)) if names else None

    def alive(self) -> list[int]:
        """Return the process ids of the workers that run, of those that have reported."""
        return [p.pid for p in self.workers.values() if p.pid is not None and not p.ended]

    def problem(self) -> str | None:
        """Return why the processes cannot continue, or None. The monitor calls it repeatedly."""
        now = self._clock()
        self._now, self._last = self._now + min(now - self._last, LONGEST_STEP), now
        reached = max(process.begun for process in self.workers.values())
        return self._silence(reached) or self._idleness(reached)

    def _silence(self, reached: int) -> str | None:
        """Return who has stopped, while others wait or all have."""
        silent = self.silent(self.limit)
        present = {name for name, process in self.workers.items() if not process.leaving}
        waiting = any(process.waits for process in self.workers.values())
        if silent and (waiting or present <= set(silent)):
            return unanswered(self._to_blame(reached), self.limit)
        return None

    def _idleness(self, reached: int) -> str | None:
        """Return who does nothing, while others have waited long enough for it."""
        late = self._now - self.limit
        if not any(process.waits and process.moved < late for process in self.workers.values()):
            return None
        idle = {name: process for name, process in self.workers.items() if process.active < late}
        if absent := [name for name, process in idle.items() if process.begun < reached]:
            return unanswered(absent, self.limit)
        if len(idle) == len(self.workers):
            return f"the processes have waited {self.limit:g} seconds for one another"
        return None


def unanswered(names: Sequence[str], seconds: float) -> str:
    """Return in words that processes have not answered for so long."""
    verb = "have" if len(names) > 1 else "has"
    return f"{' and '.join(names)} {verb} not answered for {seconds:g} seconds"
