# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---
# %% [markdown]
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/d2lrnn/d2lrnn/blob/main/notebooks/02-text-to-minibatches.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/d2lrnn/d2lrnn/blob/main/notebooks/02-text-to-minibatches.ipynb)
#
# # 2. From text to minibatches
#
# The inputs of a neural network are arrays of equal size, but a text is one
# long string. This notebook shows how to convert one to the other: the text
# is divided into tokens, each token gets a number, the list of numbers is
# divided into subsequences, and several subsequences form a minibatch. It
# also shows how often tokens occur, which explains why counting n-grams
# fails in notebook 1. Each step is first implemented in a few lines and then
# compared with the function of the package.
#
# The notebook follows sections 9.2 and 9.3 of *Dive into Deep Learning* and
# uses their notation. Notebook 1 explains what a language model is.

# %%
import importlib.util

if importlib.util.find_spec("d2lrnn") is None:
    # %pip install -q "d2lrnn[torch] @ git+https://github.com/d2lrnn/d2lrnn"
    importlib.invalidate_caches()

# %%
from collections import Counter
from itertools import pairwise

import numpy as np

from d2lrnn import backends, plot
from d2lrnn.plot import diagrams
from d2lrnn.plot import pen as sketch
from d2lrnn.teaching import (
    check,
    full_or_fast,
    present,
    time_machine_at_hand,
)

# Before any import of a framework: float64 in JAX, fewer messages.
backends.prepare()
plot.use_style()

# %% [markdown]
# This notebook runs on any of five backends. To choose one, edit only the
# following line.

# %%
from d2lrnn import torch as rnn  # or tensorflow, jax, mxnet, numpy

# %% [markdown]
# ## Tokens
#
# A *token* is the unit of a text that a model processes: a word or a
# character. The text is The Time Machine if it is available, and otherwise
# the story that is part of the package. To keep the example small, all
# letters are converted to lower case, and punctuation is removed. A model
# that is used in practice needs both. For learning how such models work,
# this simplification halves the vocabulary and loses little.

# %%
at_hand = time_machine_at_hand()
lines = rnn.read_time_machine() if at_hand else rnn.read_builtin()
lines = [" ".join(rnn.words_of(line)) for line in lines]
first = next(line for line in lines if len(line) > 30)[:60]
print(first)

as_words, as_characters = first.split(), list(first)
assert [as_words] == rnn.tokenize([first], "word")
assert [as_characters] == rnn.tokenize([first], "char")
print(as_words)
print(as_characters)

# %% [markdown]
# Which of the two is better? Words have a meaning, and a text has fewer
# words than characters, so that distances are shorter. But there are many
# different words, and each needs its own row of parameters. A new text also
# contains words that did not occur before. There are few different
# characters, and a few pages contain all of them. But the model must learn
# how to spell, and must store information over more steps. (Large models use
# *pieces of words*, a compromise between the two.)
#
# The figure shows the number of different tokens in the first part of the
# text, for parts of increasing length.

# %%
streams = {
    token: [one for row in rnn.tokenize(lines, token) for one in row]
    for token in ("word", "char")
}


def spread(last, number=70):
    """Return numbers from 1 to last, evenly spread on a log axis."""
    return np.unique(np.geomspace(1, last, number).round().astype(int))


ax = plot.new_axes(8, 4.8)
for number, (token, stream) in enumerate(streams.items()):
    distinct, different = set(), []
    for one in stream:
        distinct.add(one)
        different.append(len(distinct))
    places = spread(len(stream))
    growth = np.array(different)[places - 1]
    label = {"word": "words", "char": "characters"}[token]
    style = {"label": label, **plot.line_style(number)}
    ax.plot(100 * places / len(stream), growth, **style)
    print(f"{len(stream):7,} {label}, {len(distinct):,} different ones")
ax.set(xlabel="part of the text, %", ylabel="different tokens so far")
ax.set(xscale="log", yscale="log")
ax.minorticks_off()
ax.legend()
present(
    ax, "The number of words keeps growing, the number of letters does not."
)

# %% [markdown]
# The notebooks use characters, because a vocabulary of about thirty tokens
# makes networks small and training short. Everything that follows applies to
# words as well.
#
# ## Vocabulary
#
# The inputs of a network are numbers. A vocabulary assigns an id to each
# token, beginning with the most frequent token. Id 0 is reserved for the
# *unknown* token `<unk>`, which replaces every token that is not in the
# vocabulary. Every text can be converted to ids, but unknown tokens cannot
# be converted back. In a few lines:


