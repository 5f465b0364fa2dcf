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
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/d2lrnn/d2lrnn/blob/main/notebooks/01-hidden-states.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/d2lrnn/d2lrnn/blob/main/notebooks/01-hidden-states.ipynb)
#
# # 1. From n-grams and MLPs to hidden states
#
# A language model says how likely a text is. This notebook starts with the
# simplest one there is, counting, sees why it cannot go far, replaces the
# counts by a network that looks at the last few tokens, and then gives that
# network a memory: the *hidden state*. At the end stands an identity that
# says in one line what a recurrent network is.
#
# It follows sections 9.3 and 9.4 of *Dive into Deep Learning*, with its
# notation. You need to know what a conditional probability and a matrix
# product are.

# %%
import importlib.util

if importlib.util.find_spec("d2lrnn") is None:
    # %pip install -q "d2lrnn[torch] @ git+https://github.com/d2lrnn/d2lrnn"
    importlib.invalidate_caches()

# %%
from collections import Counter

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
# ## What a language model is
#
# A text is a sequence of *tokens* $x_1, \ldots, x_T$; here they are
# characters. A language model gives each sequence a probability. Why should
# one want that? Who can say how likely a text is can choose the likelier of
# two readings of a bad recording, the likelier of two translations, and the
# likeliest letter to come; and who can say how likely each next letter is
# can write.
#
# There are far too many sequences to give each of them a number of its own.
# But the probability of a sequence is always a product of conditional
# probabilities, one for each token, given those before:
#
# $$P(x_1, \ldots, x_T) = \prod_{t=1}^T P(x_t \mid x_1, \ldots, x_{t-1}).
# \tag{1}$$
#
# That is no assumption, it holds for any probabilities. So one question is
# left, asked again and again: *given what has been read, what comes next?*
# All models of this chapter answer it, and differ in what they keep of what
# has been read.
#
# ## Counting
#
# The simplest answer is to look up what came next before. No one has seen
# enough text to count how often each long beginning occurs. The *Markov
# assumption* of order $n - 1$ is that the last $n - 1$ tokens will do:
#
# $$P(x_t \mid x_1, \ldots, x_{t-1}) \approx
# P(x_t \mid x_{t-n+1}, \ldots, x_{t-1}) \approx
# \frac{n(x_{t-n+1}, \ldots, x_t)}{n(x_{t-n+1}, \ldots, x_{t-1})}, \tag{2}$$
#
# where $n(\cdot)$ counts how often a sequence occurs. Such a model is called
# an *n-gram*: unigrams ($n = 1$) know how frequent each token is, bigrams
# ($n = 2$) what follows what, trigrams what follows two, and so on.
#
# The text is The Time Machine where it is at hand, and otherwise the story
# that comes with the package. Nine tenths of it are counted; the rest is a
# new text, to try the counts on.

# %%
at_hand = time_machine_at_hand()
lines = rnn.read_time_machine() if at_hand else rnn.read_builtin()
tokens = "".join(lines)[: full_or_fast(100_000, 10_000)]
vocab_size = len(set(tokens))
part = len(tokens) * 9 // 10
seen, unseen = tokens[:part], tokens[part:]
print(f"{len(tokens):,} characters, {vocab_size} different ones")


def ngrams(text, n):
    """Return how often each sequence of n characters occurs."""
    return Counter(text[i : i + n] for i in range(len(text) - n + 1))


for n in (1, 2, 3):
    found = ngrams(seen, n).most_common(5)
    print(n, ", ".join(f"{gram!r} {count:,}" for gram, count in found))

# %% [markdown]
# What does such a model know? Let it write. Each letter is drawn by the
# fraction in (2), which is to say: pick, at random, one of the places where
# the last $n - 1$ letters occur, and take the letter that follows there.


# %%
def write(n, length=60, seed=0):
    """Return a text drawn from an n-gram model."""
    rng, text = np.random.default_rng(seed), seen[: n - 1]
    for _ in range(length):
        context = text[len(text) - n + 1 :]
        after = [gram for gram in ngrams(seen, n) if gram[:-1] == context]
        counts = np.array([counted[n][gram] for gram in after], dtype=float)
        text += rng.choice([g[-1] for g in after], p=counts / counts.sum())
    return text


