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
# A language model computes the probability of a text. This notebook begins
# with a simple language model, which counts n-grams, and shows its limits.
# Then it replaces the counts by a neural network whose inputs are the last
# few tokens. Finally, it adds a *hidden state* to this network, which
# summarizes all earlier tokens. The result is a recurrent neural network.
# The last part shows that one step of it is a layer whose inputs are the
# token and the previous hidden state.
#
# The notebook follows sections 9.3 and 9.4 of *Dive into Deep Learning* and
# uses their notation. You should know conditional probabilities and matrix
# products.

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

# Before any import of a framework: float64 in JAX, fewer messages.
backends.prepare()
plot.use_style()

# %% [markdown]
# This notebook runs on any of five backends. To choose one, edit only the
# following line.

# %%
from d2lrnn import torch as rnn  # or tensorflow, jax, mxnet, numpy

# %% [markdown]
# ## What is a language model?
#
# A text is a sequence of *tokens* $x_1, \ldots, x_T$; here the tokens are
# characters. A language model assigns a probability to each sequence. Such a
# model has many uses. It can select the more probable of two transcriptions
# of a recording, or of two translations. It can suggest the next letter. If
# the model computes the probability of each next letter, it can also
# generate text.
#
# There are too many sequences to store one probability for each. But the
# probability of a sequence is always a product of conditional probabilities,
# one for each token given the tokens before it:
#
# $$P(x_1, \ldots, x_T) = \prod_{t=1}^T P(x_t \mid x_1, \ldots, x_{t-1}).
# \tag{1}$$
#
# This equation is not an assumption; it holds for any probability
# distribution. It remains to answer one question for each token: *given the
# previous tokens, what is the next token?* All models in this notebook
# answer this question. They differ in what they store about the previous
# tokens.
#
# ## N-grams: counting sequences
#
# The simplest model counts which token followed the same beginning earlier
# in the text. However, no text is long enough to contain every long
# beginning often. The *Markov assumption* of order $n - 1$ is that only the
# last $n - 1$ tokens matter:
#
# $$P(x_t \mid x_1, \ldots, x_{t-1}) \approx
# P(x_t \mid x_{t-n+1}, \ldots, x_{t-1}) \approx
# \frac{n(x_{t-n+1}, \ldots, x_t)}{n(x_{t-n+1}, \ldots, x_{t-1})}, \tag{2}$$
#
# where $n(\cdot)$ is the number of occurrences of a sequence. Such a model
# is called an *n-gram* model. A unigram model ($n = 1$) contains the
# frequency of each token, a bigram model ($n = 2$) contains the frequency of
# each pair, a trigram model that of each triple, and so on.
#
# The text is The Time Machine if it is available, and otherwise the story
# that is part of the package. The n-grams are counted in the first nine
# tenths of the text. The last tenth is used as a new text to test the
# models.

# %%
at_hand = time_machine_at_hand()
lines = rnn.read_time_machine() if at_hand else rnn.read_builtin()
tokens = "".join(lines)[: full_or_fast(100_000, 10_000)]
vocab_size = len(set(tokens))
part = len(tokens) * 9 // 10
old_text, new_text = tokens[:part], tokens[part:]
print(f"{len(tokens):,} characters, {vocab_size} different ones")


def ngrams(text, n):
    """Return how often each sequence of n characters occurs."""
    return Counter(text[i : i + n] for i in range(len(text) - n + 1))


for n in (1, 2, 3):
    most_common = ngrams(old_text, n).most_common(5)
    print(n, ", ".join(f"{gram!r} {count:,}" for gram, count in most_common))

# %% [markdown]
# To see what such a model has learned, we generate text with it. The
# fraction in (2) is the probability of each letter. Drawing from it is
# equivalent to choosing a random place in the text at which the last $n - 1$
# letters occur, and taking the letter that follows.


# %%
def write(n, length=60, seed=0):
    """Return a text drawn from an n-gram model."""
    rng, text = np.random.default_rng(seed), old_text[: n - 1]
    for _ in range(length):
        context = text[len(text) - n + 1 :]
        after = [
            gram for gram in ngrams(old_text, n) if gram[:-1] == context
        ]
        counts = np.array([counted[n][gram] for gram in after], dtype=float)
        text += rng.choice([g[-1] for g in after], p=counts / counts.sum())
    return text


