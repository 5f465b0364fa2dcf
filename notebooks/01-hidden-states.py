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
#
# # 1. From n-grams and MLPs to hidden states
#
# A language model says how likely a text is. This notebook starts with the simplest one there is,
# counting, sees why it cannot go far, replaces the counts by a network that looks at the last few
# tokens, and then gives that network a memory: the *hidden state*. At the end stands an identity
# that says in one line what a recurrent network is.
#
# It follows sections 9.3 and 9.4 of *Dive into Deep Learning*, with its notation. You need to know
# what a conditional probability and a matrix product are.

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
from d2lrnn.teaching import check, full_or_fast, present, time_machine_at_hand

backends.prepare()  # before any framework is imported: float64 in JAX, less talk from TensorFlow
plot.use_style()

# %% [markdown]
# Everything below runs on any of five backends. Edit this line, and nothing else, to choose one.

# %%
from d2lrnn import torch as rnn  # or tensorflow, jax, mxnet, numpy

# %% [markdown]
# ## Counting
#
# The probability of a text $x_1, \ldots, x_T$ is always a product of conditional probabilities,
#
# $$P(x_1, \ldots, x_T) = \prod_{t=1}^T P(x_t \mid x_1, \ldots, x_{t-1}).$$
#
# No one has seen enough text to count how often each long beginning occurs. The *Markov assumption*
# of order $n - 1$ is that the last $n - 1$ tokens will do:
#
# $$P(x_t \mid x_1, \ldots, x_{t-1}) \approx P(x_t \mid x_{t-n+1}, \ldots, x_{t-1})
# \approx \frac{n(x_{t-n+1}, \ldots, x_t)}{n(x_{t-n+1}, \ldots, x_{t-1})},$$
#
# where $n(\cdot)$ counts how often a sequence occurs. Such a model is called an *n-gram*: unigrams
# ($n = 1$) know how frequent each token is, bigrams ($n = 2$) what follows what, and so on.
#
# Tokens are characters here. The text is The Time Machine where it is at hand, and otherwise the
# story that comes with the package.

# %%
lines = rnn.read_time_machine() if time_machine_at_hand() else rnn.read_builtin()
tokens = "".join(lines)[: full_or_fast(100_000, 10_000)]
vocab_size = len(set(tokens))
part = len(tokens) * 9 // 10
seen, unseen = tokens[:part], tokens[part:]  # to count in, and to try the counts on
print(f"{len(tokens):,} characters, {vocab_size} different ones")


def ngrams(text, n):
    """Return how often each sequence of n characters occurs."""
    return Counter(text[i : i + n] for i in range(len(text) - n + 1))


for n in (1, 2, 3):
    print(n, [(gram, count) for gram, count in ngrams(seen, n).most_common(5)])

# %% [markdown]
# How far can $n$ go? There are $|\mathcal{V}|^n$ possible n-grams, of which a text of 100,000
# characters can hold at most 100,000. So the longer the n-grams, the more of those in a *new* text
# were never counted, and the fraction above says that they are impossible.


# %%
def share_never_seen(n):
    """Return which share of the n-grams of the new text the counts know nothing of."""
    known, new = ngrams(seen, n), ngrams(unseen, n)
    return sum(count for gram, count in new.items() if gram not in known) / new.total()


orders = range(1, full_or_fast(11, 7))
shares = [share_never_seen(n) for n in orders]
ax = plot.new_axes(8, 4.8)
ax.bar(orders, [100 * share for share in shares], color=plot.COLOURS[0])
ax.set(xlabel="n, characters", ylabel="n-grams never seen before, %", xticks=orders, ylim=(0, 100))
present(ax, "The share of n-grams of a new text that were never counted rises from 0 to most.")

