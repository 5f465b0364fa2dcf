"""The functions of 0.17 call the replacements of names that a user replaced."""

import hashlib
import types
import zipfile

import numpy as np
import pytest

# function: the names that it looks up in the module when it is called, as 0.17.6 does.
LOOKUPS = {
    "set_figsize": "use_svg_display",
    "plot": "set_axes set_figsize",
    "show_list_len_pair_hist": "set_figsize",
    "Animator": "set_axes use_svg_display",
    "accuracy": "argmax astype reduce_sum",
    "evaluate_accuracy": "Accumulator accuracy size",
    "evaluate_loss": "Accumulator reduce_sum size",
    "download_extract": "download",
    "download_all": "download",
    "read_time_machine": "download",
    "Vocab": "count_corpus",
    "load_corpus_time_machine": "Vocab read_time_machine tokenize",
    "seq_data_iter_random": "tensor",
    "seq_data_iter_sequential": "tensor",
    "SeqDataLoader": "load_corpus_time_machine seq_data_iter_random seq_data_iter_sequential",
    "load_data_time_machine": "SeqDataLoader",
    "predict_ch8": "reshape tensor",
    "train_epoch_ch8": "Accumulator Timer grad_clipping size",
    "train_ch8": "Animator predict_ch8 train_epoch_ch8",
    "read_data_nmt": "download_extract",
    "build_array_nmt": "astype reduce_sum tensor truncate_pad",
    "load_data_nmt": "Vocab build_array_nmt load_array preprocess_nmt read_data_nmt tokenize_nmt",
    "train_seq2seq": "Accumulator Animator MaskedSoftmaxCELoss Timer grad_clipping",
    "predict_seq2seq": "truncate_pad",
}
# The same, where it depends on the framework.
FURTHER = {
    "torch": {
        "evaluate_loss": "reshape",
        "train_ch8": "sgd",
        "MaskedSoftmaxCELoss": "sequence_mask",
        "train_seq2seq": "concat",
    },
    "tensorflow": {
        "Updater": "sgd",
        "train_ch8": "try_gpu",
        "train_epoch_ch8": "reshape",
        "MaskedSoftmaxCELoss": "sequence_mask",
    },
    "mxnet": {"train_ch8": "sgd", "train_seq2seq": "concat"},
}
VOCAB_SIZE = 9


@pytest.fixture
def book(d2l, backend, rnn, device, archive, make_book_net, make_pair):
    """The module, and arguments for its functions."""
    ids = rnn.from_numpy(np.arange(10).reshape(2, 5) % VOCAB_SIZE)
    return types.SimpleNamespace(
        d2l=d2l,
        backend=backend,
        device=device,
        last=() if backend == "tensorflow" else (device,),
        net=lambda: make_book_net(VOCAB_SIZE),
        pair=make_pair,
        vocab=d2l.Vocab([list("time rav")]),
        minibatches=[(ids, ids)] * 3,
        labels=rnn.from_numpy(np.array([0, 1], "int32")),
        scores=rnn.from_numpy(np.array([[2, 1], [1, 2]], "float32")),
        ones=rnn.from_numpy(np.ones((2, 1), "float32")),
    )


@pytest.fixture
def archive(d2l, texts, monkeypatch):
    """The folder of data, with the pairs of sentences also as an archive."""
    path = texts / "fra-eng.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.write(texts / "fra-eng" / "fra.txt", "fra-eng/fra.txt")
    sha1 = hashlib.sha1(path.read_bytes()).hexdigest()
    monkeypatch.setitem(d2l.DATA_HUB, "fra-eng", (d2l.DATA_URL + path.name, sha1))
    return path


def run_epoch(book):
    d2l, net = book.d2l, book.net()
    if book.backend == "tensorflow":
        loss = d2l.tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return d2l.train_epoch_ch8(net, book.minibatches, loss, d2l.tf.keras.optimizers.SGD(1.0), 0)
    if book.backend == "torch":
        loss, step = d2l.nn.CrossEntropyLoss(), d2l.torch.optim.SGD(net.params, 1.0)
    else:
        loss, step = d2l.gluon.loss.SoftmaxCrossEntropyLoss(), lambda batch_size: None
    return d2l.train_epoch_ch8(net, book.minibatches, loss, step, book.device, False)


def masked_loss(book):
    d2l = book.d2l
    scores, label = d2l.ones((3, 4, 10)), d2l.astype(d2l.ones((3, 4)), d2l.int32)
    valid_len = d2l.tensor([4, 2, 0])
    if book.backend == "tensorflow":
        return d2l.MaskedSoftmaxCELoss(valid_len)(label, scores)
    return d2l.MaskedSoftmaxCELoss()(scores, label.long(), valid_len)


def train_pairs(book):
    data_iter, source, target = book.d2l.load_data_nmt(batch_size=8, num_steps=6)
    net = book.pair(source, target)
    book.d2l.train_seq2seq(net, data_iter, 0.01, 1, target, book.d2l.try_gpu())
    return net, source, target


def translate(book):
    arguments = () if book.backend == "tensorflow" else (book.d2l.try_gpu(),)
    net, *vocabs = train_pairs(book)
    return book.d2l.predict_seq2seq(net, "go .", *vocabs, 6, *arguments)


def squared(out, y):
    return (out - y) ** 2


