"""Model files."""

import hashlib
import json
import os
import tracemalloc

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save

from d2lrnn import backends
from d2lrnn.files import tensor_file
from d2lrnn.nets import build, cells


@pytest.fixture
def saved(rnn, make_net, tmp_path):
    """A model of the backend under test, and the file it was saved in."""
    vocab = rnn.Vocab("the time machine")
    net = make_net(len(vocab), 8)
    path = tmp_path / "model.safetensors"
    rnn.save_model(path, net, vocab, corpus="three words")
    return net, vocab, path


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_loaded_model_equals_the_saved_one(rnn, make_net, tmp_path, dtype):
    vocab = rnn.Vocab(["to", "be", "or"])
    net = make_net(len(vocab), 8, dtype=dtype)
    rnn.save_model(tmp_path / "m", net, vocab)
    again, words = rnn.load_model(tmp_path / "m")
    assert words.idx_to_token == vocab.idx_to_token
    assert words.token == "word"
    assert (again.num_hiddens, again.dtype) == (8, dtype)
    for one, other in zip(again.arrays(), net.arrays()):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


def test_a_loaded_model_can_be_trained_further(rnn, saved):
    net, vocab = rnn.load_model(saved[2])
    X = np.array([vocab[list("the time")]])
    step, state = net.make_step(1.0), net.begin_state(1)
    losses = [step(X[:, :-1], X[:, 1:], state)[0] for _ in range(5)]
    assert losses[-1] < losses[0]


def test_a_file_can_be_read_without_this_package(saved):
    net, _, path = saved
    with safe_open(path, framework="numpy") as file:
        assert set(file.keys()) == {"W_xh", "W_hh", "b_h", "W_hq", "b_q"}
        np.testing.assert_array_equal(file.get_tensor("W_hh"), net.arrays()[1])
        settings = json.loads(file.metadata()["settings"])
    assert settings == {
        "cell": "rnn",
        "num_layers": 1,
        "bidirectional": False,
        "corpus": "three words",
        "dtype": "float32",
        "num_hiddens": 8,
    }


def test_a_model_generates_the_same_text_in_another_backend(pair, tmp_path):
    one, other = (backends.load(name) for name in pair)
    loader, vocab = one.load_data_builtin(8, 20, max_tokens=2000, seed=0)
    net = one.RNNModelScratch(len(vocab), 32, one.get_params, one.init_rnn_state, one.rnn, seed=0)
    one.train_ch8(net, loader, vocab, 1.0, 20, progress=False)
    one.save_model(tmp_path / "m", net, vocab)
    again, _ = other.load_model(tmp_path / "m")
    texts = [
        rnn.predict_ch8("The clock", 100, model, vocab)
        for rnn, model in ((one, net), (other, again))
    ]
    assert texts[0] == texts[1]
    assert len(set(texts[0])) > 5


def test_saving_replaces_the_file_and_leaves_no_other(rnn, saved):
    net, vocab, path = saved
    before = path.read_bytes()
    net.make_step(1.0)(np.array([[1, 2]]), np.array([[2, 3]]), net.begin_state(1))
    rnn.save_model(path, net, vocab)
    assert path.read_bytes() != before
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("content", [b"", b"not a model", b"\xff" * 100])
def test_an_object_that_is_not_a_model_is_refused(rnn, tmp_path, content):
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(rnn.CheckpointError, match="is not a readable model"):
        rnn.load_model(tmp_path / "m")


def test_a_truncated_model_is_refused(rnn, saved):
    content = saved[2].read_bytes()
    saved[2].write_bytes(content[:-10])
    with pytest.raises(rnn.CheckpointError, match="is not a readable model"):
        rnn.load_model(saved[2])