# %% [markdown]
# Giving every unseen n-gram a little probability helps. *Laplace smoothing* asks the shorter model
# for as many imagined observations as $\epsilon$ says:
#
# $$\hat{P}(x' \mid x) = \frac{n(x, x') + \epsilon\,\hat{P}(x')}{n(x) + \epsilon},$$
#
# and so on down to $\hat{P}(x') = 1/|\mathcal{V}|$ for no context at all. How good a model is, is
# measured by *perplexity*, the exponential of the mean surprise over the tokens of a new text,
#
# $$\exp\left(-\frac{1}{T} \sum_{t=1}^T \log P(x_t \mid x_1, \ldots, x_{t-1})\right):$$
#
# 1 for a model that is always right and always sure, $|\mathcal{V}|$ for a guess at random.


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
ax.set(xlabel="n, characters", ylabel="perplexity of new text", xticks=orders, title=title)
present(ax, "Perplexity falls as n grows, reaches its lowest point and then gets no better.")

# %% [markdown]
# Counting gets better until the counts run dry, and then no better: the model stores each context
# by itself, and learns nothing for *time travell* from having seen *time travelle* very often. A
# network that computes with its inputs can share what it learns.
#
# ### Exercise 1
#
# What does the bigram model, without smoothing, say is the probability of `e` after `h`? Count in
# `seen`.

# %%
### BEGIN SOLUTION
probability = ngrams(seen, 2)["he"] / ngrams(seen[:-1], 1)["h"]
### END SOLUTION

# %%
check(
    probability,
    seen.count("he") / seen[:-1].count("h"),
    hint="divide how often 'he' occurs by how often 'h' has anything after it",
)

# %% [markdown]
# ## A network without hidden states
#
# A multilayer perceptron takes a minibatch $\mathbf{X} \in \mathbb{R}^{n \times d}$ and computes
#
# $$\mathbf{H} = \phi(\mathbf{X} \mathbf{W}_{xh} + \mathbf{b}_h), \qquad
# \mathbf{O} = \mathbf{H} \mathbf{W}_{hq} + \mathbf{b}_q.$$
#
# This is the function that the package has, in the backend chosen above:

# %%
rnn.show(rnn.mlp)

# %% [markdown]
# To predict the next character from the last $k$, put their one-hot vectors side by side: $d = k
# |\mathcal{V}|$. Two things are wrong with that. The weights $\mathbf{W}_{xh}$ grow with $k$, and
# however large $k$ is, what came earlier does not exist.
#
# ## A network with a hidden state
#
# A recurrent network reads one token at a time and keeps what it makes of it, the hidden state
# $\mathbf{H}_t$, for the next step:
#
# $$\mathbf{H}_t = \phi(\mathbf{X}_t \mathbf{W}_{xh} + \mathbf{H}_{t-1} \mathbf{W}_{hh} +
# \mathbf{b}_h), \qquad \mathbf{O}_t = \mathbf{H}_t \mathbf{W}_{hq} + \mathbf{b}_q.$$
#
# Only $\mathbf{H}_{t-1} \mathbf{W}_{hh}$ is new. Through it $\mathbf{H}_t$ depends on
# $\mathbf{H}_{t-1}$, which depends on $\mathbf{H}_{t-2}$, and so on back to the first token.

# %%
present(diagrams.rnn_cell(), "One step: the state before and the input make the state after.")

# %% [markdown]
# Drawn over time, the same step with the same weights stands at every position. A longer text needs
# no further parameters.

# %%
present(diagrams.unrolled(), "Four steps in a row, each handing its hidden state to the next.")

# %%
rnn.show(rnn.rnn, helpers=True)

# %% [markdown]
# Let us see that memory. Two texts differ in their first character and in nothing else. Both are
# read by an MLP that sees the last four characters, and by a recurrent network of as many hidden
# units; how far apart are the outputs at each step? (All weights are random. The recurrent ones are
# scaled so that their spectral radius is 1; the notebook on backpropagation says why.)

