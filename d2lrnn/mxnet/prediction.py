"""Token by token in MXNet: many of them as one graph, built once and called once.

A call of MXNet's from Python costs some 30 microseconds, and a token takes from seven of them, in a
plain network, to over twenty, in an LSTM.
"""

import functools
import types

from mxnet import symbol
from mxnet.gluon import HybridBlock

from d2lrnn.mxnet.tensors import from_numpy, to_numpy
from d2lrnn.nets.prediction import AT_ONCE, filled_up

symbol.numpy._Symbol.__matmul__ = symbol.np.dot  # the operator that MXNet's symbols lack


def say(net, index, state, given, noise):
    """Do as Model.say does; given and noise fill up to AT_ONCE rows, so that shapes stay alike."""
    count = len(given)
    given, noise = filled_up(given), filled_up(noise)
    step = net.ops.steps[net.architecture.cell]
    graph = speech(net.architecture, step, net.vocab_size, net.dtype)
    ids = (from_numpy(i, dtype="int64", device=net.device) for i in (index[None], given))
    noise = from_numpy(noise, dtype=net.dtype, device=net.device)
    said, *states = graph(*ids, noise, list(state), net.params)
    return to_numpy(said)[:count], tuple(s[count - 1] for s in states)


@functools.lru_cache(16)
def speech(architecture, step, vocab_size, dtype):
    """Return the graph of a kind of network, compiled when it is first called."""
    graph = Speech(architecture, symbolic(step), vocab_size, dtype)
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

    def __init__(self, architecture, step, vocab_size, dtype):
        """Keep what the graph is built of."""
        super().__init__()
        self.architecture, self.step = architecture, step
        self.one_hot = functools.partial(symbol.npx.one_hot, depth=vocab_size, dtype=dtype)

    def hybrid_forward(self, F, index, given, noise, state, params):
        """Return the ids (AT_ONCE, n), then each part of the state after each row of them."""
        *weights, W_hq, b_q = params
        said, states = [], []
        for given_t, noise_t in zip(*(F.np.split(x, AT_ONCE, axis=0) for x in (given, noise))):
            row, last = self.one_hot(index.reshape(-1)), ()  # (n, vocab_size)
            for [(layer, before)] in self.architecture.layers(weights, state):
                after = tuple(self.step(row, before, layer))
                row, last = after[0], last + after
            chosen = F.np.argmax(F.np.dot(row, W_hq) + b_q + noise_t, axis=2)  # (1, n)
            index, state = F.np.where(given_t >= 0, given_t, chosen), last
            said.append(index)
            states.append(last)
        return F.np.concatenate(said), *(F.np.stack(part) for part in zip(*states))
