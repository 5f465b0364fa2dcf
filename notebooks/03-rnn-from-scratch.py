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
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/d2lrnn/d2lrnn/blob/main/notebooks/03-rnn-from-scratch.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/d2lrnn/d2lrnn/blob/main/notebooks/03-rnn-from-scratch.ipynb)
#
# # 3. The recurrent network from scratch
#
# Here a network learns to write, character by character, and nothing of it
# is hidden: how characters become vectors, which parameters there are, what
# is computed with them, how a mistake is measured, why gradients are
# clipped, how the parameters are trained, and how text is drawn from the
# network afterwards. Each part is written twice: first by us, as a loop of
# some ten lines of NumPy that you see whole, and then as the package's
# function. The two are compared number by number, so that from there on the
# package can be used without having to be believed.
#
# It follows section 9.5 of *Dive into Deep Learning*, with its notation.
# Notebook 1 says what a hidden state is, notebook 2 how a text becomes
# minibatches.

# %%
import importlib.util

if importlib.util.find_spec("d2lrnn") is None:
    # %pip install -q "d2lrnn[torch] @ git+https://github.com/d2lrnn/d2lrnn"
    importlib.invalidate_caches()

# %%
import functools

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
# The text is The Time Machine where it is at hand, and otherwise the story
# that comes with the package. Of either, 10,000 characters are learned, in
# minibatches of 32 rows of 35 characters. $\mathbf{X}$ is what the network
# reads, $\mathbf{Y}$ what it should have said: the same text, one character
# later.

# %%
at_hand = time_machine_at_hand()
load_data = rnn.load_data_time_machine if at_hand else rnn.load_data_builtin
batch_size, num_steps = 32, 35
train_iter, vocab = load_data(batch_size, num_steps, seed=0)
vocab_size = len(vocab)
X, Y = next(iter(train_iter))
print(f"{len(train_iter)} minibatches of X and Y {tuple(X.shape)}")
print(f"{vocab_size} different tokens, the unknown one among them")
for name, row in (("X", rnn.to_numpy(X)[0]), ("Y", rnn.to_numpy(Y)[0])):
    print(f"{name}, first row:", vocab.join(vocab.to_tokens(row)))

# %% [markdown]
# ## One-hot vectors
#
# The id of a token is a name, not a quantity: token 7 is not more than token
# 3, nor is it close to token 8. A network that got the id as a number would
# have to take it for a quantity, because all that it does with numbers is to
# multiply and to add. So each id $i$ becomes a vector of length
# $|\mathcal{V}|$, the size of the vocabulary, that is 1 at place $i$ and 0
# elsewhere. Any two of these vectors are equally far apart, and nothing is
# said about which tokens are alike. That is for the network to find out.
#
# A minibatch (batch_size, num_steps) is turned round on the way, time first,
# so that a loop over the first axis walks through time. Three axes come of
# it: (num_steps, batch_size, $|\mathcal{V}|$). In NumPy it is one line,
# since row $i$ of the identity matrix is the vector of token $i$.

# %%
ids = rnn.to_numpy(X)
inputs = np.eye(vocab_size)[ids.T]  # (num_steps, batch_size, vocab_size)
assert (inputs == rnn.to_numpy(rnn.one_hot(ids.T, vocab_size))).all()
print("one-hot vectors", inputs.shape, "as the package makes them")

# %%
word = "time traveller"
rows = np.eye(vocab_size)[vocab[list(word)]]
letters = list(word.replace(" ", "\u2423"))
ax = plot.new_axes(8, 4.8)
ax.imshow(rows, cmap="gray_r", aspect="auto")
ax.set(xlabel="token id", yticks=range(len(word)), yticklabels=letters)
ax.grid(False)
present(ax, "Fourteen rows, one a character, with one black square each.")

# %% [markdown]
# Read it from top to bottom, as time goes. The same letter has its square in
# the same column, wherever it stands.
#
# ### Exercise 1
#
# A one-hot vector times a matrix is a row of that matrix, so no product need
# be computed: looking the row up is enough. Frameworks call such a matrix an
# *embedding*. Write it: from token ids (n,) and $\mathbf{W}_{xh}$ to what
# $\mathbf{X}_t \mathbf{W}_{xh}$ is for their one-hot vectors.


# %%
def take_in(ids, W_xh):
    """Return the product of the one-hot vectors of ids (n,) with W_xh."""
    ### BEGIN SOLUTION
    return W_xh[ids]
    ### END SOLUTION


