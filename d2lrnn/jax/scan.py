"""Linear recurrences h_t = a_t h_{t-1} + b_t in JAX, which differentiates both forms."""

import jax
import jax.numpy as jnp

from d2lrnn.nets import scan


def step(h, ab):
    """Return h after one time step, twice: JAX traces a function of a module only once."""
    a, b = ab
    h = a * h + b
    return h, h


def loop(a, b, state):
    """Return h for all time steps, one after the other."""
    return jax.lax.scan(step, state, (a, b))[1]


OPERATIONS = scan.Operations(
    backend="jax",
    loop=loop,
    concat=jnp.concatenate,
    broadcast_to=jnp.broadcast_to,
    reshape=jnp.reshape,
    swapped=lambda tensor: tensor.swapaxes(0, 1),
    flipped=lambda tensor: tensor[::-1],
    total=lambda tensor, axes: tensor.sum(axes, keepdims=True),
    zeros_like=jnp.zeros_like,
    ones_like=jnp.ones_like,
)


def sequential_scan(a, b, state=None):
    """Return h for all time steps, one after the other."""
    a, b, state = scan.arguments(OPERATIONS, a, b, state)
    return loop(a, b, state) if len(b) else b


def associative_scan(a, b, state=None):
    """Return h for all time steps, computed in blocks."""
    a, b, state = scan.arguments(OPERATIONS, a, b, state)
    return scan.in_blocks(OPERATIONS, a, b, state) if len(b) else b
