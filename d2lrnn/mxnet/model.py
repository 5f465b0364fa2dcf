"""The record of the MXNet backend, and its scratch language model."""

from d2lrnn.mxnet import (
    baselines,
    distributed,
    fused,
    gradients,
    linear,
    products,
    reset_after,
    scratch,
    tensors,
)
from d2lrnn.mxnet.prediction import say
from d2lrnn.mxnet.tensors import defined_when_empty
from d2lrnn.nets import language_model, layers, linear_scans
from d2lrnn.nets.ops import Ops

OPS = Ops(
    name="mxnet",
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
    input_product=products.input_product,
    set_threads=tensors.set_threads,
    for_empty_batches=defined_when_empty,
)
stack = layers.stack_of(OPS)


class RNNModelScratch(language_model.RNNModelScratch):
    """A language model whose recurrent network is written from scratch."""

    ops = OPS

    def say(self, index, state, given, noise, truncate=None):
        """Generate k tokens after each of n ids; return their ids (k, n) and the last state."""
        is_plain = not self.is_custom and self.architecture.embedding is None
        step = self.ops.step_of(self.architecture) if is_plain else None
        has_symbols = step is not None and step.__module__ == scratch.__name__
        if truncate is not None or not has_symbols:
            return super().say(index, state, given, noise, truncate)
        return say(self, index, state, given, noise)
