"""A network without hidden states, and the recurrent network."""

from __future__ import annotations

from typing import Protocol

from d2lrnn.interface.aliases import Device, Params, State, Tensor


class Recurrent(Protocol):
    """A network without hidden states, and the recurrent network."""

    @staticmethod
    def get_mlp_params(
        num_inputs: int,
        num_hiddens: int,
        num_outputs: int,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Device = None,
    ) -> Params:
        """Return the parameters of a network with one hidden layer.

        Weights are drawn from N(0, 0.01²) by NumPy in float64 and then cast; biases are 0.

        Args:
            num_inputs: d, 1 or above.
            num_hiddens: h, 1 or above.
            num_outputs: q, 1 or above.
            seed: an integer for the same weights in every backend, or None for new ones.
            dtype: "float32" or "float64".
            device: where to store the parameters; None is the framework's default.

        Returns:
            [W_xh (d, h), b_h (h,), W_hq (h, q), b_q (q,)].

        Source: section 9.4, equations 9.4.3 and 9.4.4.

        Examples:
            >>> [tuple(param.shape) for param in rnn.get_mlp_params(3, 4, 2, seed=0)]
            [(3, 4), (4,), (4, 2), (2,)]
        """

    @staticmethod
    def mlp(X: Tensor, params: Params) -> Tensor:
        """Compute H = tanh(X W_xh + b_h) and return H W_hq + b_q.

        Args:
            X: (n, d).
            params: from get_mlp_params.

        Returns:
            A tensor of shape (n, q).

        Raises:
            ValueError: a shape or a dtype does not fit.

        Source: section 9.4, equations 9.4.3 and 9.4.4.

        Examples:
            >>> X = rnn.from_numpy([[1, 2, 3]], dtype="float32")
            >>> tuple(rnn.mlp(X, rnn.get_mlp_params(3, 4, 2, seed=0)).shape)
            (1, 2)
        """

    @staticmethod
    def get_params(
        vocab_size: int,
        num_hiddens: int,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Device = None,
    ) -> Params:
        """Return the parameters of a recurrent network.

        Weights are drawn from N(0, 0.01²) by NumPy in float64 and then cast; biases are 0.

        Args:
            vocab_size: V, 1 or above.
            num_hiddens: h, 1 or above.
            seed: an integer for the same weights in every backend, or None for new ones.
            dtype: "float32" or "float64".
            device: where to store the parameters; None is the framework's default.

        Returns:
            [W_xh (V, h), W_hh (h, h), b_h (h,), W_hq (h, V), b_q (V,)].

        Raises:
            ValueError: a size is not a positive integer, or the dtype is not supported.

        Source: section 9.5, Initializing Model Parameters.

        Examples:
            >>> W_xh, W_hh, b_h, W_hq, b_q = rnn.get_params(5, 3, seed=0)
            >>> rnn.to_numpy(W_xh)[0].round(4)
            array([ 0.0013, -0.0013,  0.0064], dtype=float32)
        """

    @staticmethod
    def init_rnn_state(
        batch_size: int, num_hiddens: int, *, dtype: str = "float32", device: Device = None
    ) -> State:
        """Return the state of a recurrent network before the first time step: zeros.

        Args:
            batch_size: n, 0 or above.
            num_hiddens: h, 1 or above.
            dtype: "float32" or "float64".
            device: where to store the state; None is the framework's default.

        Returns:
            (H,), with H of shape (n, h).

        Source: section 9.5, RNN Model.

        Examples:
            >>> (H,) = rnn.init_rnn_state(2, 3)
            >>> tuple(H.shape)
            (2, 3)
        """

    @staticmethod
    def rnn(inputs: Tensor, state: State, params: Params) -> tuple[Tensor, State]:
        """Run a recurrent network over a minibatch of sequences.

        For each time step, H_t = tanh(X_t W_xh + H_{t-1} W_hh + b_h) and O_t = H_t W_hq + b_q.

        Args:
            inputs: (T, n, V); T and n may be 0.
            state: (H,), with H of shape (n, h), before the first step.
            params: from get_params.

        Returns:
            The outputs (T * n, q), ordered by time step, and the state after the last step, (H,).

        Raises:
            ValueError: the number of axes, a width, a dtype or the state's batch size does not fit.

        Source: section 9.4, equations 9.4.5 and 9.4.6; section 9.5, RNN Model.

        Examples:
            >>> X = rnn.one_hot([[0, 2], [1, 1]], 3)  # T = 2, n = 2
            >>> state, params = rnn.init_rnn_state(2, 4), rnn.get_params(3, 4, seed=0)
            >>> outputs, (H,) = rnn.rnn(X, state, params)
            >>> tuple(outputs.shape), tuple(H.shape)
            ((4, 3), (2, 4))
        """
