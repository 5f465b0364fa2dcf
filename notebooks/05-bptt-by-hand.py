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
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/d2lrnn/d2lrnn/blob/main/notebooks/05-bptt-by-hand.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/d2lrnn/d2lrnn/blob/main/notebooks/05-bptt-by-hand.ipynb)
#
# # 5. Backpropagation through time by hand
#
# A recurrent network uses the same weights at every step, so their gradient
# is a sum with a term for each step. Here the sum is taken apart: on a text
# of three words, `cat mat rat`, with nothing but NumPy, until every number
# that the framework returns has been computed by hand. Ten lines then do the
# same for a text of any length. As it gets longer, the terms are seen to
# vanish or to explode; and of the three ways to deal with that, each has its
# price.
#
# It follows section 9.7 of *Dive into Deep Learning*, with its notation.
# Notebook 3 writes the network. You need to know the chain rule.

# %%
import importlib.util

if importlib.util.find_spec("d2lrnn") is None:
    # %pip install -q "d2lrnn[torch] @ git+https://github.com/d2lrnn/d2lrnn"
    importlib.invalidate_caches()

# %%
import numpy as np

from d2lrnn import backends, plot
from d2lrnn.measure.gradient_flow import spectral_radius
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
# ## Three words
#
# The whole world has three words, and the network is to say yes or no to a
# sentence of all three. Each word is a one-hot vector. The order decides, so
# the network has to remember.

# %%
words = ["cat", "mat", "rat"]
sentences = {"cat mat rat": 1, "rat mat cat": 0, "rat cat mat": 1}


def one_hot(sentence):
    """Return a sentence as rows (3, 3), one for each word."""
    return np.eye(3)[[words.index(word) for word in sentence.split()]]


x, y = one_hot("cat mat rat"), 1
print(x)

# %% [markdown]
# The network has three hidden units. From $\mathbf{H}_0 = \mathbf{0}$, for
# $t = 1, 2, 3$,
#
# $$\mathbf{A}_t = \mathbf{X}_t \mathbf{W}_{xh} +
# \mathbf{H}_{t-1} \mathbf{W}_{hh} + \mathbf{b}_h, \qquad
# \mathbf{H}_t = \tanh(\mathbf{A}_t), \tag{1}$$
#
# and only the last state is asked for an answer, the probability $p$ of a
# yes:
#
# $$O = \mathbf{H}_3 \mathbf{W}_{hq} + b_q, \qquad
# p = \frac{1}{1 + \exp(-O)}. \tag{2}$$
#
# The label $y$ is 1 for yes and 0 for no, and the loss is the surprise at
# it,
#
# $$L = -y \log p - (1 - y) \log(1 - p). \tag{3}$$

# %%
net = rnn.SequenceClassifierScratch(3, 3, 1, seed=0, dtype="float64")
W_xh, W_hh, b_h, W_hq, b_q = net.arrays()
for name, array in zip(["W_xh", "W_hh", "W_hq"], [W_xh, W_hh, W_hq]):
    print(name, *(array.round(3) + 0.0).tolist(), sep="\n     ")

# %% [markdown]
# ## Forward
#
# The first pass keeps all hidden states, because the way back needs them.


# %%
def forward(x, W_xh, W_hh, b_h, W_hq, b_q):
    """Return the hidden states H_0 ... H_T (T + 1, h) and the output."""
    H = [np.zeros(len(W_hh))]
    for X_t in x:
        H.append(np.tanh(X_t @ W_xh + H[-1] @ W_hh + b_h))
    return np.array(H), (H[-1] @ W_hq + b_q).item()


def loss(*params):
    """Return the loss of the sentence."""
    output = forward(x, *params)[1]
    return -np.log(1 / (1 + np.exp(-output if y else output)))


H, output = forward(x, *net.arrays())
p = 1 / (1 + np.exp(-output))
for t, state in enumerate(H):
    print(f"H_{t} =", state.round(3) + 0.0)
