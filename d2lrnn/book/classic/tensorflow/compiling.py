"""Which functions of a network are compiled into graphs, and how long the graphs are kept."""

import functools
import sys

from d2lrnn.book.replaced import replaced

from . import names_0_17
from .framework import tf as tf
from .graphs import Compiled as graph
from .graphs import Steps as Steps

d2l = sys.modules[__package__]
# Names that no training step calls.
OUTSIDE = {*names_0_17.__all__, "evaluate_accuracy", "evaluate_loss", "load_array", "predict_ch8"}
OUTSIDE |= {"predict_seq2seq", "train_ch8", "train_epoch_ch8", "train_seq2seq", "try_gpu"}


def is_possible():
    """Return whether no name that a step may call has been replaced.

    A graph calls a replaced function only when it is made, and not at each step.
    """
    return not replaced(d2l) - OUTSIDE


def as_graph(make, net, *arguments):
    """Return the function make(net, *arguments), as a graph if that is possible."""
    if not is_possible():
        return make(net, *arguments)
    return _cached(make, net, *arguments, identity=identity_of(net))


@functools.lru_cache(maxsize=8)
def _cached(make, *arguments, identity):
    return graph(make(*arguments))


def identity_of(net):
    """Return a key that changes when a graph of the net is no longer correct."""
    variables = [id(variable) for variable in net.trainable_variables]
    return (*variables, id(getattr(net, "forward_fn", None)))
