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
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/d2lrnn/d2lrnn/blob/main/notebooks/09-five-kinds-of-input-and-output.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/d2lrnn/d2lrnn/blob/main/notebooks/09-five-kinds-of-input-and-output.ipynb)
#
# # 9. Five kinds of input and output
#
# A recurrent cell takes a step. Which steps bring an input, and after which
# there is an output, is up to us, and so the same cells judge a review, read
# a digit, draw one, tag a sentence, and turn *march 3rd, 1987* into
# *1987-03-03*. Five small tasks, each learned in seconds or a few minutes.
#
# It follows sections 10.6 to 10.8 and 16.2 of *Dive into Deep Learning*.
# Notebooks 6 and 7 have the cells, notebook 8 networks that read from both
# ends.

# %%
import importlib.util

if importlib.util.find_spec("d2lrnn") is None:
    # %pip install -q "d2lrnn[torch] @ git+https://github.com/d2lrnn/d2lrnn"
    importlib.invalidate_caches()

# %%
import math
from collections import Counter

import numpy as np

from d2lrnn import backends, plot
from d2lrnn.data import generated
from d2lrnn.nets import layers, losses, networks
from d2lrnn.nets.beam import Beam
from d2lrnn.plot import diagrams
from d2lrnn.recipes import tasks
from d2lrnn.teaching import check, full_or_fast, present

# Before any framework: float64 in JAX, less talk from TensorFlow.
backends.prepare()
plot.use_style()

# %% [markdown]
# Everything below runs on any of five backends. Edit this line, and nothing
# else, to choose one.

# %%
from d2lrnn import torch as rnn  # or tensorflow, jax, mxnet, numpy

# %%
present(
    diagrams.five_kinds(),
    "Five networks: what they read is below, what they write is above.",
)

# %% [markdown]
# One to one is no sequence at all: a network as in the first half of
# notebook 1. The other four are below, many to one twice. (The picture is
# bare on purpose. A network that writes also reads, at each step, what it
# wrote at the step before.)

# %% [markdown]
# ### Exercise 1
#
# Number the five as one reads, the upper row first: one to one is 1. Of
# which kind is each of these? A photograph becomes a sentence that describes
# it. A review becomes a number of stars. For each tenth of a second of a
# recording: is somebody speaking? A question becomes an answer.

# %%
### BEGIN SOLUTION
kinds = [2, 3, 4, 5]
### END SOLUTION

# %%
check(
    kinds,
    [2, 3, 4, 5],
    hint="is what is read a sequence, is what is written one, and is the "
    "length of the one that of the other?",
)

# %% [markdown]
# ## Many to one: is the review good?
#
# Three reviews, of different lengths. The words become ids, and a list of
# sequences is all that the network asks for. It reads a review to its end;
# the last hidden state decides:
#
# $$P(\text{good}) = \sigma(\mathbf{H}_T \mathbf{W}_{hq} + \mathbf{b}_q).$$

# %%
reviews = [
    ("movie was good", 1),
    ("movie was bad", 0),
    ("movie was not good", 0),
]
words = ["movie", "was", "good", "bad", "not"]
X = [[words.index(word) for word in review.split()] for review, _ in reviews]
y = np.array([label for _, label in reviews])
net = rnn.SequenceClassifierScratch(len(words), 3, 1, cell="rnn", seed=0)
scores = rnn.train_sequences(
    net, [(X, y)], 0.05, full_or_fast(300, 100), progress=False
)
for (review, label), chance in zip(reviews, net.probabilities(X)):
    print(f"{review!r} is good: {chance:.2f} (truth: {label})")

# %% [markdown]
# Sequences of different lengths go into one rectangle, and what is left over
# is *padding*. It must not count. So there is a mask $m$, 1 for a token and
# 0 for padding, and where it is 0 the state stands still: $\mathbf{H}_t = m
# \, \mathbf{H}_t' + (1 - m) \, \mathbf{H}_{t-1}$, with $\mathbf{H}_t'$ for
# what the cell has computed.
#
# As a loop, for sequences of ids in one rectangle $(n, T)$ (a row of
# $\mathbf{W}_{xh}$ is taken in place of a product with a one-hot vector):