print(f"O = {output:.3f}, p = {p:.3f}, L = {loss(*net.arrays()):.3f}")
same = np.allclose(p, net.probabilities([x]), rtol=0, atol=1e-14)
print("the framework agrees:", same)

# %% [markdown]
# ## Backward, one step at a time
#
# What is asked for is how $L$ changes with each weight. A weight of
# $\mathbf{W}_{hh}$, say $w$, acts on $L$ in many ways: directly on
# $\mathbf{H}_3$, and by way of $\mathbf{H}_2$, and by way of $\mathbf{H}_1$.
# In the chain rule that shows as a state that depends on $w$ twice over,
#
# $$\frac{\mathrm{d} \mathbf{H}_t}{\mathrm{d} w} =
# \frac{\partial \mathbf{H}_t}{\partial w} +
# \frac{\partial \mathbf{H}_t}{\partial \mathbf{H}_{t-1}}
# \frac{\mathrm{d} \mathbf{H}_{t-1}}{\mathrm{d} w}, \tag{4}$$
#
# where $\partial$ means: with all else held fast. Putting this equation into
# itself, again and again, gives one product for each earlier step:
#
# $$\frac{\mathrm{d} \mathbf{H}_T}{\mathrm{d} w} = \sum_{t=1}^{T}
# \left( \prod_{s=t+1}^{T} \frac{\partial \mathbf{H}_s}
# {\partial \mathbf{H}_{s-1}} \right)
# \frac{\partial \mathbf{H}_t}{\partial w}. \tag{5}$$
#
# All that follows in this notebook is in (5): a *sum* over steps, and in it
# *products* that get longer the further a step lies back. To compute it, one
# does not multiply out each product. One goes from the end to the beginning
# and keeps what has been multiplied so far.
#
# So how does $L$ change with the output? From (2), $\partial p / \partial
# O = p (1 - p)$, and from (3), $\partial L / \partial p = (p - y) / (p (1 -
# p))$. Their product is short: $\partial L / \partial O = p - y$, by how
# much the answer is off. From there it goes back along every line of the
# drawing.

# %%
pen = sketch.Pen(None, 13.4, 5.0)
for t in (1, 2, 3):
    place = 3.3 * t - 0.9
    pen.text(place, 0.5, f"$X_{t}$: {words[t - 1]}")
    pen.path((place, 0.85), (place, 1.85))
    pen.box(place, 2.3, f"$H_{t}$", colour="#F7D9C4")
    pen.path((place + 0.65, 2.3), (place + (2.65 if t < 3 else 2.05), 2.3))
pen.text(0.4, 2.3, "$H_0$")
pen.path((0.8, 2.3), (1.75, 2.3))
pen.box(11.7, 2.3, "$O, L$", colour="#CDEBE0")
style = {"arrowstyle": "-|>", "color": plot.COLOURS[1], "lw": 2.5}
style["mutation_scale"] = 20
style["connectionstyle"] = "arc3,rad=0.4"
for start, end in ((11.7, 9.0), (9.0, 5.7), (5.7, 2.4)):
    pen.ax.annotate("", (end, 2.8), (start, 2.8), arrowprops=style)
labels = {10.4: r"$\cdot\, W_{hq}^\top$"}
labels[7.4] = r"$\cdot\,(1-H_3^2)\,W_{hh}^\top$"
labels[4.1] = r"$\cdot\,(1-H_2^2)\,W_{hh}^\top$"
for place, label in labels.items():
    pen.text(place, 4.1, label, color=plot.COLOURS[1])
present(pen.ax, "Arrows lead back from the loss to each of three states.")

