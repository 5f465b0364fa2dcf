"""Calls as in the book, and tensors of other frameworks: one error that says what to do."""

import re

import numpy as np
import pytest

from d2lrnn import backends

V, H = 5, 4


@pytest.fixture
def parts(rnn, make_net):
    """A net, a loader and a vocabulary."""
    vocab = rnn.Vocab("abcd")
    return make_net(len(vocab), H), rnn.SeqDataLoader([0, 1, 2, 3] * 10, 2, 5, seed=0), vocab


def book_calls(rnn, net, loader, vocab):
    functions, device = (rnn.get_params, rnn.init_rnn_state, rnn.rnn), rnn.try_gpu()
    model, tensorflow_order = rnn.RNNModelScratch, (rnn.init_rnn_state, rnn.rnn, rnn.get_params)
    return {
        "model": (lambda: model(V, H, device, *functions), "device=..."),
        "model, keyword": (lambda: model(V, H, *functions, ctx=device), "device=..."),
        "model, 5 with device": (lambda: model(V, H, device, *functions[:2]), "device=..."),
        "model, TensorFlow": (lambda: model(V, H, *tensorflow_order), "get_params, init_state"),
        "train": (lambda: rnn.train_ch8(net, loader, vocab, 1, 1, device), "leave out the device"),
        "train, random": (
            lambda: rnn.train_ch8(net, loader, vocab, 1, 1, device, use_random_iter=True),
            "leave out the device",
        ),
        "train, keyword": (
            lambda: rnn.train_ch8(net, loader, vocab, 1, 1, strategy=device),
            "leave out the device",
        ),
        "epoch": (
            lambda: rnn.train_epoch_ch8(net, loader, len, len, device, False),
            "make_step(net, lr)",
        ),
        "predict": (lambda: rnn.predict_ch8("a", 5, net, vocab, device), "leave out the device"),
        "state of a net": (lambda: net.begin_state(2, device), "leave out the device"),
        "state of a net, keyword": (
            lambda: net.begin_state(batch_size=2, ctx=device),
            "leave out the device",
        ),
        "params": (lambda: rnn.get_params(V, H, device), "device=..."),
        "lstm params": (lambda: rnn.get_lstm_params(V, H, device), "device=..."),
        "state": (lambda: rnn.init_rnn_state(2, H, device), "device=..."),
        "gru state": (lambda: rnn.init_gru_state(2, H, device), "device=..."),
    }


CALLS = tuple(book_calls(backends.load("numpy"), None, None, None))


@pytest.mark.parametrize("name", CALLS)
def test_a_call_in_the_book_s_order_is_an_error_that_says_what_to_change(rnn, parts, name):
    call, remedy = book_calls(rnn, *parts)[name]
    with pytest.raises(TypeError, match=re.escape(remedy)):
        call()


def test_a_type_error_within_a_function_is_not_explained_away(rnn, parts):
    net, _, vocab = parts
    with pytest.raises((TypeError, ValueError)) as caught:
        rnn.train_ch8(net, 3, vocab, 1, 1, progress=False)
    assert "leave out the device" not in str(caught.value)


@pytest.mark.frameworks
def test_the_error_for_a_state_with_a_device_says_to_leave_the_device_out(rnn, make_concise):
    with pytest.raises(TypeError, match="leave out the device"):
        make_concise().begin_state(2, rnn.try_gpu())


class Foreign:
    """A tensor of a framework that is not one of the five."""

    shape, ndim, dtype = (1, 2), 2, np.dtype("float32")


def others(rnn):
    found = {"list": [[0.1, 0.2]], "foreign": Foreign()}
    if rnn.RNNModelScratch.ops.name != "numpy":
        found["NumPy"] = np.ones((1, 2), np.float32)
    return found


@pytest.mark.parametrize("kind", ["list", "foreign", "NumPy"])
@pytest.mark.parametrize("function", ["grad_clipping", "embedding", "mlp", "mlp params", "rnn"])
def test_a_tensor_of_another_framework_is_refused(rnn, function, kind):
    if kind not in others(rnn):
        return  # NumPy arrays are NumPy's own tensors
    other = others(rnn)[kind]
    params = rnn.get_mlp_params(2, 3, 2, seed=0)
    rnn_params = rnn.get_params(2, 3, seed=0)
    calls = {
        "grad_clipping": lambda: rnn.grad_clipping([other], 1.0),
        "embedding": lambda: rnn.embedding([0], other),
        "mlp": lambda: rnn.mlp(other, params),
        "mlp params": lambda: rnn.mlp(rnn.from_numpy(np.ones((1, 2), "float32")), [other] * 4),
        "rnn": lambda: rnn.rnn(other, rnn.init_rnn_state(1, 3), rnn_params),
    }
    with pytest.raises(
        ValueError, match=r"expected .* arrays; convert it with d2lrnn\..*from_numpy"
    ):
        calls[function]()