# %%
def last_states(X, lengths, W_xh, W_hh, b_h):
    """Return the states (n, h) after the last token of each row of X."""
    H = np.zeros((len(X), len(b_h)))
    for t in range(X.shape[1]):
        new = np.tanh(W_xh[X[:, t]] + H @ W_hh + b_h)
        m = (t < lengths)[:, None]  # 1 for a token, 0 for padding
        H = m * new + (1 - m) * H
    return H


lengths = np.array([len(ids) for ids in X])
rectangle = np.array([ids + [0] * (max(lengths) - len(ids)) for ids in X])
*cell_arrays, W_hq, b_q = net.arrays()
outputs = last_states(rectangle, lengths, *cell_arrays) @ W_hq + b_q
same = np.allclose(outputs, net.evaluate(X), atol=1e-5)
print("as the package has them:", same)

# %% [markdown]
# In the package the mask is one more column of the inputs, so that any cell
# can be masked:

# %%
rnn.show(layers.masked)

# %%
alone = np.concatenate([net.evaluate([ids]) for ids in X])
print(
    "as a batch, and one at a time:",
    np.allclose(net.evaluate(X), alone, atol=1e-5),
)

# %% [markdown]
# There is a state after each word, so we can ask what the network thinks so
# far.

# %%
ax = plot.new_axes(9, 4.8)
for number, ((review, _), ids) in enumerate(zip(reviews, X)):
    so_far = net.probabilities(
        [ids[: length + 1] for length in range(len(ids))]
    )
    places = np.arange(1, len(ids) + 1)
    ax.plot(
        places, so_far, marker="o", label=review, **plot.line_style(number)
    )
ax.set(
    xlabel="words read",
    ylabel="probability of good",
    xticks=(1, 2, 3, 4),
    ylim=(-0.05, 1.05),
)
ax.legend(loc="center left")
present(
    ax,
    "Opinions part at the third word; after not, good no longer "
    "lifts the probability.",
)

# %% [markdown]
# The word *good* lifts the probability after *was*, and not after *not*: the
# state has kept what came before. Only the last point of each line was ever
# trained, though. What lies before it is a state on its way, and nobody has
# asked for an opinion there.

# %% [markdown]
# ### Exercise 2
#
# How many parameters does this network have? Five words, three hidden units,
# one output.

# %%
### BEGIN SOLUTION
num_parameters = 5 * 3 + 3 * 3 + 3 + 3 * 1 + 1
### END SOLUTION

# %%
check(
    num_parameters,
    lambda: sum(array.size for array in net.arrays()),
    hint="two matrices and a bias in the cell, a matrix and a bias "
    "in the output layer",
)

# %% [markdown]
# ## Many to one: a digit, row by row
#
# An image is a sequence too, of rows. Scikit-learn's handwritten digits have
# 8 rows of 8 pixels; the network reads them from top to bottom and then
# names one of ten digits.

# %%
digits = rnn.load_digits()
print(
    "to learn from:",
    digits.train_images.shape,
    "- to test with:",
    digits.test_images.shape,
)
cell, num_hiddens = full_or_fast(("lstm", 64), ("rnn", 32))
reader = rnn.SequenceClassifierScratch(8, num_hiddens, 10, cell=cell, seed=0)
loader = rnn.BatchLoader(
    digits.train_images, digits.train_labels, batch_size=128, seed=0
)
test = digits.test_images, digits.test_labels
scores = rnn.train_sequences(
    reader, loader, 0.005, full_or_fast(25, 2), held_out=test, progress=False
)
print(
    f"{reader.score(*test):.0%} of {len(test[1])} new digits are read right"
)

# %% [markdown]
# Some that it reads right, above, and some that it does not:

# %%
found = reader.predict(digits.test_images)
right, wrong = (
    np.flatnonzero((found == test[1]) == truth)[:5]
    for truth in (True, False)
)
shown = [*right, *wrong]
titles = [f"{test[1][place]}, read as {found[place]}" for place in shown]
present(
    plot.gallery(digits.test_images[shown], titles),
    "Handwritten digits with label and prediction: five read right, "
    "and some that are not.",
)