counted = {n: ngrams(seen, n) for n in (1, 2, 3, 5)}
for n in counted:
    print(n, write(n))

# %% [markdown]
# With $n = 1$ it knows letters, with 2 it avoids what cannot be spoken, with
# 3 it has short words, and with 5 long ones. Then it begins to copy. None of
# them knows how its sentence began.

# %% [markdown]
# How far can $n$ go? There are $|\mathcal{V}|^n$ possible n-grams, of which
# a text of 100,000 characters can hold at most 100,000. So the longer the
# n-grams, the more of those in a *new* text were never counted, and the
# fraction in (2) says that they are impossible.


# %%
def share_never_seen(n):
    """Return which share of the new text's n-grams was not counted."""
    known, new = ngrams(seen, n), ngrams(unseen, n)
    unknown = sum(new[gram] for gram in new if gram not in known)
    return unknown / new.total()


orders = range(1, full_or_fast(11, 7))
shares = [share_never_seen(n) for n in orders]
ax = plot.new_axes(8, 4.8)
ax.bar(orders, [100 * share for share in shares], color=plot.COLOURS[0])
ax.set(xlabel="n, characters", ylabel="n-grams never seen before, %")
ax.set(xticks=orders, ylim=(0, 100))
present(ax, "The share of n-grams never counted rises from 0 to most.")

# %% [markdown]
# Giving every unseen n-gram a little probability helps. *Laplace smoothing*
# asks the shorter model for as many imagined observations as $\epsilon$
# says:
#
# $$\hat{P}(x' \mid x) = \frac{n(x, x') + \epsilon\,\hat{P}(x')}
# {n(x) + \epsilon}, \tag{3}$$
#
# and so on down to $\hat{P}(x') = 1/|\mathcal{V}|$ for no context at all,
# $|\mathcal{V}|$ being the number of different tokens. Where a context was
# seen often, $n(x)$ is large beside $\epsilon$ and the counts decide; where
# it was never seen, the shorter model does.
#
# ## How good is a model?
#
# A good model is not surprised by a new text. The *surprise* at a token is
# $-\log P$: nothing for a token that was certain, and without bound for one
# that was held impossible. By (1), the sum over all tokens is that of the
# whole text; the mean does not depend on its length. The exponential of the
# mean is the *perplexity*,
#
# $$\exp\left(-\frac{1}{T} \sum_{t=1}^T
# \log P(x_t \mid x_1, \ldots, x_{t-1})\right): \tag{4}$$
#
# 1 for a model that is always right and always sure, $|\mathcal{V}|$ for a
# guess at random. It may be read as the number of tokens that the model has
# to choose between.
#
# ### Exercise 1
#
# A model gives the three tokens that come the probabilities 1/2, 1/4 and
# 1/8. What is its perplexity?

# %%
### BEGIN SOLUTION
of_three = 4
### END SOLUTION

# %%
check(
    of_three,
    lambda: np.exp(-np.log([1 / 2, 1 / 4, 1 / 8]).mean()),
    hint="surprises are log 2, log 4 and log 8; their mean is log 4",
)

# %% [markdown]
# Now the n-grams on the new text:


# %%
def perplexity(n, epsilon=2.0):
    """Return the perplexity of a smoothed n-gram model on the new text."""
    counts = {length: ngrams(seen, length) for length in range(1, n + 1)}
    counts[0] = Counter({"": len(seen)})
    surprise = 0.0
    for t in range(n, len(unseen)):
        probability = 1 / vocab_size
        for length in range(1, n + 1):
            gram = unseen[t - length + 1 : t + 1]
            probability = counts[length][gram] + epsilon * probability
            probability /= counts[length - 1][gram[:-1]] + epsilon
        surprise -= np.log(probability)
    return np.exp(surprise / (len(unseen) - n))


