"""The interface of ``d2l.mxnet`` 0.17 for the chapters on recurrent networks."""

from d2lrnn.backends import requires
from d2lrnn.book import chapters

with requires("mxnet"):
    __getattr__ = chapters.provide(__name__, "classic")