# %% [markdown]
# How many rows does it need? Tell it that the rows below are padding.

# %%
number = len(test[1])
shares = [
    100 * reader.score(*test, np.full(number, rows)) for rows in range(1, 9)
]
ax = plot.new_axes(8, 4.8)
ax.bar(range(1, 9), shares, color=plot.COLOURS[0])
ax.axhline(10, color="black", linestyle=":", label="a guess")
ax.set(
    xlabel="rows read",
    ylabel="digits read right, %",
    ylim=(0, 100),
    xticks=range(1, 9),
)
ax.legend(loc="upper left")
present(
    ax,
    "After few rows it is as good as a guess; with the last two or "
    "three come most digits.",
)

# %% [markdown]
# Again it has been asked only at the end. What the state holds on the way is
# meant for the rows to come, and not for an answer.

# %% [markdown]
# ## One to many: a label in, a digit out
#
# Now the other way round. A *decoder* gets one vector, the *context*, here
# the label as a one-hot vector, and writes one row after the other. At each
# step it reads the context and the row that was written before:
#
# $$\mathbf{H}_t = \mathrm{cell}\left(
# \begin{bmatrix} \mathbf{Y}_{t-1} & \mathbf{c} \end{bmatrix},
# \mathbf{H}_{t-1}\right), \qquad
# \hat{\mathbf{Y}}_t = \sigma(\mathbf{H}_t \mathbf{W}_{hq} + \mathbf{b}_q).$$
#
# While it learns, what was "written before" is the true row (*teacher
# forcing*); when it writes, it is its own. Before the first row there is
# none: zeros. A pixel is a number from 0 to 1, and the loss the
# cross-entropy of each.
#
# As a loop, when it writes:


# %%
def write(c, num_steps, W_xh, W_hh, b_h, W_hq, b_q):
    """Return rows (n, T, q) for contexts (n, c), from an RNN as decoder."""
    H = np.zeros((len(c), len(b_h)))
    Y, rows = np.zeros((len(c), len(b_q))), []
    for _ in range(num_steps):
        H = np.tanh(np.hstack([Y, c]) @ W_xh + H @ W_hh + b_h)
        Y = 1 / (1 + np.exp(-(H @ W_hq + b_q)))
        rows.append(Y)  # and it is what is read next
    return np.stack(rows, axis=1)


simple = rnn.DecoderScratch(8, 16, 10, cell="rnn", loss="sigmoid", seed=0)
found = write(np.eye(10), 8, *simple.arrays())
same = np.allclose(found, simple.generate(np.eye(10), 8), atol=1e-5)
print("as the package writes:", same)

# %% [markdown]
# While it learns, all rows before are known, and the package runs the layers
# once for all steps:

# %%
rnn.show(networks.Decoder)

# %%
painter = rnn.DecoderScratch(
    8, num_hiddens, 10, cell=cell, loss="sigmoid", seed=0
)
context = np.eye(10)[digits.train_labels]
loader = rnn.BatchLoader(
    context, digits.train_images, batch_size=128, seed=0
)
scores = rnn.train_sequences(
    painter, loader, 0.01, full_or_fast(50, 3), progress=False
)
drawn = painter.generate(np.eye(10), 8)
titles = [f"label {label}" for label in range(10)]
present(
    plot.gallery(drawn, titles),
    "Ten digits that the network has drawn, one for each label.",
)

# %%
nearest = tasks.nearest_label(
    drawn, digits.train_images, digits.train_labels
)
print(
    "nearest to the mean image of their own label: "
    f"{(nearest == np.arange(10)).sum()} of 10"
)

# %% [markdown]
# A context may also lie between two labels.

# %%
steps = np.linspace(0, 1, 5)
three, eight = np.eye(10)[[3, 8]]
between = (1 - steps)[:, None] * three + steps[:, None] * eight
drawn = painter.generate(between, 8)
titles = [f"{100 - 100 * s:.0f}% 3, {100 * s:.0f}% 8" for s in steps]
present(
    plot.gallery(drawn, titles),
    "Five drawings that go over from a three into an eight.",
)

