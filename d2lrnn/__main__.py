"""``python -m d2lrnn`` is the command ``d2lrnn``."""

import os

from d2lrnn.training import interrupts, progress


def main() -> None:
    """Run the command; Ctrl-C while it is imported ends it with one line."""
    os.environ.setdefault(progress.PROGRESS, progress.LINES)
    with interrupts.ending_at_once():
        from d2lrnn import cli
    cli.main(prog_name="d2lrnn")


if __name__ == "__main__":
    main()
