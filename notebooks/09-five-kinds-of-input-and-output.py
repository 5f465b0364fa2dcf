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
#
# # 9. Five kinds of input and output
#
# A recurrent cell takes a step. Which steps bring an input, and after which there is an output, is
# up to us, and so the same cells judge a review, read a digit, draw one, tag a sentence, and turn
# *march 3rd, 1987* into *1987-03-03*. Five small tasks, each learned in seconds or a few minutes.
#
# It follows sections 10.6 to 10.8 and 16.2 of *Dive into Deep Learning*. Notebooks 6 and 7 have the
# cells, notebook 8 networks that read from both ends.

# %%
import importlib.util

if importlib.util.find_spec("d2lrnn") is None:
    # %pip install -q "d2lrnn[torch] @ git+https://github.com/d2lrnn/d2lrnn"
    importlib.invalidate_caches()

# %%
import math

import numpy as np

from d2lrnn import backends, plot
from d2lrnn.data import generated
from d2lrnn.nets import layers, losses, networks
from d2lrnn.nets.beam import Beam
from d2lrnn.plot import diagrams
from d2lrnn.recipes import tasks
from d2lrnn.teaching import check, full_or_fast, present

backends.prepare()  # before any framework is imported: float64 in JAX, less talk from TensorFlow
plot.use_style()

# %% [markdown]
# Everything below runs on any of five backends. Edit this line, and nothing else, to choose one.

# %%
from d2lrnn import torch as rnn  # or tensorflow, jax, mxnet, numpy

# %%
present(diagrams.five_kinds(), "Five networks: what they read is below, what they write is above.")

# %% [markdown]
# One to one is no sequence at all: a network as in the first half of notebook 1. The other four are
# below, many to one twice. (The picture is bare on purpose. A network that writes also reads, at
# each step, what it wrote at the step before.)
#
# ## Many to one: is the review good?
#
# Three reviews, of different lengths. The words become ids, and a list of sequences is all that the
# network asks for. It reads a review to its end; the last hidden state decides:
#
# $$P(\text{good}) = \sigma(\mathbf{H}_T \mathbf{W}_{hq} + \mathbf{b}_q).$$

# %%
reviews = [("movie was good", 1), ("movie was bad", 0), ("movie was not good", 0)]
words = ["movie", "was", "good", "bad", "not"]
X = [[words.index(word) for word in review.split()] for review, _ in reviews]
y = np.array([label for _, label in reviews])
net = rnn.SequenceClassifierScratch(len(words), 3, 1, cell="rnn", seed=0)
scores = rnn.train_sequences(net, [(X, y)], 0.05, full_or_fast(300, 100), progress=False)
for (review, label), chance in zip(reviews, net.probabilities(X)):
    print(f"{review!r} is good: {chance:.2f} (truth: {label})")

# %% [markdown]
# Sequences of different lengths go into one rectangle, and what is left over is *padding*. It must
# not count. So there is a mask $m$, 1 for a token and 0 for padding, and where it is 0 the state
# stands still: $\mathbf{H}_t = m \, \mathbf{H}_t' + (1 - m) \, \mathbf{H}_{t-1}$, with
# $\mathbf{H}_t'$ for what the cell has computed.

# %%
rnn.show(layers.masked)

# %%
alone = np.concatenate([net.evaluate([ids]) for ids in X])
print("as a batch, and one at a time:", np.allclose(net.evaluate(X), alone, atol=1e-5))

# %% [markdown]
# There is a state after each word, so we can ask what the network thinks so far.

# %%
ax = plot.new_axes(9, 4.8)
for number, ((review, _), ids) in enumerate(zip(reviews, X)):
    so_far = net.probabilities([ids[: length + 1] for length in range(len(ids))])
    places = np.arange(1, len(ids) + 1)
    ax.plot(places, so_far, marker="o", label=review, **plot.line_style(number))
ax.set(xlabel="words read", ylabel="probability of good", xticks=(1, 2, 3, 4), ylim=(-0.05, 1.05))
ax.legend(loc="center left")
present(ax, "Opinions part at the third word; after not, good no longer lifts the probability.")

# %% [markdown]
# The word *good* lifts the probability after *was*, and not after *not*: the state has kept what
# came before. Only the last point of each line was ever trained, though. What lies before it is a
# state on its way, and nobody has asked for an opinion there.
#
# ### Exercise 1
#
# How many parameters does this network have? Five words, three hidden units, one output.

# %%
### BEGIN SOLUTION
num_parameters = 5 * 3 + 3 * 3 + 3 + 3 * 1 + 1
### END SOLUTION