# %% [markdown]
# Write $\boldsymbol{\delta}_t = \partial L / \partial \mathbf{A}_t$. The
# slope of tanh is $1 - \tanh^2$, which is known from the forward pass. Going
# back from the last step, and with $\odot$ for products element by element,
#
# $$\frac{\partial L}{\partial \mathbf{H}_3} =
# (p - y)\,\mathbf{W}_{hq}^\top, \tag{6}$$
#
# $$\boldsymbol{\delta}_t = \frac{\partial L}{\partial \mathbf{H}_t} \odot
# (1 - \mathbf{H}_t \odot \mathbf{H}_t), \tag{7}$$
#
# $$\frac{\partial L}{\partial \mathbf{H}_{t-1}} =
# \boldsymbol{\delta}_t \mathbf{W}_{hh}^\top. \tag{8}$$
#
# Each $\mathbf{A}_t$ holds every weight once. So each step adds one term to
# the gradient of each:
#
# $$\frac{\partial L}{\partial \mathbf{W}_{hh}} = \sum_{t=1}^3
# \mathbf{H}_{t-1}^\top \boldsymbol{\delta}_t, \qquad
# \frac{\partial L}{\partial \mathbf{W}_{xh}} = \sum_{t=1}^3
# \mathbf{X}_t^\top \boldsymbol{\delta}_t, \qquad
# \frac{\partial L}{\partial \mathbf{b}_h} = \sum_{t=1}^3
# \boldsymbol{\delta}_t. \tag{9}$$

# %%
deltas = np.zeros((4, 3))  # deltas[t] for t = 1, 2, 3; 0 is not used
dH = (p - y) * W_hq[:, 0]
for t in (3, 2, 1):
    deltas[t] = dH * (1 - H[t] ** 2)
    shown = dH.round(4) + 0.0, deltas[t].round(4) + 0.0
    print(f"t = {t}: dL/dH_{t} = {shown[0]}  delta = {shown[1]}")
    dH = deltas[t] @ W_hh.T

W_hh_terms = np.array([np.outer(H[t - 1], deltas[t]) for t in (1, 2, 3)])

# %% [markdown]
# ### Exercise 1
#
# How large is $\partial L / \partial O$ for a network that says yes with 0.9
# where yes is right, and where no is right? And which $p$ and $y$ would make
# all gradients zero, $y$ being 1: give that $p$ as the third number.

# %%
### BEGIN SOLUTION
at_yes, at_no, no_gradient = -0.1, 0.9, 1.0
### END SOLUTION

# %%
check(
    [at_yes, at_no, no_gradient],
    lambda: [0.9 - 1, 0.9 - 0, 1.0],
    hint="it is p - y; everything further back is multiplied by it",
)

# %% [markdown]
# ### Exercise 2
#
# The terms of $\mathbf{W}_{hh}$ are there. Write those of $\mathbf{W}_{xh}$
# and of $\mathbf{b}_h$: from `x` and `deltas`, an array (3, 3, 3) and an
# array (3, 3), the step first.


# %%
def other_terms(x, deltas):
    """Return the terms of W_xh and those of b_h, for t = 1, 2, 3."""
    ### BEGIN SOLUTION
    W_xh_terms = np.array([np.outer(x[t - 1], deltas[t]) for t in (1, 2, 3)])
    return W_xh_terms, deltas[1:]
    ### END SOLUTION


# %%
def in_one(arrays):
    """Return arrays as one vector."""
    return np.concatenate([np.ravel(array) for array in arrays])


def terms_of_package():
    """Return the terms of W_xh and b_h as the package finds them."""
    terms = rnn.bptt_terms(net, [x], [y])
    return in_one([terms["W_xh"], terms["b_h"]])


check(
    lambda: in_one(other_terms(x, deltas)),
    terms_of_package,
    hint="X_t stands where H_{t-1} does in W_hh; x[0] is the first word",
)

# %% [markdown]
# ## All of it in ten lines
#
# Put together, for a text of any length, it is a loop that goes backwards
# through time. What it needs of the forward pass are the states, all of
# them: that is why training takes so much more memory than reading.


