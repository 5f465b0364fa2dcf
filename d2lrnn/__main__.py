"""``python -m d2lrnn`` is the command ``d2lrnn``."""

from d2lrnn.cli import main

if __name__ == "__main__":
    main(prog_name="d2lrnn")
