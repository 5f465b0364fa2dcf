"""Gradients, clipping and the update, in MXNet (the book's section 9.5)."""

import numpy as onp

from d2lrnn import checks
from d2lrnn.mxnet.framework import autograd, mxnet, nd, np, npx
from d2lrnn.mxnet.tensors import state_tensors, unrecorded
from d2lrnn.nets import forward, kinds, optimizers
from d2lrnn.nets.steps import Update

SMALL = 4096  # up to this size, MXNet adds up the squares of many arrays in one call
MANY = 40  # arrays in one call: with more than 60, MXNet's operator writes outside of its memory


def vjp(forward_fn, inputs, state, params, d_outputs, d_state):
    """Return (d_inputs, d_state, d_params) of <d_outputs, outputs> + <d_state, state>."""
    checks.differentiable(inputs, state, params)
    kinds.check_backend("mxnet", d_outputs=[d_outputs], d_state=d_state)
    state = state_tensors(state, inputs)
    leaves = [tensor.detach() for tensor in (inputs, *state, *params)]
    for leaf in leaves:
        leaf.attach_grad()
    inputs, state, params = leaves[0], leaves[1 : 1 + len(state)], leaves[1 + len(state) :]
    with autograd.record():
        outputs, new_state = forward.call(forward_fn, inputs, tuple(state), params)
    checks.cotangents(d_outputs, d_state, outputs, new_state)
    go_back(forward_fn, [outputs, *new_state], [d_outputs, *d_state], params, inputs)
    grads = [leaf.grad for leaf in leaves]
    return grads[0], tuple(grads[1 : 1 + len(state)]), grads[1 + len(state) :]


def go_back(network, results, d_results, params, *inputs):
    """Run the backward pass, and check that every parameter receives a gradient.

    MXNet does not change the gradient of a parameter that is not used. It marks computed gradients
    as fresh; gluon.Trainer checks this mark too.
    """
    for param in params:
        param._fresh_grad = False
    ends = [pair for pair in zip(results, d_results) if is_recorded(pair[0])]
    if ends:
        autograd.backward(*map(list, zip(*ends)))
    fresh = [bool(param._fresh_grad) for param in params]
    checks.reached(fresh, *inputs, names=forward.parameter_names(network))
    for param, is_fresh in zip(params, fresh):
        if not is_fresh:
            param.grad[:] = 0


def is_recorded(tensor):
    """Return whether a tensor is part of a graph; for others, MXNet's backward raises an error."""
    try:
        autograd.get_symbol(tensor)
    except mxnet.base.MXNetError:
        return False
    return True


def joint_norm(grads):
    """Return the joint Euclidean norm.

    For small arrays, one call computes it, which adds up numbers one after the other in float32 and
    does not accept scalars. For others, products compute it: they have smaller rounding errors, and
    are four times as fast as MXNet's sums.
    """
    small = not autograd.is_recording()  # the one call is not differentiable
    small = small and all(g.dtype == onp.float32 and g.ndim and 0 < g.size <= SMALL for g in grads)
    grads = [grad.as_nd_ndarray() for grad in grads]
    if small:
        groups = [grads[start : start + MANY] for start in range(0, len(grads), MANY)]
        sums = [nd.sum(nd.multi_sum_sq(*group, num_arrays=len(group))) for group in groups]
        squares = nd.add_n(*sums)
    else:
        vectors = [grad.reshape((-1,)) for grad in grads]  # without copies
        squares = nd.add_n(*(nd.dot(grad, grad) for grad in vectors))
    return np.sqrt(squares.as_np_ndarray()).reshape(())


def grad_clipping(grads, theta, *, clip="norm"):
    """Return the gradients, clipped by their joint norm or value by value, and the norm before."""
    kinds.gradients("mxnet", grads)
    theta, clip = checks.clipping(theta, clip)
    norm = joint_norm(grads)
    if clip == "value":
        # np.clip would convert theta to float32.
        return [np.minimum(np.maximum(grad, -theta), theta) for grad in grads], norm
    scale = theta / np.maximum(norm, theta)
    return [grad * scale for grad in grads], norm


