"""Training runs that are stopped and resumed, bit for bit."""

import hashlib
import json
import os
import signal
import threading
import time

import numpy as np
import pytest

from d2lrnn.files import atomic, locks, tensor_file
from d2lrnn.nets import build, cells
from d2lrnn.training import interrupts, run, run_file
from d2lrnn.training.keeper import Keeper

NUM_EPOCHS, EVERY = 3, 2  # 7 minibatches an epoch
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
SETTINGS = {"optimizer": "adam", "prefix": "The", "sample_every": 2, "progress": False}


@pytest.fixture
def start(rnn, builtin):
    """A function that makes everything that a run begins with: the same each time."""
    return beginnings(rnn, builtin)


@pytest.fixture
def plain(reference, builtin):
    """The same in NumPy, for tests that do not depend on the backend."""
    return beginnings(reference, builtin)


def beginnings(rnn, builtin):
    def make(cell="rnn", concise=False, use_random_iter=False, fused=False):
        corpus, vocab = builtin
        architecture = cells.Architecture(cell)
        if concise:
            net = build.concise_net(rnn, architecture, len(vocab), 8, seed=0)
        else:
            net = build.new_net(rnn, architecture, len(vocab), 8, seed=0, fused=fused)
        loader = rnn.SeqDataLoader(corpus[:240], 4, 8, use_random_iter, seed=0)
        return net, loader, vocab

    return make


def train(rnn, started, num_epochs=NUM_EPOCHS, lr=0.01, **settings):
    net, loader, vocab = started
    settings = {**SETTINGS, "use_random_iter": loader.use_random_iter, **settings}
    history = rnn.train_ch8(net, loader, vocab, lr, num_epochs, **settings)
    return [*net.arrays(), *net.own_arrays()], history


class Stop(Exception):
    """The error that ends a run in the middle."""


def stop_after(started, num_minibatches):
    """Return what a run begins with, its loader such that it fails after so many minibatches."""
    net, loader, vocab = started
    to_tensor, made = loader.to_tensor, []

    def count(ids):
        made.append(ids)
        if len(made) > 2 * num_minibatches:  # X and Y
            raise Stop
        return to_tensor(ids)

    loader.to_tensor = count
    return net, loader, vocab


def assert_same(one, other):
    """The same parameters, perplexities and samples, to the last bit."""
    for param, expected in zip(one[0], other[0], strict=True):
        np.testing.assert_array_equal(param, expected)
        assert param.dtype == expected.dtype
    assert one[1].perplexity == other[1].perplexity
    assert one[1].samples == other[1].samples
    assert len(one[1].speed) == len(other[1].speed)


def assert_resumes(rnn, make, path, num_minibatches):
    """Check that a run that fails after some minibatches is resumed to the same result."""
    with pytest.raises(Stop):
        train(rnn, stop_after(make(), num_minibatches), checkpoint=path, every=EVERY)
    resumed = train(rnn, make(), checkpoint=path, every=EVERY, resume=True)
    assert_same(resumed, train(rnn, make()))


@pytest.mark.parametrize(
    ("cell", "optimizer", "use_random_iter", "num_minibatches"),
    [("rnn", "adam", False, 5), ("lstm", "adagrad", False, 14), ("gru", "sgd", True, 10)],
)
def test_a_stopped_run_is_resumed_bit_for_bit(
    rnn, start, tmp_path, monkeypatch, cell, optimizer, use_random_iter, num_minibatches
):
    monkeypatch.setitem(SETTINGS, "optimizer", optimizer)
    assert_resumes(
        rnn, lambda: start(cell, False, use_random_iter), tmp_path / "run", num_minibatches
    )


@pytest.mark.parametrize("concise", [False, pytest.param(True, marks=pytest.mark.frameworks)])
@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "sgd", "schedule": "warmup-cosine", "weight_decay": 0.01},
        {"optimizer": "sgd", "momentum": 0.9},
        {"optimizer": "adam", "schedule": "step"},
    ],
    ids=" ".join,
)
def test_schedule_momentum_and_decay_are_resumed_bit_for_bit(
    rnn, start, tmp_path, monkeypatch, options, concise
):
    for name, value in options.items():
        monkeypatch.setitem(SETTINGS, name, value)
    assert_resumes(rnn, lambda: start("lstm", concise), tmp_path / "run", 10)