counted = {n: ngrams(old_text, n) for n in (1, 2, 3, 5)}
for n in counted:
    print(n, write(n))

# %% [markdown]
# With $n = 1$ the frequencies of the letters are right. With $n = 2$ most
# pairs of letters can be pronounced, with $n = 3$ there are short words, and
# with $n = 5$ longer ones. For larger $n$ the model copies the training
# text. None of these models uses the beginning of a long sentence.

# %% [markdown]
# How large can $n$ be? There are $|\mathcal{V}|^n$ possible n-grams, and a
# text of 100,000 characters contains at most 100,000 of them. Therefore, the
# larger $n$ is, the more n-grams of a *new* text do not occur in the
# training text. The fraction in (2) assigns them the probability 0.


# %%
def share_never_seen(n):
    """Return which share of the new text's n-grams was not counted."""
    counts, new = ngrams(old_text, n), ngrams(new_text, n)
    unknown = sum(new[gram] for gram in new if gram not in counts)
    return unknown / new.total()


orders = range(1, full_or_fast(11, 7))
shares = [share_never_seen(n) for n in orders]
ax = plot.new_axes(8, 4.8)
ax.bar(orders, [100 * share for share in shares], color=plot.COLOURS[0])
ax.set(xlabel="n, characters", ylabel="n-grams not in the training text, %")
ax.set(xticks=orders, ylim=(0, 100))
present(ax, "The share of n-grams that were not counted rises with n.")

# %% [markdown]
# It helps to assign a small probability to every n-gram that was not
# counted. *Laplace smoothing* adds $\epsilon$ imaginary observations, which
# are distributed as in the model with the next smaller $n$:
#
# $$\hat{P}(x' \mid x) = \frac{n(x, x') + \epsilon\,\hat{P}(x')}
# {n(x) + \epsilon}, \tag{3}$$
#
# This continues down to $\hat{P}(x') = 1/|\mathcal{V}|$ without any context,
# where $|\mathcal{V}|$ is the number of different tokens. If a context
# occurs often, $n(x)$ is large compared with $\epsilon$, and the counts
# determine the probability. If a context does not occur, the model with the
# shorter context determines it.
#
# ## Evaluate a model: perplexity
#
# A good model assigns high probabilities to the tokens of a new text. The
# *surprise* of a token is $-\log P$: it is 0 for a token with probability 1,
# and infinite for a token with probability 0. By (1), the surprise of the
# whole text is the sum over its tokens. The mean does not depend on the
# length of the text. The exponential of the mean is the *perplexity*,
#
# $$\exp\left(-\frac{1}{T} \sum_{t=1}^T
# \log P(x_t \mid x_1, \ldots, x_{t-1})\right): \tag{4}$$
#
# The perplexity is 1 for a model that predicts every token with probability
# 1, and $|\mathcal{V}|$ for a model that assigns the same probability to all
# tokens. It can be interpreted as the number of equally likely tokens among
# which the model has to choose.
#
# ### Exercise 1
#
# A model assigns the probabilities 1/2, 1/4 and 1/8 to the three tokens of a
# text. What is its perplexity?

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
# The next cell computes the perplexity of the n-gram models on the new text.


# %%
def perplexity(n, epsilon=2.0):
    """Return the perplexity of a smoothed n-gram model on the new text."""
    counts = {length: ngrams(old_text, length) for length in range(1, n + 1)}
    counts[0] = Counter({"": len(old_text)})
    surprise = 0.0
    for t in range(n, len(new_text)):
        probability = 1 / vocab_size
        for length in range(1, n + 1):
            gram = new_text[t - length + 1 : t + 1]
            probability = counts[length][gram] + epsilon * probability
            probability /= counts[length - 1][gram[:-1]] + epsilon
        surprise -= np.log(probability)
    return np.exp(surprise / (len(new_text) - n))