# %%
def numbered(tokens, min_freq=0):
    """Return the tokens in the order of their ids, and their ids."""
    counts = Counter(tokens).most_common()  # by falling frequency
    frequent = [token for token, count in counts if count >= min_freq]
    idx_to_token = ["<unk>", *frequent]
    token_to_idx = {token: i for i, token in enumerate(idx_to_token)}
    return idx_to_token, token_to_idx


# %% [markdown]
# The class `Vocab` of the package does the same. It also accepts lists of
# tokens, and converts in both directions: `vocab[tokens]` and
# `vocab.to_tokens(ids)`.

# %%
idx_to_token, token_to_idx = numbered(streams["word"], min_freq=3)
vocab = rnn.Vocab(streams["word"], min_freq=3)
assert vocab.idx_to_token == idx_to_token
assert vocab.token_to_idx == token_to_idx
print(len(vocab), "tokens with min_freq=3, as by hand")

# %%
vocab = rnn.Vocab(streams["word"])
print(vocab.token_freqs[:6])
print(vocab[["the", "time", "clock", "smartphone"]])
print(vocab.to_tokens([0, 1, 2, 3]))

# %% [markdown]
# A word that occurs only once in a book hardly improves the model, but still
# needs a row of parameters. `min_freq` omits rare tokens. Which share of the
# text becomes unknown?

# %%
for limit in (1, 2, 3, 5, 10, 20, 50):
    size = len(rnn.Vocab(streams["word"], min_freq=limit))
    rare = sum(count for _, count in vocab.token_freqs if count < limit)
    share = 100 * rare / len(streams["word"])
    print(f"min_freq {limit:2}: {size:5,} tokens, {share:4.1f}% unknown")

# %% [markdown]
# ### Exercise 1
#
# How many ids does `rnn.Vocab(["a", "b", "a", "c", "b", "a"], min_freq=2,
# reserved_tokens=["<bos>", "<eos>"])` have, and what are the ids of
# `["c", "b", "<eos>"]`? Write a number and a list, without using the
# package.

# %%
### BEGIN SOLUTION
size = 1 + 2 + 2
ids = [0, 4, 2]
### END SOLUTION

# %%
example = ["a", "b", "a", "c", "b", "a"], 2, ["<bos>", "<eos>"]
check(
    size,
    lambda: len(rnn.Vocab(*example)),
    hint="the unknown token, the reserved ones, and those that occur twice",
)
check(
    ids,
    lambda: rnn.Vocab(*example)[["c", "b", "<eos>"]],
    hint="<unk>, <bos>, <eos>, then by falling frequency; c is too rare",
)

# %% [markdown]
# ## How often words occur
#
# The most frequent words, such as *the*, *of* and *and*, carry little
# information by themselves. The book calls them *stop words*. Models need
# them nevertheless, because they connect the parts of a sentence. The
# frequencies decrease quickly. Let $n_i$ be the number of occurrences of the
# word with rank $i$. *Zipf's law* states that
#
# $$n_i \propto \frac{1}{i^\alpha}, \qquad\text{so}\qquad
# \log n_i = -\alpha \log i + c, \tag{1}$$
#
# which is a straight line if both axes are logarithmic. It is not a law of
# nature, but many texts in many languages follow it approximately, with
# $\alpha$ near 1, except for the first few words.
#
# ### Exercise 2
#
# Compute $\alpha$ from the frequencies of ranks 1, 2, 3, ... by fitting a
# straight line. (`np.polyfit(x, y, 1)` returns slope and intercept.)


# %%
def exponent(frequencies):
    """Return alpha of Zipf's law, by a line through logarithms."""
    ### BEGIN SOLUTION
    ranks = np.arange(1, len(frequencies) + 1)
    return -np.polyfit(np.log(ranks), np.log(frequencies), 1)[0]
    ### END SOLUTION


# %%
ranks = np.arange(1, 101)
check(
    lambda: [exponent(1000 / ranks**alpha) for alpha in (0.5, 1.0, 1.5)],
    [0.5, 1.0, 1.5],
    hint="the slope of log n over log i is minus alpha",
)

