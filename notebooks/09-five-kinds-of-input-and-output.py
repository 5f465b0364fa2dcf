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
# The task determines at which time steps a recurrent network has inputs, and
# at which it has outputs. So the same cells can classify a review, recognize
# a digit, generate an image of a digit, tag a sentence, and convert *march
# 3rd, 1987* to *1987-03-03*. This notebook contains five small tasks, each
# of which is learned within seconds or a few minutes.
#
# The notebook follows sections 10.6 to 10.8 and 16.2 of *Dive into Deep
# Learning*. Notebooks 6 and 7 describe the cells, and notebook 8
# bidirectional networks.

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

# Before any import of a framework: float64 in JAX, fewer messages.
backends.prepare()
plot.use_style()

# %% [markdown]
# This notebook runs on any of five backends. To choose one, edit only the
# following line.

# %%
from d2lrnn import torch as rnn  # or tensorflow, jax, mxnet, numpy

# %%
present(
    diagrams.five_kinds(),
    "Five networks: inputs are below, outputs are above.",
)

# %% [markdown]
# One to one does not involve a sequence: it is a network like that in the
# first half of notebook 1. The other four kinds are below, with two examples
# of many to one. (The figure is simplified. A network that generates a
# sequence also has an input at each step: its previous output.)

# %% [markdown]
# ### Exercise 1
#
# Number the five kinds from left to right, with the upper row first, so that
# one to one is 1. Of which kind is each of these tasks? A photograph is
# converted to a sentence that describes it. A review is converted to a
# number of stars. For each tenth of a second of a recording, decide whether
# a person is speaking. A question is converted to an answer.

# %%
### BEGIN SOLUTION
kinds = [2, 3, 4, 5]
### END SOLUTION

# %%
check(
    kinds,
    [2, 3, 4, 5],
    hint="is the input a sequence, is the output a sequence, and do they "
    "have the same length?",
)

# %% [markdown]
# ## Many to one: classifying reviews
#
# There are three reviews of different lengths. The words are converted to
# ids, and the input of the network is a list of sequences. The network
# processes a review to its end, and the output is computed from the last
# hidden state:
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
    print(f"{review!r}: P(good) = {chance:.2f} (label {label})")

# %% [markdown]
# To process sequences of different lengths as a minibatch, they are filled
# up to the same length with *padding*. Padding must not change the result.
# Therefore a mask $m$ is 1 for a token and 0 for padding, and where it is 0
# the state does not change: $\mathbf{H}_t = m \, \mathbf{H}_t' + (1 - m) \,
# \mathbf{H}_{t-1}$, where $\mathbf{H}_t'$ is the result of the cell.
#
# The next cell is a loop for sequences of ids in an array $(n, T)$ (a row of
# $\mathbf{W}_{xh}$ replaces the product with a one-hot vector):


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
print("by hand and by the package: the same:", same)

# %% [markdown]
# In the package, the mask is an additional column of the inputs, so that any
# cell can be masked:

# %%
rnn.show(layers.masked)

# %%
alone = np.concatenate([net.evaluate([ids]) for ids in X])
print(
    "as a minibatch, and one at a time:",
    np.allclose(net.evaluate(X), alone, atol=1e-5),
)

# %% [markdown]
# There is a state after each word, so we can compute an output after each
# word.

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
    xlabel="number of words",
    ylabel="probability of good",
    xticks=(1, 2, 3, 4),
    ylim=(-0.05, 1.05),
)
ax.legend(loc="center left")
present(
    ax,
    "The probabilities differ from the third word on; after not, good does "
    "not increase the probability.",
)

# %% [markdown]
# The word *good* increases the probability after *was*, but not after *not*:
# the state contains the previous words. However, only the last point of each
# line was trained. The other points show intermediate states, for which the
# network was not trained to give an output.

# %% [markdown]
# ### Exercise 2
#
# How many parameters does this network have? It has five words, three hidden
# units and one output.

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
# ## Many to one: recognizing digits row by row
#
# An image is a sequence of rows. The handwritten digits of scikit-learn have
# 8 rows of 8 pixels. The network processes them from top to bottom, and then
# selects one of ten digits.

