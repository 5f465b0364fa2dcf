"""Checkpoints of a training run, and its end between two minibatches when a signal requests it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from d2lrnn import checks
from d2lrnn.files import atomic, model_file
from d2lrnn.files.model_file import StrPath
from d2lrnn.nets import group
from d2lrnn.training import interrupts
from d2lrnn.training.callbacks import Callback, Training
from d2lrnn.training.epoch import Epoch
from d2lrnn.training.history import History
from d2lrnn.training.interrupts import Listener
from d2lrnn.training.run import Run
from d2lrnn.training.run_file import load, pack


class Interrupted(interrupts.Stopped):
    """Training was interrupted after a minibatch, by Ctrl-C or by another signal.

    The net holds the parameters after that minibatch; with keep="best", those of the best epoch, if
    an epoch has ended.

    Args:
        path: the checkpoint that was saved, or None.
        epoch: the epoch that was interrupted.
        signum: the number of the signal.
        history: the results of the epochs before, or None; the attribute ``history``.

    Examples:
        >>> import signal
        >>> class Stopped(list):
        ...     def __iter__(self):
        ...         signal.raise_signal(signal.SIGINT)  # as Ctrl-C does
        ...         return super().__iter__()
        >>> net = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
        >>> train_iter, vocab = Stopped([([[0]], [[1]])]), rnn.Vocab("abcd")
        >>> try:
        ...     rnn.train_ch8(net, train_iter, vocab, lr=1, num_epochs=3, progress=False)
        ... except rnn.Interrupted as error:
        ...     print(error)
        interrupted in epoch 1, after 1 of its minibatches; the run was not saved
    """

    def __init__(
        self,
        path: StrPath | None,
        epoch: Epoch,
        signum: int = signal.SIGINT,
        history: History | None = None,
    ) -> None:
        """Build the message: where training stopped, the checkpoint, and how to resume."""
        where = (
            f"saved to {path}; continue with resume=True (--resume)"
            if path
            else "the run was not saved"
        )
        super().__init__(
            f"interrupted in epoch {epoch.number}, after {epoch.num_minibatches} of its "
            f"minibatches; {where}",
            signum,
        )
        self.path, self.history = path, history


@dataclass
class Keeper(Callback):
    """Saves checkpoints of a run during training; does nothing if path is None.

    A checkpoint is saved every N minibatches, counted across epochs and from the start or the
    resumption of the run, and after the first minibatch that ends a minute or more after the last
    save.
    """

    path: StrPath | None
    every: int
    run: Run
    epoch: Epoch = field(default_factory=Epoch)
    listener: Listener = field(default_factory=Listener)
    rng_state: Any = None  # the generator's state at the beginning of the epoch
    num_unsaved: int = 0  # minibatches since the last save

    pause = 60.0  # seconds from one save to the next, at most
    clock = staticmethod(time.monotonic)

    def __post_init__(self) -> None:
        """Start the clock for the first save."""
        self.last_save = self.clock()

    @contextlib.contextmanager
    def running(self, resume: bool) -> Iterator[None]:
        """Lock the file, load its run if resuming, and let a signal end training within a block.

        Training ends after the current minibatch.

        Raises:
            LockedError: an OSError; another process is saving its run in the same file.
        """
        checks.size(every=self.every)
        with contextlib.ExitStack() as stack:
            if self.path is not None:
                self.run.check_rng()
                if group.group_of(self.run.net).rank == 0:  # only this process writes the file
                    atomic.check_writable(self.path)
                    stack.enter_context(atomic.locked(self.path))
            self.begin(resume)
            self.listener = stack.enter_context(interrupts.training_ends())
            self.last_save = self.clock()
            yield

    def begin(self, resume: bool) -> None:
        """Load the run from the file if resume is true and the file exists.

        Raises:
            CheckpointError: the file is damaged, or belongs to another run.
            FileExistsError: the file exists, and resume is false.
        """
        checks.size(every=self.every)
        self._note_rng()
        if self.path is None:
            if resume:
                raise ValueError("resume is True without a checkpoint; name the file to resume")
            return
        if not os.path.exists(self.path):
            return
        if not resume:
            raise FileExistsError(
                f"{self.path} already exists; continue it with resume=True (--resume), "
                "remove it, or choose another name"
            )
        self.epoch = load(self.path, self.run)
        self._note_rng()

    def epochs(self, training: Training) -> Iterator[Epoch]:
        """Yield the remaining epochs, the first with its progress so far, until training stops."""
        while self.epoch.number <= training.num_epochs and not training.stopped:
            training.current = self.epoch
            yield self.epoch
            last, self.epoch = self.epoch, Epoch(self.epoch.number + 1)
            self.epoch.minibatch = last.minibatch
            self._note_rng()
            self._stop_if_interrupted()

    def finish(self) -> None:
        """Save the run at the end of training."""
        if self.path is not None and not self.save():
            checks.warn(f"the run has diverged, and is not saved in {self.path}")

    def after_step(self, training: Training) -> None:
        """Save if a checkpoint is due or the run is interrupted; if interrupted, stop."""
        self.num_unsaved += 1
        self._stop_if_interrupted()
        if self.path is not None and self._is_time_to_save():
            saved = self.save()
            self.num_unsaved, self.last_save = 0, self.clock()
            self._stop_if_interrupted(saved=saved)

    def _is_time_to_save(self) -> bool:
        """Return whether a checkpoint is due; all processes get the same result.

        Rank 0 measures the time, and sends its decision to the others with the next minibatch.
        """
        is_late = self.clock() - self.last_save >= self.pause
        processes = group.group_of(self.run.net)
        if processes.size > 1:
            decision = processes.saves
            processes.wants_to_save = is_late and processes.rank == 0 and not decision
            is_late = decision
        return is_late or self.num_unsaved >= self.every

    def save(self) -> bool:
        """Replace the file by a checkpoint of the run, and return whether that was done.

        A run that has diverged is not saved: the file stays as it was.
        """
        if self.path is None or self.run.has_diverged(self.epoch):
            return False
        packed = pack(self.run, self.epoch, self.rng_state)  # in all processes: it joins the rows
        if group.group_of(self.run.net).rank == 0:
            model_file.write(self.path, *packed)
        return True

    def _stop_if_interrupted(self, *, saved: bool | None = None) -> None:
        signum = self._signal()
        if signum is not None:
            saved = self.save() if saved is None else saved
            raise Interrupted(self.path if saved else None, self.epoch, signum, self.run.history)

    def _signal(self) -> int | None:
        """Return the signal that ends training, or None; all processes get the same decision."""
        processes = group.group_of(self.run.net)
        if processes.size == 1:
            return self.listener.signum
        processes.wants_to_stop = self.listener.signum is not None
        return (self.listener.signum or signal.SIGINT) if processes.stops else None

    def _note_rng(self) -> None:
        self.rng_state = self.run.rng and self.run.rng.state
