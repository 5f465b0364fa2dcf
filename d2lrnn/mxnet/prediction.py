"""Text generation in MXNet: one graph, built once, generates many tokens in one call.

A call of MXNet from Python takes about 30 microseconds, and a token would need from seven calls, in
a plain network, to over twenty, in an LSTM.
"""

import contextlib
import functools
import threading
import types

from mxnet import symbol
from mxnet.gluon import HybridBlock

from d2lrnn.mxnet.products import side_by_side
from d2lrnn.mxnet.tensors import from_numpy, to_numpy
from d2lrnn.nets import cells
from d2lrnn.nets.prediction import AT_ONCE, filled_up

_building = threading.Lock()


@contextlib.contextmanager
def with_matmul():
    """Give MXNet's symbols the operator @, which they lack, while a graph is built."""
    with _building:
        symbol.numpy._Symbol.__matmul__ = symbol.np.dot
        try:
            yield
        finally:
            del symbol.numpy._Symbol.__matmul__


def say(net, index, state, given, noise):
    """Compute Model.say; given and noise are padded to AT_ONCE rows, to compile for one shape."""
    count = len(given)
    given, noise = filled_up(given), filled_up(noise)
    graph, params = graph_of(net)
    ids = (from_numpy(i, dtype="int64", device=net.device) for i in (index[None], given))
    noise = from_numpy(noise, dtype=net.dtype, device=net.device)
    generated, *states = graph(*ids, noise, list(state), params)
    return to_numpy(generated)[:count], tuple(s[count - 1] for s in states)


def graph_of(net):
    """Return the graph for a net, and the parameters in the form that the graph needs."""
    kind, cell, sizes = net.architecture, net.architecture.cell, (net.vocab_size, net.num_hiddens)
    if kind.plain and cell in STEP_FUNCTIONS:
        return build_graph(JoinedSpeech, cell, *sizes, net.dtype), joined(cell, net.params)
    step = symbolic(net.ops.step_functions[cell])
    return build_graph(Speech, kind, *sizes, net.dtype, step=step), net.params


@functools.lru_cache(16)
def build_graph(make, *arguments, **settings):
    """Return a graph, which MXNet compiles at the first call."""
    graph = make(*arguments, **settings)
    graph.hybridize(static_alloc=True, static_shape=True)
    return graph


@functools.cache
def symbolic(step):
    """Return the step of a cell that computes with MXNet's symbols instead of arrays.

    It runs the code of scratch.py with np and npx replaced by the modules for symbols, because
    MXNet's graphs need other functions of the same names. So the equations are written only once.
    """
    names = {**step.__globals__, "np": symbol.np, "npx": symbol.npx}
    return types.FunctionType(step.__code__, names, step.__name__)


class Speech(HybridBlock):
    """A graph of AT_ONCE tokens: the given ids, or, where they are negative, generated ones.

    A generated token is the one with the highest sum of score and noise.
    """

    def __init__(self, architecture, vocab_size, num_hiddens, dtype, step):
        """Store the parts from which the graph is built."""
        super().__init__()
        self.architecture, self.step = architecture, step
        self.one_hot = functools.partial(symbol.npx.one_hot, depth=vocab_size, dtype=dtype)

    def after(self, F, index, state, weights):
        """Return the last layer's H (1, n, h) and the state of all layers after ids (1, n)."""
        row, last = self.one_hot(index.reshape(-1)), ()  # (n, vocab_size)
        for [(layer, before)] in self.architecture.layers(weights, state):
            after = tuple(self.step(row, before, layer))
            row, last = after[0], last + after
        return row, last

    def hybrid_forward(self, F, index, given, noise, state, params):
        """Return the ids (AT_ONCE, n), then each part of the state after each row of them.

        MXNet calls this once, with symbols, to build the graph.
        """
        *weights, W_hq, b_q = params
        ids, states = [], []
        for given_t, noise_t in zip(*(F.np.split(x, AT_ONCE, axis=0) for x in (given, noise))):
            with with_matmul():
                H, state = self.after(F, index, state, weights)
            chosen = F.np.argmax(F.np.dot(H, W_hq) + b_q + noise_t, axis=2)  # (1, n)
            index = F.np.where(given_t >= 0, given_t, chosen)
            ids.append(index)
            states.append(state)
        return F.np.concatenate(ids), *(F.np.stack(part) for part in zip(*states))


