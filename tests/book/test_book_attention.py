"""Attention in each edition and framework, against an independent calculation in NumPy."""

import importlib
import inspect

import numpy as np
import pytest

from d2lrnn.book import names

both_editions = pytest.mark.parametrize("edition", list(names.PACKAGES))
n, QUERIES, KEYS, V = 3, 2, 5, 4
LENGTHS = {
    "none": None,
    "one a row": [2, 5, 1],
    "one a query": [[1, 5], [2, 3], [4, 4]],
}
lengths = pytest.mark.parametrize("valid_lens", LENGTHS.values(), ids=LENGTHS)


@pytest.fixture
def d2l(edition, backend):
    """The names of the edition in the backend under test."""
    return importlib.import_module(f"{names.PACKAGES[edition]}.{backend}")


@pytest.fixture
def tensor(rnn):
    """A function that makes a tensor of the backend from an array; None stays None."""

    def make(array, dtype="float32"):
        return None if array is None else rnn.from_numpy(np.asarray(array, dtype))

    return make


@pytest.fixture
def additive(d2l, backend, edition):
    """Additive attention with 6 hidden units, for queries of size 3 and keys of size 7."""
    sizes = (7, 3, 6) if "key_size" in parameters(d2l.AdditiveAttention) else (6,)
    return d2l.AdditiveAttention(*sizes, dropout=0.5)


def parameters(cls):
    """Return the names of the arguments of a class."""
    return list(inspect.signature(cls).parameters)


def compute(module, backend, *inputs):
    """Return the outputs of a module without dropout, its attention weights and its matrices."""
    if backend == "jax":
        import jax

        (out, weights), params = module.init_with_output(jax.random.PRNGKey(0), *inputs)
        layers = params.get("params", {})
        return out, weights, {name: layers[name]["kernel"] for name in layers}
    if backend == "tensorflow":
        out = module(*inputs, training=False)
    else:
        _ = module.eval() if backend == "torch" else module.initialize()
        out = module(*inputs)
    layers = {
        name: getattr(module, name) for name in ("W_q", "W_k", "w_v") if hasattr(module, name)
    }
    return out, module.attention_weights, {name: kernel(one) for name, one in layers.items()}


def kernel(layer):
    """Return the matrix that a layer multiplies its inputs by, from the right."""
    if hasattr(layer, "kernel"):
        return np.array(layer.kernel)
    data = layer.weight.data
    return data.numpy().T if hasattr(data, "numpy") else data().asnumpy().T


def softmax(scores, valid_lens):
    """Return the softmax over the valid keys, each row by itself, in float64."""
    weights = np.zeros(scores.shape)
    for i, j in np.ndindex(scores.shape[:2]):
        row = np.full(scores.shape[1], scores.shape[2] if valid_lens is None else valid_lens[i])
        exps = np.exp(scores[i, j, : row[j]])
        weights[i, j, : row[j]] = exps / exps.sum()
    return weights


def drawn(*shape):
    """Return numbers from N(0, 1) that depend only on the shape."""
    return np.random.default_rng(sum(shape)).standard_normal(shape)


@both_editions
@lengths
def test_masked_softmax_equals_the_softmax_of_the_valid_keys(d2l, edition, tensor, rnn, valid_lens):
    scores = drawn(n, QUERIES, KEYS)
    found = rnn.to_numpy(d2l.masked_softmax(tensor(scores), tensor(valid_lens)))
    np.testing.assert_allclose(found, softmax(scores, valid_lens), atol=1e-6)


@both_editions
@pytest.mark.parametrize("dtype", ["int32", "int64", "float32"])
def test_lengths_are_of_any_kind_of_number(d2l, edition, tensor, rnn, dtype):
    scores = drawn(n, QUERIES, KEYS)
    found = rnn.to_numpy(d2l.masked_softmax(tensor(scores), tensor([2, 5, 1], dtype)))
    np.testing.assert_allclose(found, softmax(scores, [2, 5, 1]), atol=1e-6)