@pytest.mark.parametrize("seed", [None, 3])
def test_dropout_is_resumed_bit_for_bit(rnn, start, tmp_path, monkeypatch, seed):
    monkeypatch.setitem(SETTINGS, "dropout", 0.2)
    monkeypatch.setitem(SETTINGS, "seed", seed)
    assert_resumes(rnn, lambda: start("lstm"), tmp_path / "run", 10)


@pytest.mark.parametrize(
    ("option", "there", "here"),
    [
        ({"momentum": 0.9}, "0.9", "nothing"),
        ({"schedule": "cosine"}, r"CosineSchedule\(num_steps=7, last=0.0\)", "nothing"),
        ({"weight_decay": 0.1}, "0.1", "nothing"),
        ({"dropout": 0.1}, "0.1", "nothing"),
    ],
)
def test_a_run_is_not_resumed_with_other_options(plain, reference, tmp_path, option, there, here):
    settings = {"checkpoint": tmp_path / "run", "optimizer": "sgd", "num_epochs": 1}
    train(reference, plain(), **settings, **option)
    ((name, _),) = option.items()
    with pytest.raises(reference.CheckpointError, match=f"{name} is {there} there, {here} here"):
        train(reference, plain(), resume=True, **settings)


@pytest.fixture
def saves(monkeypatch):
    """The minibatches, counted from the first of the run, after which a checkpoint is written."""
    save, numbers = Keeper.save, []

    def noted(keeper):
        numbers.append(7 * (keeper.epoch.number - 1) + keeper.epoch.num_minibatches)
        return save(keeper)

    monkeypatch.setattr(Keeper, "save", noted)
    return numbers


def test_with_default_settings_a_stopped_run_can_be_resumed(rnn, start, tmp_path, saves):
    long = {"num_epochs": 16, "checkpoint": tmp_path / "run"}  # 112 minibatches
    with pytest.raises(Stop):
        train(rnn, stop_after(start(), 110), **long)
    assert saves == [100]
    resumed = train(rnn, start(), resume=True, **long)
    assert_same(resumed, train(rnn, start(), 16))


def test_minibatches_are_counted_across_epochs(reference, plain, tmp_path, saves):
    train(reference, plain(), 3, checkpoint=tmp_path / "run", every=4)
    assert saves == [4, 8, 12, 16, 20, 21]


def test_a_resumed_run_counts_from_its_checkpoint(reference, plain, tmp_path, saves):
    with pytest.raises(Stop):
        train(reference, stop_after(plain(), 6), checkpoint=tmp_path / "run", every=5)
    train(reference, plain(), 2, checkpoint=tmp_path / "run", every=5, resume=True)
    assert saves == [5, 10, 14]


def test_a_run_is_saved_after_each_minute_too(reference, plain, tmp_path, monkeypatch, saves):
    started, seconds = plain(), [0]
    to_tensor = started[1].to_tensor

    def slow(ids):
        seconds[0] += 11  # a minibatch has two tensors
        return to_tensor(ids)

    started[1].to_tensor = slow
    monkeypatch.setattr(Keeper, "clock", staticmethod(lambda: seconds[0]))
    train(reference, started, 2, checkpoint=tmp_path / "run")
    assert saves == [3, 6, 9, 12, 14]


def test_minibatches_and_minutes_are_counted_from_the_last_save(
    reference, plain, tmp_path, monkeypatch, saves
):
    started, seconds = plain(), [0]
    to_tensor, monotonic = started[1].to_tensor, staticmethod(lambda: seconds[0])

    def slower(ids):
        seconds[0] += 1 if seconds[0] < 10 else 30
        return to_tensor(ids)

    started[1].to_tensor = slower
    monkeypatch.setattr(Keeper, "clock", monotonic)
    train(reference, started, 2, checkpoint=tmp_path / "run", every=4)
    assert saves == [4, *range(6, 15), 14]


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam"])
@pytest.mark.parametrize("num_minibatches", [1, 2, 7, 8, 20])
def test_runs_are_resumed_after_any_step_with_any_optimizer(
    reference, plain, tmp_path, monkeypatch, optimizer, num_minibatches
):
    monkeypatch.setitem(SETTINGS, "optimizer", optimizer)
    assert_resumes(reference, plain, tmp_path / "run", num_minibatches)


