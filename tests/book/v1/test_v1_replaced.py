"""The functions and methods of 1.0 call the replacements of names that a user replaced."""

import pytest

# What is run: the names that it looks up in the module meanwhile, as 1.0.3 does.
LOOKUPS = {
    "set_figsize": "use_svg_display",
    "plot": "set_axes set_figsize",
    "show_list_len_pair_hist": "set_figsize",
    "a board": "use_svg_display",
    "an animator": "set_axes use_svg_display",
    "try_gpu": "cpu num_gpus",
    "try_all_gpus": "num_gpus",
    "time machine": "Vocab tensor",
    "pairs": "Vocab astype reduce_sum tensor",
    "a scratch model": "ProgressBoard",
    "training from scratch": "exp matmul num_gpus reshape tanh",
    "prediction": "argmax reshape stack tensor",
    "training with layers": "num_gpus",
    "regression data": "matmul reshape",
    "regression": "SGD matmul reduce_mean",
    "classification": "argmax astype reduce_mean reshape",
    "an encoder": "GRU transpose",
}
# Functions of 0.17 that 1.0 keeps, but in JAX.
FORMER = {
    "linreg": "matmul",
    "squared_loss": "reshape",
    "synthetic_data": "",
    "accuracy": "argmax astype reduce_sum",
    "download_extract": "download",
    "evaluate_loss": "Accumulator reduce_sum size",
    "read_data_nmt": "download_extract",
    "build_array_nmt": "astype reduce_sum tensor truncate_pad",
    "load_data_nmt": "Vocab build_array_nmt load_array preprocess_nmt read_data_nmt tokenize_nmt",
    "train_seq2seq": "Animator",
}
RANDOM = {
    **FORMER,
    "a scratch model": "randn zeros",
    "regression data": "randn",
    "regression": "normal zeros",
    "synthetic_data": "matmul normal reshape",
    "layer_summary": "randn",
    "training with layers": "swapaxes",
}
# The same, where it depends on the framework.
FURTHER = {
    "torch": {
        **RANDOM,
        "evaluate_loss": "Accumulator reduce_sum reshape size",
        "training from scratch": "cpu numpy to zeros",
        "an encoder": "astype init_seq2seq",
    },
    "tensorflow": {
        **FORMER,
        "a scratch model": "normal zeros",
        "layer_summary": "normal",
        "training from scratch": "numpy zeros",
        "training with layers": "transpose",
    },
    "jax": {
        "get_key": "get_seed",
        "training from scratch": "cpu get_key to",
        "training with layers": "swapaxes",
        "an encoder": "astype",
    },
    "mxnet": {**RANDOM, "training from scratch": "SGD numpy zeros"},
}


# Functions that 1.0.3 does not look up either where they are called here, by their names.
PAST = {
    ("DataModule.get_tensorloader", "load_array"),
    ("LinearRegressionScratch.loss", "squared_loss"),
    ("Trainer.clip_gradients", "clip"),
    ("Trainer.clip_gradients", "grad_clipping"),
    ("grad_clipping", "clip"),
    ("Module.get_scratch_params", "Module"),
    ("Module.set_scratch_params_device", "Module"),
    ("Loader.__iter__", "numpy"),  # the package
    ("try_all_gpus", "num_gpus"),  # 0.17's
    ("try_all_gpus", "try_gpu"),
    ("try_gpu", "num_gpus"),
}


def lookups(backend, function):
    """Return the names that are looked up in a framework's module."""
    return [*LOOKUPS.get(function, "").split(), *FURTHER[backend].get(function, "").split()]


def squared(out, y):
    return (out - y) ** 2


RUNS = {
    "set_figsize": lambda b: b.d2l.set_figsize(),
    "plot": lambda b: b.d2l.plot([1.0, 2.0]),
    "show_list_len_pair_hist": lambda b: b.d2l.show_list_len_pair_hist(
        ["a", "b"], "x", "y", [[1], [1, 2]], [[1], [2]]
    ),
    "a board": lambda b: b.d2l.ProgressBoard().draw(1, 2, "one"),
    "an animator": lambda b: b.d2l.Animator("epoch").add(1, 2),
    "try_gpu": lambda b: b.d2l.try_gpu(),
    "try_all_gpus": lambda b: b.d2l.try_all_gpus(),
    "time machine": lambda b: b.d2l.TimeMachine(10, 4),
    "pairs": lambda b: b.d2l.MTFraEng(4, 5, 40, 19),
    "a scratch model": lambda b: b.scratch(),
    "training from scratch": lambda b: b.fit(b.scratch()),
    "prediction": lambda b: b.predict(),
    "training with layers": lambda b: b.fit(b.layers()),
    "regression data": lambda b: b.regression_data(),
    "regression": lambda b: b.regress(),
    "classification": lambda b: b.classify(),
    "layer_summary": lambda b: b.summarize(),
    "an encoder": lambda b: b.encode(),
    "get_key": lambda b: b.d2l.get_key(),
    "linreg": lambda b: b.d2l.linreg(b.ones, b.d2l.ones((2, 1)), 1),
    "squared_loss": lambda b: b.d2l.squared_loss(b.ones, b.ones),
    "synthetic_data": lambda b: b.d2l.synthetic_data(b.d2l.tensor([2.0, -3.4]), 4.2, 5),
    "accuracy": lambda b: b.d2l.accuracy(b.ones, b.labels),
    "download_extract": lambda b: b.d2l.download_extract("fra-eng"),
    "evaluate_loss": lambda b: b.d2l.evaluate_loss(lambda X: X, [(b.ones, b.ones)], squared),
    "read_data_nmt": lambda b: b.d2l.read_data_nmt(),
    "build_array_nmt": lambda b: b.build_array(),
    "load_data_nmt": lambda b: b.d2l.load_data_nmt(4, 5),
    "train_seq2seq": lambda b: b.train_seq2seq(),
}