class JoinedSpeech(Speech):
    """The same graph for one layer of a cell, with the joined parameters of joined()."""

    def __init__(self, cell, vocab_size, num_hiddens, dtype):
        """Store the parts from which the graph is built."""
        super().__init__(
            cells.Architecture(cell), vocab_size, num_hiddens, dtype, STEP_FUNCTIONS[cell]
        )
        num_gates = len(cells.CELLS[cell].gates)
        self.table = {"input_dim": vocab_size, "output_dim": num_gates * num_hiddens}
        self.dtype, self.num_hiddens = dtype, num_hiddens

    def after(self, F, index, state, weights):
        """Return H (n, h) and the state after ids (1, n)."""
        table, *W_h = weights
        A = F.npx.embedding(index.reshape(-1), table, dtype=self.dtype, **self.table)
        state = self.step(F, A, state, W_h, self.num_hiddens)
        return state[0], state


def joined(cell, params):
    """Return a table of X W_x + b for each token, W_h transposed, W_hq and b_q.

    The gates are side by side, except for a GRU's candidate, whose product is computed later.
    """
    *weights, W_hq, b_q = params
    W_x, W_h, b = cells.CELLS[cell].by_kind(weights)
    groups = [W_h[:2], W_h[2:]] if cell == "gru" else [W_h]
    table = side_by_side(W_x) + side_by_side(b)
    return [table, *(side_by_side(group).T for group in groups), W_hq, b_q]


def times(F, H, W_T, width):
    """Return H W (n, width) for a transposed W; oneDNN takes a third of the time of np.dot."""
    return F.npx.fully_connected(H, W_T, no_bias=True, flatten=False, num_hidden=width)


def tanh(F, A):
    """Return tanh(A), computed by oneDNN in float32, as in fused.py."""
    return F.npx.activation(A, act_type="tanh")


def sigmoid(F, A):
    """Return 1 / (1 + exp(-A)), computed by oneDNN in float32."""
    return F.npx.activation(A, act_type="sigmoid")


def rnn_step(F, A, state, W_h, h):
    """Return the state (H,) after inputs A = X W_xh + b_h (n, h)."""
    (H,), (W_hh_T,) = state, W_h
    return (tanh(F, A + times(F, H, W_hh_T, h)),)


def gru_step(F, A, state, W_h, h):
    """Return the state (H,) after inputs A = X W_x + b (n, 3h)."""
    (H,), (W_hzr_T, W_hh_T) = state, W_h
    A_z, A_r, A_h = F.np.split(A, 3, axis=1)
    from_z, from_r = F.np.split(times(F, H, W_hzr_T, 2 * h), 2, axis=1)
    Z, R = sigmoid(F, A_z + from_z), sigmoid(F, A_r + from_r)
    H_tilde = tanh(F, A_h + times(F, R * H, W_hh_T, h))
    return (Z * (H - H_tilde) + H_tilde,)


def lstm_step(F, A, state, W_h, h):
    """Return the state (H, C) after inputs A = X W_x + b (n, 4h)."""
    (H, C), (W_h_T,) = state, W_h
    I, F_, O, C_tilde = F.np.split(A + times(F, H, W_h_T, 4 * h), 4, axis=1)
    C = sigmoid(F, F_) * C + sigmoid(F, I) * tanh(F, C_tilde)
    return sigmoid(F, O) * tanh(F, C), C


STEP_FUNCTIONS = {"rnn": rnn_step, "gru": gru_step, "lstm": lstm_step}
