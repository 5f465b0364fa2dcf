"""``python -m d2lrnn`` is the command ``d2lrnn``."""

from d2lrnn.training import interrupts


def main() -> None:
    """Run the command; Ctrl-C while it is imported ends it with one line."""
    with interrupts.ending_at_once():
        from d2lrnn import cli
    cli.main(prog_name="d2lrnn")


if __name__ == "__main__":
    main()
