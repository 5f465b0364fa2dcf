"""Scans, and the cells minGRU and minLSTM, which are linear in their state."""

from __future__ import annotations

from typing import Protocol

from d2lrnn.interface.aliases import Device, Params, State, Tensor


class Linear(Protocol):
    """Scans, and the cells minGRU and minLSTM, which are linear in their state."""

    @staticmethod
    def associative_scan(a: Tensor, b: Tensor, state: Tensor | None = None) -> Tensor:
        """Compute the recurrence h_t = a_t * h_{t-1} + b_t for all time steps at once.

        The time steps are divided into about sqrt(T) blocks, which are computed side by side. A
        time step that is so wide that it keeps a processor busy is computed in one block. The
        gradient is a scan from the last time step to the first.

        Args:
            a: the factors; a shape that broadcasts to that of b, such as (T, n, h) or (h,).
            b: (T, ...), the time steps first; T may be 0.
            state: h_0, of the shape of one time step of b; None is 0.

        Returns:
            All h_t, of the shape of b. For factors of absolute value 1 or below, products of the
            factors do not overflow for any T, and the rounding errors of h and of the gradients are
            at most 2 T eps of the largest element, with eps = 2.2e-16 in float64 and 1.2e-7 in
            float32.

        Raises:
            ValueError: a shape or a dtype does not fit, or a tensor is another framework's.

        Source: the book's edition of 2026, "Linear Recurrence and State Space Models"; Blelloch,
        1990.

        Examples:
            >>> a, b = rnn.from_numpy([[0.5], [0.5], [2.0]]), rnn.from_numpy([[1.0], [1.0], [1.0]])
            >>> rnn.to_numpy(rnn.associative_scan(a, b)).ravel().tolist()  # 1, 0.5 + 1, 3 + 1
            [1.0, 1.5, 4.0]
        """

    @staticmethod
    def sequential_scan(a: Tensor, b: Tensor, state: Tensor | None = None) -> Tensor:
        """Compute what associative_scan computes, one time step after the other.

        Args:
            a: the factors; a shape that broadcasts to that of b, such as (T, n, h) or (h,).
            b: (T, ...), the time steps first; T may be 0.
            state: h_0, of the shape of one time step of b; None is 0.

        Returns:
            All h_t, of the shape of b.

        Raises:
            ValueError: a shape or a dtype does not fit, or a tensor is another framework's.

        Examples:
            >>> a, b = rnn.from_numpy([0.5]), rnn.from_numpy([[1.0], [1.0], [1.0]])
            >>> rnn.to_numpy(rnn.sequential_scan(a, b)).ravel().tolist()
            [1.0, 1.5, 1.75]
        """

    @staticmethod
    def get_mingru_params(
        vocab_size: int,
        num_hiddens: int,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Device = None,
    ) -> Params:
        """Return the parameters of a minimal GRU, whose gates do not depend on the state.

        Weights are drawn from N(0, 0.01²) by NumPy in float64 and then cast; biases are 0.

        Args:
            vocab_size: V, 1 or above.
            num_hiddens: h, 1 or above.
            seed: an integer for the same values in every backend, or None for new ones.
            dtype: "float32" or "float64".
            device: where to store the parameters; None is the framework's default.

        Returns:
            [W_xz, b_z, W_xh, b_h, W_hq, b_q], with W_x? (V, h), b_? (h,), W_hq (h, V), b_q (V,).

        Raises:
            ValueError: a size is not a positive integer, or the dtype is not supported.

        Source: Feng et al., 2024 (arXiv 2410.01201).

        Examples:
            >>> params = rnn.get_mingru_params(5, 3, seed=0)
            >>> [tuple(param.shape) for param in params[:2]]  # W_xz, b_z
            [(5, 3), (3,)]
        """

    @staticmethod
    def init_mingru_state(
        batch_size: int, num_hiddens: int, *, dtype: str = "float32", device: Device = None
    ) -> State:
        """Return the state of a minimal GRU before the first time step: zeros.

        Args:
            batch_size: n, 0 or above.
            num_hiddens: h, 1 or above.
            dtype: "float32" or "float64".
            device: where to store the state; None is the framework's default.

        Returns:
            (H,), with H of shape (n, h).

        Examples:
            >>> state = rnn.init_mingru_state(2, 3)
            >>> [tuple(part.shape) for part in state]
            [(2, 3)]
        """

    @staticmethod
    def mingru(inputs: Tensor, state: State, params: Params) -> tuple[Tensor, State]:
        """Run a minimal GRU over a minibatch of sequences, one time step after the other.

        For each time step, Z = sigmoid(X W_xz + b_z), H_tilde = tanh(X W_xh + b_h) and H = (1 - Z)
        * H + Z * H_tilde. It is a GRU without the products with H, in the other convention of the
        update gate: see flip_update_gate.

        Args:
            inputs: (T, n, V); T and n may be 0.
            state: (H,), with H of shape (n, h), before the first step; see init_mingru_state.
            params: from get_mingru_params.

        Returns:
            The outputs (T * n, q), ordered by time step, and the state after the last step.

        Raises:
            ValueError: the number of axes, a width, a dtype or the state's batch size does not fit.

        Source: the book's edition of 2026, "Linear Recurrence and State Space Models"; Feng et al.,
        2024 (arXiv 2410.01201).

        Examples:
            >>> X = rnn.one_hot([[0, 2], [1, 1]], 3)  # T = 2, n = 2
            >>> state, params = rnn.init_mingru_state(2, 4), rnn.get_mingru_params(3, 4, seed=0)
            >>> outputs, state = rnn.mingru(X, state, params)
            >>> tuple(outputs.shape)
            (4, 3)
        """

    @staticmethod
    def mingru_scan(inputs: Tensor, state: State, params: Params) -> tuple[Tensor, State]:
        """Compute what mingru computes, for all time steps at once.

        The inputs of all time steps are multiplied in one product, and associative_scan computes
        the states.

        Args:
            inputs: one-hot rows (T, n, V), or token ids (T, n).
            state: (H,), with H of shape (n, h), before the first step; see init_mingru_state.
            params: from get_mingru_params.

        Returns:
            The outputs (T * n, q), ordered by time step, and the state after the last step.

        Raises:
            ValueError: the number of axes, a width, a dtype or the state's batch size does not fit.

        Examples:
            >>> state, params = rnn.init_mingru_state(1, 4), rnn.get_mingru_params(3, 4, seed=0)
            >>> scanned, _ = rnn.mingru_scan(rnn.from_numpy([[0], [2]]), state, params)  # ids
            >>> plain, _ = rnn.mingru(rnn.one_hot([[0], [2]], 3), state, params)
            >>> bool(abs(rnn.to_numpy(scanned - plain)).max() < 1e-5)
            True
        """

    @staticmethod
    def get_minlstm_params(
        vocab_size: int,
        num_hiddens: int,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Device = None,
    ) -> Params:
        """Return the parameters of a minimal LSTM, whose gates do not depend on the state.

        Weights are drawn from N(0, 0.01²) by NumPy in float64 and then cast; biases are 0.

        Args:
            vocab_size: V, 1 or above.
            num_hiddens: h, 1 or above.
            seed: an integer for the same values in every backend, or None for new ones.
            dtype: "float32" or "float64".
            device: where to store the parameters; None is the framework's default.

        Returns:
            [W_xf, b_f, W_xi, b_i, W_xh, b_h, W_hq, b_q], with W_x? (V, h), b_? (h,), W_hq (h, V)
            and b_q (V,).

        Raises:
            ValueError: a size is not a positive integer, or the dtype is not supported.

        Source: Feng et al., 2024 (arXiv 2410.01201).

        Examples:
            >>> params = rnn.get_minlstm_params(5, 3, seed=0)
            >>> len(params), tuple(params[0].shape)  # W_xf
            (8, (5, 3))
        """

    @staticmethod
    def init_minlstm_state(
        batch_size: int, num_hiddens: int, *, dtype: str = "float32", device: Device = None
    ) -> State:
        """Return the state of a minimal LSTM before the first time step: zeros.

        Args:
            batch_size: n, 0 or above.
            num_hiddens: h, 1 or above.
            dtype: "float32" or "float64".
            device: where to store the state; None is the framework's default.

        Returns:
            (H,), with H of shape (n, h).

        Examples:
            >>> state = rnn.init_minlstm_state(2, 3)
            >>> [tuple(part.shape) for part in state]
            [(2, 3)]
        """

    @staticmethod
    def minlstm(inputs: Tensor, state: State, params: Params) -> tuple[Tensor, State]:
        """Run a minimal LSTM over a minibatch of sequences, one time step after the other.

        For each time step, F = sigmoid(X W_xf + b_f), I = sigmoid(X W_xi + b_i), and with F' = F /
        (F + I) and I' = I / (F + I), H = F' * H + I' * tanh(X W_xh + b_h). F' is computed in a form
        that cannot become 0 / 0.

        Args:
            inputs: (T, n, V); T and n may be 0.
            state: (H,), with H of shape (n, h), before the first step; see init_minlstm_state.
            params: from get_minlstm_params.

        Returns:
            The outputs (T * n, q), ordered by time step, and the state after the last step.

        Raises:
            ValueError: the number of axes, a width, a dtype or the state's batch size does not fit.

        Source: Feng et al., 2024 (arXiv 2410.01201).

        Examples:
            >>> X = rnn.one_hot([[0, 2], [1, 1]], 3)  # T = 2, n = 2
            >>> state, params = rnn.init_minlstm_state(2, 4), rnn.get_minlstm_params(3, 4, seed=0)
            >>> outputs, state = rnn.minlstm(X, state, params)
            >>> tuple(outputs.shape)
            (4, 3)
        """

    @staticmethod
    def minlstm_scan(inputs: Tensor, state: State, params: Params) -> tuple[Tensor, State]:
        """Compute what minlstm computes, for all time steps at once.

        The inputs of all time steps are multiplied in one product, and associative_scan computes
        the states.

        Args:
            inputs: one-hot rows (T, n, V), or token ids (T, n).
            state: (H,), with H of shape (n, h), before the first step; see init_minlstm_state.
            params: from get_minlstm_params.

        Returns:
            The outputs (T * n, q), ordered by time step, and the state after the last step.

        Raises:
            ValueError: the number of axes, a width, a dtype or the state's batch size does not fit.

        Examples:
            >>> state, params = rnn.init_minlstm_state(1, 4), rnn.get_minlstm_params(3, 4, seed=0)
            >>> scanned, _ = rnn.minlstm_scan(rnn.from_numpy([[0], [2]]), state, params)  # ids
            >>> plain, _ = rnn.minlstm(rnn.one_hot([[0], [2]], 3), state, params)
            >>> bool(abs(rnn.to_numpy(scanned - plain)).max() < 1e-5)
            True
        """
