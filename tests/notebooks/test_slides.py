"""Slides: which cell begins a slide, and which content is not on slides."""

import re

import nbformat
import pytest

import grid
import slides


def built(*cells):
    """A notebook of cells with the kinds of slides that it is given."""
    return slides.on_slides(nbformat.v4.new_notebook(cells=list(cells)))


def kinds(notebook):
    """The kind of slide that each cell begins, - for none."""
    metadata = [cell.metadata.get("slideshow", {}) for cell in notebook.cells]
    return [one.get("slide_type", "-") for one in metadata]


def text(source):
    return nbformat.v4.new_markdown_cell(source)


def code(source, output=""):
    outputs = [nbformat.v4.new_output("stream", text=output)] if output else []
    return nbformat.v4.new_code_cell(source, outputs=outputs)


def drawing(num_lines):
    figure = nbformat.v4.new_output("display_data", data={"image/svg+xml": "<svg/>"})
    return nbformat.v4.new_code_cell("\n".join(["x = 1"] * num_lines), outputs=[figure])


def test_slides_of_chapters_are_to_the_right_and_exercises_below():
    cells = (
        text("[![badge](x)](y)\n\n# Title"),
        text("## One"),
        text("more"),
        text("### Exercise 1"),
    )
    assert kinds(built(*cells)) == ["slide", "slide", "-", "subslide"]


def test_commands_that_set_up_the_environment_are_skipped():
    install = code('if importlib.util.find_spec("d2lrnn") is None:\n    pass')
    prepare, choose = code("backends.prepare()"), code(grid.LINE)
    assert kinds(built(text("# Title"), install, prepare, choose)) == ["slide", *["skip"] * 3]


def test_content_that_does_not_fit_begins_another_slide():
    long = ["\n".join(["x = 1"] * 20)] * 2
    assert kinds(built(text("## One"), *map(code, long))) == ["slide", "-", "subslide"]
    talk = code("print(x)", output="line\n" * 30)
    assert kinds(built(text("## One"), talk)) == ["slide", "subslide"]


@pytest.mark.parametrize(("num_lines", "tags"), [(3, None), (30, [slides.DRAWING])])
def test_for_a_long_plotting_function_only_the_figure_is_shown(num_lines, tags):
    notebook = built(text("## One"), drawing(num_lines))
    assert notebook.cells[1].metadata.get("tags") == tags
    assert kinds(notebook) == ["slide", "-"]


def test_the_slide_settings_remove_tagged_code():
    settings = (grid.FOLDER / "slides_config.py").read_text(encoding="utf-8")
    assert f'remove_input_tags = {{"{slides.DRAWING}"}}' in settings


def test_text_before_a_heading_is_on_the_same_slide():
    assert kinds(built(text("## One"), text("said\n\n## Two"))) == ["slide", "slide"]


def test_every_chapter_and_every_exercise_of_a_notebook_begins_a_slide(name):
    committed = nbformat.read(grid.script(name).with_suffix(".ipynb"), as_version=4)
    headed = [cell for cell in committed.cells if re.search("^#+ ", cell.source, re.MULTILINE)]
    texts = [cell for cell in headed if cell.cell_type == "markdown"]
    assert {cell.metadata["slideshow"]["slide_type"] for cell in texts} == {"slide", "subslide"}
