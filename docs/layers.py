"""Measure how the frameworks' own layers and optimizers differ: a table of docs/frameworks.md.

``python docs/layers.py`` prints the table for the installed frameworks. tests/test_docs.py compares
it with the page.
"""

from __future__ import annotations

import sys

import numpy as onp

NAMES = {"torch": "PyTorch", "tensorflow": "Keras", "jax": "Flax", "mxnet": "MXNet"}
FACTS = {}  # by name: (the question, the function that finds the answer)
IDS = onp.array([[0, 1, 2, 3], [4, 3, 2, 1]])


def fact(question):
    """Register a function of a backend and its name, which computes a row of the table."""

    def note(function):
        FACTS[function.__name__] = question, function
        return function

    return note


def make(rnn, kind, num_hiddens=4, num_layers=1, dtype="float32"):
    """Return a language model around a framework's own layer."""
    layer = getattr(rnn, kind)(5, num_hiddens, num_layers, seed=0, dtype=dtype)
    return rnn.RNNModel(layer, 5, seed=0)


@fact("GRU: the reset gate is applied")
def gru_form(rnn, backend):
    net = make(rnn, "GRU")
    outputs, _ = net.evaluate(IDS, net.begin_state(2))
    scratch = rnn.RNNModelScratch(5, 4, *rnn.stack("gru_reset_after"))
    scratch.load_arrays(net.arrays())
    after, _ = scratch.evaluate(IDS, scratch.begin_state(2))
    return "after the product" if abs(outputs - after).max() < 1e-6 else "before the product"


@fact("GRU: order of the gates")
def gru_order(rnn, backend):
    return " ".join(rnn.RNNModel.orders["gru_reset_after"])


@fact("LSTM: order of the gates")
def lstm_order(rnn, backend):
    return " ".join(rnn.RNNModel.orders["lstm"])


@fact("parameters of a GRU, 5 inputs, 4 hidden units (`rnn.gru`: 120, `rnn.gru_reset_after`: 124)")
def gru_size(rnn, backend):
    *layer, _, _ = make(rnn, "GRU").params
    return str(sum(int(onp.prod(param.shape)) for param in layer))


@fact("initial W_hh, 100 hidden units: orthogonal, or the largest element")
def first_weights(rnn, backend):
    W_hh = make(rnn, "RNN", 100).arrays()[1]
    if abs(W_hh @ W_hh.T - onp.eye(100)).max() < 1e-4:
        return "orthogonal"
    return f"{abs(W_hh).max():.2f}"


@fact("LSTM: initial bias of the forget gate")
def forget_bias(rnn, backend):
    b_f = make(rnn, "LSTM").arrays()[5]
    return f"{b_f[0]:g}" if onp.ptp(b_f) == 0 else "random"


@fact("first step of Adagrad, gradient 0.01, lr 1")
def adagrad(rnn, backend):
    return f"{globals()[f'{backend}_adagrad']():.3f}"


@fact("gradients of a two-layer LSTM in float64")
def deep_gradients(rnn, backend):
    from d2lrnn import numpy as reference

    net = deep_mxnet(rnn) if backend == "mxnet" else make(rnn, "LSTM", 4, 2, "float64")
    truth = reference.RNNModelScratch(5, 4, *reference.stack("lstm", 2), dtype="float64", seed=0)
    net.load_arrays(truth.arrays())
    pairs = [model.gradients(IDS, IDS[:, ::-1], model.begin_state(2))[1] for model in (net, truth)]
    worst = max(abs(a - b).max() / abs(b).max() for a, b in zip(*pairs, strict=True))
    return "right" if worst < 1e-12 else "wrong"


def deep_mxnet(rnn):
    """Return a model around MXNet's own deep layer, which rnn.LSTM does not use in float64."""
    from d2lrnn.mxnet.framework import mxnet

    layer = mxnet.gluon.rnn.LSTM(4, 2, input_size=5)
    layer.initialize()
    layer.cast("float64")
    return rnn.RNNModel(layer, 5, seed=0)


def torch_adagrad():
    """Return the length of a step of PyTorch's Adagrad."""
    import torch

    x = torch.zeros(1, requires_grad=True)
    x.grad = torch.tensor([0.01])
    torch.optim.Adagrad([x], lr=1.0).step()
    return -x.item()


def tensorflow_adagrad():
    """Return the length of a step of Keras' Adagrad."""
    import keras

    x = keras.Variable([0.0])
    keras.optimizers.Adagrad(1.0).apply([keras.ops.array([0.01])], [x])
    return -float(x[0])


def jax_adagrad():
    """Return the length of a step of optax's Adagrad."""
    import jax.numpy as jnp
    import optax

    rule, x = optax.adagrad(1.0), jnp.zeros(1)
    updates, _ = rule.update(jnp.array([0.01]), rule.init(x), x)
    return -float(updates[0])


def mxnet_adagrad():
    """Return the length of a step of MXNet's Adagrad."""
    from d2lrnn.mxnet.framework import mxnet, np

    rule = mxnet.optimizer.AdaGrad(learning_rate=1.0)
    x, gradient = (np.array([value]).as_nd_ndarray() for value in (0.0, 0.01))
    rule.update(0, x, gradient, rule.create_state(0, x))
    return -float(x.asscalar())


def measure(backend):
    """Return the results of one backend, by the name of the row."""
    from d2lrnn import backends

    rnn = backends.load(backend)
    return {name: find(rnn, backend) for name, (_, find) in FACTS.items()}


def table(backends):
    """Return the results of several backends as a Markdown table."""
    found = {backend: measure(backend) for backend in backends}
    heads = ["", *(NAMES[backend] for backend in backends)]
    lines = [heads, ["---"] * len(heads)]
    for name, (question, _) in FACTS.items():
        lines.append([question, *(found[backend][name] for backend in backends)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    from d2lrnn import backends

    backends.prepare()
    print(table(sys.argv[1:] or [name for name in backends.available() if name in NAMES]))