def test_a_run_of_a_fused_cell_can_be_resumed(rnn, start, tmp_path):
    assert_resumes(rnn, lambda: start("lstm", fused=True), tmp_path / "run", 9)


def test_a_framework_s_own_layers_and_optimizer_can_be_resumed(rnn, start, make_concise, tmp_path):
    assert_resumes(rnn, lambda: start("lstm", concise=True), tmp_path / "run", 10)


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam"])
def test_a_framework_s_own_optimizer_returns_its_state(rnn, make_concise, optimizer):
    X = np.array([[0, 1, 2], [3, 4, 0]])
    one, other = make_concise(), make_concise()
    steps = [net.make_step(0.1, optimizer=optimizer) for net in (one, other)]
    for _ in range(2):
        steps[0](X, X, one.begin_state(2))
    steps[1].load_memory(steps[0].memory())
    other.load_exactly(one.arrays(), one.own_arrays())
    for step, net in zip(steps, (one, other)):
        step(X, X, net.begin_state(2))
    for param, expected in zip(other.own_arrays(), one.own_arrays(), strict=True):
        np.testing.assert_array_equal(param, expected)


def test_a_run_with_fresh_text_in_every_epoch_can_be_resumed(reference, tmp_path):
    def make():
        loader, vocab = reference.load_data_grammar(4, 8, max_tokens=240, seed=0)
        return build.new_net(reference, cells.Architecture(), len(vocab), 8, seed=0), loader, vocab

    settings = {**SETTINGS, "prefix": "the "}
    with pytest.raises(Stop):
        train(reference, stop_after(make(), 17), checkpoint=tmp_path / "run", every=1, **settings)
    resumed = train(reference, make(), checkpoint=tmp_path / "run", resume=True, **settings)
    assert_same(resumed, train(reference, make(), **settings))


@pytest.mark.parametrize("changed", ["batch_size", "num_steps"])
def test_a_run_on_fresh_text_is_not_resumed_with_other_minibatches(reference, tmp_path, changed):
    sizes, kept = {"batch_size": 4, "num_steps": 8}, {"checkpoint": tmp_path / "run"}

    def make(sizes):
        loader, vocab = reference.load_data_grammar(**sizes, max_tokens=240, seed=0)
        return build.new_net(reference, cells.Architecture(), len(vocab), 8, seed=0), loader, vocab

    train(reference, make(sizes), 1, prefix="the ", **kept)
    other = {**sizes, changed: 5}
    with pytest.raises(reference.CheckpointError, match=f"{changed} is {sizes[changed]} there, 5 "):
        train(reference, make(other), prefix="the ", resume=True, **kept)
    rewrite(tmp_path / "run", lambda _, about: [about["settings"].pop(name) for name in sizes])
    train(reference, make(sizes), prefix="the ", resume=True, **kept)  # as 0.1.0 wrote it


def test_a_run_that_is_complete_can_be_made_longer(reference, plain, tmp_path):
    train(reference, plain(), 2, checkpoint=tmp_path / "run")
    longer = train(reference, plain(), 4, checkpoint=tmp_path / "run", resume=True)
    assert_same(longer, train(reference, plain(), 4))


def test_resuming_a_run_that_has_not_begun_starts_it(reference, plain, tmp_path):
    assert_same(
        train(reference, plain(), 1, checkpoint=tmp_path / "run", resume=True),
        train(reference, plain(), 1),
    )


def test_a_checkpoint_can_be_loaded_as_a_model(reference, plain, tmp_path):
    arrays, _ = train(reference, plain(), 1, checkpoint=tmp_path / "run")
    net, _ = reference.load_model(tmp_path / "run")
    for param, expected in zip(net.arrays(), arrays, strict=True):
        np.testing.assert_array_equal(param, expected)


def test_a_checkpoint_names_the_versions_and_settings_that_it_was_made_with(
    reference, plain, tmp_path
):
    train(reference, plain(), 1, checkpoint=tmp_path / "run")
    _, metadata = tensor_file.unpack(tmp_path / "run")
    about = json.loads(metadata["training"])
    assert {"d2lrnn", "Python", "NumPy"} <= set(about["versions"])
    assert about["settings"]["optimizer"] == "adam"


