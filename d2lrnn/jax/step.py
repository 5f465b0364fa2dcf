"""One training step in JAX, written for reading: forward pass to parameter update.

make_step returns a faster function that computes the same numbers.
"""

import jax
import jax.numpy as jnp

from d2lrnn.nets.step_arguments import step_arguments


def sgd_step(net, X, Y, state, lr, theta=1.0):
    """Train a language model on one minibatch; return the mean loss and the new state."""
    targets, state, lr, theta = step_arguments(net, X, Y, state, lr, theta)  # targets: (T * n,)
    inputs = net.inputs(X, state)

    def mean_loss(params):
        outputs, last = net.forward_fn(inputs, state, params)  # forward pass
        scores = jax.nn.log_softmax(outputs)
        return -jnp.take_along_axis(scores, targets[:, None], axis=1).mean(), last

    # The forward and the backward pass: backpropagation through time
    (loss, state), grads = jax.value_and_grad(mean_loss, has_aux=True)(net.params)
    norm = jnp.sqrt(sum((grad**2).sum() for grad in grads))
    scale = jnp.minimum(1, theta / norm)  # clip the gradients
    net.params = [param - lr * scale * grad for param, grad in zip(net.params, grads)]
    return loss, state
