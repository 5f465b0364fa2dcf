"""Plots of training and measurements. Each function returns Axes and never calls show()."""

from d2lrnn.plot.curves import (
    agreement,
    bench,
    coloured_text,
    gallery,
    gradient_flow,
    gradient_norms,
    growth,
    perplexity,
    scaling,
    scores,
    smooth_loss,
    speed_ups,
)
from d2lrnn.plot.lengths import lengths
from d2lrnn.plot.style import (
    CLASSROOM,
    COLOURS,
    DASHES,
    check_format,
    line_style,
    new_axes,
    use_style,
)

__all__ = [
    "CLASSROOM",
    "COLOURS",
    "DASHES",
    "agreement",
    "bench",
    "check_format",
    "coloured_text",
    "gallery",
    "gradient_flow",
    "gradient_norms",
    "growth",
    "lengths",
    "line_style",
    "new_axes",
    "perplexity",
    "scaling",
    "scores",
    "smooth_loss",
    "speed_ups",
    "use_style",
]
