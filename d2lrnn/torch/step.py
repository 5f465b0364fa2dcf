"""One training step in PyTorch, written out for readers.

Forward pass, loss, backward pass, clipping and update; make_step returns a faster function that
computes the same numbers.
"""

import torch
import torch.nn.functional as F

from d2lrnn import checks
from d2lrnn.nets.language_model import step_arguments


def sgd_step(net, X, Y, state, lr, theta=1.0):
    """Train a language model on one minibatch; return the mean loss and the new state."""
    targets, state, lr, theta = step_arguments(net, X, Y, state, lr, theta)  # targets: (T * n,)
    outputs, state = net(X, tuple(s.detach() for s in state))  # forward pass
    loss = F.cross_entropy(outputs, targets)
    loss.backward()  # backward pass: backpropagation through time
    checks.reached([param.grad is not None for param in net.params])
    with torch.no_grad():
        norm = torch.sqrt(sum((param.grad**2).sum() for param in net.params))
        for param in net.params:
            if norm > theta:  # clip the gradients
                param.grad *= theta / norm
            param -= lr * param.grad  # update the parameters
            param.grad.zero_()
    return loss.detach(), state