# %%
num_hiddens, window, num_steps = 64, 4, 30
ids = np.random.default_rng(0).integers(vocab_size, size=(2, num_steps))
ids[1] = ids[0]
ids[1, 0] = (ids[0, 0] + 1) % vocab_size  # the only difference
one_hot = np.eye(vocab_size)[ids]  # (2, T, V)
padded = np.concatenate([np.zeros((2, window - 1, vocab_size)), one_hot], axis=1)

params = rnn.get_mlp_params(window * vocab_size, num_hiddens, vocab_size, seed=0, dtype="float64")
windows = [padded[:, t : t + window].reshape(2, -1) for t in range(num_steps)]
mlp_outputs = [rnn.to_numpy(rnn.mlp(rnn.from_numpy(X), params)) for X in windows]

functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn
net = rnn.RNNModelScratch(vocab_size, num_hiddens, *functions, seed=0, dtype="float64")
rnn.scale_recurrent(net, 1.0)
outputs, _ = net.evaluate(ids, net.begin_state(2))
rnn_outputs = outputs.reshape(num_steps, 2, vocab_size)


def distance(outputs):
    """Return how far apart the outputs for the two texts are, relative to the first step."""
    gaps = [np.linalg.norm(one - other) for one, other in outputs]
    return np.array(gaps) / gaps[0]


mlp_distance, rnn_distance = distance(mlp_outputs), distance(rnn_outputs)
ax = plot.new_axes(8, 4.8)
steps = np.arange(1, num_steps + 1)
ax.plot(steps, rnn_distance, label="hidden state", **plot.line_style(0))
label = f"MLP of {window} characters"
ax.plot(steps[:window], mlp_distance[:window], label=label, **plot.line_style(1))
ax.plot(window + 1, 1.5e-3, "v", color=plot.COLOURS[1])
ax.annotate("nothing from here on", (window + 1, 1.5e-3), (window + 2, 1.4e-3))
ax.set(yscale="log", ylim=(1e-3, 3), xlabel="time step", ylabel="effect of the first character")
ax.legend()
present(ax, "The MLP has forgotten the first character after four steps, the hidden state has not.")
print("MLP, after the window: nothing but rounding:", mlp_distance[window:].max() < 1e-12)
print(f"hidden state, at the end: {rnn_distance[-1]:.4f}")

# %% [markdown]
# ### Exercise 2
#
# How many parameters do both networks have with 28 tokens and 256 hidden units, the MLP reading 10
# characters at a time?

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
        for params in (rnn.get_mlp_params(10 * 28, 256, 28), rnn.get_params(28, 256))
    ],
    hint="each product has a matrix (inputs, outputs); both hidden and output layer have a bias",
)

# %% [markdown]
# ## One product instead of two
#
# The sum of two products is one product of the two put together:
#
# $$\mathbf{X}_t \mathbf{W}_{xh} + \mathbf{H}_{t-1} \mathbf{W}_{hh} =
# \begin{bmatrix} \mathbf{X}_t & \mathbf{H}_{t-1} \end{bmatrix}
# \begin{bmatrix} \mathbf{W}_{xh} \\ \mathbf{W}_{hh} \end{bmatrix}.$$
#
# So a recurrent step *is* the MLP's hidden layer, reading its own last result beside the input.
# With the shapes of the book: $\mathbf{X}$ (3, 1), $\mathbf{W}_{xh}$ (1, 4), $\mathbf{H}$ (3, 4)
# and $\mathbf{W}_{hh}$ (4, 4).

# %%
rng = np.random.default_rng(1)
shapes = {"X": (3, 1), "W_xh": (1, 4), "H": (3, 4), "W_hh": (4, 4)}
X, W_xh, H, W_hh = (rng.normal(size=shape) for shape in shapes.values())
XH = np.concatenate([X, H], axis=1)  # (3, 5)
W = np.concatenate([W_xh, W_hh])  # (5, 4)

