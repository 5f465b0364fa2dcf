"""The book's models and trainer compute the same as those of the package."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def data(d2l, files):
    """One minibatch of 40 windows to train with, and one of 10 held out."""
    return d2l.TimeMachine(batch_size=40, num_steps=6, num_train=40, num_val=10)


def language_model(d2l, vocab_size, lr=1.0):
    rnn = d2l.RNNScratch(num_inputs=vocab_size, num_hiddens=8, sigma=0.3)
    return d2l.RNNLMScratch(rnn, vocab_size=vocab_size, lr=lr)


def parameters(model, trainer, to_numpy):
    """The five parameters of a language model, as the package orders them."""
    if state := getattr(trainer, "state", None):  # JAX keeps them apart from the model
        owners = [state.params["rnn"]] * 3 + [state.params] * 2
        names = ["W_xh", "W_hh", "b_h", "W_hq", "b_q"]
        return [to_numpy(owner[name]) for owner, name in zip(owners, names)]
    rnn = model.rnn
    return [to_numpy(p) for p in (rnn.W_xh, rnn.W_hh, rnn.b_h, model.W_hq, model.b_q)]


@pytest.fixture(scope="module")
def trained(d2l, data, to_numpy):
    """A model and its parameters before and after two epochs, after an epoch with rate 0."""
    model = language_model(d2l, len(data.vocab), lr=0.0)
    trainer = d2l.Trainer(max_epochs=1, gradient_clip_val=0.1)
    key = {} if not hasattr(d2l, "get_key") else {"key": d2l.get_key()}
    trainer.fit(model, data, **key)
    before = parameters(model, trainer, to_numpy)
    model.lr = 1.0
    trainer.max_epochs = 2
    trainer.fit(model, data, **key)
    return model, trainer, before, parameters(model, trainer, to_numpy)


@pytest.fixture
def own(rnn, data, to_numpy):
    """The model of the package with given parameters, and the minibatch."""

    def make(params):
        net = rnn.RNNModelScratch(
            len(data.vocab), 8, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0
        )
        net.params = [rnn.from_numpy(p, dtype="float32") for p in params]
        net.params = rnn.trainable(params)
        return net

    return make, to_numpy(data.X)[:40].astype(int), to_numpy(data.Y)[:40].astype(int)


def test_two_steps_equal_those_of_the_packages_training(trained, own, rnn, to_numpy):
    _, _, before, after = trained
    make, X, Y = own
    net = make(before)
    step = rnn.make_step(net, 1.0, 0.1)
    for _ in range(2):
        step(X, Y, net.begin_state(40))
    for ours, books in zip(net.params, after):
        np.testing.assert_allclose(books, to_numpy(ours), rtol=1e-4, atol=1e-6)


def test_the_board_shows_the_perplexity_of_the_held_out_part(trained, own, rnn, data, to_numpy):
    model, _, _, after = trained
    net = own[0](after)
    rows = slice(40, 50)
    X, Y = (to_numpy(tensor)[rows].astype(int) for tensor in (data.X, data.Y))
    loss, _ = rnn.make_step(net, 1.0, 1.0)(X, Y, net.begin_state(10))
    assert model.board.data["val_ppl"][-1] == (2.0, pytest.approx(np.exp(loss), rel=1e-4))


def test_the_board_has_a_point_of_training_for_each_minibatch_of_few(trained):
    model, *_ = trained
    assert [point.x for point in model.board.data["train_ppl"]] == [0.0, 0.0, 1.0]


def test_predictions_equal_those_of_the_package(trained, own, rnn, data, backend):
    model, trainer, _, after = trained
    last = [trainer.state.params] if hasattr(trainer, "state") else []
    expected = rnn.predict_ch8("the", 9, own[0](after), data.vocab)
    assert model.predict("the", 9, data.vocab, *last) == expected


@pytest.mark.parametrize(
    ("prefix", "num_preds", "message"),
    [
        ("", 3, "prefix '' does not contain any tokens; give at least one"),
        ("the", -1, "num_preds is -1; expected an integer, 0 or above"),
    ],
)
def test_the_error_names_the_prefix_that_cannot_be_continued(
    trained, data, prefix, num_preds, message
):
    model, trainer, _, _ = trained
    last = [trainer.state.params] if hasattr(trainer, "state") else []
    with pytest.raises(ValueError) as error:
        model.predict(prefix, num_preds, data.vocab, *last)
    assert str(error.value) == message


def test_predicting_zero_tokens_returns_the_prefix(trained, data):
    model, trainer, _, _ = trained
    last = [trainer.state.params] if hasattr(trainer, "state") else []
    assert model.predict("the", 0, data.vocab, *last) == "the"


def test_clipping_keeps_the_update_within_the_learning_rate_times_the_norm(trained):
    _, _, before, after = trained
    moved = np.sqrt(sum(((b - a) ** 2).sum() for a, b in zip(before, after)))
    assert moved <= 2 * 0.1 * (1 + 1e-5)


def test_training_with_the_frameworks_own_layers_learns(d2l, data, backend):
    sizes = {"torch": (len(data.vocab), 8)}.get(backend, (8,))
    model = d2l.RNNLM(d2l.RNN(*sizes), vocab_size=len(data.vocab), lr=1.0)
    d2l.Trainer(max_epochs=20, gradient_clip_val=1).fit(model, data)
    perplexities = [y for _, y in model.board.data["train_ppl"]]
    assert perplexities[-1] < perplexities[0] / 1.5


def test_a_deep_gru_learns(d2l, data, backend):
    sizes = {"torch": (len(data.vocab), 8, 2)}.get(backend, (8, 2))
    model = d2l.RNNLM(d2l.GRU(*sizes), vocab_size=len(data.vocab), lr=2.0)
    d2l.Trainer(max_epochs=20, gradient_clip_val=1).fit(model, data)
    perplexities = [y for _, y in model.board.data["train_ppl"]]
    assert perplexities[-1] < perplexities[0] / 1.2


def test_a_trainer_stores_its_epoch_and_minibatch(trained):
    _, trainer, *_ = trained
    assert (trainer.epoch, trainer.train_batch_idx, trainer.val_batch_idx) == (1, 2, 2)


def test_a_trainer_with_more_gpus_than_available_trains_on_the_cpu(d2l):
    assert len(d2l.Trainer(max_epochs=1, num_gpus=99).gpus) <= d2l.num_gpus()


def test_training_without_held_out_data_is_possible(d2l, files):
    class Only(d2l.TimeMachine):
        def val_dataloader(self):
            return None

    data = Only(batch_size=8, num_steps=5, num_train=16)
    model = language_model(d2l, len(data.vocab))
    d2l.Trainer(max_epochs=1).fit(model, data)
    assert list(model.board.data) == ["train_ppl"]


def test_linear_regression_finds_the_weights(d2l, to_numpy):
    w = d2l.tensor([2.0, -3.4])
    data = d2l.SyntheticRegressionData(w=w, b=4.2)
    model, trainer = d2l.LinearRegression(lr=0.1), d2l.Trainer(max_epochs=4)
    trainer.fit(model, data)
    weights, bias = model.get_w_b(*([trainer.state] if hasattr(trainer, "state") else []))
    found = [*to_numpy(weights).ravel(), *to_numpy(bias).ravel()]
    np.testing.assert_allclose(found, [2.0, -3.4, 4.2], atol=0.05)


def test_linear_regression_from_scratch_finds_the_weights(d2l):
    data = d2l.SyntheticRegressionData(w=d2l.tensor([2.0, -3.4]), b=4.2)
    model, trainer = d2l.LinearRegressionScratch(2, lr=0.1), d2l.Trainer(max_epochs=4)
    trainer.fit(model, data)
    assert model.board.data["val_loss"][-1].y < 0.001


def test_linear_regression_begins_with_the_first_values_of_pytorchs_layer(pytorch):
    from d2lrnn.book import torch as d2l

    d2l.torch.manual_seed(1)
    layer = d2l.nn.Linear(2, 1)
    d2l.torch.manual_seed(1)
    model = d2l.LinearRegression(lr=0.1)
    model(d2l.ones((1, 2)))
    for found, expected in zip(model.get_w_b(), (layer.weight, layer.bias)):
        np.testing.assert_array_equal(found, expected.detach())


def test_the_error_for_a_model_without_gradients_says_what_to_call_first(pytorch):
    from d2lrnn.book import torch as d2l

    with pytest.raises(ValueError, match="no parameter of the net has a gradient"):
        d2l.Trainer(max_epochs=1).clip_gradients(1, d2l.nn.Linear(2, 1))