def test_safetensors_of_another_kind_are_refused(rnn, tmp_path):
    (tmp_path / "m").write_bytes(save({"x": np.zeros(3)}))
    with pytest.raises(rnn.CheckpointError) as error:
        rnn.load_model(tmp_path / "m")
    assert str(error.value) == (
        f"{tmp_path / 'm'} has the format 'no format'; expected 'd2lrnn model 2'"
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("settings", "{}"),
        ("settings", '{"cell": "lstm", "num_layers": 1, "bidirectional": false}'),
        ("vocab", "[]"),
        ("vocab", "no json"),
        ("vocab", '{"token": "char", "tokens": ["<unk>", "a"], "unk": "<unk>"}'),
    ],
)
def test_an_invalid_header_is_refused(rnn, saved, key, value):
    with safe_open(saved[2], framework="numpy") as file:
        header, names = {**file.metadata(), key: value}, file.keys()
        tensors = {name: file.get_tensor(name) for name in names}
    saved[2].write_bytes(tensor_file.pack(tensors, header))
    with pytest.raises(rnn.CheckpointError, match=str(saved[2])):
        rnn.load_model(saved[2])


def rewrite(path, change):
    """Write a file anew, sealed, after change(tensors, metadata) has changed what it holds."""
    tensors, metadata = tensor_file.unpack(path)
    change(tensors, metadata)
    path.write_bytes(tensor_file.pack(tensors, metadata))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda tensors, _: tensors.pop("W_hh"), "the tensors lack W_hh"),
        (
            lambda tensors, _: tensors.update(W_xz=tensors["W_hh"]),
            "the tensors hold W_xz, which this version does not support",
        ),
        (
            lambda tensors, _: tensors.update(b_h=np.zeros(7, "float32")),
            "b_h has shape (7,); expected (8,)",
        ),
        (
            lambda tensors, _: tensors.update(b_h=np.zeros(8)),
            "b_h has dtype float64; expected float32",
        ),
        (lambda _, metadata: metadata.pop("vocab"), "the metadata lack vocab"),
        (
            lambda _, metadata: metadata.update(author="me"),
            "the metadata hold author, which this version does not support",
        ),
        (lambda _, metadata: metadata.update(settings="{}"), "'num_hiddens' is missing"),
    ],
)
def test_missing_unknown_and_invalid_settings_are_named(rnn, saved, change, reason):
    rewrite(saved[2], change)
    with pytest.raises(rnn.CheckpointError) as error:
        rnn.load_model(saved[2])
    assert str(error.value) == f"{saved[2]} is not a readable model ({reason})"


def test_a_file_of_a_newer_format_is_an_error_that_says_so(rnn, saved):
    rewrite(saved[2], lambda _, metadata: metadata.update(format="d2lrnn model 3"))
    with pytest.raises(rnn.CheckpointError) as error:
        rnn.load_model(saved[2])
    assert str(error.value) == (
        f"{saved[2]} has the format 'd2lrnn model 3', which is newer than 'd2lrnn model 2', "
        "the newest that this version can read; run: pip install --upgrade d2lrnn"
    )


def test_a_file_of_the_first_format_without_checksums_is_read(rnn, saved):
    net, vocab, path = saved
    tensors, metadata = tensor_file.unpack(path)
    old = {key: metadata[key] for key in ("vocab", "settings")}
    path.write_bytes(save(tensors, {**old, "format": "d2lrnn model 1"}))
    again, words = rnn.load_model(path)
    assert words.idx_to_token == vocab.idx_to_token
    for one, other in zip(again.arrays(), net.arrays()):
        np.testing.assert_array_equal(one, other)


def test_a_file_without_its_checksums_is_refused(rnn, saved):
    tensors, metadata = tensor_file.unpack(saved[2])
    bare = {key: value for key, value in metadata.items() if key not in tensor_file.SEALS}
    saved[2].write_bytes(save(tensors, bare))
    with pytest.raises(rnn.CheckpointError, match="the metadata lack header_sha256, payload_sha25"):
        rnn.load_model(saved[2])


