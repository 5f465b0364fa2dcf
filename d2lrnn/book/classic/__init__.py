"""The interface of d2l 0.17: ``from d2lrnn.book.classic import torch as d2l`` and the like."""
