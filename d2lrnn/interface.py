"""Every contract, once: what each of the five backends provides, with the same signature.

``n`` is batch_size, ``T`` num_steps, ``V`` vocab_size, ``h`` num_hiddens, ``q`` the number of
outputs. A *tensor* is the backend's own type. Sections are those of *Dive into Deep Learning* 1.0.
Bad arguments raise ValueError with the same text in every backend.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from d2lrnn.data import text
from d2lrnn.nets.group import Group
from d2lrnn.nets.language_model import Model as Net

Tensor = Any
Device = Any
Array = np.ndarray[Any, Any]
State = tuple[Tensor, ...]
Params = list[Tensor]
ForwardFn = Callable[[Tensor, State, Params], tuple[Tensor, State]]
StrPath = str | os.PathLike[str]


class Backend(Protocol):
    """What ``from d2lrnn import torch as rnn`` gives, and each other backend likewise."""

    # The bridge to NumPy

    @staticmethod
    def try_gpu(i: int = 0) -> Device:
        """Return the i-th GPU as the framework names it, or the CPU where there is none.

        Source: section 6.7.

        Examples:
            >>> X = rnn.from_numpy([1.0, 2.0], device=rnn.try_gpu())  # on a GPU, where there is one
            >>> rnn.to_numpy(X).tolist()
            [1.0, 2.0]
        """

    @staticmethod
    def from_numpy(array: Any, *, dtype: Any = None, device: Device = None) -> Tensor:
        """Return a copy of a NumPy array as a tensor.

        Args:
            array: a NumPy array, or what numpy.asarray takes.
            dtype: of the result; None keeps the array's, or takes the next that the framework has.
            device: where to put it; None is the framework's default.

        Raises:
            ValueError: these are not booleans or numbers of up to 64 bits, or the dtype is one of
                integers that cannot hold them.

        Examples:
            >>> X = rnn.from_numpy([[1, 2], [3, 4]], dtype="float32")
            >>> rnn.to_numpy(X + X).tolist()
            [[2.0, 4.0], [6.0, 8.0]]
        """

    @staticmethod
    def to_numpy(tensor: Any) -> Array:
        """Return a copy of a tensor, from whatever device, as a NumPy array.

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
        """Return NumPy arrays as parameters that the framework can differentiate for.

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
        """Return token ids of any shape S as one-hot rows, of shape S + (V,).

        The ids are checked before the framework sees them.

        Raises:
            ValueError: an id is not an integer, or outside 0..V-1.

        Source: section 9.5, One-Hot Encoding.

        Examples:
            >>> rnn.to_numpy(rnn.one_hot([0, 2], 3)).tolist()
            [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
        """

    @staticmethod
    def embedding(tokens: Any, table: Tensor) -> Tensor:
        """Return the row of table for each token id: one_hot(tokens, V) @ table, looked up.

        Args:
            tokens: ids of any shape S, checked.
            table: (V, d); the gradient of a row sums over the tokens that it was looked up for.

        Returns:
            S + (d,).

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
        """Return [W_xh (d, h), b_h (h,), W_hq (h, q), b_q (q,)].

        Weights are drawn from N(0, 0.01²), biases are 0; see get_params.

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
            (n, q).

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
        """Return [W_xh (V, h), W_hh (h, h), b_h (h,), W_hq (h, V), b_q (V,)].

        Args:
            vocab_size: V, 1 or above.
            num_hiddens: h, 1 or above.
            seed: an integer for the same weights in every backend, or None for fresh ones.
            dtype: "float32" or "float64".
            device: where to put them; None is the framework's default.

        Weights are drawn from N(0, 0.01²) by NumPy in float64, then cast; biases are 0.

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
        """Return (H,), H zeros (n, h); n may be 0.

        Examples:
            >>> (H,) = rnn.init_rnn_state(2, 3)
            >>> tuple(H.shape)
            (2, 3)
        """

    @staticmethod
    def rnn(inputs: Tensor, state: State, params: Params) -> tuple[Tensor, State]:
        """Compute H_t = tanh(X_t W_xh + H_{t-1} W_hh + b_h) and O_t = H_t W_hq + b_q for each t.

        Args:
            inputs: (T, n, V); T and n may be 0.
            state: (H,), H (n, h).
            params: from get_params.

        Returns:
            outputs (T * n, q), time-major, and (H_T,).

        Raises:
            ValueError: a rank, a width, a dtype or the state's batch size does not fit.

        Source: section 9.4, equations 9.4.5 and 9.4.6; section 9.5, RNN Model.

        Examples:
            >>> X = rnn.one_hot([[0, 2], [1, 1]], 3)  # T = 2, n = 2
            >>> state, params = rnn.init_rnn_state(2, 4), rnn.get_params(3, 4, seed=0)
            >>> outputs, (H,) = rnn.rnn(X, state, params)
            >>> tuple(outputs.shape), tuple(H.shape)
            ((4, 3), (2, 4))
        """

    @staticmethod
    def RNNModelScratch(
        vocab_size: int,
        num_hiddens: int,
        get_params: Callable[..., Params],
        init_state: Callable[..., State],
        forward_fn: ForwardFn,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Device = None,
    ) -> Net:
        """Return a language model made of three functions, such as get_params, init_rnn_state, rnn.

        Each may be a custom function. What get_params returns, arrays too, becomes trainable.
        forward_fn uses each parameter, by the framework's own operations: training refuses one that
        receives no gradient.

        Source: section 9.5.

        Examples:
            >>> net = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
            >>> outputs, state = net(rnn.from_numpy([[0, 1, 2]]), net.begin_state(1))
            >>> tuple(outputs.shape)  # of the token after each of the three
            (3, 5)
        """

    # Gated cells. Every get_..._params and every cell takes and returns what get_params and rnn do.

    @staticmethod
    def get_gru_params(
        vocab_size: int,
        num_hiddens: int,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Device = None,
    ) -> Params:
        """Return [W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h, W_hq, b_q].

        W_x? (V, h), W_h? (h, h), b_? (h,), W_hq (h, V), b_q (V,); see get_params.

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
        """Return a GRU's parameters with b_hh (h,) between b_h and W_hq.

        Examples:
            >>> params = rnn.get_gru_reset_after_params(5, 3, seed=0)
            >>> len(params), tuple(params[9].shape)  # the tenth is b_hh
            (12, (3,))
        """

    @staticmethod
    def init_gru_state(
        batch_size: int, num_hiddens: int, *, dtype: str = "float32", device: Device = None
    ) -> State:
        """Return (H,), H zeros (n, h).

        Examples:
            >>> (H,) = rnn.init_gru_state(2, 3)
            >>> tuple(H.shape)
            (2, 3)
        """

    @staticmethod
    def gru(inputs: Tensor, state: State, params: Params) -> tuple[Tensor, State]:
        """Compute a gated recurrent unit.

        Z = sigmoid(X W_xz + H W_hz + b_z), R = sigmoid(X W_xr + H W_hr + b_r),
        H_tilde = tanh(X W_xh + (R * H) W_hh + b_h), H = Z * H + (1 - Z) * H_tilde.

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
        """Compute a GRU whose reset gate is applied after the product, as cuDNN's is.

        H_tilde = tanh(X W_xh + R * (H W_hh + b_hh) + b_h); all else as in gru. PyTorch, Keras,
        Flax and MXNet have this form.

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
        """Return W_x?, W_h?, b_? for ? in i, f, o, c, then W_hq, b_q; see get_gru_params.

        Examples:
            >>> params = rnn.get_lstm_params(5, 3, seed=0)
            >>> len(params), [tuple(param.shape) for param in params[:3]]  # W_xi, W_hi, b_i
            (14, [(5, 3), (3, 3), (3,)])
        """

    @staticmethod
    def init_lstm_state(
        batch_size: int, num_hiddens: int, *, dtype: str = "float32", device: Device = None
    ) -> State:
        """Return (H, C), both zeros (n, h).

        Examples:
            >>> H, C = rnn.init_lstm_state(2, 3)
            >>> tuple(H.shape), tuple(C.shape)
            ((2, 3), (2, 3))
        """

    @staticmethod
    def lstm(inputs: Tensor, state: State, params: Params) -> tuple[Tensor, State]:
        """Compute a long short-term memory.

        I, F, O = sigmoid(X W_x? + H W_h? + b_?), C_tilde = tanh(X W_xc + H W_hc + b_c),
        C = F * C + I * C_tilde, H = O * tanh(C).

        Source: section 10.1, equations 10.1.1 to 10.1.5; Hochreiter and Schmidhuber, 1997.

        Examples:
            >>> X = rnn.one_hot([[0, 2], [1, 1]], 3)  # T = 2, n = 2
            >>> state, params = rnn.init_lstm_state(2, 4), rnn.get_lstm_params(3, 4, seed=0)
            >>> outputs, (H, C) = rnn.lstm(X, state, params)
            >>> tuple(outputs.shape), tuple(H.shape), tuple(C.shape)
            ((4, 3), (2, 4), (2, 4))
        """

    # The same cells, fast: as forward_fn, drop-in for rnn, gru and lstm.

    @staticmethod
    def rnn_fused(inputs: Tensor, state: State, params: Params) -> tuple[Tensor, State]:
        """Compute what rnn computes, with one product for the inputs of all steps.

        Args:
            inputs: (T, n, V), or token ids (T, n), which mean their one-hot rows; the ids are
                checked where they have values at hand: not on a GPU, and not in compiled code.
            state: (H,), H (n, h).
            params: from get_params.

        The outputs too are one product, and so is the gradient of each weight, going back by hand.

        Examples:
            >>> state, params = rnn.init_rnn_state(1, 4), rnn.get_params(3, 4, seed=0)
            >>> fused, _ = rnn.rnn_fused(rnn.from_numpy([[0], [2]]), state, params)  # ids
            >>> plain, _ = rnn.rnn(rnn.one_hot([[0], [2]], 3), state, params)
            >>> bool(abs(rnn.to_numpy(fused - plain)).max() < 1e-6)
            True
        """

    @staticmethod
    def gru_fused(inputs: Tensor, state: State, params: Params) -> tuple[Tensor, State]:
        """Compute what gru computes; see rnn_fused.

        Examples:
            >>> state, params = rnn.init_gru_state(1, 4), rnn.get_gru_params(3, 4, seed=0)
            >>> fused, _ = rnn.gru_fused(rnn.from_numpy([[0], [2]]), state, params)  # ids
            >>> plain, _ = rnn.gru(rnn.one_hot([[0], [2]], 3), state, params)
            >>> bool(abs(rnn.to_numpy(fused - plain)).max() < 1e-6)
            True
        """

    @staticmethod
    def lstm_fused(inputs: Tensor, state: State, params: Params) -> tuple[Tensor, State]:
        """Compute what lstm computes; see rnn_fused.

        Examples:
            >>> state, params = rnn.init_lstm_state(1, 4), rnn.get_lstm_params(3, 4, seed=0)
            >>> fused, _ = rnn.lstm_fused(rnn.from_numpy([[0], [2]]), state, params)  # ids
            >>> plain, _ = rnn.lstm(rnn.one_hot([[0], [2]], 3), state, params)
            >>> bool(abs(rnn.to_numpy(fused - plain)).max() < 1e-6)
            True
        """

    @staticmethod
    def stack(
        cell: str, num_layers: int = 1, bidirectional: bool = False
    ) -> tuple[Callable[..., Params], Callable[..., State], ForwardFn]:
        """Return get_params, init_state and forward_fn of a deep network, for RNNModelScratch.

        Args:
            cell: "rnn", "gru", "gru_reset_after" or "lstm".
            num_layers: each layer's hidden states are the inputs of the next.
            bidirectional: each layer also runs from the last step to the first, with parameters of
                its own; its hidden states are those of both directions, side by side.

        Parameters come layer by layer, direction by direction, the output layer's last; the state
        likewise, H or H and C for each.

        Source: sections 10.3 and 10.4.

        Examples:
            >>> net = rnn.RNNModelScratch(5, 4, *rnn.stack("lstm", num_layers=2), seed=0)
            >>> [tuple(part.shape) for part in net.begin_state(3)]  # H and C of each layer
            [(3, 4), (3, 4), (3, 4), (3, 4)]
        """

    # The concatenated form

    @staticmethod
    def concat_rnn(
        inputs: Tensor, state: State, params: Params, *, order: str = "HX"
    ) -> tuple[Tensor, State]:
        """Compute rnn with one matrix W for [H, X] ("HX") or [X, H] ("XH").

        Args:
            inputs: (T, n, V).
            state: as of rnn.
            params: [W (h + V, h), b (h,), W_hq, b_q].
            order: "HX" or "XH".

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
        """Compute gru with params [W_z, b_z, W_r, b_r, W_h, b_h, W_hq, b_q]; see concat_rnn.

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
        """Compute lstm with params [W_?, b_? for ? in i, f, o, c, then W_hq, b_q].

        Examples:
            >>> X, state = rnn.one_hot([[0], [2]], 3), rnn.init_lstm_state(1, 4)
            >>> params = rnn.concat_params(rnn.get_lstm_params(3, 4, seed=0), order="XH")
            >>> outputs, (H, C) = rnn.concat_lstm(X, state, params, order="XH")
            >>> tuple(outputs.shape), tuple(H.shape), tuple(C.shape)
            ((2, 3), (1, 4), (1, 4))
        """

    @staticmethod
    def concat_params(params: Sequence[Tensor], *, order: str = "HX") -> list[Tensor]:
        """Return the parameters of rnn, gru or lstm as their concatenated form takes them.

        They are new tensors, computed by the framework's own operations, and so a gradient for them
        is one for params too: ``lambda i, s, p: rnn.concat_rnn(i, s, rnn.concat_params(p))`` is a
        forward function for RNNModelScratch.

        Raises:
            ValueError: these are not the parameters of such a cell, or order is not one of the two.

        Examples:
            >>> W, b_h, W_hq, b_q = rnn.concat_params(rnn.get_params(3, 4))
            >>> tuple(W.shape)  # W_hh above W_xh
            (7, 4)
        """

    @staticmethod
    def split_params(params: Sequence[Tensor], *, order: str = "HX") -> list[Tensor]:
        """Return the parameters of a concatenated form as rnn, gru or lstm take them.

        They are new tensors, as those of concat_params.

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
        """Return (d_inputs, d_state, d_params), the vector-Jacobian product of a forward function.

        It is the gradient of <d_outputs, outputs> + <d_state, new state>, by the framework's own
        differentiation; in NumPy, by hand.

        Args:
            forward_fn: such as rnn.
            inputs: (T, n, d).
            state: the state before the first step.
            params: what forward_fn takes.
            d_outputs: of the outputs' shape, (T * n, q).
            d_state: of the state's shapes.

        Raises:
            ValueError: no gradient reaches one of the parameters, and inputs are not empty; a shape
                or a dtype does not fit.

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
        """Return the gradients times min(1, theta / norm), and the norm before.

        Args:
            grads: gradients of all parameters; not changed.
            theta: the largest joint Euclidean norm to let through, above 0.
            clip: "norm", or "value" to cut each element to -theta..theta instead.

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
    def value_and_grad(network: Callable[..., Any], loss: str) -> Callable[..., Any]:
        """Return compute(params, inputs, targets, weights=None) -> (loss, last state, gradients).

        Args:
            network: one of d2lrnn.nets.networks; network(params, *inputs) gives (outputs, last
                state).
            loss: "softmax" for targets that are ids (m,), "sigmoid" for targets (m, q) in 0..1.

        The loss is the mean over the rows of outputs (m, q); with weights (m,), which add up to 1,
        the weighted sum. It is a value: the list has its gradients.

        Raises:
            ValueError: no gradient reaches one of the parameters, and the inputs are not empty.

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
        """Return update(params, inputs, targets, weights=None) -> (loss, last state, params).

        It computes the loss and its gradients as value_and_grad does, clips them and moves the
        parameters; the frameworks that compile, compile all of it. The loss is the framework's
        scalar, where it was computed: float(loss) waits for it. Arguments as of make_step.
        ``update.memory`` is the optimizers.Memory that it keeps from one call to the next.

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
        """Return the processes that train together, of which this is one: rank and size.

        Started alone, a process has rank 0 of size 1. Where several were started for this backend,
        by ``d2lrnn launch`` or by the framework's own starter, train_ch8 and train_sequences give
        each a share of every minibatch's rows, with the numbers of one process; rank 0 shows, saves
        and samples.

        Raises:
            ImportError: what the backend needs for several is not installed.

        Examples:
            >>> group = rnn.processes()
            >>> group.rank, group.size
            (0, 1)
        """

    @staticmethod
    def load_model(path: StrPath, *, device: Device = None) -> tuple[Net, text.Vocab]:
        """Return the net in a file, whichever backend saved it, and its Vocab.

        Raises:
            CheckpointError: a ValueError; the file is not a model of ours, or is damaged.
            OSError: the file cannot be read.

        Examples:
            >>> net = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
            >>> rnn.save_model("letters.safetensors", net, rnn.Vocab("abcd"))
            >>> net, vocab = rnn.load_model("letters.safetensors")
            >>> net.num_hiddens, vocab.to_tokens([1, 2, 3, 4])
            (4, ['a', 'b', 'c', 'd'])
        """


class Layers(Protocol):
    """The frameworks' own layers: of every backend but numpy."""

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
        """Return the framework's own layer, for RNNModel, its weights drawn as the framework does.

        torch.nn.RNN, keras.layers.SimpleRNN, flax.nnx.RNN of a SimpleCell, or gluon.rnn.RNN; a
        list of layers where the framework has no deep ones.

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
        """Return the framework's own GRU, which computes gru_reset_after; see RNN.

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
        """Return the framework's own LSTM; see RNN.

        Examples:
            >>> net = rnn.RNNModel(rnn.LSTM(5, 4, bidirectional=True, seed=0), 5, seed=0)
            >>> net.architecture.cell, net.bidirectional
            ('lstm', True)
        """

    @staticmethod
    def RNNModel(
        rnn_layer: Any, vocab_size: int, *, seed: int | None = None, device: Device = None
    ) -> Net:
        """Return a language model around a layer made by RNN, GRU or LSTM.

        It is called, trained and sampled as RNNModelScratch is; its optimizer is the framework's.

        Source: section 9.6.

        Examples:
            >>> net = rnn.RNNModel(rnn.LSTM(5, 4, seed=0), 5, seed=0)
            >>> rnn.predict_ch8("ab", 0, net, rnn.Vocab("abcd"))
            'ab'
            >>> [array.shape for array in net.arrays()[-2:]]  # those of the output layer
            [(4, 5), (5,)]
        """