def test_a_net_in_place_of_its_gradients_is_refused(rnn, make_net):
    with pytest.raises(ValueError, match="grads is a RNNModelScratch; expected the list"):
        rnn.grad_clipping(make_net(), 1.0)


def test_a_foreign_state_is_refused(rnn, make_net):
    net = make_net()

    class State(Foreign):
        shape = (1, net.num_hiddens)

    with pytest.raises(ValueError, match=r"state is a State; expected .* arrays"):
        net([[0, 1]], (State(),))


@pytest.mark.pair
def test_a_tensor_of_another_backend_is_refused(pair):
    one, other = map(backends.load, pair)
    given = other.from_numpy(np.ones((1, 2), np.float32))
    with pytest.raises(ValueError, match=f"expected {backends.BACKENDS[pair[0]].title} arrays"):
        one.embedding([0], given)


def test_a_state_of_numpy_arrays_is_converted(rnn, make_net):
    net, X = make_net(), [[0, 1]]
    expected, _ = net.evaluate(np.array(X), net.begin_state(1))
    found, _ = net.evaluate(np.array(X), (np.zeros((1, net.num_hiddens), np.float32),))
    np.testing.assert_array_equal(found, expected)


def test_the_error_for_a_smaller_last_minibatch_names_both_remedies(rnn, parts):
    net, _, vocab = parts
    minibatches = [(np.ones((n, 3), int), np.ones((n, 3), int)) for n in (4, 4, 2)]
    with pytest.raises(ValueError, match=r"minibatch 3 has 2 rows.*drop_last.*use_random_iter"):
        rnn.train_ch8(net, minibatches, vocab, 1, 1, progress=False)
    history = rnn.train_ch8(net, minibatches, vocab, 1, 1, use_random_iter=True, progress=False)
    assert len(history.perplexity) == 1


def test_the_repr_of_a_loader_shows_its_sizes(rnn):
    loader = rnn.SeqDataLoader(range(1000), 2, 5, use_random_iter=True)
    assert repr(loader) == (
        "<SeqDataLoader: 1,000 tokens, batch_size=2, num_steps=5, at random, "
        "99 minibatches an epoch>"
    )


@pytest.mark.parametrize("text", ["the cat sat on the mat\n" * 2, "the cat " * 1000])
@pytest.mark.parametrize("function", ["load_data_text", "read_text"])
def test_a_text_in_place_of_a_path_is_explained(rnn, function, text):
    sizes = (4, 5) if function == "load_data_text" else ()
    with pytest.raises(ValueError, match="so it is a text; expected the name of a file"):
        getattr(rnn, function)(text, *sizes)


@pytest.mark.parametrize("path", [None, 3, ["a"]])
def test_an_object_that_is_not_a_path_is_refused(rnn, path):
    with pytest.raises(ValueError, match="expected the name of a text file"):
        rnn.read_text(path)


@pytest.mark.parametrize("order", [(1, 0, 2), (0, 2, 1), (1, 2, 0), (2, 0, 1)])
def test_save_model_with_swapped_arguments_names_the_order(rnn, make_net, tmp_path, order):
    vocab = rnn.Vocab("abcd")
    given = tmp_path / "model", make_net(len(vocab)), vocab
    with pytest.raises(ValueError, match=r"expected \(path, net, vocab\)"):
        rnn.save_model(*(given[i] for i in order))


def test_the_pip_command_of_an_extra_names_packages():
    assert backends.install("keras2") == "pip install 'tf-keras>=2.16'"
    assert "mpi4py" in backends.install("mpi")
    assert "d2lrnn[" not in backends.install("book")


def test_the_pip_command_without_metadata_names_the_folder(monkeypatch):
    from importlib import metadata

    monkeypatch.setattr(metadata, "requires", lambda name: None)
    assert backends.install("mpi").startswith("pip install '.[mpi]'")
