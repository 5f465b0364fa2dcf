"""Settings of slides, for nbconvert's option ``--config``."""

c = get_config()  # noqa: F821  # Jupyter's own, which it runs this file with
c.SlidesExporter.reveal_width = "1150"  # wide enough for 77 letters of code
c.SlidesExporter.reveal_height = "720"
c.SlidesExporter.reveal_scroll = (
    True  # what is too high for a slide can be scrolled
)
c.SlidesExporter.reveal_transition = "none"
# Code that draws is long, and its figure would be out of sight below it.
c.TagRemovePreprocessor.enabled = True
c.TagRemovePreprocessor.remove_input_tags = {"drawing"}
