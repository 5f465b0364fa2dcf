"""Evaluation on a part of the text that is not trained on, and the curve of its perplexity."""

import csv
import json
import math

import numpy as np
import pytest
from bounds import EXACT

from d2lrnn.nets import losses
from d2lrnn.training.history import History

SEPARATE = {"progress": False, "lr": 0.5}


def parts(rnn, builtin, use_random_iter=False):
    """A loader to train, one to validate, and their Vocab."""
    corpus, vocab = builtin
    train_iter = rnn.SeqDataLoader(corpus[:240], 4, 8, use_random_iter, seed=0)
    valid_iter = rnn.SeqDataLoader(corpus[240:400], 3, 8, use_random_iter, shuffle=False)
    return train_iter, valid_iter, vocab


def total_loss(net, loader, use_random_iter):
    """The cross-entropy in nats, step by step, and all targets."""
    total, targets, state = 0.0, [], None
    for X, Y in loader:
        X, Y = map(net.tensors.to_numpy, (X, Y))
        if state is None or use_random_iter:
            state = net.begin_state(len(X))
        for t in range(X.shape[1]):
            outputs, state = net.evaluate(X[:, t : t + 1], state)
            loss, _ = losses.softmax(outputs.astype("float64"), Y[:, t])
            total += loss * len(X)
            targets += Y[:, t].tolist()
    return total, targets


@pytest.mark.parametrize("use_random_iter", [False, True])
def test_the_three_numbers_are_those_of_their_definition(rnn, make_net, builtin, use_random_iter):
    _, loader, vocab = parts(rnn, builtin, use_random_iter)
    net = make_net(len(vocab), 6, dtype="float64")
    total, targets = total_loss(net, loader, use_random_iter)
    text = "".join(vocab.to_tokens(targets))
    expected = (
        math.exp(total / len(targets)),
        total / math.log(2) / len(text),
        total / math.log(2) / len(text.encode()),
    )
    result = rnn.evaluate(net, loader, vocab)
    assert result == pytest.approx(expected, rel=EXACT)
    assert result.perplexity == result[0]
    assert rnn.evaluate(net, loader) == (result.perplexity, None, None)


def test_a_framework_s_own_layer_is_evaluated_too(rnn, make_concise, builtin):
    _, loader, vocab = parts(rnn, builtin)
    net = make_concise("lstm", vocab_size=len(vocab), dtype="float64")
    total, targets = total_loss(net, loader, use_random_iter=False)
    expected = math.exp(total / len(targets))
    assert rnn.evaluate(net, loader).perplexity == pytest.approx(expected, rel=EXACT)


def test_bytes_are_those_of_utf_8_and_an_unknown_token_is_one(rnn, make_net):
    vocab = rnn.Vocab("né€")
    loader = [([[1, 2, 3, 0]], [[2, 3, 0, 0]])]  # the targets: 2 + 3 + 1 + 1 bytes
    net = make_net(len(vocab))
    _, per_character, per_byte = rnn.evaluate(net, loader, vocab)
    assert 4 * per_character == pytest.approx(7 * per_byte, rel=EXACT)


def test_a_word_counts_with_a_space_after_it(rnn, make_net):
    vocab = rnn.Vocab(["near", "far"])
    perplexity, per_character, per_byte = rnn.evaluate(
        make_net(len(vocab)), [([[1, 2, 0]], [[2, 0, 1]])], vocab
    )
    expected = 3 * math.log2(perplexity) / (4 + 2 + 5)
    assert (per_character, per_byte) == pytest.approx((expected, expected), rel=EXACT)


def test_the_loader_of_a_text_knows_the_vocabulary(rnn, make_net):
    _, loader, vocab = rnn.load_data_builtin(8, 20, validation=0.1, seed=0)
    net = make_net(len(vocab))
    assert rnn.evaluate(net, loader) == rnn.evaluate(net, loader, vocab)
    assert rnn.evaluate(net, loader).bits_per_character > 5


def test_evaluate_accepts_lists_and_can_carry_the_state(rnn, make_net):
    minibatches = [([[1, 2], [0, 1]], [[2, 3], [1, 1]]), ([[3, 1], [1, 0]], [[1, 2], [0, 3]])]
    net = make_net(seed=1)
    carried, fresh = (
        rnn.evaluate(net, minibatches, use_random_iter=value).perplexity for value in (False, True)
    )
    assert rnn.evaluate(net, minibatches).perplexity == carried != fresh


