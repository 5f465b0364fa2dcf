"""The data sets of edition 1.0 (sections 3.3, 9.2 and 10.5)."""

from __future__ import annotations

import sys
from typing import Any

from .design import DataModule
from .operations import normals
from .texts import EnglishFrench, TimeMachineText

d2l = sys.modules[__package__]


class SyntheticRegressionData(DataModule):
    """Random inputs, and targets that depend on them linearly (section 3.3)."""

    def __init__(
        self,
        w: Any,
        b: float,
        noise: float = 0.01,
        num_train: int = 1000,
        num_val: int = 1000,
        batch_size: int = 32,
    ) -> None:
        """Draw X (n, len(w)) from N(0, 1), and y = X w + b + noise; in JAX always the same."""
        super().__init__()
        self.save_hyperparameters()
        self.X, errors = normals(num_train + num_val, w.shape[0])
        self.y = d2l.matmul(self.X, d2l.reshape(w, (-1, 1))) + b + errors * noise

    def get_dataloader(self, train: bool) -> Any:
        """Return the first num_train rows for training, or the others for validation."""
        rows = slice(0, self.num_train) if train else slice(self.num_train, None)
        return self.get_tensorloader((self.X, self.y), train, rows)


class TimeMachine(TimeMachineText, DataModule):
    """The Time Machine as one list of characters, and all its windows.

    Args:
        batch_size: rows of a minibatch.
        num_steps: length of the windows.
        num_train, num_val: the numbers of windows for training and for validation.
    """

    def __init__(
        self, batch_size: int, num_steps: int, num_train: int = 10000, num_val: int = 5000
    ) -> None:
        """Read the text and cut it into windows: X without, Y with the last character."""
        DataModule.__init__(self)
        self.save_hyperparameters()
        corpus, self.vocab = self.build(self._download())
        windows = d2l.tensor(self._windows(corpus, num_steps))
        self.X, self.Y = windows[:, :-1], windows[:, 1:]

    def get_dataloader(self, train: bool) -> Any:
        """Return the first num_train windows for training, or the num_val that follow."""
        start, count = (0, self.num_train) if train else (self.num_train, self.num_val)
        return self.get_tensorloader([self.X, self.Y], train, slice(start, start + count))


class MTFraEng(EnglishFrench, DataModule):
    """Sentences in English and French, as arrays of word ids of one length.

    Args:
        batch_size: rows of a minibatch.
        num_steps: words of a sentence; longer ones are cut, shorter ones padded.
        num_train, num_val: the numbers of pairs for training and for validation.
    """

    def __init__(
        self, batch_size: int, num_steps: int = 9, num_train: int = 512, num_val: int = 128
    ) -> None:
        """Read the pairs of sentences and number their words."""
        DataModule.__init__(self)
        self.save_hyperparameters()
        arrays, self.src_vocab, self.tgt_vocab = self._build_arrays(self._download())
        self.arrays = arrays

    def get_dataloader(self, train: bool) -> Any:
        """Return the first num_train pairs for training, or the others for validation."""
        rows = slice(0, self.num_train) if train else slice(self.num_train, None)
        return self.get_tensorloader(self.arrays, train, rows)