def test_a_checkpoint_is_not_overwritten_by_another_run(reference, plain, tmp_path):
    train(reference, plain(), 1, checkpoint=tmp_path / "run")
    before = (tmp_path / "run").read_bytes()
    with pytest.raises(FileExistsError, match="already exists; continue it with resume=True"):
        train(reference, plain(), 1, checkpoint=tmp_path / "run")
    assert (tmp_path / "run").read_bytes() == before


def test_a_run_is_not_overwritten_by_a_model(reference, plain, tmp_path):
    train(reference, plain(), 1, checkpoint=tmp_path / "run")
    before = (tmp_path / "run").read_bytes()
    net, _, vocab = plain()
    with pytest.raises(FileExistsError) as error:
        reference.save_model(tmp_path / "run", net, vocab, training="a word of the settings")
    assert str(error.value) == (
        f"{tmp_path / 'run'} already exists and holds a training run; "
        "choose another name, or remove it"
    )
    assert (tmp_path / "run").read_bytes() == before
    for _ in range(2):
        reference.save_model(tmp_path / "m", net, vocab, training="a word of the settings")


def test_resuming_needs_a_checkpoint_path(reference, plain):
    with pytest.raises(ValueError, match="resume is True without a checkpoint; name the file"):
        train(reference, plain(), 1, resume=True)


@pytest.mark.parametrize(
    ("make", "settings", "words"),
    [
        (lambda start: start("gru"), {}, "cell is rnn there, gru here"),
        (lambda start: start(fused=True), {}, "forward is rnn there, rnn_fused here"),
        (lambda start: start(), {"lr": 0.5}, "lr is 0.01 there, 0.5 here"),
        (lambda start: start(), {"optimizer": "sgd"}, "optimizer is adam there, sgd here"),
        (lambda start: start(use_random_iter=True), {}, "random is False there, True here"),
    ],
)
def test_another_run_s_checkpoint_is_refused(reference, plain, tmp_path, make, settings, words):
    path = tmp_path / "run"
    train(reference, plain(), 1, checkpoint=path)
    net, *others = make(plain)
    before = net.arrays()
    with pytest.raises(reference.CheckpointError) as error:
        train(reference, (net, *others), checkpoint=path, resume=True, **settings)
    assert str(error.value).startswith(
        f"{path} belongs to another run: {words}; use the arguments of that run"
    )
    for param, expected in zip(net.arrays(), before, strict=True):
        np.testing.assert_array_equal(param, expected)


def test_resuming_with_another_text_is_refused(reference, plain, builtin, tmp_path):
    train(reference, plain(), 1, checkpoint=tmp_path / "run")
    net, _, vocab = plain()
    loader = reference.SeqDataLoader(builtin[0][1:241], 4, 8, seed=0)
    with pytest.raises(reference.CheckpointError, match="belongs to another run: corpus is"):
        train(reference, (net, loader, vocab), checkpoint=tmp_path / "run", resume=True)


def test_a_model_is_refused_as_a_checkpoint(reference, plain, tmp_path):
    net, _, vocab = plain()
    reference.save_model(tmp_path / "model", net, vocab)
    with pytest.raises(
        reference.CheckpointError, match="it is a model, not a training run; load it with"
    ):
        train(reference, plain(), checkpoint=tmp_path / "model", resume=True)


def rewrite(path, change):
    tensors, metadata = tensor_file.unpack(path)
    about = json.loads(metadata["training"])
    change(tensors, about)
    path.write_bytes(tensor_file.pack(tensors, {**metadata, "training": json.dumps(about)}))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda tensors, _: tensors.pop("training.memory.0.1"), "the optimizer's memory is"),
        (lambda tensors, _: tensors.pop("training.state.1"), "state is 1 tensors; expected a"),
        (
            lambda tensors, _: tensors.pop("training.state.0"),
            "the tensors training.state lack 0",
        ),
        (
            lambda tensors, _: tensors.update({"training.extra.0": np.zeros(1)}),
            "the tensors hold extra, which this version does not support",
        ),
        (lambda _, about: about.pop("rng"), "the run's keys lack rng"),
        (lambda _, about: about["epoch"].pop("number"), "the epoch's keys lack number"),
        (lambda _, about: about.update(rng=None), "its minibatches are without a generator"),
        (
            lambda _, about: about.update(mood="good"),
            "the run's keys hold mood, which this version does not support",
        ),
    ],
)
def test_missing_and_extra_arrays_of_a_run_are_named(reference, plain, tmp_path, change, words):
    path = tmp_path / "run"
    with pytest.raises(Stop):
        train(reference, stop_after(plain("lstm"), 2), checkpoint=path, every=1)
    rewrite(path, change)
    with pytest.raises(reference.CheckpointError) as error:
        train(reference, plain("lstm"), checkpoint=path, resume=True)
    assert str(error.value).startswith(f"{path} is not a readable model ({words}")