found = [perplexity(n) for n in orders]
ax = plot.new_axes(8, 4.8)
ax.plot(orders, found, "o-", color=plot.COLOURS[0])
best = orders[int(np.argmin(found))]
title = f"lowest at n = {best}: {min(found):.2f}"
ax.set(xlabel="n, characters", ylabel="perplexity of new text")
ax.set(xticks=orders, title=title)
present(ax, "Perplexity falls as n grows, and then gets no better.")

# %% [markdown]
# Counting gets better until the counts run dry, and then no better: the
# model stores each context by itself, and learns nothing for *time travell*
# from having seen *time travelle* very often. A network that computes with
# its inputs can share what it learns.
#
# ### Exercise 2
#
# What does the bigram model, without smoothing, say is the probability of
# `e` after `h`? Count in `seen`.

# %%
### BEGIN SOLUTION
probability = ngrams(seen, 2)["he"] / ngrams(seen[:-1], 1)["h"]
### END SOLUTION

# %%
check(
    probability,
    seen.count("he") / seen[:-1].count("h"),
    hint="divide the count of 'he' by that of 'h' with anything after it",
)

# %% [markdown]
# ### Exercise 3
#
# What are two observations worth? Find an $\epsilon$ with which the 5-gram
# model is less perplexed by the new text than with 2.

# %%
### BEGIN SOLUTION
better_epsilon = 5.0
### END SOLUTION

# %%
check(
    lambda: perplexity(5, better_epsilon) < perplexity(5, 2.0),
    True,
    hint="most 5-grams are rare: lend the shorter models more weight",
)

# %% [markdown]
# ## A network without hidden states
#
# A multilayer perceptron takes a minibatch $\mathbf{X}$ ($n$, $d$), of $n$
# examples with $d$ inputs each. A *hidden layer* makes $h$ numbers of each
# example, and an output layer makes $q$ of these:
#
# $$\mathbf{H} = \phi(\mathbf{X} \mathbf{W}_{xh} + \mathbf{b}_h), \qquad
# \mathbf{O} = \mathbf{H} \mathbf{W}_{hq} + \mathbf{b}_q. \tag{5}$$
#
# $\phi$ is a function that is not linear, here tanh; without it two layers
# would be no more than one. In NumPy:


# %%
def mlp_by_hand(X, W_xh, b_h, W_hq, b_q):
    """Return the outputs (n, q) for inputs (n, d), equation (5)."""
    H = np.tanh(X @ W_xh + b_h)  # hidden layer: (n, h)
    return H @ W_hq + b_q


window, num_hiddens = 4, 64
sizes = window * vocab_size, num_hiddens, vocab_size
mlp_params = rnn.get_mlp_params(*sizes, seed=0, dtype="float64")
X = np.random.default_rng(0).normal(size=(3, window * vocab_size))
by_hand = mlp_by_hand(X, *map(rnn.to_numpy, mlp_params))
of_package = rnn.to_numpy(rnn.mlp(rnn.from_numpy(X), mlp_params))
assert np.allclose(by_hand, of_package, rtol=0, atol=1e-12)
print("by hand and by the package: the same", by_hand.shape)

