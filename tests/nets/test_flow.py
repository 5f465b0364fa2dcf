"""Gradients pass through every function of the interface from tensors to tensors."""

import functools

import numpy as np
import pytest
from contracts import BACKEND, LAYERS

from d2lrnn.measure import agreement
from d2lrnn.nets import build, cells, layers

T, n, V, h = 3, 2, 4, 3
IDS = np.array([[0, 2, 1], [3, 1, 1]])
SETTINGS = {"seed": 0, "dtype": "float64"}


def of_cell(rnn, name):
    """The forward function of a name, and the shapes of its parameters."""
    cell = name.removesuffix("_fused").removesuffix("_scan").removeprefix("concat_")
    architecture = cells.Architecture(cell)
    forward_fn = getattr(rnn, name)
    if name.startswith("concat_"):

        def forward_fn(inputs, state, params):
            return getattr(rnn, name)(inputs, state, rnn.concat_params(params))

    return forward_fn, architecture.shapes(V, h), architecture.state_shapes(h)


def of_scan(rnn, name):
    """A state space model whose factors and terms come from the inputs, state and parameters."""

    def forward_fn(inputs, state, params):
        Hs = getattr(rnn, name)(params[0] * inputs, inputs, state[0])
        return Hs[-1], (Hs[0],)

    return forward_fn, [(V,)], [(V,)]


def of_split(rnn):
    def forward_fn(inputs, state, params):
        return rnn.gru(inputs, state, rnn.split_params(params, order="XH"))

    return forward_fn, [*[(h + V, h), (h,)] * 3, (h, V), (V,)], 1


def of_joined(rnn):
    def forward_fn(inputs, state, params):
        return rnn.concat_lstm(inputs, state, rnn.concat_params(params, order="XH"), order="XH")

    return forward_fn, cells.Architecture("lstm").shapes(V, h), 2


def of_flipped(rnn):
    def forward_fn(inputs, state, params):
        return rnn.gru(inputs, state, rnn.flip_update_gate(params))

    return forward_fn, cells.Architecture("gru").shapes(V, h), 1


def of_stack(rnn):
    architecture = cells.Architecture("gru", 2, bidirectional=True)
    return rnn.stack("gru", 2, True)[2], architecture.shapes(V, h), architecture.num_states


def of_new_cell(rnn):
    def step(X, H, C, p):
        C = 0.5 * C + H * (X @ p.W)
        return rnn.tanh(C) * p.a, C

    cell = rnn.new_cell(step, {"W": ("d", "h"), "a": ("h",)}, ("H", "C"))
    return cell.forward, cell.forward.architecture.shapes(V, h), 2


def of_elementwise(rnn, name):
    def forward_fn(inputs, state, params):
        return getattr(rnn, name)(inputs[0] * params[0]), state

    return forward_fn, [(V,)], 1


def of_mlp(rnn):
    def forward_fn(inputs, state, params):
        return rnn.mlp(inputs[0], params), state

    return forward_fn, [(V, h), (h,), (h, V), (V,)], 1


def of_embedding(rnn):
    def forward_fn(inputs, state, params):
        table, *params = params
        return rnn.rnn(rnn.embedding(IDS.T, table) + inputs, state, params)

    return forward_fn, [(5, V), *cells.Architecture("rnn").shapes(V, h)], 1


def of_from_numpy(rnn):
    def forward_fn(inputs, state, params):
        made = [rnn.from_numpy(param, dtype="float64") for param in params]
        return rnn.rnn(rnn.from_numpy(inputs), tuple(map(rnn.from_numpy, state)), made)

    return forward_fn, cells.Architecture("rnn").shapes(V, h), 1


def of_clipping(rnn, clip, theta):
    def forward_fn(inputs, state, params):
        clipped, norm = rnn.grad_clipping(params, theta, clip=clip)
        outputs, state = rnn.rnn(inputs, state, clipped)
        return outputs * norm, state

    return forward_fn, cells.Architecture("rnn").shapes(V, h), 1


def of_net(rnn):
    net = rnn.RNNModelScratch(V, h, rnn.get_params, rnn.init_rnn_state, rnn.rnn, **SETTINGS)

    def forward_fn(inputs, state, params):
        net.params = params
        outputs, state = net(IDS, state)
        return outputs + 0 * inputs[0, 0, 0], state

    return forward_fn, cells.Architecture("rnn").shapes(V, h), 1


def of_concise_net(rnn):
    net = build.concise_net(rnn, cells.Architecture("lstm"), V, h, **SETTINGS)

    def forward_fn(inputs, state, params):
        outputs, last = net(IDS, state)
        return outputs * params[0], last

    return forward_fn, [(V,)], 2


def batch_first(rnn, inputs):
    return rnn.RNNModelScratch.ops.tensors.time_major(inputs)  # it swaps the first two axes


