"""The live demo: an interactive page on recurrent networks for the classroom.

``d2lrnn demo`` serves the page; ``d2lrnn.demo.app.page()`` displays it in a notebook cell. The demo
needs Panel: ``pip install panel``.
"""
