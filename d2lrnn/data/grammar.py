"""A language of known entropy, and so of known lowest perplexity.

A Markov source generates words, each with probabilities that depend only on the previous word. The
table of these probabilities determines its entropy rate, and so the lowest perplexity that any
model can reach on unseen text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import numpy as np

from d2lrnn import checks
from d2lrnn.data import batches, splitting, text
from d2lrnn.data.signatures import LoadGrammar

Table = Mapping[str, Mapping[str, float]]

# For each word, the probabilities of the words that may follow it. Every row adds up to 1.
TABLE: Table = {
    "the": {"old": 0.3, "small": 0.2, "clock": 0.2, "tide": 0.2, "captain": 0.1},
    "old": {"clock": 0.5, "captain": 0.3, "tide": 0.2},
    "small": {"clock": 0.6, "old": 0.1, "tide": 0.3},
    "clock": {"listens": 0.4, "waits": 0.3, "and": 0.2, "turns": 0.1},
    "tide": {"turns": 0.6, "waits": 0.2, "and": 0.2},
    "captain": {"listens": 0.5, "waits": 0.4, "and": 0.1},
    "listens": {"to": 0.7, "and": 0.3},
    "waits": {"for": 0.6, "and": 0.2, "the": 0.2},
    "turns": {"to": 0.3, "and": 0.5, "the": 0.2},
    "to": {"the": 1.0},
    "for": {"the": 0.9, "and": 0.1},
    "and": {"the": 0.8, "waits": 0.1, "turns": 0.1},
}


class MarkovSource:
    """A source of words, each of which depends on the previous word.

    Args:
        table: for each word, the words that may follow it and their probabilities, which add up
            to 1. Every word must be reachable from every other.

    Raises:
        ValueError: a row does not add up to 1, holds a negative number or an unknown word, or a
            word cannot be reached from another.

    Examples:
        >>> from d2lrnn.data.grammar import MarkovSource
        >>> source = MarkovSource()
        >>> " ".join(source.speak(6, seed=0))
        'waits for the old captain and'
        >>> round(source.perplexity("char"), 2)  # no model can reach a lower one
        1.22
    """

    def __init__(self, table: Table = TABLE) -> None:
        """Check the table and compute the stationary distribution of its words."""
        self.words = list(table)
        self.matrix = np.zeros((len(table), len(table)))
        for row, (word, followers) in enumerate(table.items()):
            for follower, probability in followers.items():
                if follower not in table:
                    raise ValueError(f"{follower!r} follows {word!r}; expected a word of the table")
                checks.not_negative(**{f"the probability of {follower!r}": probability})
                self.matrix[row, self.words.index(follower)] = probability
            if not math.isclose(total := self.matrix[row].sum(), 1.0, abs_tol=1e-9):
                raise ValueError(f"the probabilities after {word!r} add up to {total}; expected 1")
        self.stationary = _stationary(self.matrix, self.words)

    def entropy_rate(self, token: str = "word") -> float:
        """Return the entropy rate in nats per token, exactly.

        Per word, it is the mean entropy of a word given the previous word, weighted by the
        frequency of the previous word. Per character, it is the rate per word divided by the mean
        length of a word, including the space after it.

        Source: Shannon, 1948; Cover and Thomas, Elements of Information Theory, theorem 4.2.4.
        """
        checks.choice(token, "token", text.TOKEN_KINDS)
        logs = np.log(np.where(self.matrix > 0, self.matrix, 1.0))
        per_word = -float(self.stationary @ (self.matrix * logs).sum(axis=1))
        lengths = np.array([len(word) + 1 for word in self.words])
        return per_word / float(self.stationary @ lengths) if token == "char" else per_word

    def perplexity(self, token: str = "word") -> float:
        """Return exp(entropy rate): the lowest perplexity that a model can have."""
        return math.exp(self.entropy_rate(token))

    def speak(self, num_words: int, *, seed: Any = None) -> list[str]:
        """Generate num_words words; seed is an integer, a numpy.random.Generator or None."""
        checks.size(num_words=num_words)
        rng = batches.generator(seed)
        sums = self.matrix.cumsum(axis=1)
        sums[:, -1] = 1.0  # not changed by rounding
        state = int(rng.choice(len(self.words), p=self.stationary))
        spoken = []
        for draw in rng.random(num_words):
            spoken.append(self.words[state])
            state = int(np.searchsorted(sums[state], draw, side="right"))
        return spoken


class GrammarLoader:
    """Minibatches of generated text, new in every epoch, so that a model cannot memorize it.

    Args:
        source: a MarkovSource.
        batch_size: subsequences per minibatch.
        num_steps: tokens per subsequence.
        use_random_iter: random sampling instead of sequential partitioning.
        max_tokens: the number of tokens in an epoch.
        token: "char" or "word".
        seed: an integer to repeat the same epochs, or None.
        vocab: a Vocab to use, or None for that of the source.

    ``floor`` is the lowest perplexity that a model can have on this text.

    Examples:
        >>> from d2lrnn.data.grammar import GrammarLoader, MarkovSource
        >>> loader = GrammarLoader(MarkovSource(), 4, 10, max_tokens=500, seed=0)
        >>> X, Y = next(iter(loader))
        >>> X.shape, len(loader.vocab), round(loader.floor, 2)
        ((4, 10), 20, 1.22)
    """

    to_tensor: Callable[[batches.Ids], Any] = staticmethod(lambda ids: ids)

    def __init__(
        self,
        source: MarkovSource,
        batch_size: int,
        num_steps: int,
        use_random_iter: bool = False,
        max_tokens: int = 10000,
        *,
        token: str = "char",
        seed: int | None = None,
        vocab: text.Vocab | None = None,
    ) -> None:
        """Build the vocabulary, which is the same for all epochs."""
        checks.size(max_tokens=max_tokens)
        self.source, self.token, self.max_tokens = source, token, max_tokens
        self.batch_size, self.num_steps = batch_size, num_steps
        self.use_random_iter, self.seed = use_random_iter, seed
        self.floor = source.perplexity(token)
        lines = [word + " " for word in source.words]
        self.vocab = text.build_corpus(lines, token)[1] if vocab is None else vocab
        self.rng = batches.generator(seed)
        self._settings = batch_size, num_steps, use_random_iter
        self._length = len(self._epoch())

    @property
    def num_tokens(self) -> int:
        """The length of an epoch's text."""
        return self.max_tokens

    def __len__(self) -> int:
        """Return the number of minibatches of an epoch."""
        return self._length

    def __iter__(self) -> Iterator[batches.Minibatch]:
        """Generate the text of the next epoch and yield its minibatches."""
        for X, Y in self._epoch():
            yield self.to_tensor(X), self.to_tensor(Y)

    def other_text(self, num_tokens: int) -> batches.Ids:
        """Return the ids of text that does not depend on that of the epochs, for validation."""
        other = (self.seed, 1) if isinstance(self.seed, (int, np.integer)) else None
        return np.array(self._ids(num_tokens, np.random.default_rng(other)), np.int32)

    def _ids(self, num_tokens: int, rng: np.random.Generator) -> list[int]:
        words = self.source.speak(num_tokens, seed=rng)
        tokens = list(" ".join(words)) if self.token == "char" else words
        ids: list[int] = self.vocab[tokens[:num_tokens]]
        return ids

    def _epoch(self) -> batches.SeqDataLoader:
        corpus = self._ids(self.max_tokens, self.rng)
        seed = int(self.rng.integers(2**31))
        return batches.SeqDataLoader(corpus, *self._settings, seed=seed)