# %% [markdown]
# ## Many to many, the same length: tagging
#
# An output at every step, about the word just read: its part of speech. In
# this small language of the harbour, 24 of 55 words have more than one;
# *past* has four. In *they watch her* and *they watch her turn*, what *her*
# is depends on what follows, so the network reads from both ends, as
# notebook 8 explains.

# %%
pairs = [
    pair
    for pair in rnn.tagged_sentences(full_or_fast(6000, 600))
    if len(pair[0]) <= 10
]
word_vocab, tag_vocab = (
    rnn.Vocab([pair[kind] for pair in pairs]) for kind in (0, 1)
)


def padded(pairs):
    """Return ids of words and of tags, (n, 10) each, and lengths."""
    X = rnn.pad_sequences(
        [word_vocab[words] for words, _ in pairs], 10, padding="post"
    )
    Y = rnn.pad_sequences(
        [tag_vocab[tags] for _, tags in pairs], 10, padding="post"
    )
    return X, Y, np.array([len(words) for words, _ in pairs])


sizes = len(word_vocab), 16, len(tag_vocab)
tagger = rnn.SequenceTaggerScratch(*sizes, bidirectional=True, seed=0)
loader = rnn.BatchLoader(*padded(pairs), batch_size=64, seed=0)
scores = rnn.train_sequences(
    tagger, loader, 0.01, full_or_fast(3, 1), progress=False
)
new = [
    pair for pair in rnn.tagged_sentences(500, seed=1) if len(pair[0]) <= 10
]
print(f"{tagger.score(*padded(new)):.0%} of the tags right")
print(
    f"{generated.one_word_accuracy():.0%} at best, "
    "if each word is looked at alone"
)

# %%
sentence = ["she", "lights", "the", "past", "light", "past", "her", "watch"]
outputs = tagger.evaluate([word_vocab[sentence]])
chances = losses.probabilities(outputs.astype(float))[
    :, 1:
]  # not that of an unknown tag
ax = plot.new_axes(9, 5.2)
image = ax.imshow(
    chances.T,
    cmap="Blues",
    vmin=0,
    vmax=1,
    aspect="auto",
    interpolation="none",
)
ax.set_xticks(range(len(sentence)), sentence)
ax.set_yticks(range(len(tag_vocab) - 1), tag_vocab.idx_to_token[1:])
ax.grid(False)
ax.figure.colorbar(image, ax=ax, label="probability")
present(
    ax,
    "For each word of a sentence the probability of each tag; the "
    "same word gets several.",
)

# %% [markdown]
# ## Many to many, another length: dates
#
# People write *march 3rd, 1987*, *3-mar-1987* or *3.3.1987*; ISO writes
# 1987-03-03. Neither length nor order is the same, so there cannot be an
# output for each input. Hence two networks: an *encoder* reads everything
# and leaves a summary, its last state; a *decoder* starts from that state
# and writes, character by character, until it writes the end token. Its
# context $\mathbf{c}$ is the encoder's last hidden state. Together they say
# how likely an answer is, given the question:
#
# $$P(y_1, \ldots, y_L \mid x_1, \ldots, x_T) =
# \prod_{t=1}^{L} P(y_t \mid y_1, \ldots, y_{t-1}, \mathbf{c}).$$
#
# Our dates are those written in 12 characters or fewer. A tenth of all days
# is never trained on.


# %%
def short_dates(number, **which):
    """Return pairs of a written and an ISO date."""
    return [
        pair
        for pair in rnn.date_pairs(number, **which)
        if len(pair[0]) <= 12
    ]


train = short_dates(full_or_fast(30_000, 1_000))
test = short_dates(full_or_fast(1_500, 200), seed=1, held_out=True)
print(len(train), "to learn from,", len(test), "to test with")
for written, iso in train[:4]:
    print(f"{written:14}{iso}")

# %%
# Vocabularies of both sides, padding, and the end.
dates = tasks.Pairs(train)
cell, num_hiddens = full_or_fast(("gru", 64), ("rnn", 16))
translator = dates.net(rnn, num_hiddens, cell=cell, seed=0)
loader = rnn.BatchLoader(*dates.arrays(train), batch_size=128, seed=0)
held_out, scores = dates.arrays(test), rnn.Scores()
for lr, num_epochs in full_or_fast(((0.01, 7), (0.001, 2)), ((0.01, 1),)):
    scores += rnn.train_sequences(
        translator, loader, lr, num_epochs, held_out=held_out, progress=False
    )