# %%
check(
    num_parameters,
    lambda: sum(array.size for array in net.arrays()),
    hint="two matrices and a bias in the cell, a matrix and a bias in the output layer",
)

# %% [markdown]
# ## Many to one: a digit, row by row
#
# An image is a sequence too, of rows. Scikit-learn's handwritten digits have 8 rows of 8 pixels;
# the network reads them from top to bottom and then names one of ten digits.

# %%
digits = rnn.load_digits()
print("to learn from:", digits.train_images.shape, "- to test with:", digits.test_images.shape)
cell, num_hiddens = full_or_fast(("lstm", 64), ("rnn", 32))
reader = rnn.SequenceClassifierScratch(8, num_hiddens, 10, cell=cell, seed=0)
loader = rnn.BatchLoader(digits.train_images, digits.train_labels, batch_size=128, seed=0)
test = digits.test_images, digits.test_labels
scores = rnn.train_sequences(
    reader, loader, 0.005, full_or_fast(25, 2), held_out=test, progress=False
)
print(f"{reader.score(*test):.0%} of {len(test[1])} new digits are read right")

# %% [markdown]
# Some that it reads right, above, and some that it does not:

# %%
found = reader.predict(digits.test_images)
right, wrong = (np.flatnonzero((found == test[1]) == truth)[:5] for truth in (True, False))
shown = [*right, *wrong]
titles = [f"{test[1][place]}, read as {found[place]}" for place in shown]
present(
    plot.gallery(digits.test_images[shown], titles),
    "Handwritten digits with label and prediction: five read right, and some that are not.",
)

# %% [markdown]
# How many rows does it need? Tell it that the rows below are padding.

# %%
number = len(test[1])
shares = [100 * reader.score(*test, np.full(number, rows)) for rows in range(1, 9)]
ax = plot.new_axes(8, 4.8)
ax.bar(range(1, 9), shares, color=plot.COLOURS[0])
ax.axhline(10, color="black", linestyle=":", label="a guess")
ax.set(xlabel="rows read", ylabel="digits read right, %", ylim=(0, 100), xticks=range(1, 9))
ax.legend(loc="upper left")
present(ax, "After few rows it is as good as a guess; with the last two or three come most digits.")

# %% [markdown]
# Again it has been asked only at the end. What the state holds on the way is meant for the rows to
# come, and not for an answer.
#
# ## One to many: a label in, a digit out
#
# Now the other way round. A *decoder* gets one vector, the *context*, here the label as a one-hot
# vector, and writes one row after the other. At each step it reads the context and the row that was
# written before:
#
# $$\mathbf{H}_t = \mathrm{cell}\left(\begin{bmatrix} \mathbf{Y}_{t-1} & \mathbf{c} \end{bmatrix},
# \mathbf{H}_{t-1}\right), \qquad \hat{\mathbf{Y}}_t = \sigma(\mathbf{H}_t \mathbf{W}_{hq} +
# \mathbf{b}_q).$$
#
# While it learns, what was "written before" is the true row (*teacher forcing*); when it writes, it
# is its own. Before the first row there is none: zeros. A pixel is a number from 0 to 1, and the
# loss the cross-entropy of each.

# %%
rnn.show(networks.Decoder)

# %%
painter = rnn.DecoderScratch(8, num_hiddens, 10, cell=cell, loss="sigmoid", seed=0)
context = np.eye(10)[digits.train_labels]
loader = rnn.BatchLoader(context, digits.train_images, batch_size=128, seed=0)
scores = rnn.train_sequences(painter, loader, 0.01, full_or_fast(50, 3), progress=False)
drawn = painter.generate(np.eye(10), 8)
titles = [f"label {label}" for label in range(10)]
present(plot.gallery(drawn, titles), "Ten digits that the network has drawn, one for each label.")

# %%
nearest = tasks.nearest_label(drawn, digits.train_images, digits.train_labels)
print(f"nearest to the mean image of their own label: {(nearest == np.arange(10)).sum()} of 10")

# %% [markdown]
# A context may also lie between two labels.

# %%
steps = np.linspace(0, 1, 5)
between = (1 - steps)[:, None] * np.eye(10)[3] + steps[:, None] * np.eye(10)[8]
drawn = painter.generate(between, 8)
titles = [f"{100 - 100 * s:.0f}% 3, {100 * s:.0f}% 8" for s in steps]
present(plot.gallery(drawn, titles), "Five drawings that go over from a three into an eight.")

