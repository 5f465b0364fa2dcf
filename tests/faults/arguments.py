"""Strategies for the arguments of every function of the interface, valid and invalid.

FUNCTIONS holds strategies by function and argument; an argument that it does not name is in COMMON.
EXTRA is what the result of a function is called with in turn. An Argument has right values and odd
ones; where there is a strategy alone, it draws both.
"""

import math
import os
from typing import NamedTuple

import numpy as np
from anything import H, Made, V, batches, floats, made, shapes, small_numbers, tokens
from calls import layer_of
from hypothesis import strategies as st

from d2lrnn.data.bpe import BPETokenizer
from d2lrnn.nets import build, concatenated, linear, networks
from d2lrnn.nets.cells import CELLS, Architecture
from d2lrnn.nets.schedules import CosineSchedule


class Argument(NamedTuple):
    """Valid and invalid values of an argument."""

    right: st.SearchStrategy
    odd: st.SearchStrategy


DTYPES = ["float32"] * 4 + ["float64", "float16", "int64", "bool"]
NUMBERS = (0.5, 0.5, 0.0, np.nan, np.inf, -np.inf, 1e30)
batch_size = st.shared(st.sampled_from([3, 3, 3, 0]), key="n")  # the same in all of a call
num_steps = st.shared(st.sampled_from([2, 2, 2, 0]), key="T")
words = st.text(max_size=6)
lines = st.lists(words, max_size=4)


def tensor(rnn, drawn):
    shape, dtype, value = drawn
    return rnn.from_numpy(np.full(shape, value if dtype.startswith("float") else 1).astype(dtype))


def group(rnn, drawn):
    return tuple(tensor(rnn, part) for part in drawn)


def right_tensor(shapes):
    return made(st.tuples(shapes, st.just("float32"), st.just(0.5)), tensor)


def odd_tensor(shapes=floats):
    return made(st.tuples(shapes, st.sampled_from(DTYPES), st.sampled_from([0.5, np.nan])), tensor)


def rows(*sizes):
    """A tensor of some sizes, some of them drawn."""
    drawn = (size if isinstance(size, st.SearchStrategy) else st.just(size) for size in sizes)
    right = st.tuples(*drawn)
    return Argument(right_tensor(right), st.one_of(odd_tensor(right), odd_tensor()))


def states(kinds):
    """The state of a cell: the shapes of its states without the batch, or how many are (n, h)."""
    state_shapes = [(H,)] * kinds if isinstance(kinds, int) else kinds
    drawn = [st.tuples(batch_size, *map(st.just, shape)) for shape in state_shapes]
    right = st.tuples(*(st.tuples(shape, st.just("float32"), st.just(0.5)) for shape in drawn))
    part = st.tuples(st.one_of(*drawn, shapes), st.sampled_from(DTYPES), st.just(0.5))
    return Argument(made(right, group), made(st.lists(part, max_size=3), group))


def shapes_of(cell):
    """The shapes of a cell's parameters, in its summed or concatenated form."""
    if cell == "mlp":
        return [(V, H), (H,), (H, 2), (2,)]
    summed = Architecture(cell.removeprefix("concat_")).shapes(V, H)
    if not cell.startswith("concat_"):
        return summed
    return [
        array.shape
        for array in concatenated.joined([np.zeros(s) for s in summed], "HX", np.concatenate)
    ]


@st.composite
def odd_parameters(draw, cell):
    """Parameters of which one is wrong, missing or duplicated."""
    parts = [(shape, "float32", 0.5) for shape in shapes_of(cell)]
    place = draw(st.integers(0, len(parts) - 1))
    change = draw(st.sampled_from(["shape", "dtype", "missing", "twice"]))
    if change == "shape":
        parts[place] = draw(st.lists(st.integers(0, 6), max_size=3).map(tuple)), "float32", 0.5
    elif change == "dtype":
        parts[place] = parts[place][0], draw(st.sampled_from(DTYPES)), 0.5
    elif change == "missing":
        parts.pop(place)
    else:
        parts.insert(place, parts[place])
    return Made(lambda b, drawn: list(group(b, drawn)), parts)


def parameters(cell):
    right = [(shape, "float32", 0.5) for shape in shapes_of(cell)]
    as_list = made(st.just(right), lambda b, drawn: list(group(b, drawn)))
    return Argument(as_list, odd_parameters(cell))


