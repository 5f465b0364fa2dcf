"""Language models with an embedding: a trained table whose rows take the place of one-hot rows."""

import copy
import dataclasses
import pickle

import numpy as np
import pytest
from bounds import AGREED

from d2lrnn import numpy as reference
from d2lrnn.measure import gradient_flow
from d2lrnn.nets import cells, embedding, first_values
from d2lrnn.training import language, language_epoch

V, E, H = 5, 3, 4
X = np.array([[0, 1, 2, 3, 1], [4, 0, 0, 2, 1]])
Y = np.array([[1, 2, 3, 1, 4], [0, 0, 2, 1, 3]])


def mgu(rnn):
    """A custom cell, the minimal gated unit."""

    def step(X, H, p):
        F = rnn.sigmoid(X @ p.W_xf + H @ p.W_hf + p.b_f)
        return F * H + (1 - F) * rnn.tanh(X @ p.W_xh + (F * H) @ p.W_hh + p.b_h)

    axes = {"W_x": ("d", "h"), "W_h": ("h", "h"), "b_": ("h",)}
    return rnn.new_cell(step, {f"{k}{gate}": a for gate in "fh" for k, a in axes.items()})


CELLS = {
    "rnn": lambda rnn: (rnn.get_params, rnn.init_rnn_state, rnn.rnn),
    "gru_fused": lambda rnn: (rnn.get_gru_params, rnn.init_gru_state, rnn.gru_fused),
    "lstm_fused": lambda rnn: (rnn.get_lstm_params, rnn.init_lstm_state, rnn.lstm_fused),
    "lstm, 2 layers": lambda rnn: rnn.stack("lstm", 2),
    "gru, bidirectional": lambda rnn: rnn.stack("gru", bidirectional=True),
    "mingru_scan": lambda rnn: (rnn.get_mingru_params, rnn.init_mingru_state, rnn.mingru_scan),
    "mamba": lambda rnn: (rnn.get_mamba_params, rnn.init_mamba_state, rnn.mamba),
    "a custom cell": mgu,
}
WITH_A_W_XE = {
    "mamba": lambda rnn: (CELLS["mamba"](rnn), None),
    "mamba, 2 layers": lambda rnn: (rnn.stack("mamba", 2), None),
    "mamba, bidirectional": lambda rnn: (rnn.stack("mamba", bidirectional=True), None),
    "a custom cell": lambda rnn: [with_a_W_xe(rnn)] * 2,
}


def with_a_W_xe(rnn):
    """A custom cell with a parameter that has the name of the table in the book's formulas."""

    def step(X, H, p):
        return rnn.tanh(X @ p.W_xe + H @ p.W_hh)

    return rnn.new_cell(step, {"W_xe": ("d", "h"), "W_hh": ("h", "h")})


def embedded(rnn, cell="gru_fused", size=E, dtype="float64", **settings):
    """A net with an embedding whose parameters are not small, so that errors are visible."""
    functions = CELLS[cell](rnn)
    net = rnn.RNNModelScratch(V, H, *functions, embedding=size, seed=0, dtype=dtype, **settings)
    rng = np.random.default_rng(0)
    net.load_arrays([array + 0.5 * rng.normal(size=array.shape) for array in net.arrays()])
    return net


def folded(rnn, net):
    """The same computation of one-hot rows: the table is a part of the input weights."""
    architecture, (table, *arrays) = net.architecture, net.arrays()
    functions = embedding.functions(net.ops, architecture.after_embedding)
    plain = rnn.RNNModelScratch(V, H, *functions, dtype=net.dtype)
    is_input = ["d" in axes for axes in architecture.kind.parameters.values()]
    is_input += [False] * (len(arrays) - len(is_input))
    plain.load_arrays([table @ a if first else a for a, first in zip(arrays, is_input)])
    return plain


def results(net):
    """Outputs, last state, loss, gradients, and the parameters after three training steps."""
    outputs, last = net.evaluate(X, net.begin_state(2))
    loss, gradients = net.gradients(X, Y, net.begin_state(2))
    step, state = net.make_step(0.5), net.begin_state(2)
    for _ in range(3):
        _, state = step(X, Y, state)
    arrays = [outputs, *map(net.tensors.to_numpy, last), np.array(loss)]
    return [*arrays, *gradients, *net.arrays()]


AGREEMENT = [("lstm_fused", "float64"), ("a custom cell", "float32")]


@pytest.mark.frameworks
@pytest.mark.parametrize(("cell", "dtype"), AGREEMENT)
def test_each_framework_computes_what_numpy_computes(rnn, cell, dtype):
    expected = results(embedded(reference, cell))
    arrays = results(embedded(rnn, cell, dtype=dtype))
    bound = 1e-12 if dtype == "float64" else 200 * np.finfo("float32").eps
    for number, (array, exact) in enumerate(zip(arrays, expected, strict=True)):
        atol = bound * max(1, abs(exact).max())
        np.testing.assert_allclose(array, exact, atol=atol, rtol=0, err_msg=f"array {number}")


