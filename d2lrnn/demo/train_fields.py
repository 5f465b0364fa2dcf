"""What the fields of the view Train offer and accept: texts, and the name of a run."""

from __future__ import annotations

from d2lrnn.demo import course

# The maximum length in the browser. The server closes the connection if a message is too large; a
# character may take six bytes, and a message may contain the text twice.
MOST_PASTED = 50_000
LONGEST_NAME = 60
CORPORA = {
    "The built-in story": "builtin",
    "The Time Machine": "time-machine",
    "A grammar of known entropy": "grammar",
    "Pasted text": "pasted",
}


def check_pasted(text: str) -> str:
    """Check that a pasted text is neither too long nor too short, and return it."""
    if len(text) > course.LONGEST:
        more = " or more" if len(text) >= MOST_PASTED // 2 else ""  # some count as two
        raise ValueError(
            f"Expected up to {course.LONGEST:,} characters; these are {len(text):,}{more}. "
            "Paste less."
        )
    if len(text.strip()) < course.SHORTEST:
        raise ValueError(
            f"Expected {course.SHORTEST} characters or more; these are {len(text.strip())}."
        )
    return text


def check_name(text: str) -> str:
    """Check that a name fits in a legend, and return it."""
    if len(text) > LONGEST_NAME:
        raise ValueError(f"Expected up to {LONGEST_NAME} characters; these are {len(text)}.")
    return text
