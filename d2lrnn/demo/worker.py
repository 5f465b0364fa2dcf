"""A training run in a thread of its own, which never blocks the page."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from d2lrnn import backends
from d2lrnn.data import corpora, text
from d2lrnn.demo.turns import TURNS
from d2lrnn.files import model_file as checkpoint
from d2lrnn.files import tensor_file
from d2lrnn.measure import gradient_flow
from d2lrnn.nets import build, cells
from d2lrnn.training.history import DivergenceError

CHUNK = 0.1  # seconds of training between two points of the curve
SAMPLE_EVERY = 1.5  # seconds
NUM_PREDS = 150
LONGEST = 20_000  # characters of a pasted text
SHORTEST = 200
MAX_TOKENS = 10_000

# Learning rate and epochs of the runs that all sessions share.
SHARED_RUNS = {"rnn": (2.0, 200), "gru": (4.0, 200), "lstm": (6.0, 200)}


@dataclass(frozen=True)
class Settings:
    """What a run is made of."""

    corpus: str = "builtin"
    cell: str = "rnn"
    hiddens: int = 128
    lr: float = 1.0
    clip: float = 1.0
    backend: str = "numpy"

    def __str__(self) -> str:
        """Return it in one line, as a legend has it."""
        return (
            f"{self.cell} {self.hiddens}, lr {self.lr:g}, clip {self.clip:g}, "
            f"{self.corpus}, {self.backend}"
        )


@dataclass(frozen=True)
class Point:
    """What was seen at one point of a run; norm is that of all gradients, before clipping."""

    epoch: float
    perplexity: float
    norm: float
    speed: float


PREFIXES = {"builtin": "Listen, ", "time-machine": "time traveller", "grammar": "the "}


def load(rnn: Any, corpus: str, pasted: str, seed: int = 0) -> tuple[Any, Any, str]:
    """Return a loader, its Vocab and what samples go on from."""
    if corpus != "pasted":
        read = getattr(rnn, f"load_data_{corpus.replace('-', '_')}")
        loader, vocab = read(32, 35, max_tokens=MAX_TOKENS, seed=seed)
        return loader, vocab, PREFIXES[corpus]
    lines = corpora.decode_lines(pasted.encode(), "the pasted text")
    ids, vocab = text.build_corpus([line + "\n" for line in lines])
    num_steps = min(35, len(ids) // 10)
    sizes = max(1, min(32, len(ids) // num_steps - 2)), num_steps
    loader = rnn.SeqDataLoader(ids, *sizes, seed=seed)
    return loader, vocab, vocab.join(vocab.to_tokens(ids[:10]))


class Trainer:
    """A run of training in a thread of its own.

    ``status`` is "loading", "running", "paused", "failed" or "stopped"; ``points`` grows while it
    runs, ``sample`` is how the network goes on by now, ``message`` says why it failed.
    """

    def __init__(self, settings: Settings, pasted: str = "", *, epochs: float = math.inf) -> None:
        """Keep the settings; nothing happens before start."""
        self.settings, self.epochs, self._pasted = settings, epochs, pasted
        self.points: list[Point] = []
        self.sample = self.message = ""
        self.floor: float | None = None
        self.net: Any = None
        self.vocab: Any = None
        self.status = "paused"
        self.begun = threading.Event()  # set when there is a network
        self._wanted = 0.0  # minibatches still to do; infinite while it runs
        self._ended = False
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
        """Rest after the minibatches at hand."""
        self._ask(0.0)

    def stop(self) -> None:
        """End the thread."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def alive(self) -> bool:
        """Whether there is more to come."""
        return self.status in ("loading", "running")

    def model_file(self) -> bytes:
        """Return the network as it is now, as the content of a model file."""
        with self._computing:
            known = {"corpus": self.settings.corpus, "seed": 0}
            tensors, metadata = checkpoint.describe(self.net, self.vocab, known)
        return tensor_file.pack(tensors, metadata)

    def copy(self) -> tuple[list[Any], Any]:
        """Return the parameters as they are now, and the Vocab."""
        with self._computing:
            return self.net.arrays(), self.vocab

    def _ask(self, minibatches: float) -> None:
        with self._changed:
            if self.status in ("failed", "stopped"):
                return
            self._wanted = minibatches
            self.status = "running" if self.net is not None and minibatches else "paused"
            if self.net is None:
                self.status = "loading"
            if not self._thread.is_alive():
                self._thread.start()
            self._changed.notify_all()

    def _work(self) -> None:
        try:
            with TURNS:
                self._prepare()
            while self._wait():
                # Numbers that overflow are a run that diverges, which is told as such.
                with TURNS, self._computing, np.errstate(all="ignore"):
                    self._chunk()
            self.status = "stopped"
        except Exception as error:  # shown on the page; the server goes on
            self.status, self.message = "failed", f"{error}"

    def _prepare(self) -> None:
        rnn, asked = backends.load(self.settings.backend), self.settings
        self._loader, self.vocab, self._prefix = load(rnn, asked.corpus, self._pasted)
        self._pasted = ""
        self.floor = getattr(self._loader, "floor", None)
        architecture, sizes = cells.Architecture(asked.cell), (len(self.vocab), asked.hiddens)
        net = build.new_net(rnn, architecture, *sizes, fused=True, seed=0)
        self._train = rnn.make_step(net, asked.lr, asked.clip)
        self._norm = gradient_flow.norm_of_gradients(net)
        self._minibatches, self._done, self._last_sample = self._endless(), 0, -math.inf
        self._rnn, self.net, self._state = rnn, net, None
        self.begun.set()

    def _endless(self) -> Any:
        """Yield minibatches, epoch after epoch; each epoch starts from a zero state."""
        while True:
            self._state = None
            yield from self._loader

    def _wait(self) -> bool:
        """Wait until there is something to do; return False at the end."""
        with self._changed:
            if self._wanted and self.points and self.points[-1].epoch >= self.epochs:
                self._wanted = 0
            while not self._wanted and not self._ended:
                self.status = "paused"
                self._changed.wait()
            self.status = "running"
            return not self._ended

    def _take_one(self) -> bool:
        """Return whether one more minibatch is asked for, and count it."""
        with self._changed:
            if self._wanted < 1 or self._ended:
                return False
            self._wanted -= 1
            return True

    def _chunk(self) -> None:
        """Train for a moment, note a point of the curve, and now and then a sample."""
        losses: list[float] = []
        num_tokens, norm, busy = 0, math.nan, 0.0
        while busy < CHUNK and self._take_one():
            X, Y = next(self._minibatches)
            state = self.net.begin_state(X.shape[0]) if self._state is None else self._state
            if not losses:
                norm = self._norm(X, Y, state)
            start = time.perf_counter()
            loss, self._state = self._train(X, Y, state)
            busy += time.perf_counter() - start
            losses.append(loss)
            num_tokens += math.prod(Y.shape)
        if losses:
            self._note(losses, num_tokens, norm, busy)

    def _note(self, losses: list[float], num_tokens: int, norm: float, busy: float) -> None:
        mean = sum(losses) / len(losses)
        self._done += len(losses)
        epoch = self._done / len(self._loader)
        if not math.isfinite(mean):
            raise DivergenceError(mean, math.ceil(epoch))
        perplexity = math.exp(min(mean, 700.0))
        self.points.append(Point(epoch, perplexity, norm, num_tokens / busy))
        if time.monotonic() - self._last_sample > SAMPLE_EVERY or not self._wanted:
            self.sample = self._rnn.predict_ch8(self._prefix, NUM_PREDS, self.net, self.vocab)
            self._last_sample = time.monotonic()


SHARED_HIDDENS = 64
_shared: dict[str, Trainer] = {}
_sharing = threading.Lock()


def shared(cell: str) -> Trainer:
    """Return the run of a cell on the built-in story that all sessions look into.

    It begins when the first asks for it, and ends by itself.
    """
    with _sharing:
        if cell not in _shared:
            lr, epochs = SHARED_RUNS[cell]
            settings = Settings(cell=cell, hiddens=SHARED_HIDDENS, lr=lr)
            _shared[cell] = Trainer(settings, epochs=epochs)
            _shared[cell].run()
        return _shared[cell]
