"""One training step in NumPy, written for reading: forward pass to parameter update.

make_step returns a faster function that computes the same numbers.
"""

from d2lrnn.nets.step_arguments import step_arguments
from d2lrnn.numpy.gradients import grad_clipping, value_and_grad


def sgd_step(net, X, Y, state, lr, theta=1.0):
    """Train a language model on one minibatch; return the mean loss and the new state."""
    from d2lrnn.nets.networks import Recurrent  # here, so that importing d2lrnn stays fast

    compute = value_and_grad(Recurrent(net.forward_fn), "softmax")
    targets, state, lr, theta = step_arguments(net, X, Y, state, lr, theta)  # targets: (T * n,)
    # The forward pass, and the backward pass by hand: backpropagation through time
    loss, state, grads = compute(net.params, (net.inputs(X, state), state), targets)
    grads, _ = grad_clipping(grads, theta)
    for param, grad in zip(net.params, grads):
        param -= lr * grad  # update the parameters
    return loss, state