# %%
counts = np.array([count for _, count in vocab.token_freqs])
ranks = np.arange(1, len(counts) + 1)
middle = slice(9, min(1000, len(counts)))  # from rank 10 on
slope, level = np.polyfit(np.log(ranks[middle]), np.log(counts[middle]), 1)
ax = plot.new_axes(8, 4.8)
shown = spread(len(counts))
ax.plot(shown, counts[shown - 1], label="words", **plot.line_style(0))
label = rf"line for $\alpha$ = {-slope:.2f}"
line = np.exp(level) * shown**slope
ax.plot(shown, line, label=label, **plot.line_style(1))
for rank in (10, 100, 500):
    style = {"textcoords": "offset points", "ha": "right"}
    word, point = vocab.to_tokens(rank), (rank, counts[rank - 1])
    ax.annotate(word, point, (-6, -16), **style)
ax.set(xlabel="rank i", ylabel="frequency $n_i$", ylim=(0.7, None))
ax.set(xscale="log", yscale="log")
ax.minorticks_off()
ax.legend()
present(ax, "Frequency over rank is nearly a line on logarithmic axes.")
once = int((counts == 1).sum())
print(f"{100 * once / len(counts):.0f}% of the different words occur once")

# %% [markdown]
# About half of all different words, or more, occur only once. Smoothing does
# not help here: a model that stores words separately has learned nothing
# about a word that occurs once. For sequences of words the problem is worse.


# %%
def ngrams(n):
    """Return how often sequences of n words occur, falling."""
    stream = streams["word"]
    return Counter(zip(*(stream[i:] for i in range(n)))).most_common()


ax = plot.new_axes(8, 4.8)
for n, name in enumerate(["words", "pairs", "triples"], 1):
    grams = ngrams(n)
    frequencies = np.array([count for _, count in grams])
    shown = spread(len(grams))
    style = {"label": name, **plot.line_style(n - 1)}
    ax.plot(shown, frequencies[shown - 1], **style)
    single = 100 * np.mean(frequencies == 1)
    print(
        f"{len(grams):6,} different {name}, {single:.0f}% occur once;",
        end=" ",
    )
    print("most often:", ", ".join(" ".join(gram) for gram, _ in grams[:3]))
ax.set(xlabel="rank i", ylabel="frequency $n_i$", xscale="log", yscale="log")
ax.minorticks_off()
ax.legend()
present(ax, "Frequencies of words, pairs and triples fall along lines.")

# %% [markdown]
# The figure shows three facts. Pairs and triples of words follow Zipf's law
# too, with a smaller $\alpha$. There are far fewer different pairs and
# triples than the square or the cube of the number of words; so the order of
# words has a structure that can be learned. And most pairs and triples occur
# only once, so counting them is not enough. A model must learn from one text
# what is useful for other texts. The networks of the next notebooks do this.
#
# ## From one long text to short subsequences
#
# From here on, tokens are characters, and the text is one list of ids, the
# *corpus*, with length $T$. For training, it is divided into subsequences of
# `num_steps` tokens. The target of each token is the next token: with $s$
# for `num_steps`,
#
# $$\mathbf{X} = x_t, \ldots, x_{t+s-1} \quad\text{the model is to predict}
# \quad \mathbf{Y} = x_{t+1}, \ldots, x_{t+s}. \tag{2}$$
#
# Each subsequence contains $s$ predictions, and each prediction uses one
# token more than the one before. Why is the text divided? With the whole
# text at once, there would be only one update of the parameters per epoch,
# and all states would have to be stored for the backward pass. With short
# subsequences there are many updates, and several subsequences can be
# processed in parallel as the rows of a *minibatch*.
#
# A subsequence of $s$ tokens can start at any of $s$ offsets: the first
# token, the second, and so on. The figure shows a text that is divided into
# subsequences of three tokens, for each of the three offsets $d$:

# %%
words, num_steps = "the time traveller", 3
pen = sketch.Pen(None, 0.5 * len(words) + 2.4, 0.75 * num_steps + 0.4)
for offset in range(num_steps):
    height = 0.75 * (num_steps - 1 - offset) + 0.2
    pen.text(0.9, height + 0.25, f"$d$ = {offset}")
    whole = (len(words) - 1 - offset) // num_steps  # Y needs one token more
    last = offset + whole * num_steps
    for place, letter in enumerate(words):
        piece = (place - offset) // num_steps % 2
        colour = ("#CFE3F1", "#F7D9C4")[piece]
        if not offset <= place < last:
            colour = "white"
        pen.cell(1.9 + 0.5 * place, height, 0.5, letter, colour)
