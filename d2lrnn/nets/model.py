"""The base class of language models: what they all have, in every framework."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.nets import cells, describe, kinds
from d2lrnn.nets.ops import Ops
from d2lrnn.nets.steps import TrainingStep

Array = np.ndarray[Any, Any]
State = tuple[Any, ...]


class Model(ABC):
    """A language model: token ids and a state in, scores of the next token and a state out.

    RNNModelScratch, or RNNModel around a framework's own layer. ``n`` is batch_size, ``T``
    num_steps, ``V`` vocab_size; ``params`` are the parameters as the backend's tensors.

    A backend's model supplies the abstract methods and the attributes below, ``ops`` being the
    backend's record.

    Examples:
        >>> net = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
        >>> scores, state = net.evaluate([[0, 1, 2]], net.begin_state(1))
        >>> loss, gradients = net.gradients([[0, 1, 2]], [[1, 2, 3]], net.begin_state(1))
        >>> scores.shape, f"{loss:.2f}", [gradient.shape for gradient in gradients[:3]]
        ((3, 5), '1.61', [(5, 4), (4, 4), (4,)])
    """

    ops: Ops
    vocab_size: int
    num_hiddens: int
    dtype: str
    device: Any

    def __repr__(self) -> str:
        """Return cell, sizes, number of parameters and backend."""
        return describe.in_a_line(self, "vocab_size", "num_hiddens")

    @property
    def tensors(self) -> ModuleType:
        """The backend's bridge to NumPy: its module of that name."""
        return self.ops.tensors

    @property
    def takes_ids(self) -> bool:
        """Whether the forward computation takes token ids as they are, not as one-hot rows."""
        return False

    @property
    @abstractmethod
    def architecture(self) -> cells.Architecture:
        """The cell, the layers and the directions."""

    @abstractmethod
    def __call__(self, X: Any, state: State) -> tuple[Any, State]:
        """Compute the scores of the next token after each token of X.

        Args:
            X: token ids (n, T), as a tensor or a NumPy array.
            state: what begin_state(n), or the call before, returned.

        Returns:
            outputs (T * n, V), time-major, not normalised, and the new state.

        Raises:
            ValueError: X has another rank or holds no valid ids, or the state does not fit.
        """

    @abstractmethod
    def begin_state(self, batch_size: int) -> State:
        """Return the state before the first time step of a batch of that size."""

    @abstractmethod
    def make_step(
        self, lr: float, theta: float = 1.0, *, optimizer: str = "sgd", clip: str = "norm"
    ) -> TrainingStep:
        """Return step(X, Y, state) -> (mean loss, new state), which trains on one minibatch.

        ``step.memory()`` gives what its optimizer remembers, as NumPy arrays by name, and
        ``step.load_memory(arrays)`` takes it back into a step made with the same arguments.
        """

    @abstractmethod
    def gradients(self, X: Any, Y: Any, state: State) -> tuple[float, list[Array]]:
        """Return the mean loss of a minibatch and its gradients, in the order of arrays()."""

    @abstractmethod
    def arrays(self) -> list[Array]:
        """Return copies of the parameters, as those of a scratch model, as NumPy arrays."""

    @abstractmethod
    def load_arrays(self, arrays: Sequence[Array]) -> None:
        """Take NumPy arrays, as arrays() returns them, as the parameters.

        Raises:
            ValueError: their shapes are not those of the parameters.
        """

    def own_arrays(self) -> list[Array]:
        """Return the parameters as the framework has them, where arrays() does not tell all.

        A framework's own layer has two biases where arrays() has their sum; a scratch model has
        nothing of the kind.
        """
        return []

    def load_exactly(self, arrays: Sequence[Array], own: Sequence[Array]) -> None:
        """Take what arrays() and own_arrays() returned, so that training goes on bit for bit."""
        checks.same_shapes(own, self.own_arrays())
        self.load_arrays(arrays)

    def inputs(self, X: Any, state: State) -> Any:
        """Return token ids X (n, T) as the forward function's inputs: one-hot rows (T, n, V).

        Where takes_ids is true they stay ids, (T, n). X and state are checked first, here where
        they have values and outside any compiled code.
        """
        if not self.takes_ids:
            return self.rows(X, state)
        ids = self.ids(X, state)
        if not self.tensors.has_values(ids):
            checks.token_dtype(ids, self.vocab_size)
            return ids
        checks.tokens(ids, self.vocab_size)
        return self.tensors.from_numpy(ids, dtype="int64", device=self.device)

    def rows(self, X: Any, state: State) -> Any:
        """Return token ids X (batch_size, num_steps) as one-hot rows, time-major."""
        ids = self.ids(X, state)
        return self.tensors.one_hot(ids, self.vocab_size, dtype=self.dtype, device=self.device)

    def ids(self, X: Any, state: State) -> Any:
        """Return X (num_steps, batch_size), its rank and the state checked, as a NumPy array.

        It stays a tensor where it has no values, while the call is traced.
        """
        has_values = self.tensors.has_values(X)
        ids = self.tensors.to_numpy(X) if has_values else X
        checks.axes("X", ids.shape, "(batch_size, num_steps)")
        self.check_state(state, ids.shape[0])
        return ids.T if has_values else self.tensors.time_major(ids)

    def check_state(self, state: State, batch_size: int) -> None:
        """Check that a state is a tuple of tensors of the right shapes and dtype."""
        zeros = self.begin_state(0)
        checks.state(state, batch_size, [H.shape[1:] for H in zeros])
        kinds.alike_or_numpy(zeros[0], state=state)
        checks.same_dtype(zeros[0], state=state)

    def own(self, state: State) -> State:
        """Return a state that was checked as tensors, whatever of it is NumPy arrays."""
        from_numpy = self.tensors.from_numpy
        return tuple(
            from_numpy(s, device=self.device) if isinstance(s, np.ndarray) else s for s in state
        )

    @property
    def bidirectional(self) -> bool:
        """Whether the model reads in both directions, and so cannot generate."""
        return self.architecture.bidirectional

    def evaluate(self, X: Any, state: State) -> tuple[Array, State]:
        """Return the same as a call, the outputs as a NumPy array, recording no gradient."""
        outputs, state = self(X, state)
        return self.tensors.to_numpy(outputs), state

    def next_scores(self, index: Array, state: State) -> tuple[Array, State]:
        """Return the scores (n, vocab_size) of the tokens after ids (n,), and the state."""
        return self.evaluate(index[:, None], state)

    def say(self, index: Array, state: State, given: Array, noise: Array) -> tuple[Array, State]:
        """Return the ids (k, n) of the tokens after n of them, row by row, and the last state.

        Args:
            index: (n,) ids of the tokens to go on from.
            state: of a batch of n rows.
            given: (k, n) ids that are settled beforehand; negative where the net is to choose.
            noise: (k, n, vocab_size), added to the scores before the highest is chosen.
        """
        said = np.array(given)
        for settled, extra in zip(said, noise, strict=True):  # settled: (n,), filled in here
            scores, state = self.next_scores(index, state)
            free = settled < 0
            settled[free] = (scores + extra)[free].argmax(axis=1)
            index = settled
        return said, state
