"""Training steps at the speed of TensorFlow's graphs."""

from d2lrnn.book.tensorflow.framework import tf


class Compiled:
    """A function that runs as a graph from its second call on.

    The first call runs line by line, so that layers and optimizers can create their variables.

    Args:
        function: takes and returns tensors.
        is_allowed: returns whether the function may become a graph; called before the second call.
    """

    def __init__(self, function, is_allowed):
        """Keep the function, which is not compiled yet."""
        self.function, self.is_allowed = function, is_allowed
        self.calls, self.graph = 0, None

    def __call__(self, *tensors):
        """Return the result of the function."""
        self.calls += 1
        if self.calls == 2 and self.is_allowed():
            self.graph = tf.function(self.function, autograph=False)
        if self.graph is not None:
            try:
                return self.graph(*tensors)
            except Exception:  # the error of a line is clearer than that of a graph
                self.graph = None
        return self.function(*tensors)
