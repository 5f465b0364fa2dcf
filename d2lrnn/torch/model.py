"""The record of the PyTorch backend, and its scratch language model."""

import torch

from d2lrnn.nets import language_model, layers, linear_scans
from d2lrnn.nets.ops import Ops
from d2lrnn.torch import (
    baselines,
    distributed,
    fused,
    gradients,
    linear,
    reset_after,
    scratch,
    tensors,
)
from d2lrnn.torch.contexts import without_autocast

STEP_FUNCTIONS = scratch.STEP_FUNCTIONS | linear.STEP_FUNCTIONS
OPS = Ops(
    name="torch",
    tensors=tensors,
    gradients=gradients,
    baselines=baselines,
    distributed=distributed,
    step_functions={name: without_autocast(step) for name, step in STEP_FUNCTIONS.items()},
    forward=scratch.FORWARD | linear.FORWARD,
    fused=fused.FUSED | reset_after.FUSED | linear.SCANS,
    scans=linear_scans.layers(linear),
    unroll=scratch.unroll,
    output_layer=scratch.output_layer,
    input_product=fused.input_product,
    set_threads=tensors.set_threads,
)
stack = layers.stack_of(OPS)


class RNNModelScratch(language_model.RNNModelScratch):
    """A language model whose recurrent network is written from scratch."""

    ops = OPS

    @torch.no_grad()
    def evaluate(self, X, state):
        """Return the outputs as a NumPy array and the new state, without recording a graph."""
        return super().evaluate(X, state)

    @torch.inference_mode()
    def say(self, index, state, given, noise, truncate=None):
        """Generate k tokens after each of n ids; return their ids (k, n) and the last state."""
        return super().say(index, state, given, noise, truncate)
