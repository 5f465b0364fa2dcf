"""Text generation in JAX: one compiled loop generates many tokens."""

import functools

import jax
import jax.numpy as jnp

from d2lrnn.jax.tensors import to_numpy
from d2lrnn.nets import networks
from d2lrnn.nets.prediction import filled_up


def say(net, index, state, given, noise):
    """Compute Model.say; given and noise are padded to AT_ONCE rows, to compile for one shape."""
    count = len(given)
    given, noise = filled_up(given), filled_up(noise)
    arguments = jnp.asarray(given), jnp.asarray(noise, net.dtype), count
    generate = compiled_loop(net.speaker)
    ids, state = generate(net.params, tuple(state), index, *arguments)
    return to_numpy(ids)[:count], state


@functools.cache
def compiled_loop(network):
    """Return generate_tokens of a network, compiled."""
    make = functools.partial(compile_loop, network)
    return networks.compile_network(network, make)


def compile_loop(network):
    """Return generate_tokens of a network, compiled anew."""
    return jax.jit(functools.partial(generate_tokens, network))


def generate_tokens(network, params, state, index, given, noise, count):
    """Generate count rows of tokens after index; return their ids and the state.

    The rows of ids from count on are 0.
    """

    def step(t, carried):
        index, state, ids = carried
        rows = jax.nn.one_hot(index, noise.shape[2], dtype=noise.dtype)  # (n, vocab_size)
        scores, state = network(params, rows[None], None, state)
        chosen = jnp.argmax(scores + noise[t], axis=1).astype(given.dtype)
        index = jnp.where(given[t] >= 0, given[t], chosen)
        return index, tuple(state), ids.at[t].set(index)

    first = jnp.asarray(index, given.dtype), state, jnp.zeros_like(given)
    _, state, ids = jax.lax.fori_loop(0, count, step, first)
    return ids, state