@both_editions
def test_without_valid_keys_all_weights_are_equal(d2l, edition, tensor, rnn):
    found = rnn.to_numpy(d2l.masked_softmax(tensor(drawn(1, 1, 4)), tensor([0])))
    np.testing.assert_allclose(found, np.full((1, 1, 4), 0.25))


@both_editions
def test_masked_softmax_does_not_change_the_scores(d2l, edition, tensor, rnn):
    scores = tensor(drawn(n, QUERIES, KEYS))
    before = rnn.to_numpy(scores).copy()
    d2l.masked_softmax(scores, tensor([1, 1, 1]))
    np.testing.assert_array_equal(rnn.to_numpy(scores), before)


@both_editions
@pytest.mark.parametrize("shape", [(1,), (2,), (3, 5), (1, 2), (3, 2, 1)])
def test_lengths_of_another_shape_are_one_clear_error(d2l, edition, tensor, shape):
    with pytest.raises(ValueError, match=r"valid_lens has shape .*; expected \(3,\) or \(3, 2\)"):
        d2l.masked_softmax(tensor(drawn(n, QUERIES, KEYS)), tensor(np.ones(shape)))


@both_editions
@lengths
def test_dot_product_attention_is_the_weighted_sum_of_values(
    d2l, edition, backend, tensor, rnn, valid_lens
):
    queries, keys, values = drawn(n, QUERIES, 6), drawn(n, KEYS, 6), drawn(n, KEYS, V)
    inputs = map(tensor, (queries, keys, values, valid_lens))
    out, weights, _ = compute(d2l.DotProductAttention(dropout=0.5), backend, *inputs)
    expected = softmax(queries @ keys.transpose(0, 2, 1) / np.sqrt(6), valid_lens)
    np.testing.assert_allclose(rnn.to_numpy(weights), expected, atol=1e-6)
    np.testing.assert_allclose(rnn.to_numpy(out), expected @ values, atol=1e-5)


@both_editions
@lengths
def test_additive_attention_is_the_weighted_sum_of_values(
    d2l, edition, backend, tensor, rnn, valid_lens, additive
):
    queries, keys, values = drawn(n, QUERIES, 3), drawn(n, KEYS, 7), drawn(n, KEYS, V)
    inputs = map(tensor, (queries, keys, values, valid_lens))
    out, weights, W = compute(additive, backend, *inputs)
    assert (W["W_q"].shape, W["W_k"].shape, W["w_v"].shape) == ((3, 6), (7, 6), (6, 1))
    hidden = np.tanh((queries @ W["W_q"])[:, :, None] + (keys @ W["W_k"])[:, None])
    expected = softmax((hidden @ W["w_v"])[..., 0], valid_lens)
    np.testing.assert_allclose(rnn.to_numpy(weights), expected, atol=1e-6)
    np.testing.assert_allclose(rnn.to_numpy(out), expected @ values, atol=1e-5)


@both_editions
def test_a_custom_softmax_is_used(d2l, edition, backend, tensor, rnn, monkeypatch):
    monkeypatch.setattr(d2l, "masked_softmax", lambda X, valid_lens: 0 * X + 1)
    values = drawn(n, KEYS, V)
    inputs = map(tensor, (drawn(n, QUERIES, 6), drawn(n, KEYS, 6), values))
    out, _, _ = compute(d2l.DotProductAttention(dropout=0), backend, *inputs, None)
    np.testing.assert_allclose(rnn.to_numpy(out)[:, 0], values.sum(1), atol=1e-5)


@both_editions
def test_a_decoder_with_attention_is_a_decoder(d2l, edition, backend):
    if backend == "jax":
        assert not hasattr(d2l, "AttentionDecoder")
        return

    class Mine(d2l.AttentionDecoder):
        @property
        def attention_weights(self):
            return [1]

    assert isinstance(Mine(), d2l.Decoder)
    assert Mine().attention_weights == [1]
    with pytest.raises(NotImplementedError):
        d2l.AttentionDecoder().attention_weights  # noqa: B018