# %%
table = np.random.default_rng(0).normal(size=(vocab_size, 4))
check(
    lambda: take_in(ids[:, 0], table),
    lambda: inputs[0] @ table,
    hint="index the matrix with the ids: one row for each of them",
)

# %% [markdown]
# ## Parameters
#
# Five arrays are all that the network has, and all that it will ever learn
# is kept in them. With $h$ hidden units,
#
# | array | shape | what it does |
# | --- | --- | --- |
# | $\mathbf{W}_{xh}$ | ($\lvert\mathcal{V}\rvert$, $h$) | takes a token in |
# | $\mathbf{W}_{hh}$ | ($h$, $h$) | carries the state to the next step |
# | $\mathbf{b}_h$ | ($h$,) | is added to every state |
# | $\mathbf{W}_{hq}$ | ($h$, $\lvert\mathcal{V}\rvert$) | scores the next |
# | $\mathbf{b}_q$ | ($\lvert\mathcal{V}\rvert$,) | is added to every score |
#
# Inputs and outputs come from the same vocabulary, so both have
# $|\mathcal{V}|$ places. The number of hidden units is ours to choose. No
# shape depends on the length of the text.
#
# How should they start? If all weights were equal, all hidden units would
# compute the same and get the same gradients, and they would stay alike for
# ever. So weights are drawn at random. They are small, with a standard
# deviation of 0.01: then tanh starts where it is steep, and no token is
# preferred to another. Biases can start at 0, as the weights already tell
# the units apart.


# %%
def first_params(vocab_size, num_hiddens, rng):
    """Return [W_xh, W_hh, b_h, W_hq, b_q], weights small and random."""
    W_xh = rng.normal(scale=0.01, size=(vocab_size, num_hiddens))
    W_hh = rng.normal(scale=0.01, size=(num_hiddens, num_hiddens))
    W_hq = rng.normal(scale=0.01, size=(num_hiddens, vocab_size))
    return [W_xh, W_hh, np.zeros(num_hiddens), W_hq, np.zeros(vocab_size)]


# %% [markdown]
# The package draws its own numbers, in the same shapes and with the same
# spread. One seed gives the same numbers in all five backends.

# %%
num_hiddens = full_or_fast(256, 64)
names = ["W_xh", "W_hh", "b_h", "W_hq", "b_q"]
ours = first_params(vocab_size, num_hiddens, np.random.default_rng(0))
theirs = rnn.get_params(vocab_size, num_hiddens, seed=0)
for name, one, other in zip(names, ours, map(rnn.to_numpy, theirs)):
    assert one.shape == other.shape
    print(f"{name:4} {one.shape!s:10} std {one.std():.3f} {other.std():.3f}")

# %% [markdown]
# ### Exercise 2
#
# How many numbers does the network learn, with 28 tokens and 512 hidden
# units? Write an expression.

# %%
### BEGIN SOLUTION
num_parameters = 28 * 512 + 512 * 512 + 512 + 512 * 28 + 28
### END SOLUTION

# %%
check(
    num_parameters,
    lambda: sum(rnn.to_numpy(p).size for p in rnn.get_params(28, 512)),
    hint="add up the sizes of the five arrays in the table",
)

# %% [markdown]
# ## The model
#
# At each time step the network makes a new state of the token that it reads
# and of the state before, and scores all tokens by how well they would
# follow:
#
# $$\mathbf{H}_t = \tanh(\mathbf{X}_t \mathbf{W}_{xh} +
# \mathbf{H}_{t-1} \mathbf{W}_{hh} + \mathbf{b}_h), \tag{1}$$
#
# $$\mathbf{O}_t = \mathbf{H}_t \mathbf{W}_{hq} + \mathbf{b}_q. \tag{2}$$
#
# $\mathbf{X}_t$ (batch_size, $|\mathcal{V}|$) holds one token of each row of
# the minibatch. The rows have nothing to do with one another; they are
# computed together because one large product is faster than many small ones.
# tanh keeps every element of the state between -1 and 1, however many steps
# there are. Before the first step there is nothing to remember, and
# $\mathbf{H}_0 = \mathbf{0}$.

# %%
present(
    diagrams.unrolled(),
    "Four steps in a row, each handing its state to the next.",
)

# %% [markdown]
# The two equations are the two lines inside of this loop:


# %%
def rnn_by_hand(inputs, H, params):
    """Return the scores of all steps (T * n, V), and the last state."""
    W_xh, W_hh, b_h, W_hq, b_q = params
    outputs = []
    for X_t in inputs:  # one time step: (n, V)
        H = np.tanh(X_t @ W_xh + H @ W_hh + b_h)  # equation (1)
        outputs.append(H @ W_hq + b_q)  # equation (2)
    return np.concatenate(outputs), H


