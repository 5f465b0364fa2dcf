"""Values of a loader that are not minibatches are one clear error."""

import collections

import numpy as np
import pytest

X = np.array([[0, 1, 2]])
Pair = collections.namedtuple("Pair", "X Y")
PAIRS = "expected a tuple (X, Y)"
WRONG = {
    "a dictionary": ({"input": X, "target": X}, "a dictionary with the keys 'input', 'target'; "),
    "another mapping": (collections.OrderedDict(a=X, b=X), "a dictionary with the keys 'a', 'b'"),
    "a triple": ((X, X, X), "a tuple of 3 parts; "),
    "one part": ([X], "a list of 1 part; "),
    "nothing": (None, "something of type NoneType; "),
    "a text": ("ab", "something of type str; "),
    "a set": ({1, 2}, "something of type set; "),
    "one array": (np.zeros((3, 5), int), "an array of shape (3, 5); "),
    "an array without axes": (np.array(3), "something of type ndarray; "),
}


@pytest.mark.parametrize("given", WRONG)
def test_a_language_model_is_trained_on_pairs_only(rnn, make_net, given):
    batch, found = WRONG[given]
    net = make_net()
    before = net.arrays()
    with pytest.raises(ValueError) as error:
        rnn.train_ch8(net, [batch], rnn.Vocab("abcd"), 0.1, 1, progress=False)
    assert str(error.value).startswith(f"train_iter yields {found}")
    assert PAIRS in str(error.value)
    assert all((a == b).all() for a, b in zip(before, net.arrays(), strict=True))


def test_the_error_for_a_dictionary_contains_its_keys(rnn, make_net):
    batches = [{"input": X, "target": X}]
    with pytest.raises(ValueError, match=r"such as \(batch\['input'\], batch\['target'\]\)$"):
        rnn.train_epoch_ch8(make_net(), batches, rnn.make_step(make_net(), 0.1))


@pytest.mark.parametrize("make", [tuple, list, Pair._make, np.array], ids=["t", "l", "n", "a"])
def test_every_kind_of_pair_is_accepted(rnn, make_net, make):
    history = rnn.train_ch8(make_net(), [make([X, X])], None, 0.1, 1, progress=False)
    assert 1 < history.perplexity[0] < 10


@pytest.mark.parametrize("part", [None, "ab", 5, {"a": 1}])
def test_a_part_of_a_minibatch_that_is_not_ids_is_refused(rnn, make_net, part):
    for batch in ((part, X), (X, part)):
        with pytest.raises(ValueError, match=r"has shape|have dtype"):
            rnn.train_ch8(make_net(), [batch], None, 0.1, 1, progress=False)


LABELS = np.array([0])
WRONG_EXAMPLES = {
    "a dictionary": ({"X": X, "y": LABELS}, "a dictionary with the keys 'X', 'y'; "),
    "one part": ((X,), "a tuple of 1 part; "),
    "four parts": ((X, LABELS, None, None), "a tuple of 4 parts; "),
    "nothing": (None, "something of type NoneType; "),
    "one array": (X, "something of type ndarray; "),
}


@pytest.mark.parametrize("given", WRONG_EXAMPLES)
def test_a_network_over_sequences_is_trained_on_its_kind_of_minibatches(rnn, given):
    batch, found = WRONG_EXAMPLES[given]
    net = rnn.SequenceClassifierScratch(3, 4, 2, seed=0)
    words = "expected a tuple (X, y, valid=None)"
    with pytest.raises(ValueError) as error:
        rnn.train_sequences(net, [batch], 0.1, 1, progress=False)
    assert str(error.value).startswith(f"train_iter yields {found}{words}")
    if batch is None:  # which is the default of held_out
        return
    with pytest.raises(ValueError) as error:
        rnn.train_sequences(net, [(X, LABELS)], 0.1, 1, held_out=batch, progress=False)
    assert str(error.value).startswith(f"held_out is {found}{words}")


def test_the_error_of_a_translator_mentions_lengths(rnn):
    decoder = rnn.DecoderScratch(3, 4, 4, seed=0)
    net = rnn.EncoderDecoderScratch(rnn.EncoderScratch(3, 4, seed=0), decoder)
    words = r"expected a tuple \(X, Y, valid=None, y_valid=None\)$"
    with pytest.raises(ValueError, match=words):
        rnn.train_sequences(net, [(X,)], 0.1, 1, progress=False)
