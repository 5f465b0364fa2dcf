"""The BLEU score of a translation: how many of its n-grams are in the reference translation."""

from __future__ import annotations

from collections.abc import Sequence

from d2lrnn import checks
from d2lrnn.data import strings


def bleu(written: Sequence[str], truth: Sequence[str]) -> float:
    """Return the BLEU score of sentences, as SacreBLEU computes it.

    Args:
        written: the sentences to score.
        truth: the reference translation of each.

    Returns:
        A number from 0 to 100; 100 if each sentence equals its reference.

    Raises:
        ImportError: sacrebleu is not installed.
        ValueError: the lists are empty or of different lengths, an argument is one text instead of
            a list, or a sentence is not a string.

    Source: the book's section 10.7; Papineni et al., 2002; Post, 2018.

    Examples:
        >>> truth = ["the cat sat on the mat", "it was warm there"]
        >>> f"{rnn.bleu(truth, truth):.1f}"
        '100.0'
        >>> f"{rnn.bleu(['the cat sat on a mat', 'it was warm'], truth):.1f}"
        '53.4'
    """
    with checks.needed("BLEU needs", "sacrebleu"):
        import sacrebleu
    outputs, expected = [*strings.strings(written, "written")], [*strings.strings(truth, "truth")]
    checks.same_length([len(outputs), len(expected)], 1)
    return float(sacrebleu.corpus_bleu(outputs, [expected]).score)