# %% [markdown]
# ## Many to many, the same length: tagging
#
# An output at every step, about the word just read: its part of speech. In this small language of
# the harbour, 24 of 55 words have more than one; *past* has four. In *they watch her* and *they
# watch her turn*, what *her* is depends on what follows, so the network reads from both ends, as
# notebook 8 explains.

# %%
pairs = [pair for pair in rnn.tagged_sentences(full_or_fast(6000, 600)) if len(pair[0]) <= 10]
word_vocab, tag_vocab = (rnn.Vocab([pair[kind] for pair in pairs]) for kind in (0, 1))


def padded(pairs):
    """Return ids of words and of tags, (n, 10) each, and lengths."""
    X = rnn.pad_sequences([word_vocab[words] for words, _ in pairs], 10, padding="post")
    Y = rnn.pad_sequences([tag_vocab[tags] for _, tags in pairs], 10, padding="post")
    return X, Y, np.array([len(words) for words, _ in pairs])


sizes = len(word_vocab), 16, len(tag_vocab)
tagger = rnn.SequenceTaggerScratch(*sizes, bidirectional=True, seed=0)
loader = rnn.BatchLoader(*padded(pairs), batch_size=64, seed=0)
scores = rnn.train_sequences(tagger, loader, 0.01, full_or_fast(3, 1), progress=False)
new = [pair for pair in rnn.tagged_sentences(500, seed=1) if len(pair[0]) <= 10]
print(f"{tagger.score(*padded(new)):.0%} of the tags right")
print(f"{generated.one_word_accuracy():.0%} at best, if each word is looked at alone")

# %%
sentence = ["she", "lights", "the", "past", "light", "past", "her", "watch"]
outputs = tagger.evaluate([word_vocab[sentence]])
chances = losses.probabilities(outputs.astype(float))[:, 1:]  # not that of an unknown tag
ax = plot.new_axes(9, 5.2)
image = ax.imshow(chances.T, cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="none")
ax.set_xticks(range(len(sentence)), sentence)
ax.set_yticks(range(len(tag_vocab) - 1), tag_vocab.idx_to_token[1:])
ax.grid(False)
ax.figure.colorbar(image, ax=ax, label="probability")
present(ax, "For each word of a sentence the probability of each tag; the same word gets several.")

# %% [markdown]
# ## Many to many, another length: dates
#
# People write *march 3rd, 1987*, *3-mar-1987* or *3.3.1987*; ISO writes 1987-03-03. Neither length
# nor order is the same, so there cannot be an output for each input. Hence two networks: an
# *encoder* reads everything and leaves a summary, its last state; a *decoder* starts from that
# state and writes, character by character, until it writes the end token. Its context $\mathbf{c}$
# is the encoder's last hidden state. Together they say how likely an answer is, given the question:
#
# $$P(y_1, \ldots, y_L \mid x_1, \ldots, x_T) = \prod_{t=1}^{L} P(y_t \mid y_1, \ldots, y_{t-1},
# \mathbf{c}).$$
#
# Our dates are those written in 12 characters or fewer. A tenth of all days is never trained on.


# %%
def short_dates(number, **which):
    """Return pairs of a written and an ISO date."""
    return [pair for pair in rnn.date_pairs(number, **which) if len(pair[0]) <= 12]


train = short_dates(full_or_fast(30_000, 1_000))
test = short_dates(full_or_fast(1_500, 200), seed=1, held_out=True)
print(len(train), "to learn from,", len(test), "to test with")
for written, iso in train[:4]:
    print(f"{written:14}{iso}")

# %%
dates = tasks.Pairs(train)  # vocabularies of both sides, padding, and the end
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
present(axes, "The loss falls; the share of new dates that are written exactly rises.")

# %% [markdown]
# The score is strict: all ten characters right, and the end after them.

# %%
sources = [written for written, _ in test[:6]]
for written, found in zip(sources, dates.write(translator, sources, num_steps=11)):
    print(f"{written:14}{''.join(found)}")

# %% [markdown]
# ## Beam search
#
# To write, take the likeliest character, read it, take the next: *greedy* search. But the likeliest
# first character need not begin the likeliest sequence.
#
# ### Exercise 2
#
# Two characters are to be written. For the first, the network says 0.55 for A and 0.45 for B. After
# A, both are equally likely; after B, it says 0.1 for A and 0.9 for B. Which probability has the
# sequence that greedy search writes, and which has the likeliest one?

# %%
### BEGIN SOLUTION
greedy_chance, best_chance = 0.55 * 0.5, 0.45 * 0.9
### END SOLUTION

# %%
first, second = np.array([0.55, 0.45]), np.array([[0.5, 0.5], [0.1, 0.9]])
check(
    [greedy_chance, best_chance],
    lambda: [first.max() * second[first.argmax()].max(), (first[:, None] * second).max()],
    hint="greedy takes A first, and multiplies by 0.5; there are four sequences to compare",
)

