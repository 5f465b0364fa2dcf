"""What a framework does not have is a clear error."""

import pytest

from d2lrnn.nets import build, cells


@pytest.mark.only("numpy", "torch", "mxnet")
def test_a_framework_without_a_scan_does_not_have_mingru(rnn, backend):
    title = {"numpy": "NumPy", "torch": "PyTorch", "mxnet": "MXNet"}[backend]
    assert not hasattr(rnn, "MinGRU")
    assert "MinGRU" not in dir(rnn)
    with pytest.raises(AttributeError) as error:
        rnn.MinGRU  # noqa: B018
    assert str(error.value) == (
        f"d2lrnn.{backend} does not have MinGRU, because {title} does not have a public scan; use "
        "RNNModelScratch with mingru_scan, which computes the same"
    )


@pytest.mark.frameworks
def test_a_cell_without_a_layer_is_an_error(rnn):
    with pytest.raises(ValueError, match=r" does not have a layer that computes s4d; use RNNModel"):
        build.concise_net(rnn, cells.Architecture("s4d"), 5, 4)
