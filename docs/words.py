"""Each framework's functions for docs/surprises.py: tensor, one_hot, row, argmax, and so on."""

from __future__ import annotations

import threading
import warnings
from types import SimpleNamespace

import numpy as onp


def elsewhere(function):
    """Return what a function returns in another thread."""
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


def log_softmax(scores):
    """Return log softmax of each row."""
    return scores - onp.log(onp.exp(scores).sum(1, keepdims=True))


def numpy_words():
    """Return NumPy's functions."""
    return SimpleNamespace(
        tensor=onp.array,
        one_hot=lambda ids, n: onp.eye(n)[onp.asarray(ids)],
        row=lambda table, i: table[i],
        argmax=onp.argmax,
        tanh=onp.tanh,
        double=lambda function, array: function(array),
        gradient=lambda X, W: X.T @ onp.ones((len(X), W.shape[1])),
        cross_entropy=lambda scores, ids: -log_softmax(scores)[onp.arange(len(ids)), ids],
        mean=onp.mean,
        normal=lambda seed, n: onp.random.default_rng(seed).standard_normal(n),
        no_gradient_elsewhere=lambda: "-",
    )


def torch_words():
    """Return PyTorch's functions."""
    import torch

    def gradient(X, W):
        W = torch.tensor(W, requires_grad=True)
        (torch.tensor(X) @ W).sum().backward()
        return W.grad

    def no_gradient_elsewhere():
        with torch.no_grad():
            return "no" if elsewhere(torch.is_grad_enabled) else "yes"

    return SimpleNamespace(
        tensor=torch.tensor,
        one_hot=lambda ids, n: torch.nn.functional.one_hot(torch.as_tensor(ids), n),
        row=lambda table, i: table[i],
        argmax=torch.argmax,
        tanh=torch.tanh,
        double=lambda function, array: function(torch.tensor(array)),
        gradient=gradient,
        cross_entropy=torch.nn.functional.cross_entropy,
        mean=torch.mean,
        normal=lambda seed, n: torch.randn(n, generator=torch.Generator().manual_seed(seed)),
        no_gradient_elsewhere=no_gradient_elsewhere,
    )


def tensorflow_words():
    """Return TensorFlow's functions."""
    import tensorflow as tf

    def gradient(X, W):
        W = tf.Variable(W)
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(tf.constant(X) @ W)
        return tape.gradient(total, W)

    def normal(seed, n):
        tf.random.set_seed(seed)
        return tf.random.normal([n])

    return SimpleNamespace(
        tensor=tf.constant,
        one_hot=tf.one_hot,
        row=tf.gather,
        argmax=tf.argmax,
        tanh=tf.tanh,
        double=lambda function, array: function(tf.constant(array)),
        gradient=gradient,
        cross_entropy=lambda scores, ids: tf.nn.sparse_softmax_cross_entropy_with_logits(
            ids, scores
        ),
        mean=tf.reduce_mean,
        normal=normal,
        no_gradient_elsewhere=lambda: "-",  # TensorFlow records only while a tape is open
    )


def jax_words():
    """Return JAX's functions, without its 64-bit mode except for float64."""
    import jax
    import jax.numpy as jnp
    import optax

    def narrow(function):
        def call(*arguments):
            with jax.experimental.disable_x64(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # float64 is not available without the 64-bit mode
                return function(*arguments)

        return call

    def double(function, array):
        with jax.experimental.enable_x64():
            return jnp.tanh(jnp.asarray(array))

    words = SimpleNamespace(
        tensor=jnp.array,
        one_hot=lambda ids, n: jax.nn.one_hot(jnp.asarray(ids), n),
        row=lambda table, i: table[i],
        argmax=jnp.argmax,
        tanh=jnp.tanh,
        gradient=lambda X, W: jax.grad(lambda W: (X @ W).sum())(W),
        cross_entropy=optax.softmax_cross_entropy_with_integer_labels,
        mean=jnp.mean,
        normal=lambda seed, n: jax.random.normal(jax.random.key(seed), n),
        no_gradient_elsewhere=lambda: "-",
    )
    return SimpleNamespace(**{k: narrow(f) for k, f in vars(words).items()}, double=double)


def mxnet_words():
    """Return MXNet's functions."""
    from d2lrnn.mxnet.framework import autograd, mxnet, np, npx

    def array(value):  # keep integers, which MXNet would convert to float32
        kind = getattr(value, "dtype", onp.asarray(value).dtype)
        return np.array(value, dtype=kind) if onp.dtype(kind).kind == "i" else np.array(value)

    def gradient(X, W):
        X, W = np.array(X), np.array(W)
        W.attach_grad()
        W.grad[:] = 7.0  # to detect whether the gradient is written
        with autograd.record():
            total = np.dot(X, W).sum()
        total.backward()
        return W.grad.asnumpy()

    def normal(seed, n):
        mxnet.random.seed(seed)
        return np.random.normal(size=(n,)).asnumpy()

    def no_gradient_elsewhere():
        with autograd.record():
            return "no" if not elsewhere(autograd.is_recording) else "yes"

    return SimpleNamespace(
        tensor=array,
        one_hot=lambda ids, n: npx.one_hot(array(ids), n).asnumpy(),
        row=lambda table, i: table[i].asnumpy(),
        argmax=np.argmax,
        tanh=lambda A: np.tanh(A).asnumpy(),
        double=lambda function, A: function(np.array(A, dtype="float64")),
        gradient=gradient,
        cross_entropy=lambda scores, ids: -npx.pick(npx.log_softmax(scores), ids).asnumpy(),
        mean=lambda A: np.mean(A).asnumpy(),
        normal=normal,
        no_gradient_elsewhere=no_gradient_elsewhere,
    )