# %% [markdown]
# The scores of all steps are put under one another, all rows of the first
# step first. So the outputs have num_steps × batch_size rows, one for each
# prediction that is made, while the state stays (batch_size, $h$).
#
# Is it what the package computes, on the backend chosen above? To have
# something to compare, the weights are made larger than they start:

# %%
params = [5 * array for array in ours]
outputs, H = rnn_by_hand(inputs, np.zeros((batch_size, num_hiddens)), params)
found, (state,) = rnn.rnn(
    rnn.from_numpy(inputs),
    rnn.init_rnn_state(batch_size, num_hiddens, dtype="float64"),
    [rnn.from_numpy(array) for array in params],
)
assert np.allclose(outputs, rnn.to_numpy(found), rtol=0, atol=1e-9)
assert np.allclose(H, rnn.to_numpy(state), rtol=0, atol=1e-9)
print("outputs", outputs.shape, "and state", H.shape, "are the package's")

# %% [markdown]
# This is the package's own source, in the chosen backend. `unroll` is the
# loop, `rnn_step` equation (1), `output_layer` equation (2) for all steps at
# once:

# %%
rnn.show(rnn.rnn, helpers=True)

# %% [markdown]
# What does such a network do with a text before it has learned anything? A
# picture of its state shows that it can remember. Two texts that differ in
# their first letter alone are read side by side. Each line is one hidden
# unit, less what it is for the other text. The recurrent weights are made
# larger than they start: once so that a state neither grows nor shrinks much
# from step to step, and once half as large.

# %%
pair = np.array([vocab[list("he was here")], vocab[list("we was here")]])
read = np.eye(vocab_size)[pair.T]  # (11, 2, vocab_size)
axes = plot.new_axes(12, 4.8, columns=2)
for ax, size in zip(axes, (1.0, 0.5)):
    W_hh = size * 100 / np.sqrt(num_hiddens) * ours[1]
    larger = [30 * ours[0], W_hh, *ours[2:]]
    H, gaps = np.zeros((2, num_hiddens)), []
    for X_t in read:
        _, H = rnn_by_hand([X_t], H, larger)
        gaps.append(H[0] - H[1])
    ax.plot(np.array(gaps)[:, :8], "o-")
    ax.set(xlabel="text read", title=f"weights times {size:g}")
    ax.set_xticks(range(11), ["h/w", *"e\u2423was\u2423here"])
axes[0].set(ylabel="state, less the other's")
axes[1].set(ylim=axes[0].get_ylim())
present(
    axes, "The trace of the first letter lasts, or is gone in a few steps."
)

# %% [markdown]
# From one step to the next the difference is turned about by
# $\mathbf{W}_{hh}$ and goes from unit to unit. With the larger weights it is
# there at the end of the text, with the smaller ones it dies out on the way.
# With weights as small as at the beginning of training it is gone after one
# step. So to remember is the first thing that has to be learned.
#
# `RNNModelScratch` puts three functions together: one for the parameters,
# one for the first state, one for the forward pass. It one-hot encodes ids,
# and keeps the parameters. The last of the three functions makes the model;
# in later notebooks others stand in its place.

# %%
functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn
net = rnn.RNNModelScratch(vocab_size, num_hiddens, *functions, seed=0)
state = net.begin_state(batch_size)
outputs, new_state = net(X, state)
print("outputs", tuple(outputs.shape), "- state", tuple(new_state[0].shape))
print(rnn.predict_ch8("time traveller", 20, net, vocab))

# %% [markdown]
# ## How bad is it?
#
# Untrained, it stutters. To say how bad that is, scores are made into
# probabilities first. The *softmax* takes exponentials, so that all are
# positive, and divides by their sum, so that they add up to 1:
#
# $$P(x_{t+1} = i \mid x_1, \ldots, x_t) = \frac{\exp(o_i)}
# {\sum_j \exp(o_j)}. \tag{3}$$
#
# Then one looks at the probability of the token that did come. If the
# network had given it 1, it could not have been surprised; the smaller it
# was, the greater the surprise, $-\log P$. The mean surprise over all $n$
# predictions is the *cross-entropy*, in nats, and it is the loss:
#
# $$L = -\frac{1}{n} \sum_{t=1}^n \log P(x_{t+1} \mid x_1, \ldots, x_t).
# \tag{4}$$


