"""Training that diverges raises an error with a remedy, in every training loop."""

import math
import pickle

import numpy as np
import pytest
from click.testing import CliRunner

from d2lrnn import backends, cli
from d2lrnn.recipes import min_char
from d2lrnn.training import history, language, language_epoch, sequences

REMEDY = "training diverged; try a smaller learning rate (lr), or clip the gradients at 1 (theta=1)"


@pytest.fixture
def loader(rnn, builtin):
    return rnn.SeqDataLoader(builtin[0][:300], 8, 5, seed=0)


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.parametrize(
    ("dtype", "settings"),
    [
        ("float32", {"lr": 1e30, "theta": 1e30}),
        ("float64", {"lr": 1e4, "theta": 1e30}),
        ("float32", {"lr": 1e30}),
        ("float64", {"lr": 1e30, "theta": 1e30, "segment": 0}),
        ("float32", {"lr": 1e30, "theta": 1e30, "optimizer": "adam"}),
    ],
    ids=["unclipped", "float64", "clipped", "segments", "adam"],
)
def test_a_perplexity_beyond_floats_is_reported_though_the_loss_is_finite(
    rnn, make_net, builtin, loader, dtype, settings
):
    net, vocab = make_net(len(builtin[1]), dtype=dtype), builtin[1]
    with np.errstate(all="ignore"), pytest.raises(rnn.DivergenceError) as error:
        rnn.train_ch8(net, loader, vocab, num_epochs=3, progress=False, **settings)
    assert str(error.value).endswith(REMEDY)
    assert not math.isfinite(history.perplexity_of(error.value.loss))
    assert np.isfinite(error.value.history.perplexity).all()


def test_an_epoch_trained_by_hand_reports_it_too(rnn, make_net, builtin, loader):
    net = make_net(len(builtin[1]))
    with np.errstate(all="ignore"), pytest.raises(rnn.DivergenceError, match="training diverged"):
        rnn.train_epoch_ch8(net, loader, rnn.make_step(net, 1e30, 1e30))


@pytest.mark.frameworks
def test_a_framework_s_own_layer_that_diverges_is_reported(rnn, make_concise, builtin, loader):
    net = make_concise(vocab_size=len(builtin[1]))
    with pytest.raises(rnn.DivergenceError, match="training diverged; try a smaller learning rate"):
        rnn.train_ch8(net, loader, builtin[1], 1e30, 3, theta=1e30, progress=False)


X, LABELS = [[1, 2], [1, 2], [1, 1], [2, 2]], [0, 1, 0, 1]  # no net is right about the first two
NETS = {
    "classifier": (lambda rnn: rnn.SequenceClassifierScratch(3, 4, 2, seed=0), (X, LABELS)),
    "tagger": (lambda rnn: rnn.SequenceTaggerScratch(3, 4, 2, seed=0), (X, [[0, 1]] * 4)),
    "translator": (
        lambda rnn: rnn.EncoderDecoderScratch(
            rnn.EncoderScratch(3, 4, seed=0), rnn.DecoderScratch(3, 4, 4, seed=0)
        ),
        (X, [[1, 2]] * 4),
    ),
    "painter": (
        lambda rnn: rnn.DecoderScratch(3, 4, 2, loss="sigmoid", seed=0),
        (np.ones((4, 2)), np.full((4, 2, 3), 0.5)),
    ),
}


@pytest.mark.parametrize(("kind", "optimizer"), [*zip(NETS, ["sgd", "adam"] * 2)])
def test_a_network_over_sequences_that_diverges_is_reported(rnn, kind, optimizer):
    make, batch = NETS[kind]
    settings = {"theta": 1e30, "optimizer": optimizer, "progress": False}
    with np.errstate(all="ignore"), pytest.raises(rnn.DivergenceError) as error:
        rnn.train_sequences(make(rnn), [batch] * 3, 1e30, 4, **settings)
    assert str(error.value).endswith(REMEDY)