@pytest.mark.parametrize("cell", ["rnn", "gru_fused", "lstm_fused", "mingru_scan", "a custom cell"])
def test_an_embedding_is_a_factor_of_the_input_weights(cell):
    net = embedded(reference, cell)
    ours, plain = (n.evaluate(X, n.begin_state(2)) for n in (net, folded(reference, net)))
    np.testing.assert_allclose(ours[0], plain[0], rtol=AGREED, atol=AGREED)
    for one, other in zip(ours[1], plain[1]):
        np.testing.assert_allclose(one, other, rtol=AGREED, atol=AGREED)


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_of_the_table_equal_finite_differences(cell):
    net, eps = embedded(reference, cell), 1e-5
    _, (gradient, *_) = net.gradients(X, Y, net.begin_state(2))
    table, *others = net.arrays()
    for place in [(0, 0), (2, 1), (4, 2)]:
        losses = []
        for sign in (1, -1):
            moved = table.copy()
            moved[place] += sign * eps
            net.load_arrays([moved, *others])
            losses.append(net.loss_and_d_outputs(X, Y, net.begin_state(2))[0])
        assert gradient[place] == pytest.approx((losses[0] - losses[1]) / (2 * eps), rel=1e-6)


def test_a_row_without_a_token_has_no_gradient(rnn):
    net = embedded(rnn)
    _, (gradient, *_) = net.gradients(X[:, :2] % 2, Y[:, :2], net.begin_state(2))
    assert abs(gradient[:2]).min() > 0
    np.testing.assert_array_equal(gradient[2:], 0)


def test_ids_and_one_hot_rows_are_equal_inputs(rnn):
    net = embedded(rnn)
    state = net.begin_state(2)
    outputs = [
        net.forward_fn(inputs(X, state), state, net.params)[0] for inputs in (net.inputs, net.rows)
    ]
    arrays = [rnn.to_numpy(rnn_outputs) for rnn_outputs in outputs]
    np.testing.assert_allclose(*arrays, rtol=AGREED, atol=AGREED)
    assert net.takes_ids


@pytest.mark.parametrize("cell", ["rnn", "lstm, 2 layers", "a custom cell"])
def test_the_table_is_the_first_parameter_and_drawn_at_unit_scale(rnn, cell):
    nets = [
        module.RNNModelScratch(50, H, *CELLS[cell](module), embedding=40, seed=3)
        for module in (rnn, reference)
    ]
    table = nets[0].arrays()[0]
    assert nets[0].architecture.parameters[0] == "embedding.W_xe"
    assert table.shape == (50, 40)
    assert 0.95 < table.std() < 1.05
    for one, other in zip(*(net.arrays() for net in nets)):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("cell", "draw"),
    [
        ("gru_fused", {"temperature": 1.0, "seed": 1}),
        ("a custom cell", {"top_k": 2, "seed": 1}),
    ],
)
def test_text_is_generated_from_the_rows_of_the_table(rnn, cell, draw):
    net, vocab = embedded(rnn, cell), rnn.Vocab("abcd")
    greedy = rnn.predict_ch8("ab", 5, net, vocab)
    ids = vocab[list("ab")]
    for _ in range(5):
        outputs, _ = net.evaluate(np.array([ids]), net.begin_state(1))
        ids.append(int(outputs[-1].argmax()))
    assert greedy == "".join(vocab.to_tokens(ids))
    there = embedded(reference, cell)
    assert rnn.predict_many(["ab", "d"], 9, net, vocab, **draw) == reference.predict_many(
        ["ab", "d"], 9, there, vocab, **draw
    )


@pytest.mark.parametrize("cell", ["gru_fused", "a custom cell"])
def test_a_file_holds_the_embedding(rnn, cell, tmp_path):
    net, vocab = embedded(reference, cell), rnn.Vocab("abcd")
    reference.save_model(tmp_path / "m", net, vocab)
    custom = {"cell": mgu(rnn)} if cell == "a custom cell" else {}
    loaded, _ = rnn.load_model(tmp_path / "m", **custom)
    assert loaded.architecture.embedding == E
    for one, other in zip(loaded.arrays(), net.arrays()):
        np.testing.assert_array_equal(one, other)
    outputs = [n.evaluate(X, n.begin_state(2))[0] for n in (loaded, net)]
    np.testing.assert_allclose(*outputs, rtol=AGREED, atol=AGREED)


