"""Nets of one kind share compiled code, and nothing else."""

import numpy as np
import pytest

from d2lrnn.nets import build, layers
from d2lrnn.nets.cells import Architecture

X, Y = np.random.default_rng(0).integers(5, size=(2, 3, 4))
KINDS = {
    "rnn": (Architecture("rnn"), False),
    "gru, fused": (Architecture("gru"), True),
    "lstm, 2 layers": (Architecture("lstm", 2), False),
}
SETTINGS = [
    {"lr": 0.5},
    {"lr": 0.01},
    {"lr": 0.5, "theta": 0.01},
    {"lr": 0.1, "optimizer": "adam"},
    {"lr": 0.1, "clip": "value", "theta": 0.001},
]


def trained(rnn, kind, settings, steps_in_turn=False):
    """Return the parameters of nets that take three steps each, in turn or one net at a time."""
    architecture, fused = KINDS[kind]
    nets = [build.new_net(rnn, architecture, 5, 4, fused=fused, seed=0) for _ in settings]
    steps = [net.make_step(**chosen) for net, chosen in zip(nets, settings)]
    states = [net.begin_state(len(X)) for net in nets]
    order = [number for number in range(len(nets)) for _ in range(3)]
    for number in [*range(len(nets))] * 3 if steps_in_turn else order:
        _, states[number] = steps[number](X, Y, states[number])
    return [net.arrays() for net in nets]


@pytest.mark.parametrize("kind", KINDS)
def test_nets_that_train_in_turn_equal_those_that_train_alone(rnn, kind):
    in_turn = trained(rnn, kind, SETTINGS, steps_in_turn=True)
    for one, chosen in zip(in_turn, SETTINGS):
        (alone,) = trained(rnn, kind, [chosen])
        for array, expected in zip(one, alone, strict=True):
            np.testing.assert_array_equal(array, expected)
    assert len({arrays[0].tobytes() for arrays in in_turn}) == len(SETTINGS)


@pytest.mark.only("jax", "tensorflow")
def test_a_second_net_of_a_kind_is_not_compiled_again_but_a_custom_function_is(rnn, monkeypatch):
    gradients, functions = rnn.RNNModelScratch.ops.gradients, []
    original = gradients.value_and_grad

    def noted(network, loss):
        functions.append(network.forward_fn)
        return original(network, loss)

    monkeypatch.setattr(gradients, "value_and_grad", noted)
    ops, vocab_size = rnn.RNNModelScratch.ops, 6  # no other test has nets of this size

    def train(forward_fn):
        functions_of_net = layers.functions(ops, Architecture("gru"))[:2]
        net = rnn.RNNModelScratch(vocab_size, 4, *functions_of_net, forward_fn, seed=0)
        net.make_step(0.125)(X, Y, net.begin_state(len(X)))

    for _ in range(2):
        train(rnn.gru)
    assert functions == [rnn.gru]
    for number in range(2):
        train(lambda inputs, state, params: rnn.gru(inputs, state, params))
        assert len(functions) == 2 + number


@pytest.mark.only("jax")
def test_nets_of_one_kind_compile_their_gradients_once(rnn, monkeypatch):
    import jax

    compiled = []
    compile_again = jax.jit
    monkeypatch.setattr(jax, "jit", lambda f, **kw: compiled.append(f) or compile_again(f, **kw))
    settings = {"cell": "gru", "seed": 0}
    losses = [rnn.SequenceTaggerScratch(5, 6, 3, **settings).gradients(X, X % 3) for _ in range(2)]
    assert losses[0][0] == losses[1][0]
    assert sum(f.__name__ == "compute" for f in compiled) <= 1