# %% [markdown]
# To predict the next character from the last $k$, one puts their one-hot
# vectors side by side (1 at the place of the character, 0 elsewhere;
# notebook 3 says why): $d = k |\mathcal{V}|$. The outputs are scores, one
# for each character that may come.
#
# That is better than counting: *travell* and *travelle* share most of their
# inputs, so what is learned for one helps with the other. But two things are
# wrong. The weights $\mathbf{W}_{xh}$ grow with $k$, and each place in the
# window has to learn by itself what an *e* is. And however large $k$ is,
# what came earlier does not exist.
#
# ## A network with a hidden state
#
# Instead of the last $k$ tokens, one would like to keep *what matters* of
# all tokens so far. Call it $h_{t-1}$, whatever it is. Then
#
# $$P(x_t \mid x_1, \ldots, x_{t-1}) \approx P(x_t \mid h_{t-1}), \qquad
# h_t = f(x_t, h_{t-1}), \tag{6}$$
#
# and the only question is what $f$ should be. If $f$ is powerful enough,
# this is no approximation at all: $h_t$ might simply be the list of all
# tokens. It is the limited size of $h_t$ that makes the model choose.
#
# A recurrent network takes for $f$ the hidden layer of (5), with the state
# before as a second input, and keeps what it makes of it, the *hidden state*
# $\mathbf{H}_t$ ($n$, $h$), for the next step:
#
# $$\mathbf{H}_t = \phi(\mathbf{X}_t \mathbf{W}_{xh} +
# \mathbf{H}_{t-1} \mathbf{W}_{hh} + \mathbf{b}_h), \qquad
# \mathbf{O}_t = \mathbf{H}_t \mathbf{W}_{hq} + \mathbf{b}_q. \tag{7}$$
#
# Only $\mathbf{H}_{t-1} \mathbf{W}_{hh}$ is new. Through it $\mathbf{H}_t$
# depends on $\mathbf{H}_{t-1}$, which depends on $\mathbf{H}_{t-2}$, and so
# on back to the first token. (A hidden *layer* is one that lies between
# inputs and outputs. A hidden *state* is an input to the next step, which
# can be known only by reading what came before.)

# %%
present(
    diagrams.rnn_cell(),
    "One step: the state before and the input make the state after.",
)

# %% [markdown]
# Drawn over time, the same step with the same weights stands at every
# position. A longer text needs no further parameters, and what an *e* is has
# to be learned only once.

# %%
present(
    diagrams.unrolled(),
    "Four steps in a row, each handing its hidden state to the next.",
)

# %% [markdown]
# As a loop over time it has one line for each half of (7):


# %%
def rnn_by_hand(inputs, H, params):
    """Return outputs (T, n, q) for inputs (T, n, d), from state H (n, h)."""
    W_xh, W_hh, b_h, W_hq, b_q = params
    outputs = []
    for X in inputs:
        H = np.tanh(X @ W_xh + H @ W_hh + b_h)
        outputs.append(H @ W_hq + b_q)
    return np.array(outputs)


rnn_params = rnn.get_params(vocab_size, num_hiddens, seed=0, dtype="float64")
inputs = np.random.default_rng(1).normal(size=(7, 3, vocab_size))
zeros = rnn.init_rnn_state(3, num_hiddens, dtype="float64")
of_package, _ = rnn.rnn(rnn.from_numpy(inputs), zeros, rnn_params)
arrays = [rnn.to_numpy(param) for param in rnn_params]
by_hand = rnn_by_hand(inputs, np.zeros((3, num_hiddens)), arrays)
flat = by_hand.reshape(-1, vocab_size)  # the package's: (T * n, q)
assert np.allclose(flat, rnn.to_numpy(of_package), rtol=0, atol=1e-12)
print("by hand and by the package: the same", by_hand.shape)

# %% [markdown]
# The package's own source, in the backend chosen above, is cut into a step,
# a loop and an output layer:

# %%
rnn.show(rnn.rnn, helpers=True)

# %% [markdown]
# Let us see that memory. Two texts differ in their first character and in
# nothing else. Both are read by an MLP that sees the last four characters,
# and by a recurrent network of as many hidden units; how far apart are the
# outputs at each step? (All weights are random. The recurrent ones are
# scaled so that their spectral radius is 1; the notebook on backpropagation
# says why.)

# %%
num_steps = 30
ids = np.random.default_rng(0).integers(vocab_size, size=(2, num_steps))
ids[1] = ids[0]
ids[1, 0] = (ids[0, 0] + 1) % vocab_size  # the only difference
one_hot = np.eye(vocab_size)[ids]  # (2, T, V)
before = np.zeros((2, window - 1, vocab_size))  # the text: nothing
padded = np.concatenate([before, one_hot], axis=1)

