"""Token by token in JAX: one compiled loop says many of them."""

import functools

import jax
import jax.numpy as jnp

from d2lrnn.jax.tensors import to_numpy
from d2lrnn.nets.prediction import filled_up


def say(net, index, state, given, noise):
    """Do as Model.say does; given and noise fill up to AT_ONCE rows, so that shapes stay alike."""
    count = len(given)
    given, noise = filled_up(given), filled_up(noise)
    arguments = jnp.asarray(given), jnp.asarray(noise, net.dtype), count
    said, state = compiled(net.speaker, net.params, tuple(state), index, *arguments)
    return to_numpy(said)[:count], state


@functools.partial(jax.jit, static_argnums=0)
def compiled(network, params, state, index, given, noise, count):
    """Say count rows of tokens after index; return their ids, others after them, and the state."""

    def step(t, carried):
        index, state, said = carried
        rows = jax.nn.one_hot(index, noise.shape[2], dtype=noise.dtype)  # (n, vocab_size)
        scores, state = network(params, rows[None], None, state)
        chosen = jnp.argmax(scores + noise[t], axis=1).astype(given.dtype)
        index = jnp.where(given[t] >= 0, given[t], chosen)
        return index, tuple(state), said.at[t].set(index)

    first = jnp.asarray(index, given.dtype), state, jnp.zeros_like(given)
    _, state, said = jax.lax.fori_loop(0, count, step, first)
    return said, state