# %% [markdown]
# To try all sequences is out of the question: ten digits, the hyphen and the end token make
# $12^{11}$ of length 11. *Beam search* keeps the best $k$ beginnings. At each step each of them
# goes on with every character, and of all these the best $k$ are kept. $k = 1$ is greedy search. As
# each further factor makes a product smaller, sequences that have ended early would win; so the
# logarithm is divided by a power of the length $L$:
#
# $$\frac{1}{L^\alpha} \sum_{t=1}^{L} \log P(y_t \mid y_1, \ldots, y_{t-1}, \mathbf{c}), \qquad
# \alpha = 0.75.$$

# %%
rnn.show(Beam.advance)

# %%
truth = [iso for _, iso in test]
for beam_size in (1, 2, 4):
    found = dates.write(
        translator, [written for written, _ in test], num_steps=11, beam_size=beam_size
    )
    right = np.mean(["".join(one) == iso for one, iso in zip(found, truth)])
    print(f"beam of {beam_size}: {right:.1%} of the new dates exactly")

# %% [markdown]
# A date says all there is to know, the network is nearly certain of each character, and greedy
# search does as well. A beam earns its keep where there is doubt. What is *3 ju 1987*? The network
# has never seen anything like it, and a beam of four shows what it takes into consideration.


# %%
def candidates(source, beam_size=4):
    """Return what a beam holds at the end: sequences and their probabilities, the best first."""
    X, _, valid, _ = dates.arrays([(source, "")])
    beam = Beam(translator.decoder, translator.encoder(X, valid), beam_size, dates.end)
    for _ in range(11):
        beam.advance()
    found = []
    for row, log in zip(beam.tokens[0].tolist(), beam.logs[0]):
        length = row.index(dates.end) if dates.end in row else len(row)
        found.append(("".join(dates.target.to_tokens(row[:length])), math.exp(log)))
    return found


axes = plot.new_axes(11, 4.2, columns=2)
for ax, source in zip(axes, ("3 ju 1987", "3 jul 1987")):
    found = candidates(source)
    places = range(len(found))
    ax.barh(places, [chance for _, chance in found], color=plot.COLOURS[0])
    ax.set_yticks(places, [iso for iso, _ in found])
    ax.set(xlim=(0, 1), xlabel="probability", title=source)
    ax.invert_yaxis()
present(axes, "Half a month leaves several dates possible; a whole one leaves hardly any doubt.")

# %% [markdown]
# ### Exercise 3
#
# Write the score by which a beam ranks a sequence, from the probabilities of its tokens.


# %%
def rank(chances, alpha=0.75):
    """Return the sum of the logarithms of chances, over their number to the power alpha."""
    ### BEGIN SOLUTION
    return np.log(chances).sum() / len(chances) ** alpha
    ### END SOLUTION


# %%
check(
    lambda: [rank(np.array([0.5])), rank(np.array([0.9, 0.8, 0.9, 0.7]))],
    lambda: [math.log(0.5), math.log(0.9 * 0.8 * 0.9 * 0.7) / 4**Beam.LENGTH_POWER],
    hint="np.log(chances).sum(), divided by len(chances) to the power of alpha",
)

# %% [markdown]
# The second sequence, of four tokens, has the smaller product, 0.45, and by that score it is the
# better one all the same.
#
# ## What to take away
#
# - One cell, five kinds: what differs is which steps have an input and which have an output.
# - Many to one reads to the end and answers; padding is masked, so that batches change nothing.
# - A decoder writes from a vector, and reads what it has written: in training, the truth.
# - Encoder and decoder together turn one length into another, through one state: all that the
#   decoder will ever know of the source.
# - Beam search keeps several beginnings alive; greedy search is a beam of one.
#
# **Proven in the repository.** In `tests/nets/test_sequences.py`:
# `test_sentiment_is_learned_to_certainty_by_31_parameters` and
# `test_a_padded_batch_gives_what_one_sequence_at_a_time_gives`. In `tests/recipes/test_tasks.py`:
# `test_digits_are_read_row_by_row`, `test_a_label_draws_its_digit`,
# `test_tagging_beats_what_a_word_alone_tells` and `test_held_out_dates_are_written_exactly`. In
# `tests/nets/test_translation.py`: `test_the_decoder_goes_on_where_the_encoder_ended`,
# `test_a_wide_beam_finds_the_best_of_all_sequences` and
# `test_a_beam_is_never_worse_than_greedy`.