axes = plot.scores({None: scores}, plot.new_axes(11, 4.2, columns=2))
axes[1].set(ylim=(-0.05, 1.05))
present(
    axes,
    "The loss falls; the share of new dates that are written exactly rises.",
)

# %% [markdown]
# The score is strict: all ten characters right, and the end after them.

# %%
sources = [written for written, _ in test[:6]]
for written, found in zip(
    sources, dates.write(translator, sources, num_steps=11)
):
    print(f"{written:14}{''.join(found)}")

# %% [markdown]
# All that the decoder gets is the encoder's last state, a vector. What is in
# it? Below is a dot for every second of the new dates: its state, looked at
# from the side from which the means of the twelve months lie farthest apart
# (the first two principal components of the means). Where a mean is, its
# month is written.

# %%
X_test, _, valid, _ = held_out
(H,) = (rnn.to_numpy(part) for part in translator.encoder(X_test, valid))
months = np.array([int(iso[5:7]) for _, iso in test])
there = np.unique(months)
means = np.array([H[months == m].mean(axis=0) for m in there])
middle = means.mean(axis=0)
sides = np.linalg.svd(means - middle, full_matrices=False)[2][:2].T
flat, corners = (H - middle) @ sides, (means - middle) @ sides
ax = plot.new_axes(9, 5.4)
settings = {"cmap": "twilight", "vmin": 0, "vmax": 12, "s": 25}
ax.scatter(*flat[::2].T, c=months[::2], **settings)
for month, (x, y) in zip(there, corners):
    box = {"facecolor": "white", "edgecolor": "black", "pad": 3}
    ax.text(x, y, month, ha="center", va="center", bbox=box)
ax.set(xlabel="first component", ylabel="second component")
ax.grid(False)
present(
    ax,
    "The encoder's states of new dates as dots in a plane, in the colours "
    "of their months, and the months' numbers among them.",
)

# %% [markdown]
# Nobody has told the encoder that there are months. But the decoder has to
# write them, and so the states of one month have come to lie near one
# another. Some months overlap here. A plane shows two of 64 directions, and
# the day and the year must be in the others: the decoder has nothing else to
# get them from. The longer what is read, the more has to fit into this one
# vector, and that is where encoders and decoders of this kind fail first.
# Attention, a later remedy, lets the decoder look back at all states.

# %% [markdown]
# ## Beam search
#
# To write, take the likeliest character, read it, take the next: *greedy*
# search. But the likeliest first character need not begin the likeliest
# sequence.

# %% [markdown]
# ### Exercise 3
#
# Two characters are to be written. For the first, the network says 0.55 for
# A and 0.45 for B. After A, both are equally likely; after B, it says 0.1
# for A and 0.9 for B. Which probability has the sequence that greedy search
# writes, and which has the likeliest one?

# %%
### BEGIN SOLUTION
greedy_chance, best_chance = 0.55 * 0.5, 0.45 * 0.9
### END SOLUTION

# %%
first, second = np.array([0.55, 0.45]), np.array([[0.5, 0.5], [0.1, 0.9]])
check(
    [greedy_chance, best_chance],
    lambda: [
        first.max() * second[first.argmax()].max(),
        (first[:, None] * second).max(),
    ],
    hint="greedy takes A first, and multiplies by 0.5; there are four "
    "sequences to compare",
)

# %% [markdown]
# To try all sequences is out of the question: ten digits, the hyphen and the
# end token make $12^{11}$ of length 11. *Beam search* keeps the best $k$
# beginnings. At each step each of them goes on with every character, and of
# all these the best $k$ are kept; those that have ended are put aside, and
# the best of them is the result. $k = 1$ is greedy search. As each further
# factor makes a product smaller, sequences that have ended early would win;
# so the logarithm is divided by a power of the length $L$:
#
# $$\frac{1}{L^\alpha} \sum_{t=1}^{L}
# \log P(y_t \mid y_1, \ldots, y_{t-1}, \mathbf{c}), \qquad
# \alpha = 0.75.$$
#
# As a loop over sequences, for the two characters of the exercise and
# without the division:


