"""A Vocab of another size is refused before training, with the same message in all backends."""

import pytest

IDS = [1, 2, 3, 4] * 10


@pytest.fixture
def train(rnn, make_net):
    """A function that trains a net of five tokens for an epoch, with whatever vocab."""

    def train(vocab, **settings):
        loader = rnn.SeqDataLoader(IDS, 2, 5, seed=0)
        net = make_net(5)
        before = net.arrays()
        try:
            return rnn.train_ch8(net, loader, vocab, 0.5, 1, progress=False, **settings)
        except ValueError:
            assert all((a == b).all() for a, b in zip(before, net.arrays()))  # nothing is learned
            raise

    return train


@pytest.mark.parametrize("tokens", ["abc", "abcdef"])
def test_a_vocab_of_another_size_is_refused_before_training(rnn, train, tokens):
    with pytest.raises(ValueError) as error:
        train(rnn.Vocab(tokens))
    assert str(error.value) == (
        f"the net is for 5 tokens, the vocab has {len(tokens) + 1}; "
        "use the Vocab that the model was made for"
    )


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"prefix": "ab"}, "prefix"),
        ({"checkpoint": "run"}, "checkpoint"),
        ({"prefix": "ab", "checkpoint": "run"}, "prefix and checkpoint"),
    ],
)
def test_a_missing_vocab_is_refused_where_it_is_needed(
    train, tmp_path, monkeypatch, settings, named
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError) as error:
        train(None, **settings)
    verb = "need" if "and" in named else "needs"
    assert str(error.value) == (
        f"vocab is None; {named} {verb} the Vocab of the tokens; "
        "give the one that came with train_iter"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_vocab_is_not_needed_without_samples_and_checkpoints(train):
    assert len(train(None).perplexity) == 1


def test_an_object_that_is_not_a_vocab_is_refused(train):
    with pytest.raises(ValueError, match=r"^vocab is a list; expected the Vocab that came with"):
        train(list("abcde"))
