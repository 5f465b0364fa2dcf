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
# A network computes with arrays of equal size, and a text is one long
# string. This notebook goes all the way from the one to the other: the text
# is cut into tokens, the tokens get numbers, the numbers are cut into
# pieces, and pieces are put together in minibatches. On the way it looks at
# how often tokens occur, which says why the last notebook's counting had to
# fail. Each step is written out in a few lines first, and compared with what
# the package does.
#
# It follows sections 9.2 and 9.3 of *Dive into Deep Learning*, with its
# notation. Notebook 1 says what a language model is.

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

# Before any framework: float64 in JAX, less talk from TensorFlow.
backends.prepare()
plot.use_style()

# %% [markdown]
# Everything below runs on any of five backends. Edit this line, and nothing
# else, to choose one.

# %%
from d2lrnn import torch as rnn  # or tensorflow, jax, mxnet, numpy

# %% [markdown]
# ## Tokens
#
# A *token* is what the model takes for one unit: a word, or a character. The
# text is The Time Machine where it is at hand, and otherwise the story that
# comes with the package. To keep things small, it is brought to lower case
# and loses its punctuation. A model that is to write well could not afford
# that; for learning how such models work, it saves half of the vocabulary
# and loses little.

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
# Which of the two is better? Words carry meaning by themselves, and a text
# has fewer of them, so what is far away in characters is near in words. But
# there are many different ones, each needs a row of parameters of its own,
# and there is no end to them: a new text has words that were never seen.
# Characters are few, and after a few pages all of them have been seen. The
# model has to learn to spell, and to remember for longer. (Between the two
# there are *pieces of words*, which is what large models use.)
#
# The picture counts how many different tokens have been met by the time that
# so much of the text is read.

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
    seen, different = set(), []
    for one in stream:
        seen.add(one)
        different.append(len(seen))
    places = spread(len(stream))
    growth = np.array(different)[places - 1]
    label = {"word": "words", "char": "characters"}[token]
    style = {"label": label, **plot.line_style(number)}
    ax.plot(100 * places / len(stream), growth, **style)
    print(f"{len(stream):7,} {label}, {len(seen):,} different ones")
ax.set(xlabel="text read, %", ylabel="different tokens so far")
ax.set(xscale="log", yscale="log")
ax.minorticks_off()
ax.legend()
present(ax, "Different words keep coming; different characters do not.")

# %% [markdown]
# The notebooks use characters, because a vocabulary of some thirty tokens
# makes small networks and short training. All that follows holds for words
# as well.
#
# ## Vocabulary
#
# A network needs numbers. The vocabulary gives each token an id, the most
# frequent token first. Id 0 is kept for the *unknown* token `<unk>`, which
# stands for all that the vocabulary does not hold. So any text can be
# numbered, if not always brought back. In a few lines:


# %%
def numbered(tokens, min_freq=0):
    """Return the tokens in the order of their ids, and their ids."""
    counts = Counter(tokens).most_common()  # by falling frequency
    frequent = [token for token, count in counts if count >= min_freq]
    idx_to_token = ["<unk>", *frequent]
    token_to_idx = {token: i for i, token in enumerate(idx_to_token)}
    return idx_to_token, token_to_idx


# %% [markdown]
# The package's `Vocab` does the same. It takes lists of tokens as well, and
# gives ids in either direction: `vocab[tokens]` and `vocab.to_tokens(ids)`.

# %%
idx_to_token, token_to_idx = numbered(streams["word"], min_freq=3)
vocab = rnn.Vocab(streams["word"], min_freq=3)
assert vocab.idx_to_token == idx_to_token
assert vocab.token_to_idx == token_to_idx
print(len(vocab), "words that occur three times or more, as by hand")

# %%
vocab = rnn.Vocab(streams["word"])
print(vocab.token_freqs[:6])
print(vocab[["the", "time", "clock", "smartphone"]])
print(vocab.to_tokens([0, 1, 2, 3]))

# %% [markdown]
# A word that occurs once in a book teaches a model next to nothing, and
# still costs a row of parameters. `min_freq` leaves rare tokens out. How
# much of the text becomes unknown by that?

# %%
for limit in (1, 2, 3, 5, 10, 20, 50):
    size = len(rnn.Vocab(streams["word"], min_freq=limit))
    rare = sum(count for _, count in vocab.token_freqs if count < limit)
    share = 100 * rare / len(streams["word"])
    print(f"min_freq {limit:2}: {size:5,} tokens, {share:4.1f}% unknown")

# %% [markdown]
# ### Exercise 1
#
# How many ids has `rnn.Vocab(["a", "b", "a", "c", "b", "a"], min_freq=2,
# reserved_tokens=["<bos>", "<eos>"])`, and which ids are those of `["c",
# "b", "<eos>"]`? Write a number and a list, without asking the package.

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
    hint="the unknown token, the reserved ones, and what occurs twice",
)
check(
    ids,
    lambda: rnn.Vocab(*example)[["c", "b", "<eos>"]],
    hint="<unk>, <bos>, <eos>, then by falling frequency; c is too rare",
)