present(pen.ax, "A text cut into pieces of three, at three offsets.")

# %% [markdown]
# With a fixed offset, the model would never be trained on a sequence that
# crosses the boundary of two subsequences. Therefore each epoch draws a new
# random offset. Tokens before the offset, and the rest at the end, are not
# used in this epoch.
#
# It remains to decide which subsequences form a minibatch, and in which
# order.
#
# ## Random sampling
#
# All subsequences are shuffled, and each minibatch consists of the next
# `batch_size` of them. Subsequences in the same minibatch or in adjacent
# minibatches are not adjacent in the text. Therefore the state at the
# beginning of each minibatch must be zero. In ten lines:


# %%
def random_pieces(corpus, batch_size, num_steps, offset, rng):
    """Yield X and Y (batch_size, num_steps), pieces in random order."""
    ids = np.asarray(corpus)
    num_pieces = (len(ids) - 1 - offset) // num_steps
    starts = offset + num_steps * rng.permutation(num_pieces)
    for first in range(0, num_pieces - batch_size + 1, batch_size):
        batch = starts[first : first + batch_size]
        X = np.array([ids[start : start + num_steps] for start in batch])
        Y = np.array(
            [ids[start + 1 : start + 1 + num_steps] for start in batch]
        )
        yield X, Y


# %% [markdown]
# The function `seq_data_iter_random` of the package also draws the offset,
# and then the order, with one generator. With the same random numbers it
# returns the same minibatches:

# %%
rng = np.random.default_rng(0)
offset = rng.integers(5)
ours = list(random_pieces(range(35), 2, 5, offset, rng))
theirs = list(rnn.seq_data_iter_random(list(range(35)), 2, 5, seed=0))
for (X, Y), pair in zip(ours, theirs):
    assert (rnn.to_numpy(pair[0]) == X).all()
    assert (rnn.to_numpy(pair[1]) == Y).all()
print(len(theirs), "minibatches, the same as by hand")

# %%
axes = diagrams.partitioning(
    list(words), 2, num_steps, use_random_iter=True, seed=1
)
present(axes, "Two minibatches of two rows, from random places of the text.")

# %% [markdown]
# ## Sequential partitioning
#
# The text is divided into `batch_size` long rows. A minibatch takes the next
# `num_steps` tokens of all rows. Row $i$ of each minibatch continues row $i$
# of the previous one, so that the hidden state can be passed on. Then a
# token from 100 characters ago can still have an influence, although
# subsequences have only 35 tokens. (You write this loop in exercise 3; the
# function of the package is `seq_data_iter_sequential`.)

# %%
axes = diagrams.partitioning(list(words), 2, num_steps, seed=1)
present(axes, "Each row of the second minibatch continues one of the first.")

# %% [markdown]
# The difference is easy to see if the tokens are the numbers 0, 1, 2, ...,
# because each id is then a position in the text.

# %%
for data_iter in (rnn.seq_data_iter_random, rnn.seq_data_iter_sequential):
    print(data_iter.__name__)
    for X, Y in data_iter(list(range(35)), 2, 5, seed=0):
        for x, y in zip(rnn.to_numpy(X), rnn.to_numpy(Y)):
            print("  X", *(f"{i:2}" for i in x), end="  ")
            print("  Y", *(f"{i:2}" for i in y))
        print()

# %%
num_tokens, batch_size, num_steps = 500, 4, 15
axes = plot.new_axes(11, 4.8, columns=2)
iterators = {"random": rnn.seq_data_iter_random}
iterators["sequential"] = rnn.seq_data_iter_sequential
corpus = list(range(num_tokens))
for ax, (title, data_iter) in zip(axes, iterators.items()):
    minibatches = data_iter(corpus, batch_size, num_steps, seed=0)
    starts = np.array([rnn.to_numpy(X)[:, 0] for X, _ in minibatches])
    for row, places in enumerate(starts.T):  # starts: (minibatches, rows)
        colour = {"color": plot.COLOURS[row]}
        style = {"marker": "osD^"[row], "linestyle": "", **colour}
        ax.plot(range(1, len(places) + 1), places, **style)
        if title == "sequential":
            ax.annotate(f"row {row + 1}", (1, places[0] + 40), **colour)
    ax.set(xlabel="minibatch", ylabel="place in the text, tokens")
    ax.set(title=title)