def test_a_net_that_has_diverged_gives_a_number_that_is_not_finite(rnn, make_net):
    net = make_net()
    net.load_arrays([array * np.nan for array in net.arrays()])
    assert math.isinf(rnn.evaluate(net, [([[1]], [[2]])]).perplexity)


def test_evaluation_does_not_change_the_net(rnn, make_net, builtin):
    _, loader, vocab = parts(rnn, builtin)
    net = make_net(len(vocab))
    before = net.arrays()
    rnn.evaluate(net, loader)
    assert all((a == b).all() for a, b in zip(before, net.arrays(), strict=True))


@pytest.mark.parametrize(
    ("data_iter", "message"),
    [
        ([], "data_iter yields no minibatch; an iterator can be used only once"),
        (3, "data_iter is of type int; expected an iterable"),
        ([([[1]],)], "data_iter yields a tuple of 1 part"),
        ([([[9]], [[0]])], "9"),
        ([([[1]], [[1]]), ([[1], [2]], [[1], [2]])], "minibatch 2 has 2 rows, the one before"),
    ],
)
def test_other_data_is_refused(rnn, make_net, data_iter, message):
    with pytest.raises(ValueError, match=message):
        rnn.evaluate(make_net(), data_iter)


def test_another_vocabulary_is_refused(rnn, make_net):
    with pytest.raises(ValueError, match="vocab"):
        rnn.evaluate(make_net(5), [([[1]], [[2]])], rnn.Vocab("ab"))


@pytest.mark.parametrize("use_random_iter", [False, True])
def test_training_stores_the_perplexity_of_the_held_out_part(
    rnn, make_net, builtin, use_random_iter
):
    train_iter, valid_iter, vocab = parts(rnn, builtin, use_random_iter)
    net = make_net(len(vocab), 8)
    settings = {**SEPARATE, "use_random_iter": use_random_iter}
    history = rnn.train_ch8(net, train_iter, vocab, num_epochs=3, validation=valid_iter, **settings)
    assert len(history.validation) == 3
    assert history.validation[-1] == rnn.evaluate(net, valid_iter).perplexity
    assert f", validation {history.validation[-1]:.2f}, " in str(history)


def test_validation_does_not_change_what_is_learned(rnn, make_net, builtin):
    train_iter, valid_iter, vocab = parts(rnn, builtin)
    with_it, without = make_net(len(vocab), 8), make_net(len(vocab), 8)
    found = rnn.train_ch8(
        with_it, train_iter, vocab, num_epochs=2, validation=valid_iter, **SEPARATE
    )
    train_iter, _, _ = parts(rnn, builtin)
    expected = rnn.train_ch8(without, train_iter, vocab, num_epochs=2, **SEPARATE)
    assert found.perplexity == expected.perplexity
    assert expected.validation == []
    assert all((a == b).all() for a, b in zip(with_it.arrays(), without.arrays(), strict=True))


def test_five_backends_agree_on_the_held_out_part(rnn, reference, builtin):
    found = []
    for backend in (rnn, reference):
        train_iter, valid_iter, vocab = parts(backend, builtin)
        functions = backend.get_params, backend.init_rnn_state, backend.rnn
        net = backend.RNNModelScratch(len(vocab), 8, *functions, seed=0, dtype="float64")
        history = backend.train_ch8(
            net, train_iter, vocab, num_epochs=3, validation=valid_iter, **SEPARATE
        )
        found.append(history.validation)
    np.testing.assert_allclose(*found, rtol=1e-9)


def test_a_resumed_run_has_the_same_validation(rnn, make_net, builtin, tmp_path):
    def train(num_epochs, **settings):
        train_iter, valid_iter, vocab = parts(rnn, builtin)
        settings = {**SEPARATE, "validation": valid_iter, "num_epochs": num_epochs, **settings}
        return rnn.train_ch8(make_net(len(vocab), 8), train_iter, vocab, **settings)

    train(2, checkpoint=tmp_path / "run")
    resumed = train(4, checkpoint=tmp_path / "run", resume=True)
    assert resumed.validation == train(4).validation


