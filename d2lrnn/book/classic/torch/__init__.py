"""The interface of ``d2l.torch`` 0.17 for the chapters on recurrent networks."""

from d2lrnn.backends import requires
from d2lrnn.book import chapters

with requires("torch"):
    __getattr__ = chapters.provide(__name__, "classic")
