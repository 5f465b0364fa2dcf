"""The interface of ``d2l.jax`` 1.0 for the chapters on recurrent networks."""

from d2lrnn.backends import requires
from d2lrnn.book import chapters

with requires("jax"):
    __getattr__ = chapters.provide(__name__, "1.0")