# %%
def cross_entropy(outputs, targets):
    """Return the mean loss of scores (m, V), where ids (m,) came."""
    scores = outputs - outputs.max(axis=1, keepdims=True)  # no overflow
    P = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return -np.log(P[np.arange(len(targets)), targets]).mean()


# %%
outputs, _ = net.evaluate(X, state)  # as a call, but NumPy arrays
targets = rnn.to_numpy(Y).T.reshape(-1)  # the first time step first
loss, grads = net.gradients(X, Y, state)
assert np.isclose(cross_entropy(outputs.astype(float), targets), loss)
print(f"loss by hand and by the package: {loss:.3f} nats")

# %% [markdown]
# The targets are turned round as the inputs were, since outputs come time
# first. Forgetting it is a common mistake, and nothing complains, because
# the shapes fit: the network is then asked to predict other rows' texts.
#
# A number in nats says little. Its exponential does, the *perplexity*:
#
# $$\exp(L) = \exp\left(-\frac{1}{n} \sum_{t=1}^n
# \log P(x_{t+1} \mid x_1, \ldots, x_t)\right). \tag{5}$$
#
# It is the number of tokens that the network might as well be choosing
# between at random. It is 1 for a network that knows what comes, and
# infinite for one that once held impossible what came.

# %%
P = np.linspace(0.01, 1, 200)
ax, right = plot.new_axes(12, 4.8, columns=2)
ax.plot(P, -np.log(P), **plot.line_style(0))
ax.set(xlabel="probability of what came", ylabel="surprise, nats")
sure = np.linspace(1e-6, 0.999, 400)  # of nine tokens out of ten
for number, other in enumerate((0.5, 0.1, 0.01)):
    mean = -0.9 * np.log(sure) - 0.1 * np.log(other)
    label = f"the tenth gets {other}"
    right.plot(sure, np.exp(mean), label=label, **plot.line_style(number))
right.set(xlabel="probability of nine in ten", ylabel="perplexity")
right.set(ylim=(1, 6))
right.legend()
present([ax, right], "Surprise rises without end as a probability nears 0.")

# %% [markdown]
# On the left, being sure and wrong costs far more than being unsure. On the
# right, nine tokens in ten get one probability and the tenth another: a
# network that is right nine times out of ten can still be punished for the
# tenth. So the loss teaches it to say how sure it is.
#
# ### Exercise 3
#
# The untrained network gives almost the same score to every token. Which
# perplexity do you expect? Say it as an expression, before you look.

# %%
### BEGIN SOLUTION
expected_perplexity = vocab_size
### END SOLUTION

# %%
check(
    expected_perplexity,
    lambda: np.exp(loss),
    hint="who knows nothing chooses between all the tokens that there are",
    tolerance=0.01,
)

# %% [markdown]
# ## Clipping gradients
#
# `net.gradients` has returned, beside the loss, its gradient for each of the
# five arrays. (Notebook 5 computes them by hand.) Training moves the
# parameters against them, by a *learning rate* $\eta$: with all parameters
# as one long vector $\mathbf{x}$ and all gradients as one long vector
# $\mathbf{g}$,
#
# $$\mathbf{x} \leftarrow \mathbf{x} - \eta\, \mathbf{g}. \tag{6}$$
#
# A gradient describes the loss where one stands, as a slope describes a
# hill. A small step can rely on it, a large one cannot. If the loss changes
# by at most $\ell$ times the distance, then such a step changes it by at
# most $\ell\, \eta\, \|\mathbf{g}\|$, and may change it by that much for the
# worse.
#
# In a recurrent network $\|\mathbf{g}\|$ can be huge. Going back through 35
# steps multiplies by $\mathbf{W}_{hh}$ 35 times; if that enlarges by a half
# each time, the product is over a million. One such step undoes what
# thousands have learned. A smaller learning rate for all steps would be the
# price of a few bad ones. *Clipping* looks at the length of $\mathbf{g}$
# instead, and where it is longer than $\theta$, shortens it:
#
# $$\mathbf{g} \leftarrow \min\left(1, \frac{\theta}{\|\mathbf{g}\|}\right)
# \mathbf{g}. \tag{7}$$
#
# The direction stays the same, and a step is never longer than $\eta\,
# \theta$. This is no deep theory. It cures exploding gradients, and does
# nothing for those that vanish.