perplexities = [perplexity(n) for n in orders]
ax = plot.new_axes(8, 4.8)
ax.plot(orders, perplexities, "o-", color=plot.COLOURS[0])
best = orders[int(np.argmin(perplexities))]
title = f"lowest at n = {best}: {min(perplexities):.2f}"
ax.set(xlabel="n, characters", ylabel="perplexity of new text")
ax.set(xticks=orders, title=title)
present(ax, "Perplexity falls as n grows, and then stops falling.")

# %% [markdown]
# The perplexity decreases with $n$ until most n-grams are too rare, and then
# it stops decreasing. The model stores each context separately: it learns
# nothing about *time travell* from the frequent *time travelle*. A neural
# network computes its predictions from the inputs, so that similar contexts
# share parameters.
#
# ### Exercise 2
#
# Which probability of `e` after `h` does the bigram model without smoothing
# have? Count in `old_text`.

# %%
### BEGIN SOLUTION
probability = ngrams(old_text, 2)["he"] / ngrams(old_text[:-1], 1)["h"]
### END SOLUTION

# %%
check(
    probability,
    old_text.count("he") / old_text[:-1].count("h"),
    hint="divide the count of 'he' by that of 'h' with anything after it",
)

# %% [markdown]
# ### Exercise 3
#
# Is $\epsilon = 2$ a good choice? Find an $\epsilon$ for which the
# perplexity of the 5-gram model on the new text is lower.

# %%
### BEGIN SOLUTION
better_epsilon = 5.0
### END SOLUTION

# %%
check(
    lambda: perplexity(5, better_epsilon) < perplexity(5, 2.0),
    True,
    hint="most 5-grams are rare: give the shorter models more weight",
)

# %% [markdown]
# ## A network without hidden states
#
# The input of a multilayer perceptron (MLP) is a minibatch $\mathbf{X}$
# ($n$, $d$) of $n$ examples with $d$ numbers each. A *hidden layer* computes
# $h$ numbers for each example, and an output layer computes $q$ numbers from
# them:
#
# $$\mathbf{H} = \phi(\mathbf{X} \mathbf{W}_{xh} + \mathbf{b}_h), \qquad
# \mathbf{O} = \mathbf{H} \mathbf{W}_{hq} + \mathbf{b}_q. \tag{5}$$
#
# $\phi$ is a nonlinear function, here tanh. Without it, the two layers would
# be equivalent to one. In NumPy:


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
# To predict the next character from the last $k$ characters, we concatenate
# their one-hot vectors (1 at the place of the character, 0 elsewhere;
# notebook 3 explains this encoding). The number of inputs is then $d = k
# |\mathcal{V}|$. The outputs are scores, one for each possible next
# character.
#
# This is better than counting: *travell* and *travelle* have most of their
# inputs in common, so what the network learns for one also improves its
# predictions for the other. But two problems remain. The number of weights
# in $\mathbf{W}_{xh}$ grows with $k$, and the weights for each position in
# the window must be learned separately. Also, characters before the window
# have no influence, however large $k$ is.
#
# ## A network with a hidden state
#
# Instead of the last $k$ tokens, we want to store a summary of all previous
# tokens. Call it $h_{t-1}$. Then
#
# $$P(x_t \mid x_1, \ldots, x_{t-1}) \approx P(x_t \mid h_{t-1}), \qquad
# h_t = f(x_t, h_{t-1}), \tag{6}$$
#
# and we have to choose the function $f$. If $f$ is powerful enough, this is
# not an approximation: $h_t$ could be the list of all tokens. Because the
# size of $h_t$ is limited, the model must select what to store.
#
# In a recurrent network, $f$ is the hidden layer of (5) with the previous
# state as a second input. Its result is the *hidden state* $\mathbf{H}_t$
# ($n$, $h$), which is passed to the next step:
#
# $$\mathbf{H}_t = \phi(\mathbf{X}_t \mathbf{W}_{xh} +
# \mathbf{H}_{t-1} \mathbf{W}_{hh} + \mathbf{b}_h), \qquad
# \mathbf{O}_t = \mathbf{H}_t \mathbf{W}_{hq} + \mathbf{b}_q. \tag{7}$$
#
# Only the term $\mathbf{H}_{t-1} \mathbf{W}_{hh}$ is new. Because of it,
# $\mathbf{H}_t$ depends on $\mathbf{H}_{t-1}$, which depends on
# $\mathbf{H}_{t-2}$, and so on back to the first token. Do not confuse two
# terms: a hidden *layer* lies between inputs and outputs, and a hidden
# *state* is an input of the next time step that is computed from the
# previous inputs.

