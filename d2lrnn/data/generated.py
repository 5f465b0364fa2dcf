"""Generated tasks: dates to translate and sentences to tag, in any number, without a download.

Both depend only on their seed, and both come with the correct answers: the date in ISO format, and
the part-of-speech tags from which the sentence was generated.
"""

from __future__ import annotations

import bisect
import collections
import datetime
import functools
import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from d2lrnn import checks

FIRST_DAY, LAST_DAY = datetime.date(1900, 1, 1), datetime.date(2099, 12, 31)
HELD_OUT_SEED = 2100  # any constant is fine, but it must never change

# Not taken from the calendar module, whose names depend on the locale.
MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ORDINAL_ENDINGS = {1: "st", 21: "st", 31: "st", 2: "nd", 22: "nd", 3: "rd", 23: "rd"}

# Formats of written dates. In a date of digits alone the day comes first.
DATE_FORMS = (
    "{month} {day}, {year}",
    "{month} {nth}, {year}",
    "{mon} {day}, {year}",
    "{mon} {nth} {year}",
    "{day} {month} {year}",
    "{nth} {month} {year}",
    "{day} {mon} {year}",
    "{day}-{mon}-{year}",
    "the {nth} of {month} {year}",
    "{weekday}, {month} {day}, {year}",
    "{weekday} the {nth} of {month}, {year}",
    "{wkd} {day} {mon} {year}",
    "{day}.{number}.{year}",
    "{year}, {month} {day}",
)

Rules = Mapping[str, Mapping[str, float]]

# A probabilistic grammar about a harbour. A symbol in lower case is replaced by one of the
# sequences in its row, with the given probability. A symbol in capitals is replaced by one of its
# words, whose tag is the capitals.
RULES: Rules = {
    "sentence": {"clause": 0.8, "clause CONJ sentence": 0.2},
    "clause": {"thing acts": 0.4, "PRON:she acts": 0.15, "things act": 0.3, "PRON:they act": 0.15},
    "thing": {"DET:one NOUN:one": 0.45, "DET:one qualities NOUN:one": 0.4, "thing place": 0.15},
    "things": {
        "NOUN:many": 0.15,
        "qualities NOUN:many": 0.2,
        "DET:many NOUN:many": 0.3,
        "DET:many qualities NOUN:many": 0.2,
        "things place": 0.15,
    },
    "qualities": {"ADJ": 0.8, "ADJ qualities": 0.2},
    "place": {"PREP object": 1.0},
    "object": {"thing": 0.4, "things": 0.3, "PRON:her": 0.3},
    "acts": {"VERB:sees object": 0.45, "ADV VERB:sees object": 0.15, "waits": 0.4},
    "waits": {"VERB:waits": 0.3, "VERB:waits ADV": 0.4, "VERB:waits place": 0.3},
    "act": {"VERB:see object": 0.45, "ADV VERB:see object": 0.15, "wait": 0.4},
    "wait": {"VERB:wait": 0.3, "VERB:wait ADV": 0.4, "VERB:wait place": 0.3},
}
# The words of a row are equally likely. Many words are in several rows, such as "watch" in "they
# watch her" and "her watch turns".
WORDS: Mapping[str, str] = {
    "DET:one": "the a this that her his",
    "DET:many": "the these some her his",
    "ADJ": "light still fast calm sound past small grey",  # no vowel may follow "a"
    "NOUN:one": "watch light ship turn guard sound calm past captain clock tide",
    "NOUN:many": "watches lights ships turns guards sounds captains clocks tides",
    "PRON:she": "she he it this that",
    "PRON:they": "they we these some",
    "PRON:her": "her him it them this that these some",
    "VERB:waits": "turns waits sails sounds lights",
    "VERB:wait": "turn wait sail sound light",
    "VERB:sees": "watches lights ships turns guards sounds calms hears",
    "VERB:see": "watch light ship turn guard sound calm hear",
    "ADV": "still fast slowly around past near",
    "PREP": "past near around for with behind",
    "CONJ": "and but while for",
}


def date_pairs(num_pairs: int, *, seed: int = 0, held_out: bool = False) -> list[tuple[str, str]]:
    """Generate pairs of a written date and the same date in ISO format, for 1900 to 2099.

    Args:
        num_pairs: the number of pairs, 1 or above; a pair may occur twice.
        seed: an integer, 0 or above: the same seed gives the same pairs.
        held_out: draw from the tenth of all days that is reserved for testing, instead of the
            others. These days never change, so training pairs and test pairs never share a day,
            for any seeds.

    Returns:
        Pairs such as ("march 3rd, 1987", "1987-03-03"), in lower case, each of DATE_FORMS equally
        likely. Digits alone, as in "3.4.1987", mean day.month.year.

    Examples:
        >>> rnn.date_pairs(2, seed=0)
        [('27-apr-2070', '2070-04-27'), ('jun 11th 2027', '2027-06-11')]
    """
    checks.size(num_pairs=num_pairs)
    checks.count(seed=seed)
    rng = np.random.Generator(np.random.PCG64(seed))
    days = rng.choice(_days(held_out), num_pairs).tolist()
    forms = rng.integers(len(DATE_FORMS), size=num_pairs).tolist()
    dated = [(datetime.date.fromordinal(day), DATE_FORMS[form]) for day, form in zip(days, forms)]
    return [(write_date(day, form), day.isoformat()) for day, form in dated]


