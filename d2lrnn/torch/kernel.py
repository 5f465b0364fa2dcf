"""The LSTM of oneDNN in PyTorch, and the memory layout of the weights that it computes with."""

import torch
import torch.nn.functional as F

from d2lrnn.nets import cells
from d2lrnn.torch.contexts import by_hand
from d2lrnn.torch.tensors import concat


def lie_turned(weights):
    """Return whether weights (k, m) have the memory layout of Turned, which lay_out creates."""
    first, last, k = weights[0], weights[-1], len(weights[0])
    places = [first.data_ptr() + number * first.nbytes for number in range(len(weights))]
    return (
        [W.data_ptr() for W in weights] == places
        and all(W.stride() == (1, k) for W in weights)
        and first.untyped_storage().data_ptr() == last.untyped_storage().data_ptr()
    )


class Turned(torch.autograd.Function):
    """The transposed weights (k, m) of each gate, one below the other: (gates * m, k).

    If they already have this memory layout, neither they nor their gradients are copied. Otherwise
    each gate is transposed alone: joining first and then transposing takes twice as long.
    """

    @staticmethod
    def forward(ctx, *weights):
        """Return the weights in one contiguous tensor."""
        k, ctx.width = weights[0].shape
        ctx.lie_turned = lie_turned(weights)
        if ctx.lie_turned:
            return weights[0].detach().as_strided((len(weights) * ctx.width, k), (k, 1))
        joined = weights[0].new_empty(len(weights), ctx.width, k)
        for turned, W in zip(joined, weights):
            turned.copy_(W.T)
        return joined.flatten(0, 1)

    @staticmethod
    @by_hand
    def backward(ctx, gradient):
        """Return each gate's part of the gradient, in the memory layout of its weights."""
        parts = [part.T for part in gradient.split(ctx.width)]
        return tuple(parts if ctx.lie_turned else (part.contiguous() for part in parts))


def kernel_takes(inputs, state, vocab_size):
    """Return whether oneDNN's LSTM can compute this, and is faster than fused.LSTMRecurrence.

    It supports float32 on a CPU. For token ids, it multiplies by one-hot rows where LSTMRecurrence
    uses a lookup. So LSTMRecurrence is used for ids of a large vocabulary, unless the products are
    so small that its calls from Python take longer.
    """
    (H, _), mkldnn = state, torch.backends.mkldnn
    if H.device.type != "cpu" or H.dtype != torch.float32 or 0 in inputs.shape:
        return False
    few = vocab_size <= max(H.shape[1] // 2, 32) or vocab_size * H.numel() <= 50_000
    return (few or inputs.dtype.is_floating_point) and mkldnn.is_available() and mkldnn.enabled


def for_kernel(weights):
    """Return an LSTM's W_x, W_h and b as lists in the kernel's order of gates: i, f, c, o."""
    return [[i, f, c, o] for i, f, o, c in cells.CELLS["lstm"].by_kind(weights)]


def lstm_kernel(inputs, state, weights):
    """Return Hs (T, n, h) and the last state, computed by torch.lstm, as torch.nn.LSTM does.

    On a CPU this is oneDNN's LSTM: its loop over time is not in Python, and on AMD's processors its
    products are faster than those of torch.mm, which are MKL's. It is called with our parameters,
    so PyTorch computes their gradients. The weights are transposed, the output gate is the last,
    and there is a second bias, here of zeros.
    """
    if not inputs.dtype.is_floating_point:
        inputs = F.one_hot(inputs.long(), len(weights[0])).to(weights[0].dtype)
    W_x, W_h, b = for_kernel(weights)
    b = concat(b)
    packed = Turned.apply(*W_x), Turned.apply(*W_h), b, torch.zeros_like(b)
    first = tuple(s[None] for s in state)
    settings = True, 1, 0.0, torch.is_grad_enabled(), False, False  # biases, layers, dropout, ...
    Hs, H, C = torch.lstm(inputs, first, packed, *settings)
    return Hs, (H[0], C[0])


def lay_out(params, inputs, state):
    """Change the memory layout of an LSTM's weights to that of the kernel, if the kernel is used.

    The values of the weights do not change. With this layout, a training step does not have to
    transpose the weights and their gradients. torch.nn.LSTM does something similar on a GPU
    (``flatten_parameters``).
    """
    *weights, _, _ = params
    if not kernel_takes(inputs, state, len(weights[0])):
        return
    for gates in for_kernel(weights)[:2]:
        if not lie_turned(gates):
            for W, part in zip(gates, Turned.apply(*gates).detach().split(gates[0].shape[1])):
                W.data = part.T
