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
# This notebook trains a recurrent network that generates text character by
# character, and shows every part of it: the encoding of characters as
# vectors, the parameters, the forward pass, the loss, gradient clipping, the
# training loop, and the generation of text. Each part is implemented twice:
# first as a loop of about ten lines in NumPy, and then with the function of
# the package. The results are compared number by number, so that you can
# rely on the functions of the package in the later notebooks.
#
# The notebook follows section 9.5 of *Dive into Deep Learning* and uses its
# notation. Notebook 1 explains hidden states, and notebook 2 explains how a
# text is divided into minibatches.

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

# Before any import of a framework: float64 in JAX, fewer messages.
backends.prepare()
plot.use_style()

# %% [markdown]
# This notebook runs on any of five backends. To choose one, edit only the
# following line.

# %%
from d2lrnn import torch as rnn  # or tensorflow, jax, mxnet, numpy

# %% [markdown]
# The text is The Time Machine if it is available, and otherwise the story
# that is part of the package. Its first 10,000 characters are used for
# training, in minibatches of 32 rows of 35 characters. $\mathbf{X}$ contains
# the inputs. $\mathbf{Y}$ contains the targets, which are the inputs shifted
# by one character.

# %%
at_hand = time_machine_at_hand()
load_data = rnn.load_data_time_machine if at_hand else rnn.load_data_builtin
batch_size, num_steps = 32, 35
train_iter, vocab = load_data(batch_size, num_steps, seed=0)
vocab_size = len(vocab)
X, Y = next(iter(train_iter))
print(f"{len(train_iter)} minibatches of X and Y {tuple(X.shape)}")
print(f"{vocab_size} different tokens, including the unknown token")
for name, row in (("X", rnn.to_numpy(X)[0]), ("Y", rnn.to_numpy(Y)[0])):
    print(f"{name}, first row:", vocab.join(vocab.to_tokens(row)))

# %% [markdown]
# ## One-hot vectors
#
# The id of a token is a label, not a quantity: token 7 is not larger than
# token 3, and it is not similar to token 8. A network that gets the id as a
# number would treat it as a quantity, because it multiplies and adds its
# inputs. Therefore each id $i$ is converted to a vector of length
# $|\mathcal{V}|$, the size of the vocabulary. This vector is 1 at index $i$
# and 0 elsewhere. Any two of these vectors have the same distance, so the
# encoding does not state which tokens are similar. The network learns this
# during training.
#
# A minibatch has the shape (batch_size, num_steps). It is transposed first,
# so that a loop over the first axis is a loop over time. The result has
# three axes: (num_steps, batch_size, $|\mathcal{V}|$). In NumPy this takes
# one line, because row $i$ of the identity matrix is the one-hot vector of
# token $i$.

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
present(ax, "Fourteen rows, one per character, with one black square each.")

# %% [markdown]
# Time runs from top to bottom. The same letter always has its square in the
# same column.
#
# ### Exercise 1
#
# The product of a one-hot vector and a matrix is a row of the matrix.
# Therefore it is enough to look up this row instead of computing the
# product. Frameworks call such a matrix an *embedding*. Implement the
# lookup: for token ids (n,) and $\mathbf{W}_{xh}$, return the product
# $\mathbf{X}_t \mathbf{W}_{xh}$, where $\mathbf{X}_t$ contains the one-hot
# vectors of these ids.


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
    hint="index the matrix with the ids: W_xh[ids] has one row per id",
)

# %% [markdown]
# ## Parameters
#
# The network has five arrays of parameters. With $h$ hidden units, they are
#
# | array | shape | use |
# | --- | --- | --- |
# | $\mathbf{W}_{xh}$ | ($\lvert\mathcal{V}\rvert$, $h$) | for the input |
# | $\mathbf{W}_{hh}$ | ($h$, $h$) | for the previous state |
# | $\mathbf{b}_h$ | ($h$,) | is added to every state |
# | $\mathbf{W}_{hq}$ | ($h$, $\lvert\mathcal{V}\rvert$) | for the outputs |
# | $\mathbf{b}_q$ | ($\lvert\mathcal{V}\rvert$,) | is added to the scores |
#
# Inputs and outputs use the same vocabulary, so both have the size
# $|\mathcal{V}|$. The number of hidden units is a hyperparameter. No shape
# depends on the length of the text.
#
# What are good initial values? If all weights were equal, all hidden units
# would compute the same value and have the same gradients, so they would
# remain equal during training. Therefore the weights are drawn at random.
# They are small, with a standard deviation of 0.01, so that tanh starts in
# its steep part and no token has a much higher score than another. The
# biases can be 0, because the random weights already make the units
# different.


