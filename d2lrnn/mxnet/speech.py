"""Token by token in MXNet: nothing waits for a token before all of them are under way."""

from d2lrnn.mxnet.framework import np, npx
from d2lrnn.mxnet.tensors import from_numpy, to_numpy


def say(net, index, state, given, noise):
    """Do as Model.say does; the ids stay where MXNet computes until the end.

    Every call of MXNet's costs some 20 microseconds, so the cell's step is called as it is, and
    what would change nothing is left out.
    """
    said, noisy = [], noise.any()
    noise = from_numpy(noise, dtype=net.dtype, device=net.device)
    index = from_numpy(index, dtype="int64", device=net.device).reshape(1)
    for t, settled in enumerate(given):
        row = npx.one_hot(index, net.vocab_size, dtype=net.dtype)
        scores, state = next_scores(net, row, state)
        if settled >= 0:
            index = np.full_like(index, int(settled))
        else:
            index = np.argmax(scores + noise[t] if noisy else scores, axis=1)
        said.append(index)
    return to_numpy(np.concatenate(said)).astype(int).tolist(), state


def next_scores(net, row, state):
    """Return the scores (1, vocab_size) after a row (1, vocab_size), and the state."""
    *weights, W_hq, b_q = net.params
    step, last = net.tools.steps[net.architecture.cell], ()
    for [(params, before)] in net.architecture.layers(weights, state):
        after = tuple(step(row, before, params))
        row, last = after[0], last + after
    return np.dot(row, W_hq) + b_q, last