mlp_outputs = []
for t in range(num_steps):
    last_few = padded[:, t : t + window].reshape(2, -1)
    outputs = rnn.mlp(rnn.from_numpy(last_few), mlp_params)
    mlp_outputs.append(rnn.to_numpy(outputs))

functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn
net = rnn.RNNModelScratch(
    vocab_size, num_hiddens, *functions, seed=0, dtype="float64"
)
rnn.scale_recurrent(net, 1.0)
outputs, _ = net.evaluate(ids, net.begin_state(2))
rnn_outputs = outputs.reshape(num_steps, 2, vocab_size)


def distance(outputs):
    """Return how far apart both outputs are, relative to the first."""
    gaps = [np.linalg.norm(one - other) for one, other in outputs]
    return np.array(gaps) / gaps[0]


mlp_distance, rnn_distance = distance(mlp_outputs), distance(rnn_outputs)
ax = plot.new_axes(8, 4.8)
steps = np.arange(1, num_steps + 1)
ax.plot(steps, rnn_distance, label="hidden state", **plot.line_style(0))
label = f"MLP of {window} characters"
style = {"label": label, **plot.line_style(1)}
ax.plot(steps[:window], mlp_distance[:window], **style)
ax.plot(window + 1, 1.5e-3, "v", color=plot.COLOURS[1])
words = "nothing from here on"
ax.annotate(words, (window + 1, 1.5e-3), (window + 2, 1.4e-3))
ax.set(yscale="log", ylim=(1e-3, 3), xlabel="time step")
ax.set(ylabel="effect of the first character")
ax.legend()
present(ax, "The MLP forgets after four steps, the hidden state does not.")
gone = mlp_distance[window:].max() < 1e-12
print("MLP, after the window: nothing but rounding:", gone)
print(f"hidden state, at the end: {rnn_distance[-1]:.4f}")

# %% [markdown]
# The MLP's line ends with its window. The hidden state's goes down as well:
# what has been read long ago counts less and less. That it goes down so
# smoothly, and how to keep it up, are the matter of notebooks 5 to 7.
#
# And this is what each costs. The recurrent network's number of parameters
# does not depend on how far back it looks, because it is not asked to say.

# %%
reach = np.arange(1, full_or_fast(41, 11))
shapes = [(k * vocab_size, num_hiddens, vocab_size) for k in reach]
of_mlp = [(d + 1) * h + (h + 1) * q for d, h, q in shapes]
of_rnn = sum(array.size for array in arrays)
ax = plot.new_axes(8, 4.8)
ax.plot(reach, np.array(of_mlp) / 1000, label="MLP", **plot.line_style(0))
steady = np.full(len(reach), of_rnn / 1000)
ax.plot(reach, steady, label="recurrent network", **plot.line_style(1))
ax.set(
    xlabel="characters that are looked at", ylabel="parameters, thousands"
)
ax.set(ylim=(0, None))
ax.legend()
present(
    ax, "Parameters of an MLP grow with its window, those of an RNN not."
)

# %% [markdown]
# ### Exercise 4
#
# How many parameters do both networks have with 28 tokens and 256 hidden
# units, the MLP reading 10 characters at a time?

# %%
### BEGIN SOLUTION
mlp_size = 10 * 28 * 256 + 256 + 256 * 28 + 28
rnn_size = 28 * 256 + 256 * 256 + 256 + 256 * 28 + 28
### END SOLUTION

# %%
check(
    [mlp_size, rnn_size],
    lambda: [
        sum(rnn.to_numpy(param).size for param in params)
        for params in (
            rnn.get_mlp_params(280, 256, 28),
            rnn.get_params(28, 256),
        )
    ],
    hint="a matrix (inputs, outputs) a product, a bias for each layer",
)