# %%
def first_params(vocab_size, num_hiddens, rng):
    """Return [W_xh, W_hh, b_h, W_hq, b_q], weights small and random."""
    W_xh = rng.normal(scale=0.01, size=(vocab_size, num_hiddens))
    W_hh = rng.normal(scale=0.01, size=(num_hiddens, num_hiddens))
    W_hq = rng.normal(scale=0.01, size=(num_hiddens, vocab_size))
    return [W_xh, W_hh, np.zeros(num_hiddens), W_hq, np.zeros(vocab_size)]


# %% [markdown]
# The package draws other random numbers, with the same shapes and the same
# standard deviation. The same seed gives the same numbers in all five
# backends.

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
# How many parameters does the network have with 28 tokens and 512 hidden
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
# At each time step the network computes a new state from the input token and
# the previous state. From the new state it computes a score for each
# possible next token:
#
# $$\mathbf{H}_t = \tanh(\mathbf{X}_t \mathbf{W}_{xh} +
# \mathbf{H}_{t-1} \mathbf{W}_{hh} + \mathbf{b}_h), \tag{1}$$
#
# $$\mathbf{O}_t = \mathbf{H}_t \mathbf{W}_{hq} + \mathbf{b}_q. \tag{2}$$
#
# $\mathbf{X}_t$ (batch_size, $|\mathcal{V}|$) contains one token of each row
# of the minibatch. The rows are independent; they are processed together
# because one large product is faster than many small ones. Because of tanh,
# every element of the state is between -1 and 1, for any number of steps.
# The initial state is $\mathbf{H}_0 = \mathbf{0}$.

# %%
present(
    diagrams.unrolled(),
    "Four steps in a row; each passes its state to the next.",
)

# %% [markdown]
# The two equations are the two lines in this loop:


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
# The scores of all time steps are concatenated along the first axis, with
# all rows of the first step first. So the outputs have num_steps ×
# batch_size rows, one for each prediction. The state has the shape
# (batch_size, $h$).
#
# The next cell compares these results with those of the package, on the
# chosen backend. The weights are made larger than their initial values, so
# that differences would be visible:

# %%
params = [5 * array for array in ours]
outputs, H = rnn_by_hand(inputs, np.zeros((batch_size, num_hiddens)), params)
package_outputs, (state,) = rnn.rnn(
    rnn.from_numpy(inputs),
    rnn.init_rnn_state(batch_size, num_hiddens, dtype="float64"),
    [rnn.from_numpy(array) for array in params],
)
assert np.allclose(outputs, rnn.to_numpy(package_outputs), rtol=0, atol=1e-9)
assert np.allclose(H, rnn.to_numpy(state), rtol=0, atol=1e-9)
print(
    "outputs", outputs.shape, "and state", H.shape, "agree with the package"
)

# %% [markdown]
# This is the source code of the package in the chosen backend. `unroll` is
# the loop, `rnn_step` is equation (1), and `output_layer` is equation (2)
# for all time steps at once:

# %%
rnn.show(rnn.rnn, helpers=True)

# %% [markdown]
# Can an untrained network store information in its state? The next figure
# processes two texts that differ only in their first letter. Each line is
# one hidden unit: its value for one text minus its value for the other. The
# recurrent weights are larger than the initial weights. In the first figure,
# they are so large that the size of a state hardly changes from step to
# step. In the second figure, they are half as large.

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
axes[0].set(ylabel="difference of the two states")
axes[1].set(ylim=axes[0].get_ylim())
present(
    axes, "The effect of the first letter lasts, or vanishes in a few steps."
)

