"""Functions as graphs, which TensorFlow runs several times as fast as line by line.

The Python code of a function runs only when a graph is made of it, for arguments of new shapes.
"""

from .framework import tf


def graph(function):
    """Return a function that runs as a graph, or line by line if no graph can be made of it."""
    compiled, impossible = tf.function(function, autograph=False), False

    def call(*arguments):
        nonlocal impossible
        if impossible:
            return function(*arguments)
        try:
            return compiled(*arguments)
        except Exception:
            result = function(*arguments)  # raises the error again if it is one of the function
            impossible = True
            return result

    return call


class Steps(list):
    """The time steps of a tensor (T, n, d), for loops in a graph; TensorFlow takes it as tensor."""

    def __init__(self, tensor):
        """Split the tensor along its first axis."""
        super().__init__(tf.unstack(tensor))
        self.shape, self.dtype = tensor.shape, tensor.dtype
