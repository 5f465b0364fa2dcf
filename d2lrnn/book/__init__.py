"""The names of the book's own package, ``d2l``, for its recurrent chapters.

``from d2lrnn.book import torch as d2l`` stands in for ``from d2l import torch as d2l`` in the
notebooks of the book's edition 1.0; there are ``tensorflow``, ``jax`` and ``mxnet`` too. What the
names do is the book's, how they do it is ours. Nothing is imported before it is asked for.
"""
