"""One training step in PyTorch, written for reading: forward pass to parameter update.

make_step returns a faster function that computes the same numbers.
"""

import torch
import torch.nn.functional as F

from d2lrnn import checks
from d2lrnn.nets.step_arguments import step_arguments
from d2lrnn.torch.contexts import detached, recording


@recording
def sgd_step(net, X, Y, state, lr, theta=1.0):
    """Train a language model on one minibatch; return the mean loss and the new state."""
    targets, state, lr, theta = step_arguments(net, X, Y, state, lr, theta)  # targets: (T * n,)
    checks.trainable(map(net.tensors.is_trainable, net.params))
    outputs, state = net(X, tuple(map(detached, state)))  # forward pass
    loss = F.cross_entropy(outputs, targets)
    # The backward pass: backpropagation through time
    grads = torch.autograd.grad(loss, net.params, allow_unused=True)
    checks.reached([grad is not None for grad in grads])
    norm = torch.sqrt(sum((grad**2).sum() for grad in grads))
    with torch.no_grad():
        for param, grad in zip(net.params, grads):
            if norm > theta:  # clip the gradients
                grad = grad * theta / norm
            param -= lr * grad  # update the parameters
    return loss.detach(), state
