"""The recurrent networks of *Dive into Deep Learning*, alike in five backends.

Choose one by import, ``from d2lrnn import torch as rnn`` (or tensorflow, jax, mxnet, numpy), and
everything that follows reads the same: ``d2lrnn/interface`` is the contract that all five meet.
Importing ``d2lrnn`` itself loads no framework.
"""

__version__ = "0.1.0"

import os as _os

if "D2LRNN_PARENT" in _os.environ:
    from d2lrnn import processes as _processes

    _processes.follow_parent()
