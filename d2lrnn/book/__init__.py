"""The names of the book's own package, ``d2l``, for its recurrent chapters.

``from d2lrnn.book import torch as d2l`` stands in for ``from d2l import torch as d2l`` in the
notebooks of the book's edition 1.0; ``tensorflow``, ``jax`` and ``mxnet`` exist, too. The names are
those of the book; the code was written for d2lrnn. A framework is imported only when its module
is imported.
"""
