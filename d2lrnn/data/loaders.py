"""Functions that load a text as minibatches: the corpora by name, a file, a string."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, cast

from d2lrnn.data import corpora, splitting, strings, text
from d2lrnn.data.signatures import Load, LoadString, LoadText
from d2lrnn.data.vocab import Vocab


def _typed(load: Callable[..., Any]) -> Load:
    return cast("Load", load)


def _typed_text(load: Callable[..., Any]) -> LoadText:
    return cast("LoadText", load)


def _typed_string(load: Callable[..., Any]) -> LoadString:
    return cast("LoadString", load)


@_typed
def load_data_time_machine(
    batch_size: int,
    num_steps: int,
    use_random_iter: bool = False,
    max_tokens: int | None = 10000,
    *,
    token: str = "char",
    seed: int | None = None,
    vocab: text.Vocab | None = None,
    validation: float | None = None,
    vocab_size: int | None = None,
) -> tuple[Any, ...]:
    """Load The Time Machine as minibatches.

    Args:
        batch_size: subsequences per minibatch, n.
        num_steps: tokens per subsequence, T.
        use_random_iter: random sampling instead of sequential partitioning.
        max_tokens: train on the first max_tokens tokens; None for all of them.
        token: "char", "word" or "wordpunct", see tokenize, or "bpe" for byte-pair tokens, see
            BPETokenizer; leave it out with vocab, whose kind is used.
        seed: an integer to repeat the same epochs, or None.
        vocab: a Vocab to use, or None for that of the text.
        validation: None, or the share of the text, between 0 and 1, that is held out from its end.
        vocab_size: for token "bpe", the number of tokens to learn, at least 256; None for 1,024.

    Returns:
        A SeqDataLoader, whose minibatches X and Y are tensors (n, T), and the Vocab. With
        validation, three values: the loader of the training part; a loader of the held-out part,
        with at most n rows and the same minibatches in every epoch; and the Vocab, which is that of
        the training part only, so that other tokens of the held-out part are unknown.

    Raises:
        DownloadError: an OSError; the text is not available and cannot be downloaded.
        ValueError: an argument is out of its range.

    Source: the book's section 9.3.

    Examples:
        >>> train_iter, vocab = rnn.load_data_time_machine(batch_size=32, num_steps=35)
        >>> X, Y = next(iter(train_iter))
        >>> tuple(X.shape), len(vocab)
        ((32, 35), 28)
    """
    sizes, parts = (batch_size, num_steps, use_random_iter), (vocab, validation, vocab_size)
    return splitting.load(corpora.read_time_machine(), *sizes, max_tokens, token, seed, *parts)


@_typed
def load_data_builtin(
    batch_size: int,
    num_steps: int,
    use_random_iter: bool = False,
    max_tokens: int | None = 10000,
    *,
    token: str = "char",
    seed: int | None = None,
    vocab: text.Vocab | None = None,
    validation: float | None = None,
    vocab_size: int | None = None,
) -> tuple[Any, ...]:
    """Load the built-in story as minibatches; this needs no download.

    Args:
        batch_size: subsequences per minibatch, n.
        num_steps: tokens per subsequence, T.
        use_random_iter: random sampling instead of sequential partitioning.
        max_tokens: train on the first max_tokens tokens; None for all of them.
        token: "char", "word" or "wordpunct", see tokenize, or "bpe" for byte-pair tokens, see
            BPETokenizer; leave it out with vocab, whose kind is used.
        seed: an integer to repeat the same epochs, or None.
        vocab: a Vocab to use, or None for that of the text.
        validation: None, or the share of the text, between 0 and 1, that is held out from its end.
        vocab_size: for token "bpe", the number of tokens to learn, at least 256; None for 1,024.

    Returns:
        A SeqDataLoader, whose minibatches X and Y are tensors (n, T), and the Vocab. With
        validation, three values: the loader of the training part; a loader of the held-out part,
        with at most n rows and the same minibatches in every epoch; and the Vocab, which is that of
        the training part only, so that other tokens of the held-out part are unknown.

    Raises:
        ValueError: an argument is out of its range.

    Examples:
        >>> train_iter, vocab = rnn.load_data_builtin(batch_size=32, num_steps=35, seed=0)
        >>> X, Y = next(iter(train_iter))
        >>> tuple(X.shape), len(vocab)
        ((32, 35), 55)
    """
    sizes, parts = (batch_size, num_steps, use_random_iter), (vocab, validation, vocab_size)
    return splitting.load(corpora.read_builtin(), *sizes, max_tokens, token, seed, *parts)


@_typed_text
def load_data_text(
    path: str | os.PathLike[str],
    batch_size: int,
    num_steps: int,
    use_random_iter: bool = False,
    max_tokens: int | None = None,
    *,
    token: str = "char",
    seed: int | None = None,
    vocab: text.Vocab | None = None,
    validation: float | None = None,
    vocab_size: int | None = None,
    encoding: str = "utf-8",
) -> tuple[Any, ...]:
    """Load a text file of your own as minibatches.

    The vocabulary is that of the whole text even if max_tokens is smaller.

    Args:
        path: the file, or a pipe such as /dev/stdin.
        batch_size: subsequences per minibatch, n.
        num_steps: tokens per subsequence, T.
        use_random_iter: random sampling instead of sequential partitioning.
        max_tokens: train on the first max_tokens tokens; None for all of them.
        token: "char", "word" or "wordpunct", see tokenize, or "bpe" for byte-pair tokens, see
            BPETokenizer; leave it out with vocab, whose kind is used.
        seed: an integer to repeat the same epochs, or None.
        vocab: a Vocab to use, or None for that of the text.
        validation: None, or the share of the text, between 0 and 1, that is held out from its end.
        vocab_size: for token "bpe", the number of tokens to learn, at least 256; None for 1,024.
        encoding: the encoding of the file, such as "utf-8", "latin-1" or "utf-16".

    Returns:
        A SeqDataLoader, whose minibatches X and Y are tensors (n, T), and the Vocab. With
        validation, three values: the loader of the training part; a loader of the held-out part,
        with at most n rows and the same minibatches in every epoch; and the Vocab, which is that of
        the training part only, so that other tokens of the held-out part are unknown.

    Raises:
        ValueError: the file is empty or not in that encoding, or an argument is out of its range.
        OSError: the file cannot be read.

    Examples:
        >>> with open("mine.txt", "w") as file:
        ...     print("far and near, near and far. " * 10, file=file)
        >>> train_iter, vocab = rnn.load_data_text("mine.txt", batch_size=4, num_steps=8)
        >>> len(train_iter), len(vocab)
        (8, 11)
    """
    sizes, parts = (batch_size, num_steps, use_random_iter), (vocab, validation, vocab_size)
    return splitting.load(
        corpora.read_blocks(path, encoding), *sizes, max_tokens, token, seed, *parts
    )


@_typed_string
def load_data_string(
    text: str,
    batch_size: int,
    num_steps: int,
    use_random_iter: bool = False,
    max_tokens: int | None = None,
    *,
    token: str = "char",
    seed: int | None = None,
    vocab: Vocab | None = None,
    validation: float | None = None,
    vocab_size: int | None = None,
) -> tuple[Any, ...]:
    """Load a text of your own, given as a string, as minibatches.

    The vocabulary is that of the whole text even if max_tokens is smaller.

    Args:
        text: the text.
        batch_size: subsequences per minibatch, n.
        num_steps: tokens per subsequence, T.
        use_random_iter: random sampling instead of sequential partitioning.
        max_tokens: train on the first max_tokens tokens; None for all of them.
        token: "char", "word" or "wordpunct", see tokenize, or "bpe" for byte-pair tokens, see
            BPETokenizer; leave it out with vocab, whose kind is used.
        seed: an integer to repeat the same epochs, or None.
        vocab: a Vocab to use, or None for that of the text.
        validation: None, or the share of the text, between 0 and 1, that is held out from its end.
        vocab_size: for token "bpe", the number of tokens to learn, at least 256; None for 1,024.

    Returns:
        A SeqDataLoader, whose minibatches X and Y are tensors (n, T), and the Vocab. With
        validation, three values: the loader of the training part; a loader of the held-out part,
        with at most n rows and the same minibatches in every epoch; and the Vocab, which is that of
        the training part only, so that other tokens of the held-out part are unknown.

    Raises:
        ValueError: text is not a string or is empty, or an argument is out of its range.

    Examples:
        >>> text = "far and near, near and far. " * 10
        >>> train_iter, vocab = rnn.load_data_string(text, batch_size=4, num_steps=8)
        >>> len(train_iter), len(vocab)
        (8, 10)
    """
    if not strings.text(text, "text").strip():
        raise ValueError("text is empty; expected a text to train on")
    sizes, parts = (batch_size, num_steps, use_random_iter), (vocab, validation, vocab_size)
    return splitting.load([text], *sizes, max_tokens, token, seed, *parts)


@_typed
def load_data_tiny_shakespeare(
    batch_size: int,
    num_steps: int,
    use_random_iter: bool = False,
    max_tokens: int | None = 10000,
    *,
    token: str = "char",
    seed: int | None = None,
    vocab: text.Vocab | None = None,
    validation: float | None = None,
    vocab_size: int | None = None,
) -> tuple[Any, ...]:
    """Load tiny-shakespeare, a million characters, as minibatches.

    Args:
        batch_size: subsequences per minibatch, n.
        num_steps: tokens per subsequence, T.
        use_random_iter: random sampling instead of sequential partitioning.
        max_tokens: train on the first max_tokens tokens; None for all of them.
        token: "char", "word" or "wordpunct", see tokenize, or "bpe" for byte-pair tokens, see
            BPETokenizer; leave it out with vocab, whose kind is used.
        seed: an integer to repeat the same epochs, or None.
        vocab: a Vocab to use, or None for that of the text.
        validation: None, or the share of the text, between 0 and 1, that is held out from its end.
        vocab_size: for token "bpe", the number of tokens to learn, at least 256; None for 1,024.

    Returns:
        A SeqDataLoader, whose minibatches X and Y are tensors (n, T), and the Vocab. With
        validation, three values: the loader of the training part; a loader of the held-out part,
        with at most n rows and the same minibatches in every epoch; and the Vocab, which is that of
        the training part only, so that other tokens of the held-out part are unknown.

    Raises:
        DownloadError: an OSError; the text is not available and cannot be downloaded.
        ValueError: an argument is out of its range.

    Examples:
        >>> train_iter, vocab = rnn.load_data_tiny_shakespeare(batch_size=32, num_steps=35)
        >>> X, Y = next(iter(train_iter))
        >>> tuple(X.shape), len(vocab)
        ((32, 35), 66)
    """
    sizes, parts = (batch_size, num_steps, use_random_iter), (vocab, validation, vocab_size)
    return splitting.load(corpora.read_tiny_shakespeare(), *sizes, max_tokens, token, seed, *parts)


def load_corpus_time_machine(
    max_tokens: int | None = None, *, token: str = "char"
) -> tuple[list[int], text.Vocab]:
    """Return The Time Machine as one list of token ids.

    Args:
        max_tokens: keep the first max_tokens tokens; None for all of them.
        token: "char" or "word".

    Returns:
        The list of ids, and the Vocab.

    Raises:
        DownloadError: an OSError; the text is not available and cannot be downloaded.

    Source: the book's section 9.2.

    Examples:
        >>> corpus, vocab = rnn.load_corpus_time_machine()
        >>> len(corpus), len(vocab)
        (170580, 28)
    """
    return text.build_corpus(corpora.read_time_machine(), token, max_tokens)
