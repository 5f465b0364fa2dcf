"""Gradients, clipping and the update, in PyTorch (the book's section 9.5)."""

import torch
import torch.nn.functional as F

from d2lrnn import checks, optimizers
from d2lrnn.torch.tensors import from_numpy, to_numpy


def vjp(forward_fn, inputs, state, params, d_outputs, d_state):
    """Return (d_inputs, d_state, d_params) of <d_outputs, outputs> + <d_state, state>."""
    leaves = [tensor.detach().requires_grad_() for tensor in (inputs, *state, *params)]
    inputs, state, params = leaves[0], leaves[1 : 1 + len(state)], leaves[1 + len(state) :]
    outputs, new_state = forward_fn(inputs, tuple(state), params)
    grads = torch.autograd.grad(
        (outputs, *new_state), leaves, (d_outputs, *d_state), materialize_grads=True
    )
    return grads[0], grads[1 : 1 + len(state)], list(grads[1 + len(state) :])


def grad_clipping(grads, theta):
    """Return the gradients scaled to a joint norm of at most theta, and the norm before."""
    theta = checks.positive(theta=theta)
    norm = torch.sqrt(sum((grad**2).sum() for grad in grads))
    scale = theta / torch.clamp(norm, min=theta)
    return [grad * scale for grad in grads], norm


def make_step(net, lr, theta=1.0, *, optimizer="sgd"):
    """Return step(X, Y, state) -> (mean loss, state), which trains net on one minibatch."""
    rule, memory = optimizers.make(optimizer, lr), None
    theta = checks.positive(theta=theta)

    def step(X, Y, state):
        nonlocal memory
        X, Y = to_numpy(X), to_numpy(Y)
        checks.minibatch(X, Y, net.vocab_size)
        net.check_state(state, len(X))
        state = tuple(s.detach() for s in state)  # truncate BPTT at the minibatch
        outputs, state = net(X, state)
        targets = from_numpy(Y.T.reshape(-1), dtype="int64", device=net.device)  # time-major
        loss = F.cross_entropy(outputs, targets)
        grads, _ = grad_clipping(torch.autograd.grad(loss, net.params), theta)
        with torch.no_grad():
            updated, memory = rule.update(net.params, grads, memory or rule.begin(net.params))
            for param, value in zip(net.params, updated):
                param.copy_(value)
        return loss.item(), tuple(s.detach() for s in state)

    return step
