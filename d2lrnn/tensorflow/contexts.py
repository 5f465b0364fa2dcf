"""Support for calls within a tape, a tf.function, a tf.Graph or a distribution strategy."""

import functools

import tensorflow as tf


class SymbolicTape:
    """Gradients within a graph; tf.GradientTape does not record within tf.init_scope."""

    def __enter__(self):
        """Return the tape, which does not record: the graph itself is the record."""
        return self

    def __exit__(self, *error):
        """Do not handle errors."""

    def watch(self, sources):
        """Do nothing."""

    def gradient(self, targets, sources, output_gradients=None):
        """Return the gradients of the targets for sources, in the structure of the sources."""
        tensors = tf.nest.flatten(sources)
        grads = tf.gradients(targets, tensors, grad_ys=output_gradients)
        return tf.nest.pack_sequence_as(sources, grads)


def tape():
    """Return a tape for the present context: eager execution or a graph."""
    return tf.GradientTape() if tf.executing_eagerly() else SymbolicTape()


def unrecorded(function, **settings):
    """Return a tf.function whose calls are not recorded by a tape that the user has opened.

    A tape that records a training step would hold all its tensors, and XLA could not compile the
    step. A function that cannot be traced, such as a custom forward function that iterates over its
    inputs, is called eagerly.
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
        return function(*arguments)  # outside of init_scope, in which tapes do not record

    return call


def traced_ids(ids, vocab_size, dtype):
    """Return token ids that are checked when the graph runs, and a scalar to add to the result.

    The scalar is 0, or NaN if an id is outside the vocabulary, because XLA ignores the check.
    """
    ids = tf.cast(ids, "int64")
    valid = tf.reduce_all((ids >= 0) & (ids < vocab_size))
    words = f"a token id is outside 0..{vocab_size - 1}; use the Vocab that the model was made for"
    check = tf.debugging.Assert(valid, [words, ids])
    with tf.control_dependencies([] if check is None else [check]):
        return tf.identity(ids), tf.where(valid, tf.zeros((), dtype), float("nan"))


def check_graph(*tensors):
    """Check that no tensor with values is used in a tf.Graph, which does not support this."""
    if tf.executing_eagerly() or tf.inside_function():
        return
    if not all(tf.is_symbolic_tensor(getattr(tensor, "handle", tensor)) for tensor in tensors):
        raise ValueError(
            "a tf.Graph is being built, which cannot use the values of parameters and tensors from "
            "outside of it; leave graph.as_default(), or use tf.function"
        )


def check_alone(params=()):
    """Check that a net is not used with a distribution strategy.

    Each variable would have a copy on each device, and a training step would not keep them equal.
    """
    copies = [param for param in params if isinstance(param, tf.distribute.DistributedValues)]
    if tf.distribute.has_strategy() or copies:
        raise ValueError(
            "a net is made or trained within a strategy of tf.distribute, such as "
            "MirroredStrategy; d2lrnn trains with one process for each device: leave "
            "strategy.scope() and strategy.run(), and start the processes with d2lrnn launch"
        )