# %%
theta = 1.0
ax = plot.new_axes(6.4, 5.6)
edge = np.linspace(0, 2 * np.pi, 100)
ax.plot(theta * np.cos(edge), theta * np.sin(edge), color="black")
for number, length in enumerate((0.6, 2.4, 1.4, 0.8, 2.9, 1.8)):
    angle = 0.4 + 2 * np.pi * number / 6
    g = length * np.array([np.cos(angle), np.sin(angle)])
    clipped = min(1, theta / float(np.linalg.norm(g))) * g
    faint = {"color": plot.COLOURS[number], "alpha": 0.35, "linewidth": 2}
    ax.plot([0, g[0]], [0, g[1]], "--", **faint)
    arrow = {"arrowstyle": "-|>", "color": plot.COLOURS[number], "lw": 3}
    ax.annotate("", clipped, (0, 0), arrowprops=arrow | {"shrinkB": 0})
ax.set(aspect="equal", xlabel="$g_1$", ylabel="$g_2$")
present(ax, "Arrows longer than the circle's radius are cut at the circle.")

# %% [markdown]
# ### Exercise 4
#
# Write it in NumPy: from a list of arrays and $\theta$ to the list of
# clipped arrays. There is one length, that of all arrays together.


# %%
def clip(grads, theta):
    """Return grads, their joint Euclidean norm being theta at most."""
    ### BEGIN SOLUTION
    norm = np.sqrt(sum((grad**2).sum() for grad in grads))
    return [grad * min(1, theta / norm) for grad in grads]
    ### END SOLUTION


# %%
long = [np.array([3.0]), np.array([[4.0, 12.0]])]
short = [np.array([0.3]), np.array([[0.4, 0.0]])]


def in_one(grads):
    """Return arrays as one vector."""
    return np.concatenate([np.ravel(grad) for grad in grads])


check(
    lambda: in_one([*clip(long, 1.0), *clip(short, 1.0)]),
    [3 / 13, 4 / 13, 12 / 13, 0.3, 0.4, 0.0],
    hint="one norm for all; what is shorter than theta stays as it is",
)

# %% [markdown]
# The package's returns the norm before clipping as well:

# %%
clipped, norm = rnn.grad_clipping([rnn.from_numpy(g) for g in long], 1.0)
assert np.allclose(in_one(map(rnn.to_numpy, clipped)), in_one(long) / 13)
print(f"norm before: {rnn.to_numpy(norm).item():.0f}")

# %% [markdown]
# ## Training
#
# An *epoch* is one pass over the minibatches, with a step for each: forward,
# loss, gradients, clipping, and the move of equation (6). Two questions are
# particular to recurrent networks, and both are about the edge of a
# minibatch.
#
# *Which state does a minibatch begin with?* Notebook 2 has the two ways to
# cut a text. With *sequential* minibatches each row goes on where it ended,
# so the state at the end of one is the right beginning for the next; only
# the first of an epoch begins with zeros. With *random* ones there is no
# before, and each begins with zeros.
#
# *How far back do gradients go?* A state that was carried on depends on all
# that was read in this epoch. Going back through all of it would take more
# time and memory with each minibatch. So the state's value is carried on and
# its history is not: for the gradient, the first state of a minibatch is a
# constant. That is *truncated* backpropagation through time.

# %%
pen = sketch.Pen(None, 13.6, 4.4)
for part in range(3):
    left = 0.3 + 4.4 * part
    pen.frame(left, 0.5, 4.0, 3.1, f"minibatch {part + 1}")
    for place in range(3):
        x = left + 0.7 + 1.3 * place
        pen.box(x, 1.9, "$H$", colour="#F7D9C4", width=0.8, height=0.8)
        if place or part:
            gap = 1.3 if place else 1.7
            pen.path((x - gap + 0.4, 1.9), (x - 0.4, 1.9))
    style = {"arrowstyle": "-|>", "color": plot.COLOURS[1], "lw": 2.5}
    style |= {"connectionstyle": "arc3,rad=-0.25", "mutation_scale": 20}
    ends = (left + 0.5, 1.35), (left + 3.5, 1.35)
    pen.ax.annotate("", *ends, arrowprops=style)
present(pen.ax, "States go on over all minibatches; gradients stay in one.")


# %% [markdown]
# This is the whole of training. It is written for a net of the package,
# because that can be asked for its gradients; all else is NumPy.


# %%
def norm_of(grads):
    """Return the joint Euclidean norm of arrays."""
    return np.sqrt(sum((g.astype(float) ** 2).sum() for g in grads))


