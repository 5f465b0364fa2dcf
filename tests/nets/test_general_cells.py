"""Cells that are not made of gates need only a table entry and a step."""

import numpy as np
import pytest
from bounds import AGREED

from d2lrnn import backends
from d2lrnn.data import batches, text
from d2lrnn.files import onnx_file
from d2lrnn.nets import build, cells
from d2lrnn.nets.cell import Cell
from d2lrnn.nets.cells import Architecture
from d2lrnn.training import language

N = 3  # states for each hidden unit, or keys


def ones(shape, rng):
    return np.ones(shape)


def drawn(shape, rng):
    return rng.uniform(-1, 1, shape)


CELLS = {
    # a gate without W_h, as in minGRU
    "without_recurrent_weights": Cell(
        "without_recurrent_weights",
        {"W_xz": ("d", "h"), "b_z": ("h",), "W_xh": ("d", "h"), "b_h": ("h",)},
        {"H": ("h",)},
        first={"W_xz": drawn, "W_xh": drawn},
    ),
    # a matrix as the state, as in linear attention, and a gain as in a normalization
    "matrix_state": Cell(
        "matrix_state",
        {"gain": ("h",), "W_q": ("d", N), "W_k": ("d", N), "W_v": ("d", "h"), "decay": (N, 1)},
        {"O": ("h",), "S": (N, "h")},
        first={"gain": ones, "W_q": drawn, "W_k": drawn, "W_v": drawn, "decay": drawn},
    ),
    # four axes, two of them 1, and the size of the inputs in the second parameter only
    "four_axes": Cell(
        "four_axes",
        {"b_h": ("h",), "W_xh": ("d", "h"), "a": ("h",)},
        {"H": ("h",), "S": (1, 1, "h")},
        first={"W_xh": drawn, "a": ones},
    ),
}


def steps_of(tensors):
    """Return the steps of these cells with a backend's operations."""

    def without_recurrent_weights(X, state, params):
        W_xz, b_z, W_xh, b_h = params
        (H,) = state
        Z = tensors.sigmoid(X @ W_xz + b_z)
        return ((1 - Z) * H + Z * tensors.tanh(X @ W_xh + b_h),)

    def matrix_state(X, state, params):
        gain, W_q, W_k, W_v, decay = params
        _, S = state  # (n, N, h)
        k, v, q = (X @ W_k)[:, :, None], (X @ W_v)[:, None, :], (X @ W_q)[:, None, :]
        S = tensors.sigmoid(decay) * S + k * v
        return gain * tensors.tanh((q @ S)[:, 0]), S

    def four_axes(X, state, params):
        b_h, W_xh, a = params
        _, S = state  # (n, 1, 1, h)
        S = 0.5 * a * S + tensors.tanh(X @ W_xh + b_h)[:, None, None, :]
        return S[:, 0, 0], S

    return {step.__name__: step for step in (without_recurrent_weights, matrix_state, four_axes)}


def register(monkeypatch, rnn):
    """Add the cells to the table, and their steps to a backend."""
    ops = rnn.RNNModelScratch.ops
    for name, step in steps_of(ops.tensors).items():
        monkeypatch.setitem(cells.CELLS, name, CELLS[name])
        monkeypatch.setitem(ops.step_functions, name, step)


@pytest.fixture(params=sorted(CELLS))
def cell(request, monkeypatch, rnn):
    register(monkeypatch, rnn)
    return request.param


def test_an_entry_of_the_table_of_cells_determines_shapes_and_sizes(cell):
    architecture = Architecture(cell, num_layers=2)
    params = architecture.arrays(5, 4, seed=0)
    assert architecture.sizes(params) == (5, 4)
    assert [param.shape for param in params] == architecture.shapes(5, 4)
    assert architecture.parameters[-2:] == ["W_hq", "b_q"]
    assert architecture.state_shapes(4) == 2 * CELLS[cell].state_shapes(4)


def test_initial_values_follow_the_table_of_cells(cell, rnn):
    net = build.new_net(rnn, Architecture(cell), 5, 4, seed=0)
    for name, array in zip(net.architecture.parameters, net.arrays()):
        if CELLS[cell].first.get(name) is ones:
            assert (array == 1).all()


def loader():
    corpus, vocab = text.build_corpus(["the time traveller " * 20])
    return batches.SeqDataLoader(corpus, 4, 6, seed=0), vocab