# %%
def beam_search(first, then, beam_size, num_steps=2):
    """Return the beam: pairs of a probability and a sequence of tokens."""
    beam = [(chance, [token]) for token, chance in enumerate(first)]
    beam = sorted(beam, reverse=True)[:beam_size]
    for _ in range(num_steps - 1):
        longer = [
            (chance * then[tokens[-1]][token], [*tokens, token])
            for chance, tokens in beam
            for token in range(len(then))
        ]
        beam = sorted(longer, reverse=True)[:beam_size]
    return beam


for beam_size in (1, 2):
    (chance, tokens), *_ = beam_search(first, second, beam_size)
    text = "".join("AB"[token] for token in tokens)
    print(f"beam of {beam_size}: {text}, probability {chance:.3f}")

# %% [markdown]
# The package does the same for many sources at once, with arrays in place of
# lists and logarithms in place of products:

# %%
rnn.show(Beam.advance)

# %%
truth = [iso for _, iso in test]
for beam_size in (1, 2, 4):
    found = dates.write(
        translator,
        [written for written, _ in test],
        num_steps=11,
        beam_size=beam_size,
    )
    right = np.mean(["".join(one) == iso for one, iso in zip(found, truth)])
    print(f"beam of {beam_size}: {right:.1%} of the new dates exactly")

# %% [markdown]
# A date says all there is to know, the network is nearly certain of each
# character, and greedy search does as well. A beam earns its keep where
# there is doubt. What is *3 ju 1987*? The network has never seen anything
# like it, and a beam of four shows what it takes into consideration.


# %%
def candidates(source, beam_size=4):
    """Return the best sequences of a beam, and their probabilities."""
    X, _, valid, _ = dates.arrays([(source, "")])
    beam = Beam(
        translator.decoder,
        translator.encoder(X, valid),
        beam_size,
        dates.end,
    )
    for _ in range(11):
        beam.advance()
    return [
        ("".join(dates.target.to_tokens(found.tokens)), math.exp(found.log))
        for found in beam.finish()[0][:beam_size]
    ]


axes = plot.new_axes(11, 4.2, columns=2)
for ax, source in zip(axes, ("3 ju 1987", "3 jul 1987")):
    found = candidates(source)
    places = range(len(found))
    ax.barh(places, [chance for _, chance in found], color=plot.COLOURS[0])
    ax.set_yticks(places, [iso for iso, _ in found])
    ax.set(xlim=(0, 1), xlabel="probability", title=source)
    ax.invert_yaxis()
present(
    axes,
    "Half a month leaves several dates possible; a whole one "
    "leaves hardly any doubt.",
)

# %% [markdown]
# ### Exercise 4
#
# Write the score by which a beam ranks a sequence, from the probabilities of
# its tokens.


# %%
def rank(chances, alpha=0.75):
    """Return the sum of log(chances), over their number to power alpha."""
    ### BEGIN SOLUTION
    return np.log(chances).sum() / len(chances) ** alpha
    ### END SOLUTION


# %%
check(
    lambda: [rank(np.array([0.5])), rank(np.array([0.9, 0.8, 0.9, 0.7]))],
    lambda: [
        math.log(0.5),
        math.log(0.9 * 0.8 * 0.9 * 0.7) / 4**Beam.LENGTH_POWER,
    ],
    hint="np.log(chances).sum(), divided by len(chances) to "
    "the power of alpha",
)

# %% [markdown]
# The second sequence, of four tokens, has the smaller product, 0.45, and by
# that score it is the better one all the same.

# %% [markdown]
# ## How good is a translation?
#
# A date is right or wrong. A sentence may be translated in more than one
# way, and a score has to say how near two sentences are. *BLEU* (Papineni
# and others, 2002) counts which pieces of $n$ words, the $n$-grams, of what
# was written occur in the true translation, each at most as often as it is
# there. Let $p_n$ be the share of those that do. What is shorter than the
# truth loses something, as leaving out all that is uncertain would be too
# easy. In the form that the book gives it, with $n$-grams up to $k$ words,
#
# $$\exp\left(\min\left(0, 1 -
# \frac{\text{length of the truth}}{\text{length written}}\right)\right)
# \prod_{n=1}^{k} p_n^{1/2^n}.$$


