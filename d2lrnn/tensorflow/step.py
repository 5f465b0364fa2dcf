"""One training step in TensorFlow, written for reading: forward pass to parameter update.

make_step returns a faster function that computes the same numbers.
"""

import tensorflow as tf

from d2lrnn import checks
from d2lrnn.nets.step_arguments import step_arguments


def sgd_step(net, X, Y, state, lr, theta=1.0):
    """Train a language model on one minibatch; return the mean loss and the new state."""
    targets, state, lr, theta = step_arguments(net, X, Y, state, lr, theta)  # targets: (T * n,)
    checks.trainable(map(net.tensors.is_trainable, net.params))
    with tf.GradientTape() as tape:
        outputs, state = net(X, state)  # forward pass
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, outputs)
        loss = tf.reduce_mean(losses)
    grads = tape.gradient(loss, net.params)  # backward pass: backpropagation through time
    checks.reached([grad is not None for grad in grads])
    norm = tf.sqrt(sum(tf.reduce_sum(grad**2) for grad in grads))
    for param, grad in zip(net.params, grads):
        if norm > theta:  # clip the gradients
            grad = grad * theta / norm
        param.assign_sub(lr * grad)  # update the parameters
    return loss, state