def softmax_loss(outputs, targets):
    """Return -log softmax(outputs)[target] for each row of outputs (m, q) and its target id."""
    return -npx.pick(npx.log_softmax(outputs), targets)


def sigmoid_loss(outputs, targets):
    """Return, for each row, the mean of -y log p - (1 - y) log(1 - p) with p = sigmoid(outputs)."""
    tail = np.log1p(np.exp(-np.abs(outputs)))  # log(1 + exp(-|o|)) does not overflow
    return (npx.relu(outputs) - outputs * targets + tail).mean(axis=1)


def squared_loss(outputs, targets):
    """Return the mean of (o - y)^2 for each row of outputs (m, q) and of targets (m, q)."""
    return ((outputs - targets) ** 2).mean(axis=1)


LOSSES = {"softmax": softmax_loss, "sigmoid": sigmoid_loss, "squared": squared_loss}


def constant(inputs):
    """Return inputs, which are tensors or tuples of tensors, detached from the graph."""
    return tuple(constant(i) if isinstance(i, tuple) else i.detach() for i in inputs)


def value_and_grad(network, loss):
    """Return compute(params, inputs, targets, weights=None) -> (mean loss, last state, gradients).

    loss is "softmax", "sigmoid" or "squared"; weights (m,) add up to 1. The gradients are the
    arrays ``param.grad``, which the next call overwrites.
    """
    checks.choice(loss, "loss", tuple(LOSSES))
    losses_of = LOSSES[loss]

    def compute(params, inputs, targets, weights=None):
        for param in params:
            if param.grad is None:  # in a net that was pickled or copied
                param.attach_grad()
        with autograd.record():
            outputs, state = network(params, *constant(inputs))
            checks.targets(targets, weights, outputs, loss)
            losses = losses_of(outputs, targets)
            value = losses.mean() if weights is None else (losses * weights).sum()
        go_back(network, [value], [None], params, *inputs)
        return value, state, [param.grad for param in params]

    return compute


def descend(params, grads, lr, theta):
    """Clip gradients by their joint norm and take a step of gradient descent, in one call.

    A call for each parameter and operator, at 20 microseconds per call, would take longer than the
    rest of the step for small networks. MXNet's operator computes in float32.
    """
    scale = theta / np.maximum(joint_norm(grads), theta)
    rates = (np.full(len(params), lr, dtype="float32", ctx=scale.ctx) * scale).as_nd_ndarray()
    for start in range(0, len(params), MANY):
        some = slice(start, start + MANY)
        pairs = [t.as_nd_ndarray() for pair in zip(params[some], grads[some]) for t in pair]
        decay, out = nd.zeros_like(rates[some]), pairs[::2]
        nd.preloaded_multi_sgd_update(*pairs, rates[some], decay, num_weights=len(out), out=out)


def make_update(network, loss, lr, theta, *, optimizer="sgd", clip="norm"):
    """Return update(params, inputs, targets, weights=None) -> (mean loss, last state, params)."""
    rule = optimizers.make(optimizer, lr)
    optimizer_state = optimizers.OptimizerState(rule)
    theta, clip = checks.clipping(theta, clip)
    compute = value_and_grad(network, loss)
    at_once = clip == "norm" and isinstance(rule, optimizers.SGD) and rule.is_plain

    @unrecorded
    def update(params, inputs, targets, weights=None, lr=None):
        value, state, grads = compute(params, inputs, targets, weights)
        if at_once and params[0].dtype == "float32":
            descend(params, grads, rule.lr if lr is None else lr, theta)
            return value, constant(state), params
        grads, _ = grad_clipping(grads, theta, clip=clip)
        before = optimizer_state.before(params)
        updated, optimizer_state.tensors = rule.update(params, grads, before, lr)
        for param, new in zip(params, updated):
            param[:] = new
        return value, constant(state), params

    return Update(update, optimizer_state)
