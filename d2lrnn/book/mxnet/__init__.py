"""The interface of ``d2l.mxnet`` 1.0 for the chapters on recurrent networks."""

from d2lrnn.backends import requires
from d2lrnn.book import chapters, classic

__path__ += [f"{classic.__path__[0]}/mxnet"]  # 1.0 keeps functions of 0.17
with requires("mxnet"):
    __getattr__ = chapters.provide(__name__, "1.0")
