"""The record of the JAX backend, and its scratch language model."""

import functools

import jax

from d2lrnn.jax import (
    baselines,
    distributed,
    fused,
    gradients,
    linear,
    reset_after,
    scratch,
    tensors,
)
from d2lrnn.jax.prediction import say
from d2lrnn.nets import forward, language_model, layers, linear_scans
from d2lrnn.nets.ops import Ops
from d2lrnn.nets.values_read import Recompiled

OPS = Ops(
    name="jax",
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
    compile_function=jax.jit,
    repeated=jax.jit,
)
stack = layers.stack_of(OPS)


# Nets with the same forward function share the compiled code.
run = jax.jit(forward.run, static_argnums=(0, 1))


def compile_forward(forward_fn, width):
    """Return a custom forward function, compiled; JAX would trace the same object only once."""
    return jax.jit(functools.partial(forward.run, forward_fn, width))


class RNNModelScratch(language_model.RNNModelScratch):
    """A language model whose recurrent network is written from scratch."""

    ops = OPS

    @functools.cached_property
    def forward(self):
        """The forward computation, compiled for each new shape of the inputs."""
        arguments = self.forward_fn, self.vocab_size
        code = forward.user_code(self.forward_fn)
        if code is None:
            return functools.partial(run, *arguments)
        return Recompiled(code, functools.partial(compile_forward, *arguments))

    def __getstate__(self):
        """Leave out the compiled function, which cannot be pickled."""
        return {name: value for name, value in vars(self).items() if name != "forward"}

    def __call__(self, X, state):
        """Return outputs (num_steps * batch_size, vocab_size) and the state after token ids X."""
        return self.forward(self.inputs(X, state), self.as_tensors(state), self.params)

    def say(self, index, state, given, noise, truncate=None):
        """Generate k tokens after each of n ids; return their ids (k, n) and the last state."""
        if self.is_custom or truncate is not None:
            return super().say(index, state, given, noise, truncate)
        return say(self, index, state, given, noise)