@pytest.mark.parametrize("function", RUNS)
def test_a_function_calls_the_replacement_of_a_name(book, record_calls, function):
    names = lookups(book.backend, function)
    calls = record_calls(book.d2l, names)
    RUNS[function](book)
    assert sorted(set(calls)) == sorted(names)


def test_every_function_calls_the_others_through_the_module(d2l, called_past):
    assert called_past(d2l) - PAST == set()


def test_a_replaced_function_is_called_for_each_minibatch(book, record_calls):
    calls = record_calls(book.d2l, ["exp"])
    book.fit(book.scratch(lr=0.6))
    assert calls == ["exp"] * 4  # 3 to train with, and one held out


def test_a_trainer_uses_the_devices_that_a_readers_functions_name(d2l, monkeypatch):
    monkeypatch.setattr(d2l, "num_gpus", lambda: 3)
    monkeypatch.setattr(d2l, "gpu", lambda i=0: f"gpu {i}")
    assert d2l.Trainer(max_epochs=1, num_gpus=2).gpus == ["gpu 0", "gpu 1"]
    assert d2l.try_all_gpus() == ["gpu 0", "gpu 1", "gpu 2"]
    assert d2l.try_gpu(2) == "gpu 2"


def test_the_text_comes_from_a_readers_own_download_and_address(d2l, files, monkeypatch):
    asked = []
    (files / "mine.txt").write_text("mine " * 20)
    monkeypatch.setattr(d2l, "DATA_URL", "http://mirror/")
    monkeypatch.setattr(d2l, "download", lambda *asks: asked.append(asks) or files / "mine.txt")
    data = d2l.TimeMachine(batch_size=2, num_steps=4)
    assert data.vocab.idx_to_token == [" ", "<unk>", "e", "i", "m", "n"]
    assert [asks[:2] for asks in asked] == [("http://mirror/timemachine.txt", "../data")]


def test_pairs_come_from_a_readers_own_download_and_extract(d2l, files, tmp_path, monkeypatch):
    def extract(path):
        assert path == "archive"
        (tmp_path / "fra-eng").mkdir()
        (tmp_path / "fra-eng" / "fra.txt").write_text("a a\tb b\n" * 3)

    class Pairs(d2l.MTFraEng):
        def _download(self):
            self.root = tmp_path
            return super()._download()

    monkeypatch.setattr(d2l, "download", lambda url, folder, sha1: "archive")
    monkeypatch.setattr(d2l, "extract", extract)
    assert "a" in Pairs(batch_size=2).src_vocab.token_to_idx


def test_a_custom_board_receives_a_point_for_each_minibatch(book, monkeypatch):
    class Board(book.d2l.ProgressBoard):
        def draw(self, x, y, label, every_n=1):
            drawn.append(label)

    drawn = []
    monkeypatch.setattr(book.d2l, "ProgressBoard", Board)
    book.fit(book.scratch(lr=0.9))
    assert drawn == ["train_ppl"] * 3 + ["val_ppl"]


def test_methods_that_are_added_to_a_class_are_called_by_its_others(book, monkeypatch):
    calls = []
    for name in ("fit_epoch", "prepare_batch", "clip_gradients"):
        method = getattr(book.d2l.Trainer, name)
        monkeypatch.setattr(book.d2l.Trainer, name, method)  # to be put back after the test

        def added(*args, method=method):
            calls.append(method.__name__)
            return method(*args)

        added.__name__ = name
        book.d2l.add_to_class(book.d2l.Trainer)(added)
    book.fit(book.scratch(lr=0.8))
    assert calls.count("fit_epoch") == 1
    assert calls.count("prepare_batch") == 4
    assert calls.count("clip_gradients") == 3


def test_a_restored_function_is_called_again(book, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(book.d2l, "Vocab", lambda tokens: {token: 7 for token in tokens})
        assert set(book.data.build("a b c")[0]) == {7}
    assert book.data.build("a b c")[0] == [2, 0, 3, 0, 4]


def test_names_that_are_replaced_in_one_module_are_not_in_another(book, plain, monkeypatch):
    monkeypatch.setattr(plain, "Vocab", dict)
    assert len(book.d2l.TimeMachine(10, 4).vocab) > 20
