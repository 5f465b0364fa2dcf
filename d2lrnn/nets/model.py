"""The base class of all language models, in every framework."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.nets import cells, describe, kinds
from d2lrnn.nets.function_layout import FunctionLayout
from d2lrnn.nets.ops import Ops
from d2lrnn.nets.schedules import Schedule
from d2lrnn.nets.steps import TrainingStep

Array = np.ndarray[Any, Any]
State = tuple[Any, ...]


class Model(ABC):
    """A language model: it computes scores of the next token from token ids and a state.

    Its subclasses are RNNModelScratch, and RNNModel around a framework's own layer. ``n`` is
    batch_size, ``T`` num_steps, ``V`` vocab_size; ``params`` are the parameters as the backend's
    tensors.

    A backend's model implements the abstract methods and sets the attributes below; ``ops`` is the
    record of the backend.

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
        """The backend's module tensors, which converts from and to NumPy arrays."""
        return self.ops.tensors

    @property
    def takes_ids(self) -> bool:
        """Whether the forward computation takes token ids instead of one-hot rows."""
        return False

    @property
    @abstractmethod
    def architecture(self) -> cells.Architecture:
        """The cell, the layers and the directions."""

    @property
    def layout(self) -> cells.Architecture | FunctionLayout:
        """What a model file stores of the net, besides its sizes and parameters."""
        return self.architecture

    @abstractmethod
    def __call__(self, X: Any, state: State) -> tuple[Any, State]:
        """Compute the scores of the next token after each token of X.

        Args:
            X: token ids (n, T), as a tensor or a NumPy array.
            state: the result of begin_state(n), or the state that the call before returned.

        Returns:
            The outputs (T * n, V), time-major and unnormalized, and the new state.

        Raises:
            ValueError: X does not have two axes or contains invalid ids, or the state does not fit.
        """

    @abstractmethod
    def begin_state(self, batch_size: int) -> State:
        """Return the state before the first time step of a batch of that size."""

    @abstractmethod
    def make_step(
        self,
        lr: float,
        theta: float = 1.0,
        *,
        optimizer: str = "sgd",
        clip: str = "norm",
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        schedule: Schedule | None = None,
        dropout: float = 0.0,
        seed: int | None = None,
    ) -> TrainingStep:
        """Return step(X, Y, state) -> (mean loss, new state), which trains on one minibatch.

        The arguments are those of d2lrnn.training.language_epoch.make_step.
        ``step.memory()`` returns the state of its optimizer as NumPy arrays by name, and
        ``step.load_memory(arrays)`` loads them into a step that was made with the same arguments.
        """

    @abstractmethod
    def gradients(self, X: Any, Y: Any, state: State) -> tuple[float, list[Array]]:
        """Return the mean loss of a minibatch and its gradients, in the order of arrays()."""

    @abstractmethod
    def arrays(self) -> list[Array]:
        """Return copies of the parameters as NumPy arrays, in the form of a scratch model's."""

    @abstractmethod
    def load_arrays(self, arrays: Sequence[Array]) -> None:
        """Set the parameters to NumPy arrays in the form that arrays() returns.

        Raises:
            ValueError: their shapes are not those of the parameters.
        """

    def own_arrays(self) -> list[Array]:
        """Return the framework's own parameters, if arrays() does not determine them.

        A framework's own layer can have two biases where arrays() has their sum. For a scratch
        model, the list is empty.
        """
        return []

    def load_exactly(self, arrays: Sequence[Array], own: Sequence[Array]) -> None:
        """Load the results of arrays() and own_arrays(), so that training resumes bit for bit."""
        checks.same_shapes(own, self.own_arrays())
        self.load_arrays(arrays)

    def inputs(self, X: Any, state: State) -> Any:
        """Return token ids X (n, T) as the forward function's inputs: one-hot rows (T, n, V).

        If takes_ids is true, the inputs are ids (T, n). X and state are checked here, before any
        compiled code, in which they would not have values.
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
        """Check the axes of X and the state; return X as a NumPy array (num_steps, batch_size).

        While the call is traced, X does not have values, and is returned as a tensor.
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

    def as_tensors(self, state: State) -> State:
        """Return a state that has been checked as tensors, with NumPy arrays converted."""
        from_numpy = self.tensors.from_numpy
        return tuple(
            from_numpy(s, device=self.device) if isinstance(s, np.ndarray) else s for s in state
        )

    @property
    def bidirectional(self) -> bool:
        """Whether the layers run in both directions, so that the model cannot generate text."""
        return self.architecture.bidirectional

    def evaluate(self, X: Any, state: State) -> tuple[Array, State]:
        """Return the same as a call, with outputs as a NumPy array, without recording a graph."""
        outputs, state = self(X, state)
        return self.tensors.to_numpy(outputs), state

    def next_scores(self, index: Array, state: State) -> tuple[Array, State]:
        """Return the scores (n, vocab_size) of the tokens after ids (n,), and the state."""
        return self.evaluate(index[:, None], state)

    def say(
        self,
        index: Array,
        state: State,
        given: Array,
        noise: Array,
        truncate: Callable[[Array], Array] | None = None,
    ) -> tuple[Array, State]:
        """Generate k tokens after each of n tokens; return their ids (k, n) and the last state.

        Args:
            index: (n,) ids of the tokens to start from.
            state: the state of a batch of n rows.
            given: (k, n) ids that are given in advance, as in a prefix; negative for a token that
                is to be generated.
            noise: (k, n, vocab_size), added to the scores before the highest is chosen.
            truncate: returns scores (n, vocab_size) with -inf for the tokens that are left out; or
                None. It is a function of NumPy, which compiled loops cannot call.
        """
        ids = np.array(given)
        for row, extra in zip(ids, noise, strict=True):  # row: (n,), filled in here
            scores, state = self.next_scores(index, state)
            free = row < 0
            scores = scores if truncate is None else truncate(scores)
            row[free] = (scores + extra)[free].argmax(axis=1)
            index = row
        return ids, state
