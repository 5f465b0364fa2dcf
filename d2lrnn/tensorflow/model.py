"""The record of the TensorFlow backend, and its scratch language model."""

from d2lrnn.nets import language_model, layers, linear_scans
from d2lrnn.nets.ops import Ops
from d2lrnn.tensorflow import (
    baselines,
    contexts,
    distributed,
    fused,
    gradients,
    linear,
    reset_after,
    scratch,
    tensors,
)
from d2lrnn.tensorflow.prediction import say

OPS = Ops(
    name="tensorflow",
    tensors=tensors,
    gradients=gradients,
    baselines=baselines,
    distributed=distributed,
    step_functions=scratch.STEP_FUNCTIONS | linear.STEP_FUNCTIONS,
    forward=scratch.FORWARD | linear.FORWARD,
    fused=fused.FUSED | reset_after.FUSED | linear.SCANS,
    scans=linear_scans.layers(linear),
    unroll=scratch.unroll,
    output_layer=scratch.output_layer,
    input_product=fused.input_product,
    repeated=contexts.unrecorded,
)
stack = layers.stack_of(OPS)


class RNNModelScratch(language_model.RNNModelScratch):
    """A language model whose recurrent network is written from scratch."""

    ops = OPS

    def __call__(self, X, state):
        """Return outputs (num_steps * batch_size, vocab_size) and the state after token ids X."""
        contexts.check_graph(*self.params)
        return super().__call__(X, state)

    def say(self, index, state, given, noise, truncate=None):
        """Generate k tokens after each of n ids; return their ids (k, n) and the last state."""
        if self.is_custom or truncate is not None:
            return super().say(index, state, given, noise, truncate)
        return say(self, index, state, given, noise)
