"""The live demo: what the chapter says, on the classroom screen.

``d2lrnn demo`` serves it; ``d2lrnn.demo.app.page()`` shows the same in a notebook cell. It needs
Panel: ``pip install panel``.
"""