def test_a_damaged_size_of_the_embedding_is_reported(tmp_path):
    net, vocab = embedded(reference), reference.Vocab("abcd")
    reference.save_model(tmp_path / "m", net, vocab)
    content = (tmp_path / "m").read_bytes()
    (tmp_path / "m").write_bytes(content.replace(b'embedding\\": 3', b'embedding\\": 0'))
    with pytest.raises(reference.CheckpointError):
        reference.load_model(tmp_path / "m")


@pytest.mark.only("numpy", "torch", "jax")
def test_a_run_is_resumed_bit_for_bit(rnn, tmp_path):
    vocab = rnn.Vocab("abcd")
    options = {"dropout": 0.3, "optimizer": "adam", "progress": False}

    def train(net, epochs, **more):
        loader = rnn.SeqDataLoader([1, 2, 3, 4, 2] * 4, 2, 4, seed=0)
        return language.train_ch8(net, loader, vocab, 0.05, epochs, **options, **more)

    whole, first, second = (embedded(rnn, dtype="float32") for _ in range(3))
    expected = train(whole, 2)
    train(first, 1, checkpoint=tmp_path / "run")
    history = train(second, 2, checkpoint=tmp_path / "run", resume=True)
    assert history.perplexity == expected.perplexity
    for one, other in zip(second.arrays(), whole.arrays()):
        np.testing.assert_array_equal(one, other)


def test_a_run_of_another_size_of_the_embedding_is_refused(tmp_path):
    vocab = reference.Vocab("abcd")
    for size, resume in ((3, False), (2, True)):
        net = embedded(reference, size=size)
        loader = reference.SeqDataLoader([1, 2, 3, 4, 2] * 12, 2, 4, seed=0)
        options = {"checkpoint": tmp_path / "run", "resume": resume, "progress": False}
        if not resume:
            language.train_ch8(net, loader, vocab, 0.05, 1, **options)
            continue
        with pytest.raises(reference.CheckpointError, match="embedding is 3 there, 2 here"):
            language.train_ch8(net, loader, vocab, 0.05, 1, **options)


@pytest.mark.only("torch", "mxnet")
def test_dropout_between_layers_agrees_with_numpy(rnn):
    nets = [embedded(module, "lstm, 2 layers") for module in (rnn, reference)]
    for net in nets:
        step, state = net.make_step(0.5, dropout=0.4, seed=1), net.begin_state(2)
        for _ in range(2):
            _, state = step(X, Y, state)
    for one, other in zip(*(net.arrays() for net in nets)):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


