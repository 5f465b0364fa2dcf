"""A lecture: its file, and stepping through it with the keys of a presenter's remote."""

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from looking import button
from not_files import NO_TEXTS

from d2lrnn import cli
from d2lrnn.demo import app, lecture, turns

DOCS = Path(__file__).parents[2] / "docs" / "lecture.md"


GUIDE = DOCS.with_name("teachers-guide.md")


def written(tmp_path, text):
    path = tmp_path / "talk.md"
    path.write_text(text, "utf-8")
    return path


def test_the_lecture_of_the_package_takes_half_an_hour():
    talk = app.read_lecture()
    assert talk.minute(len(talk.scenes)) == 30
    assert {scene.view for scene in talk.scenes} == set(app.VIEWS)
    assert all(scene.words for scene in talk.scenes)


def test_the_example_of_the_docs_is_a_lecture(tmp_path):
    (example,) = re.findall(r"```markdown\n(.*?)```", DOCS.read_text("utf-8"), re.S)
    talk = app.read_lecture(written(tmp_path, example))
    assert talk.title == "Gates, for my class"
    assert [scene.view for scene in talk.scenes] == ["gradients", "train"]
    assert talk.scenes[1].settings == {"cell": "gru", "hiddens": "64", "lr": "4"}
    assert talk.scenes[1].press == ["Reset", "Start"]


def test_the_scenes_of_the_teacher_s_guide_are_a_lecture(tmp_path):
    scenes = re.findall(r"```markdown\n(.*?)```", GUIDE.read_text("utf-8"), re.S)
    talk = app.read_lecture(written(tmp_path, "\n".join(scenes)))
    assert len(talk.scenes) >= len(scenes) >= 12


@pytest.mark.parametrize("not_a_file", NO_TEXTS.values(), ids=NO_TEXTS, indirect=True)
def test_a_lecture_is_a_file_or_a_pipe(tmp_path, not_a_file):
    path, _ = not_a_file(tmp_path / "talk.md")
    with pytest.raises(OSError) as error:
        app.read_lecture(path)
    assert str(path) in f"{error.value} {error.value.filename}"


def test_a_lecture_can_be_read_from_a_pipe_that_ends(in_time):
    reads, writes = os.pipe()
    os.write(writes, b"# A talk\n## One\n\nwords\n")
    os.close(writes)
    assert app.read_lecture(f"/dev/fd/{reads}").title == "A talk"
    os.close(reads)


def test_a_large_file_is_refused_as_a_lecture(tmp_path, monkeypatch):
    monkeypatch.setattr(lecture, "MAX_BYTES", 10)
    with pytest.raises(ValueError, match=r"talk\.md is larger than 10 bytes"):
        app.read_lecture(written(tmp_path, "## One\n\nwords\n"))


@pytest.mark.parametrize("view", app.VIEWS)
def test_the_docs_name_each_field_and_button_of_a_view(view):
    (row,) = re.findall(rf"^\| {view} \| (.*) \|(.*)\|$", DOCS.read_text("utf-8"), re.M)
    made = app.VIEWS[view](app.theme.Theme())
    fields, deeds = (re.findall(r"`([^`]*)`", cell) for cell in row)
    assert (fields, deeds) == ([field.name for field in made.fields], list(made.deeds))


def test_paragraphs_are_joined_and_no_html_gets_through(tmp_path):
    talk = app.read_lecture(written(tmp_path, "## One <b>\n\nfirst\nline\n\n<i>second\n"))
    assert talk.scenes[0].words == ["first line", "<i>second"]
    assert "<b>" not in talk.scene_html(0)
    assert "<i>" not in talk.scene_html(0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "does not contain a scene; expected a line that begins with “## ”"),
        ("## A\nview: trian\n", "line 1: expected a view of train, inside, gradients"),
        (
            "## A\nunits: 3\n",
            "line 1: expected one of view, press, minutes, theme",
        ),
        ("## A\nhiddens: many\n", "line 1: hiddens: Expected a whole number from 1 to 512"),
        ("## A\npress: Go\n", "line 1: press: expected one of Start, Pause, Step"),
        ("## A\n\ntext\n## B\nminutes: soon\n", "line 5: expected a number of minutes"),
        ("## A\nSo we begin.\n", "line 2: expected “name: value”, or an empty line"),
        ("## A\ntheme: pink\n", "line 1: theme: expected one of light, dark"),
    ],
)
def test_a_wrong_line_of_a_lecture_is_reported_before_the_page_opens(tmp_path, text, message):
    path = written(tmp_path, text)
    result = CliRunner().invoke(cli.main, ["demo", "--no-show", "--lecture", str(path)])
    assert result.exit_code == 1
    assert str(path) in result.output
    assert message in " ".join(result.output.split())