def of_reader(rnn, name, valid):
    net = getattr(rnn, name)(V, h, 2, cell="gru", **SETTINGS)

    def forward_fn(inputs, state, params):
        net.params = params
        return net(batch_first(rnn, inputs), valid), state

    return forward_fn, [array.shape for array in net.arrays()], 1


def of_encoder(rnn, valid):
    net = rnn.EncoderScratch(V, h, **SETTINGS)

    def forward_fn(inputs, state, params):
        net.params = params
        (H,) = net(batch_first(rnn, inputs), valid)
        return H, state

    return forward_fn, [array.shape for array in net.arrays()], 1


def of_decoder(rnn, loss):
    net = rnn.DecoderScratch(V, h, 5, loss=loss, **SETTINGS)

    def forward_fn(inputs, state, params):
        context, *net.params = params
        written = IDS if loss == "softmax" else batch_first(rnn, inputs)
        return net(written, state, context)

    return forward_fn, [(n, 5), *(array.shape for array in net.arrays())], 1


def of_both(rnn):
    """An encoder whose state is a decoder's first state and context."""
    encoder, decoder = rnn.EncoderScratch(V, h, **SETTINGS), rnn.DecoderScratch(V, h, h, **SETTINGS)
    net = rnn.EncoderDecoderScratch(encoder, decoder)

    def forward_fn(inputs, state, params):
        net.params = params
        (H,) = encoder(batch_first(rnn, inputs))
        return decoder(IDS, (H,), H)

    return forward_fn, [array.shape for array in net.arrays()], 1


CELLS = (*cells.CELLS, *build.FUSED.values())
LENGTHS = np.array([3, 1])
FLOWS = {
    **{name: functools.partial(of_cell, name=name) for name in CELLS},
    **{name: functools.partial(of_cell, name=name) for name in ("concat_rnn", "concat_gru")},
    "concat_lstm": functools.partial(of_cell, name="concat_lstm"),
    "associative_scan": functools.partial(of_scan, name="associative_scan"),
    "sequential_scan": functools.partial(of_scan, name="sequential_scan"),
    "concat_params": of_joined,
    "split_params": of_split,
    "flip_update_gate": of_flipped,
    "stack": of_stack,
    "new_cell": of_new_cell,
    "sigmoid": functools.partial(of_elementwise, name="sigmoid"),
    "tanh": functools.partial(of_elementwise, name="tanh"),
    "mlp": of_mlp,
    "embedding": of_embedding,
    "from_numpy": of_from_numpy,
    "grad_clipping": functools.partial(of_clipping, clip="norm", theta=0.5),
    "grad_clipping by value": functools.partial(of_clipping, clip="value", theta=0.7),
    "grad_clipping of little": functools.partial(of_clipping, clip="norm", theta=1e3),
    "RNNModelScratch": of_net,
    "SequenceClassifierScratch": functools.partial(
        of_reader, name="SequenceClassifierScratch", valid=None
    ),
    "SequenceClassifierScratch of lengths": functools.partial(
        of_reader, name="SequenceClassifierScratch", valid=LENGTHS
    ),
    "SequenceTaggerScratch": functools.partial(
        of_reader, name="SequenceTaggerScratch", valid=LENGTHS
    ),
    "SequenceRegressorScratch": functools.partial(
        of_reader, name="SequenceRegressorScratch", valid=LENGTHS
    ),
    "EncoderScratch": functools.partial(of_encoder, valid=None),
    "EncoderScratch of lengths": functools.partial(of_encoder, valid=LENGTHS),
    "DecoderScratch": functools.partial(of_decoder, loss="softmax"),
    "DecoderScratch of rows": functools.partial(of_decoder, loss="sigmoid"),
    "EncoderDecoderScratch": of_both,
}
CONCISE = {"RNNModel": of_concise_net}
# These take or return no tensors of floats, or return arrays, numbers, text or gradients.
PREFIXES = ("get_", "init_", "load_", "predict_", "read_", "seq_data_iter_", "train_")
OTHERS = {
    *("BPETokenizer", "BPEVocab"),
    *("BatchLoader", "DownloadError", "GRU", "History", "Interrupted", "LSTM", "RNN", "Scores"),
    *("SeqDataLoader", "Vocab", "bleu", "bptt_terms", "copy_params", "date_pairs", "evaluate"),
    *("gradient_norms", "look_inside", "make_step", "make_update", "one_hot", "pad_sequences"),
    *("processes", "save_model", "scale_recurrent", "show", "tagged_sentences", "to_numpy"),
    *("texts_to_sequences", "tokenize", "trainable", "try_gpu", "value_and_grad", "vjp"),
    *(
        "sgd_step",
        "words_of",
        "Callback",
        "evaluate",
        "StepSchedule",
        "CosineSchedule",
        "WarmupSchedule",
    ),
    *("adding", "check_cell", "parity", "recall", "selective_copy"),
}


