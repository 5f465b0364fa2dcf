"""The interface of every backend: each function with its signature, shapes, errors and an example.

The five backends implement these functions with the same signatures. ``help()`` shows the text of
this file for each of them, and bad arguments raise ValueError with the same message everywhere.

In shapes, ``n`` is batch_size, ``T`` num_steps, ``V`` vocab_size, ``h`` num_hiddens, ``d`` the
number of inputs and ``q`` the number of outputs. A *tensor* is the framework's own type. Sections
and equations are those of *Dive into Deep Learning* 1.0.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from d2lrnn.data.text import Vocab
    from d2lrnn.nets import classifiers, encoder_decoder, language_model
    from d2lrnn.nets.custom import CustomCell
    from d2lrnn.nets.group import Group
    from d2lrnn.nets.model import Model as Net

Tensor = Any
Device = Any
Array = np.ndarray[Any, Any]
State = tuple[Tensor, ...]
Params = list[Tensor]
ForwardFn = Callable[[Tensor, State, Params], tuple[Tensor, State]]
StrPath = str | os.PathLike[str]


class Backend(Protocol):
    """The functions of a backend, such as ``from d2lrnn import torch as rnn``."""

    # Classes and functions that are documented where they are defined

    RNNModelScratch: type[language_model.RNNModelScratch]
    SequenceClassifierScratch: type[classifiers.SequenceClassifierScratch]
    SequenceTaggerScratch: type[classifiers.SequenceTaggerScratch]
    EncoderScratch: type[encoder_decoder.EncoderScratch]
    DecoderScratch: type[encoder_decoder.DecoderScratch]
    EncoderDecoderScratch: type[encoder_decoder.EncoderDecoderScratch]
    SeqDataLoader: Callable[..., Any]
    load_data_text: Callable[..., Any]
    make_step: Callable[..., Any]
    predict_ch8: Callable[..., Any]
    predict_many: Callable[..., Any]
    save_model: Callable[..., Any]
    train_ch8: Callable[..., Any]

    # Tensors and NumPy arrays

    @staticmethod
    def try_gpu(i: int = 0) -> Device:
        """Return the i-th GPU, or the CPU if there is no such GPU.

        Args:
            i: the number of the GPU, 0 or above.

        Returns:
            The framework's name or object for the device; pass it as ``device``.

        Source: section 6.7.

        Examples:
            >>> X = rnn.from_numpy([1.0, 2.0], device=rnn.try_gpu())  # on a GPU if there is one
            >>> rnn.to_numpy(X).tolist()
            [1.0, 2.0]
        """

    @staticmethod
    def from_numpy(array: Any, *, dtype: Any = None, device: Device = None) -> Tensor:
        """Convert a NumPy array to a tensor.

        Args:
            array: a NumPy array, or anything that numpy.asarray accepts.
            dtype: the dtype of the tensor; None keeps the array's dtype, or takes the closest one
                that the framework has.
            device: where to store the tensor; None is the framework's default.

        Returns:
            A tensor that does not share memory with the array.

        Raises:
            ValueError: the elements are not booleans or numbers of up to 64 bits, or an integer
                dtype cannot represent them.

        Examples:
            >>> X = rnn.from_numpy([[1, 2], [3, 4]], dtype="float32")
            >>> rnn.to_numpy(X + X).tolist()
            [[2.0, 4.0], [6.0, 8.0]]
        """

    @staticmethod
    def to_numpy(tensor: Any) -> Array:
        """Convert a tensor to a NumPy array.

        Args:
            tensor: a tensor on any device, or an array.

        Returns:
            An array that does not share memory with the tensor.

        Examples:
            >>> (H,) = rnn.init_rnn_state(2, 3)
            >>> rnn.to_numpy(H)
            array([[0., 0., 0.],
                   [0., 0., 0.]], dtype=float32)
        """

    @staticmethod
    def trainable(
        arrays: Sequence[Array], *, dtype: str = "float32", device: Device = None
    ) -> Params:
        """Convert NumPy arrays to parameters, for which the framework can compute gradients.

        Args:
            arrays: the values, one array per parameter.
            dtype: "float32" or "float64".
            device: where to store the parameters; None is the framework's default.

        Returns:
            A list of tensors, in the order of the arrays.

        Examples:
            >>> import numpy as np
            >>> W, b = rnn.trainable([np.ones((2, 3)), np.zeros(3)])
            >>> tuple(W.shape), tuple(b.shape)
            ((2, 3), (3,))
        """

    @staticmethod
    def one_hot(
        tokens: Any, vocab_size: int, *, dtype: str = "float32", device: Device = None
    ) -> Tensor:
        """Encode token ids as one-hot rows.

        Args:
            tokens: ids in 0..V-1, of any shape S; they are checked before the framework uses them.
            vocab_size: V, 1 or above.
            dtype: "float32" or "float64".
            device: where to store the result; None is the framework's default.

        Returns:
            A tensor of shape S + (V,).

        Raises:
            ValueError: an id is not an integer, or is outside 0..V-1.

        Source: section 9.5, One-Hot Encoding.

        Examples:
            >>> rnn.to_numpy(rnn.one_hot([0, 2], 3)).tolist()
            [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
        """

    @staticmethod
    def embedding(tokens: Any, table: Tensor) -> Tensor:
        """Return the row of a table for each token id, which equals one_hot(tokens, V) @ table.

        Args:
            tokens: ids in 0..V-1, of any shape S; they are checked.
            table: (V, d). The gradient of a row is the sum over the tokens that selected it.

        Returns:
            A tensor of shape S + (d,).

        Raises:
            ValueError: an id is not an integer or is outside 0..V-1, or the table is not a tensor
                of this framework with two axes.

        Source: section 15.1 (word embedding).

        Examples:
            >>> table = rnn.from_numpy([[0, 1], [2, 3], [4, 5]], dtype="float32")
            >>> rnn.to_numpy(rnn.embedding([2, 0], table)).tolist()
            [[4.0, 5.0], [0.0, 1.0]]
        """

    # A network without hidden states

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

    # The recurrent network

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

    # Gated cells

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

    # Optimized versions of the same cells, for use as forward_fn in place of rnn, gru and lstm

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

    # Cells that are linear in their state

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
            factors do not overflow, for any T.

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

    @staticmethod
    def stack(
        cell: Any, num_layers: int = 1, bidirectional: bool = False
    ) -> tuple[Callable[..., Params], Callable[..., State], ForwardFn]:
        """Return the three functions of a deep or bidirectional network.

        Args:
            cell: "rnn", "gru", "gru_reset_after" or "lstm", or a custom cell from new_cell.
            num_layers: 1 or above; the hidden states of each layer are the inputs of the next.
            bidirectional: whether each layer also runs from the last step to the first, with its
                own parameters; its hidden states are those of both directions, side by side.

        Returns:
            (get_params, init_state, forward_fn), for RNNModelScratch. Parameters are ordered by
            layer, then by direction, with the output layer last; so is the state, with H or
            (H, C) for each.

        Raises:
            ValueError: the cell is not known, or num_layers is not a positive integer.

        Source: sections 10.3 and 10.4.

        Examples:
            >>> net = rnn.RNNModelScratch(5, 4, *rnn.stack("lstm", num_layers=2), seed=0)
            >>> [tuple(part.shape) for part in net.begin_state(3)]  # H and C of each layer
            [(3, 4), (3, 4), (3, 4), (3, 4)]
        """

    # Custom cells

    @staticmethod
    def new_cell(
        step: Callable[..., Any],
        params: Mapping[str, Sequence[str | int]],
        states: Sequence[str] | Mapping[str, Sequence[str | int]] = ("H",),
        *,
        name: str | None = None,
        output: str | None = None,
        init: Mapping[str, Any] | None = None,
    ) -> CustomCell:
        """Return a custom cell, made from the function that computes one time step.

        The cell can be used like a built-in one: with RNNModelScratch, stack, networks over
        sequences, training, checkpoints, model files, gradient_norms and look_inside. An axis is
        "d" (inputs), "h" (hidden units) or an integer.

        Args:
            step: called as step(X, *states, p) with the input X (n, d), the states before, and the
                parameters p by name, such as p.W_xh; returns the new states, one tensor for each.
                It computes with the framework's own operations, and must use every parameter.
            params: the axes of each parameter by its name. W_hq and b_q, the parameters of the
                output layer, are added.
            states: the names of the states, each (n, h), or their axes by name, without the batch
                axis. The first state is the output of the cell, and has the axes ("h",).
            name: the name of the cell, an identifier; None takes the name of the step.
            output: None, or a name for an output that is not a state; step then returns the output
                (n, h) first, followed by the states, which may have any axes.
            init: initial values by name. For a parameter, a number, or a function (shape, rng) that
                returns an array; for a state, a number. By default, parameters with one axis and
                states are 0, and other parameters are drawn from N(0, 0.01²).

        Returns:
            A CustomCell: (get_params, init_state, forward), which are also its attributes.

        Raises:
            ValueError: a name is not an identifier or is used twice, an axis is not known, or step
                cannot be called with these arguments; later, step returns something else than
                tensors of the right shapes, or a parameter receives no gradient.

        Examples:
            >>> def mgu(X, H, p):  # a minimal gated unit
            ...     F = rnn.sigmoid(X @ p.W_xf + H @ p.W_hf + p.b_f)
            ...     H_tilde = rnn.tanh(X @ p.W_xh + (F * H) @ p.W_hh + p.b_h)
            ...     return (1 - F) * H + F * H_tilde
            >>> gate = {"W_xf": ("d", "h"), "W_hf": ("h", "h"), "b_f": ("h",)}
            >>> candidate = {"W_xh": ("d", "h"), "W_hh": ("h", "h"), "b_h": ("h",)}
            >>> cell = rnn.new_cell(mgu, params={**gate, **candidate}, init={"b_f": 1.0})
            >>> net = rnn.RNNModelScratch(5, 4, *cell, seed=0)
            >>> net.architecture.parameters[:3], len(net.begin_state(2))
            (['W_xf', 'W_hf', 'b_f'], 1)
        """

    @staticmethod
    def sigmoid(X: Tensor) -> Tensor:
        """Return 1 / (1 + exp(-X)) of each element, without overflow, for custom cells.

        Args:
            X: a tensor of floats.

        Returns:
            A tensor of the same shape and dtype.

        Examples:
            >>> rnn.to_numpy(rnn.sigmoid(rnn.from_numpy([0.0, 1000.0]))).tolist()
            [0.5, 1.0]
        """

    @staticmethod
    def tanh(X: Tensor) -> Tensor:
        """Return tanh(X) of each element, for custom cells.

        Args:
            X: a tensor of floats.

        Returns:
            A tensor of the same shape and dtype.

        Examples:
            >>> rnn.to_numpy(rnn.tanh(rnn.from_numpy([0.0, 1000.0]))).tolist()
            [0.0, 1.0]
        """

    # The concatenated form

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

    # Training

    @staticmethod
    def vjp(
        forward_fn: ForwardFn,
        inputs: Tensor,
        state: State,
        params: Params,
        d_outputs: Tensor,
        d_state: State,
    ) -> tuple[Tensor, State, Params]:
        """Compute the vector-Jacobian product of a forward function.

        This is the gradient of <d_outputs, outputs> + <d_state, new state>, computed by the
        framework's own differentiation and by hand in NumPy.

        Args:
            forward_fn: a function such as rnn.
            inputs: (T, n, d).
            state: the state before the first step.
            params: the parameters of forward_fn.
            d_outputs: a tensor of the shape of the outputs, (T * n, q).
            d_state: tensors of the shapes of the state.

        Returns:
            (d_inputs, d_state, d_params), with the shapes of inputs, state and params.

        Raises:
            ValueError: one of the parameters receives no gradient although the inputs are not
                empty, or a shape or a dtype does not fit.

        Source: section 9.7, Backpropagation Through Time.

        Examples:
            >>> X, state = rnn.one_hot([[0], [2]], 3), rnn.init_rnn_state(1, 4)
            >>> params = rnn.get_params(3, 4, seed=0)
            >>> ones = rnn.from_numpy([[1, 1, 1], [1, 1, 1]], dtype="float32")
            >>> d_X, d_state, d_params = rnn.vjp(rnn.rnn, X, state, params, ones, state)
            >>> rnn.to_numpy(d_params[-1]).tolist()  # of b_q, which is added at both steps
            [2.0, 2.0, 2.0]
        """

    @staticmethod
    def grad_clipping(
        grads: Sequence[Tensor], theta: float, *, clip: str = "norm"
    ) -> tuple[list[Tensor], Tensor]:
        """Multiply gradients by min(1, theta / norm), where norm is their joint norm.

        Args:
            grads: the gradients of all parameters; they are not changed.
            theta: the largest joint Euclidean norm that is not reduced, above 0.
            clip: "norm", or "value" to limit each element to -theta..theta instead.

        Returns:
            The new gradients, and the norm before clipping.

        Raises:
            ValueError: there are no gradients, they are not floats of one dtype, or theta is not
                above 0.

        Source: section 9.5, Gradient Clipping (equation 9.5.3).

        Examples:
            >>> grads = [rnn.from_numpy([3, 4], dtype="float32")]
            >>> clipped, norm = rnn.grad_clipping(grads, theta=1)
            >>> [f"{value:.2f}" for value in rnn.to_numpy(clipped[0])], float(norm)
            (['0.60', '0.80'], 5.0)
        """

    @staticmethod
    def sgd_step(
        net: Net, X: Tensor, Y: Tensor, state: State, lr: float, theta: float = 1.0
    ) -> tuple[Any, State]:
        """Train a language model on one minibatch, with short code that is written for reading.

        The file step.py of each backend shows the forward pass, the loss, the backward pass, the
        clipping and the update in the framework's own operations. make_step returns a function that
        computes the same numbers faster, has more optimizers, and checks in every backend that each
        parameter receives a gradient.

        Args:
            net: an RNNModelScratch; its params change.
            X: token ids (n, T).
            Y: the ids of the tokens that follow, (n, T).
            state: the state before the first step, of n rows.
            lr: the learning rate, above 0.
            theta: the largest norm of the gradients; see grad_clipping.

        Returns:
            The mean cross-entropy, a scalar of the framework, and the new state.

        Raises:
            ValueError: the net is not an RNNModelScratch, the minibatch is empty or not valid, the
                state does not fit, or lr or theta is not positive.

        Source: section 9.5, Training.

        Examples:
            >>> net = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
            >>> X, Y = rnn.from_numpy([[0, 1, 2]]), rnn.from_numpy([[1, 2, 3]])
            >>> for _ in range(3):
            ...     loss, _ = rnn.sgd_step(net, X, Y, net.begin_state(1), lr=0.5)
            ...     print(f"{float(loss):.2f}")
            1.61
            1.55
            1.49
        """

    @staticmethod
    def value_and_grad(network: Callable[..., Any], loss: str) -> Callable[..., Any]:
        """Return a function that computes a loss and its gradients.

        Args:
            network: one of d2lrnn.nets.networks; network(params, *inputs) returns
                (outputs, last state).
            loss: "softmax" for targets that are ids (m,), or "sigmoid" for targets (m, q) in 0..1.

        Returns:
            compute(params, inputs, targets, weights=None), which returns
            (loss, last state, gradients). The loss is the mean over the rows of the outputs (m, q),
            or, with weights (m,) that add up to 1, the weighted sum.

        Raises:
            ValueError: compute finds a parameter that receives no gradient although the inputs are
                not empty.

        Examples:
            >>> from d2lrnn.nets.networks import Recurrent
            >>> compute = rnn.value_and_grad(Recurrent(rnn.rnn), "softmax")
            >>> inputs = rnn.one_hot([[0], [2]], 3), rnn.init_rnn_state(1, 4)
            >>> params, targets = rnn.get_params(3, 4, seed=0), rnn.from_numpy([2, 1])
            >>> loss, state, grads = compute(params, inputs, targets)
            >>> f"{float(loss):.2f}", len(grads)  # a guess at random: ln 3
            ('1.10', 5)
        """

    @staticmethod
    def make_update(
        network: Callable[..., Any],
        loss: str,
        lr: float,
        theta: float,
        *,
        optimizer: str = "sgd",
        clip: str = "norm",
    ) -> Callable[..., Any]:
        """Return a function that updates parameters once: loss, gradients, clipping, update.

        Frameworks that compile code compile all of it together.

        Args:
            network: one of d2lrnn.nets.networks; network(params, *inputs) returns
                (outputs, last state).
            loss: "softmax" for targets that are ids (m,), or "sigmoid" for targets (m, q) in 0..1.
            lr: the learning rate, above 0.
            theta: the largest norm of the gradients; see grad_clipping.
            optimizer: "sgd", "adagrad", "adam" or "adamw".
            clip: "norm" or "value"; see grad_clipping.

        Returns:
            update(params, inputs, targets, weights=None, *, lr=None), which returns
            (loss, last state, new parameters); a number lr replaces the learning rate once. The
            loss is a scalar on its device; float(loss) waits for it. ``update.memory`` is the state
            of the optimizer.

        Examples:
            >>> from d2lrnn.nets.networks import Recurrent
            >>> update = rnn.make_update(Recurrent(rnn.rnn), "softmax", lr=1.0, theta=1.0)
            >>> inputs = rnn.one_hot([[0], [2]], 3), rnn.init_rnn_state(1, 4)
            >>> params = rnn.get_params(3, 4, seed=0)
            >>> for _ in range(3):
            ...     loss, state, params = update(params, inputs, rnn.from_numpy([2, 1]))
            ...     print(f"{float(loss):.2f}")
            1.10
            0.96
            0.89
        """

    @staticmethod
    def processes() -> Group:
        """Return the group of processes that train one network together.

        Returns:
            A group with ``rank``, the number of this process, and ``size``, the number of
            processes: 0 and 1 if this process was started alone. If several were started, by
            ``d2lrnn launch`` or by the framework's own launcher, train_ch8 and train_sequences give
            each process a share of the rows of every minibatch and compute the numbers of one
            process; only rank 0 prints, saves and generates text.

        Raises:
            ImportError: a package that the backend needs for several processes is not installed.

        Examples:
            >>> group = rnn.processes()
            >>> group.rank, group.size
            (0, 1)
        """

    @staticmethod
    def load_model(
        path: StrPath, *, cell: Any = None, device: Device = None
    ) -> tuple[language_model.RNNModelScratch, Vocab]:
        """Load a network and its vocabulary from a file that any backend saved.

        Args:
            path: a file that save_model or ``d2lrnn train --out`` wrote.
            cell: the result of new_cell, if the file holds a net of a custom cell, or the three
                functions (get_params, init_state, forward_fn) of the net, if they are custom: the
                file stores parameters, but not functions.
            device: where to store the parameters; None is the framework's default.

        Returns:
            (net, vocab).

        Raises:
            CheckpointError: a ValueError; the file is not a model of d2lrnn, or is damaged, or its
                custom cell is not the argument cell.
            OSError: the file cannot be read.

        Examples:
            >>> net = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
            >>> rnn.save_model("letters.safetensors", net, rnn.Vocab("abcd"))
            >>> net, vocab = rnn.load_model("letters.safetensors")
            >>> net.num_hiddens, vocab.to_tokens([1, 2, 3, 4])
            (4, ['a', 'b', 'c', 'd'])
        """


class Layers(Protocol):
    """The frameworks' own layers: in every backend except numpy."""

    @staticmethod
    def RNN(
        num_inputs: int,
        num_hiddens: int,
        num_layers: int = 1,
        bidirectional: bool = False,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Device = None,
    ) -> Any:
        """Return the framework's own recurrent layer, for RNNModel.

        It is torch.nn.RNN, keras.layers.SimpleRNN, flax.nnx.RNN of a SimpleCell, or gluon.rnn.RNN,
        with the weights that the framework draws.

        Args:
            num_inputs: d, 1 or above; the size of the vocabulary in a language model.
            num_hiddens: h, 1 or above.
            num_layers: 1 or above.
            bidirectional: whether each layer also runs from the last step to the first.
            seed: an integer to draw the same weights again, or None.
            dtype: "float32" or "float64".
            device: where to store the weights; None is the framework's default.

        Returns:
            The layer, or a list of layers if the framework does not have deep layers.

        Source: section 9.6.

        Examples:
            >>> net = rnn.RNNModel(rnn.RNN(5, 4, seed=0), 5, seed=0)
            >>> outputs, state = net(rnn.from_numpy([[0, 1, 2]]), net.begin_state(1))
            >>> tuple(outputs.shape)
            (3, 5)
        """

    @staticmethod
    def GRU(
        num_inputs: int,
        num_hiddens: int,
        num_layers: int = 1,
        bidirectional: bool = False,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Device = None,
    ) -> Any:
        """Return the framework's own GRU, which computes gru_reset_after, for RNNModel.

        Args:
            num_inputs: d, 1 or above; the size of the vocabulary in a language model.
            num_hiddens: h, 1 or above.
            num_layers: 1 or above.
            bidirectional: whether each layer also runs from the last step to the first.
            seed: an integer to draw the same weights again, or None.
            dtype: "float32" or "float64".
            device: where to store the weights; None is the framework's default.

        Returns:
            The layer, or a list of layers if the framework does not have deep layers.

        Source: section 10.2.

        Examples:
            >>> net = rnn.RNNModel(rnn.GRU(5, 4, num_layers=2, seed=0), 5, seed=0)
            >>> net.architecture.cell, net.architecture.num_layers
            ('gru_reset_after', 2)
        """

    @staticmethod
    def LSTM(
        num_inputs: int,
        num_hiddens: int,
        num_layers: int = 1,
        bidirectional: bool = False,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Device = None,
    ) -> Any:
        """Return the framework's own LSTM, for RNNModel.

        Args:
            num_inputs: d, 1 or above; the size of the vocabulary in a language model.
            num_hiddens: h, 1 or above.
            num_layers: 1 or above.
            bidirectional: whether each layer also runs from the last step to the first.
            seed: an integer to draw the same weights again, or None.
            dtype: "float32" or "float64".
            device: where to store the weights; None is the framework's default.

        Returns:
            The layer, or a list of layers if the framework does not have deep layers.

        Source: section 10.1.

        Examples:
            >>> net = rnn.RNNModel(rnn.LSTM(5, 4, bidirectional=True, seed=0), 5, seed=0)
            >>> net.architecture.cell, net.bidirectional
            ('lstm', True)
        """

    @staticmethod
    def RNNModel(
        rnn_layer: Any, vocab_size: int, *, seed: int | None = None, device: Device = None
    ) -> Net:
        """A language model around a layer that RNN, GRU or LSTM returned.

        It is called, trained and sampled in the same way as RNNModelScratch; its optimizer is the
        framework's.

        Args:
            rnn_layer: from RNN, GRU or LSTM.
            vocab_size: V, the num_inputs of the layer.
            seed: an integer to draw the same output layer again, or None.
            device: where to store the parameters; None is the framework's default.

        Returns:
            A model: ``net(X, state)`` takes token ids (n, T) and returns scores (T * n, V) and the
            new state.

        Source: section 9.6.

        Examples:
            >>> net = rnn.RNNModel(rnn.LSTM(5, 4, seed=0), 5, seed=0)
            >>> rnn.predict_ch8("ab", 0, net, rnn.Vocab("abcd"))
            'ab'
            >>> [array.shape for array in net.arrays()[-2:]]  # those of the output layer
            [(4, 5), (5,)]
        """


BackendLike = Backend | ModuleType  # what ``from d2lrnn import torch as rnn`` is for a type checker