def test_resuming_with_another_seed_of_the_minibatches_is_refused(reference, builtin, tmp_path):
    def begin(seed):
        net, loader, vocab = beginnings(reference, builtin)()
        return net, reference.SeqDataLoader(loader.corpus, 4, 8, seed=seed), vocab

    train(reference, begin(0), 1, checkpoint=tmp_path / "run")
    for seed in (1, None):
        with pytest.raises(run_file.CheckpointError, match=f"seed is 0 there, {seed} here"):
            train(reference, begin(seed), 2, checkpoint=tmp_path / "run", resume=True)
    train(reference, begin(np.int64(0)), 2, checkpoint=tmp_path / "run", resume=True)


def test_a_warning_about_a_file_names_the_line_of_the_caller(reference, plain, tmp_path):
    train(reference, plain(), 1, checkpoint=tmp_path / "run")
    rewrite(tmp_path / "run", lambda _, about: about["versions"].update(NumPy="0.1"))
    with pytest.warns(UserWarning, match="under other conditions") as caught:
        train(reference, plain(), 1, checkpoint=tmp_path / "run", resume=True)
    assert [warning.filename for warning in caught] == [__file__]


def test_other_versions_are_a_warning_that_names_them(reference, plain, tmp_path):
    train(reference, plain(), 1, checkpoint=tmp_path / "run")
    rewrite(tmp_path / "run", lambda _, about: about["versions"].update(NumPy="0.1"))
    with pytest.warns(UserWarning, match=f"NumPy 0.1 there, {np.__version__} here"):
        train(reference, plain(), checkpoint=tmp_path / "run", resume=True)


def test_diverged_parameters_do_not_replace_finite_ones(reference, plain, tmp_path):
    with pytest.raises(Stop):
        train(reference, stop_after(plain(), 4), checkpoint=tmp_path / "run", every=1)
    before = (tmp_path / "run").read_bytes()
    net, *others = plain()
    net.load_arrays([np.full_like(array, np.nan) for array in net.arrays()])
    (tmp_path / "run").rename(tmp_path / "kept")
    with pytest.raises(reference.DivergenceError):
        train(reference, (net, *others), checkpoint=tmp_path / "run", every=1)
    assert not (tmp_path / "run").exists()
    assert (tmp_path / "kept").read_bytes() == before


def test_files_that_a_killed_run_left_are_removed_at_the_next_start(reference, plain, tmp_path):
    (tmp_path / f"{atomic.prefix(tmp_path / 'run')}0123abcd.tmp").write_bytes(b"half of it")
    train(reference, plain(), 1, checkpoint=tmp_path / "run")
    assert os.listdir(tmp_path) == ["run"]


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam"])
def test_parameters_with_nan_after_an_update_are_not_saved(rnn, start, tmp_path, optimizer):
    settings = {"optimizer": optimizer, "checkpoint": tmp_path / "run", "every": 1}
    with np.errstate(all="ignore"), pytest.raises(rnn.DivergenceError):
        train(rnn, start(), lr=1e38, prefix=None, **settings)
    assert os.listdir(tmp_path) == []


def test_a_diverged_run_reports_that_it_was_not_saved(reference, plain, tmp_path):
    settings = {"optimizer": "sgd", "checkpoint": tmp_path / "run", "prefix": None}
    net, loader, vocab = plain()
    one = reference.SeqDataLoader(loader.corpus[:64], 4, 8, seed=0)  # a minibatch an epoch
    with pytest.warns(UserWarning, match=f"has diverged, and is not saved in {tmp_path / 'run'}"):
        train(reference, (net, one, vocab), 1, lr=1e30, **settings)
    assert os.listdir(tmp_path) == []