@both_editions
def test_heatmaps_are_a_grid_with_one_scale_of_colours(d2l, edition, tensor):
    d2l.plt.close("all")
    matrices = drawn(2, 3, 4, 5)
    d2l.show_heatmaps(tensor(matrices), xlabel="Keys", ylabel="Queries", titles=["a", "b", "c"])
    *axes, scale = d2l.plt.gcf().axes
    shown = [one.images[0].get_array() for one in axes]
    titles, xlabels = [one.get_title() for one in axes], [one.get_xlabel() for one in axes]
    ylabels = [one.get_ylabel() for one in axes]
    d2l.plt.close("all")
    np.testing.assert_allclose(np.reshape(shown, matrices.shape), matrices, atol=1e-6)
    assert titles == ["a", "b", "c"] * 2
    assert xlabels == [""] * 3 + ["Keys"] * 3
    assert ylabels == ["Queries", "", ""] * 2
    assert not scale.images


@both_editions
def test_heatmaps_of_another_shape_are_one_clear_error(d2l, edition, tensor):
    with pytest.raises(ValueError, match=r"matrices has shape \(2, 3\); expected \(rows, columns"):
        d2l.show_heatmaps(tensor(drawn(2, 3)), xlabel="Keys", ylabel="Queries")


@both_editions
def test_the_arguments_are_those_of_the_book(d2l, edition, backend):
    more = ["kwargs"] if edition == "classic" else []
    sizes = ["key_size", "query_size"] if additive_has_sizes(edition, backend) else []
    if backend != "jax":
        assert parameters(d2l.DotProductAttention) == ["dropout", *more]
        assert parameters(d2l.AdditiveAttention) == [*sizes, "num_hiddens", "dropout", "kwargs"]
        assert parameters(d2l.AttentionDecoder) == more
    assert parameters(d2l.masked_softmax) == ["X", "valid_lens"]
    expected = ["matrices", "xlabel", "ylabel", "titles", "figsize", "cmap"]
    assert parameters(d2l.show_heatmaps) == expected


def additive_has_sizes(edition, backend):
    """Return whether additive attention has arguments for the sizes of keys and queries."""
    return backend == "tensorflow" or (backend, edition) == ("torch", "classic")


@both_editions
@pytest.mark.parametrize("kind", ["masked_softmax", "DotProductAttention", "AdditiveAttention"])
def test_attention_uses_a_replaced_masking_function(
    d2l, edition, backend, tensor, additive, monkeypatch, kind
):
    if backend in ("jax", "mxnet"):  # whose d2l does not have the function
        assert not hasattr(d2l, "sequence_mask")
        return
    calls = []

    def mask(X, valid_len, value=0):
        calls.append((tuple(X.shape), list(map(int, valid_len)), value))
        return X

    monkeypatch.setattr(d2l, "sequence_mask", mask)
    lens = tensor([1, 2], "int32")
    if kind == "masked_softmax":
        d2l.masked_softmax(tensor(drawn(2, 3, 5)), lens)
    else:
        module = additive if kind == "AdditiveAttention" else d2l.DotProductAttention(dropout=0.5)
        queries, values = tensor(drawn(2, 3, 3)), tensor(drawn(2, 5, 4))
        keys = tensor(drawn(2, 5, 7 if kind == "AdditiveAttention" else 3))
        module(queries, keys, values, lens)
    assert calls == [((6, 5), [1, 1, 1, 2, 2, 2], -1e6)]


@both_editions
def test_heatmaps_use_a_replaced_conversion_function(d2l, edition, tensor, rnn, monkeypatch):
    shapes = []
    monkeypatch.setattr(d2l, "numpy", lambda x: shapes.append(x.shape) or rnn.to_numpy(x) * 0 + 7)
    d2l.show_heatmaps(tensor(drawn(1, 2, 3, 4)), xlabel="Keys", ylabel="Queries")
    assert list(map(tuple, shapes)) == [(3, 4), (3, 4)]
    (image,) = d2l.plt.gcf().axes[0].images
    assert (image.get_array() == 7).all()