# %%
def backward(x, y, W_xh, W_hh, b_h, W_hq, b_q):
    """Return the gradients of the five parameters, in their order."""
    H, output = forward(x, W_xh, W_hh, b_h, W_hq, b_q)
    dO = 1 / (1 + np.exp(-output)) - y  # p - y
    dW_xh, dW_hh, db_h = (np.zeros_like(W) for W in (W_xh, W_hh, b_h))
    dH = dO * W_hq[:, 0]  # (6)
    for t in range(len(x), 0, -1):
        delta = dH * (1 - H[t] ** 2)  # (7)
        dW_xh += np.outer(x[t - 1], delta)  # (9)
        dW_hh += np.outer(H[t - 1], delta)
        db_h += delta
        dH = delta @ W_hh.T  # (8)
    return [dW_xh, dW_hh, db_h, dO * H[-1][:, None], np.array([dO])]


# %%
_, gradients = net.gradients([x], [y])
for one, other in zip(backward(x, y, *net.arrays()), gradients):
    assert np.allclose(one, other, rtol=0, atol=1e-14)
long_text = np.eye(3)[np.random.default_rng(1).integers(3, size=50)]
_, of_fifty = net.gradients([long_text], [0])
for one, other in zip(backward(long_text, 0, *net.arrays()), of_fifty):
    assert np.allclose(one, other, rtol=0, atol=1e-12)
print("for 3 words and for 50, all gradients are the framework's")

# %% [markdown]
# Count the work: each step back has one product with $\mathbf{W}_{hh}$ where
# the step forward had one, and one more for the sum of (9). So going back
# costs about twice what going forward does, however many weights there are.
# To move each weight by itself and look what happens to the loss would cost
# a forward pass for each of them.
#
# ## The framework's terms
#
# A framework returns the sum only. To see its terms, one gives each step a
# *copy* of the weights: the gradient of a copy is what that step adds.
# `rnn.bptt_terms` does so.

# %%
terms = rnn.bptt_terms(net, [x], [y])
gap = np.abs(terms["W_hh"] - W_hh_terms).max()
print("each term by hand is the framework's:", gap < 1e-14)
for name, gradient in zip(["W_xh", "W_hh", "b_h"], gradients):
    same = np.allclose(terms[name].sum(0), gradient)
    print(f"{name}: the terms add up to the gradient: {same}")

# %%
bound = max(np.abs(terms[name]).max() for name in ("W_xh", "W_hh"))
axes = plot.new_axes(11, 6, columns=4, rows=2)
for row, name in zip(axes, ("W_xh", "W_hh")):
    shown = [*terms[name], terms[name].sum(axis=0)]
    titles = ["t = 1", "t = 2", "t = 3", "sum"]
    for ax, values, title in zip(row, shown, titles):
        ax.imshow(values, cmap="PuOr", vmin=-1.6 * bound, vmax=1.6 * bound)
        for (i, j), value in np.ndenumerate(values):
            shown_as = f"{value:.3f}" if value else "0"
            ax.text(j, i, shown_as, ha="center", va="center", fontsize=13)
        ax.set(xticks=[], yticks=[])
        ax.set_title(f"$W_{{{name[2:]}}}$, {title}")
        ax.grid(False)
present(axes, "The terms of both matrices for three steps, and the sums.")

# %% [markdown]
# Two things can be read from it. A term of $\mathbf{W}_{xh}$ has one row
# that is not zero, that of the word read at this step. And the first term of
# $\mathbf{W}_{hh}$ is zero throughout, because before the first word there
# is no memory to use.
#
# ### Exercise 3
#
# A gradient says how the loss changes when a weight does. That can be tried
# without any chain rule: move one element up and down by a small $\epsilon$
# and take the difference of the losses, divided by $2\epsilon$. Do so for
# all elements of $\mathbf{W}_{hh}$; `loss(W_xh, W_hh, b_h, W_hq, b_q)` is
# the loss.