def test_segments_and_the_written_out_step_train_the_same_net():
    nets = [embedded(reference) for _ in range(3)]
    first, second, third = (net.begin_state(2) for net in nets)
    nets[0].make_step(0.5)(X, Y, first)
    language_epoch.make_step(nets[1], 0.5, segment=2)(X, Y, second)
    reference.sgd_step(nets[2], X, Y, third, 0.5)
    for other in nets[1:]:
        for one, another in zip(nets[0].arrays(), other.arrays()):
            np.testing.assert_allclose(one, another, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", ["rnn", "gru_fused", "lstm_fused"])
def test_measurements_see_the_states_after_the_embedding(cell):
    net = embedded(reference, cell)
    plain, vocab = folded(reference, net), reference.Vocab("abcd")
    norms = [reference.gradient_norms(n, X, Y) for n in (net, plain)]
    np.testing.assert_allclose(*norms, rtol=1e-10)
    insides = [reference.look_inside(n, vocab, "abba") for n in (net, plain)]
    np.testing.assert_allclose(*(inside.states for inside in insides), rtol=1e-10, atol=1e-12)
    for name in insides[1].gates:
        np.testing.assert_allclose(*(inside.gates[name] for inside in insides), rtol=1e-10)
    radius = [gradient_flow.spectral_radius(a) for a in _scaled(net)]
    np.testing.assert_allclose(radius, 0.7, rtol=1e-10)


def _scaled(net):
    """The recurrent weights after scale_recurrent."""
    reference.scale_recurrent(net, 0.7)
    named = zip(net.architecture.parameters, net.arrays())
    return [array for name, array in named if name.startswith("W_h") and name != "W_hq"]


def test_a_copy_and_a_pickle_compute_the_same(rnn):
    net = embedded(rnn)
    expected, _ = net.evaluate(X, net.begin_state(2))
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        np.testing.assert_array_equal(other.evaluate(X, other.begin_state(2))[0], expected)
        assert "gru, embedding of 3" in repr(other)


def test_parameters_are_copied_between_nets_of_one_size_only(rnn):
    source, target = embedded(reference), embedded(rnn)
    target.load_arrays([0 * array for array in target.arrays()])
    rnn.copy_params(source, target)
    np.testing.assert_array_equal(target.arrays()[0], source.arrays()[0])
    with pytest.raises(ValueError, match="the target gru, embedding of 2"):
        rnn.copy_params(source, embedded(rnn, size=2))


def test_a_graph_looks_up_the_rows():
    pytest.importorskip("onnxruntime")
    from d2lrnn.files.onnx_file import to_onnx
    from d2lrnn.measure import exported

    net = embedded(reference, "lstm, 2 layers", dtype="float32")
    vocab = reference.Vocab("abcd")
    assert exported.check(to_onnx(net, vocab), net)


def custom_functions(rnn):
    return (rnn.get_params, rnn.init_rnn_state, lambda inputs, state, params: (inputs, state))


REFUSED = {
    "another cell's parameters": lambda rnn: (rnn.get_gru_params, rnn.init_rnn_state, rnn.rnn),
    "a custom function": custom_functions,
    "custom parameters": lambda rnn: (lambda V, h: [], rnn.init_rnn_state, rnn.rnn),
    "concatenated cells": lambda rnn: (rnn.concat_params, rnn.init_rnn_state, rnn.concat_rnn),
    "another number of layers": lambda rnn: (*rnn.stack("rnn", 2)[:2], rnn.stack("rnn", 3)[2]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_functions_that_do_not_belong_together_are_refused(case):
    words = "embedding is 3, which needs the functions of a cell of this package, of stack or of"
    with pytest.raises(ValueError, match=words):
        reference.RNNModelScratch(V, H, *REFUSED[case](reference), embedding=3)


@pytest.mark.parametrize("size", [0, -1, 2.0, True, "3"])
def test_a_size_that_is_not_positive_is_refused(size):
    with pytest.raises(ValueError, match=r"embedding is .*; expected an integer, 1 or above"):
        reference.RNNModelScratch(V, H, *CELLS["rnn"](reference), embedding=size)


def test_an_architecture_without_embedding_is_stored_as_before():
    plain = cells.Architecture("gru", 2)
    assert "embedding" not in plain.settings()
    assert dataclasses.replace(plain, embedding=3).after_embedding == plain
    assert len(first_values.draw(plain.shapes(V, H), 0)) == len(plain.parameters)


@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (0, 0)])
def test_a_batch_may_be_empty(rnn, shape):
    net = embedded(rnn)
    outputs, state = net.evaluate(np.zeros(shape, int), net.begin_state(shape[0]))
    assert outputs.shape == (0, V)
    assert state[0].shape == (shape[0], H)
    np.testing.assert_array_equal(rnn.to_numpy(state[0]), 0)


def test_an_id_outside_the_vocabulary_is_refused(rnn):
    net = embedded(rnn)
    with pytest.raises(ValueError, match=r"token id 5 is outside 0\.\.4"):
        net(rnn.from_numpy(np.array([[0, 5]])), net.begin_state(1))


@pytest.mark.parametrize("case", WITH_A_W_XE)
def test_a_cell_with_a_parameter_W_xe_is_saved_with_its_table(rnn, tmp_path, case):
    functions, cell = WITH_A_W_XE[case](rnn)
    net, vocab = rnn.RNNModelScratch(V, H, *functions, embedding=E, seed=0), rnn.Vocab("abcd")
    rnn.save_model(tmp_path / "m", net, vocab)
    loaded, _ = rnn.load_model(tmp_path / "m", cell=cell)
    assert len(set(net.architecture.parameters)) == len(net.params)
    for one, other in zip(net.arrays(), loaded.arrays(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.only("numpy", "torch")
@pytest.mark.parametrize("case", ["mamba", "a custom cell"])
def test_a_run_of_a_cell_with_a_parameter_W_xe_is_resumed_bit_for_bit(rnn, tmp_path, case):
    functions, _ = WITH_A_W_XE[case](rnn)
    nets = [rnn.RNNModelScratch(V, H, *functions, embedding=E, seed=0) for _ in range(3)]
    options = {"lr": 0.1, "checkpoint": tmp_path / "run", "progress": False}

    def train(net, num_epochs, **more):
        loader = rnn.SeqDataLoader([*range(V)] * 8, 2, 5, seed=0)
        rnn.train_ch8(net, loader, rnn.Vocab("abcd"), num_epochs=num_epochs, **options | more)

    train(nets[0], 1)
    train(nets[1], 2, resume=True)
    train(nets[2], 2, checkpoint=None)
    for one, other in zip(nets[1].arrays(), nets[2].arrays(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_net_with_two_parameters_of_one_name_is_not_saved(tmp_path, monkeypatch):
    monkeypatch.setattr(cells, "TABLE", "W_xh")
    net = embedded(reference, "rnn")
    with pytest.raises(ValueError, match="the name W_xh is used for two parameters of the net"):
        reference.save_model(tmp_path / "m", net, reference.Vocab("abcd"))
    assert not (tmp_path / "m").exists()
