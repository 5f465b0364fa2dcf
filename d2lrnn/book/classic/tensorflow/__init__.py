"""The interface of ``d2l.tensorflow`` 0.17 for the chapters on recurrent networks."""

from d2lrnn.backends import requires
from d2lrnn.book import chapters

with requires("tensorflow"):
    __getattr__ = chapters.provide(__name__, "classic")