# %%
def finite_differences(epsilon=1e-5):
    """Return the gradient of the loss for W_hh (3, 3), moving each."""
    gradient = np.zeros_like(W_hh)
    ### BEGIN SOLUTION
    for place in np.ndindex(*W_hh.shape):
        step = np.zeros_like(W_hh)
        step[place] = epsilon
        up = loss(W_xh, W_hh + step, b_h, W_hq, b_q)
        down = loss(W_xh, W_hh - step, b_h, W_hq, b_q)
        gradient[place] = (up - down) / (2 * epsilon)
    return gradient
    ### END SOLUTION


# %%
check(
    finite_differences,
    lambda: net.gradients([x], [y])[1][1],
    hint="the loss with one element larger, less that with it smaller",
    tolerance=1e-5,
)

# %% [markdown]
# Enough to learn from? Trained on three sentences, two that are to be
# accepted and one that is not, the network finds an order that tells them
# apart:

# %%
X = [one_hot(sentence) for sentence in sentences]
labels = np.array(list(sentences.values()))
learner = rnn.SequenceClassifierScratch(3, 3, 1, seed=0)
before = learner.probabilities(X)
rnn.train_sequences(learner, [(X, labels)], 0.05, 300, progress=False)
for row in zip(sentences, labels, before, learner.probabilities(X)):
    print("{}: expected {}, before {:.2f}, after {:.2f}".format(*row))

# %% [markdown]
# ## Vanishing and exploding
#
# On the way back, each step multiplies by the same matrix,
# $\mathbf{W}_{hh}^\top$. Over $k$ steps, leaving the factors $1 -
# \mathbf{H}_t^2 \le 1$ aside,
#
# $$\frac{\partial L}{\partial \mathbf{H}_{t-k}} \approx
# \frac{\partial L}{\partial \mathbf{H}_t}
# \left(\mathbf{W}_{hh}^\top\right)^k. \tag{10}$$
#
# What a power of a matrix does is said by its eigenvalues: they are raised
# to the same power. The largest in absolute value is the *spectral radius*
# $\rho$. Under 1 the product dies out, over 1 it grows without end, in both
# cases exponentially. There is little room in between: over a hundred steps,
# 0.9 makes of 1 about 0.00003, and 1.1 about 14,000.

# %%
base = np.random.default_rng(0).normal(size=(64, 64))
base /= spectral_radius(base)
powers = np.arange(0, 101)
ax = plot.new_axes(8, 4.8)
for number, radius in enumerate((1.1, 1.0, 0.9, 0.5)):
    vector, norms = np.ones(64) / 8, []
    for _ in powers:
        norms.append(np.linalg.norm(vector))
        vector = radius * base @ vector
    style = {"label": rf"$\rho$ = {radius}", **plot.line_style(number)}
    ax.plot(powers[::4], norms[::4], **style)
ax.set(xlabel="steps back k", ylabel="norm", yscale="log", ylim=(1e-13, 1e7))
ax.legend(ncols=2, loc="lower right")
present(ax, "Over 100 steps the norm grows, stays, or all but vanishes.")

# %% [markdown]
# ### Exercise 4
#
# With $\rho = 0.9$, after how many steps has a gradient lost 99% of its
# length, if each step multiplies it by $\rho$? Give the smallest whole
# number.

# %%
### BEGIN SOLUTION
num_steps_to_forget = int(np.ceil(np.log(0.01) / np.log(0.9)))
### END SOLUTION

# %%
check(
    num_steps_to_forget,
    int(np.argmax(0.9 ** np.arange(1000) <= 0.01)),
    hint="0.9 to the power of k is 0.01 or less; take logarithms",
)

# %% [markdown]
# Now with the network itself, its tanh included. `gradient_norms` returns
# the norm of $\partial L / \partial \mathbf{H}_t$ for every $t$, $L$ being
# the loss of the last step of 100 characters; `scale_recurrent` gives
# $\mathbf{W}_{hh}$ a spectral radius.