def test_every_function_of_the_interface_is_tested_with_arbitrary_values():
    tested = {name.partition(" ")[0] for name in (*FLOWS, *CONCISE)}
    assert not tested & OTHERS
    absent = {*BACKEND, *LAYERS} - tested - OTHERS
    assert [name for name in absent if not name.startswith(PREFIXES)] == []


def problem_of(rnn, case):
    """A forward function, and float64 arrays: the inputs, the state and the parameters."""
    forward_fn, shapes, states = case(rnn)
    state_shapes = [(h,)] * states if isinstance(states, int) else states
    rng = np.random.default_rng(0)
    inputs = rng.uniform(0.1, 0.9, (T, n, V))
    state = [rng.uniform(-1, 1, (n, *shape)) for shape in state_shapes]
    params = [rng.uniform(-1, 1, shape) for shape in shapes]
    return forward_fn, [inputs, *state, *params], len(state)


def value_of(rnn, forward_fn, arrays, num_states, weights=None):
    """The outputs and the last state, or their product with weights, as arrays."""
    inputs, *tensors = map(rnn.from_numpy, arrays)
    outputs, last = forward_fn(inputs, tuple(tensors[:num_states]), tensors[num_states:])
    results = [rnn.to_numpy(result) for result in (outputs, *last)]
    if weights is None:
        return results
    return sum((result * weight).sum() for result, weight in zip(results, weights, strict=True))


def gradients_of(rnn, forward_fn, arrays, num_states, weights):
    inputs, *tensors = map(rnn.from_numpy, arrays)
    state, params = tuple(tensors[:num_states]), tensors[num_states:]
    d_outputs, *d_state = map(rnn.from_numpy, weights)
    found = rnn.vjp(forward_fn, inputs, state, params, d_outputs, tuple(d_state))
    return [rnn.to_numpy(tensor) for tensor in (found[0], *found[1], *found[2])]


def assert_flows(rnn, case):
    """Compare the gradients of all arguments with a finite difference in one direction."""
    forward_fn, arrays, num_states = problem_of(rnn, case)
    given = rnn, forward_fn, arrays, num_states
    rng = np.random.default_rng(1)
    weights = [rng.uniform(-1, 1, result.shape) for result in value_of(*given)]
    directions, ends = [rng.uniform(-1, 1, array.shape) for array in arrays], []
    for step in (1e-6, -1e-6):
        moved = [array + step * along for array, along in zip(arrays, directions, strict=True)]
        ends.append(value_of(rnn, forward_fn, moved, num_states, weights))
    gradients = gradients_of(*given, weights)
    found = sum((d * along).sum() for d, along in zip(gradients, directions, strict=True))
    assert found == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-7)


@pytest.mark.parametrize("name", FLOWS)
def test_gradients_pass_through_a_function(rnn, name):
    assert_flows(rnn, FLOWS[name])


def test_gradients_pass_through_clipping_in_float32(rnn):
    forward_fn, arrays, num_states = problem_of(rnn, FLOWS["grad_clipping"])
    found = []
    for dtype in ("float64", "float32"):
        given = [array.astype(dtype) for array in arrays]
        weights = [np.ones_like(r) for r in value_of(rnn, forward_fn, given, num_states)]
        found.append(gradients_of(rnn, forward_fn, given, num_states, weights))
    for one, other in zip(*found, strict=True):
        assert agreement.difference(other, one) <= 1e-4


@pytest.mark.frameworks
def test_gradients_pass_through_a_framework_s_own_layer(rnn):
    assert_flows(rnn, CONCISE["RNNModel"])


def test_a_masked_row_may_hold_anything(rnn):
    net = rnn.SequenceClassifierScratch(V, h, 2, **SETTINGS)
    rows = np.random.default_rng(0).standard_normal((n, T, V))
    rows[1, 1:] = np.nan
    found = rnn.to_numpy(net(rnn.from_numpy(rows), LENGTHS))
    np.testing.assert_allclose(found, rnn.to_numpy(net(rows, LENGTHS)), rtol=1e-14)


def test_functions_without_a_gradient_raise_an_error(rnn):
    functions = layers.functions(rnn.RNNModelScratch.ops, cells.Architecture("rnn"))
    net = rnn.RNNModelScratch(V, h, *functions[:2], lambda i, s, p: predicted(i, s, p), **SETTINGS)

    def predicted(inputs, state, params):  # scores that a net has as an array
        plain = rnn.RNNModelScratch(V, h, *functions, **SETTINGS)
        plain.params = params
        return rnn.from_numpy(plain.evaluate(IDS, plain.begin_state(n))[0]), state

    with pytest.raises(ValueError, match=r"^(no gradient reaches|a tensor has no values|a custom)"):
        net.make_step(0.1)(IDS, IDS, net.begin_state(n))
