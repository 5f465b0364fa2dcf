"""The former name of ``d2lrnn.measure.forms``, which old notebooks import."""

from d2lrnn.measure.forms import all_forms as ladder
from d2lrnn.measure.forms import speed_ups

__all__ = ["ladder", "speed_ups"]