# %%
def precision(written, truth, n):
    """Return the share of the n-grams of a sentence that its truth has."""
    grams = [
        Counter(zip(*(sentence.split()[start:] for start in range(n))))
        for sentence in (written, truth)
    ]
    return (grams[0] & grams[1]).total() / max(1, grams[0].total())


def simple_bleu(written, truth, k=2):
    """Return the score of a sentence, from 0 to 1."""
    longer = len(truth.split()) / len(written.split())
    powers = [
        precision(written, truth, n) ** 0.5**n for n in range(1, k + 1)
    ]
    return math.exp(min(0, 1 - longer)) * math.prod(powers)


truth_said = "the harbour is quiet tonight"
candidates_said = {
    "the same": truth_said,
    "cut short": "the harbour is",
    "one word wrong": "the harbour was quiet tonight",
    "said twice": "the the harbour harbour is quiet",
}
ax = plot.new_axes(9, 4.8)
for number, label in enumerate(("$p_1$", "$p_2$", "BLEU")):
    heights = [
        (
            precision(said, truth_said, 1),
            precision(said, truth_said, 2),
            simple_bleu(said, truth_said),
        )[number]
        for said in candidates_said.values()
    ]
    places = np.arange(len(heights)) + 0.27 * (number - 1)
    ax.bar(places, heights, 0.27, color=plot.COLOURS[number], label=label)
ax.set_xticks(range(len(candidates_said)), candidates_said)
ax.set(ylim=(0, 1.3), yticks=(0, 0.5, 1))
ax.legend(ncols=3, loc="upper center")
present(
    ax,
    "Of four sentences the shares of words and of pairs that are right, and "
    "the score made of them.",
)

# %% [markdown]
# What is cut short has all its words and pairs right, and loses by its
# length. One wrong word costs one of five words, but two of four pairs. The
# package has the score that papers report, with $n$-grams of up to four
# words, as `rnn.bleu`.

# %% [markdown]
# ### Exercise 5
#
# Write a sentence that has every word right, $p_1 = 1$, is as long as the
# truth, and scores 0 all the same.

# %%
### BEGIN SOLUTION
worst = "tonight quiet is harbour the"
### END SOLUTION

# %%
check(
    lambda: [
        precision(worst, truth_said, 1),
        len(worst.split()),
        simple_bleu(worst, truth_said),
    ],
    [1, len(truth_said.split()), 0],
    hint="no two words may stand side by side as they do in the truth",
)

# %% [markdown]
# ## What to take away
#
# - One cell, five kinds: what differs is which steps have an input and which
#   have an output.
# - Many to one reads to the end and answers; padding is masked, so that
#   batches change nothing.
# - A decoder writes from a vector, and reads what it has written: in
#   training, the truth.
# - Encoder and decoder together turn one length into another, through one
#   state: all that the decoder will ever know of the source.
# - Beam search keeps several beginnings alive; greedy search is a beam of
#   one.
# - BLEU counts the pieces of a sentence that are right, and what is too
#   short loses by it.
#
# **Proven in the repository.** In `tests/nets/test_sequences.py`:
# `test_sentiment_is_learned_to_certainty_by_31_parameters` and
# `test_a_padded_batch_gives_what_one_sequence_at_a_time_gives`. In
# `tests/recipes/test_tasks.py`: `test_digits_are_read_row_by_row`,
# `test_a_label_draws_its_digit`,
# `test_tagging_beats_what_a_word_alone_tells` and
# `test_held_out_dates_are_written_exactly`. In
# `tests/nets/test_translation.py`:
# `test_the_decoder_goes_on_where_the_encoder_ended` and
# `test_a_beam_is_never_worse_than_greedy`. In `tests/nets/test_beam.py`:
# `test_a_wide_beam_finds_the_best_of_all_sequences`.
