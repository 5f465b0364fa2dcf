"""Let ``from d2l import torch as d2l`` import d2lrnn's module of edition 0.17.

``import d2lrnn.book.classic.d2l`` does this, in the current process and only if d2l is not
installed; ``standing_in`` is whether it did. For the edition 1.0 import ``d2lrnn.book.d2l``.
"""

from d2lrnn.book import hook

standing_in = hook.install("d2lrnn.book.classic")
