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
# A recurrent network uses the same weights at every time step, so the
# gradient of a weight is a sum with one term per step. This notebook
# computes each term of the sum by hand, for a text of three words,
# `cat mat rat`, with NumPy only, and compares all numbers with those of the
# framework. A function of ten lines then computes the same for a text of any
# length. For longer texts the terms vanish or explode. The notebook shows
# three remedies for this problem and the disadvantage of each.
#
# The notebook follows section 9.7 of *Dive into Deep Learning* and uses its
# notation. Notebook 3 implements the network. You should know the chain
# rule.

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

# Before any import of a framework: float64 in JAX, fewer messages.
backends.prepare()
plot.use_style()

# %% [markdown]
# This notebook runs on any of five backends. To choose one, edit only the
# following line.

# %%
from d2lrnn import torch as rnn  # or tensorflow, jax, mxnet, numpy

# %% [markdown]
# ## Three words
#
# The vocabulary has three words. The network accepts or rejects a sentence
# that consists of all three. Each word is a one-hot vector. The answer
# depends on the order of the words, so the hidden state must contain
# information about the earlier words.

# %%
words = ["cat", "mat", "rat"]
sentences = {"cat mat rat": 1, "rat mat cat": 0, "rat cat mat": 1}


def one_hot(sentence):
    """Return a sentence as rows (3, 3), one for each word."""
    return np.eye(3)[[words.index(word) for word in sentence.split()]]


x, y = one_hot("cat mat rat"), 1
print(x)

# %% [markdown]
# The network has three hidden units. Starting with $\mathbf{H}_0 =
# \mathbf{0}$, for $t = 1, 2, 3$,
#
# $$\mathbf{A}_t = \mathbf{X}_t \mathbf{W}_{xh} +
# \mathbf{H}_{t-1} \mathbf{W}_{hh} + \mathbf{b}_h, \qquad
# \mathbf{H}_t = \tanh(\mathbf{A}_t), \tag{1}$$
#
# and the output is computed only from the last state. It gives the
# probability $p$ that the sentence is accepted:
#
# $$O = \mathbf{H}_3 \mathbf{W}_{hq} + b_q, \qquad
# p = \frac{1}{1 + \exp(-O)}. \tag{2}$$
#
# The label $y$ is 1 for a sentence that should be accepted, and 0 otherwise.
# The loss is the cross-entropy,
#
# $$L = -y \log p - (1 - y) \log(1 - p). \tag{3}$$

# %%
net = rnn.SequenceClassifierScratch(3, 3, 1, seed=0, dtype="float64")
W_xh, W_hh, b_h, W_hq, b_q = net.arrays()
for name, array in zip(["W_xh", "W_hh", "W_hq"], [W_xh, W_hh, W_hq]):
    print(name, *(array.round(3) + 0.0).tolist(), sep="\n     ")

# %% [markdown]
# ## Forward pass
#
# The forward pass stores all hidden states, because the backward pass needs
# them.


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
# ## Backward pass, one step at a time
#
# We want to know how $L$ changes with each weight. A weight $w$ in
# $\mathbf{W}_{hh}$ influences $L$ in several ways: directly through
# $\mathbf{H}_3$, and through the earlier states $\mathbf{H}_2$ and
# $\mathbf{H}_1$. In the chain rule, each state depends on $w$ directly and
# through the previous state,
#
# $$\frac{\mathrm{d} \mathbf{H}_t}{\mathrm{d} w} =
# \frac{\partial \mathbf{H}_t}{\partial w} +
# \frac{\partial \mathbf{H}_t}{\partial \mathbf{H}_{t-1}}
# \frac{\mathrm{d} \mathbf{H}_{t-1}}{\mathrm{d} w}, \tag{4}$$
#
# where $\partial$ means that all other variables are constant. Inserting
# this equation into itself repeatedly gives one product for each earlier
# step:
#
# $$\frac{\mathrm{d} \mathbf{H}_T}{\mathrm{d} w} = \sum_{t=1}^{T}
# \left( \prod_{s=t+1}^{T} \frac{\partial \mathbf{H}_s}
# {\partial \mathbf{H}_{s-1}} \right)
# \frac{\partial \mathbf{H}_t}{\partial w}. \tag{5}$$
#
# Everything else in this notebook follows from (5): the gradient is a *sum*
# over time steps, and each term contains a *product* that has more factors
# for earlier steps. It is not necessary to compute each product separately.
# The backward pass starts at the end and reuses the product of the later
# steps.
#
# First, how does $L$ change with the output? From (2), $\partial p /
# \partial O = p (1 - p)$, and from (3), $\partial L / \partial p = (p - y) /
# (p (1 - p))$. Their product is $\partial L / \partial O = p - y$, the error
# of the prediction. From there, the gradient flows backward along the lines
# in the figure.

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
present(
    pen.ax, "Arrows lead from the loss back to each of the three states."
)

