"""Token by token in MXNet: nothing waits for a token before all of them are under way."""

from d2lrnn.cells import Architecture
from d2lrnn.mxnet.framework import np, npx
from d2lrnn.mxnet.tensors import from_numpy, to_numpy


def say(net, index, state, given, noise):
    """Do as Model.say does; the ids stay where MXNet computes until the end.

    Every call of MXNet's costs some 30 microseconds, so the cell's step is called as it is, and
    what would change nothing is left out.
    """
    said, noisy = [], noise.any()
    noise = from_numpy(noise, dtype=net.dtype, device=net.device)
    index = from_numpy(index, dtype="int64", device=net.device).reshape(1)
    next_scores = simplest(net) if net.architecture == Architecture("rnn") else any_cell(net)
    for t, settled in enumerate(given):
        scores, state = next_scores(index, state)
        if settled >= 0:
            index = np.full_like(index, int(settled))
        else:
            index = np.argmax(scores + noise[t] if noisy else scores, axis=1)
        said.append(index)
    return to_numpy(np.concatenate(said)).astype(int).tolist(), state


def simplest(net):
    """Return next_scores(index, state) -> scores (1, vocab_size), state of a plain network."""
    W_xh, W_hh, b_h, W_hq, b_q = net.params
    rows = W_xh + b_h

    def next_scores(index, state):
        H = np.tanh(np.take(rows, index, axis=0) + np.dot(state[0], W_hh))
        return np.dot(H, W_hq) + b_q, (H,)

    return next_scores


def any_cell(net):
    """Return next_scores(index, state) of any cell, in any number of layers."""
    *weights, W_hq, b_q = net.params
    step = net.tools.steps[net.architecture.cell]

    def next_scores(index, state):
        row, last = npx.one_hot(index, net.vocab_size, dtype=net.dtype), ()
        for [(params, before)] in net.architecture.layers(weights, state):
            after = tuple(step(row, before, params))
            row, last = after[0], last + after
        return np.dot(row, W_hq) + b_q, last

    return next_scores