def test_the_checksum_is_the_sha256_of_the_tensors_bytes(saved):
    content = saved[2].read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    with safe_open(saved[2], framework="numpy") as file:
        assert file.metadata()["payload_sha256"] == hashlib.sha256(content[end:]).hexdigest()


def test_the_same_model_is_the_same_file(rnn, saved, tmp_path):
    net, vocab, path = saved
    for number in range(5):
        rnn.save_model(tmp_path / str(number), net, vocab, corpus="three words")
        assert (tmp_path / str(number)).read_bytes() == path.read_bytes()


def test_a_vocabulary_of_another_size_is_not_saved(rnn, make_net, tmp_path):
    with pytest.raises(
        ValueError, match="the vocabulary has 3 tokens, but the net has vocab_size 5"
    ):
        rnn.save_model(tmp_path / "m", make_net(), rnn.Vocab("ab"))


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_saving_takes_no_more_memory_than_one_array(reference, tmp_path, cell):
    vocab = reference.Vocab("the time machine")
    net = build.new_net(reference, cells.Architecture(cell, 4), len(vocab), 500, seed=0)
    tracemalloc.start()
    try:
        reference.save_model(tmp_path / "m", net, vocab)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 500 * 500 * 4 + 300_000


@pytest.mark.parametrize(("cell", "gates"), [("rnn", 1), ("lstm", 4)])
def test_saving_a_framework_s_own_layers_takes_the_memory_of_one(
    rnn, make_concise, tmp_path, cell, gates
):
    vocab = rnn.Vocab("the time machine")
    settings = {"num_layers": 6, "vocab_size": len(vocab), "num_hiddens": 200}
    net = make_concise(cell, **settings)
    tracemalloc.start()
    try:
        rnn.save_model(tmp_path / "m", net, vocab)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    layer = 2 * gates * 200 * 200 * 4
    assert peak < 3 * layer + 500_000  # as the framework has it, turned, and the one before
    again, _ = rnn.load_model(tmp_path / "m")
    for array, expected in zip(again.arrays(), net.arrays(), strict=True):
        np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("content", [b"Dear diary", b"\x05" + bytes(20), b"x" * 100_000])
def test_a_file_of_another_kind_is_not_replaced(rnn, make_net, tmp_path, content):
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(FileExistsError) as error:
        rnn.save_model(tmp_path / "m", make_net(), rnn.Vocab("abcd"))
    assert str(error.value) == (
        f"{tmp_path / 'm'} already exists and is not a model of d2lrnn; "
        "choose another name, or remove it"
    )
    assert (tmp_path / "m").read_bytes() == content


def test_safetensors_of_another_kind_are_not_replaced(rnn, make_net, tmp_path):
    (tmp_path / "m").write_bytes(save({"x": np.zeros(3)}))
    with pytest.raises(FileExistsError, match="is not a model of d2lrnn"):
        rnn.save_model(tmp_path / "m", make_net(), rnn.Vocab("abcd"))


@pytest.mark.parametrize("damage", [lambda content: content[:-9], lambda content: b""])
def test_a_damaged_model_and_an_empty_file_are_replaced(rnn, saved, damage):
    net, vocab, path = saved
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    rnn.save_model(path, net, vocab, corpus="three words")
    assert path.read_bytes() == whole


def test_a_model_that_only_its_owner_can_read_keeps_its_mode(rnn, saved):
    net, vocab, path = saved
    path.chmod(0o600)
    rnn.save_model(path, net, vocab)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_stays_a_link(rnn, saved, tmp_path):
    net, vocab, path = saved
    (tmp_path / "link").symlink_to(path)
    rnn.save_model(tmp_path / "link", net, vocab)
    assert (tmp_path / "link").is_symlink()
    assert sorted(os.listdir(tmp_path)) == sorted([path.name, "link"])


def test_a_missing_file_is_an_os_error(rnn, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        rnn.load_model(tmp_path / "nowhere")