# %% [markdown]
# At each step, $\mathbf{W}_{hh}$ transforms the difference and moves it from
# unit to unit. With the larger weights the difference remains until the end
# of the text, and with the smaller weights it vanishes. With the small
# initial weights it would vanish after one step. Therefore the network must
# first learn to store information.
#
# `RNNModelScratch` combines three functions: one that creates the
# parameters, one that creates the initial state, and one that computes the
# forward pass. It also encodes ids as one-hot vectors and stores the
# parameters. The third function defines the model; later notebooks use other
# functions in its place.

# %%
functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn
net = rnn.RNNModelScratch(vocab_size, num_hiddens, *functions, seed=0)
state = net.begin_state(batch_size)
outputs, new_state = net(X, state)
print("outputs", tuple(outputs.shape), "- state", tuple(new_state[0].shape))
print(rnn.predict_ch8("time traveller", 20, net, vocab))

# %% [markdown]
# ## The loss
#
# The text that the untrained network generates is meaningless. To measure
# how bad its predictions are, the scores are first converted to
# probabilities. The *softmax* function computes their exponentials, which
# are positive, and divides them by their sum, so that they add up to 1:
#
# $$P(x_{t+1} = i \mid x_1, \ldots, x_t) = \frac{\exp(o_i)}
# {\sum_j \exp(o_j)}. \tag{3}$$
#
# Then we take the probability of the target, the token that follows in the
# text. If this probability is 1, the surprise $-\log P$ is 0. The smaller
# the probability is, the larger is the surprise. The mean surprise over all
# $n$ predictions is the *cross-entropy*, in nats. It is the loss:
#
# $$L = -\frac{1}{n} \sum_{t=1}^n \log P(x_{t+1} \mid x_1, \ldots, x_t).
# \tag{4}$$


# %%
def cross_entropy(outputs, targets):
    """Return the mean loss of scores (m, V) for target ids (m,)."""
    scores = outputs - outputs.max(axis=1, keepdims=True)  # no overflow
    P = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return -np.log(P[np.arange(len(targets)), targets]).mean()


# %%
outputs, _ = net.evaluate(X, state)  # net(X, state), in NumPy
targets = rnn.to_numpy(Y).T.reshape(-1)  # the first time step first
loss, grads = net.gradients(X, Y, state)
assert np.isclose(cross_entropy(outputs.astype(float), targets), loss)
print(f"loss by hand and by the package: {loss:.3f} nats")

# %% [markdown]
# The targets are transposed like the inputs, because the outputs are ordered
# by time step. Forgetting this transposition is a common mistake, which
# causes no error because the shapes agree: the network is then trained to
# predict the tokens of other rows.
#
# A number in nats is hard to interpret. Its exponential is the *perplexity*:
#
# $$\exp(L) = \exp\left(-\frac{1}{n} \sum_{t=1}^n
# \log P(x_{t+1} \mid x_1, \ldots, x_t)\right). \tag{5}$$
#
# The perplexity is the number of equally likely tokens that would give the
# same loss. It is 1 for a network that always predicts the target with
# probability 1, and infinite for a network that assigns the probability 0 to
# one of the targets.

# %%
P = np.linspace(0.01, 1, 200)
ax, right = plot.new_axes(12, 4.8, columns=2)
ax.plot(P, -np.log(P), **plot.line_style(0))
ax.set(xlabel="probability of the target", ylabel="surprise, nats")
sure = np.linspace(1e-6, 0.999, 400)  # of nine tokens out of ten
for number, other in enumerate((0.5, 0.1, 0.01)):
    mean = -0.9 * np.log(sure) - 0.1 * np.log(other)
    label = f"the tenth gets {other}"
    right.plot(sure, np.exp(mean), label=label, **plot.line_style(number))
right.set(xlabel="probability of nine in ten", ylabel="perplexity")
right.set(ylim=(1, 6))
right.legend()
present([ax, right], "Surprise is unbounded as a probability approaches 0.")