# %%
at_hand = time_machine_at_hand()
load_data = rnn.load_data_time_machine if at_hand else rnn.load_data_builtin
num_steps = full_or_fast(100, 40)
train_iter, vocab = load_data(batch_size=8, num_steps=num_steps, seed=0)
ids, targets = next(iter(train_iter))
functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn


def make_net(radius):
    """Return a network of 64 units, its weights of that radius."""
    settings = {"seed": 0, "dtype": "float64"}
    net = rnn.RNNModelScratch(len(vocab), 64, *functions, **settings)
    larger = [10 * array for array in net.arrays()]  # they spread by 0.1
    net.load_arrays(larger)
    rnn.scale_recurrent(net, radius)
    return net


norms = {}
for radius in (2.0, 1.5, 1.0, 0.5):
    label = rf"$\rho$ = {radius}"
    of_radius = make_net(radius)
    norms[label] = rnn.gradient_norms(
        of_radius, ids, targets, last_only=True
    )
ax = plot.gradient_norms(norms, plot.new_axes(8, 4.8))
ax.set(ylabel=r"norm of $\partial L / \partial H_t$", ylim=(1e-20, 1e10))
ax.legend(loc="lower right")
present(ax, "Going back, gradients vanish or explode as the radius says.")

# %% [markdown]
# Read it from right to left, the way that gradients go. With a radius of 0.5
# the loss knows nothing of what stood twenty characters earlier. At a radius
# of 1 gradients still vanish, because of the factors $1 - \mathbf{H}_t^2$;
# they keep longest somewhat above. Far above, they explode.
#
# What that means for learning: in the sum of (5), the terms of far steps are
# either nothing beside those of near ones, or all that counts. In the first
# case the network learns what is near, and never hears of the rest. In the
# second, the gradient is dominated by what happened long ago, and is huge.
#
# ### Exercise 5
#
# Is there a matrix that does neither? Give $\mathbf{W}_{hh}$, (64, 64), with
# which a vector keeps its length over 100 steps, whatever vector it is, and
# which still has each unit act on others: not a diagonal matrix. (Leave tanh
# aside, as in (10).)

# %%
### BEGIN SOLUTION
random = np.random.default_rng(2).normal(size=(64, 64))
W_keep, _ = np.linalg.qr(random)
### END SOLUTION


# %%
def lengths_kept(W):
    """Return the extreme lengths that unit vectors have after 100 steps."""
    found = np.linalg.svd(np.linalg.matrix_power(W, 100), compute_uv=False)
    return found.max(), found.min()


check(
    lambda: [*lengths_kept(W_keep), np.count_nonzero(W_keep) > 64],
    [1, 1, 1],
    hint="orthogonal matrices turn vectors and leave lengths; np.linalg.qr",
)

# %% [markdown]
# Such matrices are used to begin with, and there are networks that are held
# to them throughout. tanh still wears down what they keep, and a network
# that can never forget has a problem of its own.
#
# ## Clipping
#
# Vanished gradients cannot be brought back; notebooks 6 and 7 are about
# cells that lose less. For exploding ones there is a remedy. Take the
# smallest recurrent network there is, $h_t = w h_{t-1}$ from $h_0 = 1$, with
# the loss $L = \frac{1}{2} (h_{30} - \frac{1}{2})^2$. There $h_{30} =
# w^{30}$, and the loss is flat on the left and a wall on the right. A step
# of gradient descent from the wall is as long as the wall is steep. Clipping
# (`rnn.grad_clipping`, notebook 3) keeps the direction and shortens the
# step.


# %%
def cliff(w):
    """Return the loss and its derivative."""
    return 0.5 * (w**30 - 0.5) ** 2, (w**30 - 0.5) * 30 * w**29


