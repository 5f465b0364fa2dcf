"""The interface of ``d2l.torch`` 1.0 for the chapters on recurrent networks."""

from d2lrnn.backends import requires
from d2lrnn.book import chapters, classic

__path__ += [f"{classic.__path__[0]}/torch"]  # 1.0 keeps functions of 0.17
with requires("torch"):
    __getattr__ = chapters.provide(__name__, "1.0")