def train_epoch(net, train_iter, lr, theta, use_random_iter=False):
    """Train for one epoch, and return the perplexity."""
    state, losses = None, []
    for X, Y in train_iter:
        if state is None or use_random_iter:
            state = net.begin_state(len(X))
        loss, grads = net.gradients(X, Y, state)  # back to the edge only
        _, state = net.evaluate(X, state)  # the value goes on
        scale = lr * min(1, theta / norm_of(grads))  # equation (7)
        moved = [p - scale * g for p, g in zip(net.arrays(), grads)]
        net.load_arrays(moved)  # equation (6)
        losses.append(loss)
    return np.exp(np.mean(losses))  # equation (5)


# %% [markdown]
# The framework computes the gradients in the same pass as the loss. This is
# one step of training with the framework's own operations:

# %%
rnn.show(rnn.sgd_step)

# %% [markdown]
# The package has the loop in two parts. `make_step(net, lr, theta)` returns
# a function that computes the same numbers as `sgd_step`, faster;
# `train_epoch_ch8` is the loop around it. From the same parameters, on the
# same minibatches, and with a bound that is small enough to clip, all three
# must reach the same perplexity and the same parameters:

# %%
results = {}
for label in ("by hand", "sgd_step", "make_step"):
    net = rnn.RNNModelScratch(
        vocab_size, 32, *functions, seed=0, dtype="float64"
    )
    train_iter, _ = load_data(batch_size, num_steps, seed=0)
    step = rnn.make_step(net, 1.0, 0.1)
    if label == "sgd_step":
        step = functools.partial(rnn.sgd_step, net, lr=1.0, theta=0.1)
    for _ in range(2):
        if label == "by hand":
            perplexity = train_epoch(net, train_iter, 1.0, 0.1)
        else:
            perplexity, _ = rnn.train_epoch_ch8(net, train_iter, step)
    results[label] = perplexity, *net.arrays()
for one, two, three in zip(*results.values()):
    assert np.allclose(one, two, rtol=1e-9, atol=1e-12)
    assert np.allclose(one, three, rtol=1e-9, atol=1e-12)
print(f"all: perplexity {perplexity:.6f}, and the same parameters")

# %% [markdown]
# So from here on the package's. `rnn.train_ch8(net, train_iter, vocab, lr,
# num_epochs)` would do the rest in one call, with a progress bar; here the
# loop over epochs is written out, to look at the gradients on the way. Two
# networks start from the same parameters. One reads sequential minibatches
# and keeps its state; the other reads random ones. Beside the perplexity,
# the loop keeps how long the gradients of one and the same minibatch are,
# before clipping. (`rnn_fused` computes what `rnn` does, faster; notebook 12
# takes it apart.)

# %%
lr, num_epochs = 1.0, full_or_fast(400, 5)
every = full_or_fast(4, 1)  # epochs from one look at gradients to the next
fused = rnn.get_params, rnn.init_rnn_state, rnn.rnn_fused


def train(at_random, theta):
    """Return a trained net, its history and the norms of its gradients."""
    train_iter, _ = load_data(batch_size, num_steps, at_random, seed=0)
    net = rnn.RNNModelScratch(vocab_size, num_hiddens, *fused, seed=0)
    step = rnn.make_step(net, lr, theta)
    history, norms = rnn.History(), []
    for epoch in range(num_epochs):
        if epoch % every == 0:
            _, grads = net.gradients(X, Y, net.begin_state(batch_size))
            norms.append(norm_of(grads))
        reading = {"use_random_iter": at_random}
        try:
            seen = rnn.train_epoch_ch8(net, train_iter, step, **reading)
        except FloatingPointError:  # the loss is no number any more
            break
        history.add(*seen)
        if seen[0] > 1000:  # beyond hope
            break
    return net, history, norms


nets, histories, norms = {}, {}, {}
for label in ("sequential", "random"):
    found = train(label == "random", theta=1.0)
    nets[label], histories[label], norms[label] = found
    print(f"{label}: perplexity {histories[label].perplexity[-1]:.2f}")

# %%
ax = plot.perplexity(histories, plot.new_axes(8, 4.8))
present(ax, "Perplexity over epochs, for both ways of reading.")

# %% [markdown]
# The axis is logarithmic: from 16 to 8 is as much as from 2 to 1. Within the
# first epochs the network learns how frequent each character is, which needs
# no memory at all: $\mathbf{b}_q$ can say it. Then comes a stretch where it
# learns what follows what, and after that longer and longer pieces.
#
# Mind what the low numbers mean. A perplexity near 1 on 10,000 characters
# seen hundreds of times is a text learned by heart. Further down we ask what
# the network makes of the next page.

# %%
ax = plot.new_axes(8, 4.8)
for number, (label, values) in enumerate(norms.items()):
    places = np.arange(len(values)) * every + 1
    ax.plot(places, values, label=label, **plot.line_style(number))