def test_a_missing_file_is_an_error_of_one_line():
    result = CliRunner().invoke(cli.main, ["demo", "--no-show", "--lecture", "nothing.md"])
    assert result.exit_code == 1
    assert "nothing.md" in result.output


@pytest.fixture
def talk(visit_lecture):
    """The page of a lecture, at its first scene."""
    page = visit_lecture()
    page.locator(".scene", has_text="1 of ").wait_for()
    return page


def test_a_presenter_s_remote_steps_through_the_scenes(talk):
    titles = [scene.title for scene in app.read_lecture().scenes]
    for key, scene in [("PageDown", 2), ("ArrowRight", 3), ("PageDown", 4), ("PageUp", 3)]:
        talk.keyboard.press(key)
        talk.locator(".scene h2", has_text=titles[scene - 1]).wait_for()
        talk.wait_for_url(f"**scene={scene}")


def test_a_scene_sets_the_fields_and_presses_what_it_names(talk, read):
    talk.keyboard.press("PageDown")
    read(talk).until("epoch", lambda text: text == "0.1")  # Step was pressed
    assert talk.get_by_label("Hidden units").input_value() == "64"


class Unordered:
    """A document without a session that runs callbacks in another order."""

    session_context = None

    def __init__(self):
        self.callbacks = []

    def add_timeout_callback(self, callback, milliseconds):
        self.callbacks.append(callback)

    add_next_tick_callback = add_periodic_callback = lambda self, *_: None

    def run(self):
        while self.callbacks:
            self.callbacks.pop()()


@pytest.fixture
def unordered(monkeypatch):
    document = Unordered()
    monkeypatch.setattr(turns, "_document", lambda: document)
    monkeypatch.setattr(turns, "looked_at", lambda: lambda: True)
    return document


def note_presses(page, *names):
    """Replace buttons of the view that a page shows by others that note their names."""
    notes = []
    for name in names:
        page.view.deeds[name] = lambda name=name: notes.append(name)
    page.view.start = lambda: notes.append("shown")
    return notes


SCENES = """## One
view: gradients

## Two
view: train
press: Reset, Step, Keep to compare, Pause

## Three
view: train
"""


def test_a_scene_presses_in_order_whatever_the_order_of_callbacks(unordered, tmp_path):
    page = app.Page({}, lambda _: None, app.read_lecture(written(tmp_path, SCENES)))
    page.shown = "train"
    notes = note_presses(page, "Reset", "Step", "Keep to compare", "Pause")
    page._show_scene(1)
    unordered.run()
    assert notes == ["shown", "Reset", "Step", "Keep to compare", "Pause"]
    page.close()


def test_a_scene_that_is_left_at_once_presses_nothing_in_the_next(unordered, tmp_path):
    page = app.Page({}, lambda _: None, app.read_lecture(written(tmp_path, SCENES)))
    page.shown = "train"
    notes = note_presses(page, "Reset", "Step", "Keep to compare", "Pause")
    for scene in (1, 2):
        page._show_scene(scene)
    unordered.run()
    assert set(notes) == {"shown"}
    page.close()


@pytest.mark.parametrize("visit", range(6))
def test_a_page_that_opens_at_a_scene_presses_in_order(visit_lecture, read, visit):
    page = visit_lecture(scene=2)  # Reset, Step: in the other order nothing is learned
    read(page).until("epoch", lambda text: text == "0.1")


def test_in_a_field_the_arrow_keys_edit_and_page_keys_change_the_scene(talk):
    field = talk.get_by_label("Hidden units")
    field.focus()
    talk.keyboard.press("ArrowLeft")
    talk.keyboard.press("ArrowRight")
    talk.keyboard.press("PageDown")
    talk.locator(".scene", has_text="2 of ").wait_for()


def test_a_lecture_ends_at_its_last_scene_and_begins_at_its_first(visit_lecture):
    last = len(app.read_lecture().scenes)
    page = visit_lecture(scene=last)
    page.locator(".scene", has_text=f"{last} of {last}").wait_for()
    page.keyboard.press("PageDown")
    page.keyboard.press("PageUp")
    page.locator(".scene", has_text=f"{last - 1} of {last}").wait_for()
    button(page, "Next ▶").click()
    page.locator(".scene", has_text=f"{last} of {last}").wait_for()


def test_the_text_of_a_scene_replaces_that_of_the_view(talk):
    assert talk.locator(".intro").count() == 0
    assert lecture.BUNDLED.exists()