# %% [markdown]
# The left figure shows that the loss of a confident wrong prediction is far
# larger than that of an uncertain one. In the right figure, nine of ten
# targets have one probability and the tenth has another: even if a network
# is right nine times out of ten, the tenth prediction can make its
# perplexity high. Therefore, the loss is low only if the probabilities are
# realistic.
#
# ### Exercise 3
#
# The untrained network assigns almost the same score to every token. Which
# perplexity do you expect? Write an expression before you look at the
# result.

# %%
### BEGIN SOLUTION
expected_perplexity = vocab_size
### END SOLUTION

# %%
check(
    expected_perplexity,
    lambda: np.exp(loss),
    hint="equal scores give the same probability to all tokens",
    tolerance=0.01,
)

# %% [markdown]
# ## Clipping gradients
#
# `net.gradients` returns the loss and its gradient with respect to each of
# the five arrays. (Notebook 5 computes them by hand.) Gradient descent moves
# the parameters in the opposite direction, with the *learning rate* $\eta$.
# With all parameters as one vector $\mathbf{x}$ and all gradients as one
# vector $\mathbf{g}$,
#
# $$\mathbf{x} \leftarrow \mathbf{x} - \eta\, \mathbf{g}. \tag{6}$$
#
# The gradient is the slope of the loss at the current parameters. It is a
# good approximation for small steps, but not for large ones. If the loss
# changes by at most $\ell$ times the distance, such a step changes the loss
# by at most $\ell\, \eta\, \|\mathbf{g}\|$, and this change can be an
# increase.
#
# In a recurrent network, $\|\mathbf{g}\|$ can be very large. Backpropagation
# through 35 steps multiplies by $\mathbf{W}_{hh}$ 35 times. If each
# multiplication increases the gradient by a factor of 1.5, the total factor
# is more than a million. One update with such a gradient destroys the
# progress of thousands. A smaller learning rate would prevent this, but
# would slow down all other updates. Instead, *clipping* rescales
# $\mathbf{g}$ only if its norm is larger than $\theta$:
#
# $$\mathbf{g} \leftarrow \min\left(1, \frac{\theta}{\|\mathbf{g}\|}\right)
# \mathbf{g}. \tag{7}$$
#
# The direction remains the same, and the length of an update is at most
# $\eta\, \theta$. Clipping is a simple remedy for exploding gradients. It
# does not help against vanishing gradients.

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
present(ax, "Arrows longer than the radius are shortened to the circle.")

# %% [markdown]
# ### Exercise 4
#
# Implement clipping in NumPy: from a list of arrays and $\theta$, compute
# the list of clipped arrays. Use one norm, that of all arrays together.


# %%
def clip(grads, theta):
    """Return grads, scaled to a joint Euclidean norm of at most theta."""
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
    hint="one norm for all arrays; a norm below theta changes nothing",
)

# %% [markdown]
# The function of the package also returns the norm before clipping:

# %%
clipped, norm = rnn.grad_clipping([rnn.from_numpy(g) for g in long], 1.0)
assert np.allclose(in_one(map(rnn.to_numpy, clipped)), in_one(long) / 13)
print(f"norm before: {rnn.to_numpy(norm).item():.0f}")

# %% [markdown]
# ## Training
#
# An *epoch* is one pass over all minibatches, with one update for each:
# forward pass, loss, gradients, clipping, and equation (6). For recurrent
# networks, two more decisions are needed at the beginning of each minibatch.
#
# *What is the initial state?* Notebook 2 describes two kinds of minibatches.
# In *sequential* minibatches each row continues the same row of the previous
# minibatch, so the last state of one minibatch is the initial state of the
# next. Only the first minibatch of an epoch has a zero state. *Random*
# minibatches are not adjacent in the text, so each of them has a zero state.
#
# *How far does backpropagation go?* A state that is passed on depends on all
# earlier minibatches of the epoch. Backpropagation through all of them would
# need more time and memory with each minibatch. Therefore the value of the
# state is passed on, but it is detached from the graph: for the gradient,
# the initial state of a minibatch is a constant. This is called *truncated*
# backpropagation through time.

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
present(pen.ax, "States are passed on; gradients stay within one minibatch.")