ax.axhline(1, color="black", linewidth=2, label=r"$\theta$")
ax.set(xlabel="epoch", ylabel="norm of all gradients", yscale="log")
ax.legend()
present(ax, "The norm of the gradients over epochs, and the bound theta.")

# %% [markdown]
# At first the gradients are short and clipping does nothing. As the network
# learns, its recurrent weights grow, and with them the gradients of what it
# still gets wrong.
#
# ## Where it breaks
#
# *Without clipping.* The same training once more, sequential, with a bound
# that is never reached:

# %%
_, wild, wild_norms = train(False, theta=1e9)
with_both = {"clipped": histories["sequential"], "not clipped": wild}
ax, right = plot.new_axes(12, 4.8, columns=2)
plot.perplexity(with_both, ax)
ax.set(ylim=(1, 1e3))
for number, values in enumerate((norms["sequential"], wild_norms)):
    places = np.arange(len(values)) * every + 1
    right.plot(places, values, **plot.line_style(number))
right.set(xlabel="epoch", ylabel="norm of all gradients", yscale="log")
present([ax, right], "Without clipping, the perplexity jumps beyond 1000.")

# %% [markdown]
# For a long time both curves are one, as gradients are shorter than the
# bound. Then they part, and what is not clipped gets restless. At some
# point, in the full run of this notebook, a single minibatch has a gradient
# too long, the step that it asks for is taken, and what hundreds of epochs
# have learned is gone: the perplexity is far above that of knowing nothing.
# On which epoch it happens is decided by rounding, and differs from backend
# to backend. That it happens is decided by $\mathbf{W}_{hh}$.
#
# *On another page.* Here is the text that follows the 10,000 characters. The
# network reads it with its state carried on, and does not learn from it.

# %%
lines = rnn.read_time_machine() if at_hand else rnn.read_builtin()
pages = "".join(" ".join(rnn.words_of(line)) for line in lines)
page_length = full_or_fast(8000, 1000)


def perplexity_on(net, text):
    """Return the perplexity of a net on a text, read in one piece."""
    ids = np.array([vocab[list(text)]])
    outputs, _ = net.evaluate(ids[:, :-1], net.begin_state(1))
    return np.exp(cross_entropy(outputs.astype(float), ids[0, 1:]))


for label, start in (("learned", 0), ("next", 10_000)):
    page = pages[start : start + page_length]
    found = perplexity_on(nets["sequential"], page)
    print(f"{label} page: perplexity {found:.1f}")
print(f"knowing nothing: {vocab_size}")

# %% [markdown]
# On the next page it does not merely do worse. In the full run it is worse
# than a network that says the same for every token, because it is sure of
# itself and wrong, and we have seen what that costs. This is *overfitting*:
# there were many more parameters than characters to learn them from.
# Notebook 10 trains on whole books, stops in time, and keeps a text aside to
# measure on.
#
# ## Writing
#
# To write, the network reads a beginning, the *prefix*. Nothing is asked of
# it meanwhile, only its state warms up. Then the token that it finds
# likeliest is taken, and becomes the next input, and so on.


# %%
def write(prefix, num_preds, net, vocab):
    """Return the prefix, and num_preds tokens that the net adds to it."""
    ids, state = vocab[list(prefix)], net.begin_state(1)
    for index in ids[:-1]:  # warm up
        _, state = net.evaluate(np.array([[index]]), state)
    for _ in range(num_preds):
        scores, state = net.evaluate(np.array([[ids[-1]]]), state)
        ids.append(int(scores[0].argmax()))
    return "".join(vocab.to_tokens(ids))


# %%
net, prefix = nets["sequential"], "time traveller "
assert write(prefix, 40, net, vocab) == rnn.predict_ch8(
    prefix, 40, net, vocab
)
print(write(prefix, 40, net, vocab))

# %% [markdown]
# The likeliest token each time is not the likeliest text, and such texts are
# prone to go round in circles. The other way is to draw each token by its
# probability. Between the two mediates a *temperature* $\tau$:
#
# $$P(i) = \frac{\exp(o_i / \tau)}{\sum_j \exp(o_j / \tau)}. \tag{8}$$
#
# At $\tau = 1$ the probabilities are the network's own. Lower ones make
# likely tokens likelier, down to the greedy choice at 0; higher ones bring
# surprise, up to pure noise.
#
# ### Exercise 5
#
# Write these probabilities as a function of the scores and the temperature.