# %% [markdown]
# ## One product instead of two
#
# The sum of two products is one product of the two put together:
#
# $$\mathbf{X}_t \mathbf{W}_{xh} + \mathbf{H}_{t-1} \mathbf{W}_{hh} =
# \begin{bmatrix} \mathbf{X}_t & \mathbf{H}_{t-1} \end{bmatrix}
# \begin{bmatrix} \mathbf{W}_{xh} \\ \mathbf{W}_{hh} \end{bmatrix}. \tag{8}$$
#
# So a recurrent step *is* the MLP's hidden layer, reading its own last
# result beside the input. With the shapes of the book: $\mathbf{X}$ (3, 1),
# $\mathbf{W}_{xh}$ (1, 4), $\mathbf{H}$ (3, 4) and $\mathbf{W}_{hh}$ (4, 4).

# %%
rng = np.random.default_rng(1)
shapes = {"X": (3, 1), "W_xh": (1, 4), "H": (3, 4), "W_hh": (4, 4)}
X, W_xh, H, W_hh = (rng.normal(size=shape) for shape in shapes.values())
XH = np.concatenate([X, H], axis=1)  # (3, 5)
W = np.concatenate([W_xh, W_hh])  # (5, 4)

all_six = X, W_xh, H, W_hh, XH, W
X_, W_xh_, H_, W_hh_, XH_, W_ = map(rnn.from_numpy, all_six)
two_products = rnn.to_numpy(X_ @ W_xh_ + H_ @ W_hh_)
one_product = rnn.to_numpy(XH_ @ W_)
print(two_products.round(4))
print(one_product.round(4))
same = np.allclose(two_products, one_product, rtol=0, atol=1e-14)
print("equal within rounding:", same)

# %%
pen = sketch.Pen(None, 13.6, 5.6)


def block(x, y, width, height, words, colour):
    """Draw a matrix as a block, from its lower left corner."""
    style = {"width": width, "height": height, "colour": colour}
    pen.box(x + width / 2, y + height / 2, words, **style)


inputs_colour, states_colour = "#CFE3F1", "#F7D9C4"
block(0.3, 1.6, 1.0, 2.2, "$X_t$", inputs_colour)
block(1.3, 1.6, 2.6, 2.2, "$H_{t-1}$", states_colour)
pen.text(4.5, 2.7, r"$\cdot$")
block(5.1, 4.2, 2.6, 1.0, "$W_{xh}$", inputs_colour)
block(5.1, 1.6, 2.6, 2.6, "$W_{hh}$", states_colour)
pen.text(8.2, 2.7, "=")
block(8.7, 1.6, 2.2, 2.2, r"$X_tW_{xh}$", inputs_colour)
pen.text(11.1, 2.7, "+")
block(11.3, 1.6, 2.2, 2.2, r"$H_{t-1}W_{hh}$", states_colour)
pen.text(2.1, 0.9, "n rows, d + h columns", size=0.8)
pen.text(6.4, 0.9, "d + h rows, h columns", size=0.8)
present(pen.ax, "Inputs and state side by side meet both matrices stacked.")

# %% [markdown]
# The same holds for a whole network over many steps, and for the gated cells
# of later notebooks: each gate has one matrix for $[\mathbf{H}_{t-1},
# \mathbf{X}_t]$. Many tutorials write them so. The package has both forms,
# and `rnn.concat_params` turns the parameters of one into the other's.

# %%
concatenated_cells = rnn.concat_rnn, rnn.concat_gru, rnn.concat_lstm
cells = {
    "rnn": (rnn.get_params, rnn.init_rnn_state, rnn.rnn),
    "gru": (rnn.get_gru_params, rnn.init_gru_state, rnn.gru),
    "lstm": (rnn.get_lstm_params, rnn.init_lstm_state, rnn.lstm),
}
inputs = rnn.from_numpy(rng.normal(size=(7, 3, 5)))  # (T, n, d)
for name, concatenated in zip(cells, concatenated_cells):
    get_params, init_state, summed = cells[name]
    params = get_params(5, 4, seed=0, dtype="float64")
    state = init_state(3, 4, dtype="float64")
    outputs, last = summed(inputs, state, params)
    joint = rnn.concat_params(params, order="HX")
    same, also = concatenated(inputs, state, joint, order="HX")
    gap = np.abs(rnn.to_numpy(outputs) - rnn.to_numpy(same)).max()
    print(f"{name:4}: {len(params)} arrays or {len(joint)};", end=" ")
    print("equal within rounding:", gap < 1e-15)

