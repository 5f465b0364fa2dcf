"""Code for every framework, imported once for each framework's module.

The functions of d2l look each other up in their module when they are called, so that a reader can
replace one: after ``d2l.Animator = Mine``, ``d2l.train_ch8`` draws with Mine. To do the same, each
framework's package has this folder on its ``__path__``. The import ``d2lrnn.book.torch.figures``
runs figures.py of this folder as a part of that package, and ``d2l`` in it, which is
``sys.modules[__package__]``, is ``d2lrnn.book.torch``. A reader can replace every name that is
written as ``d2l.name``. In the same way, ``from .framework import Layer`` imports the framework's
own class.
"""