# %% [markdown]
# ## How often words occur
#
# The most frequent words are the dullest: *the*, *of*, *and*. The book calls
# them *stop words*; they hold sentences together, and models need them like
# any other. What is striking is how fast frequency falls. Let $n_i$ be how
# often the word of rank $i$ occurs. *Zipf's law* says that
#
# $$n_i \propto \frac{1}{i^\alpha}, \qquad\text{so}\qquad
# \log n_i = -\alpha \log i + c, \tag{1}$$
#
# a straight line when both axes are logarithmic. It is no law of nature, but
# many texts in many languages follow it, with $\alpha$ near 1, once the
# first few words are past.
#
# ### Exercise 2
#
# Find $\alpha$ from the frequencies of ranks 1, 2, 3, ... by fitting a
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
# About half of all different words, or more, occur a single time! Smoothing
# cannot help there: a model that stores words one by one has nothing to
# store about them. And sequences of words are worse.


# %%
def ngrams(n):
    """Return how often sequences of n words occur, falling."""
    stream = streams["word"]
    return Counter(zip(*(stream[i:] for i in range(n)))).most_common()


ax = plot.new_axes(8, 4.8)
for n, name in enumerate(["words", "pairs", "triples"], 1):
    found = ngrams(n)
    frequencies = np.array([count for _, count in found])
    shown = spread(len(found))
    style = {"label": name, **plot.line_style(n - 1)}
    ax.plot(shown, frequencies[shown - 1], **style)
    single = 100 * np.mean(frequencies == 1)
    print(
        f"{len(found):6,} different {name}, {single:.0f}% occur once;",
        end=" ",
    )
    print("most often:", ", ".join(" ".join(gram) for gram, _ in found[:3]))
ax.set(xlabel="rank i", ylabel="frequency $n_i$", xscale="log", yscale="log")
ax.minorticks_off()
ax.legend()
present(ax, "Frequencies of words, pairs and triples fall along lines.")

# %% [markdown]
# Three things can be read from it. Pairs and triples follow Zipf's law too,
# with a smaller $\alpha$. There are far fewer of them than the square or
# cube of the number of words, so language has structure that can be learned.
# And most of them occur once, so it cannot be learned by counting them. A
# model has to make something of what it reads that is worth keeping for
# texts that it has not read. That is what the networks of the next notebooks
# are for.
#
# ## From one long text to short pieces
#
# From here on tokens are characters, and the text is one list of ids, the
# *corpus*, of length $T$. To train, it is cut into subsequences of
# `num_steps` tokens. The target of each token is the one that comes after
# it: with $s$ for `num_steps`, from
#
# $$\mathbf{X} = x_t, \ldots, x_{t+s-1} \quad\text{the model is to predict}
# \quad \mathbf{Y} = x_{t+1}, \ldots, x_{t+s}. \tag{2}$$
#
# That is $s$ predictions in one piece, each from one token more than the one
# before. Why pieces at all? The whole text at once would be one step of
# training for each reading of the book, with all its states kept for the way
# back; short pieces give many steps, and many of them can be computed side
# by side, as the rows of a *minibatch*.
#
# There are as many ways to cut a text as a piece has tokens: begin at the
# first token, or one later, and so on. Here is a text cut into pieces of
# three, at each of the three offsets $d$:

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
# With a single fixed offset the model would never see what lies across a cut
# as one piece. So each epoch draws its offset anew, at random. What comes
# before it, and a rest at the end, is left out in that epoch.
#
# What remains is the question which pieces make a minibatch, and in which
# order.
#
# ## Random sampling
#
# All pieces are shuffled, and every minibatch takes the next `batch_size` of
# them. Neighbours in a minibatch, and from one minibatch to the next, have
# nothing to do with one another. So a model begins each minibatch with a
# state of zero. In ten lines:


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
# The package's `seq_data_iter_random` draws the offset as well, and then the
# order, from one generator. With the same draws it yields the same:

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
present(axes, "Two minibatches of two rows, from all over the text.")

# %% [markdown]
# ## Sequential partitioning
#
# The text is cut into `batch_size` long rows, and these are read from left
# to right together. Row $i$ of each minibatch goes on where row $i$ of the
# one before ended, so that a model may carry its hidden state on. What has
# been read 100 characters ago may then still count, though no piece is
# longer than 35. (Exercise 3 asks for the loop; the package's is
# `seq_data_iter_sequential`.)

# %%
axes = diagrams.partitioning(list(words), 2, num_steps, seed=1)
present(axes, "Each row of the second minibatch continues one of the first.")

# %% [markdown]
# The difference is plain when the tokens are the numbers 0, 1, 2, ...: then
# an id is a place in the text.

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
present(axes, "Random rows jump about; each sequential one walks along.")

# %% [markdown]
# ### Exercise 3
#
# Write sequential partitioning yourself, for an offset that is given: return
# the list of all $\mathbf{X}$. The last token of the corpus is in no
# $\mathbf{X}$, because nothing follows it. As in the package, there are as
# many minibatches as any offset allows.


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
    hint="cut off what is before the offset, reshape to rows, slice columns",
)

