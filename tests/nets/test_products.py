"""Large products of PyTorch's loops are computed by the faster library."""

import numpy as np
import pytest

from d2lrnn import backends
from d2lrnn.measure import agreement

pytestmark = pytest.mark.usefixtures("pytorch")
n, k, m, T = 3, 16, 24, 20
WIDE = {"num_hiddens": 512, "num_steps": 24, "batch_size": 4, "num_inputs": 6, "scale": 0.02}


@pytest.fixture
def drawn(pytorch):
    """X (n, k), weights (k, m), and what is to be added, (n, m), of as many steps as pay."""
    rng = np.random.default_rng(0)
    shapes = (n, k), (k, m), (T, n, m)
    return [pytorch.from_numpy(rng.standard_normal(shape).astype("float32")) for shape in shapes]


@pytest.mark.parametrize("by", ["MKL", "oneDNN"])
def test_a_product_is_the_same_by_either_library(drawn, monkeypatch, by):
    from d2lrnn.torch import products

    if by == "oneDNN" and not products.has_onednn():
        pytest.skip("this PyTorch has no product of oneDNN's")
    X, W, A = drawn
    monkeypatch.setattr(products, "pays", lambda W, A: by == "oneDNN")
    columns = W.T.contiguous().T  # the same weights, turned in memory
    for weights in (W, columns):
        assert products.times(weights, A)(X).sub(X @ W).abs().max() < 1e-5
        assert products.plus(weights, A)(A[0], X).sub(A[0] + X @ W).abs().max() < 1e-5
    strided = A[0].repeat(1, 2)[:, :m]
    assert products.plus(W, A)(strided, X).sub(A[0] + X @ W).abs().max() < 1e-5


def test_added_values_are_not_changed(drawn, monkeypatch):
    from d2lrnn.torch import products

    X, W, A = drawn
    before = A.clone()
    for pays in (False, products.has_onednn()):
        monkeypatch.setattr(products, "pays", lambda W, A, pays=pays: pays)
        products.plus(W, A)(A[0], X)
        assert A.equal(before)


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_a_wide_net_agrees_with_the_float64_reference(pytorch, cell):
    problem = agreement.make_problem(cell, **WIDE)
    expected = agreement.solve(backends.load("numpy"), problem)
    found = agreement.solve(pytorch, problem, "float32", fused=True)
    for quantity, arrays in found.items():
        limit = agreement.bound(quantity, "float32", problem.num_terms)
        for name, array in arrays.items():
            assert agreement.difference(array, expected[quantity][name]) <= limit, name


def test_only_large_products_of_many_steps_on_amd_use_onednn(pytorch, monkeypatch):
    import torch

    from d2lrnn.torch import products

    monkeypatch.setattr(products, "there", lambda: True)
    W, A = torch.empty(512, 512), torch.empty(35, 32, 512)
    assert products.pays(W, A) == torch.backends.mkldnn.enabled
    assert not products.pays(W[:256], A[..., :256])
    assert not products.pays(W, A[:3])
    assert not products.pays(W, A[:, :1])
    assert not products.pays(W.double(), A.double())
    assert not products.pays(W.to("meta"), A.to("meta"))
    monkeypatch.setattr(products, "there", lambda: False)
    assert not products.pays(W, A)


def test_a_processor_that_is_not_from_amd_is_recognized(tmp_path, monkeypatch):
    from d2lrnn.torch import products

    about = tmp_path / "cpuinfo"
    monkeypatch.setattr(products, "ABOUT", about)
    assert not products.is_amd()
    about.write_text("vendor_id : GenuineIntel\n")
    assert not products.is_amd()
    about.write_text("vendor_id : AuthenticAMD\n")
    assert products.is_amd()