def _stationary(matrix: np.ndarray[Any, Any], words: list[str]) -> np.ndarray[Any, Any]:
    """Return the stationary distribution of the chain: pi P = pi, sum(pi) = 1."""
    reach = np.linalg.matrix_power(np.eye(len(words)) + (matrix > 0), len(words)) > 0
    if not reach.all():
        start, end = np.argwhere(~reach)[0]
        raise ValueError(
            f"{words[end]!r} cannot be reached from {words[start]!r}; "
            "expected a table in which every word can be reached from every other"
        )
    equations = np.vstack([matrix.T - np.eye(len(words)), np.ones(len(words))])
    ones = np.append(np.zeros(len(words)), 1.0)
    solution: np.ndarray[Any, Any] = np.linalg.lstsq(equations, ones, rcond=None)[0]
    return solution


def _typed_grammar(load: Callable[..., Any]) -> LoadGrammar:
    return cast("LoadGrammar", load)


@_typed_grammar
def load_data_grammar(
    batch_size: int,
    num_steps: int,
    use_random_iter: bool = False,
    max_tokens: int | None = 10000,
    *,
    token: str = "char",
    seed: int | None = None,
    vocab: text.Vocab | None = None,
    validation: float | None = None,
) -> tuple[Any, ...]:
    """Load text from a source of known entropy, which is new in every epoch.

    Args:
        batch_size: subsequences per minibatch, n.
        num_steps: tokens per subsequence, T.
        use_random_iter: random sampling instead of sequential partitioning.
        max_tokens: the number of tokens in an epoch; None for 10,000.
        token: "char", "word" or "wordpunct", see tokenize; leave it out with vocab, whose kind is
            used.
        seed: an integer to repeat the same epochs, or None.
        vocab: a Vocab to use, or None for that of the source.
        validation: None, or the number of tokens for validation as a share of max_tokens, between 0
            and 1; they are other text of the source, the same in every epoch.

    Returns:
        A loader, whose minibatches X and Y are tensors (n, T) and whose ``floor`` is the lowest
        perplexity that is possible, and the Vocab. With validation, a loader of the validation text
        comes between the two.

    Raises:
        ValueError: an argument is out of its range.

    Examples:
        >>> train_iter, vocab = rnn.load_data_grammar(batch_size=32, num_steps=35, seed=0)
        >>> round(train_iter.floor, 2), len(train_iter)
        (1.22, 8)
    """
    sizes = batch_size, num_steps, use_random_iter
    length = 10000 if max_tokens is None else max_tokens
    kind: dict[str, Any] = {"token": text.kind_of(vocab, token), "vocab": vocab}
    loader = GrammarLoader(MarkovSource(), *sizes, length, **kind, seed=seed)
    if validation is None:
        return loader, loader.vocab
    corpus = loader.other_text(round(checks.share(validation=validation) * length))
    return loader, splitting.held_out(corpus, *sizes, loader.vocab), loader.vocab
