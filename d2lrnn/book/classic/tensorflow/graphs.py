"""Functions as graphs, which TensorFlow runs several times as fast as line by line.

The Python code of a function runs only when a graph is made of it, for arguments of new shapes.
"""

import functools

from d2lrnn.book.replaced import replaced

from . import own_code
from .framework import tf


class GraphFunction:
    """A function that runs as a graph, or line by line if no graph can be made of it.

    Args:
        function: takes and returns tensors.
        is_allowed: returns whether the function may become a graph; called before a graph is made.
        uses: returns the list of the Python numbers and objects that the graph depends on. If a
            number changes or an object is replaced, a new graph is made.
        first: the number of the first call that runs as a graph. 2 lets layers and optimizers
            create their variables in a call that runs line by line.
    """

    def __init__(self, function, is_allowed=lambda: True, uses=list, first=1):
        """Store the function, which is not compiled yet."""
        self.function, self.is_allowed, self.uses, self.first = function, is_allowed, uses, first
        self.calls, self.graph, self.used = 0, None, None

    def __call__(self, *tensors):
        """Return the result of the function."""
        self.calls += 1
        if self.calls >= self.first and not _are_the_same(uses := self.uses(), self.used):
            self.used = uses
            is_allowed = self.is_allowed()
            self.graph = tf.function(self.function, autograph=False) if is_allowed else None
        if self.graph is None:
            return self.function(*tensors)
        try:
            return self.graph(*tensors)
        except Exception:  # an error of the function itself is raised again, and is clearer
            result = self.function(*tensors)
            self.graph = None
            return result


def _are_the_same(values, others):
    """Return whether two lists hold equal numbers and the same objects; None is not a list."""
    if others is None or len(values) != len(others):
        return False
    numbers = (int, float)
    return all(
        one is other or (isinstance(one, numbers) and isinstance(other, numbers) and one == other)
        for one, other in zip(values, others, strict=True)
    )


@functools.lru_cache(maxsize=8)
def as_graph(make, net, *arguments):
    """Return make(net, *arguments), which runs as a graph if a student wrote none of its code."""

    def is_allowed():
        return own_code.may_be_compiled(net, *arguments)

    def uses():
        names = replaced(own_code.d2l)
        return [len(names), getattr(net, "forward_fn", None), *net.trainable_variables]

    return GraphFunction(make(net, *arguments), is_allowed, uses, first=2)
