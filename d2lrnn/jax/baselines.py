"""The baselines of the benchmark in JAX: the training step of the book, and bare products."""

import functools

import jax
import jax.numpy as jnp

from d2lrnn.jax.tensors import from_numpy


def book_step(net, lr, theta):
    """Return a compiled step: JAX without jit would be too slow to compare with."""
    return net.make_step(lr, theta)


def multiply(pairs, device=None):
    """Return a function that computes all products of pairs (lefts, right).

    Each pair consists of an array of left matrices (times, ...) and a right matrix.
    """
    place = functools.partial(from_numpy, device=device)
    pairs = [(place(lefts), place(right)) for lefts, right in pairs]

    @jax.jit
    def compute(pairs):
        return [repeated(lefts, right) for lefts, right in pairs]

    def repeated(lefts, right):
        out = jnp.zeros((lefts.shape[1], right.shape[1]), lefts.dtype)
        return jax.lax.scan(lambda _, left: (left @ right, None), out, lefts)[0]

    return lambda: float(compute(pairs)[-1][0, 0])


def compile_function(function):
    """Return the function compiled by jit."""
    return jax.jit(function)


def wait_for(params):
    """Wait until parameters are computed: JAX computes asynchronously."""
    jax.block_until_ready([getattr(param, "value", param) for param in params])


def card(device):
    """Return the name of a device that try_gpu returned."""
    return device.device_kind