# %% [markdown]
# Let $\boldsymbol{\delta}_t = \partial L / \partial \mathbf{A}_t$. The
# derivative of tanh is $1 - \tanh^2$, which is known from the forward pass.
# Starting with the last step, and with $\odot$ for the product element by
# element,
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
# Each $\mathbf{A}_t$ contains every weight once. Therefore each time step
# adds one term to the gradient of each weight:
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
# The network predicts 0.9. How large is $\partial L / \partial O$ if the
# label is 1, and if the label is 0? And for which $p$ are all gradients zero
# if $y = 1$? Give this $p$ as the third number.

# %%
### BEGIN SOLUTION
at_yes, at_no, no_gradient = -0.1, 0.9, 1.0
### END SOLUTION

# %%
check(
    [at_yes, at_no, no_gradient],
    lambda: [0.9 - 1, 0.9 - 0, 1.0],
    hint="it is p - y; all earlier gradients are multiplied by it",
)

# %% [markdown]
# ### Exercise 2
#
# The terms of $\mathbf{W}_{hh}$ are computed above. Compute those of
# $\mathbf{W}_{xh}$ and of $\mathbf{b}_h$ from `x` and `deltas`: an array (3,
# 3, 3) and an array (3, 3). The first axis is the time step.


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
    """Return the terms of W_xh and b_h as the package computes them."""
    terms = rnn.bptt_terms(net, [x], [y])
    return in_one([terms["W_xh"], terms["b_h"]])


check(
    lambda: in_one(other_terms(x, deltas)),
    terms_of_package,
    hint="use X_t instead of H_{t-1}; x[0] is the first word",
)

# %% [markdown]
# ## The complete backward pass in ten lines
#
# For a text of any length, the backward pass is a loop from the last time
# step to the first. It needs all states of the forward pass. For this
# reason, training needs much more memory than prediction.


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
print("3 and 50 words: all gradients equal those of the framework")

# %% [markdown]
# How many multiplications are needed? The forward pass has one product with
# $\mathbf{W}_{hh}$ per step. The backward pass has one product with its
# transpose, and one more for the sum in (9). So the backward pass costs
# about twice as much as the forward pass, for any number of weights.
# Computing the gradient by changing each weight separately would need one
# forward pass per weight.
#
# ## The terms of the framework
#
# A framework returns only the sum. To get its terms, we give each time step
# its own *copy* of the weights: the gradient of a copy is the term of its
# step. The function `rnn.bptt_terms` does this.

# %%
terms = rnn.bptt_terms(net, [x], [y])
gap = np.abs(terms["W_hh"] - W_hh_terms).max()
print("terms by hand and of the framework agree:", gap < 1e-14)
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
# The figure shows two facts. A term of $\mathbf{W}_{xh}$ has only one row
# that is not zero, that of the input word of this step. And the first term
# of $\mathbf{W}_{hh}$ is zero, because the initial state is zero.
#
# ### Exercise 3
#
# A gradient states how the loss changes with a weight. This can be verified
# without the chain rule: increase and decrease one element by a small
# $\epsilon$, and divide the difference of the two losses by $2\epsilon$. Do
# this for all elements of $\mathbf{W}_{hh}$. The function
# `loss(W_xh, W_hh, b_h, W_hq, b_q)` computes the loss.


# %%
def finite_differences(epsilon=1e-5):
    """Return the gradient for W_hh (3, 3), by finite differences."""
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
    hint="(loss with the element + epsilon) - (loss with it - epsilon)",
    tolerance=1e-5,
)

# %% [markdown]
# The next cell trains the network on three sentences, of which two should be
# accepted and one rejected. It learns to distinguish their orders:

# %%
X = [one_hot(sentence) for sentence in sentences]
labels = np.array(list(sentences.values()))
learner = rnn.SequenceClassifierScratch(3, 3, 1, seed=0)
before = learner.probabilities(X)
rnn.train_sequences(learner, [(X, labels)], 0.05, 300, progress=False)
for row in zip(sentences, labels, before, learner.probabilities(X)):
    print("{}: expected {}, before {:.2f}, after {:.2f}".format(*row))