def test_a_run_is_not_resumed_with_another_held_out_part(rnn, make_net, builtin, tmp_path):
    train_iter, valid_iter, vocab = parts(rnn, builtin)
    settings = {**SEPARATE, "checkpoint": tmp_path / "run", "num_epochs": 1}
    rnn.train_ch8(make_net(len(vocab), 8), train_iter, vocab, validation=valid_iter, **settings)
    train_iter, _, _ = parts(rnn, builtin)
    with pytest.raises(rnn.CheckpointError, match=r"validation is .* there, nothing here"):
        rnn.train_ch8(make_net(len(vocab), 8), train_iter, vocab, resume=True, **settings)


def test_a_held_out_part_that_diverges_ends_training(rnn, make_net, builtin):
    train_iter, valid_iter, vocab = parts(rnn, builtin)
    net = make_net(len(vocab), 8)
    inner = net.evaluate
    net.evaluate = lambda X, state: (inner(X, state)[0] * np.nan, state)
    with pytest.raises(rnn.DivergenceError, match="the loss is inf in epoch 1"):
        rnn.train_ch8(net, train_iter, vocab, num_epochs=2, validation=valid_iter, **SEPARATE)


def test_validation_that_is_not_a_loader_is_refused_before_training(rnn, make_net, builtin):
    train_iter, _, vocab = parts(rnn, builtin)
    with pytest.raises(ValueError, match="validation is of type float; expected an iterable"):
        rnn.train_ch8(
            make_net(len(vocab), 8), train_iter, vocab, num_epochs=2, validation=0.1, **SEPARATE
        )


HISTORY = History([9.0, 1 / 3, 2.5], [100.0, 110.0, 120.5], [(1, "ab")], None, [9.5, 7.0, 8.0])


def test_a_history_is_a_dictionary_that_json_can_represent():
    values = json.loads(json.dumps(HISTORY.to_dict()))
    assert list(values) == ["perplexity", "speed", "samples", "floor", "validation"]
    assert History(**HISTORY.to_dict()) == HISTORY
    assert values["validation"] == [9.5, 7.0, 8.0]


@pytest.mark.parametrize("validation", [[9.5, 7.0, 8.0], []])
def test_a_history_is_written_as_a_table_with_every_digit(tmp_path, validation):
    History(HISTORY.perplexity, HISTORY.speed, validation=validation).to_csv(tmp_path / "run.csv")
    with open(tmp_path / "run.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3]
    assert [float(row["perplexity"]) for row in rows] == HISTORY.perplexity
    assert [float(row["speed"]) for row in rows] == HISTORY.speed
    assert [float(row["validation"]) for row in rows if row["validation"]] == validation


@pytest.mark.parametrize(
    "content", ["name,grade\nAda,1\n", "epoch,perplexity,validation,speed,note\n", "\n", "\0"]
)
def test_a_table_of_other_columns_is_not_replaced_by_a_history(tmp_path, content):
    path = tmp_path / "grades.csv"
    path.write_text(content)
    with pytest.raises(FileExistsError, match="already exists and is not a log of d2lrnn"):
        HISTORY.to_csv(path)
    assert path.read_text() == content


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_history_replaces_an_empty_file_and_that_of_another_run(tmp_path, newline):
    path = tmp_path / "run.csv"
    columns = "epoch,perplexity,validation,speed"
    for heading in ("", columns + newline, f"seed,hiddens,{columns}{newline}"):
        path.write_text(heading, newline="")
        HISTORY.to_csv(path)
        assert len(path.read_text().splitlines()) == 4


def test_the_best_epoch_is_that_of_the_held_out_part():
    assert HISTORY.best_epoch == 2
    assert History([3.0, 2.0, 2.0], [1.0] * 3).best_epoch == 2
    assert History().best_epoch is None


def test_both_curves_are_drawn(tmp_path):
    ax = HISTORY.plot()
    lines = [line.get_ydata() for line in ax.get_lines()]
    assert [list(line) for line in lines] == [HISTORY.perplexity, HISTORY.validation]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["validation"]
    ax = HISTORY.plot(label="gru")
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["gru", "gru, validation"]
