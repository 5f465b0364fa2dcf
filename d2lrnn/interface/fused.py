"""Optimized versions of the cells, for use as forward_fn in place of rnn, gru and lstm."""

from __future__ import annotations

from typing import Protocol

from d2lrnn.interface.aliases import Params, State, Tensor


class Fused(Protocol):
    """Optimized versions of the cells, for use as forward_fn in place of rnn, gru and lstm."""

    @staticmethod
    def rnn_fused(inputs: Tensor, state: State, params: Params) -> tuple[Tensor, State]:
        """Compute what rnn computes, faster.

        The inputs of all time steps are multiplied in one product, and so are the outputs and the
        gradient of each weight; the backward pass is written by hand.

        Args:
            inputs: one-hot rows (T, n, V), or token ids (T, n). Ids are checked unless they are on
                a GPU or in compiled code.
            state: (H,), with H of shape (n, h), before the first step.
            params: from get_params.

        Returns:
            The outputs (T * n, q), ordered by time step, and the state after the last step, (H,).

        Raises:
            ValueError: the number of axes, a width, a dtype or the state's batch size does not fit.

        Examples:
            >>> state, params = rnn.init_rnn_state(1, 4), rnn.get_params(3, 4, seed=0)
            >>> fused, _ = rnn.rnn_fused(rnn.from_numpy([[0], [2]]), state, params)  # ids
            >>> plain, _ = rnn.rnn(rnn.one_hot([[0], [2]], 3), state, params)
            >>> bool(abs(rnn.to_numpy(fused - plain)).max() < 1e-6)
            True
        """

    @staticmethod
    def gru_fused(inputs: Tensor, state: State, params: Params) -> tuple[Tensor, State]:
        """Compute what gru computes, faster.

        The inputs of all time steps are multiplied in one product, and so are the outputs and the
        gradient of each weight; the backward pass is written by hand.

        Args:
            inputs: one-hot rows (T, n, V), or token ids (T, n).
            state: (H,), with H of shape (n, h), before the first step.
            params: from get_gru_params.

        Returns:
            The outputs (T * n, q), ordered by time step, and the state after the last step, (H,).

        Raises:
            ValueError: the number of axes, a width, a dtype or the state's batch size does not fit.

        Examples:
            >>> state, params = rnn.init_gru_state(1, 4), rnn.get_gru_params(3, 4, seed=0)
            >>> fused, _ = rnn.gru_fused(rnn.from_numpy([[0], [2]]), state, params)  # ids
            >>> plain, _ = rnn.gru(rnn.one_hot([[0], [2]], 3), state, params)
            >>> bool(abs(rnn.to_numpy(fused - plain)).max() < 1e-6)
            True
        """

    @staticmethod
    def gru_reset_after_fused(inputs: Tensor, state: State, params: Params) -> tuple[Tensor, State]:
        """Compute what gru_reset_after computes, faster.

        It is the cell that the frameworks' own GRU layers compute. The recurrent products of all
        gates are one product in each step, and the gradient of each weight is one product for all
        steps. In MXNet, the framework's own kernel is used if it is faster.

        Args:
            inputs: one-hot rows (T, n, V), or token ids (T, n).
            state: (H,), with H of shape (n, h), before the first step.
            params: from get_gru_reset_after_params.

        Returns:
            The outputs (T * n, q), ordered by time step, and the state after the last step, (H,).

        Raises:
            ValueError: the number of axes, a width, a dtype or the state's batch size does not fit.

        Examples:
            >>> state = rnn.init_gru_state(1, 4)
            >>> params = rnn.get_gru_reset_after_params(3, 4, seed=0)
            >>> fused, _ = rnn.gru_reset_after_fused(rnn.from_numpy([[0], [2]]), state, params)
            >>> plain, _ = rnn.gru_reset_after(rnn.one_hot([[0], [2]], 3), state, params)
            >>> bool(abs(rnn.to_numpy(fused - plain)).max() < 1e-6)
            True
        """

    @staticmethod
    def lstm_fused(inputs: Tensor, state: State, params: Params) -> tuple[Tensor, State]:
        """Compute what lstm computes, faster.

        The inputs of all time steps are multiplied in one product, and so are the outputs and the
        gradient of each weight. The backward pass is written by hand; if the framework's own kernel
        is faster, that is used instead.

        Args:
            inputs: one-hot rows (T, n, V), or token ids (T, n).
            state: (H, C), both of shape (n, h), before the first step.
            params: from get_lstm_params.

        Returns:
            The outputs (T * n, q), ordered by time step, and the state after the last step, (H, C).

        Raises:
            ValueError: the number of axes, a width, a dtype or the state's batch size does not fit.

        Examples:
            >>> state, params = rnn.init_lstm_state(1, 4), rnn.get_lstm_params(3, 4, seed=0)
            >>> fused, _ = rnn.lstm_fused(rnn.from_numpy([[0], [2]]), state, params)  # ids
            >>> plain, _ = rnn.lstm(rnn.one_hot([[0], [2]], 3), state, params)
            >>> bool(abs(rnn.to_numpy(fused - plain)).max() < 1e-6)
            True
        """
