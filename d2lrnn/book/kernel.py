"""The kernel that runs a notebook's cells: limited in time and output, and stopped by signals."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import nbclient
import nbformat
import psutil
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

from d2lrnn.book import client, environment
from d2lrnn.book.leftovers import MARK, end_processes
from d2lrnn.training import interrupts

TICK = 0.1  # seconds from one look for a signal to the next
GRACE = 5.0  # seconds that an interrupted cell has to end
STARTUP = 300  # seconds that a kernel may take to start: it may share its machine
IPC_LENGTH = 90  # of a path: systems allow about a hundred characters
ARGUMENTS = ["-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=ERROR"]
# A kernel that shuts down may flush its output after the socket was closed, and logs that.
QUIET_END = """\
__import__("logging").getLogger("tornado.general").addFilter(
    lambda record: getattr(record.exc_info and record.exc_info[1], "errno", None)
    != __import__("zmq").ENOTSOCK
)
"""
SILENT = logging.getLogger(__name__)  # the report mentions a kernel that died
SILENT.addHandler(logging.NullHandler())
SILENT.propagate = False


class Limits(NamedTuple):
    """The seconds, None for no limit, and the characters of output of a cell."""

    timeout: int | None
    output: int


class Kernel:
    """A kernel for one notebook. Its methods are coroutines of one event loop.

    Args:
        notebook: the notebook; outputs are written into its cells.
        setup: code that the kernel runs before the cells.
        folder: a short path of an empty folder that lasts as long as the kernel.
        working_folder: the folder that cells run in.
        limits: what a cell may take.
        allow_install: run in this environment, where cells may install packages.
        listener: notes a signal that asks to stop.
    """

    def __init__(
        self,
        notebook: Any,
        setup: str,
        folder: Path,
        working_folder: str,
        limits: Limits,
        allow_install: bool,
        listener: interrupts.Listener,
    ) -> None:
        """Make the environment; start nothing."""
        self.setup, self.folder, self.working_folder = setup, folder, working_folder
        self.timeout, self.listener = limits.timeout, listener
        self.notes: list[str] = []
        self.starts = 0
        self.client: Any = client.Client(notebook, allow_errors=True, iopub_timeout=60, log=SILENT)
        self.client.limit, self.client.startup_timeout = limits.output, STARTUP
        python, variables = sys.executable, environment.with_path(os.path.dirname(sys.executable))
        if not allow_install:
            python, variables = environment.make(folder / "environment")
        self.python, self.variables = python, {**variables, MARK: str(folder)}
        spec = {"argv": [python, *ARGUMENTS], "display_name": "Python", "language": "python"}
        (folder / "kernels" / "d2lrnn").mkdir(parents=True)
        path = folder / "kernels" / "d2lrnn" / "kernel.json"
        path.write_text(json.dumps(spec), encoding="utf-8")

    @property
    def stopped(self) -> bool:
        """Whether a signal has asked to stop."""
        return self.listener.signum is not None

    async def start(self) -> bool:
        """Start the kernel and run the setup; return whether it printed True.

        Raises:
            ImportError: the setup failed.
            OSError: the kernel does not start.
        """
        task = asyncio.ensure_future(self._start())
        if not await self._wait(task, None):
            await self._kill()
            await asyncio.wait({task}, timeout=GRACE)
            task.cancel()
        try:
            return await task
        except (asyncio.CancelledError, OSError):
            if not self.stopped:
                raise
            return False

    async def _start(self) -> bool:
        self.starts += 1
        path = str(self.folder / f"kernel{self.starts}.json")
        short = os.name == "posix" and len(path) < IPC_LENGTH
        self.client.km = AsyncKernelManager(
            kernel_name="d2lrnn",
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(self.folder / "kernels")]),
            transport="ipc" if short else "tcp",
            connection_file=path,
        )
        try:
            self.client.extra_arguments = ["--HistoryManager.hist_file=:memory:"]
            await self.client.async_start_new_kernel(
                cwd=self.working_folder, env=self.variables, stdout=subprocess.DEVNULL
            )
            await self.client.async_start_new_kernel_client()
            return await self._set_up()
        except RuntimeError as error:
            raise OSError(f"the notebook's kernel does not start: {error}") from error

    async def _set_up(self) -> bool:
        """Run the setup without a trace in the notebook."""
        cells = self.client.nb["cells"]
        untyped: Any = nbformat.v4
        cells.insert(0, untyped.new_code_cell(QUIET_END + self.setup))
        try:
            await self.client.async_execute_cell(cells[0], 0, store_history=False)
        finally:
            outputs = cells.pop(0)["outputs"]
        for output in outputs:
            if output["output_type"] == "error":
                raise ImportError(f"{output['ename']}: {output['evalue']}")
        return "True" in "".join(output.get("text", "") for output in outputs)

    async def execute(self, cell: Any, index: int) -> str | None:
        """Run a cell; return why it did not end by itself, or None."""
        task = asyncio.ensure_future(self.client.async_execute_cell(cell, index))
        problem = None
        if not await self._wait(task, self.timeout):
            problem = (
                f"CellTimeoutError: the cell timed out after {self.timeout} s and was interrupted; "
                "see --timeout"
            )
            if self.stopped:
                problem = "KeyboardInterrupt: the command was stopped"
            await self._interrupt(task)
        try:
            await task
        except nbclient.exceptions.DeadKernelError:
            problem = problem or "DeadKernelError: the kernel died"
            if not self.stopped:
                await self.stop()
                await self.start()
                problem += "; a new kernel, without the names defined so far, runs what follows"
        self._report_left_out(cell)
        if problem:
            cell["outputs"].append(client.message(problem))
        return problem

    async def _wait(
        self,
        task: asyncio.Future[Any],
        seconds: float | None,
        listener: interrupts.Listener | None = None,
    ) -> bool:
        """Wait for a task, until a signal or for some seconds; return whether it is done."""
        listener = listener or self.listener
        deadline = time.monotonic() + (float("inf") if seconds is None else seconds)
        while not task.done() and listener.signum is None and time.monotonic() < deadline:
            await asyncio.wait({task}, timeout=TICK)
        return task.done()

    async def _interrupt(self, task: asyncio.Future[Any]) -> None:
        """Interrupt a cell as Ctrl-C does; kill a kernel that continues, or at another signal."""
        await self.client.km.interrupt_kernel()
        with interrupts.listening() as listener:
            if not await self._wait(task, GRACE, listener):
                await self._kill()
        if not self.stopped:
            self.listener.signum = listener.signum

    async def _kill(self) -> None:
        """Kill the kernel's process, so that the tasks that wait for it end."""
        if self.client.km is not None and self.client.km.has_kernel:
            await self.client.km.provisioner.kill()

    def _report_left_out(self, cell: Any) -> None:
        """Report below a cell, and in the notes, how much of its output is left out."""
        if not self.client.left_out:
            return
        text = f"{self.client.left_out:,} characters of output are left out; see --max-output"
        cell["outputs"].append(client.message(text))
        self.notes.append(text)
        self.client.left_out = 0

    def take_notes(self) -> list[str]:
        """Return the notes since the last call of this method."""
        notes, self.notes = self.notes, []
        return notes

    async def stop(self) -> None:
        """End the kernel, and all processes that its cells have started."""
        manager, channels = self.client.km, self.client.kc
        if manager is None or not manager.has_kernel:
            return
        family = []
        with contextlib.suppress(psutil.Error):
            family = psutil.Process(manager.provisioner.pid).children(recursive=True)
        if channels is not None:
            channels.stop_channels()
        if await manager.is_alive():
            await manager.shutdown_kernel()
        await manager.cleanup_resources()
        self.client.km = self.client.kc = None
        for name in end_processes(family, str(self.folder)):
            self.notes.append(f"ended a process that a cell had left running: {name}")