def cell_arguments(cell):
    plain = cell.removeprefix("concat_").removesuffix("_fused").removesuffix("_scan")
    inputs = rows(num_steps, batch_size, V)
    if cell.endswith(("_fused", "_scan")):
        right_ids = st.tuples(num_steps, batch_size).map(lambda shape: np.full(shape, V - 1))
        inputs = Argument(
            st.one_of(inputs.right, made(right_ids, lambda b, array: b.from_numpy(array))),
            st.one_of(inputs.odd, token_ids),
        )
    params = parameters(cell if cell.startswith("concat_") else plain)
    return {"inputs": inputs, "state": states(CELLS[plain].state_shapes(H)), "params": params}


def language_model(rnn, seed):
    return rnn.RNNModelScratch(V, H, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=seed)


def any_model(rnn, drawn):
    return rnn.RNNModelScratch(V, H, *rnn.stack(*drawn), seed=0)


def functions(*names):
    return made(st.sampled_from(names), getattr)


def right_or_odd(right, odd):
    return Argument(st.sampled_from(right), st.sampled_from(odd))


def own_step(X, H, p):
    """A step of a custom cell."""
    return H + X @ p.W


numeric = batches.filter(lambda array: array.dtype.kind in "biuf")
token_ids = made(numeric, lambda b, array: b.from_numpy(array))
size = Argument(st.integers(1, 3), small_numbers)
length = Argument(st.integers(3, 9), small_numbers)
real = right_or_odd([0.5, 1, 2.0], [0, -1, True, np.nan, np.inf, "3", None, [1], 1e-30])
few_ids = Argument(
    st.integers(20, 40).map(lambda number: np.arange(number) % V),
    tokens(st.one_of(st.just((40,)), st.just((12,)), st.tuples(st.integers(0, 3)))),
)
architectures = st.tuples(st.sampled_from(list(CELLS)), st.sampled_from([1, 1, 2]), st.booleans())
net = made(st.integers(0, 3), language_model)
net_of_any_kind = Argument(net, made(architectures, any_model))
classifier = made(
    st.sampled_from([(V, H, 1), (V, H, 2)]),
    lambda b, sizes: b.SequenceClassifierScratch(*sizes, seed=0),
)
batch = Argument(st.just(np.arange(6).reshape(2, 3) % V), batches)
minibatches = Argument(
    st.just([(np.arange(6).reshape(2, 3) % V,) * 2] * 2),
    st.lists(st.one_of(st.tuples(batches, batches), batches.map(lambda X: (X, X))), max_size=2),
)
labels = Argument(st.just(np.array([0, 1])), tokens(st.one_of(st.just((2,)), shapes)))
labelled = Argument(
    st.just([(np.arange(6).reshape(2, 3) % V, np.array([0, 1]))] * 2),
    st.lists(st.tuples(batches, labels.odd), max_size=2),
)
arrays = Argument(
    st.lists(st.just(np.arange(8)), min_size=1, max_size=3),
    st.lists(st.lists(st.integers(0, 4), max_size=5).map(np.array), max_size=3),
)
sentences = Argument(st.just(["a b c d e"] * 2), lines)
gradients = st.lists(
    st.tuples(floats, st.just("float32"), st.sampled_from(NUMBERS)), min_size=1, max_size=3
)
odd_gradients = st.lists(
    st.tuples(floats, st.sampled_from(DTYPES), st.sampled_from(NUMBERS)), max_size=3
)

