"""Lectures: files of prepared scenes that the page shows one after another, like slides.

docs/lecture.md describes the format; half-an-hour.md is included in the package.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from d2lrnn.data import reading
from d2lrnn.demo import theme

BUNDLED = Path(__file__).with_name("half-an-hour.md")
MAX_BYTES = 10_000_000
LOOKS = {"theme": theme.NAMES, "projector": ("0", "1")}


@dataclass
class Scene:
    """A scene of a lecture: a view, the values of its fields, the buttons to press, and a text."""

    title: str
    line: int  # the line number in the file
    settings: dict[str, str] = field(default_factory=dict)  # name to value, as in a link
    press: list[str] = field(default_factory=list)
    minutes: float = 2.0
    view: str = "train"
    words: list[str] = field(default_factory=list)  # paragraphs


@dataclass(frozen=True)
class Lecture:
    """The title and the scenes of a lecture."""

    title: str
    scenes: list[Scene]

    def minute(self, index: int) -> float:
        """Return the minute at which a scene begins."""
        return sum(scene.minutes for scene in self.scenes[:index])

    def scene_html(self, index: int) -> str:
        """Return the title, the position and the text of a scene as HTML."""
        scene = self.scenes[index]
        place = f"{index + 1} of {len(self.scenes)}, minute {self.minute(index):g}"
        words = "".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in scene.words)
        head = f'{html.escape(scene.title)} <span class="quiet">{place}</span>'
        return f'<div class="scene"><h2>{head}</h2>{words}</div>'


def read(path: str | Path, views: Mapping[str, Any]) -> Lecture:
    """Read the lecture in a file, and check all of its scenes.

    Args:
        path: a file in the format of docs/lecture.md.
        views: the classes of the views by name.

    Raises:
        OSError: the file cannot be read, or is neither a regular file nor a pipe.
        ValueError: the file is larger than MAX_BYTES, or a line is not valid; the message contains
            the line number and the expected content.
    """
    try:
        content = reading.content(path, MAX_BYTES, pipes=True)
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not a text in UTF-8") from None
    title, scenes = str(path), list[Scene]()
    for number, line, kind in kinds(lines):
        if kind == "title":
            title = line[2:].strip()
        elif kind == "scene":
            scenes.append(Scene(line[3:].strip(), number))
        elif kind == "setting" and scenes:
            name, _, value = line.partition(":")
            take(scenes[-1], name.strip(), value.strip(), f"{path}, line {number}")
        elif kind == "words" and scenes:
            scenes[-1].words.append(line)
    if not scenes:
        raise ValueError(f"{path} does not contain a scene; expected a line that begins with “## ”")
    looks = theme.Theme()
    views_by_name = {name: view(looks) for name, view in views.items()}
    for scene in scenes:
        check(scene, views_by_name, f"{path}, line {scene.line}")
    return Lecture(title, scenes)


def kinds(lines: list[str]) -> Iterator[tuple[int, str, str]]:
    """Yield line number, text and kind of each part: "title", "scene", "setting" or "words".

    Settings are the lines between the title of a scene and the first empty line. The lines of a
    paragraph are joined to one line.
    """
    in_settings, paragraph, first = False, list[str](), 0
    for number, line in enumerate([*lines, ""], 1):
        is_title = line.startswith(("# ", "## "))
        if paragraph and (is_title or not line.strip()):
            yield first, " ".join(paragraph), "words"
            paragraph = []
        if is_title:
            in_settings = line.startswith("## ")
            yield number, line, "scene" if in_settings else "title"
        elif not line.strip():
            in_settings = False
        elif in_settings:
            yield number, line, "setting"
        else:
            first = first if paragraph else number
            paragraph.append(line.strip())


def take(scene: Scene, name: str, value: str, where: str) -> None:
    """Store a setting in a scene."""
    if not value:
        raise ValueError(f"{where}: expected “name: value”, or an empty line before the text")
    if name == "view":
        scene.view = value
    elif name == "press":
        scene.press = [button.strip() for button in value.split(",")]
    elif name == "minutes":
        try:
            scene.minutes = float(value)
        except ValueError:
            raise ValueError(f"{where}: expected a number of minutes; this is {value!r}") from None
    else:
        scene.settings[name] = value


def check(scene: Scene, views: Mapping[str, Any], where: str) -> None:
    """Check that the view, the fields and the buttons of a scene exist."""
    if scene.view not in views:
        raise ValueError(f"{where}: expected a view of {', '.join(views)}; this is {scene.view!r}")
    view = views[scene.view]
    fields = {field.name: field.check for field in view.fields}
    for name, value in scene.settings.items():
        if name in LOOKS:
            if value not in LOOKS[name]:
                raise ValueError(f"{where}: {name}: expected one of {', '.join(LOOKS[name])}")
        elif name not in fields:
            expected = ", ".join(["view", "press", "minutes", *LOOKS, *fields])
            raise ValueError(f"{where}: expected one of {expected}; this is {name!r}")
        else:
            try:
                fields[name](value)
            except ValueError as error:
                raise ValueError(f"{where}: {name}: {error}") from None
    for button in scene.press:
        if button not in view.deeds:
            expected = ", ".join(view.deeds) or "none"
            raise ValueError(f"{where}: press: expected one of {expected}; this is {button!r}")
