"""The parts of the demo that need no browser."""

import os
import socket
import threading

import numpy as np
import pytest
from click.testing import CliRunner
from looking import wait_for

from d2lrnn import cli
from d2lrnn import numpy as rnn
from d2lrnn.demo import app, course, door, fields, identity_view, train_fields, turns, view, worker
from d2lrnn.demo.runs import MOST_KEPT, Runs
from d2lrnn.nets import cells


@pytest.mark.parametrize("text", ["", "x", "0", "513", "1.5", "nan", "1e2", "__import__('os')"])
def test_a_value_that_is_not_an_integer_in_range_is_refused(text):
    with pytest.raises(ValueError, match="Expected a whole number from 1 to 512; this is"):
        fields.number(1, 512, int)(text)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "101", "one"])
def test_a_value_that_is_not_a_positive_number_in_range_is_refused(text):
    with pytest.raises(ValueError, match="Expected a number above 0, up to 100; this is"):
        fields.number(0, 100, above=True)(text)


def test_numbers_are_read():
    assert fields.number(1, 512, int)(" 12 ") == 12
    assert fields.number(0, 100, above=True)("1e-3") == 0.001


def test_a_matrix_is_read_from_lines_or_semicolons():
    np.testing.assert_array_equal(identity_view.matrix("1, 2\n3 4\n"), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(identity_view.matrix("1 2;3 4"), [[1, 2], [3, 4]])


@pytest.mark.parametrize("text", ["", "1 2\n3", "a", "nan", "1e9", " ".join("1234567")])
def test_a_text_that_is_not_a_small_matrix_is_refused(text):
    with pytest.raises(ValueError, match="Expected"):
        identity_view.matrix(text)


def test_a_pasted_text_has_a_limited_length():
    for text in ("x" * 199, "x" * 20_001, " " * 500):
        with pytest.raises(ValueError, match="Expected"):
            train_fields.check_pasted(text)
    assert train_fields.check_pasted("ab " * 100) == "ab " * 100


@pytest.mark.parametrize("share", [0, 0.01, 0.1, 0.5])
@pytest.mark.parametrize("length", [200, 300, 1000, 20_000])
def test_a_text_of_any_length_that_is_allowed_gives_minibatches(length, share):
    text = ("tick tock " * length)[:length]
    loader, held_out, vocab, prefix = course.load(rnn, "pasted", text, share=share)
    for part in (loader, held_out) if share else (loader,):
        X, Y = next(iter(part))
        assert X.shape == Y.shape
    assert (held_out is None) == (share == 0)
    assert prefix == "tick tock "
    assert set(vocab.idx_to_token) == {"<unk>", *"tick tock "}


@pytest.mark.parametrize("corpus", ["builtin", "grammar"])
def test_the_training_part_does_not_depend_on_the_validation_part(corpus):
    texts = []
    for share in (0, 0.1, 0.3):
        loader, _, vocab, _ = course.load(rnn, corpus, "", share=share)
        parts = [vocab.to_tokens(list(part.ravel())) for part in next(iter(loader))]
        texts.append([len(loader), *parts])
    assert texts[0] == texts[1] == texts[2]


def points(*perplexities, training=-0.1):
    """Points of one epoch each, whose perplexity of the training part changes from 5."""
    return [
        course.Point(epoch, 5 + training * epoch, 1.0, 1.0, v)
        for epoch, v in enumerate(perplexities, 1)
    ]


def test_overfitting_begins_at_the_lowest_validation_perplexity_once_it_has_risen():
    nan = float("nan")
    assert course.onset(points(9, 7, 8, 8, 8, training=0.1)) is None  # the network forgets
    assert course.onset(points(nan, 9, 8, 7, 7.5, 7.3, 8)).epoch == 4
    assert course.onset(points(9, 7, 8, 8, 8, 7.1)).epoch == 2
    assert course.onset(points(9, 7, 8, 8, 8, 6)) is None
    for still in ([], [nan, nan], [9, 8, 7], [9, 7, 8, 8], [9, 8, 7, 7.1, 7.1, 7.1], [nan, 8]):
        assert course.onset(points(*still)) is None


def test_a_run_records_the_perplexity_that_evaluate_returns_for_the_held_out_part():
    trainer = worker.Trainer(course.Settings(hiddens=4, validation=0.2))
    trainer.step()
    wait_for(lambda: trainer.status == "paused" and trainer.points, lambda: trainer.status)
    _, held_out, _, _ = course.load(rnn, "builtin", "", share=0.2)
    expected = rnn.evaluate(trainer.net, held_out).perplexity
    assert trainer.points[-1].validation == pytest.approx(expected, rel=1e-6)
    trainer.stop()


def test_a_run_takes_the_requested_number_of_steps_and_ends():
    trainer = worker.Trainer(course.Settings(hiddens=4))
    trainer.step()
    wait_for(lambda: trainer.status == "paused" and trainer.points, lambda: trainer.status)
    assert len(trainer.points) == 1
    thread = trainer._thread
    trainer.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert trainer.status == "stopped"


def test_a_run_stops_after_its_number_of_epochs():
    trainer = worker.Trainer(course.Settings(hiddens=4), epochs=2)
    trainer.run()
    wait_for(lambda: trainer.status == "paused" and trainer.points, lambda: trainer.status)
    assert trainer.points[-1].epoch >= 2
    trainer.stop()


def test_a_run_that_diverges_reports_it_and_ends():
    trainer = worker.Trainer(course.Settings(hiddens=4, lr=1e38, clip=1e38))
    trainer.run()
    wait_for(lambda: trainer.status == "failed", lambda: trainer.status)
    assert "training diverged; try a smaller learning rate (lr)" in trainer.message
    trainer.step()
    assert trainer.status == "failed"


def test_the_steps_of_a_run_are_those_of_train_ch8():
    """The same seed, the same minibatches, the same parameters, bit for bit."""
    trainer = worker.Trainer(course.Settings(hiddens=4, validation=0))
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


def test_each_cell_of_the_list_has_a_network_that_all_sessions_share():
    assert set(view.cell_field().words) == set(worker.SHARED_RUNS)
    assert set(worker.SHARED_RUNS) == set(cells.CELLS) - {"gru_reset_after"}


def test_all_sessions_share_the_networks_of_a_view():
    assert worker.shared("rnn") is worker.shared("rnn")
    worker.shared("rnn").pause()


def test_a_background_job_reports_its_error():
    said = []
    turns.in_background(lambda: 1 / 0, lambda result, message: said.append((result, message)))
    wait_for(lambda: said, lambda: "no answer")
    assert said == [(None, "division by zero")]


def test_by_default_only_this_machine_can_open_the_page():
    assert door.Names("127.0.0.1", 5006).names == ("localhost:5006", "127.0.0.1:5006")
    assert "10.0.0.7:5006" in door.Names("10.0.0.7", 5006)
    assert "school.example:80" in door.Names("127.0.0.1", 5006, ["school.example:80"])


@pytest.mark.parametrize("host", ["school.example", "SCHOOL.example:80", "localhost:5006"])
def test_a_host_name_is_accepted_in_any_case_and_without_port_80(host):
    assert host in door.Names("127.0.0.1", 5006, ["school.example:80"])


@pytest.mark.parametrize(
    "host", ["", "evil.com:5006", "localhost", "localhost:5007", "10.0.0.7:5006", "[::1]:5006"]
)
def test_other_host_names_are_refused(host):
    assert host not in door.Names("127.0.0.1", 5006)


@pytest.mark.parametrize("host", ["10.0.0.7:5006", "[fe80::1]:5006"])
def test_a_server_on_all_addresses_accepts_every_numeric_address(host):
    assert host in door.Names("0.0.0.0", 5006)


@pytest.mark.parametrize("host", ["evil.com:5006", "1.2:5006", "10.0.0.7:80", "10.0.0.7:x"])
def test_a_server_on_all_addresses_does_not_accept_every_name(host):
    assert host not in door.Names("0.0.0.0", 5006)


def test_the_link_of_a_page_contains_its_state():
    links = []
    page = app.Page({"view": "gradients", "radius": "2", "steps": "20"}, links.append)
    page.view.fields[0].widget.value = "lstm"
    assert links[-1] == "?view=gradients&cell=lstm&radius=2&steps=20"
    page.large.clicks += 1
    assert links[-1].endswith("&projector=1")
    page.close()


@pytest.mark.parametrize(("asked", "threads"), [(None, "1"), ("3", "3")])
def test_each_run_uses_one_core_by_default(monkeypatch, asked, threads):
    """PyTorch with a thread for each of two cores was 23 times as slow beside a busy page."""
    monkeypatch.setenv("OMP_NUM_THREADS", asked or "")
    if asked is None:
        monkeypatch.delenv("OMP_NUM_THREADS")
    CliRunner().invoke(cli.main, ["demo", "--no-show", "--lecture", "nothing.md"])
    assert os.environ["OMP_NUM_THREADS"] == threads


def test_a_port_in_use_is_an_error_of_one_line_and_exit_status_1():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(cli.main, ["demo", "--no-show", "--port", str(port)])
    assert result.exit_code == 1
    assert f"port {port} is in use" in result.output


@pytest.mark.parametrize("port", [-1, 0, 65536, 99999])
def test_an_invalid_port_is_an_error_of_one_line(port):
    result = CliRunner().invoke(cli.main, ["demo", "--no-show", "--port", str(port)])
    assert result.exit_code == 1
    assert result.output == f"Error: port is {port}; expected an integer from 1 to 65535\n"


def test_a_run_that_continues_leaves_the_earlier_runs_unchanged():
    runs, figure = Runs("epoch", "perplexity", "norm", "speed"), app.theme.new_figure(100)
    runs.draw(figure, "perplexity", legend=True)
    runs.now.name = "now"
    runs.go_on([course.Point(1.0, 20.0, 0.5, 1e5)])
    assert runs.earlier == []
    for _ in range(MOST_KEPT + 1):  # the oldest gives way
        runs.keep("")
    runs.go_on([course.Point(2.0, 10.0, 0.5, 1e5)])
    assert [list(source.data["epoch"]) for source in runs.earlier] == [[1.0]] * MOST_KEPT
    names = sorted(source.name for source in runs.earlier)
    assert names == ["now", *(f"now ({number})" for number in range(2, 6))]
    runs.forget()
    assert runs.earlier == []
    assert list(runs.now.data["epoch"]) == [1.0, 2.0]


def in_line(line, number, done, *, hold=None):
    """Threads that compute once each, in the order in which they joined."""

    def work(ticket, index):
        with line.turn(ticket) as mine:
            if hold is not None:
                hold.wait(60)
            if mine:
                done.append(index)

    tickets = [line.join() for _ in range(number)]
    threads = [threading.Thread(target=work, args=pair) for pair in zip(tickets, range(number))]
    for thread in reversed(threads):  # who comes to wait first has no advantage
        thread.start()
    return tickets, threads


def test_viewers_are_served_in_the_order_of_the_queue():
    line, done = turns.Line(1), []
    _, threads = in_line(line, 20, done)
    for thread in threads:
        thread.join(60)
    assert done == list(range(20))


def test_a_waiting_viewer_sees_the_queue_position():
    line, hold, done = turns.Line(2), threading.Event(), []
    tickets, threads = in_line(line, 9, done, hold=hold)
    wait_for(lambda: len(line) == 7, lambda: f"{len(line)} wait")
    assert [line.before(ticket) for ticket in tickets] == [0, 0, *range(7)]
    line.leave(tickets[2])
    assert line.before(tickets[8]) == 5
    hold.set()
    for thread in threads:
        thread.join(60)
    assert sorted(done) == [0, 1, *range(3, 9)]


def test_a_viewer_who_leaves_is_removed_from_the_queue():
    line = turns.Line(0)
    ticket, other = line.join(), line.join()
    with line.turn(ticket, lambda: False) as mine:
        assert not mine
    assert line.before(other) == 0


def test_a_turn_that_ends_in_an_error_is_released():
    line = turns.Line(1)
    with pytest.raises(ZeroDivisionError), line.turn(line.join()):
        1 / 0  # noqa: B018
    with line.turn(line.join()) as mine:
        assert mine


def test_each_of_several_runs_has_its_share_of_the_threads():
    trainers = [worker.Trainer(course.Settings(hiddens=4)) for _ in range(8)]
    for trainer in trainers:
        trainer.run()
    wait_for(lambda: all(t.points for t in trainers), lambda: [len(t.points) for t in trainers])
    before = [trainer.points[-1].epoch for trainer in trainers]
    wait_for(
        lambda: all(t.points[-1].epoch > b for t, b in zip(trainers, before, strict=True)),
        lambda: [t.points[-1].epoch for t in trainers],
    )
    for trainer in trainers:
        trainer.stop()


def test_a_run_without_viewers_pauses():
    here = [True]
    trainer = worker.Trainer(course.Settings(hiddens=4), looked_at=lambda: here[0])
    trainer.run()
    wait_for(lambda: trainer.points, lambda: trainer.message)
    here[0] = False
    wait_for(lambda: trainer.status == "paused", lambda: trainer.status)
    seen = len(trainer.points)
    here[0] = True
    trainer.run()  # and goes on when asked to
    wait_for(lambda: len(trainer.points) > seen, lambda: trainer.message)
    trainer.stop()


@pytest.mark.parametrize("settings", [{"hiddens": 4}, {"hiddens": 48, "cell": "lstm"}])
def test_the_points_of_a_run_belong_to_the_same_minibatches_at_every_speed(settings):
    """So that norms and perplexities of several runs can be laid on top of one another."""
    trainer = worker.Trainer(course.Settings(**settings), epochs=4)
    trainer.run()
    wait_for(lambda: trainer.points and trainer.status == "paused", lambda: trainer.message)
    trainer.stop()
    size = len(rnn.load_data_builtin(32, 35)[0])
    first = [k / size for k in range(1, size + 1)]
    assert [point.epoch for point in trainer.points] == [*first, 2, 3, 4]


def test_a_run_has_the_perplexities_of_train_ch8():
    trainer = worker.Trainer(course.Settings(hiddens=4), epochs=5)
    trainer.run()
    wait_for(lambda: trainer.points and trainer.status == "paused", lambda: trainer.message)
    trainer.stop()
    length = 11_111  # 10,000 for training
    data = rnn.load_data_builtin(32, 35, max_tokens=length, validation=0.1, seed=0)
    loader, valid_iter, vocab = data
    functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn_fused
    net = rnn.RNNModelScratch(len(vocab), 4, *functions, seed=0)
    history = rnn.train_ch8(net, loader, vocab, 1.0, 5, progress=False, validation=valid_iter)
    whole = [point for point in trainer.points if point.epoch in range(1, 6)]
    assert [point.perplexity for point in whole] == history.perplexity
    assert [point.validation for point in whole] == history.validation


def test_a_curve_of_any_number_of_epochs_is_drawn_with_some_thousand_points():
    assert [course.stride(n) for n in (1, 999, 1000, 9999, 10_000)] == [1, 1, 10, 10, 100]


def test_a_new_learning_rate_takes_effect_at_the_next_minibatch():
    trainer = worker.Trainer(course.Settings(hiddens=4, lr=1.0))
    trainer.step()
    wait_for(lambda: trainer.status == "paused" and trainer.points, lambda: trainer.message)
    before, _ = trainer.copy()
    trainer.change(course.Settings(hiddens=4, lr=1e-30))
    trainer.step()
    wait_for(lambda: len(trainer.points) == 2, lambda: trainer.message)
    after, _ = trainer.copy()
    trainer.stop()
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_run_with_a_hopeless_loss_ends_although_the_loss_is_finite():
    trainer = worker.Trainer(course.Settings(hiddens=16, lr=50, clip=1000))
    trainer.run()
    wait_for(lambda: trainer.status == "failed", lambda: f"{trainer.points[-1]}")
    assert "training diverged; try a smaller learning rate (lr)" in trainer.message
    assert all(point.perplexity < course.WORST for point in trainer.points)


def test_a_pause_request_is_never_lost():
    trainer = worker.Trainer(course.Settings(hiddens=2))
    for _ in range(20):
        seen = len(trainer.points)
        trainer.run()
        wait_for(lambda n=seen: len(trainer.points) > n, lambda: trainer.message)
        trainer.pause()
        wait_for(lambda: trainer._wanted == 0 and trainer.status == "paused", lambda: "it runs on")
    trainer.stop()