# %%
def probabilities(scores, temperature):
    """Return softmax(scores / temperature)."""
    ### BEGIN SOLUTION
    weights = np.exp((scores - scores.max()) / temperature)
    return weights / weights.sum()
    ### END SOLUTION


# %%
scores = np.log([1.0, 2.0, 4.0])
check(
    lambda: [list(probabilities(scores, tau)) for tau in (0.5, 1.0)],
    [[1 / 21, 4 / 21, 16 / 21], [1 / 7, 2 / 7, 4 / 7]],
    hint="exponentials of scores / temperature, divided by their sum",
)

# %%
state = net.begin_state(1)
for index in vocab[list(prefix)]:
    outputs, state = net.evaluate(np.array([[index]]), state)
scores = outputs[0].astype(float)
likeliest = np.argsort(-scores)[:8]
ax = plot.new_axes(8, 4.8)
for number, temperature in enumerate((0.5, 1.0, 2.0)):
    weights = np.exp((scores - scores.max()) / temperature)
    places = np.arange(len(likeliest)) + 0.27 * (number - 1)
    heights = 100 * (weights / weights.sum())[likeliest]
    look = {
        "color": plot.COLOURS[number],
        "label": rf"$\tau$ = {temperature}",
    }
    ax.bar(places, heights, 0.27, **look)
letters = [repr(vocab.to_tokens(index)) for index in likeliest]
ax.set_xticks(range(len(likeliest)), letters)
ax.set(xlabel=f"next character after {prefix!r}", ylabel="probability, %")
ax.legend()
present(
    ax, "The lower the temperature, the more the likeliest character has."
)

# %%
for tau in (0.0, 0.5, 1.0, 1.5):
    said = rnn.predict_ch8(prefix, 56, net, vocab, temperature=tau, seed=0)
    print(tau, said)

# %% [markdown]
# A network that knows its text by heart writes it down at low temperatures.
# At higher ones a surprising letter sooner or later leads it away from the
# text that it knows; then its state has not been seen in training, and words
# fall apart.
#
# ### Exercise 6
#
# A question for research: how fast can this network learn? In 400 epochs of
# 8 minibatches, plain gradient descent came far; you get 20 epochs. Find
# settings for which `after_twenty` is under 8. They go to `rnn.make_step`:
# `lr`, `theta`, `clip` ("norm" or "value") and `optimizer` ("sgd", "adagrad"
# or "adam"; the last two give each parameter a step length of its own, and
# want smaller learning rates).

# %%
### BEGIN SOLUTION
chosen = {"optimizer": "adam", "lr": 0.02, "theta": 1.0}
### END SOLUTION


# %%
def after_twenty(settings):
    """Return the perplexity after 20 epochs of a net of 64 hidden units."""
    train_iter, _ = load_data(batch_size, num_steps, seed=0)
    net = rnn.RNNModelScratch(vocab_size, 64, *fused, seed=0)
    step = rnn.make_step(net, **settings)
    for _ in range(20):
        perplexity, _ = rnn.train_epoch_ch8(net, train_iter, step)
    return perplexity


check(
    lambda: after_twenty(chosen) < 8,
    True,
    hint="adam, with a learning rate between 0.005 and 0.03, is one way",
)

# %% [markdown]
# Why does it help that each parameter has its own step length? Compare the
# gradients of $\mathbf{W}_{xh}$ for a letter that occurs on every line with
# those for one that occurs once on a page, and think of what one $\eta$ does
# to both.
#
# ## What to take away
#
# - Ids are names. One-hot vectors say which token it is, and no more.
# - Three functions make a model: parameters, first state, forward pass.
# - The loss is the mean surprise; perplexity counts the choices left.
# - Clipping bounds how far one step can go, and leaves its direction alone.
# - With sequential minibatches the state goes on from one to the next, its
#   gradient does not.
# - A low perplexity on text seen before is memory, not understanding.
#
# **Proven in the repository.** The equations, number by number:
# `test_outputs_follow_the_equations` in `tests/nets/test_scratch.py`.
# One-hot rows: `test_one_hot_rows_hold_a_single_one`, in the same file.
# Clipping and the step: `test_gradients_are_clipped_by_their_joint_norm` and
# `test_a_step_moves_the_parameters_against_the_clipped_gradients` in
# `tests/training/test_training.py`. There too: truncation,
# `test_a_state_carried_on_brings_no_gradient_from_before`, and temperature,
# `test_sampling_follows_the_softmax_of_scores_over_temperature`. That
# `rnn_fused` learns what `rnn` does:
# `test_a_fused_model_learns_as_its_twin_does` in `tests/nets/test_fused.py`.