RUNS = {
    "set_figsize": lambda b: b.d2l.set_figsize(),
    "plot": lambda b: b.d2l.plot([1.0, 2.0]),
    "show_list_len_pair_hist": lambda b: b.d2l.show_list_len_pair_hist(
        ["a", "b"], "x", "y", [[1], [1, 2]], [[1], [2]]
    ),
    "Animator": lambda b: b.d2l.Animator("epoch").add(1, 2),
    "accuracy": lambda b: b.d2l.accuracy(b.scores, b.labels),
    "evaluate_accuracy": lambda b: b.d2l.evaluate_accuracy(lambda X: X, [(b.scores, b.labels)]),
    "evaluate_loss": lambda b: b.d2l.evaluate_loss(lambda X: X, [(b.ones, b.ones)], squared),
    "download_extract": lambda b: b.d2l.download_extract("fra-eng"),
    "download_all": lambda b: b.d2l.download_all(),
    "read_time_machine": lambda b: b.d2l.read_time_machine(),
    "Vocab": lambda b: b.d2l.Vocab(["a"]),
    "load_corpus_time_machine": lambda b: b.d2l.load_corpus_time_machine(),
    "seq_data_iter_random": lambda b: list(b.d2l.seq_data_iter_random(range(35), 2, 5)),
    "seq_data_iter_sequential": lambda b: list(b.d2l.seq_data_iter_sequential(range(35), 2, 5)),
    "SeqDataLoader": lambda b: [list(b.d2l.SeqDataLoader(2, 5, r, 90)) for r in (False, True)],
    "load_data_time_machine": lambda b: b.d2l.load_data_time_machine(2, 5),
    "predict_ch8": lambda b: b.d2l.predict_ch8("time", 3, b.net(), b.vocab, *b.last),
    "train_epoch_ch8": run_epoch,
    "train_ch8": lambda b: b.d2l.train_ch8(b.net(), b.minibatches, b.vocab, 1, 1, b.device),
    "read_data_nmt": lambda b: b.d2l.read_data_nmt(),
    "build_array_nmt": lambda b: b.d2l.build_array_nmt(
        [["a"]], b.d2l.Vocab(["a"], reserved_tokens=["<pad>", "<eos>"]), 3
    ),
    "load_data_nmt": lambda b: b.d2l.load_data_nmt(2, 5),
    "MaskedSoftmaxCELoss": masked_loss,
    "train_seq2seq": train_pairs,
    "predict_seq2seq": translate,
    "Updater": lambda b: b.d2l.Updater([b.d2l.tf.Variable(1.0)], 0.1)(1, [b.d2l.tf.constant(1.0)]),
}


def lookups(backend, function):
    """Return the names that a function of a framework's module looks up."""
    return [*LOOKUPS.get(function, "").split(), *FURTHER[backend].get(function, "").split()]


@pytest.mark.parametrize("function", RUNS)
def test_a_function_calls_the_replacement_of_a_name(book, record_calls, function):
    names = lookups(book.backend, function)
    calls = record_calls(book.d2l, names)
    RUNS[function](book)
    assert sorted(set(calls)) == sorted(names)


def test_every_function_calls_the_others_through_the_module(d2l, called_past):
    past = called_past(d2l) - {("epoch", "train_epoch_ch8")}  # which is d2lrnn.training's
    assert past - {("try_all_gpus", "try_gpu")} == set()  # nor does d2l


def test_a_replaced_function_is_called_for_each_minibatch(book, record_calls):
    calls = record_calls(book.d2l, ["grad_clipping"])
    book.d2l.train_ch8(book.net(), book.minibatches, book.vocab, 1, 2, book.device)
    assert calls == ["grad_clipping"] * 6


def test_a_function_replaced_between_two_epochs_is_called_afterwards(book, record_calls):
    net = book.net()
    book.d2l.train_ch8(net, book.minibatches, book.vocab, 1, 1, book.device)
    calls = record_calls(book.d2l, ["grad_clipping", "tanh"])
    book.d2l.train_ch8(net, book.minibatches, book.vocab, 1, 1, book.device)
    assert calls.count("grad_clipping") == 3
    assert calls.count("tanh") >= 15


def test_a_restored_function_is_called_again(book, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(book.d2l, "read_time_machine", lambda: ["mine"])
        assert book.d2l.load_corpus_time_machine()[1].idx_to_token == ["<unk>", *"mine"]
    assert len(book.d2l.load_corpus_time_machine()[1]) > 10


def test_a_deleted_name_is_missing_for_the_other_functions_too(book, monkeypatch):
    monkeypatch.delattr(book.d2l, "Animator")
    with pytest.raises(AttributeError, match="Animator"):
        book.d2l.train_ch8(book.net(), book.minibatches, book.vocab, 1, 1, book.device)
    monkeypatch.undo()
    assert book.d2l.Animator


def test_texts_are_downloaded_from_a_replaced_hub(d2l, texts, monkeypatch):
    (texts / "mine.txt").write_text("My own text\n")
    monkeypatch.setattr(d2l, "DATA_HUB", {"time_machine": (d2l.DATA_URL + "mine.txt", None)})
    assert d2l.read_time_machine() == ["my own text"]


def test_names_that_are_replaced_in_one_module_are_not_in_another(d2l, plain, monkeypatch):
    monkeypatch.setattr(d2l, "read_time_machine", lambda: ["mine"])
    monkeypatch.setattr(plain, "read_time_machine", lambda: ["a text of another module"])
    assert len(d2l.load_corpus_time_machine()[0]) == 4