present(axes, "Random rows are anywhere; sequential rows advance steadily.")

# %% [markdown]
# ### Exercise 3
#
# Implement sequential partitioning for a given offset: return the list of
# all $\mathbf{X}$. The last token of the corpus is not in any $\mathbf{X}$,
# because it has no target. As in the package, the number of minibatches must
# be the same for every offset.


# %%
def sequential(ids, batch_size, num_steps, offset):
    """Return the X of all minibatches, each (batch_size, num_steps)."""
    num_batches = (len(ids) - num_steps) // (batch_size * num_steps)
    ### BEGIN SOLUTION
    length = num_batches * num_steps  # of a row
    used = np.array(ids[offset : offset + batch_size * length])
    rows, starts = (
        used.reshape(batch_size, length),
        range(0, length, num_steps),
    )
    return [rows[:, start : start + num_steps] for start in starts]
    ### END SOLUTION


# %%
places = list(range(100))
minibatches = rnn.seq_data_iter_sequential(places, 3, 7, seed=5)
expected = [rnn.to_numpy(X) for X, _ in minibatches]
check(
    lambda: sequential(places, 3, 7, offset=expected[0][0, 0]),
    expected,
    hint="skip the tokens before the offset, reshape to rows, slice columns",
)

# %% [markdown]
# ## One function for all steps
#
# `SeqDataLoader` stores the corpus; each loop over it is one epoch with a
# new offset. `load_data_time_machine` and similar functions read a text,
# tokenize it, convert it to ids and divide it. They return the loader and
# the vocabulary. The example has the setting of the book, 32 rows of 35
# characters from the first 10,000. (As in the book, lines are joined without
# a space.)

# %%
load_data = rnn.load_data_time_machine if at_hand else rnn.load_data_builtin
train_iter, vocab = load_data(batch_size=32, num_steps=35, seed=0)
for epoch in range(1, 4):
    X, Y = next(iter(train_iter))
    text = vocab.join(vocab.to_tokens(rnn.to_numpy(X)[0]))
    size = f"{len(train_iter)} minibatches {tuple(X.shape)}"
    print(f"epoch {epoch}: {size}, the first begins {text!r}")

# %% [markdown]
# Each epoch omits the tokens before its offset, and the tokens at the end
# that do not fill a minibatch. Are some tokens omitted in every epoch? The
# following text is short enough to see it:

# %%
num_epochs = full_or_fast(200, 50)
ax = plot.new_axes(8, 4.8)
for number, name in enumerate(["random", "sequential"]):
    at_random = name == "random"
    loader = rnn.SeqDataLoader(np.arange(1000), 4, 35, at_random, seed=0)
    times = np.zeros(1000, dtype=int)
    for _ in range(num_epochs):
        for X, _ in loader:
            times[rnn.to_numpy(X).ravel()] += 1
    style = {"label": name, **plot.line_style(number)}
    ax.plot(np.arange(0, 1000, 20), 100 * times[::20] / num_epochs, **style)
ax.set(
    xlabel="place in the text, tokens", ylabel="epochs with this token, %"
)
ax.set(ylim=(0, 105))
ax.legend(loc="lower center")
present(ax, "Random sampling uses all tokens; sequential omits the end.")

# %% [markdown]
# The rows of sequential partitioning always begin within the first
# `num_steps` tokens, so the end of a text may never be used. With 10,000
# tokens and the setting of the book, this is the last tenth. Random sampling
# omits different tokens in each epoch, so no token is omitted in all epochs.
#
# ### Exercise 4
#
# A text has $T$ tokens, `batch_size` is $n$ and `num_steps` is $s$. The
# offset $d$ is one of $0, \ldots, s - 1$, and the number of minibatches must
# be the same for all offsets. What is this number? Compute it for $T =
# 10{,}000$, $n = 32$ and $s = 35$.

# %%
### BEGIN SOLUTION
num_batches = (10_000 - 35) // (32 * 35)
### END SOLUTION

# %%
check(
    num_batches,
    lambda: len(rnn.SeqDataLoader(np.zeros(10_000, dtype=int), 32, 35)),
    hint="the largest offset skips s - 1; the last token is only a target",
)