def test_two_processes_cannot_save_checkpoints_in_one_file(reference, plain, tmp_path):
    train(reference, plain(), 1, checkpoint=tmp_path / "run")
    with atomic.locked(tmp_path / "run"), pytest.raises(locks.LockedError, match="another process"):
        train(reference, plain(), 2, checkpoint=tmp_path / "run", resume=True)
    assert os.listdir(tmp_path) == ["run"]
    train(reference, plain(), 2, checkpoint=tmp_path / "run", resume=True)


def test_the_corpus_is_hashed_once_for_all_checkpoints(reference, plain, tmp_path, monkeypatch):
    digested, found = [], run.Run.corpus_digest.func
    monkeypatch.setattr(
        run.Run.corpus_digest, "func", lambda run: digested.append(run) or found(run)
    )
    train(reference, plain(), 2, checkpoint=tmp_path / "run", every=1)
    assert len(digested) == 1


def test_the_digest_of_a_corpus_is_computed_from_integers_of_64_bits(reference, plain, tmp_path):
    net, loader, vocab = plain()
    train(reference, (net, loader, vocab), 1, checkpoint=tmp_path / "run")
    about = json.loads(tensor_file.unpack(tmp_path / "run")[1]["training"])
    content = np.asarray(loader.corpus).astype("<i8").tobytes()
    assert about["settings"]["corpus"] == hashlib.sha256(content).hexdigest()[:16]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", 0),
        ("number", 1.5),
        ("number", "1"),
        ("number", 10**400),
        ("num_minibatches", -1),
        ("num_minibatches", 2**63),
        ("num_tokens", None),
        ("total_loss", float("nan")),
        ("total_loss", "much"),
        ("seconds", float("inf")),
    ],
)
def test_impossible_epoch_numbers_are_refused(reference, plain, tmp_path, name, value):
    train(reference, plain(), 1, checkpoint=tmp_path / "run")
    rewrite(tmp_path / "run", lambda _, about: about["epoch"].update({name: value}))
    with pytest.raises(reference.CheckpointError, match=f"^{tmp_path / 'run'} is not a readable"):
        train(reference, plain(), checkpoint=tmp_path / "run", resume=True)


@pytest.mark.parametrize(
    "change",
    [
        lambda about: about["history"].update(perplexity=[[]]),
        lambda about: about["history"].update(speed="fast"),
        lambda about: about["history"].update(samples=[1]),
        lambda about: about["history"].update(samples=[["a", 1]]),
        lambda about: about["rng"].update(state={"state": 10**400, "inc": 1}),
        lambda about: about.update(rng=[]),
    ],
)
def test_an_impossible_history_or_generator_state_is_refused(reference, plain, tmp_path, change):
    train(reference, plain(), 1, checkpoint=tmp_path / "run")
    rewrite(tmp_path / "run", lambda _, about: change(about))
    with pytest.raises(reference.CheckpointError, match=f"^{tmp_path / 'run'} is not a readable"):
        train(reference, plain(), checkpoint=tmp_path / "run", resume=True)


def interrupt_after(started, num_minibatches, times=1, signum=signal.SIGINT):
    """Return what a run begins with, such that a signal arrives within a certain minibatch."""
    net, loader, vocab = started
    make_step = net.make_step

    def make(*args, **settings):
        step, done = make_step(*args, **settings), []

        def interrupted(*minibatch):
            done.append(minibatch)
            if len(done) == num_minibatches:
                for _ in range(times):
                    signal.raise_signal(signum)
                    time.sleep(0.05)  # for the handler, lest two become one
            return step(*minibatch)

        interrupted.memory, interrupted.load_memory = step.memory, step.load_memory
        return interrupted

    net.make_step = make
    return net, loader, vocab


