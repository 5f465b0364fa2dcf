"""Functions as graphs, which TensorFlow runs several times as fast as line by line.

Python within a function runs once, when its graph is made for arguments of new shapes.
"""

import functools
import sys

from d2lrnn.book.replaced import replaced

from . import names_0_17
from .framework import tf

d2l = sys.modules[__package__]
# Names that no training step calls.
OUTSIDE = {*names_0_17.__all__, "evaluate_accuracy", "evaluate_loss", "load_array", "predict_ch8"}
OUTSIDE |= {"predict_seq2seq", "train_ch8", "train_epoch_ch8", "train_seq2seq", "try_gpu"}


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


def is_possible():
    """Return whether a reader has replaced nothing that a step may call.

    A graph would call a function of the reader's once, when it is made, and not at each step.
    """
    return not replaced(d2l) - OUTSIDE


def as_graph(make, net, *arguments):
    """Return make(net, *arguments), a function, as a graph where that is possible."""
    if not is_possible():
        return make(net, *arguments)
    return _kept(make, net, *arguments, identity=identity_of(net))


@functools.lru_cache(maxsize=8)
def _kept(make, *arguments, identity):
    return graph(make(*arguments))


def identity_of(net):
    """Return what must be the same for a graph of a net to be the graph of it still."""
    variables = [id(variable) for variable in net.trainable_variables]
    return (*variables, id(getattr(net, "forward_fn", None)))