# %% [markdown]
# ### Exercise 5
#
# This exercise needs some research. With characters as tokens the text is
# long, and with words the vocabulary is large. Large models join tokens that
# are often adjacent: find the most frequent pair of adjacent tokens, replace
# it by one new token, and repeat (*byte pair encoding*). Implement one such
# merge: convert a list of tokens to the list in which the most frequent pair
# is joined wherever it occurs, from left to right. (If several pairs are
# equally frequent, choose the one that occurs first.)


# %%
def merge(tokens):
    """Return tokens with their most frequent pair of neighbours joined."""
    ### BEGIN SOLUTION
    (pair, _), *_ = Counter(pairwise(tokens)).most_common(1)
    merged, place = [], 0
    while place < len(tokens):
        joined = tuple(tokens[place : place + 2]) == pair
        merged.append("".join(pair) if joined else tokens[place])
        place += 2 if joined else 1
    return merged
    ### END SOLUTION


# %%
check(
    lambda: [merge(list("abcabd")), merge(["ab", "c", "ab", "c", "x"])],
    [["ab", "c", "ab", "d"], ["abc", "abc", "x"]],
    hint="count pairwise(tokens); then loop over the list and join",
)

# %% [markdown]
# The next cell applies many merges to the first ten thousand characters. (It
# contains its own code for the merge, so that it runs without your
# solution.)

# %%
stream, lengths, kinds = streams["char"][:10_000], [], []
for _ in range(full_or_fast(200, 20)):
    lengths.append(len(stream))
    kinds.append(len(set(stream)))
    (one, other), _ = Counter(pairwise(stream)).most_common(1)[0]
    after, place = [], 0
    while place < len(stream):
        both = stream[place : place + 2] == [one, other]
        after.append(one + other if both else stream[place])
        place += 2 if both else 1
    stream = after
ax = plot.new_axes(8, 4.8)
ax.plot(kinds, lengths, color=plot.COLOURS[0])
ax.set(xlabel="different tokens", ylabel="length of the text, tokens")
ax.set(ylim=(0, None))
present(ax, "With more tokens the text is shorter, but by less and less.")
longest = sorted(set(stream), key=len)[-8:]
print("long tokens:", ", ".join(repr(token) for token in longest))

# %% [markdown]
# With about two hundred tokens, the text is half as long as with characters.
# Frequent words have become single tokens, and every text can still be
# represented.
#
# ## Limitations
#
# *Unknown tokens* hide errors. A model that predicts `<unk>` for every rare
# word has a low perplexity but does not predict these words. Therefore,
# compare perplexities only for the same tokens and the same vocabulary.
#
# *Subsequences have boundaries.* With random sampling, no information from
# before the subsequence is available, so its first predictions use only a
# few tokens. With sequential partitioning the state is passed on, but
# gradients are not (notebook 3).
#
# *Sequential minibatches are similar.* In every epoch, the rows of
# sequential minibatches contain the same parts of the text in the same
# order. Random subsequences are mixed better. Which method gives the better
# model depends on the text and on the distance over which information is
# useful.

# %% [markdown]
# ## What to take away
#
# - A vocabulary numbers tokens by frequency. Tokens that are not in it
#   become the unknown token.
# - Words and n-grams follow Zipf's law approximately: most are rare, however
#   long the text is.
# - Targets are the inputs shifted by one token. A random offset varies the
#   boundaries.
# - Random minibatches start with a zero state. Sequential minibatches can
#   pass the state on.
#
# **Proven in the repository.** Ids, in `tests/data/test_text.py`:
# `test_ids_follow_frequency_and_then_order_of_appearance`,
# `test_rare_tokens_become_unknown_and_reserved_ones_come_first` and
# `test_tokens_are_unchanged_after_conversion_to_ids_and_back`. Minibatches,
# in `tests/data/test_batches.py`:
# `test_targets_follow_inputs_and_nothing_comes_twice`,
# `test_sequential_rows_continue_and_cover_their_range`,
# `test_every_offset_is_drawn_equally_often` and
# `test_a_loader_yields_as_many_minibatches_as_its_length_in_every_epoch`.
# The drawings show what the iterators yield:
# `test_a_partitioned_text_shows_each_token_of_each_minibatch` in
# `tests/test_teaching.py`.
