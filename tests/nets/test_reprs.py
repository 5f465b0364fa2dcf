"""The repr of nets, loaders and functions."""

import pytest

from d2lrnn.nets import build, cells


def test_a_language_model_shows_its_sizes_parameters_and_backend(rnn, backend):
    net = rnn.RNNModelScratch(28, 256, *rnn.stack("lstm", 2), seed=0)
    sizes = "vocab_size=28, num_hiddens=256, 824,348 parameters, float32"
    assert repr(net) == f"<RNNModelScratch in {backend}: lstm, 2 layers, {sizes}>"


@pytest.mark.frameworks
def test_a_model_around_a_framework_s_layer_shows_the_same(rnn, backend):
    net = build.concise_net(rnn, cells.Architecture("lstm"), 5, 3, seed=0)
    number = {"torch": 140, "mxnet": 140}.get(backend, 128)  # these have two biases for a gate
    sizes = f"vocab_size=5, num_hiddens=3, {number} parameters, float32"
    assert repr(net) == f"<RNNModel in {backend}: lstm, {sizes}>"


@pytest.mark.parametrize(
    ("make", "shown"),
    [
        (
            lambda rnn: rnn.SequenceClassifierScratch(5, 3, 1, bidirectional=True),
            "SequenceClassifierScratch in {}: rnn, bidirectional, num_inputs=5, num_hiddens=3, "
            "num_outputs=1, 61 parameters, float32",
        ),
        (
            lambda rnn: rnn.EncoderScratch(5, 3, cell="rnn"),
            "EncoderScratch in {}: rnn, num_inputs=5, num_hiddens=3, 27 parameters, float32",
        ),
        (
            lambda rnn: rnn.DecoderScratch(5, 3, 2, cell="rnn"),
            "DecoderScratch in {}: rnn, num_outputs=5, num_hiddens=3, num_context=2, "
            "53 parameters, float32",
        ),
        (
            lambda rnn: rnn.EncoderDecoderScratch(
                rnn.EncoderScratch(5, 3, cell="rnn"), rnn.DecoderScratch(5, 3, 3, cell="rnn")
            ),
            "EncoderDecoderScratch in {}: rnn, num_hiddens=3, 83 parameters, float32",
        ),
    ],
    ids=["classifier", "encoder", "decoder", "encoder and decoder"],
)
def test_a_network_over_sequences_shows_its_own_sizes(rnn, backend, make, shown):
    assert repr(make(rnn)) == f"<{shown.format(backend)}>"


@pytest.mark.parametrize("number", range(3))
def test_the_functions_of_a_stack_are_shown_in_a_line(rnn, number):
    shown = repr(rnn.stack("gru", 2, bidirectional=True)[number])
    assert len(shown) < 120
    assert "gru, 2 layers, bidirectional" in shown or number == 2


def test_the_record_of_a_backend_is_shown_by_its_name(rnn, backend):
    assert repr(rnn.RNNModelScratch.ops) == f"<Ops of {backend}>"