# %% [markdown]
# ## Vanishing and exploding gradients
#
# In the backward pass, each step multiplies by the same matrix
# $\mathbf{W}_{hh}^\top$. Over $k$ steps, and without the factors $1 -
# \mathbf{H}_t^2 \le 1$,
#
# $$\frac{\partial L}{\partial \mathbf{H}_{t-k}} \approx
# \frac{\partial L}{\partial \mathbf{H}_t}
# \left(\mathbf{W}_{hh}^\top\right)^k. \tag{10}$$
#
# The eigenvalues determine the power of a matrix: they are raised to the
# same power. The largest absolute value of the eigenvalues is the *spectral
# radius* $\rho$. If it is less than 1, the product decreases exponentially;
# if it is greater than 1, the product grows exponentially. Small differences
# matter: over a hundred steps, a factor of 0.9 becomes about 0.00003, and a
# factor of 1.1 becomes about 14,000.

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
present(ax, "Over 100 steps the norm grows, stays, or nearly vanishes.")

# %% [markdown]
# ### Exercise 4
#
# For $\rho = 0.9$, after how many steps has a gradient lost 99% of its
# length, if each step multiplies the length by $\rho$? Give the smallest
# integer.

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
# Now we measure the gradients of the network itself, including tanh.
# `gradient_norms` returns the norm of $\partial L / \partial \mathbf{H}_t$
# for every $t$, where $L$ is the loss of the last of 100 characters.
# `scale_recurrent` scales $\mathbf{W}_{hh}$ to a given spectral radius.

# %%
at_hand = time_machine_at_hand()
load_data = rnn.load_data_time_machine if at_hand else rnn.load_data_builtin
num_steps = full_or_fast(100, 40)
train_iter, vocab = load_data(batch_size=8, num_steps=num_steps, seed=0)
ids, targets = next(iter(train_iter))
functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn


def make_net(radius):
    """Return a network of 64 units with that spectral radius."""
    settings = {"seed": 0, "dtype": "float64"}
    net = rnn.RNNModelScratch(len(vocab), 64, *functions, **settings)
    larger = [10 * array for array in net.arrays()]  # standard deviation 0.1
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
present(ax, "Gradients vanish or explode, depending on the spectral radius.")

# %% [markdown]
# Read the figure from right to left, in the direction of the backward pass.
# With a radius of 0.5, characters more than twenty steps before the end have
# no measurable influence on the gradient. With a radius of 1 gradients still
# vanish, because of the factors $1 - \mathbf{H}_t^2$. They keep their size
# best for a radius slightly above 1. For much larger radii they explode.
#
# What does this mean for learning? In the sum of (5), the terms of distant
# steps are either negligible or dominate the sum. In the first case the
# network learns only short-range dependencies. In the second case the
# gradient is huge and is determined by the distant past.
#
# ### Exercise 5
#
# Is there a matrix that avoids both? Find a matrix $\mathbf{W}_{hh}$ (64,
# 64) for which every vector keeps its length over 100 steps. It must not be
# diagonal, so that units influence one another. (Ignore tanh, as in (10).)

# %%
### BEGIN SOLUTION
random = np.random.default_rng(2).normal(size=(64, 64))
W_keep, _ = np.linalg.qr(random)
### END SOLUTION


# %%
def lengths_kept(W):
    """Return the extreme lengths of unit vectors after 100 steps."""
    sigma = np.linalg.svd(np.linalg.matrix_power(W, 100), compute_uv=False)
    return sigma.max(), sigma.min()


check(
    lambda: [*lengths_kept(W_keep), np.count_nonzero(W_keep) > 64],
    [1, 1, 1],
    hint="orthogonal matrices preserve lengths; np.linalg.qr makes one",
)

# %% [markdown]
# Such matrices are used as initial values, and some networks keep
# $\mathbf{W}_{hh}$ orthogonal during training. The slope of tanh still makes
# gradients smaller. And a network that keeps all information has another
# disadvantage: it cannot forget what it no longer needs.
#
# ## Clipping
#
# Gradients that have vanished cannot be restored; notebooks 6 and 7 describe
# cells in which gradients vanish less. For exploding gradients there is a
# remedy. Consider the smallest recurrent network, $h_t = w h_{t-1}$ with
# $h_0 = 1$, and the loss $L = \frac{1}{2} (h_{30} - \frac{1}{2})^2$. Here
# $h_{30} = w^{30}$, so the loss is flat on the left and very steep on the
# right, like a wall. On the wall, a step of gradient descent is extremely
# long. Clipping (`rnn.grad_clipping`, see notebook 3) keeps the direction
# and shortens the step.


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
present(ax, "Clipped steps descend the wall; one unclipped step jumps away.")

