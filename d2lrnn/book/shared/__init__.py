"""Code for every framework, imported once for each framework's module.

d2l's functions look each other up in their own module when they are called, so that a reader can
replace one: after ``d2l.Animator = Mine``, ``d2l.train_ch8`` draws with Mine. Ours do the same.
Therefore each framework's package has these files on its ``__path__``. The import
``d2lrnn.book.torch.figures`` runs figures.py of this folder as a part of that package, and ``d2l``
in it, ``sys.modules[__package__]``, is ``d2lrnn.book.torch``. A name that is written as
``d2l.name`` is one that a reader can replace.
"""
