"""What the benchmark measures against in JAX: the step of the book, and products alone."""

import functools

import jax
import jax.numpy as jnp

from d2lrnn.jax.tensors import from_numpy


def book_step(net, lr, theta):
    """Return the textbook's compiled step: eager, JAX would be no yardstick for anything."""
    return net.make_step(lr, theta)


def multiply(pairs, device=None):
    """Return a function that computes all products of pairs, lefts (times, ...) and a right."""
    place = functools.partial(from_numpy, device=device)
    pairs = [(place(lefts), place(right)) for lefts, right in pairs]

    @jax.jit
    def compute(pairs):
        return [repeated(lefts, right) for lefts, right in pairs]

    def repeated(lefts, right):
        out = jnp.zeros((lefts.shape[1], right.shape[1]), lefts.dtype)
        return jax.lax.scan(lambda _, left: (left @ right, None), out, lefts)[0]

    return lambda: float(compute(pairs)[-1][0, 0])


def compiled(function):
    """Return the function as one that jit compiles."""
    return jax.jit(function)


def wait_for(params):
    """Wait until parameters have their values: JAX returns before they have."""
    jax.block_until_ready([getattr(param, "value", param) for param in params])


def card(device):
    """Return what a device, as try_gpu returns it, is called."""
    return device.device_kind