# %%
present(
    diagrams.rnn_cell(),
    "One step: the old state and the input give the new state.",
)

# %% [markdown]
# Unrolled over time, the same step with the same weights is applied at every
# position. A longer text does not need more parameters, and what the network
# learns about a letter applies at every position.

# %%
present(
    diagrams.unrolled(),
    "Four steps in a row; each passes its hidden state to the next.",
)

# %% [markdown]
# In a loop over time, each equation of (7) is one line:


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
as_rows = by_hand.reshape(-1, vocab_size)  # the package's: (T * n, q)
assert np.allclose(as_rows, rnn.to_numpy(of_package), rtol=0, atol=1e-12)
print("by hand and by the package: the same", by_hand.shape)

# %% [markdown]
# The next cell shows the source code of the package for the chosen backend.
# It consists of a step, a loop and an output layer:

# %%
rnn.show(rnn.rnn, helpers=True)

# %% [markdown]
# Does the hidden state contain information about early inputs? We compare
# two texts that differ only in their first character. Both are processed by
# an MLP with a window of four characters, and by a recurrent network with
# the same number of hidden units. The figure shows how much the outputs for
# the two texts differ at each step. (All weights are random. The recurrent
# weights are scaled to the spectral radius 1, which notebook 5 explains.)

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
words = "no effect from here on"
ax.annotate(words, (window + 1, 1.5e-3), (window + 2, 1.4e-3))
ax.set(yscale="log", ylim=(1e-3, 3), xlabel="time step")
ax.set(ylabel="effect of the first character")
ax.legend()
present(ax, "The effect ends after four steps in the MLP, not in the RNN.")
gone = mlp_distance[window:].max() < 1e-12
print("MLP: no effect after the window:", gone)
print(f"hidden state, at the end: {rnn_distance[-1]:.4f}")

# %% [markdown]
# The curve of the MLP ends with its window. The curve of the recurrent
# network decreases as well: the influence of a token becomes smaller with
# its distance. Notebooks 5 to 7 explain this decrease and how to prevent it.
#
# The next figure compares the number of parameters. In the MLP, this number
# grows with the window. In the recurrent network, it does not depend on the
# number of previous characters.

# %%
reach = np.arange(1, full_or_fast(41, 11))
shapes = [(k * vocab_size, num_hiddens, vocab_size) for k in reach]
of_mlp = [(d + 1) * h + (h + 1) * q for d, h, q in shapes]
of_rnn = sum(array.size for array in arrays)
ax = plot.new_axes(8, 4.8)
ax.plot(reach, np.array(of_mlp) / 1000, label="MLP", **plot.line_style(0))
steady = np.full(len(reach), of_rnn / 1000)
ax.plot(reach, steady, label="recurrent network", **plot.line_style(1))
ax.set(xlabel="characters in the window", ylabel="parameters, thousands")
ax.set(ylim=(0, None))
ax.legend()
present(
    ax, "The size of an MLP grows with its window, that of an RNN does not."
)

# %% [markdown]
# ### Exercise 4
#
# There are 28 tokens and 256 hidden units, and the window of the MLP has 10
# characters. How many parameters does each of the two networks have?

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
    hint="each layer has a matrix (inputs, outputs) and a bias (outputs,)",
)

# %% [markdown]
# ## One product instead of two
#
# A sum of two matrix products equals one product of concatenated matrices:
#
# $$\mathbf{X}_t \mathbf{W}_{xh} + \mathbf{H}_{t-1} \mathbf{W}_{hh} =
# \begin{bmatrix} \mathbf{X}_t & \mathbf{H}_{t-1} \end{bmatrix}
# \begin{bmatrix} \mathbf{W}_{xh} \\ \mathbf{W}_{hh} \end{bmatrix}. \tag{8}$$
#
# Therefore a recurrent step *is* the hidden layer of an MLP whose input is
# $[\mathbf{X}_t, \mathbf{H}_{t-1}]$. The example has the shapes of the book:
# $\mathbf{X}$ (3, 1), $\mathbf{W}_{xh}$ (1, 4), $\mathbf{H}$ (3, 4) and
# $\mathbf{W}_{hh}$ (4, 4).

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
present(
    pen.ax, "[X, H] times the stacked matrices is the sum of two products."
)

