"""Token by token in MXNet: many of them as one graph, built once and called once.

A call of MXNet's from Python costs some 30 microseconds, and a token takes from seven of them, in a
plain network, to over twenty, in an LSTM.
"""

import functools
import types

from mxnet import symbol
from mxnet.gluon import HybridBlock

from d2lrnn.mxnet.framework import np, npx
from d2lrnn.mxnet.fused import side_by_side
from d2lrnn.mxnet.tensors import from_numpy, to_numpy
from d2lrnn.nets import cells
from d2lrnn.nets.prediction import AT_ONCE, filled_up

symbol.numpy._Symbol.__matmul__ = symbol.np.dot  # the operator that MXNet's symbols lack


def say(net, index, state, given, noise):
    """Do as Model.say does; given and noise fill up to AT_ONCE rows, so that shapes stay alike."""
    count = len(given)
    given, noise = filled_up(given), filled_up(noise)
    step, params = net.ops.steps[net.architecture.cell], net.params
    if net.architecture == cells.Architecture("lstm"):
        step, params = joined_lstm_step, joined(params)
    graph = speech(net.architecture, step, net.vocab_size, net.num_hiddens, net.dtype)
    ids = (from_numpy(i, dtype="int64", device=net.device) for i in (index[None], given))
    noise = from_numpy(noise, dtype=net.dtype, device=net.device)
    said, *states = graph(*ids, noise, list(state), params)
    return to_numpy(said)[:count], tuple(s[count - 1] for s in states)


def joined(params):
    """Return the parameters of an LSTM with its gates side by side, W_x and W_h transposed."""
    *weights, W_hq, b_q = params
    W_x, W_h, b = map(side_by_side, cells.CELLS["lstm"].by_kind(weights))
    return [W_x.T, W_h.T, b, W_hq, b_q]


def joined_lstm_step(X, state, params, num_hiddens):
    """Do as lstm_step does, with two products, by oneDNN: a third of the time of np.dot."""
    (H, C), (W_x, W_h, b), layer = state, params, {"num_hidden": 4 * num_hiddens}
    A = npx.fully_connected(X, W_x, b, flatten=False, **layer)
    A = A + npx.fully_connected(H, W_h, no_bias=True, flatten=False, **layer)
    I, F, O, C_tilde = np.split(A, 4, axis=1)
    C = npx.sigmoid(F) * C + npx.sigmoid(I) * np.tanh(C_tilde)
    return npx.sigmoid(O) * np.tanh(C), C


@functools.lru_cache(16)
def speech(architecture, step, vocab_size, num_hiddens, dtype):
    """Return the graph of a kind of network, compiled when it is first called."""
    graph = Speech(architecture, step, vocab_size, num_hiddens, dtype)
    graph.hybridize()
    return graph


def symbolic(step):
    """Return the step of a cell for MXNet's symbols in the place of its arrays.

    Its code is that of scratch.py, in which np and npx now name the modules for symbols: MXNet's
    graphs need other functions of the same names, and a second text of the equations could come to
    differ from the first.
    """
    names = {**step.__globals__, "np": symbol.np, "npx": symbol.npx}
    return types.FunctionType(step.__code__, names, step.__name__)


class Speech(HybridBlock):
    """AT_ONCE tokens: those given, and where none is (below 0), the likeliest, noise included."""

    def __init__(self, architecture, step, vocab_size, num_hiddens, dtype):
        """Keep what the graph is built of."""
        super().__init__()
        self.architecture, self.step = architecture, symbolic(step)
        self.joined = step is joined_lstm_step
        if self.joined:
            self.step = functools.partial(self.step, num_hiddens=num_hiddens)
        self.one_hot = functools.partial(symbol.npx.one_hot, depth=vocab_size, dtype=dtype)

    def layers(self, weights, state):
        """Return the parameters and the state of each layer."""
        if self.joined:
            return [(weights, state)]
        return [layer for [layer] in self.architecture.layers(weights, state)]

    def hybrid_forward(self, F, index, given, noise, state, params):
        """Return the ids (AT_ONCE, n), then each part of the state after each row of them."""
        *weights, W_hq, b_q = params
        said, states = [], []
        for given_t, noise_t in zip(*(F.np.split(x, AT_ONCE, axis=0) for x in (given, noise))):
            row, last = self.one_hot(index.reshape(-1)), ()  # (n, vocab_size)
            for layer, before in self.layers(weights, state):
                after = tuple(self.step(row, before, layer))
                row, last = after[0], last + after
            chosen = F.np.argmax(F.np.dot(row, W_hq) + b_q + noise_t, axis=2)  # (1, n)
            index, state = F.np.where(given_t >= 0, given_t, chosen), last
            said.append(index)
            states.append(last)
        return F.np.concatenate(said), *(F.np.stack(part) for part in zip(*states))
