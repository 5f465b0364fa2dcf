"""``import d2lrnn.book.classic.d2l``, and ``from d2l import torch as d2l`` is ours, of 0.17.

Only where d2l is not installed, which ``standing_in`` tells, and in this process. For the edition
1.0 import ``d2lrnn.book.d2l``.
"""

from d2lrnn.book import hook

standing_in = hook.install("d2lrnn.book.classic")