# %% [markdown]
# ## All of it in one call
#
# `SeqDataLoader` holds the corpus, and each loop over it is an epoch with an
# offset of its own. `load_data_time_machine` and its fellows read, tokenize,
# number and cut, and return the loader and the vocabulary. Here is the
# book's setting, 32 rows of 35 characters from the first 10,000. (As in the
# book, lines follow one another without a space.)

# %%
load_data = rnn.load_data_time_machine if at_hand else rnn.load_data_builtin
train_iter, vocab = load_data(batch_size=32, num_steps=35, seed=0)
for epoch in range(1, 4):
    X, Y = next(iter(train_iter))
    text = vocab.join(vocab.to_tokens(rnn.to_numpy(X)[0]))
    size = f"{len(train_iter)} minibatches {tuple(X.shape)}"
    print(f"epoch {epoch}: {size}, the first begins {text!r}")

# %% [markdown]
# An epoch leaves out what comes before its offset, and whatever is too
# little for one more minibatch. Is anything left out for good? Here is a
# text so short that it shows:

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
ax.set(xlabel="place in the text, tokens", ylabel="epochs that read it, %")
ax.set(ylim=(0, 105))
ax.legend(loc="lower center")
present(ax, "At random all tokens get a turn; in sequence the end never.")

# %% [markdown]
# Sequential rows always begin within the first `num_steps` tokens, so the
# end of a text may never be read: with 10,000 tokens and the book's setting,
# the last tenth is not. Random sampling leaves out other pieces in each
# epoch, and nothing for good.
#
# ### Exercise 4
#
# A text of $T$ tokens, `batch_size` $n$, `num_steps` $s$. The offset $d$ is
# one of $0, \ldots, s - 1$, and the number of minibatches shall be the same
# for all of them. How many are there? Write it for $T = 10{,}000$, $n = 32$,
# $s = 35$.

# %%
### BEGIN SOLUTION
num_batches = (10_000 - 35) // (32 * 35)
### END SOLUTION

# %%
check(
    num_batches,
    lambda: len(rnn.SeqDataLoader(np.zeros(10_000, dtype=int), 32, 35)),
    hint="at the largest offset s - 1 come first; the last is a target only",
)

# %% [markdown]
# ### Exercise 5
#
# A question for research. Characters make a text long, words make a
# vocabulary large. Large models join what often stands side by side: find
# the most frequent pair of neighbours in the text, make one token of it, and
# again (*byte pair encoding*). Write one such merge: from a list of tokens
# to the list in which the most frequent pair is joined wherever it occurs,
# from left to right. (Of equally frequent pairs, the one that comes first.)


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
    hint="count pairwise(tokens); then walk along the list and join",
)

# %% [markdown]
# What comes of it, for the first ten thousand characters and many merges?
# (The loop below writes the merge out again, so that the picture is there
# without an answer to the exercise.)

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
present(ax, "As the vocabulary grows, the text gets shorter, ever slower.")
longest = sorted(set(stream), key=len)[-8:]
print("long tokens:", ", ".join(repr(token) for token in longest))

# %% [markdown]
# With some two hundred tokens the text is half as long as in characters, and
# frequent words have become tokens of their own, while any text can still be
# written.
#
# ## Where it breaks
#
# *Unknown tokens* are a loss that no training makes good: a model that puts
# `<unk>` for every rare word gets a low perplexity and says nothing. So
# perplexities can be compared only for the same tokens and the same
# vocabulary.
#
# *A cut is a cut.* With random sampling, what stands before a piece does not
# exist for it: the first predictions of each piece are made of almost
# nothing. With sequential partitioning the state bridges the cut, but the
# gradient does not (notebook 3).
#
# *Neighbours resemble one another.* The rows of a sequential minibatch walk
# through the same parts of the book in every epoch, in the same order, and
# each row keeps to its own. Random pieces mix better. Which of the two
# learns better depends on the text and on how far back it pays to remember.

# %% [markdown]
# ## What to take away
#
# - A vocabulary numbers tokens by frequency; what it does not hold is the
#   unknown token.
# - Words follow Zipf's law, n-grams too: most are rare, however long the
#   text.
# - Targets are inputs one token later. A random offset lets every cut come
#   up.
# - Random minibatches begin with a zero state; sequential ones can carry the
#   state on.
#
# **Proven in the repository.** Ids, in `tests/data/test_text.py`:
# `test_ids_follow_frequency_and_then_order_of_appearance`,
# `test_rare_tokens_become_unknown_and_reserved_ones_come_first` and
# `test_tokens_survive_the_way_to_ids_and_back`. Minibatches, in
# `tests/data/test_batches.py`:
# `test_targets_follow_inputs_and_nothing_comes_twice`,
# `test_sequential_rows_go_on_where_they_ended_and_cover_their_range`,
# `test_every_offset_is_drawn_equally_often` and
# `test_a_loader_has_as_many_minibatches_as_it_says_in_every_epoch`. The
# drawings show what the iterators yield:
# `test_a_partitioned_text_shows_each_token_of_each_minibatch` in
# `tests/test_teaching.py`.
