"""The concatenated form: one product of the inputs and the state together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from d2lrnn.interface.aliases import Params, State, Tensor


class Concatenated(Protocol):
    """The concatenated form: one product of the inputs and the state together."""

    @staticmethod
    def concat_rnn(
        inputs: Tensor, state: State, params: Params, *, order: str = "HX"
    ) -> tuple[Tensor, State]:
        """Run a recurrent network that multiplies [H, X] by one matrix, which equals rnn.

        For each time step, H = tanh([H, X] W + b), where W has W_hh above W_xh.

        Args:
            inputs: (T, n, V).
            state: (H,), with H of shape (n, h), before the first step.
            params: [W (h + V, h), b (h,), W_hq, b_q], from concat_params.
            order: "HX" for [H, X], or "XH" for [X, H].

        Returns:
            The outputs (T * n, q), ordered by time step, and the state after the last step, (H,).

        Raises:
            ValueError: a shape or a dtype does not fit, or the order is not "HX" or "XH".

        Source: section 9.4, the concatenation of X and H.

        Examples:
            >>> X, state = rnn.one_hot([[0], [2]], 3), rnn.init_rnn_state(1, 4)
            >>> params = rnn.get_params(3, 4, seed=0)
            >>> summed, _ = rnn.rnn(X, state, params)
            >>> in_one, _ = rnn.concat_rnn(X, state, rnn.concat_params(params))
            >>> bool(abs(rnn.to_numpy(summed - in_one)).max() < 1e-6)
            True
        """

    @staticmethod
    def concat_gru(
        inputs: Tensor, state: State, params: Params, *, order: str = "HX"
    ) -> tuple[Tensor, State]:
        """Run a GRU that multiplies [H, X] by one matrix per gate, which equals gru.

        Args:
            inputs: (T, n, V).
            state: (H,), with H of shape (n, h), before the first step.
            params: [W_z, b_z, W_r, b_r, W_h, b_h, W_hq, b_q], with W_? (h + V, h), from
                concat_params.
            order: "HX" for [H, X], or "XH" for [X, H].

        Returns:
            The outputs (T * n, q), ordered by time step, and the state after the last step, (H,).

        Raises:
            ValueError: a shape or a dtype does not fit, or the order is not "HX" or "XH".

        Examples:
            >>> X, state = rnn.one_hot([[0], [2]], 3), rnn.init_gru_state(1, 4)
            >>> params = rnn.concat_params(rnn.get_gru_params(3, 4, seed=0))
            >>> outputs, (H,) = rnn.concat_gru(X, state, params)
            >>> tuple(outputs.shape), tuple(H.shape)
            ((2, 3), (1, 4))
        """

    @staticmethod
    def concat_lstm(
        inputs: Tensor, state: State, params: Params, *, order: str = "HX"
    ) -> tuple[Tensor, State]:
        """Run an LSTM that multiplies [H, X] by one matrix per gate, which equals lstm.

        Args:
            inputs: (T, n, V).
            state: (H, C), both of shape (n, h), before the first step.
            params: [W_i, b_i, W_f, b_f, W_o, b_o, W_c, b_c, W_hq, b_q], with W_? (h + V, h), from
                concat_params.
            order: "HX" for [H, X], or "XH" for [X, H].

        Returns:
            The outputs (T * n, q), ordered by time step, and the state after the last step, (H, C).

        Raises:
            ValueError: a shape or a dtype does not fit, or the order is not "HX" or "XH".

        Examples:
            >>> X, state = rnn.one_hot([[0], [2]], 3), rnn.init_lstm_state(1, 4)
            >>> params = rnn.concat_params(rnn.get_lstm_params(3, 4, seed=0), order="XH")
            >>> outputs, (H, C) = rnn.concat_lstm(X, state, params, order="XH")
            >>> tuple(outputs.shape), tuple(H.shape), tuple(C.shape)
            ((2, 3), (1, 4), (1, 4))
        """

    @staticmethod
    def concat_params(params: Sequence[Tensor], *, order: str = "HX") -> list[Tensor]:
        """Convert the parameters of rnn, gru or lstm to those of the concatenated form.

        The result is computed by the framework's own operations, so that gradients flow through it:
        ``lambda i, s, p: rnn.concat_rnn(i, s, rnn.concat_params(p))`` is a forward function for
        RNNModelScratch.

        Args:
            params: from get_params, get_gru_params or get_lstm_params.
            order: "HX" to put W_h? above W_x?, or "XH" for the reverse.

        Returns:
            New tensors: one matrix and one bias per gate, then W_hq and b_q.

        Raises:
            ValueError: these are not the parameters of such a cell, or order is not "HX" or "XH".

        Source: section 9.4, the concatenation of X and H.

        Examples:
            >>> W, b_h, W_hq, b_q = rnn.concat_params(rnn.get_params(3, 4))
            >>> tuple(W.shape)  # W_hh above W_xh
            (7, 4)
        """

    @staticmethod
    def split_params(params: Sequence[Tensor], *, order: str = "HX") -> list[Tensor]:
        """Convert the parameters of a concatenated form to those of rnn, gru or lstm.

        Args:
            params: from concat_params.
            order: the order with which concat_params was called.

        Returns:
            New tensors, through which gradients flow.

        Raises:
            ValueError: these are not the parameters of such a cell, or order is not "HX" or "XH".

        Examples:
            >>> params = rnn.concat_params(rnn.get_params(3, 4))
            >>> [tuple(param.shape) for param in rnn.split_params(params)]
            [(3, 4), (4, 4), (4,), (4, 3), (3,)]
        """
