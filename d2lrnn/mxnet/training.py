"""Gradients, clipping and the update, in MXNet (the book's section 9.5)."""

from d2lrnn import checks, optimizers
from d2lrnn.mxnet.framework import autograd, np, npx
from d2lrnn.mxnet.tensors import from_numpy, to_numpy


def vjp(forward_fn, inputs, state, params, d_outputs, d_state):
    """Return (d_inputs, d_state, d_params) of <d_outputs, outputs> + <d_state, state>."""
    leaves = [tensor.detach() for tensor in (inputs, *state, *params)]
    for leaf in leaves:
        leaf.attach_grad()
    inputs, state, params = leaves[0], leaves[1 : 1 + len(state)], leaves[1 + len(state) :]
    with autograd.record():
        outputs, new_state = forward_fn(inputs, tuple(state), params)
    autograd.backward([outputs, *new_state], [d_outputs, *d_state])
    grads = [leaf.grad for leaf in leaves]
    return grads[0], tuple(grads[1 : 1 + len(state)]), grads[1 + len(state) :]


def grad_clipping(grads, theta):
    """Return the gradients scaled to a joint norm of at most theta, and the norm before."""
    theta = checks.positive(theta=theta)
    norm = np.sqrt(sum((grad**2).sum() for grad in grads))
    scale = theta / np.maximum(norm, theta)
    return [grad * scale for grad in grads], norm


def make_step(net, lr, theta=1.0, *, optimizer="sgd"):
    """Return step(X, Y, state) -> (mean loss, state), which trains net on one minibatch."""
    rule, memory = optimizers.make(optimizer, lr), None
    theta = checks.positive(theta=theta)

    def step(X, Y, state):
        nonlocal memory
        X, Y = to_numpy(X), to_numpy(Y)
        checks.minibatch(X, Y, net.vocab_size)
        targets = from_numpy(Y.T.reshape(-1), dtype="int64", device=net.device)  # time-major
        net.check_state(state, len(X))
        state = tuple(s.detach() for s in state)  # truncate BPTT at the minibatch
        with autograd.record():
            outputs, state = net(X, state)
            loss = -npx.pick(npx.log_softmax(outputs), targets).mean()
        loss.backward()
        grads, _ = grad_clipping([param.grad for param in net.params], theta)
        updated, memory = rule.update(net.params, grads, memory or rule.begin(net.params))
        for param, value in zip(net.params, updated):
            param[:] = value
        return loss.item(), tuple(s.detach() for s in state)

    return step
