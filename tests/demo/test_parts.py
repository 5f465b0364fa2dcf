"""The parts of the demo that need no browser."""

import socket

import numpy as np
import pytest
from click.testing import CliRunner
from looking import wait_for

from d2lrnn import cli
from d2lrnn import numpy as rnn
from d2lrnn.demo import app, fields, identity_view, train_view, turns, worker


@pytest.mark.parametrize("text", ["", "x", "0", "513", "1.5", "nan", "1e2", "__import__('os')"])
def test_what_is_no_whole_number_in_range_is_refused(text):
    with pytest.raises(ValueError, match="Expected a whole number from 1 to 512; this is"):
        fields.number(1, 512, int)(text)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "101", "one"])
def test_what_is_no_positive_number_in_range_is_refused(text):
    with pytest.raises(ValueError, match="Expected a number above 0, up to 100; this is"):
        fields.number(0, 100, above=True)(text)


def test_numbers_are_read():
    assert fields.number(1, 512, int)(" 12 ") == 12
    assert fields.number(0, 100, above=True)("1e-3") == 0.001


def test_a_matrix_is_read_from_lines_or_semicolons():
    np.testing.assert_array_equal(identity_view.matrix("1, 2\n3 4\n"), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(identity_view.matrix("1 2;3 4"), [[1, 2], [3, 4]])


@pytest.mark.parametrize("text", ["", "1 2\n3", "a", "nan", "1e9", " ".join("1234567")])
def test_what_is_no_small_matrix_is_refused(text):
    with pytest.raises(ValueError, match="Expected"):
        identity_view.matrix(text)


def test_a_pasted_text_has_its_limits():
    for text in ("x" * 199, "x" * 20_001, " " * 500):
        with pytest.raises(ValueError, match="Expected"):
            train_view.check_pasted(text)
    assert train_view.check_pasted("ab " * 100) == "ab " * 100


@pytest.mark.parametrize("length", [200, 300, 1000, 20_000])
def test_a_text_of_any_length_that_is_allowed_gives_minibatches(length):
    loader, vocab, prefix = worker.load(rnn, "pasted", ("tick tock " * length)[:length])
    X, Y = next(iter(loader))
    assert X.shape == Y.shape
    assert prefix == "tick tock "
    assert set(vocab.idx_to_token) == {"<unk>", *"tick tock ", "\n"}


def test_a_run_does_the_steps_that_it_is_asked_for_and_ends():
    trainer = worker.Trainer(worker.Settings(hiddens=4))
    trainer.step()
    wait_for(lambda: trainer.status == "paused" and trainer.points, lambda: trainer.status)
    assert len(trainer.points) == 1
    thread = trainer._thread
    trainer.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert trainer.status == "stopped"


def test_a_run_of_some_epochs_stops_there():
    trainer = worker.Trainer(worker.Settings(hiddens=4), epochs=2)
    trainer.run()
    wait_for(lambda: trainer.status == "paused" and trainer.points, lambda: trainer.status)
    assert trainer.points[-1].epoch >= 2
    trainer.stop()


def test_a_run_that_diverges_says_so_and_ends():
    trainer = worker.Trainer(worker.Settings(hiddens=4, lr=1e38, clip=1e38))
    trainer.run()
    wait_for(lambda: trainer.status == "failed", lambda: trainer.status)
    assert "training diverged; try a smaller lr" in trainer.message
    trainer.step()
    assert trainer.status == "failed"


def test_the_steps_of_a_run_are_those_of_train_ch8():
    """The same seed, the same minibatches, the same parameters, bit for bit."""
    trainer = worker.Trainer(worker.Settings(hiddens=4))
    for done in range(1, 4):
        trainer.step()
        wait_for(lambda n=done: len(trainer.points) == n, lambda: trainer.message)
    found, _ = trainer.copy()
    trainer.stop()
    loader, vocab = rnn.load_data_builtin(32, 35, seed=0)
    functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn_fused
    net = rnn.RNNModelScratch(len(vocab), 4, *functions, seed=0)
    step, state = rnn.make_step(net, 1.0), net.begin_state(32)
    for (X, Y), _ in zip(loader, range(3)):
        _, state = step(X, Y, state)
    for one, other in zip(found, net.arrays(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_networks_that_all_sessions_look_into_are_shared():
    assert worker.shared("rnn") is worker.shared("rnn")
    worker.shared("rnn").pause()


def test_a_job_in_the_background_says_what_went_wrong():
    said = []
    turns.in_background(lambda: 1 / 0, lambda result, message: said.append((result, message)))
    wait_for(lambda: said, lambda: "no answer")
    assert said == [(None, "division by zero")]


def test_only_this_machine_reaches_the_page_unless_told_otherwise():
    assert app.hosts("127.0.0.1", 5006) == ["localhost:5006", "127.0.0.1:5006"]
    assert "10.0.0.7:5006" in app.hosts("10.0.0.7", 5006)
    assert "school.example:80" in app.hosts("127.0.0.1", 5006, ["school.example:80"])


def test_a_page_makes_a_link_of_what_it_shows():
    links = []
    page = app.Page({"view": "gradients", "radius": "2", "steps": "20"}, links.append)
    page.view.fields[0].widget.value = "lstm"
    assert links[-1] == "?view=gradients&cell=lstm&radius=2&steps=20"
    page.large.clicks += 1
    assert links[-1].endswith("&projector=1")
    page.close()


def test_a_port_in_use_is_one_line_and_exit_status_1():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(cli.main, ["demo", "--no-show", "--port", str(port)])
    assert result.exit_code == 1
    assert f"port {port} is in use" in result.output


def test_a_pause_is_never_lost():
    trainer = worker.Trainer(worker.Settings(hiddens=2))
    for _ in range(20):
        seen = len(trainer.points)
        trainer.run()
        wait_for(lambda n=seen: len(trainer.points) > n, lambda: trainer.message)
        trainer.pause()
        wait_for(lambda: trainer._wanted == 0 and trainer.status == "paused", lambda: "it runs on")
    trainer.stop()
