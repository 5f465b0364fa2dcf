"""Settings of slides: jupyter nbconvert --to slides --config slides_config.py FILE."""

c = get_config()  # noqa: F821  # Jupyter's own, which it runs this file with
c.SlidesExporter.reveal_width = "1150"  # wide enough for 77 letters of code
c.SlidesExporter.reveal_height = "720"
c.SlidesExporter.reveal_scroll = True  # what is too high for a slide can be scrolled
c.SlidesExporter.reveal_transition = "none"