@pytest.mark.parametrize("layers", [1, 2])
def test_a_net_of_a_custom_cell_trains_and_generates(cell, rnn, layers):
    data, vocab = loader()
    net = build.new_net(rnn, Architecture(cell, layers), len(vocab), 8, seed=0)
    history = language.train_ch8(net, data, vocab, 0.05, 10, optimizer="adam", progress=False)
    assert history.perplexity[-1] < 0.9 * history.perplexity[0]
    assert rnn.predict_ch8("the ", 5, net, vocab).startswith("the ")


def test_a_net_of_plain_functions_is_saved_in_a_file_and_in_a_checkpoint(cell, rnn, tmp_path):
    data, vocab = loader()
    nets = [build.new_net(rnn, Architecture(cell), len(vocab), 8, seed=0) for _ in range(2)]
    run = tmp_path / "run.safetensors"
    language.train_ch8(nets[0], data, vocab, 0.5, 4, progress=False)
    for resume, epochs in ((False, 2), (True, 4)):
        again, _ = loader()
        settings = {"checkpoint": run, "resume": resume, "progress": False}
        language.train_ch8(nets[1], again, vocab, 0.5, epochs, **settings)
    rnn.save_model(tmp_path / "model", nets[0], vocab)
    loaded, _ = rnn.load_model(tmp_path / "model")
    for expected, resumed, read in zip(*(net.arrays() for net in (*nets, loaded))):
        np.testing.assert_array_equal(resumed, expected)
        np.testing.assert_array_equal(read, expected)


def test_a_padded_batch_gives_the_numbers_of_single_sequences(cell, rnn):
    settings = {"num_layers": 2, "bidirectional": True, "seed": 0, "dtype": "float64"}
    net = rnn.SequenceClassifierScratch(5, 4, 3, cell=cell, **settings)
    batch = [[1, 2, 3, 4], [2], [3, 0]]
    alone = np.concatenate([net.evaluate([row]) for row in batch])
    np.testing.assert_allclose(net.evaluate(batch), alone, atol=AGREED)


def gradients(rnn, cell, arrays, X, Y):
    net = build.new_net(rnn, Architecture(cell, 2), 5, 4, seed=0, dtype="float64")
    net.load_arrays(arrays)
    loss, grads = net.gradients(X, Y, net.begin_state(len(X)))
    return [np.array(loss), *grads]


def test_loss_and_gradients_equal_those_of_the_tape_in_numpy(cell, rnn, monkeypatch):
    reference = backends.load("numpy")
    register(monkeypatch, reference)
    rng = np.random.default_rng(0)
    X, Y = rng.integers(5, size=(2, 3, 7))
    arrays = [rng.normal(size=shape) for shape in Architecture(cell, 2).shapes(5, 4)]
    found, expected = (gradients(b, cell, arrays, X, Y) for b in (rnn, reference))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=AGREED, atol=AGREED)


def test_the_tape_agrees_with_differences(cell, rnn):
    rng = np.random.default_rng(0)
    X, Y = rng.integers(5, size=(2, 2, 4))
    arrays = [rng.normal(size=shape) for shape in Architecture(cell, 2).shapes(5, 4)]
    _, *grads = gradients(rnn, cell, arrays, X, Y)
    step = 1e-6
    for array, grad in zip(arrays, grads):
        place = tuple(rng.integers(size) for size in array.shape)
        losses = []
        for change in (step, -2 * step):
            array[place] += change
            losses.append(gradients(rnn, cell, arrays, X, Y)[0])
        array[place] += step
        assert (losses[0] - losses[1]) / (2 * step) == pytest.approx(grad[place], abs=1e-7)


def test_a_state_of_a_wrong_shape_is_refused(cell, rnn):
    net = build.new_net(rnn, Architecture(cell), 5, 4, seed=0)
    *others, last = net.begin_state(2)
    with pytest.raises(ValueError, match=r"call net.begin_state\(2\)"):
        net(rnn.from_numpy([[0, 1], [1, 2]]), (*others, last[..., :3]))


def test_exporting_a_net_of_plain_functions_to_onnx_is_one_clear_error(cell, rnn):
    pytest.importorskip("onnx")
    net = build.new_net(rnn, Architecture(cell), 5, 4, seed=0)
    with pytest.raises(ValueError, match="expected one of 'rnn', 'gru'"):
        onnx_file.to_onnx(net, text.Vocab("abcd"))
