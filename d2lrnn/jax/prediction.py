"""Token by token in JAX: one compiled loop says many of them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from d2lrnn.nets.prediction import AT_ONCE


def say(net, index, state, given, noise):
    """Do as Model.say does; given and noise fill up to AT_ONCE rows, so that shapes stay alike."""
    count = len(given)
    given = np.concatenate([given, np.zeros(max(0, AT_ONCE - count), np.int32)])
    noise = np.concatenate([noise, np.zeros((len(given) - count, net.vocab_size))])
    arguments = jnp.asarray(given), jnp.asarray(noise, net.dtype), count
    said, state = compiled(net.speaker, net.params, tuple(state), index, *arguments)
    return np.asarray(said)[:count].tolist(), state


@functools.partial(jax.jit, static_argnums=0)
def compiled(network, params, state, index, given, noise, count):
    """Say count tokens after index; return their ids, zeros after them, and the last state."""

    def step(t, carried):
        index, state, said = carried
        row = jax.nn.one_hot(index, noise.shape[1], dtype=noise.dtype)
        scores, state = network(params, row[None, None], None, state)
        chosen = jnp.argmax(scores[0] + noise[t]).astype(given.dtype)
        index = jnp.where(given[t] >= 0, given[t], chosen)
        return index, tuple(state), said.at[t].set(index)

    first = jnp.asarray(index, given.dtype), state, jnp.zeros_like(given)
    _, state, said = jax.lax.fori_loop(0, count, step, first)
    return said, state
