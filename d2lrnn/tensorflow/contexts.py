"""What may be around a call in TensorFlow: an open tape, a tf.Graph, a distribution strategy."""

import functools

import tensorflow as tf


class SymbolicTape:
    """Gradients of what a graph computes; tf.GradientTape does not record within tf.init_scope."""

    def __enter__(self):
        """Return the tape, which records nothing: a graph holds how its tensors are computed."""
        return self

    def __exit__(self, *error):
        """Let an error pass."""

    def watch(self, sources):
        """Do nothing."""

    def gradient(self, targets, sources, output_gradients=None):
        """Return the gradients of the targets for sources, in the structure of the sources."""
        flat = tf.nest.flatten(sources)
        grads = tf.gradients(targets, flat, grad_ys=output_gradients)
        return tf.nest.pack_sequence_as(sources, grads)


def tape():
    """Return a tape for what is computed here, line by line or in a graph."""
    return tf.GradientTape() if tf.executing_eagerly() else SymbolicTape()


def unrecorded(function, **settings):
    """Return a tf.function whose calls no tape records that a user has opened around them.

    A tape that records a training step keeps all its tensors, and XLA cannot compile it at all.
    A function that cannot be traced, as a custom forward function that iterates over its inputs,
    is called line by line.
    """
    traced, traceable = tf.function(function, autograph=False, **settings), True

    @functools.wraps(function)
    def call(*arguments):
        nonlocal traceable
        if not tf.executing_eagerly() or tf.config.functions_run_eagerly():
            return traced(*arguments)
        if traceable:
            try:
                with tf.init_scope():
                    return traced(*arguments)
            except tf.errors.OperatorNotAllowedInGraphError:
                traceable = False
        return function(*arguments)  # beyond init_scope, in which no tape records

    return call


def traced_ids(ids, vocab_size, dtype):
    """Return token ids of a graph, whose values are checked when it runs, and a number to add.

    The number is 0, or NaN if an id is outside the vocabulary: XLA ignores the check.
    """
    ids = tf.cast(ids, "int64")
    valid = tf.reduce_all((ids >= 0) & (ids < vocab_size))
    words = f"a token id is outside 0..{vocab_size - 1}; use the Vocab that the model was made for"
    check = tf.debugging.Assert(valid, [words, ids])
    with tf.control_dependencies([] if check is None else [check]):
        return tf.identity(ids), tf.where(valid, tf.zeros((), dtype), float("nan"))


def check_graph(*tensors):
    """Check that tensors which have values are not used in a tf.Graph, which cannot use them."""
    if tf.executing_eagerly() or tf.inside_function():
        return
    if not all(tf.is_symbolic_tensor(getattr(tensor, "handle", tensor)) for tensor in tensors):
        raise ValueError(
            "a tf.Graph is being built, which cannot use the values of parameters and tensors from "
            "outside of it; leave graph.as_default(), or use tf.function"
        )


def check_alone(params=()):
    """Check that no distribution strategy shares a net among devices.

    Its variables would have a copy on each device, and a training step does not keep them equal.
    """
    copies = [param for param in params if isinstance(param, tf.distribute.DistributedValues)]
    if tf.distribute.has_strategy() or copies:
        raise ValueError(
            "a net is made or trained within a strategy of tf.distribute, such as "
            "MirroredStrategy; d2lrnn trains with one process for each device: leave "
            "strategy.scope() and strategy.run(), and start the processes with d2lrnn launch"
        )
