"""The equations, in PyTorch (the book's sections 5.1, 9.4 and 9.5)."""

import torch

from d2lrnn import cells, checks
from d2lrnn.model import ScratchModel
from d2lrnn.torch.tensors import from_numpy, one_hot, to_numpy, trainable
from d2lrnn.torch.training import make_step


def get_mlp_params(
    num_inputs, num_hiddens, num_outputs, *, seed=None, dtype="float32", device=None
):
    """Return [W_xh, b_h, W_hq, b_q] of a network without hidden states."""
    arrays = cells.mlp_arrays(num_inputs, num_hiddens, num_outputs, seed)
    return trainable(arrays, dtype=dtype, device=device)


def mlp(X, params):
    """Compute a network without hidden states: one hidden layer, one output layer."""
    W_xh, b_h, W_hq, b_q = params
    checks.features(X.shape, W_xh.shape)
    H = torch.tanh(X @ W_xh + b_h)  # (n, h)
    return H @ W_hq + b_q  # (n, q)


def get_params(vocab_size, num_hiddens, *, seed=None, dtype="float32", device=None):
    """Return [W_xh, W_hh, b_h, W_hq, b_q] of a recurrent network."""
    arrays = cells.rnn_arrays(vocab_size, num_hiddens, seed)
    return trainable(arrays, dtype=dtype, device=device)


def init_rnn_state(batch_size, num_hiddens, *, dtype="float32", device=None):
    """Return the hidden state before the first time step, (H,) with H = 0."""
    zeros = cells.zero_state(batch_size, num_hiddens)
    return (from_numpy(zeros, dtype=checks.floating(dtype), device=device),)


def rnn(inputs, state, params):
    """Run a recurrent network over inputs; return the outputs of all steps and the last state."""
    W_xh, W_hh, b_h, W_hq, b_q = params
    checks.recurrent(inputs.shape, state, W_xh.shape)
    (H,) = state
    outputs = [inputs.new_zeros(0, W_hq.shape[1])]
    for X in inputs:  # X: (batch_size, vocab_size)
        H = torch.tanh(X @ W_xh + H @ W_hh + b_h)
        outputs.append(H @ W_hq + b_q)
    return torch.cat(outputs), (H,)  # (num_steps * batch_size, vocab_size)


class RNNModelScratch(ScratchModel):
    """A language model whose recurrent network is written from scratch."""

    one_hot, to_numpy = staticmethod(one_hot), staticmethod(to_numpy)
    make_step = make_step

    def __call__(self, X, state):
        """Return outputs (num_steps * batch_size, vocab_size) and the state after token ids X."""
        return self.forward_fn(self.inputs(X, state), state, self.params)

    @torch.no_grad()
    def evaluate(self, X, state):
        """Return the outputs as a NumPy array and the new state, recording no graph."""
        return super().evaluate(X, state)
