"""The tasks that ``d2lrnn task`` runs, with five kinds of input and output.

Every function takes a backend (``from d2lrnn import torch as rnn``), trains a network and returns
an Outcome. ``settings`` are arguments of the network: cell, seed, dtype, device. The defaults give
the results in docs/measured.md. The tasks that test what a network remembers are in memory.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from d2lrnn import plot
from d2lrnn.data import datasets, generated, text
from d2lrnn.data.batches import BatchLoader
from d2lrnn.nets.bleu import bleu
from d2lrnn.recipes import memory
from d2lrnn.recipes.outcome import Outcome
from d2lrnn.recipes.pairs import Pairs, Tokens
from d2lrnn.training import sequences
from d2lrnn.training.history import Scores

if TYPE_CHECKING:
    from d2lrnn.interface import BackendLike

REVIEWS = (("movie was good", 1), ("movie was bad", 0), ("movie was not good", 0))
ORDERS = (("cat mat rat", 1), ("rat mat cat", 0), ("rat cat mat", 1))


def one_hot_texts(labelled: Sequence[tuple[str, int]]) -> tuple[list[Any], Any]:
    """Return texts as one-hot arrays (num_words, vocab_size), and their labels.

    Words are numbered in order of first appearance.
    """
    words = list(dict.fromkeys(word for sentence, _ in labelled for word in sentence.split()))
    rows = [np.eye(len(words))[[words.index(w) for w in s.split()]] for s, _ in labelled]
    return rows, np.array([label for _, label in labelled])


def sentiment(
    rnn: BackendLike, num_epochs: int = 300, *, progress: bool | None = None, **settings: Any
) -> Outcome:
    """Many to one: classify three reviews as good or bad."""
    X, y = one_hot_texts(REVIEWS)
    net = rnn.SequenceClassifierScratch(X[0].shape[1], 3, 1, **settings)
    scores = sequences.train_sequences(
        net, [(X, y)], 0.05, num_epochs, held_out=(X, y), progress=progress
    )
    reviews = zip(REVIEWS, net.probabilities(X))
    lines = [_of_review(review, label, p) for (review, label), p in reviews]
    return Outcome(net, scores, lines, scores.plot)


def _of_review(review: str, label: int, p: float) -> str:
    """Return the predicted label of a review, its probability, and whether it is correct."""
    predicted = int(p > 0.5)
    verdict = "correct" if predicted == label else "wrong"
    name = ("negative", "positive")[predicted]
    return f"{review!r}: label: {name}, P = {p if predicted else 1 - p:.4f} ({verdict})"


def digits(
    rnn: BackendLike, num_epochs: int = 60, *, progress: bool | None = None, **settings: Any
) -> Outcome:
    """Many to one: classify 8 x 8 digits of scikit-learn by rows."""
    arrays = datasets.load_digits()
    return _read_images(rnn, arrays[:2], arrays[2:], num_epochs, progress, settings)


def mnist(
    rnn: BackendLike, num_epochs: int = 5, *, progress: bool | None = None, **settings: Any
) -> Outcome:
    """Many to one: classify the 28 x 28 digits of MNIST by rows."""
    both = [datasets.read_mnist(split) for split in ("train", "test")]
    train, test = ((images.astype(np.float32) / 255, y.astype(int)) for images, y in both)
    return _read_images(rnn, train, test, num_epochs, progress, settings)


def _read_images(
    rnn: BackendLike, train: Any, test: Any, num_epochs: int, progress: bool | None, settings: Any
) -> Outcome:
    """Train an LSTM with 128 units on images (N, height, width): Adam 0.001, batch size 128."""
    width = train[0].shape[2]
    net = rnn.SequenceClassifierScratch(width, 128, 10, **{"cell": "lstm", **settings})
    loader = BatchLoader(*train, batch_size=128, seed=settings.get("seed"))
    scores = sequences.train_sequences(
        net, loader, 0.001, num_epochs, held_out=test, progress=progress
    )

    def draw() -> Any:
        guesses = net.predict(test[0])
        shown = _ten_and_mistakes(guesses != test[1])
        images, labels, guesses = test[0][shown], test[1][shown], guesses[shown]
        titles = [f"label={label}, pred={guess}" for label, guess in zip(labels, guesses)]
        return plot.gallery(images, titles, marked=labels != guesses)

    line = f"{net.score(*test):.2%} of {len(test[1]):,} test images classified correctly"
    return Outcome(net, scores, [line], draw)


def _ten_and_mistakes(wrong: Any) -> Any:
    """Return the indices of images to show: the first ten, then five others, mistakes first."""
    others = np.arange(10, len(wrong))
    return np.concatenate([np.arange(10), others[np.argsort(~wrong[10:], kind="stable")][:5]])


def drawing(
    rnn: BackendLike, num_epochs: int = 200, *, progress: bool | None = None, **settings: Any
) -> Outcome:
    """One to many: generate an image of a digit from its label."""
    digits = datasets.load_digits()
    context = np.eye(10)[digits.train_labels]
    net = rnn.DecoderScratch(8, 128, 10, **{"cell": "lstm", **settings}, loss="sigmoid")
    arrays = context, digits.train_images
    loader = BatchLoader(*arrays, batch_size=128, seed=settings.get("seed"))
    scores = sequences.train_sequences(net, loader, 0.005, num_epochs, progress=progress)
    images = net.generate(np.eye(10), 8)
    nearest = nearest_label(images, digits.train_images, digits.train_labels)
    right = int((nearest == np.arange(10)).sum())
    line = f"{right} of 10 drawings are nearest to the mean image of their own label"
    return Outcome(
        net, scores, [line], lambda: plot.gallery(images, [f"label={i}" for i in range(10)])
    )


def nearest_label(drawn: Any, images: Any, labels: Any) -> Any:
    """Return the label of the nearest mean image for each drawing."""
    means = np.array([images[labels == label].mean(axis=0) for label in range(10)])
    distances = ((drawn[:, None] - means[None]) ** 2).sum(axis=(2, 3))
    return distances.argmin(axis=1)


def dates(
    rnn: BackendLike, num_epochs: int = 8, *, progress: bool | None = None, **settings: Any
) -> Outcome:
    """Many to many: translate written dates to ISO dates.

    The learning rate of the last quarter of the epochs is a tenth of the initial one.
    """
    train, test = generated.date_pairs(20000), generated.date_pairs(1000, seed=1, held_out=True)
    pairs = Pairs(train)
    net, held_out = pairs.net(rnn, 64, **settings), pairs.arrays(test)
    loader = BatchLoader(*pairs.arrays(train), batch_size=64, seed=settings.get("seed"))
    late, scores = num_epochs // 4, Scores()
    for lr, epochs in ((0.005, num_epochs - late), (0.0005, late)):
        scores += sequences.train_sequences(
            net, loader, lr, epochs, held_out=held_out, progress=progress
        )
    examples = [written for written, _ in test[:5]]
    outputs = pairs.write(net, examples, num_steps=11, beam_size=3)
    lines = [f"{one!r} -> {''.join(other)!r}" for one, other in zip(examples, outputs)]
    line = f"{net.score(*held_out):.2%} of {len(test):,} held-out dates translated exactly"
    return Outcome(net, scores, [*lines, line], scores.plot)


def french(
    rnn: BackendLike, num_epochs: int = 300, *, progress: bool | None = None, **settings: Any
) -> Outcome:
    """Many to many: translate 600 sentences from English to French.

    The sentences are the first 600 of the data set of the book.

    As in the book, words that occur once are unknown, and the score is that of the training set.
    """
    sentences = datasets.read_fra_eng()[:600]
    words = [[datasets.normalise(s).split()[:9] for s in pair] for pair in sentences]
    tokens = [(source, target) for source, target in words]
    pairs = Pairs(tokens, min_freq=2)
    net = pairs.net(rnn, 64, **settings)
    arrays = pairs.arrays(tokens)
    loader = BatchLoader(*arrays, batch_size=64, seed=settings.get("seed"))
    scores = sequences.train_sequences(net, loader, 0.005, num_epochs, progress=progress)
    outputs = pairs.write(net, [source for source, _ in tokens], num_steps=10, beam_size=3)
    written, truth = [" ".join(o) for o in outputs], [" ".join(target) for _, target in tokens]
    examples = [f"{' '.join(tokens[i][0])!r} -> {written[i]!r}" for i in range(0, 600, 120)]
    line = f"BLEU {bleu(written, truth):.1f} on the 600 training sentences"
    return Outcome(net, scores, [*examples, line], scores.plot)


def tagging(
    rnn: BackendLike, num_epochs: int = 5, *, progress: bool | None = None, **settings: Any
) -> Outcome:
    """Many to many: tag each word with its part of speech."""
    train, test = generated.tagged_sentences(4000), generated.tagged_sentences(1000, seed=1)
    words, tags = (text.Vocab([pair[kind] for pair in train]) for kind in (0, 1))

    def arrays(sentences: Sequence[tuple[Tokens, Tokens]]) -> tuple[Any, ...]:
        longest = max(len(s) for s, _ in [*train, *test])
        X = text.pad_sequences([words[s] for s, _ in sentences], longest, padding="post")
        Y = text.pad_sequences([tags[t] for _, t in sentences], longest, padding="post")
        return X, Y, np.array([len(s) for s, _ in sentences])

    settings = {"cell": "gru", "bidirectional": True, **settings}
    net = rnn.SequenceTaggerScratch(len(words), 32, len(tags), **settings)
    loader = BatchLoader(*arrays(train), batch_size=32, seed=settings.get("seed"))
    held_out = arrays(test)
    scores = sequences.train_sequences(
        net, loader, 0.01, num_epochs, held_out=held_out, progress=progress
    )
    example, _ = test[0]
    predicted = tags.to_tokens(net.predict([words[example]])[0])
    lines = [
        " ".join(f"{word}/{tag}" for word, tag in zip(example, predicted)),
        f"{net.score(*held_out):.2%} of the tags of {len(test):,} sentences are correct; "
        f"without context at most {generated.one_word_accuracy():.2%}",
    ]
    return Outcome(net, scores, lines, scores.plot)


TASKS = {
    **{task.__name__: task for task in (sentiment, digits, mnist, drawing, dates, french, tagging)},
    **memory.TASKS,
}
