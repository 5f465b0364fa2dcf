"""Functions as graphs, which TensorFlow runs several times as fast as line by line.

Python within a function runs once, when its graph is made for arguments of new shapes.
"""

from d2lrnn.book.classic.tensorflow.framework import tf


def graph(function):
    """Return a function as a graph; or, where no graph can be made of it, as it is."""
    compiled, impossible = tf.function(function, autograph=False), False

    def call(*arguments):
        nonlocal impossible
        if impossible:
            return function(*arguments)
        try:
            return compiled(*arguments)
        except Exception:
            result = function(*arguments)  # which raises what is wrong in any case
            impossible = True
            return result

    return call


class Steps(list):
    """The time steps of a tensor (T, n, d), to loop over within a graph; a tensor to TensorFlow."""

    def __init__(self, tensor):
        """Take the tensor apart."""
        super().__init__(tf.unstack(tensor))
        self.shape, self.dtype = tensor.shape, tensor.dtype


def identity_of(net):
    """Return what must be the same for a graph of a net to be the graph of it still."""
    variables = [id(variable) for variable in net.trainable_variables]
    return (*variables, id(getattr(net, "forward_fn", None)))