X_, W_xh_, H_, W_hh_, XH_, W_ = map(rnn.from_numpy, (X, W_xh, H, W_hh, XH, W))
two_products = rnn.to_numpy(X_ @ W_xh_ + H_ @ W_hh_)
one_product = rnn.to_numpy(XH_ @ W_)
print(two_products.round(4))
print(one_product.round(4))
print("equal within rounding:", np.allclose(two_products, one_product, rtol=0, atol=1e-14))

# %% [markdown]
# The same holds for a whole network over many steps, and for the gated cells of later notebooks:
# each gate has one matrix for $[\mathbf{H}_{t-1}, \mathbf{X}_t]$. Many tutorials write them so. The
# package has both forms, and a function that turns the parameters of one into the other's:

# %%
rnn.show(rnn.concat_rnn)

# %%
cells = {
    "rnn": (rnn.get_params, rnn.init_rnn_state, rnn.rnn, rnn.concat_rnn),
    "gru": (rnn.get_gru_params, rnn.init_gru_state, rnn.gru, rnn.concat_gru),
    "lstm": (rnn.get_lstm_params, rnn.init_lstm_state, rnn.lstm, rnn.concat_lstm),
}
inputs = rnn.from_numpy(rng.normal(size=(7, 3, 5)))  # (T, n, d)
for name, (get_params, init_state, summed, concatenated) in cells.items():
    params = get_params(5, 4, seed=0, dtype="float64")
    state = init_state(3, 4, dtype="float64")
    outputs, last = summed(inputs, state, params)
    joint = rnn.concat_params(params, order="HX")
    same, also = concatenated(inputs, state, joint, order="HX")
    gap = np.abs(rnn.to_numpy(outputs) - rnn.to_numpy(same)).max()
    print(f"{name:4}: {len(params)} arrays or {len(joint)}; equal within rounding: {gap < 1e-15}")

# %% [markdown]
# ### Exercise 3
#
# Write one step of a recurrent network in the concatenated form, in NumPy: from $\mathbf{X}$,
# $\mathbf{H}$, $\mathbf{W}$ and $\mathbf{b}_h$ to the next $\mathbf{H}$. $\phi$ is tanh.


# %%
def joint_step(X, H, W, b_h):
    """Return the hidden state (n, h) after X (n, d), with W (d + h, h) for [X, H]."""
    ### BEGIN SOLUTION
    return np.tanh(np.concatenate([X, H], axis=1) @ W + b_h)
    ### END SOLUTION


# %%
b_h, W_hq, b_q = np.array([0.1, -0.2, 0.3, 0.0]), np.ones((4, 1)), np.zeros(1)
five = [rnn.from_numpy(array) for array in (W_xh, W_hh, b_h, W_hq, b_q)]
check(
    lambda: joint_step(X, H, W, b_h),
    lambda: rnn.to_numpy(rnn.rnn(rnn.from_numpy(X[None]), (H_,), five)[1][0]),
    hint="np.concatenate([X, H], axis=1) has d + h columns, as many as W has rows",
)

# %% [markdown]
# ## What to take away
#
# - An n-gram model stores contexts; longer ones are mostly new, so it stops getting better.
# - An MLP over a window shares what it learns, and is blind beyond the window.
# - A hidden state carries on what has been read, with as many parameters for a long text as for a
#   short one.
# - A recurrent step is the hidden layer of an MLP that reads $[\mathbf{X}_t, \mathbf{H}_{t-1}]$.
#
# **Proven in the repository.** That cells compute their equations, number by number:
# `test_outputs_follow_the_equations` in `tests/nets/test_scratch.py`. The identity for random
# shapes: `test_the_product_of_the_concatenation_is_the_sum_of_the_products` and
# `test_a_recurrent_step_is_an_mlp_of_the_concatenation` in `tests/measure/test_agreement.py`.
# Whole cells, with their gradients: `test_the_concatenated_form_is_the_summed_form` in
# `tests/nets/test_cells.py`.