# %% [markdown]
# ## Truncation
#
# For a long text, computing all terms needs much time and memory. Therefore
# the sum is truncated to the last $\tau$ steps. This is *truncated*
# backpropagation through time. It happens at the boundary of every
# minibatch. How large is the error? The next cell adds the terms of
# $\mathbf{W}_{hh}$ for 40 steps, beginning with the last. The error is the
# distance from the complete sum, relative to the length of the complete sum.

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
    # The first term is 0, so the sum is complete without it.
    lost[radius] = distances[:-2] / np.linalg.norm(whole)
ax = plot.new_axes(8, 4.8)
for number, (radius, values) in enumerate(lost.items()):
    label = rf"$\rho$ = {radius}"
    places = range(1, length - 1)
    ax.plot(places, values, label=label, **plot.line_style(number))
ax.set(xlabel=r"steps that count, $\tau$", ylabel="error of the gradient")
ax.set(yscale="log", ylim=(1e-10, 10))
ax.legend(loc="lower left")
present(
    ax, "The more steps in the sum, the smaller the error of the gradient."
)

# %% [markdown]
# With small weights, little is lost, because the omitted terms have vanished
# anyway. With larger weights, truncation changes the gradient: the network
# learns short-range rather than long-range dependencies. In practice this is
# often sufficient, and it makes training stable.
#
# A third method is to truncate at random: at each step, the sum continues
# with probability $\pi$ and ends otherwise. Let $\xi_t$ be a factor that is
# 0 if the sum ends and $c$ if it continues. Equation (4) is replaced by
#
# $$\mathbf{z}_t = \frac{\partial \mathbf{H}_t}{\partial w} + \xi_t
# \frac{\partial \mathbf{H}_t}{\partial \mathbf{H}_{t-1}} \mathbf{z}_{t-1}.
# \tag{11}$$
#
# If the mean of $\xi_t$ is 1, the mean of $\mathbf{z}_t$ equals the value in
# (4). So with the right $c$, the gradient is right *on average*.
#
# ### Exercise 6
#
# What is the factor $c$ for $\pi = 0.8$? And what is the product of the
# factors over 10 steps, if the sum has not ended before?

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
# This is the disadvantage: long sums are rare but have large factors. The
# next cell applies random truncation many times to the terms above, for
# $\rho = 0.9$. The error of one such gradient is large. The error of the
# mean of many gradients becomes small. Truncation after a fixed number of
# steps always has the same error, and averaging does not reduce it.

# %%
reader = rnn.SequenceClassifierScratch(3, 32, 1, seed=0, dtype="float64")
rnn.scale_recurrent(reader, 0.9)
back = rnn.bptt_terms(reader, [sequence], [1])["W_hh"][::-1]  # last first
whole, rng, going_on = back.sum(axis=0), np.random.default_rng(0), 0.8
num_draws, size = full_or_fast(3000, 200), np.linalg.norm(whole)
weights = going_on ** -np.arange(len(back))  # by distance
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
present(ax, "The error of random truncation falls with the number of draws.")

# %% [markdown]
# In training, each update uses only one gradient. The noise of random
# truncation is added to the noise of the minibatch. Therefore truncation
# after a fixed number of steps is used in practice: it is cheap, has no
# additional noise, and its error is often harmless, because the omitted
# terms are small.
#
# ## What to take away
#
# - The gradient of a shared weight is a sum with one term per time step.
# - The gradient that reaches an earlier step was multiplied by
#   $\mathbf{W}_{hh}^\top$ once per step.
# - Therefore it vanishes or explodes exponentially, depending on the
#   spectral radius.
# - Clipping is a remedy for exploding gradients. Against vanishing
#   gradients, other cells are needed.
# - Truncation omits the terms of distant steps. Random truncation replaces
#   this error by noise.
#
# **Proven in the repository.** Terms, in `tests/nets/test_sequences.py`:
# `test_bptt_terms_add_up_to_the_gradient_of_the_framework`,
# `test_bptt_terms_equal_those_of_the_reference` and
# `test_the_order_of_three_words_is_learned`. Gradients by hand equal finite
# differences: `test_the_reference_s_gradients_equal_finite_differences` in
# `tests/measure/test_agreement.py`. Norms and radii, in
# `tests/measure/test_gradient_flow.py`:
# `test_every_backend_computes_the_norms_of_the_reference`,
# `test_recurrent_weights_are_scaled_to_a_spectral_radius` and
# `test_gradients_vanish_under_a_radius_of_one_and_explode_over_it`. Clipping
# and truncation, in `tests/training/test_training.py`:
# `test_gradients_are_clipped_by_their_joint_norm` and
# `test_a_carried_state_has_no_gradient_of_earlier_minibatches`.
