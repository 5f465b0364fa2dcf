"""A lecture: scenes prepared in a file, which the page steps through like slides.

docs/lecture.md says how such a file is written; half-an-hour.md comes with the package.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from d2lrnn.data import reading
from d2lrnn.demo import theme

OWN = Path(__file__).with_name("half-an-hour.md")
MAX_BYTES = 10_000_000
LOOKS = {"theme": theme.NAMES, "projector": ("0", "1")}


@dataclass
class Scene:
    """One of a lecture's scenes: a view, what its fields hold, what is pressed, what is said."""

    title: str
    line: int  # of the file
    settings: dict[str, str] = field(default_factory=dict)  # name to value, as in a link
    press: list[str] = field(default_factory=list)
    minutes: float = 2.0
    view: str = "train"
    words: list[str] = field(default_factory=list)  # paragraphs


@dataclass(frozen=True)
class Lecture:
    """A title and scenes."""

    title: str
    scenes: list[Scene]

    def minute(self, index: int) -> float:
        """Return when a scene begins, in minutes."""
        return sum(scene.minutes for scene in self.scenes[:index])

    def told(self, index: int) -> str:
        """Return, as HTML, what the page says of a scene."""
        scene = self.scenes[index]
        place = f"{index + 1} of {len(self.scenes)}, minute {self.minute(index):g}"
        words = "".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in scene.words)
        head = f'{html.escape(scene.title)} <span class="quiet">{place}</span>'
        return f'<div class="scene"><h2>{head}</h2>{words}</div>'


def read(path: str | Path, views: Mapping[str, Any]) -> Lecture:
    """Return the lecture of a file, each of its scenes tried.

    Args:
        path: a file as docs/lecture.md describes it.
        views: name to class, as the page has them.

    Raises:
        OSError: it cannot be read, or is neither a regular file nor a pipe.
        ValueError: it is larger than MAX_BYTES; or a line is not as it should be; the message says
            which and what is expected.
    """
    try:
        content = reading.content(path, MAX_BYTES, pipes=True)
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no text in UTF-8") from None
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
        raise ValueError(f"{path} has no scene: expected a line that begins with “## ”")
    looks = theme.Theme()
    known = {name: view(looks) for name, view in views.items()}
    for scene in scenes:
        check(scene, known, f"{path}, line {scene.line}")
    return Lecture(title, scenes)


def kinds(lines: list[str]) -> Iterator[tuple[int, str, str]]:
    """Yield number, text and kind of each part: "title", "scene", "setting" or "words".

    Settings are the lines between a scene's title and the first empty line, which may come at once;
    paragraphs are joined to one line.
    """
    in_settings, paragraph, began = False, list[str](), 0
    for number, line in enumerate([*lines, ""], 1):
        is_title = line.startswith(("# ", "## "))
        if paragraph and (is_title or not line.strip()):
            yield began, " ".join(paragraph), "words"
            paragraph = []
        if is_title:
            in_settings = line.startswith("## ")
            yield number, line, "scene" if in_settings else "title"
        elif not line.strip():
            in_settings = False
        elif in_settings:
            yield number, line, "setting"
        else:
            began = began if paragraph else number
            paragraph.append(line.strip())


def take(scene: Scene, name: str, value: str, where: str) -> None:
    """Take a setting into a scene."""
    if not value:
        raise ValueError(f"{where}: expected “name: value”, or an empty line before what is said")
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
    """Check that the page has all that a scene names."""
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