# %%
digits = rnn.load_digits()
print(
    "training:",
    digits.train_images.shape,
    "- test:",
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
print(f"{reader.score(*test):.0%} of {len(test[1])} test digits are right")

# %% [markdown]
# The first row shows digits that are classified right, and the second row
# some that are not:

# %%
predicted = reader.predict(digits.test_images)
right, wrong = (
    np.flatnonzero((predicted == test[1]) == truth)[:5]
    for truth in (True, False)
)
shown = [*right, *wrong]
titles = [f"{test[1][place]}: output {predicted[place]}" for place in shown]
present(
    plot.gallery(digits.test_images[shown], titles),
    "Handwritten digits with label and prediction: five right ones, "
    "and some wrong ones.",
)

# %% [markdown]
# How many rows does the network need? We mark the remaining rows as padding.

# %%
number = len(test[1])
shares = [
    100 * reader.score(*test, np.full(number, rows)) for rows in range(1, 9)
]
ax = plot.new_axes(8, 4.8)
ax.bar(range(1, 9), shares, color=plot.COLOURS[0])
ax.axhline(10, color="black", linestyle=":", label="chance level")
ax.set(
    xlabel="number of rows",
    ylabel="accuracy, %",
    ylim=(0, 100),
    xticks=range(1, 9),
)
ax.legend(loc="upper left")
present(
    ax,
    "With few rows the accuracy is at chance level; with the last two or "
    "three rows it rises most.",
)

# %% [markdown]
# The network was trained to answer after all rows. The intermediate states
# are suitable for processing more rows, but not for an answer.

# %% [markdown]
# ## One to many: generating an image from a label
#
# This task is the reverse. The input of a *decoder* is one vector, the
# *context*, which is the one-hot vector of the label. The decoder generates
# one row after another. Its inputs at each step are the context and the
# previous row:
#
# $$\mathbf{H}_t = \mathrm{cell}\left(
# \begin{bmatrix} \mathbf{Y}_{t-1} & \mathbf{c} \end{bmatrix},
# \mathbf{H}_{t-1}\right), \qquad
# \hat{\mathbf{Y}}_t = \sigma(\mathbf{H}_t \mathbf{W}_{hq} + \mathbf{b}_q).$$
#
# During training, the previous row is the true row (*teacher forcing*).
# During generation, it is the previous output. Before the first row, it is
# zero. A pixel is a number from 0 to 1, and the loss is the cross-entropy of
# each pixel.
#
# During generation, the decoder is this loop:


# %%
def write(c, num_steps, W_xh, W_hh, b_h, W_hq, b_q):
    """Return rows (n, T, q) for contexts (n, c), from an RNN as decoder."""
    H = np.zeros((len(c), len(b_h)))
    Y, rows = np.zeros((len(c), len(b_q))), []
    for _ in range(num_steps):
        H = np.tanh(np.hstack([Y, c]) @ W_xh + H @ W_hh + b_h)
        Y = 1 / (1 + np.exp(-(H @ W_hq + b_q)))
        rows.append(Y)  # the input of the next step
    return np.stack(rows, axis=1)


simple = rnn.DecoderScratch(8, 16, 10, cell="rnn", loss="sigmoid", seed=0)
outputs_by_hand = write(np.eye(10), 8, *simple.arrays())
same = np.allclose(
    outputs_by_hand, simple.generate(np.eye(10), 8), atol=1e-5
)
print("by hand and by the package: the same:", same)

# %% [markdown]
# During training, all previous rows are known. Therefore the package
# computes all steps of a layer at once:

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
    "Ten digits that the network generated, one for each label.",
)

# %%
nearest = tasks.nearest_label(
    drawn, digits.train_images, digits.train_labels
)
print(
    "nearest to the mean image of their label: "
    f"{(nearest == np.arange(10)).sum()} of 10"
)

# %% [markdown]
# The context may also be a mixture of two labels.

# %%
steps = np.linspace(0, 1, 5)
three, eight = np.eye(10)[[3, 8]]
between = (1 - steps)[:, None] * three + steps[:, None] * eight
drawn = painter.generate(between, 8)
titles = [f"{100 - 100 * s:.0f}% 3, {100 * s:.0f}% 8" for s in steps]
present(
    plot.gallery(drawn, titles),
    "Five images that change from a three to an eight.",
)

# %% [markdown]
# ## Many to many, same length: tagging
#
# The network has an output at every step: the part of speech of the current
# word. In the small artificial language about a harbour, 24 of 55 words have
# more than one part of speech; *past* has four. In *they watch her* and
# *they watch her turn*, the tag of *her* depends on the following word.
# Therefore the network is bidirectional, as notebook 8 explains.

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
print(f"{tagger.score(*padded(new)):.0%} of the tags are right")
print(
    f"{generated.one_word_accuracy():.0%} at best, "
    "if each word is tagged alone"
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
    "The probability of each tag for each word of a sentence; the "
    "same word gets different tags.",
)

