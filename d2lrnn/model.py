"""What RNNModelScratch is in every framework; each backend adds the forward computation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from d2lrnn import checks


class ScratchModel(ABC):
    """A language model made of three functions: parameters, first state and forward computation.

    A backend's RNNModelScratch supplies ``one_hot``, ``to_numpy``, ``make_step`` and ``__call__``.
    """

    one_hot: Callable[..., Any]
    to_numpy: Callable[[Any], Any]
    make_step: Callable[..., Any]

    def __init__(
        self,
        vocab_size: int,
        num_hiddens: int,
        get_params: Callable[..., list[Any]],
        init_state: Callable[..., tuple[Any, ...]],
        forward_fn: Callable[..., Any],
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Any = None,
    ) -> None:
        """Make the parameters."""
        self.vocab_size, self.num_hiddens = vocab_size, num_hiddens
        self.dtype, self.device = checks.floating(dtype), device
        self.init_state, self.forward_fn = init_state, forward_fn
        self.params = get_params(
            vocab_size, num_hiddens, seed=seed, dtype=self.dtype, device=device
        )
        self._state_widths = [s.shape[1] for s in self.begin_state(1)]

    @abstractmethod
    def __call__(self, X: Any, state: Any) -> tuple[Any, Any]:
        """Return the outputs (num_steps * batch_size, vocab_size) for ids X, and the new state."""

    def inputs(self, X: Any, state: Any) -> Any:
        """Return token ids X (batch_size, num_steps) as one-hot rows, time-major."""
        ids = self.to_numpy(X)
        checks.axes("X", ids.shape, "(batch_size, num_steps)")
        checks.state(state, len(ids), self._state_widths)
        return self.one_hot(ids.T, self.vocab_size, dtype=self.dtype, device=self.device)

    def begin_state(self, batch_size: int) -> tuple[Any, ...]:
        """Return the state before the first time step of a batch of that size."""
        return self.init_state(batch_size, self.num_hiddens, dtype=self.dtype, device=self.device)

    def evaluate(self, X: Any, state: Any) -> tuple[Any, Any]:
        """Return the outputs as a NumPy array, and the new state."""
        outputs, state = self(X, state)
        return self.to_numpy(outputs), state

    def arrays(self) -> list[Any]:
        """Return copies of the parameters as NumPy arrays."""
        return [self.to_numpy(param) for param in self.params]