# %% [markdown]
# ### Exercise 5
#
# Write one step of a recurrent network in the concatenated form, in NumPy:
# from $\mathbf{X}$, $\mathbf{H}$, $\mathbf{W}$ and $\mathbf{b}_h$ to the
# next $\mathbf{H}$. $\phi$ is tanh.


# %%
def joint_step(X, H, W, b_h):
    """Return the state (n, h) after X (n, d), with W (d + h, h)."""
    ### BEGIN SOLUTION
    return np.tanh(np.concatenate([X, H], axis=1) @ W + b_h)
    ### END SOLUTION


# %%
b_h, W_hq, b_q = (
    np.array([0.1, -0.2, 0.3, 0.0]),
    np.ones((4, 1)),
    np.zeros(1),
)
five = [rnn.from_numpy(array) for array in (W_xh, W_hh, b_h, W_hq, b_q)]
check(
    lambda: joint_step(X, H, W, b_h),
    lambda: rnn.to_numpy(
        rnn.rnn(rnn.from_numpy(X[None]), (H_,), five)[1][0]
    ),
    hint="np.concatenate([X, H], axis=1) has d + h columns, W as many rows",
)

# %% [markdown]
# ### Exercise 6
#
# A question for research. A state can hold *which* token came $k$ steps ago,
# for a $k$ that is given: no training is needed, only the right matrices.
# Let there be three tokens, $\phi(a) = a$ in place of tanh, and nine hidden
# units: the first three for the token just read, the next three for the one
# before, the last three for that before. Give $\mathbf{W}_{xh}$ (3, 9) and
# $\mathbf{W}_{hh}$ (9, 9) with which the state is this list.

# %%
### BEGIN SOLUTION
shift_W_xh = np.eye(3, 9)
shift_W_hh = np.eye(9, k=3)
### END SOLUTION


# %%
def state_after(ids, W_xh, W_hh):
    """Return the state of a linear network after token ids."""
    state = np.zeros(9)
    for row in np.eye(3)[ids]:
        state = row @ W_xh + state @ W_hh
    return state


read = [0, 2, 1, 1, 0, 2]
check(
    lambda: state_after(read, shift_W_xh, shift_W_hh),
    lambda: np.eye(3)[read[:-4:-1]].ravel(),
    hint="W_hh moves units 1 to 3 to 4 to 6, and 4 to 6 to 7 to 9; np.eye",
)

# %% [markdown]
# So a recurrent network can be an n-gram model, or an MLP over a window: it
# need only shift. Whether it does something better with its units is left to
# training.
#
# ## Where it breaks
#
# What has been gained is a form, not yet a memory. With the weights of the
# picture above, the trace of the first character was down to a small part
# after thirty steps; a novel has half a million. All tokens have to share
# $h$ numbers. And step $t$ cannot begin before step $t - 1$ has ended,
# however many processors there are. Each of these has led to networks of its
# own, and notebooks 5 to 8 are about some of them.

# %% [markdown]
# ## What to take away
#
# - An n-gram model stores contexts; longer ones are mostly new, so it stops
#   getting better.
# - An MLP over a window shares what it learns, and is blind beyond the
#   window.
# - A hidden state carries on what has been read, with as many parameters for
#   a long text as for a short one.
# - A recurrent step is the hidden layer of an MLP that reads $[\mathbf{X}_t,
#   \mathbf{H}_{t-1}]$.
#
# **Proven in the repository.** That cells compute their equations, number by
# number: `test_outputs_follow_the_equations` in
# `tests/nets/test_scratch.py`. The identity for random shapes:
# `test_the_product_of_the_concatenation_is_the_sum_of_the_products` and
# `test_a_recurrent_step_is_an_mlp_of_the_concatenation` in
# `tests/measure/test_agreement.py`. Whole cells, with their gradients:
# `test_the_concatenated_form_is_the_summed_form` in
# `tests/nets/test_cells.py`.
