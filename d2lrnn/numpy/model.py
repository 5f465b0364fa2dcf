"""The record of the NumPy backend, and its scratch language model."""

from d2lrnn.nets import language_model, layers, linear_scans
from d2lrnn.nets.ops import Ops, library_threads
from d2lrnn.numpy import (
    baselines,
    distributed,
    fused,
    gradients,
    linear,
    reset_after,
    scratch,
    tensors,
)

OPS = Ops(
    name="numpy",
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
    set_threads=library_threads,
    has_layers=False,
)
stack = layers.stack_of(OPS)


class RNNModelScratch(language_model.RNNModelScratch):
    """A language model whose recurrent network is written from scratch."""

    ops = OPS