COMMON = {
    **dict.fromkeys(["batch_size", "num_steps", "vocab_size", "num_hiddens"], size),
    **dict.fromkeys(["num_inputs", "num_outputs", "num_context", "num_layers"], size),
    **dict.fromkeys(["num_epochs", "max_tokens"], size),
    **dict.fromkeys(["lr", "theta", "radius"], real),
    "seed": Argument(st.one_of(st.none(), st.integers(0, 9)), small_numbers),
    "dtype": right_or_odd(["float32", "float64", np.float32], ["float16", "int32", None, 3]),
    "bidirectional": st.booleans(),
    "fused": st.booleans(),
    "use_random_iter": Argument(st.just(False), st.booleans()),
    "clip": right_or_odd(["norm", "value"], ["hard", None, 1]),
    "optimizer": right_or_odd(["sgd", "adagrad", "adam", "adamw"], ["momentum", None]),
    "momentum": Argument(st.just(0), st.sampled_from([0.5, 1, -1, np.nan, "3", None])),
    "weight_decay": Argument(st.just(0.0), st.sampled_from([0.5, -1, np.inf, "3", None, [1]])),
    "schedule": right_or_odd([None, CosineSchedule(5)], ["cosine", "linear", 0.5, len, math.log]),
    "validation": st.none(),
    "shuffle": st.booleans(),
    "dropout": right_or_odd([0, 0.0], [0.5, 1, -1, np.nan, "3", None]),
    "segment": right_or_odd([None, 0, 1, 3], [-1, 1.5, "2", True]),
    "loss": right_or_odd(["softmax"], ["sigmoid", "hinge", None]),
    "order": right_or_odd(["HX", "XH"], ["HXH", None]),
    "cell": right_or_odd(list(CELLS), ["elman", None, 1]),
    "embedding": Argument(st.none(), st.sampled_from([3, 0, -1, 1.5, "2", True])),
    "top_k": Argument(st.sampled_from([None, 1, 3]), st.sampled_from([0, -1, 1.5, "2", True])),
    "top_p": Argument(st.sampled_from([None, 0.5, 1]), st.sampled_from([0, 2, np.nan, "1"])),
    "min_p": Argument(st.sampled_from([None, 0.1, 0]), st.sampled_from([-1, 2, np.nan, "1"])),
    "stop": Argument(st.sampled_from([None, "a"]), st.sampled_from(["", "zz", 3])),
    "sampling": Argument(st.none(), st.sampled_from([{"top_k": 2}, {"top_k": 0}, {"k": 1}, 3])),
    "token": right_or_odd(["char", "word", "wordpunct"], ["letter", None]),
    "encoding": right_or_odd(["utf-8", "latin-1"], ["utf-88", "hex", "utf-16", None, 3]),
    "corpus": few_ids,
    "net": net,
    "vocab": made(st.sampled_from(["abcd", "abcd", "abc"]), lambda b, text: b.Vocab(text)),
    "valid": Argument(
        right_or_odd([None, np.array([3, 1]), np.ones((2, 3), bool)], [None]).right,
        st.one_of(tokens(st.just((2,))), tokens(st.just((2, 3)))),
    ),
}
load_data = {
    "batch_size": length,
    "num_steps": length,
    "max_tokens": Argument(st.integers(200, 300), small_numbers),
    "vocab": Argument(st.none(), made(st.just("abc"), lambda b, text: b.Vocab(text))),
    "validation": right_or_odd([None, 0.2], [0, 1.0, -0.1, 0.01, np.nan, "3", [1], True]),
    "vocab_size": Argument(st.none(), st.sampled_from([300, 255, 0, "300", 256.5])),
}
SCANNED = {
    "a": Argument(right_tensor(st.sampled_from([(V,), (1, V)])), odd_tensor()),
    "b": rows(num_steps, batch_size, V),
    "state": Argument(right_tensor(st.tuples(batch_size, st.just(V))), odd_tensor()),
}
FUNCTIONS = {
    **{name: cell_arguments(name) for name in (*CELLS, *build.FUSED.values())},
    **{cell.get_params: {} for cell in linear.CELLS},
    **{cell.init_state: {} for cell in linear.CELLS},
    **{name: SCANNED for name in ("associative_scan", "sequential_scan")},
    **{name: cell_arguments(name) for name in ("concat_rnn", "concat_gru", "concat_lstm")},
    **{name: {} for name in ("get_params", "get_gru_params", "get_gru_reset_after_params")},
    **{name: {} for name in ("get_lstm_params", "get_mlp_params", "stack")},
    **{name: {} for name in ("init_rnn_state", "init_gru_state", "init_lstm_state")},
    **{name: {} for name in ("SequenceClassifierScratch", "SequenceTaggerScratch")},
    "SequenceRegressorScratch": {},
    **{name: {} for name in ("EncoderScratch", "DecoderScratch")},
    "EncoderDecoderScratch": {
        "encoder": made(right_or_odd([(V, H)], [(V, 3)]).right, lambda b, s: b.EncoderScratch(*s)),
        "decoder": made(
            st.sampled_from([(V, H, H), (V, 3, 3), (V, 3, H)]), lambda b, s: b.DecoderScratch(*s)
        ),
    },
    "RNNModelScratch": {
        "get_params": Argument(functions("get_params"), functions("get_lstm_params")),
        "init_state": functions("init_rnn_state", "init_lstm_state"),
        "forward_fn": Argument(functions("rnn", "rnn_fused"), functions("lstm", "stack")),
    },
    "mlp": {"X": rows(batch_size, V), "params": parameters("mlp")},
    "sigmoid": {"X": rows(batch_size, V)},
    "tanh": {"X": rows(batch_size, V)},
    "new_cell": {
        "step": right_or_odd([own_step], [3, None, "step", len, lambda X, H: H]),
        "params": right_or_odd(
            [{"W": ("d", "h")}, {"W": ("d", "h"), "b": "h", "U": (3, "h")}],
            [{}, None, "W", {"W": ("d",)}, {"W": 3}, {"W": ("d", "k")}, {"d h": ("d", "h")}],
        ),
        "states": right_or_odd([("H",), ["H"], {"H": ("h",)}], ["H", (), {"H": 3}, None, 3]),
        "name": right_or_odd([None, "mine"], ["rnn", "a b", 3, ""]),
        "output": right_or_odd([None], ["H", 3, "W_hq", ""]),
        "init": right_or_odd([None, {}, {"W": 1}, {"H": 0.5}], [3, {"Z": 1}, {"W": "1"}, ["W"]]),
    },
    "try_gpu": {"i": small_numbers},
    "from_numpy": {"array": tokens(), "dtype": st.sampled_from([None, "float32", "int32", "U1"])},
    "to_numpy": {"tensor": st.one_of(odd_tensor(), token_ids, tokens())},
    "trainable": {"arrays": arrays},
    "one_hot": {
        "tokens": st.one_of(token_ids, tokens()),
        "vocab_size": Argument(st.just(V), size.odd),
    },
    "embedding": {
        "tokens": Argument(token_ids, tokens()),
        "table": Argument(right_tensor(st.just((V, 3))), right_tensor(floats)),
    },
    "concat_params": {"params": parameters("gru")},
    "split_params": {"params": parameters("concat_gru")},
    "flip_update_gate": {"params": parameters("gru")},
    "vjp": {
        "forward_fn": Argument(functions("rnn", "rnn_fused"), functions("concat_rnn", "lstm")),
        **cell_arguments("rnn"),
        "d_outputs": rows(st.tuples(num_steps, batch_size).map(math.prod), V),
        "d_state": states(1),
    },
    "grad_clipping": {"grads": Argument(made(gradients, group), made(odd_gradients, group))},
    "value_and_grad": {"network": made(st.just("rnn"), lambda b, n: networks.Recurrent(b.rnn))},
    "make_update": {"network": made(st.just("rnn"), lambda b, n: networks.Recurrent(b.rnn))},
    "make_step": {},
    "sgd_step": {"net": net_of_any_kind, "X": batch, "Y": batch, "state": states(1)},
    "bptt_terms": {"net": Argument(classifier, net), "X": batch, "y": labels},
    "gradient_norms": {
        "net": net_of_any_kind,
        **{"X": batch, "Y": batch},
        "state": Argument(st.none(), states(1).odd),
        "last_only": st.booleans(),
    },
    "scale_recurrent": {"net": net_of_any_kind},
    "copy_params": {"source": net_of_any_kind, "target": net_of_any_kind},
    "predict_ch8": {
        "prefix": Argument(st.text(min_size=1, max_size=6), words),
        "num_preds": Argument(st.integers(0, 3), small_numbers),
        "net": net_of_any_kind,
        "temperature": real,
        "state": Argument(st.none(), states(1).odd),
    },
    "predict_many": {
        "prefixes": Argument(st.lists(st.text(min_size=1, max_size=6), max_size=3), words),
        "num_preds": Argument(st.integers(0, 3), small_numbers),
        "net": net_of_any_kind,
        "temperature": real,
        "state": Argument(st.none(), states(1).odd),
    },
    "train_epoch_ch8": {
        "train_iter": minibatches,
        "step": made(st.just(0.1), lambda b, lr: b.make_step(language_model(b, 0), lr)),
        "on_minibatch": st.none(),
        "epoch": st.none(),
    },
    "train_ch8": {
        "train_iter": minibatches,
        "prefix": Argument(st.none(), words),
        "sample_every": size,
        "validation": Argument(st.none(), minibatches.right),
        "patience": right_or_odd([None], [1, 0, "3"]),
        "keep": right_or_odd(["last"], ["best", "first", None]),
        "callbacks": right_or_odd([(), []], [3, "bar", [len], None, [int]]),
        "every": size,
        "checkpoint": st.none(),
        "resume": Argument(st.just(False), st.booleans()),
    },
    "evaluate": {
        "data_iter": minibatches,
        "use_random_iter": Argument(st.none(), st.booleans()),
        "vocab": Argument(st.none(), made(st.just("abcd"), lambda b, text: b.Vocab(text))),
    },
    "StepSchedule": {"every": size, "factor": real},
    "CosineSchedule": {"num_steps": size, "last": real},
    "WarmupSchedule": {"num_steps": size, "then": right_or_odd([None, len], [0.5, "step"])},
    "train_sequences": {
        "net": classifier,
        "train_iter": labelled,
        "held_out": Argument(st.none(), st.tuples(batches, labels.odd)),
        "score_every": size,
    },
    "load_model": {
        "path": st.sampled_from(["no such file", __file__]),
        "cell": st.sampled_from([None, "rnn", 3]),
    },
    "save_model": {"path": st.just(os.devnull), "net": net_of_any_kind, "settings": st.none()},
    "Vocab": {
        "tokens": st.one_of(words, lines, st.lists(lines, max_size=3)),
        "min_freq": small_numbers,
        "reserved_tokens": st.one_of(st.none(), lines),
        "unk": words,
        "pad": st.one_of(st.none(), words),
    },
    "BPETokenizer": {
        "vocab_size": Argument(st.integers(256, 260), small_numbers),
        "pattern": right_or_odd([None, r"\w+|\W+"], ["(", 3]),
        "specials": right_or_odd([(), ["<eos>"]], ["<eos>", [""], ["a", "a"], None]),
    },
    "BPEVocab": {"tokenizer": right_or_odd([BPETokenizer(256)], [None, "banana", b"banana"])},
    "tokenize": {"lines": lines},
    "words_of": {"text": words},
    "texts_to_sequences": {"texts": lines},
    "pad_sequences": {
        "sequences": st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=3),
        "maxlen": Argument(st.one_of(st.none(), st.integers(0, 5)), small_numbers),
        "padding": right_or_odd(["pre", "post"], ["both", None]),
        "truncating": right_or_odd(["pre", "post"], ["both", None]),
        "value": st.integers(-1, 9),
    },
    "BatchLoader": {"arrays": arrays},
    "look_inside": {
        "net": net_of_any_kind,
        "text": Argument(st.text(min_size=1, max_size=6), words),
        "temperature": real,
    },
    "show": {
        "function": Argument(
            functions("rnn", "lstm_fused", "Vocab"), st.sampled_from([3, "rnn", None, len])
        ),
        "helpers": st.booleans(),
    },
    "Callback": {},
    "History": {},
    "Scores": {},
    "date_pairs": {"num_pairs": size, "held_out": st.booleans()},
    "tagged_sentences": {"num_sentences": size},
    "selective_copy": {"num_sequences": size, "num_tokens": size, "num_symbols": size},
    "recall": {
        **{name: size for name in ("num_sequences", "num_pairs", "num_queries")},
        **{"num_keys": size, "num_values": size, "overwrite": st.booleans()},
    },
    "parity": {"num_sequences": size},
    "adding": {"num_sequences": size},
    "load_digits": {"test_share": Argument(st.floats(0.1, 0.9), real.odd)},
    "bleu": {"written": sentences, "truth": sentences},
    **{name: {} for name in ("seq_data_iter_random", "seq_data_iter_sequential", "SeqDataLoader")},
    **{f"load_data_{name}": load_data for name in ("builtin", "grammar")},
    "load_data_text": {"path": Argument(st.just(__file__), st.just("no such file")), **load_data},
    "load_data_string": {
        "text": Argument(st.just("near and far, " * 40), st.one_of(words, st.just(3))),
        **load_data,
    },
    "read_builtin": {},
    "read_text": {"path": st.sampled_from(["no such file", __file__])},
    **{name: {} for name in ("RNN", "GRU", "LSTM")},
    "RNNModel": {
        "rnn_layer": made(st.sampled_from([V, V, 3]), layer_of),
        "vocab_size": Argument(st.just(V), small_numbers),
    },
}
# What they are about is downloaded; test_downloads.py and tests/data/test_datasets.py try them.
ELSEWHERE = {
    *("load_corpus_time_machine", "load_data_time_machine", "load_data_tiny_shakespeare"),
    *("read_time_machine", "read_tiny_shakespeare", "read_mnist", "read_fra_eng"),
    "Interrupted",  # is raised, not called
    "check_cell",  # takes seconds in some backends: tests/measure/test_check_cell.py
    "processes",  # takes nothing: tests/distributed
}
BESIDE = {"device", "progress", "perplexity", "speed", "samples", "floor", "score"}

num_targets = st.tuples(num_steps, batch_size).map(math.prod)
any_number = st.one_of(num_targets, st.integers(0, 6))


def targets(rnn, number):
    return rnn.from_numpy(np.arange(number) % V)


gradient_inputs = {
    **cell_arguments("rnn"),
    "targets": Argument(made(num_targets, targets), made(st.integers(0, 6), targets)),
    "weights": Argument(st.none(), right_tensor(st.tuples(any_number))),
}
EXTRA = {"value_and_grad": gradient_inputs, "make_update": gradient_inputs}
