"""One training step in MXNet, written for reading: forward pass to parameter update.

make_step returns a faster function that computes the same numbers.
"""

from d2lrnn.mxnet.framework import autograd, np, npx
from d2lrnn.mxnet.tensors import unrecorded
from d2lrnn.nets.step_arguments import step_arguments


@unrecorded
def sgd_step(net, X, Y, state, lr, theta=1.0):
    """Train a language model on one minibatch; return the mean loss and the new state."""
    targets, state, lr, theta = step_arguments(net, X, Y, state, lr, theta)  # targets: (T * n,)
    state = tuple(s.detach() for s in state)
    for param in net.params:
        if param.grad is None:  # in a net that was pickled or copied
            param.attach_grad()
    with autograd.record():
        outputs, state = net(X, state)  # forward pass
        loss = -npx.pick(npx.log_softmax(outputs), targets).mean()
    loss.backward()  # backward pass: backpropagation through time
    norm = np.sqrt(sum((param.grad**2).sum() for param in net.params)).item()
    for param in net.params:
        if norm > theta:  # clip the gradients
            param.grad[:] *= theta / norm
        param -= lr * param.grad  # update the parameters
    return loss, state
