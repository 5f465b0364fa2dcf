"""The cells S4D and Mamba, which are linear in their state."""

from __future__ import annotations

from typing import Protocol

from d2lrnn.interface.aliases import Device, Params, State, Tensor


class StateSpace(Protocol):
    """The cells S4D and Mamba, which are linear in their state."""

    @staticmethod
    def get_s4d_params(
        vocab_size: int,
        num_hiddens: int,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Device = None,
    ) -> Params:
        """Return the parameters of a diagonal state space model with four real states for each
        unit.

        log_a is log 1, ..., log 4 for each unit; exp(log_dt) is between 0.001 and 0.1; W_xu and C
        are drawn with a variance of 1 / V and 1 / 4; D is 1; W_hq is drawn from N(0, 0.01²).

        Args:
            vocab_size: V, 1 or above.
            num_hiddens: h, 1 or above.
            seed: an integer for the same values in every backend, or None for new ones.
            dtype: "float32" or "float64".
            device: where to store the parameters; None is the framework's default.

        Returns:
            [W_xu (V, h), b_u (h,), log_a (h, 4), log_dt (h,), C (h, 4), D (h,), W_hq (h, V), b_q
            (V,)].

        Raises:
            ValueError: a size is not a positive integer, or the dtype is not supported.

        Source: Gu et al., 2022 (arXiv 2206.11893).

        Examples:
            >>> params = rnn.get_s4d_params(5, 3, seed=0)
            >>> [tuple(param.shape) for param in params[2:5]]  # log_a, log_dt, C
            [(3, 4), (3,), (3, 4)]
        """

    @staticmethod
    def init_s4d_state(
        batch_size: int, num_hiddens: int, *, dtype: str = "float32", device: Device = None
    ) -> State:
        """Return the state of an S4D layer before the first time step: zeros.

        Args:
            batch_size: n, 0 or above.
            num_hiddens: h, 1 or above.
            dtype: "float32" or "float64".
            device: where to store the state; None is the framework's default.

        Returns:
            (Y, S), with the output Y of shape (n, h) and the states S of shape (n, h, 4).

        Examples:
            >>> state = rnn.init_s4d_state(2, 3)
            >>> [tuple(part.shape) for part in state]
            [(2, 3), (2, 3, 4)]
        """

    @staticmethod
    def s4d(inputs: Tensor, state: State, params: Params) -> tuple[Tensor, State]:
        """Run a diagonal state space model (S4D) over a minibatch of sequences, one time step after
        the other.

        With A = -exp(log_a), dA = exp(log_dt) * A and U = X W_xu + b_u, for each time step,
        S = exp(dA) * S + expm1(dA) / A * U, and Y is the sum of C * S over the states, plus D * U.

        Args:
            inputs: (T, n, V); T and n may be 0.
            state: (Y, S), with Y of shape (n, h) and S of shape (n, h, 4), before the first step;
                see init_s4d_state.
            params: from get_s4d_params.

        Returns:
            The outputs (T * n, q), ordered by time step, and the state after the last step.

        Raises:
            ValueError: the number of axes, a width, a dtype or the state's batch size does not fit.

        Source: the book's edition of 2026, "Linear Recurrence and State Space Models"; Gu et al.,
        2022 (arXiv 2206.11893).

        Examples:
            >>> X = rnn.one_hot([[0, 2], [1, 1]], 3)  # T = 2, n = 2
            >>> state, params = rnn.init_s4d_state(2, 4), rnn.get_s4d_params(3, 4, seed=0)
            >>> outputs, state = rnn.s4d(X, state, params)
            >>> tuple(outputs.shape)
            (4, 3)
        """

    @staticmethod
    def s4d_scan(inputs: Tensor, state: State, params: Params) -> tuple[Tensor, State]:
        """Compute what s4d computes, for all time steps at once.

        The inputs of all time steps are multiplied in one product, and associative_scan computes
        the states.

        Args:
            inputs: one-hot rows (T, n, V), or token ids (T, n).
            state: (Y, S), with Y of shape (n, h) and S of shape (n, h, 4), before the first step;
                see init_s4d_state.
            params: from get_s4d_params.

        Returns:
            The outputs (T * n, q), ordered by time step, and the state after the last step.

        Raises:
            ValueError: the number of axes, a width, a dtype or the state's batch size does not fit.

        Examples:
            >>> state, params = rnn.init_s4d_state(1, 4), rnn.get_s4d_params(3, 4, seed=0)
            >>> scanned, _ = rnn.s4d_scan(rnn.from_numpy([[0], [2]]), state, params)  # ids
            >>> plain, _ = rnn.s4d(rnn.one_hot([[0], [2]], 3), state, params)
            >>> bool(abs(rnn.to_numpy(scanned - plain)).max() < 1e-5)
            True
        """

    @staticmethod
    def get_mamba_params(
        vocab_size: int,
        num_hiddens: int,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Device = None,
    ) -> Params:
        """Return the parameters of a Mamba block, with 2 h inner units and four states for each of
        them.

        The identity or N(0, 1) for W_xe; log_a, D and the time step softplus(b_dt) as in
        get_s4d_params; weights are drawn with a variance of 1 / inputs, W_hq from N(0, 0.01²); gain
        is 1, biases are 0.

        Args:
            vocab_size: V, 1 or above.
            num_hiddens: h, 1 or above.
            seed: an integer for the same values in every backend, or None for new ones.
            dtype: "float32" or "float64".
            device: where to store the parameters; None is the framework's default.

        Returns:
            [W_xe (V, h), b_e (h,), gain (h,), shift (h,), W_u (h, 2h), b_u (2h,), W_g (h, 2h), b_g
            (2h,), W_conv (4, 2h), b_conv (2h,), W_r (2h, r), W_dt (r, 2h), b_dt (2h,), W_B (2h, 4),
            W_C (2h, 4), log_a (2h, 4), D (2h,), W_o (2h, h), b_o (h,), W_hq (h, V), b_q (V,)],
            where r is max(2, h // 8).

        Raises:
            ValueError: a size is not a positive integer, or the dtype is not supported.

        Source: Gu and Dao, 2023 (arXiv 2312.00752).

        Examples:
            >>> params = rnn.get_mamba_params(5, 3, seed=0)
            >>> len(params), tuple(params[8].shape)  # the ninth is W_conv
            (21, (4, 6))
        """

    @staticmethod
    def init_mamba_state(
        batch_size: int, num_hiddens: int, *, dtype: str = "float32", device: Device = None
    ) -> State:
        """Return the state of a Mamba block before the first time step: zeros.

        Args:
            batch_size: n, 0 or above.
            num_hiddens: h, 1 or above.
            dtype: "float32" or "float64".
            device: where to store the state; None is the framework's default.

        Returns:
            (Y, U, S): the output Y (n, h), the last three inputs U (n, 3, 2h) of the convolution,
            and the states S (n, 2h, 4).

        Examples:
            >>> state = rnn.init_mamba_state(2, 3)
            >>> [tuple(part.shape) for part in state]
            [(2, 3), (2, 3, 6), (2, 6, 4)]
        """

    @staticmethod
    def mamba(inputs: Tensor, state: State, params: Params) -> tuple[Tensor, State]:
        """Run a Mamba block over a minibatch of sequences, one time step after the other.

        For each time step, E = X W_xe + b_e is normalized over its units, M = E_norm * gain +
        shift, U = M W_u + b_u, G = M W_g + b_g. V is silu of the sum of the last four U, weighted
        by W_conv, plus b_conv. Then dt = softplus(V W_r W_dt + b_dt), B = V W_B, C = V W_C, S =
        exp(-dt exp(log_a)) * S + (dt * V) B^T and Y = E + ((S C + D * V) * silu(G)) W_o + b_o.

        Args:
            inputs: (T, n, V); T and n may be 0.
            state: (Y, U, S), of shapes (n, h), (n, 3, 2h) and (n, 2h, 4), before the first step;
                see init_mamba_state.
            params: from get_mamba_params.

        Returns:
            The outputs (T * n, q), ordered by time step, and the state after the last step.

        Raises:
            ValueError: the number of axes, a width, a dtype or the state's batch size does not fit.

        Source: the book's edition of 2026, "Selective State Space Models"; Gu and Dao, 2023 (arXiv
        2312.00752).

        Examples:
            >>> X = rnn.one_hot([[0, 2], [1, 1]], 3)  # T = 2, n = 2
            >>> state, params = rnn.init_mamba_state(2, 4), rnn.get_mamba_params(3, 4, seed=0)
            >>> outputs, state = rnn.mamba(X, state, params)
            >>> tuple(outputs.shape)
            (4, 3)
        """

    @staticmethod
    def mamba_scan(inputs: Tensor, state: State, params: Params) -> tuple[Tensor, State]:
        """Compute what mamba computes, for all time steps at once.

        The inputs of all time steps are multiplied in one product, and associative_scan computes
        the states.

        Args:
            inputs: one-hot rows (T, n, V), or token ids (T, n).
            state: (Y, U, S), of shapes (n, h), (n, 3, 2h) and (n, 2h, 4), before the first step;
                see init_mamba_state.
            params: from get_mamba_params.

        Returns:
            The outputs (T * n, q), ordered by time step, and the state after the last step.

        Raises:
            ValueError: the number of axes, a width, a dtype or the state's batch size does not fit.

        Examples:
            >>> state, params = rnn.init_mamba_state(1, 4), rnn.get_mamba_params(3, 4, seed=0)
            >>> scanned, _ = rnn.mamba_scan(rnn.from_numpy([[0], [2]]), state, params)  # ids
            >>> plain, _ = rnn.mamba(rnn.one_hot([[0], [2]], 3), state, params)
            >>> bool(abs(rnn.to_numpy(scanned - plain)).max() < 1e-5)
            True
        """