def test_an_error_over_sequences_holds_the_scores_so_far():
    class Net:
        losses = iter([1.0, 3.0, 2.0, 2.0, 800.0, 900.0])

        def make_step(self, lr, theta, **_):
            return lambda X: next(self.losses)

    words = "the loss is 850 in epoch 3, and its exponential is infinite"
    with pytest.raises(sequences.DivergenceError, match=words) as error:
        sequences.train_sequences(Net(), [(np.zeros(1),)] * 2, 0.1, 3, progress=False)
    assert error.value.history.loss == [2.0, 2.0]


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("train", ["language", "sequences"])
def test_the_update_after_the_last_loss_is_checked(train, value):
    class Net:
        bidirectional, vocab_size = False, 5

        def begin_state(self, batch_size):
            return 0

        def make_step(self, lr, theta, **_):
            return lambda X, Y, state=0: 1.0 if train == "sequences" else (1.0, state)

        def arrays(self):
            return [np.ones(2), np.array([1.0, value])]

    batches = [(np.zeros((1, 5), int),) * 2]
    words = "the parameters are not finite after epoch 2: training diverged"
    loop = language.train_ch8 if train == "language" else sequences.train_sequences
    vocab = [None] if train == "language" else []
    with pytest.raises(history.DivergenceError, match=words) as error:
        loop(Net(), batches, *vocab, 1, 2, progress=False)
    assert math.isnan(error.value.loss)


def test_the_minimal_character_model_reports_it(reference):
    corpus, vocab = min_char.character_corpus(["tick tock " * 10])
    functions = reference.get_params, reference.init_rnn_state, reference.rnn
    net = reference.RNNModelScratch(len(vocab), 100, *functions, seed=0)
    net.load_arrays([1e30 * array for array in net.arrays()])
    with np.errstate(all="ignore"), pytest.raises(history.DivergenceError, match="is infinite"):
        min_char.train_min_char(net, corpus, vocab, 3, progress=False)


@pytest.mark.parametrize("loss", [math.nan, math.inf, 800.0, None])
def test_the_error_is_unchanged_in_another_process(loss):
    seen = history.History([2.0], [1.0])
    error = history.DivergenceError(loss, 3, seen, ("--lr", "--clip 1"))
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert (again.history, str(again.loss)) == (seen, str(error.loss))


def test_the_command_names_its_options():
    sizes = ["--hiddens", "4", "--steps", "5", "--max-tokens", "500", "--epochs", "3"]
    with np.errstate(all="ignore"):
        result = CliRunner().invoke(cli.main, ["train", *sizes, "--lr", "1e30", "--clip", "1e30"])
    assert result.exit_code == 1
    assert result.output.splitlines()[-1].endswith(
        "training diverged; try a smaller learning rate (--lr), "
        "or clip the gradients at 1 (--clip 1)"
    )


def test_a_large_perplexity_is_not_divergence():
    class Net:
        def begin_state(self, batch_size):
            return 0

    pairs = [(np.zeros((1, 5), int),) * 2]
    perplexity, _ = language_epoch.train_epoch_ch8(Net(), pairs, lambda X, Y, state: (709.0, state))
    assert perplexity == math.exp(709)


def test_a_checkpoint_of_diverged_parameters_is_not_written(tmp_path, builtin):
    rnn = backends.load("numpy")
    functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn
    net = rnn.RNNModelScratch(len(builtin[1]), 4, *functions, seed=0)
    loader = rnn.SeqDataLoader(builtin[0][:300], 8, 5, seed=0)
    settings = {"checkpoint": tmp_path / "run", "every": 1, "progress": False}
    with np.errstate(all="ignore"), pytest.raises(rnn.DivergenceError):
        rnn.train_ch8(net, loader, builtin[1], 1e30, 3, theta=1e30, **settings)
    assert not (tmp_path / "run").exists()
