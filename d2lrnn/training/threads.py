"""The number of threads during training, on an idle machine and on a busy one.

NumPy, PyTorch and MXNet divide matrix products among threads that wait for each other in a loop. If
other programs use the cores, these threads wait for a thread that is not running, and two threads
are ten times slower than one. So training uses one thread for each free core, and counts the free
cores again every second. TensorFlow and JAX fix their number of threads when they start.
"""

from __future__ import annotations

import contextlib
import math
import os
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from d2lrnn.training.callbacks import Callback, Training

CHOSEN = "OMP_NUM_THREADS"  # the environment variable in which a user gives the number
SAMPLES = 5  # the number of running threads varies quickly, so the median of N samples is used
SECONDS = 1.0  # from one count of the running threads to the next


def chosen() -> int | None:
    """Return the number of threads that the user has set in OMP_NUM_THREADS, or None."""
    first = os.environ.get(CHOSEN, "").partition(",")[0].strip()
    return max(1, int(first)) if first.isdecimal() else None


def cores() -> int:
    """Return the number of cores that this process may use: affinity and the cgroup's quota."""
    affinity = getattr(os, "sched_getaffinity", None)
    number = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, math.ceil(min(number, *_quotas())))


def _quotas(root: str = "/sys/fs/cgroup", groups: str = "/proc/self/cgroup") -> list[float]:
    """Return the processor seconds per second that cgroups allow, infinity for no limit."""
    quotas = [math.inf]
    with contextlib.suppress(OSError, ValueError, IndexError):
        with open(groups, encoding="utf-8") as file:
            folder = file.read().splitlines()[-1].split(":", 2)[2].strip("/")
        while True:  # version 2: the limits of all parent groups apply, too
            quotas.append(_quota(os.path.join(root, folder, "cpu.max")))
            if not folder:
                break
            folder = os.path.dirname(folder)
    with contextlib.suppress(OSError, ValueError):  # version 1; a quota of -1 means no limit
        values = []
        for name in ("quota", "period"):
            with open(f"{root}/cpu/cpu.cfs_{name}_us", encoding="ascii") as file:
                values.append(int(file.read()))
        quotas += [values[0] / values[1]] if values[0] > 0 else []
    return quotas


def _quota(path: str) -> float:
    """Return the quota in a file of the form "50000 100000" or "max 100000"."""
    if not os.path.exists(path):
        return math.inf
    with open(path, encoding="ascii") as file:
        quota, period = file.read().split()
    return math.inf if quota == "max" else int(quota) / int(period)


def others_running() -> int:
    """Return how many threads of other processes run or wait for a core at this moment.

    Without /proc, return the load average of the last minute instead, or 0 on Windows.
    """
    try:
        with open("/proc/loadavg", encoding="ascii") as file:
            running = int(file.read().split()[3].partition("/")[0])
        return max(0, running - _own_running())
    except (OSError, ValueError, IndexError):
        return round(os.getloadavg()[0]) if hasattr(os, "getloadavg") else 0


def _own_running() -> int:
    """Return how many threads of this process run or wait for a core."""
    number, folder = 0, "/proc/self/task"
    for task in os.listdir(folder):
        path = f"{folder}/{task}/stat"
        # A thread may end while the loop runs.
        with contextlib.suppress(OSError), open(path, encoding="ascii", errors="replace") as file:
            number += file.read().rpartition(")")[2].split()[0] == "R"
    return number


def free(samples: int = SAMPLES) -> int:
    """Return the number of free cores, 1 or more: as many threads as a program should use."""
    running = []
    for _ in range(samples):
        running.append(others_running())
        time.sleep(0.01)
    return max(1, cores() - round(statistics.median(running)))


@dataclass
class Threads(Callback):
    """Sets the number of threads while a network is trained, and restores it afterwards.

    Attributes:
        set_number: the backend's function (number) -> the number before; see Ops.set_threads.
        number: the number of threads; None if the framework fixes it itself.
        fixed: whether the number does not change, so that a resumed run gives the same bits.
        clock: a function that returns the time in seconds.
    """

    set_number: Callable[[int], int] | None
    number: int | None = None
    fixed: bool = False
    clock: Callable[[], float] = time.monotonic
    most: int = 1  # the number that was set before training: never exceeded
    running: deque[int] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    looked: float = 0.0

    @contextlib.contextmanager
    def limited(self) -> Iterator[Threads]:
        """Set the given number of threads, or one for each free core; restore it at the end."""
        if self.set_number is None or chosen() is not None:
            self.number, self.fixed = self.set_number and chosen(), True
            yield self
            return
        number = self.number or free()
        self.most = self.set_number(number)
        self._set(number)
        self.looked = self.clock()
        try:
            yield self
        finally:
            self.set_number(self.most)

    def after_step(self, training: Training | None = None) -> None:
        """Count the free cores once a second, and adapt the number of threads."""
        now = self.clock()
        if self.fixed or now - self.looked < SECONDS:
            return
        self.looked = now
        self.running.append(others_running())
        if len(self.running) == SAMPLES:
            self._set(max(1, cores() - round(statistics.median(self.running))))

    def _set(self, number: int) -> None:
        number = min(number, self.most)
        if number != self.number and self.set_number:
            self.set_number(number)
        self.number = number


def of_net(net: Any, **settings: Any) -> Threads:
    """Return the Threads for a net; it has no effect if the framework fixes the number."""
    return Threads(getattr(getattr(net, "ops", None), "set_threads", None), **settings)
