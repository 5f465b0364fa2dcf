"""The gated recurrent unit, in both forms, and the LSTM."""

from __future__ import annotations

from typing import Protocol

from d2lrnn.interface.aliases import Device, Params, State, Tensor


class Gated(Protocol):
    """The gated recurrent unit, in both forms, and the LSTM."""

    @staticmethod
    def get_gru_params(
        vocab_size: int,
        num_hiddens: int,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Device = None,
    ) -> Params:
        """Return the parameters of a gated recurrent unit (GRU).

        Weights are drawn from N(0, 0.01²) by NumPy in float64 and then cast; biases are 0.

        Args:
            vocab_size: V, 1 or above.
            num_hiddens: h, 1 or above.
            seed: an integer for the same weights in every backend, or None for new ones.
            dtype: "float32" or "float64".
            device: where to store the parameters; None is the framework's default.

        Returns:
            [W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h, W_hq, b_q], with W_x? (V, h),
            W_h? (h, h), b_? (h,), W_hq (h, V) and b_q (V,).

        Raises:
            ValueError: a size is not a positive integer, or the dtype is not supported.

        Source: section 10.2, Initializing Model Parameters.

        Examples:
            >>> params = rnn.get_gru_params(5, 3, seed=0)
            >>> [tuple(param.shape) for param in params[:3]]  # W_xz, W_hz, b_z
            [(5, 3), (3, 3), (3,)]
        """

    @staticmethod
    def get_gru_reset_after_params(
        vocab_size: int,
        num_hiddens: int,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Device = None,
    ) -> Params:
        """Return the parameters of a GRU whose reset gate follows the product, with one more bias.

        Weights are drawn from N(0, 0.01²) by NumPy in float64 and then cast; biases are 0.

        Args:
            vocab_size: V, 1 or above.
            num_hiddens: h, 1 or above.
            seed: an integer for the same weights in every backend, or None for new ones.
            dtype: "float32" or "float64".
            device: where to store the parameters; None is the framework's default.

        Returns:
            The list of get_gru_params, with b_hh (h,) between b_h and W_hq.

        Examples:
            >>> params = rnn.get_gru_reset_after_params(5, 3, seed=0)
            >>> len(params), tuple(params[9].shape)  # the tenth is b_hh
            (12, (3,))
        """

    @staticmethod
    def init_gru_state(
        batch_size: int, num_hiddens: int, *, dtype: str = "float32", device: Device = None
    ) -> State:
        """Return the state of a GRU before the first time step: zeros.

        Args:
            batch_size: n, 0 or above.
            num_hiddens: h, 1 or above.
            dtype: "float32" or "float64".
            device: where to store the state; None is the framework's default.

        Returns:
            (H,), with H of shape (n, h).

        Source: section 10.2.

        Examples:
            >>> (H,) = rnn.init_gru_state(2, 3)
            >>> tuple(H.shape)
            (2, 3)
        """

    @staticmethod
    def gru(inputs: Tensor, state: State, params: Params) -> tuple[Tensor, State]:
        """Run a gated recurrent unit over a minibatch of sequences.

        For each time step,
        Z = sigmoid(X W_xz + H W_hz + b_z), R = sigmoid(X W_xr + H W_hr + b_r),
        H_tilde = tanh(X W_xh + (R * H) W_hh + b_h), H = Z * H + (1 - Z) * H_tilde.

        Args:
            inputs: (T, n, V); T and n may be 0.
            state: (H,), with H of shape (n, h), before the first step.
            params: from get_gru_params.

        Returns:
            The outputs (T * n, q), ordered by time step, and the state after the last step, (H,).

        Raises:
            ValueError: the number of axes, a width, a dtype or the state's batch size does not fit.

        Source: section 10.2, equations 10.2.1 to 10.2.3; Cho et al., 2014.

        Examples:
            >>> X = rnn.one_hot([[0, 2], [1, 1]], 3)  # T = 2, n = 2
            >>> state, params = rnn.init_gru_state(2, 4), rnn.get_gru_params(3, 4, seed=0)
            >>> outputs, (H,) = rnn.gru(X, state, params)
            >>> tuple(outputs.shape), tuple(H.shape)
            ((4, 3), (2, 4))
        """

    @staticmethod
    def gru_reset_after(inputs: Tensor, state: State, params: Params) -> tuple[Tensor, State]:
        """Run a GRU whose reset gate is applied after the product, as in cuDNN.

        H_tilde = tanh(X W_xh + R * (H W_hh + b_hh) + b_h); all other equations are those of gru.
        The layers of PyTorch, Keras, Flax and MXNet compute this form.

        Args:
            inputs: (T, n, V); T and n may be 0.
            state: (H,), with H of shape (n, h), before the first step.
            params: from get_gru_reset_after_params.

        Returns:
            The outputs (T * n, q), ordered by time step, and the state after the last step, (H,).

        Raises:
            ValueError: the number of axes, a width, a dtype or the state's batch size does not fit.

        Examples:
            >>> X = rnn.one_hot([[0, 2], [1, 1]], 3)  # T = 2, n = 2
            >>> params = rnn.get_gru_reset_after_params(3, 4, seed=0)
            >>> outputs, (H,) = rnn.gru_reset_after(X, rnn.init_gru_state(2, 4), params)
            >>> tuple(outputs.shape), tuple(H.shape)
            ((4, 3), (2, 4))
        """

    @staticmethod
    def get_lstm_params(
        vocab_size: int,
        num_hiddens: int,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Device = None,
    ) -> Params:
        """Return the parameters of a long short-term memory (LSTM).

        Weights are drawn from N(0, 0.01²) by NumPy in float64 and then cast; biases are 0.

        Args:
            vocab_size: V, 1 or above.
            num_hiddens: h, 1 or above.
            seed: an integer for the same weights in every backend, or None for new ones.
            dtype: "float32" or "float64".
            device: where to store the parameters; None is the framework's default.

        Returns:
            [W_xi, W_hi, b_i, W_xf, W_hf, b_f, W_xo, W_ho, b_o, W_xc, W_hc, b_c, W_hq, b_q], with
            W_x? (V, h), W_h? (h, h), b_? (h,), W_hq (h, V) and b_q (V,).

        Raises:
            ValueError: a size is not a positive integer, or the dtype is not supported.

        Source: section 10.1, Initializing Model Parameters.

        Examples:
            >>> params = rnn.get_lstm_params(5, 3, seed=0)
            >>> len(params), [tuple(param.shape) for param in params[:3]]  # W_xi, W_hi, b_i
            (14, [(5, 3), (3, 3), (3,)])
        """

    @staticmethod
    def init_lstm_state(
        batch_size: int, num_hiddens: int, *, dtype: str = "float32", device: Device = None
    ) -> State:
        """Return the state of an LSTM before the first time step: zeros.

        Args:
            batch_size: n, 0 or above.
            num_hiddens: h, 1 or above.
            dtype: "float32" or "float64".
            device: where to store the state; None is the framework's default.

        Returns:
            (H, C), the hidden state and the memory cell, both of shape (n, h).

        Source: section 10.1.

        Examples:
            >>> H, C = rnn.init_lstm_state(2, 3)
            >>> tuple(H.shape), tuple(C.shape)
            ((2, 3), (2, 3))
        """

    @staticmethod
    def lstm(inputs: Tensor, state: State, params: Params) -> tuple[Tensor, State]:
        """Run a long short-term memory over a minibatch of sequences.

        For each time step,
        I, F, O = sigmoid(X W_x? + H W_h? + b_?) for ? in i, f, o,
        C_tilde = tanh(X W_xc + H W_hc + b_c), C = F * C + I * C_tilde, H = O * tanh(C).

        Args:
            inputs: (T, n, V); T and n may be 0.
            state: (H, C), both of shape (n, h), before the first step.
            params: from get_lstm_params.

        Returns:
            The outputs (T * n, q), ordered by time step, and the state after the last step, (H, C).

        Raises:
            ValueError: the number of axes, a width, a dtype or the state's batch size does not fit.

        Source: section 10.1, equations 10.1.1 to 10.1.5; Hochreiter and Schmidhuber, 1997.

        Examples:
            >>> X = rnn.one_hot([[0, 2], [1, 1]], 3)  # T = 2, n = 2
            >>> state, params = rnn.init_lstm_state(2, 4), rnn.get_lstm_params(3, 4, seed=0)
            >>> outputs, (H, C) = rnn.lstm(X, state, params)
            >>> tuple(outputs.shape), tuple(H.shape), tuple(C.shape)
            ((4, 3), (2, 4), (2, 4))
        """