def write_date(day: datetime.date, form: str) -> str:
    """Return a day in lower case, in one of DATE_FORMS or another format with the same fields."""
    month, weekday = MONTHS[day.month - 1], WEEKDAYS[day.weekday()]
    return form.format(
        year=day.year,
        month=month,
        mon=month[:3],
        number=day.month,
        day=day.day,
        nth=f"{day.day}{ORDINAL_ENDINGS.get(day.day, 'th')}",
        weekday=weekday,
        wkd=weekday[:3],
    )


def tagged_sentences(num_sentences: int, *, seed: int = 0) -> list[tuple[list[str], list[str]]]:
    """Generate sentences with a part-of-speech tag for each word.

    The tags are DET, ADJ, NOUN, PRON, VERB, ADV, PREP and CONJ. A word alone does not determine its
    tag, and often the words before it do not either: in "they watch her turn", a later word decides
    about "her". one_word_accuracy is the best accuracy without context.

    Args:
        num_sentences: the number of sentences, 1 or above.
        seed: an integer, 0 or above: the same seed gives the same sentences.

    Returns:
        A list of pairs (words, tags), two lists of equal length.

    Examples:
        >>> [(words, tags)] = rnn.tagged_sentences(1, seed=0)
        >>> words, tags
        (['the', 'captain', 'sounds', 'around'], ['DET', 'NOUN', 'VERB', 'ADV'])
    """
    checks.size(num_sentences=num_sentences)
    checks.count(seed=seed)
    rng = np.random.Generator(np.random.PCG64(seed))
    return [_sentence(rng) for _ in range(num_sentences)]


@functools.cache
def one_word_accuracy() -> float:
    """Return the accuracy of the best tagger that sees only one word at a time.

    This tagger gives each word its most frequent tag. The accuracy is exact, in the limit of
    infinite text, because the table determines how often a sentence uses each symbol on average. A
    recurrent network, which also sees the other words, should exceed it.
    """
    share: dict[str, dict[str, float]] = collections.defaultdict(
        lambda: collections.defaultdict(float)
    )
    uses = _mean_uses()
    for symbol, words in _WORDS.items():
        for word in words:
            share[word][_tag(symbol)] += uses[symbol] / len(words)
    right = sum(max(tags.values()) for tags in share.values())
    return right / sum(sum(tags.values()) for tags in share.values())


_SEQUENCES = {symbol: [sequence.split() for sequence in row] for symbol, row in RULES.items()}
_SUMS = {symbol: list(itertools.accumulate(row.values())) for symbol, row in RULES.items()}
_WORDS = {symbol: words.split() for symbol, words in WORDS.items()}


def _sentence(rng: np.random.Generator) -> tuple[list[str], list[str]]:
    """Expand the symbol "sentence", leftmost symbol first, until only words remain."""
    words, tags, waiting = [], [], ["sentence"]
    while waiting:
        symbol, draw = waiting.pop(), rng.random()
        if symbol in RULES:
            chosen = bisect.bisect(_SUMS[symbol][:-1], draw)  # the last sequence takes the rest
            waiting += reversed(_SEQUENCES[symbol][chosen])
        else:
            words.append(_WORDS[symbol][int(draw * len(_WORDS[symbol]))])
            tags.append(_tag(symbol))
    return words, tags


def _tag(symbol: str) -> str:
    return symbol.partition(":")[0]


def _mean_uses() -> dict[str, float]:
    """Return the mean number of occurrences of each symbol in a sentence.

    Their vector m solves m = start + M^T m, where start counts the symbol "sentence" once, and
    M[i, j] is the mean number of symbols j that replace a symbol i.
    """
    symbols = [*RULES, *WORDS]
    become = np.zeros((len(symbols), len(symbols)))
    for symbol, row in RULES.items():
        for sequence, probability in row.items():
            for part in sequence.split():
                become[symbols.index(symbol), symbols.index(part)] += probability
    start = np.eye(len(symbols))[symbols.index("sentence")]
    means = np.linalg.solve(np.eye(len(symbols)) - become.T, start)
    return dict(zip(symbols, means.tolist()))


@functools.cache
def _days(held_out: bool) -> np.ndarray[Any, Any]:
    """Return the tenth of the days held out, or all others, as ordinals of datetime.date."""
    days = np.arange(FIRST_DAY.toordinal(), LAST_DAY.toordinal() + 1)
    rng = np.random.Generator(np.random.PCG64(HELD_OUT_SEED))
    is_held_out = rng.permutation(len(days)) < len(days) // 10
    chosen: np.ndarray[Any, Any] = days[is_held_out == held_out]
    return chosen
