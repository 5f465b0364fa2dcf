"""MXNet's own kernel for recurrent layers, npx.rnn, called with the parameters of scratch.py."""

from d2lrnn.mxnet.framework import nd, np, npx
from d2lrnn.mxnet.products import is_floating, old
from d2lrnn.nets import cells

# The modes of npx.rnn, and the order of the gates in each; its GRU is not gru
KERNELS = {"rnn": "rnn_tanh", "gru_reset_after": "gru", "lstm": "lstm"}
GATES = {"rnn": "h", "gru_reset_after": "rzh", "lstm": "ifco"}


def kernel_takes(inputs, state, vocab_size):
    """Return whether npx.rnn can compute this, and is faster than the loop of fused.py.

    It supports float32. For token ids, it multiplies by one-hot rows where the loop uses a lookup.
    So the loop is used for ids of a large vocabulary, unless the products are so small that its
    calls from Python take longer.
    """
    num_hiddens = state[0].shape[1]
    if state[0].dtype != "float32" or 0 in inputs.shape:
        return False
    few = vocab_size <= max(num_hiddens // 2, 32) or vocab_size * state[0].size <= 200_000
    return few or is_floating(inputs)


def kernel(cell, inputs, state, weights):
    """Return Hs (T, n, h) and the last state, computed by npx.rnn, as in MXNet's own layer.

    The loop over time is not in Python. It is called with our parameters, so MXNet computes their
    gradients.
    """
    if not is_floating(inputs):
        inputs = npx.one_hot(inputs, len(weights[0]), dtype=weights[0].dtype)
    first, num_hiddens = [np.expand_dims(s, 0) for s in state], state[0].shape[1]
    settings = {"mode": KERNELS[cell], "state_size": num_hiddens, "num_layers": 1}
    Hs, *last = npx.rnn(inputs, packed(cell, weights), *first, state_outputs=True, **settings)
    return Hs, tuple(s[0] for s in last)


def packed(cell, weights):
    """Return a cell's parameters in the form that npx.rnn needs: one vector.

    It consists of all W_x and all W_h, each transposed, all b, and a second bias for each gate,
    which is b_hh for the candidate of gru_reset_after, and otherwise zeros. The parts are joined as
    rows of the length of a bias, which is ten times as fast as joining vectors. The W_x are joined
    before they are transposed, which saves calls; the W_h, which are larger, are joined afterwards,
    which saves time.
    """
    gates, num_hiddens = cells.CELLS[cell].by_gate(weights), len(weights[2])
    W_x, W_h, b = (old(*kind) for kind in zip(*(gates[g] for g in GATES[cell])))
    rows = nd.transpose(nd.concat(*W_x, dim=1)).reshape((-1, num_hiddens))
    second = [nd.zeros_like(b[0])] * len(b)
    if "b_hh" in cells.CELLS[cell].parameters:
        (second[GATES[cell].index("h")],) = old(cells.CELLS[cell].named(weights)["b_hh"])
    biases = nd.stack(*b, *second)
    joined = nd.concat(rows, *map(nd.transpose, W_h), biases, dim=0)
    return joined.reshape((-1,)).as_np_ndarray()
