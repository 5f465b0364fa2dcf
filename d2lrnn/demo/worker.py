"""Training runs in separate threads, which never block the page."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from d2lrnn import backends
from d2lrnn.demo.course import WORST, Course, Point, Settings, load
from d2lrnn.demo.turns import LINE, SHARE
from d2lrnn.files import model_file, tensor_file
from d2lrnn.measure import gradient_flow
from d2lrnn.nets import build, cells
from d2lrnn.training.history import DivergenceError, perplexity_of

SAMPLE_EVERY = 1.5  # seconds
NUM_PREDS = 150

# Learning rate and epochs of the runs that all sessions share.
SHARED_RUNS = {
    **{"rnn": (2.0, 200), "gru": (4.0, 200), "lstm": (6.0, 200)},
    **{"mingru": (4.0, 200), "minlstm": (4.0, 200), "s4d": (2.0, 200), "mamba": (1.0, 60)},
}


class Trainer:
    """A training run in a separate thread.

    ``status`` is "loading", "running", "paused", "failed" or "stopped"; ``points`` grows during the
    run, ``sample`` is the latest generated text, and ``message`` is the reason of a failure.
    """

    def __init__(
        self,
        settings: Settings,
        pasted: str = "",
        *,
        epochs: float = math.inf,
        looked_at: Callable[[], bool] = lambda: True,
    ) -> None:
        """Store the settings; training starts with ``run`` or ``step``.

        Args:
            settings: the settings of the run.
            pasted: the text, if the corpus is "pasted".
            epochs: the number of epochs.
            looked_at: a function that returns whether a browser is connected; if not, the run
                pauses.
        """
        self.settings, self.epochs, self._pasted = settings, epochs, pasted
        self._looked_at = looked_at
        self.points: list[Point] = []
        self.sample = self.message = ""
        self.floor: float | None = None
        self.net: Any = None
        self.vocab: Any = None
        self.status = "paused"
        self.begun = threading.Event()  # set when the network exists
        self._wanted = 0.0  # minibatches still to do; infinite during run
        self._ended = self._changed_settings = False
        self._ticket: Any = None
        self._changed = threading.Condition()
        self._computing = threading.Lock()  # held while parameters change
        self._thread = threading.Thread(target=self._work, daemon=True, name="d2lrnn-training")

    def run(self) -> None:
        """Train until pause or stop."""
        self._ask(math.inf)

    def step(self) -> None:
        """Train on one minibatch."""
        self._ask(1.0)

    def pause(self) -> None:
        """Pause after the current minibatch."""
        self._ask(0.0)

    def stop(self) -> None:
        """End the thread."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def change(self, settings: Settings) -> None:
        """Use another learning rate or clipping threshold from the next minibatch on."""
        with self._changed:
            self.settings, self._changed_settings = settings, True

    @property
    def alive(self) -> bool:
        """Whether the run is active."""
        return self.status in ("loading", "running")

    @property
    def before(self) -> int:
        """The number of computations in the queue before this run."""
        return LINE.before(self._ticket)

    def model_file(self) -> bytes:
        """Return the current network as the content of a model file."""
        with self._computing:
            metadata_of_run = {"corpus": self.settings.corpus, "seed": 0}
            tensors, metadata = model_file.describe(self.net, self.vocab, metadata_of_run)
        return tensor_file.pack(tensors, metadata)

    def copy(self) -> tuple[list[Any], Any]:
        """Return copies of the current parameters, and the Vocab."""
        with self._computing:
            return self.net.arrays(), self.vocab

    def _ask(self, minibatches: float) -> None:
        with self._changed:
            if self.status in ("failed", "stopped"):
                return
            self._wanted = minibatches
            self.status = "running" if minibatches else "paused"
            if self.net is None and minibatches:
                self.status = "loading"
            if minibatches and self._ticket is None:
                self._ticket = LINE.join()  # here, so that the order is that of the clicks
            if minibatches and not self._thread.is_alive():
                self._thread.start()
            self._changed.notify_all()

    def _work(self) -> None:
        try:
            while self._wait():
                with LINE.turn(self._ticket, self._is_wanted) as mine:
                    if mine:
                        self._compute()
                self._line_up_again()
            self.status = "stopped"
        except Exception as error:  # shown on the page; the server continues
            self.status, self.message = "failed", f"{error}"

    def _is_wanted(self) -> bool:
        return bool(self._wanted) and not self._ended and self._looked_at()

    def _line_up_again(self) -> None:
        with self._changed:
            if not self._looked_at():
                self._wanted = 0.0
            self._ticket = LINE.join() if self._wanted and not self._ended else None

    def _wait(self) -> bool:
        """Wait until minibatches are requested; return False if the run was stopped."""
        with self._changed:
            while not self._wanted and not self._ended:
                self.status = "paused"
                self._give_up_the_place()
                self._changed.wait()
            if self._ended:
                self._give_up_the_place()
                return False
            self.status = "running" if self.net is not None else "loading"
            return True

    def _give_up_the_place(self) -> None:
        if self._ticket is not None:
            LINE.leave(self._ticket)
            self._ticket = None

    def _compute(self) -> None:
        """Train for a short time; the first time, on one minibatch only."""
        # Overflow means that the run diverges, which is reported separately.
        with self._computing, np.errstate(all="ignore"):
            if self.net is None:
                self._prepare()
                self._chunk(0.0)
            else:
                self._chunk(SHARE)
        self.status = "running" if self._wanted else self.status

    def _prepare(self) -> None:
        rnn, settings = backends.load(self.settings.backend), self.settings
        pasted = self._pasted if settings.corpus == "pasted" else ""
        parts = load(rnn, settings.corpus, pasted, share=settings.validation)
        loader, self._held_out, self.vocab, self._prefix = parts
        self._pasted = ""
        self.floor = getattr(loader, "floor", None)
        architecture, sizes = cells.Architecture(settings.cell), (len(self.vocab), settings.hiddens)
        net = build.new_net(rnn, architecture, *sizes, fused=True, seed=0)
        self._norm = gradient_flow.norm_of_gradients(net)
        self._course, self._last_sample = Course(loader), time.monotonic()
        self._rnn, self.net, self._changed_settings = rnn, net, True
        self.begun.set()

    def _take_one(self) -> bool:
        """Return whether another minibatch is requested, and count it."""
        with self._changed:
            if self._course.done >= self.epochs * self._course.size:
                self._wanted = 0.0
            if self._wanted < 1 or self._ended:
                return False
            self._wanted -= 1
            return True

    def _chunk(self, seconds: float) -> None:
        """Train on at least one minibatch, for a time; then generate a sample if one is due."""
        self._take_settings()
        end = time.perf_counter() + seconds
        while self._take_one():
            self._minibatch(noted=self._course.is_noted() or not self._wanted)
            if time.perf_counter() >= end:
                break
        if time.monotonic() - self._last_sample > SAMPLE_EVERY or not self._wanted:
            self.sample = self._rnn.predict_ch8(self._prefix, NUM_PREDS, self.net, self.vocab)
            self._last_sample = time.monotonic()

    def _take_settings(self) -> None:
        with self._changed:
            changed, self._changed_settings = self._changed_settings, False
            lr, clip = self.settings.lr, self.settings.clip
        if changed:
            step = self._rnn.make_step(self.net, lr, clip)
            self._train = step.deferred

    def _minibatch(self, *, noted: bool) -> None:
        """Train on one minibatch; if noted is true, add a point to the curve."""
        course, start = self._course, time.perf_counter()
        X, Y = course.next()
        state = self.net.begin_state(X.shape[0]) if course.state is None else course.state
        passed = time.perf_counter() - start
        norm = self._norm(X, Y, state) if noted else math.nan
        start = time.perf_counter()
        loss, state = self._train(X, Y, state)
        course.add(loss, math.prod(Y.shape), state, passed + time.perf_counter() - start)
        if noted:
            self._note(norm)

    def _note(self, norm: float) -> None:
        loss, speed = self._course.look()
        epoch = self._course.done / self._course.size
        if not loss < math.log(WORST):
            raise DivergenceError(loss, math.ceil(epoch), names=("lr", "clip 1"))
        held_out = math.nan
        if self._held_out is not None:
            held_out = self._rnn.evaluate(self.net, self._held_out).perplexity
        self.points.append(Point(epoch, perplexity_of(loss), norm, speed, held_out))


SHARED_HIDDENS = 64
_shared: dict[str, Trainer] = {}
_sharing = threading.Lock()


def shared(cell: str) -> Trainer:
    """Return the run of a cell on the built-in story that all sessions share.

    It starts at the first call, and ends after a fixed number of epochs.
    """
    with _sharing:
        if cell not in _shared:
            lr, epochs = SHARED_RUNS[cell]
            settings = Settings(cell=cell, hiddens=SHARED_HIDDENS, lr=lr, validation=0)
            _shared[cell] = Trainer(settings, epochs=epochs)
            _shared[cell].run()
        return _shared[cell]