# %% [markdown]
# The next cell is the complete training of one epoch. It uses a network of
# the package to compute the gradients; everything else is NumPy.


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
        loss, grads = net.gradients(X, Y, state)  # within this minibatch
        _, state = net.evaluate(X, state)  # for the next minibatch
        scale = lr * min(1, theta / norm_of(grads))  # equation (7)
        moved = [p - scale * g for p, g in zip(net.arrays(), grads)]
        net.load_arrays(moved)  # equation (6)
        losses.append(loss)
    return np.exp(np.mean(losses))  # equation (5)


# %% [markdown]
# The frameworks compute the gradients together with the loss. This function
# implements one training step with the operations of the framework:

# %%
rnn.show(rnn.sgd_step)

# %% [markdown]
# In the package the loop has two parts. `make_step(net, lr, theta)` returns
# a function that computes the same numbers as `sgd_step`, but faster.
# `train_epoch_ch8` is the loop over minibatches. The next cell starts all
# three versions with the same parameters and minibatches, and with a bound
# that is small enough to clip gradients. They must have the same perplexity
# and the same parameters in the end:

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
# From here on we use the functions of the package.
# `rnn.train_ch8(net, train_iter, vocab, lr, num_epochs)` trains with one
# call and shows a progress bar. Here we write the loop over epochs
# ourselves, in order to measure the gradients between epochs. Two networks
# start with the same parameters. The first is trained on sequential
# minibatches and passes its state on, the second on random minibatches. The
# loop stores the perplexity, and the norm of the gradients of one fixed
# minibatch before clipping. (`rnn_fused` computes the same as `rnn`, but
# faster; notebook 12 explains how.)

# %%
lr, num_epochs = 1.0, full_or_fast(400, 5)
every = full_or_fast(4, 1)  # epochs between two measurements
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
            results = rnn.train_epoch_ch8(net, train_iter, step, **reading)
        except FloatingPointError:  # the loss is not finite
            break
        history.add(*results)
        if results[0] > 1000:  # training has diverged
            break
    return net, history, norms


nets, histories, norms = {}, {}, {}
for label in ("sequential", "random"):
    results = train(label == "random", theta=1.0)
    nets[label], histories[label], norms[label] = results
    print(f"{label}: perplexity {histories[label].perplexity[-1]:.2f}")

# %%
ax = plot.perplexity(histories, plot.new_axes(8, 4.8))
present(ax, "Perplexity over epochs, for both kinds of minibatches.")

# %% [markdown]
# The axis is logarithmic: the distance from 16 to 8 equals that from 2 to 1.
# In the first epochs the network learns the frequency of each character,
# which needs no state, because $\mathbf{b}_q$ is sufficient. Then it learns
# which character follows which, and later longer and longer sequences.
#
# Interpret the low values with care. A perplexity near 1 on 10,000
# characters, each of which was used hundreds of times, means that the
# network has memorized the text. A later section measures the perplexity on
# the next page.

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
# At first the norm of the gradients is small, and clipping has no effect.
# During training the recurrent weights become larger, and so do the
# gradients of the predictions that are still wrong.
#
# ## Limitations
#
# *Training without clipping.* The next cell repeats the training with
# sequential minibatches and a bound that is never reached:

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
# At first both curves are equal, because the gradients are smaller than the
# bound. Then they differ, and the curve without clipping becomes irregular.
# In the full run of this notebook, the gradient of a single minibatch
# eventually becomes so large that one update destroys the progress of
# hundreds of epochs: the perplexity is then much higher than that of a
# uniform guess. Rounding decides in which epoch this happens, so the epoch
# differs between backends. The cause is the size of $\mathbf{W}_{hh}$.
#
# *Another page.* The next cell uses the text that follows the 10,000
# characters. The network processes it and passes its state on, but it is not
# trained on it.

# %%
lines = rnn.read_time_machine() if at_hand else rnn.read_builtin()
pages = "".join(" ".join(rnn.words_of(line)) for line in lines)
page_length = full_or_fast(8000, 1000)


def perplexity_on(net, text):
    """Return the perplexity of a net on a text, as one sequence."""
    ids = np.array([vocab[list(text)]])
    outputs, _ = net.evaluate(ids[:, :-1], net.begin_state(1))
    return np.exp(cross_entropy(outputs.astype(float), ids[0, 1:]))