@pytest.mark.parametrize("num_minibatches", [1, 7, 10, 21])
def test_an_interrupted_run_is_saved_and_can_be_resumed(
    reference, plain, tmp_path, num_minibatches
):
    path = tmp_path / "run"
    epoch, rest = divmod(num_minibatches - 1, 7)
    with pytest.raises(reference.Interrupted) as error:
        train(reference, interrupt_after(plain(), num_minibatches), checkpoint=path)
    assert str(error.value) == (
        f"interrupted in epoch {epoch + 1}, after {rest + 1} of its minibatches; saved to {path}; "
        "continue with resume=True (--resume)"
    )
    assert_same(train(reference, plain(), checkpoint=path, resume=True), train(reference, plain()))


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_sigterm_and_sighup_end_a_run_like_an_interrupt(reference, plain, tmp_path, signum):
    started = interrupt_after(plain(), 10, signum=signum)
    with pytest.raises(reference.Interrupted, match="interrupted in epoch 2, after 3 of") as error:
        train(reference, started, checkpoint=tmp_path / "run")
    assert error.value.signum == signum
    resumed = train(reference, plain(), checkpoint=tmp_path / "run", resume=True)
    assert_same(resumed, train(reference, plain()))


@pytest.mark.parametrize("signum", SIGNALS)
def test_without_a_checkpoint_the_net_keeps_its_trained_parameters(reference, plain, signum):
    net, *others = interrupt_after(plain(), 7, signum=signum)
    with pytest.raises(reference.Interrupted) as error:
        train(reference, (net, *others))
    assert (
        str(error.value)
        == "interrupted in epoch 1, after 7 of its minibatches; the run was not saved"
    )
    assert error.value.path is None
    for param, expected in zip(net.arrays(), train(reference, plain(), 1)[0], strict=True):
        np.testing.assert_array_equal(param, expected)


def test_an_interrupted_diverged_run_does_not_claim_to_be_saved(reference, plain, tmp_path):
    started, settings = interrupt_after(plain(), 1), {"lr": 1e38, "optimizer": "sgd"}
    with (
        np.errstate(all="ignore"),
        pytest.raises(reference.Interrupted, match="the run was not saved"),
    ):
        train(reference, started, checkpoint=tmp_path / "run", **settings)
    assert os.listdir(tmp_path) == []


def test_a_second_interrupt_does_not_wait(reference, plain, tmp_path):
    with pytest.raises(KeyboardInterrupt) as error:
        train(reference, interrupt_after(plain(), 3, times=2), checkpoint=tmp_path / "run")
    assert error.type is KeyboardInterrupt
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("signum", SIGNALS)
def test_signal_handlers_are_restored_after_training(reference, plain, tmp_path, signum):
    before = signal.getsignal(signum)
    train(reference, plain(), 1, checkpoint=tmp_path / "run")
    assert signal.getsignal(signum) is before


@pytest.mark.parametrize("signum", SIGNALS)
def test_ignored_signals_stay_ignored(reference, plain, tmp_path, signum):
    before = signal.signal(signum, signal.SIG_IGN)
    try:
        started = interrupt_after(plain(), 3, times=2, signum=signum)
        kept = train(reference, started, checkpoint=tmp_path / "run")
    finally:
        signal.signal(signum, before)
    assert_same(kept, train(reference, plain()))


def test_a_thread_can_save_checkpoints_too(reference, plain, tmp_path):
    started = plain()
    arguments = {"num_epochs": 1, "checkpoint": tmp_path / "run"}
    thread = threading.Thread(target=train, args=(reference, started), kwargs=arguments)
    thread.start()
    thread.join()
    again = train(reference, plain(), 1, checkpoint=tmp_path / "run", resume=True)
    assert_same(again, train(reference, plain(), 1))


@pytest.mark.parametrize("signum", SIGNALS)
def test_a_signal_after_training_is_raised_again(signum):
    received = []
    with interrupts.handling({signum: lambda number, _: received.append(number)}):
        with interrupts.training_ends():
            signal.raise_signal(signum)
            assert received == []
        assert received == [signum]


def test_training_within_a_block_that_saves_shares_its_listener():
    with interrupts.training_ends() as outer:
        with interrupts.training_ends() as inner:
            signal.raise_signal(signal.SIGTERM)
        assert inner is outer
        assert outer.signum == signal.SIGTERM
        outer.signum = None  # which the block has acted on


def test_a_thread_does_not_share_the_listener_of_the_main_thread():
    listeners = []

    def listen():
        with interrupts.training_ends() as listener:
            listeners.append(listener)

    with interrupts.training_ends() as outer:
        thread = threading.Thread(target=listen)
        thread.start()
        thread.join()
    assert listeners[0] is not outer