paths = {}
for theta in (1e9, 1.0):
    w = 1.08
    path = [w]
    for _ in range(12):
        gradient = rnn.from_numpy(np.array([cliff(w)[1]]))
        clipped, _ = rnn.grad_clipping([gradient], theta)
        w -= 0.02 * rnn.to_numpy(clipped[0]).item()
        path.append(w)
        if abs(w) > 2:
            break
    paths[theta] = path
ax = plot.new_axes(8, 4.8)
line = np.linspace(0.75, 1.1, 150)
ax.plot(line, cliff(line)[0], color="black", linewidth=2)
clipped = np.array(paths[1.0])
style = {"color": plot.COLOURS[0], "label": "clipped at 1"}
ax.plot(clipped, cliff(clipped)[0], "o-", **style)
away = {"arrowstyle": "-|>", "color": plot.COLOURS[1], "lw": 3}
away["mutation_scale"] = 25
first = 1.08, cliff(1.08)[0]
ax.annotate("", (0.76, first[1]), first, arrowprops=away)
words = f"not clipped: the first step ends at w = {paths[1e9][1]:.0f}"
ax.annotate(words, (0.77, first[1] * 1.4))
ax.set(xlabel="w", ylabel="loss", yscale="log", ylim=(1e-4, 600))
ax.legend(loc="lower left")
present(ax, "Clipped steps walk down the wall; without, one step leaves it.")

# %% [markdown]
# ## Truncation
#
# All terms of a long text cost time and memory, so the sum is cut off: only
# the last $\tau$ steps count. That is *truncated* backpropagation through
# time, and it happens at the edge of every minibatch. What is lost? Here the
# terms of $\mathbf{W}_{hh}$ for 40 steps are added up from the end; the
# error is the distance from the whole sum, relative to its length.

# %%
length = full_or_fast(40, 12)
sequence = np.eye(3)[np.random.default_rng(0).integers(3, size=length)]
lost = {}
for radius in (1.2, 0.9, 0.5):
    reader = rnn.SequenceClassifierScratch(3, 32, 1, seed=0, dtype="float64")
    rnn.scale_recurrent(reader, radius)
    by_step = rnn.bptt_terms(reader, [sequence], [1])["W_hh"]
    from_the_end = np.cumsum(by_step[::-1], axis=0)  # of the last 1, 2, ...
    whole = from_the_end[-1]
    distances = np.linalg.norm(from_the_end - whole, axis=(1, 2))
    # The first term is 0, and without it the sum is whole already.
    lost[radius] = distances[:-2] / np.linalg.norm(whole)
ax = plot.new_axes(8, 4.8)
for number, (radius, values) in enumerate(lost.items()):
    label = rf"$\rho$ = {radius}"
    places = range(1, length - 1)
    ax.plot(places, values, label=label, **plot.line_style(number))
ax.set(xlabel=r"steps that count, $\tau$", ylabel="error of the gradient")
ax.set(yscale="log", ylim=(1e-10, 10))
ax.legend(loc="lower left")
present(ax, "The more steps count, the smaller the error of the gradient.")

# %% [markdown]
# With small weights nothing much is lost, since what is cut off has vanished
# anyway. With weights that carry memory far, truncation changes the
# gradient: the network learns what is near rather than what is far. In
# practice that is often good enough, and keeps training stable.
#
# A third way, besides the whole sum and a fixed cut, is to cut at random: at
# each step the chain goes on with probability $\pi$, or ends. Let $\xi_t$ be
# a factor that is 0 if it ends there and $c$ if it goes on. In place of (4),
#
# $$\mathbf{z}_t = \frac{\partial \mathbf{H}_t}{\partial w} + \xi_t
# \frac{\partial \mathbf{H}_t}{\partial \mathbf{H}_{t-1}} \mathbf{z}_{t-1}.
# \tag{11}$$
#
# If the mean of $\xi_t$ is 1, the mean of $\mathbf{z}_t$ is what (4) gives:
# with the right $c$, the gradient is right *on average*.
#
# ### Exercise 6
#
# Which factor is it for $\pi = 0.8$? And what does it become over 10 steps,
# for a chain that has not ended by then?