# %% [markdown]
# ## Many to many, different lengths: dates
#
# People write *march 3rd, 1987*, *3-mar-1987* or *3.3.1987*; the ISO format
# is 1987-03-03. Neither the length nor the order is the same, so there
# cannot be one output for each input. Therefore two networks are used. An
# *encoder* processes the whole input, and its last state is a summary of it.
# A *decoder* starts with this state and generates one character after
# another, until it generates the end token. Its context $\mathbf{c}$ is the
# last hidden state of the encoder. Together they define the probability of
# an output for a given input:
#
# $$P(y_1, \ldots, y_L \mid x_1, \ldots, x_T) =
# \prod_{t=1}^{L} P(y_t \mid y_1, \ldots, y_{t-1}, \mathbf{c}).$$
#
# We use dates with at most 12 characters. A tenth of all days is not used
# for training.


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
print(len(train), "training pairs,", len(test), "test pairs")
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
    "The loss falls; the share of new dates that are exactly right rises.",
)

# %% [markdown]
# The accuracy is strict: all ten characters and the end token must be right.

# %%
sources = [written for written, _ in test[:6]]
for written, translation in zip(
    sources, dates.write(translator, sources, num_steps=11)
):
    print(f"{written:14}{''.join(translation)}")

# %% [markdown]
# The only information about the input that the decoder receives is the last
# state of the encoder, which is one vector. Which information does it
# contain? The figure has a dot for every second test date: its state,
# projected to the plane in which the means of the twelve months differ most
# (the first two principal components of the means). The number of each month
# is placed at its mean.

# %%
X_test, _, valid, _ = held_out
(H,) = (rnn.to_numpy(part) for part in translator.encoder(X_test, valid))
months = np.array([int(iso[5:7]) for _, iso in test])
there = np.unique(months)
means = np.array([H[months == m].mean(axis=0) for m in there])
middle = means.mean(axis=0)
sides = np.linalg.svd(means - middle, full_matrices=False)[2][:2].T
in_plane, corners = (H - middle) @ sides, (means - middle) @ sides
ax = plot.new_axes(9, 5.4)
settings = {"cmap": "twilight", "vmin": 0, "vmax": 12, "s": 25}
ax.scatter(*in_plane[::2].T, c=months[::2], **settings)
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
# The encoder was not trained to recognize months. But the decoder must
# generate them, and therefore states of the same month are close to one
# another. Some months overlap in this figure. The plane shows two of 64
# directions; the day and the year must be represented in the others, because
# the decoder has no other source of information. The longer the input is,
# the more information must fit into this vector. For long inputs, this is
# the main weakness of such networks. Attention, a later method, gives the
# decoder access to all states of the encoder.

# %% [markdown]
# ## Beam search
#
# *Greedy* search generates the most probable character, uses it as the next
# input, and repeats. But the most probable sequence does not always begin
# with the most probable first character.

# %% [markdown]
# ### Exercise 3
#
# A sequence of two characters is generated. The probability of the first
# character is 0.55 for A and 0.45 for B. After A, both characters have the
# probability 0.5; after B, the probability is 0.1 for A and 0.9 for B. What
# is the probability of the sequence that greedy search returns, and what is
# the probability of the most probable sequence?

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
    hint="greedy search takes A, and multiplies by 0.5; there are four "
    "sequences to compare",
)

# %% [markdown]
# It is impossible to try all sequences: with ten digits, the hyphen and the
# end token, there are $12^{11}$ sequences of length 11. *Beam search* keeps
# the $k$ best candidates. At each step, every candidate is extended by every
# character, and the best $k$ of all extensions are kept. Candidates that
# have ended are stored, and the best of them is the result. For $k = 1$,
# this is greedy search. Because each additional factor makes a product
# smaller, short sequences would be preferred; therefore the log-probability
# is divided by a power of the length $L$:
#
# $$\frac{1}{L^\alpha} \sum_{t=1}^{L}
# \log P(y_t \mid y_1, \ldots, y_{t-1}, \mathbf{c}), \qquad
# \alpha = 0.75.$$
#
# The next cell is a loop over sequences, for the two characters of the
# exercise and without the division:


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
# The package does the same for many inputs at once, with arrays instead of
# lists and logarithms instead of products:

# %%
rnn.show(Beam.advance)

# %%
truth = [iso for _, iso in test]
for beam_size in (1, 2, 4):
    translations = dates.write(
        translator,
        [written for written, _ in test],
        num_steps=11,
        beam_size=beam_size,
    )
    right = np.mean(
        ["".join(one) == iso for one, iso in zip(translations, truth)]
    )
    print(f"beam of {beam_size}: {right:.1%} of the new dates are right")

# %% [markdown]
# For a complete date, the network is nearly certain of each character, and
# greedy search is equally good. Beam search is useful if the result is
# uncertain. What is *3 ju 1987*? No training example looks like this, and a
# beam of four shows which dates are likely.


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
        (
            "".join(dates.target.to_tokens(candidate.tokens)),
            math.exp(candidate.log),
        )
        for candidate in beam.finish()[0][:beam_size]
    ]