# %% [markdown]
# The same identity holds for a whole network over many steps, and for the
# gated cells of later notebooks, in which each gate has one matrix for
# $[\mathbf{H}_{t-1}, \mathbf{X}_t]$. Many tutorials use this form. The
# package contains both forms, and `rnn.concat_params` converts the
# parameters of the separate form to those of the concatenated form.

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
# Implement one step of a recurrent network in the concatenated form in
# NumPy: compute the next $\mathbf{H}$ from $\mathbf{X}$, $\mathbf{H}$,
# $\mathbf{W}$ and $\mathbf{b}_h$. Use tanh for $\phi$. The check runs your
# step over time. `check_cell` compares outputs and last state with those of
# `rnn` for random numbers. If they differ, it names the first difference.


# %%
def joint_step(X, H, W, b_h):
    """Return the state (n, h) after X (n, d), with W (d + h, h)."""
    ### BEGIN SOLUTION
    return np.tanh(np.concatenate([X, H], axis=1) @ W + b_h)
    ### END SOLUTION


# %%
def my_rnn(inputs, state, params):
    """Run your step over time, with the two matrices as one."""
    W_xh, W_hh, b_h, W_hq, b_q = params
    (H,), outputs = state, []
    for X in inputs:
        H = joint_step(X, H, np.concatenate([W_xh, W_hh]), b_h)
        outputs.append(H @ W_hq + b_q)
    return np.concatenate(outputs), (H,)


check(
    lambda: backends.load("numpy").check_cell(
        my_rnn, "rnn", gradients=False
    ),
    True,
    hint="np.concatenate([X, H], axis=1) is (n, d + h), and W is (d + h, h)",
)

# %% [markdown]
# ### Exercise 6
#
# This exercise needs some research. With suitable matrices, and without any
# training, a state can store *which* token was the input $k$ steps ago, for
# a fixed $k$. Let there be three tokens, $\phi(a) = a$ instead of tanh, and
# nine hidden units: the first three for the current token, the next three
# for the previous token, and the last three for the token before that. Find
# matrices $\mathbf{W}_{xh}$ (3, 9) and $\mathbf{W}_{hh}$ (9, 9) for which
# the state is this list.

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
# This exercise shows that a recurrent network can compute the same as an
# n-gram model or an MLP with a window, by shifting its state. Training
# decides whether the hidden units are used in a better way.
#
# ## Limitations
#
# The hidden state makes it possible to store information about the past, but
# it does not guarantee it. With the weights of the figure above, the
# influence of the first character became small after thirty steps, and a
# novel has half a million characters. All information about the past must
# fit into $h$ numbers. And step $t$ cannot begin before step $t - 1$ has
# ended, even with many processors. Notebooks 5 to 8 describe networks that
# reduce some of these problems.

# %% [markdown]
# ## What to take away
#
# - An n-gram model stores contexts separately. Most long contexts of a new
#   text do not occur in the training text, so a larger $n$ does not help
#   beyond a certain size.
# - An MLP with a window shares parameters between similar contexts, but
#   tokens before the window have no influence.
# - A hidden state carries information from earlier tokens, with the same
#   number of parameters for texts of any length.
# - A recurrent step is the hidden layer of an MLP whose input is
#   $[\mathbf{X}_t, \mathbf{H}_{t-1}]$.
#
# **Proven in the repository.** Cells compute their equations, number by
# number: `test_outputs_follow_the_equations` in
# `tests/nets/test_scratch.py`. The identity for random shapes:
# `test_the_product_of_the_concatenation_equals_the_sum_of_the_products` and
# `test_a_recurrent_step_is_an_mlp_of_the_concatenation` in
# `tests/measure/test_agreement.py`. Whole cells, with their gradients:
# `test_the_concatenated_form_equals_the_summed_form` in
# `tests/nets/test_cells.py`.