# %%
### BEGIN SOLUTION
factor = 1 / 0.8
after_ten_steps = factor**10
### END SOLUTION

# %%
check(
    [factor, after_ten_steps],
    lambda: [np.exp(-steps * np.log(0.8)) for steps in (1, 10)],
    hint="probability times factor is 1; ten steps multiply ten factors",
)

# %% [markdown]
# That is the price: rare long chains, with large factors. Below, the terms
# from above for $\rho = 0.9$ are cut at random, again and again. The error
# of a single such gradient is large; that of the mean over many gets small.
# A fixed cut after the mean number of steps is off by as much each time, and
# no averaging helps.

# %%
reader = rnn.SequenceClassifierScratch(3, 32, 1, seed=0, dtype="float64")
rnn.scale_recurrent(reader, 0.9)
back = rnn.bptt_terms(reader, [sequence], [1])["W_hh"][::-1]  # last first
whole, rng, going_on = back.sum(axis=0), np.random.default_rng(0), 0.8
num_draws, size = full_or_fast(3000, 200), np.linalg.norm(whole)
weights = going_on ** -np.arange(len(back))  # of the term so many steps back
total, random_error = np.zeros_like(whole), []
for draw in range(1, num_draws + 1):
    last = min(rng.geometric(1 - going_on), len(back))
    total += np.tensordot(weights[:last], back[:last], axes=1)
    random_error.append(np.linalg.norm(total / draw - whole) / size)
fixed_error = np.linalg.norm(back[:5].sum(axis=0) - whole) / size
shown = np.unique(np.geomspace(1, num_draws, 60).astype(int))
ax = plot.new_axes(8, 4.8)
label = "cut at random, mean so far"
ax.plot(shown, np.array(random_error)[shown - 1], label=label)
ax.axhline(fixed_error, color=plot.COLOURS[1], label="cut after 5 steps")
ax.set(xlabel="gradients averaged", ylabel="error", xscale="log")
ax.set(yscale="log")
ax.legend()
present(ax, "The error of the random cut falls with the number of draws.")

# %% [markdown]
# In training, each step has but one gradient, and its noise comes on top of
# that of the minibatch. So the fixed cut is what one sees in practice: it is
# cheap, steady, and wrong in a way that often does no harm, since what it
# leaves out is what had all but vanished.
#
# ## What to take away
#
# - The gradient of a shared weight is a sum of one term for each step.
# - What arrives at a step has been multiplied by $\mathbf{W}_{hh}^\top$ once
#   for each step back.
# - So it vanishes or explodes exponentially; the spectral radius says which.
# - Clipping cures exploding. Against vanishing, other cells are needed.
# - Truncation leaves out the far terms, random truncation trades that error
#   for noise.
#
# **Proven in the repository.** Terms, in `tests/nets/test_sequences.py`:
# `test_bptt_terms_add_up_to_the_gradient_that_the_framework_finds`,
# `test_bptt_terms_are_those_of_the_reference` and
# `test_the_order_of_three_words_is_learned`. That gradients by hand are
# finite differences: `test_the_reference_s_gradients_are_finite_differences`
# in `tests/measure/test_agreement.py`. Norms and radii, in
# `tests/measure/test_gradient_flow.py`:
# `test_every_backend_finds_the_norms_that_bptt_has`,
# `test_recurrent_weights_are_scaled_to_a_spectral_radius` and
# `test_gradients_vanish_under_a_radius_of_one_and_explode_over_it`. Clipping
# and truncation, in `tests/training/test_training.py`:
# `test_gradients_are_clipped_by_their_joint_norm` and
# `test_a_state_carried_on_brings_no_gradient_from_before`.
