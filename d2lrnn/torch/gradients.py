"""Gradients, clipping and the update, in PyTorch (the book's section 9.5)."""

import torch
import torch.nn.functional as F

from d2lrnn import checks
from d2lrnn.nets import forward, kinds, networks, optimizers
from d2lrnn.nets.steps import Update
from d2lrnn.torch import graph
from d2lrnn.torch.contexts import detached, recording
from d2lrnn.torch.tensors import state_tensors


@recording
def vjp(forward_fn, inputs, state, params, d_outputs, d_state):
    """Return (d_inputs, d_state, d_params) of <d_outputs, outputs> + <d_state, state>."""
    checks.differentiable(inputs, state, params)
    kinds.check_backend("torch", d_outputs=[d_outputs], d_state=d_state)
    state = state_tensors(state, inputs)
    leaves = [detached(tensor).requires_grad_() for tensor in (inputs, *state, *params)]
    first = 1 + len(state)  # the index of the first parameter
    inputs, state, params = leaves[0], tuple(leaves[1:first]), leaves[first:]
    outputs, new_state = forward.call(forward_fn, inputs, state, params)
    checks.cotangents(d_outputs, d_state, outputs, new_state)
    names = forward.parameter_names(forward_fn)
    grads = gradients_of((outputs, *new_state), (d_outputs, *d_state), leaves)
    checks.reached([grad is not None for grad in grads[first:]], inputs, names=names)
    grads = in_one_piece(filled(grads, leaves))
    return grads[0], tuple(grads[1:first]), grads[first:]


def gradients_of(results, d_results, sources):
    """Return the gradient of each source, or None if the results do not depend on it."""
    ends = [pair for pair in zip(results, d_results) if pair[0].requires_grad]
    tracked = [source for source in sources if source.requires_grad]
    if not ends or not tracked:
        return [None] * len(sources)
    results, d_results = zip(*ends)
    grads = torch.autograd.grad(results, tracked, d_results, allow_unused=True)
    by_source = dict(zip(map(id, tracked), grads))
    return [by_source.get(id(source)) for source in sources]


def filled(grads, sources):
    """Return the gradients, with None replaced by zeros."""
    return [torch.zeros_like(s) if g is None else g for g, s in zip(grads, sources)]


def in_one_piece(grads):
    """Return gradients as contiguous tensors; PyTorch's have the layout of the parameters."""
    return [grad.contiguous() for grad in grads]


def grad_clipping(grads, theta, *, clip="norm"):
    """Return the gradients, clipped by their joint norm or value by value, and the norm before."""
    kinds.gradients("torch", grads)
    theta, clip = checks.clipping(theta, clip)
    norm = torch.sqrt(sum((grad**2).sum() for grad in grads))
    if clip == "value":
        return [torch.clamp(grad, -theta, theta) for grad in grads], norm
    scale = theta / torch.clamp(norm, min=theta)
    return [grad * scale for grad in grads], norm


def softmax_loss(outputs, targets):
    """Return -log softmax(outputs)[target] for each row of outputs (m, q) and its target id."""
    return F.cross_entropy(outputs, targets, reduction="none")


def sigmoid_loss(outputs, targets):
    """Return, for each row, the mean of -y log p - (1 - y) log(1 - p) with p = sigmoid(outputs)."""
    return F.binary_cross_entropy_with_logits(outputs, targets, reduction="none").mean(1)


def squared_loss(outputs, targets):
    """Return the mean of (o - y)^2 for each row of outputs (m, q) and of targets (m, q)."""
    return ((outputs - targets) ** 2).mean(1)


LOSSES = {"softmax": softmax_loss, "sigmoid": sigmoid_loss, "squared": squared_loss}


def constant(inputs):
    """Return inputs, which are tensors or tuples of tensors, detached from the graph."""
    return tuple(constant(i) if isinstance(i, tuple) else detached(i) for i in inputs)


def value_and_grad(network, loss):
    """Return compute(params, inputs, targets, weights=None) -> (mean loss, last state, gradients).

    loss is "softmax", "sigmoid" or "squared"; weights (m,) add up to 1.
    """
    compute = differentiated(network, loss)

    def compute_in_one_piece(params, inputs, targets, weights=None):
        *results, grads = compute(params, inputs, targets, weights)
        return *results, in_one_piece(grads)

    return compute_in_one_piece


def differentiated(network, loss):
    """Return the same as value_and_grad, but with gradients in PyTorch's own memory layout."""
    checks.choice(loss, "loss", tuple(LOSSES))
    losses_of = LOSSES[loss]

    @recording
    def compute(params, inputs, targets, weights=None):
        outputs, state = network(params, *constant(inputs))
        checks.targets(targets, weights, outputs, loss)
        losses = losses_of(outputs, targets)
        value = losses.mean() if weights is None else (losses * weights).sum()
        checks.trainable(param.requires_grad for param in params)
        grads = gradients_of([value], [None], params)
        names = forward.parameter_names(network)
        checks.reached([grad is not None for grad in grads], *inputs, names=names)
        return value.detach(), state, filled(grads, params)

    return compute


def descend(params, grads, lr, theta):
    """Clip gradients by their joint norm, and update the parameters in place, in one pass.

    lr is a number, or in a CUDA graph, which would store a number, a tensor.
    """
    norms = torch.stack([torch.linalg.vector_norm(grad) for grad in grads])
    scale = theta / torch.clamp(torch.linalg.vector_norm(norms), min=theta)
    if isinstance(lr, torch.Tensor):
        scale, lr = scale * lr, 1.0
    for param, grad in zip(params, grads):
        param.addcmul_(grad, scale, value=-lr)


def change_by(rule, theta, clip):
    """Return change(params, grads, state, lr=None) -> new state of the optimizer.

    It clips the gradients and updates the parameters in place.
    """

    @torch.no_grad()
    def change(params, grads, state, lr=None):
        if clip == "norm" and isinstance(rule, optimizers.SGD) and rule.is_plain:
            descend(params, grads, rule.lr if lr is None else lr, theta)
            return state
        grads, _ = grad_clipping(grads, theta, clip=clip)
        updated, state = rule.update(params, grads, state, lr)
        for param, new in zip(params, updated):
            param.copy_(new)
        return state

    return change


def make_update(network, loss, lr, theta, *, optimizer="sgd", clip="norm"):
    """Return update(params, inputs, targets, weights=None) -> (mean loss, last state, params).

    On a CUDA device the step is recorded as a CUDA graph; see d2lrnn.torch.graph.
    """
    rule = optimizers.make(optimizer, lr)
    optimizer_state = optimizers.OptimizerState(rule)
    change = change_by(rule, *checks.clipping(theta, clip))
    compute = differentiated(network, loss)
    is_fixed = networks.user_code(network) is None
    on_gpu = graph.Step(compute, change, optimizer_state) if is_fixed else None
    forward_fn = getattr(network, "forward_fn", None)
    lay_out = forward_fn.lay_out if isinstance(forward_fn, forward.ForwardFunction) else None

    @recording
    def update(params, inputs, targets, weights=None, lr=None):
        recorder = on_gpu and graph.recorder_for(params[0].device)
        if recorder:
            rate = None if lr is None else params[0].new_tensor(lr)
            return *on_gpu(recorder, params, inputs, targets, weights, rate), params
        value, state, grads = compute(params, inputs, targets, weights)
        if lay_out:
            lay_out(params, *inputs)
        optimizer_state.tensors = change(params, grads, optimizer_state.before(params), lr)
        return value, constant(state), params

    return Update(update, optimizer_state)