for label, start in (("learned", 0), ("next", 10_000)):
    page = pages[start : start + page_length]
    page_perplexity = perplexity_on(nets["sequential"], page)
    print(f"{label} page: perplexity {page_perplexity:.1f}")
print(f"uniform guess: {vocab_size}")

# %% [markdown]
# In the full run, the perplexity on the next page is even higher than that
# of a uniform guess, because the network makes confident wrong predictions.
# This is called *overfitting*: the network has many more parameters than
# there are characters in the training text. Notebook 10 trains on whole
# books, stops training early, and measures the perplexity on a text that is
# not used for training.
#
# ## Generating text
#
# To generate text, the network first processes a *prefix*. During this
# warm-up only the state is used, and the outputs are ignored. Then the most
# probable token is chosen and becomes the next input, and so on.


# %%
def write(prefix, num_preds, net, vocab):
    """Return the prefix and num_preds tokens that the net generates."""
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
# Choosing the most probable token at each step does not give the most
# probable text, and such texts often repeat themselves. Instead, each token
# can be drawn from its probability distribution. The *temperature* $\tau$
# changes this distribution:
#
# $$P(i) = \frac{\exp(o_i / \tau)}{\sum_j \exp(o_j / \tau)}. \tag{8}$$
#
# For $\tau = 1$ these are the probabilities of the network. Lower
# temperatures give more weight to likely tokens; in the limit 0, the most
# probable token is chosen. Higher temperatures make unlikely tokens more
# frequent, up to a uniform distribution.
#
# ### Exercise 5
#
# Implement these probabilities as a function of the scores and the
# temperature.


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
    ax, "The lower the temperature, the likelier the likeliest character."
)

# %%
for tau in (0.0, 0.5, 1.0, 1.5):
    sample = rnn.predict_ch8(prefix, 56, net, vocab, temperature=tau, seed=0)
    print(tau, sample)

# %% [markdown]
# A network that has memorized its text reproduces it at low temperatures. At
# higher temperatures, sooner or later an unlikely letter leads to a state
# that did not occur during training, and from then on the words become
# meaningless.
#
# ### Exercise 6
#
# This exercise needs some research: how fast can this network learn? The
# training above used gradient descent for 400 epochs of 8 minibatches; you
# have 20 epochs. Find settings for which `after_twenty` is less than 8. They
# are passed to `rnn.make_step`: `lr`, `theta`, `clip` ("norm" or "value")
# and `optimizer` ("sgd", "adagrad" or "adam"). Adagrad and Adam use a
# separate step size for each parameter and need smaller learning rates.

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
    hint="try adam, with a learning rate between 0.005 and 0.03",
)

# %% [markdown]
# Why does a separate step size for each parameter help? Compare the
# gradients of $\mathbf{W}_{xh}$ for a letter that occurs in every line with
# those for a letter that occurs once on a page. With a single $\eta$, the
# row of the rare letter hardly changes.
#
# ## What to take away
#
# - Ids are labels. A one-hot vector only states which token it stands for.
# - A model consists of three functions: parameters, initial state and
#   forward pass.
# - The loss is the mean surprise. Perplexity is its exponential, a number of
#   equally likely choices.
# - Clipping limits the length of an update and does not change its
#   direction.
# - With sequential minibatches the state is passed on from one to the next,
#   but gradients are not.
# - A low perplexity on the training text can be memorization.
#
# **Proven in the repository.** The equations, number by number:
# `test_outputs_follow_the_equations` in `tests/nets/test_scratch.py`.
# One-hot rows: `test_one_hot_rows_hold_a_single_one`, in the same file.
# Clipping and the step: `test_gradients_are_clipped_by_their_joint_norm` and
# `test_a_step_moves_the_parameters_against_the_clipped_gradients` in
# `tests/training/test_training.py`. There too: truncation,
# `test_a_carried_state_has_no_gradient_of_earlier_minibatches`, and
# temperature,
# `test_sampling_follows_the_softmax_of_scores_over_temperature`. `rnn_fused`
# learns the same as `rnn`: `test_a_fused_model_learns_like_the_plain_model`
# in `tests/nets/test_fused.py`.