axes = plot.new_axes(11, 4.2, columns=2)
for ax, source in zip(axes, ("3 ju 1987", "3 jul 1987")):
    dates_and_chances = candidates(source)
    places = range(len(dates_and_chances))
    ax.barh(
        places,
        [chance for _, chance in dates_and_chances],
        color=plot.COLOURS[0],
    )
    ax.set_yticks(places, [iso for iso, _ in dates_and_chances])
    ax.set(xlim=(0, 1), xlabel="probability", title=source)
    ax.invert_yaxis()
present(
    axes,
    "With half of the month, several dates are possible; with the whole "
    "month, one date is nearly certain.",
)

# %% [markdown]
# ### Exercise 4
#
# Write the score by which beam search ranks a sequence, as a function of the
# probabilities of its tokens.


# %%
def rank(chances, alpha=0.75):
    """Return the sum of log(chances) / (number of chances) ** alpha."""
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
# The second sequence, with four tokens, has the smaller product, 0.45, but
# the better score.

# %% [markdown]
# ## Evaluating translations
#
# A date is right or wrong. But a sentence can have several good
# translations, and a score must measure how similar two sentences are.
# *BLEU* (Papineni and others, 2002) counts which sequences of $n$ words, the
# $n$-grams, of the generated sentence occur in the reference translation.
# Each $n$-gram counts at most as often as it occurs in the reference. Let
# $p_n$ be the share of $n$-grams that count. A sentence that is shorter than
# the reference gets a lower score, because otherwise it would help to leave
# out all uncertain words. In the form of the book, with $n$-grams up to $k$
# words,
#
# $$\exp\left(\min\left(0, 1 -
# \frac{\text{length of the reference}}{\text{length of the sentence}}
# \right)\right)
# \prod_{n=1}^{k} p_n^{1/2^n}.$$


# %%
def precision(written, truth, n):
    """Return the share of n-grams that occur in the reference."""
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
    "repeated words": "the the harbour harbour is quiet",
}
ax = plot.new_axes(9, 4.8)
for number, label in enumerate(("$p_1$", "$p_2$", "BLEU")):
    heights = [
        (
            precision(candidate, truth_said, 1),
            precision(candidate, truth_said, 2),
            simple_bleu(candidate, truth_said),
        )[number]
        for candidate in candidates_said.values()
    ]
    places = np.arange(len(heights)) + 0.27 * (number - 1)
    ax.bar(places, heights, 0.27, color=plot.COLOURS[number], label=label)
ax.set_xticks(range(len(candidates_said)), candidates_said)
ax.set(ylim=(0, 1.3), yticks=(0, 0.5, 1))
ax.legend(ncols=3, loc="upper center")
present(
    ax,
    "For four sentences, the shares of right words and of right pairs, and "
    "the score that is computed from them.",
)

# %% [markdown]
# The sentence that was cut short has only right words and pairs, but its
# score is lower because of its length. One wrong word makes one of five
# words wrong, but two of four pairs. `rnn.bleu` computes the score that is
# used in publications, with $n$-grams of up to four words.

# %% [markdown]
# ### Exercise 5
#
# Write a sentence in which every word is right ($p_1 = 1$), which has the
# same length as the reference, and which has the score 0.

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
    hint="no two adjacent words may be adjacent in the reference",
)

# %% [markdown]
# ## What to take away
#
# - The same cell can be used for five kinds of tasks, which differ in the
#   time steps that have inputs and outputs.
# - A many-to-one network has one output after the last input. Padding is
#   masked, so that the result does not depend on the minibatch.
# - A decoder generates a sequence from a vector. Its inputs are its previous
#   outputs, or the true ones during training.
# - An encoder and a decoder convert a sequence to one of another length. The
#   decoder gets all information about the input through one state.
# - Beam search keeps several candidates. Greedy search is a beam of one.
# - BLEU counts the right parts of a sentence and penalizes sentences that
#   are too short.
#
# **Proven in the repository.** In `tests/nets/test_sequences.py`:
# `test_sentiment_is_learned_to_certainty_by_31_parameters` and
# `test_a_padded_batch_gives_the_results_of_one_sequence_at_a_time`. In
# `tests/recipes/test_tasks.py`: `test_digits_are_read_row_by_row`,
# `test_a_decoder_draws_the_digit_of_its_label`,
# `test_tagging_is_better_than_the_best_guess_from_the_word_alone` and
# `test_held_out_dates_are_written_exactly`. In
# `tests/nets/test_translation.py`:
# `test_the_decoder_starts_from_the_encoders_last_state` and
# `test_a_beam_is_never_worse_than_greedy`. In `tests/nets/test_beam.py`:
# `test_a_wide_beam_finds_the_best_of_all_sequences`.
