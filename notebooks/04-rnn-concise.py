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
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/d2lrnn/d2lrnn/blob/main/notebooks/04-rnn-concise.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/d2lrnn/d2lrnn/blob/main/notebooks/04-rnn-concise.ipynb)
#
# # 4. The concise model, and proof that it is the same
#
# Every framework contains a recurrent layer. With this layer, the network of
# notebook 3 needs only two lines of code. But is it the same network? This
# notebook shows that it is. First, the computation of the layer is written
# in ten lines of NumPy. Then both networks get the same parameters, and
# their outputs, their gradients and a hundred steps of training are
# compared. Two differences remain, and both are explained: a second bias,
# and the initial values.
#
# The notebook follows section 9.6 of *Dive into Deep Learning* and uses its
# notation. Notebook 3 implements the same network from scratch. NumPy does
# not have recurrent layers, so this notebook runs on the other four
# backends.

# %%
import importlib.util

if importlib.util.find_spec("d2lrnn") is None:
    # %pip install -q "d2lrnn[torch] @ git+https://github.com/d2lrnn/d2lrnn"
    importlib.invalidate_caches()

# %%
import time

import numpy as np

from d2lrnn import backends, plot
from d2lrnn.measure.gradient_flow import spectral_radius
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
# This notebook runs on any of four backends. To choose one, edit only the
# following line.

# %%
from d2lrnn import torch as rnn  # or tensorflow, jax, mxnet, numpy

# %% [markdown]
# ## Why use a layer of the framework?
#
# The loop in notebook 3 was written for readers. The layer of a framework
# has other advantages.
#
# - *Speed.* At each time step, our loop calls several small operations from
#   Python. A layer processes the whole sequence in compiled code.
# - *Fewer mistakes.* Shapes, initial states and gates were tested by
#   thousands of users.
# - *More features.* Several layers, both directions, and dropout between
#   layers are arguments (notebook 8).
#
# The disadvantage is that the computation is hidden. Names and shapes differ
# between frameworks, and the book does not list them. Therefore, this
# notebook does what is useful for every component whose code you cannot see:
# it computes the same result in another way and compares.
#
# ## The layer
#
# The data are those of notebook 3. The layer computes hidden states from
# one-hot vectors, equation (1). The model adds the output layer, which
# computes scores from hidden states, equation (2):
#
# $$\mathbf{H}_t = \tanh(\mathbf{X}_t \mathbf{W}_{xh} +
# \mathbf{H}_{t-1} \mathbf{W}_{hh} + \mathbf{b}_h), \tag{1}$$
#
# $$\mathbf{O}_t = \mathbf{H}_t \mathbf{W}_{hq} + \mathbf{b}_q. \tag{2}$$

# %%
at_hand = time_machine_at_hand()
load_data = rnn.load_data_time_machine if at_hand else rnn.load_data_builtin
batch_size, num_steps, num_hiddens = 32, 35, full_or_fast(256, 64)
train_iter, vocab = load_data(batch_size, num_steps, seed=0)

rnn_layer = rnn.RNN(len(vocab), num_hiddens, seed=0)
net = rnn.RNNModel(rnn_layer, len(vocab), seed=0)
print("the layer is a", type(rnn_layer).__name__)

# %% [markdown]
# The model is called like the model from scratch. Its inputs are token ids
# (batch_size, num_steps) and a state. It returns the scores, ordered by time
# step, and the new state.

# %%
X, Y = next(iter(train_iter))
state = net.begin_state(batch_size)
outputs, new_state = net(X, state)
print("outputs", tuple(outputs.shape), "- state", tuple(new_state[0].shape))
print(rnn.predict_ch8("time traveller", 20, net, vocab))

# %% [markdown]
# The layer should compute both equations, one time step after another. Here
# they are in NumPy. (The product of a one-hot vector and a matrix is a row
# of the matrix, so $\mathbf{X}_t \mathbf{W}_{xh}$ is a lookup.)


# %%
def by_hand(arrays, ids):
    """Return the scores (T * n, V) after token ids (n, T), and the state."""
    W_xh, W_hh, b_h, W_hq, b_q = arrays
    H, scores = np.zeros((len(ids), len(W_hh))), []
    for tokens in ids.T:  # of one time step: (n,)
        H = np.tanh(W_xh[tokens] + H @ W_hh + b_h)  # (1)
        scores.append(H @ W_hq + b_q)  # (2)
    return np.concatenate(scores), H


outputs_by_hand, H = by_hand(net.arrays(), rnn.to_numpy(X))
outputs, (state,) = net.evaluate(X, net.begin_state(batch_size))
assert np.allclose(outputs_by_hand, outputs, rtol=0, atol=1e-4)
assert np.allclose(H, rnn.to_numpy(state), rtol=0, atol=1e-4)
print(
    "by hand and by the layer the same: the largest score is",
    f"{outputs.max():.2f}",
)

# %% [markdown]
# How much faster is the layer? The next cell measures the time of a training
# step for three networks of the same size: the loop from scratch, the fast
# version of the package (notebook 12), and the layer of the framework. The
# results are for this machine and these sizes, and differ on others.

# %%
parts = rnn.get_params, rnn.init_rnn_state
kinds = {
    "loop": rnn.RNNModelScratch(len(vocab), 64, *parts, rnn.rnn, seed=0),
    "fused": rnn.RNNModelScratch(
        len(vocab), 64, *parts, rnn.rnn_fused, seed=0
    ),
    "layer": rnn.RNNModel(
        rnn.RNN(len(vocab), 64, seed=0), len(vocab), seed=0
    ),
}
spent = {name: [] for name in kinds}
all_steps = {
    name: rnn.make_step(model, 1.0) for name, model in kinds.items()
}
for _ in range(full_or_fast(12, 4)):
    for name, step in all_steps.items():
        start, begin = (
            time.perf_counter(),
            kinds[name].begin_state(batch_size),
        )
        step(X, Y, begin)
        spent[name].append(1000 * (time.perf_counter() - start))
ax = plot.new_axes(8, 4.0)
medians = [np.median(times[2:]) for times in spent.values()]
ax.barh(list(spent), medians, color=plot.COLOURS[:3])
ax.set(xlabel="time of a training step, ms")
ax.invert_yaxis()
present(ax, "Bars: the time of a training step of three networks.")

# %% [markdown]
# ## The same parameters
#
# Each framework has its own names and shapes for the parameters. Some store
# transposed matrices, and some add two biases where one is enough.
# `net.own_arrays()` returns the parameters as the framework stores them.
# `net.arrays()` returns them in the form of the model from scratch:
# transposed if necessary, and with the sum of two biases instead of both.

# %%
names = ["W_xh", "W_hh", "b_h", "W_hq", "b_q"]
print("the framework's own:", [array.shape for array in net.own_arrays()])
for name, array in zip(names, net.arrays()):
    print(f"{name:4} {array.shape}")

# %% [markdown]
# ### Exercise 1
#
# A layer with 28 inputs and 256 hidden units has two biases of 256 elements
# each, as in PyTorch. How many parameters does the layer have? And how many
# additional parameters does the model have, with an output layer for 28
# tokens?

# %%
### BEGIN SOLUTION
of_the_layer = 28 * 256 + 256 * 256 + 2 * 256
of_the_output = 256 * 28 + 28
### END SOLUTION

# %%
layer_shapes = (28, 256), (256, 256), (256,), (256,)
check(
    [of_the_layer, of_the_output],
    lambda: [
        sum(int(np.prod(shape)) for shape in layer_shapes),
        sum(rnn.to_numpy(p).size for p in rnn.get_params(28, 256)[3:]),
    ],
    hint="layer: two matrices and two biases; output layer: one of each",
)

# %% [markdown]
# ### Exercise 2
#
# PyTorch stores $\mathbf{W}_{xh}$ as `weight_ih` ($h$, $|\mathcal{V}|$) and
# $\mathbf{W}_{hh}$ as `weight_hh` ($h$, $h$), because it multiplies from the
# left: $\mathbf{W} \mathbf{x}$ for a column vector $\mathbf{x}$. It has two
# biases, `bias_ih` and `bias_hh`. Implement the conversion of these four
# arrays to our three arrays.


# %%
def to_ours(weight_ih, weight_hh, bias_ih, bias_hh):
    """Return W_xh, W_hh and b_h."""
    ### BEGIN SOLUTION
    return weight_ih.T, weight_hh.T, bias_ih + bias_hh
    ### END SOLUTION


# %%
def last_state(x, W_xh, W_hh, b_h):
    """Return the state after the rows of x, by equation (1)."""
    h = np.zeros(len(W_hh))
    for row in x:
        h = np.tanh(row @ W_xh + h @ W_hh + b_h)
    return h


rng = np.random.default_rng(0)
theirs = [rng.normal(size=size) for size in ((4, 3), (4, 4), 4, 4)]
x, h = rng.normal(size=(5, 3)), np.zeros(4)
for row in x:  # as in PyTorch's documentation
    h = np.tanh(theirs[0] @ row + theirs[2] + theirs[1] @ h + theirs[3])
check(
    lambda: last_state(x, *to_ours(*theirs)),
    h,
    hint="(W x) for a column is (x W^T) for a row; two biases are added",
)

# %% [markdown]
# `rnn.copy_params(source, target)` copies the parameters of one kind of
# model to the other, in either direction. It checks that the two models have
# the same sizes, and then calls `target.load_arrays(source.arrays())`.
#
# ## The same outputs and gradients?
#
# Both networks now have the same parameters. They process the same
# minibatch, and we compare the outputs, the last state, and the gradient of
# the loss for each parameter. For each tensor we compute the largest
# difference relative to the largest element,
#
# $$\frac{\max_i |a_i - b_i|}{\max_i |b_i|}. \tag{3}$$
#
# Numbers with 53 binary digits (float64) have rounding errors of about
# $10^{-16}$, and numbers with 24 binary digits (float32) of about $10^{-7}$.
# For sums with many terms, the error is a little larger. A larger difference
# would mean that the networks are different. It is not enough to compare
# outputs: two networks can agree on one minibatch and have different
# gradients. If all gradients agree as well, both networks make the same
# update.


# %%
def relative(one, other):
    """Return the largest difference, relative to the largest element."""
    return np.abs(np.asarray(one, float) - other).max() / np.abs(other).max()


def make_pair(hiddens, dtype):
    """Return two models, from scratch and concise, with equal parameters."""
    size = len(vocab), hiddens
    settings = {"seed": 1, "dtype": dtype}
    scratch = rnn.RNNModelScratch(*size, *parts, rnn.rnn, **settings)
    larger = [
        20 * array for array in scratch.arrays()
    ]  # initial ones are small
    scratch.load_arrays(larger)
    layer = rnn.RNN(len(vocab), hiddens, seed=0, dtype=dtype)
    concise = rnn.RNNModel(layer, len(vocab), seed=0)
    rnn.copy_params(scratch, concise)
    return scratch, concise


def everything(net):
    """Return what a model computes from a minibatch, by name."""
    start = net.begin_state(batch_size)
    outputs, (H,) = net.evaluate(X, start)
    _, gradients = net.gradients(X, Y, start)
    results = {"outputs": outputs, "last state": rnn.to_numpy(H)}
    labels = [f"gradient of {name}" for name in names]
    return results | dict(zip(labels, gradients))


gaps = {}
for dtype in ("float32", "float64"):
    one, other = (everything(model) for model in make_pair(64, dtype))
    gaps[dtype] = {name: relative(one[name], other[name]) for name in one}
ax = plot.new_axes(8, 4.8)
for number, (dtype, differences) in enumerate(gaps.items()):
    eps = np.finfo(dtype).eps
    drawn = np.maximum(
        list(differences.values()), 1e-17
    )  # 0 is drawn as 1e-17
    places = np.arange(len(differences)) + 0.24 * number - 0.12
    colour = {"color": plot.COLOURS[number]}
    ax.plot(drawn, places, "os"[number], label=dtype, **colour)
    ax.axvline(eps, linestyle="--", linewidth=2, **colour)
    beside = {"xytext": (6, 0), "textcoords": "offset points"}
    ax.annotate("rounding", (eps, -0.7), **colour, **beside)
ax.set(xscale="log", xlim=(3e-18, 1e-1), ylim=(6.5, -1.1))
ax.set(xlabel="relative difference")
ax.set_yticks(range(len(differences)), list(differences))
ax.legend(loc="center right")
present(ax, "Outputs, state and gradients differ only by rounding.")
for dtype, differences in gaps.items():
    small = max(differences.values()) < 1e4 * np.finfo(dtype).eps
    print(f"{dtype}: differences are only rounding: {small}")

# %% [markdown]
# ## The same training?
#
# Since the gradients are the same, a hundred training steps should give the
# same losses. In Keras and Flax they do. In PyTorch and MXNet the losses
# differ slightly, because the layer computes
#
# $$\mathbf{H}_t = \tanh(\mathbf{X}_t \mathbf{W}_{xh} + \mathbf{b}_x +
# \mathbf{H}_{t-1} \mathbf{W}_{hh} + \mathbf{b}_h), \tag{4}$$
#
# with two biases. Only their sum matters for the outputs, but each of them
# is trained.
#
# ### Exercise 3
#
# The gradient of one element of $\mathbf{b}_h$ is 0.3, and the learning rate
# is 0.1. One step of gradient descent without clipping changes the total
# bias. By how much does it change in the network with one bias, and in the
# network with two?

# %%
### BEGIN SOLUTION
with_one = -0.1 * 0.3
with_two = 2 * with_one
### END SOLUTION

# %%
check(
    [with_one, with_two],
    [-0.03, -0.06],
    hint="gradients of two terms of a sum are equal, and both terms move",
)

# %% [markdown]
# To verify this explanation, the next cell defines a model from scratch with
# two biases: a custom forward function that calls `rnn.rnn`. All three
# networks are trained on the same minibatch, with the same initial
# parameters, in float64.


# %%
def get_params_with_two(vocab_size, num_hiddens, *, seed=None, **where):
    """Return [W_xh, W_hh, b_x, b_h, W_hq, b_q]."""
    params = rnn.get_params(vocab_size, num_hiddens, seed=seed)
    W_xh, W_hh, b_h, W_hq, b_q = map(rnn.to_numpy, params)
    six = [W_xh, W_hh, b_h, b_h, W_hq, b_q]
    return rnn.trainable(six, **where)  # dtype and device


def rnn_with_two(inputs, state, params):
    """Compute rnn with two biases."""
    W_xh, W_hh, b_x, b_h, W_hq, b_q = params
    return rnn.rnn(inputs, state, [W_xh, W_hh, b_x + b_h, W_hq, b_q])


one_bias, layer = make_pair(32, "float64")
functions = get_params_with_two, rnn.init_rnn_state, rnn_with_two
two_biases = rnn.RNNModelScratch(len(vocab), 32, *functions, dtype="float64")
W_xh, W_hh, b_h, W_hq, b_q = one_bias.arrays()
two_biases.load_arrays([W_xh, W_hh, b_h, 0 * b_h, W_hq, b_q])

nets = {
    "one bias": one_bias,
    "two biases": two_biases,
    "framework's layer": layer,
}
losses, steps = {}, range(1, full_or_fast(100, 40) + 1)
for name, model in nets.items():
    step, start = rnn.make_step(model, lr=0.5), model.begin_state(batch_size)
    losses[name] = np.array([step(X, Y, start)[0] for _ in steps])

ax = plot.new_axes(8, 4.8)
layer = losses["framework's layer"]
for number, name in enumerate(["one bias", "two biases"]):
    gap = np.maximum(np.abs(losses[name] - layer) / layer, 1e-17)  # not 0
    style = {"label": f"from scratch, {name}", **plot.line_style(number)}
    ax.plot(steps, gap, **style)
ax.set(xlabel="training step", ylabel="relative difference of losses")
ax.set(yscale="log", ylim=(1e-18, 1e2))
ax.legend(loc="upper right")
present(ax, "One of two models agrees with the layer up to rounding.")
biases = "two biases" if len(net.own_arrays()) == 6 else "one bias"
same = np.allclose(losses[biases], layer, rtol=1e-9)
print(f"the framework's layer has {biases};", end=" ")
print(f"with the same number, losses differ only by rounding: {same}")
print(f"loss at the first step {layer[0]:.4f}, at the last {layer[-1]:.2f}")

# %% [markdown]
# So the layer is the network of notebook 3. If it has two biases, their sum
# is trained twice as fast as a single bias. This is not harmful, but it
# explains why two training curves can differ slightly.
#
# ## Initial values
#
# The second difference is the initialization. In the book, weights are drawn
# from a normal distribution with standard deviation 0.01. Frameworks draw
# larger weights: PyTorch from a uniform distribution between $-1/\sqrt{h}$
# and $1/\sqrt{h}$, while Keras uses an orthogonal $\mathbf{W}_{hh}$. The
# important quantity of a recurrent matrix is its *spectral radius*, the
# largest absolute value of its eigenvalues. It is the factor by which the
# matrix changes the length of a state in the long run, if it is applied
# repeatedly. For independent elements with standard deviation $s$, it is
# about $s \sqrt{h}$: with 0.01 and 256 units, it is 0.16.

# %%
functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn_fused
scratch = rnn.RNNModelScratch(len(vocab), num_hiddens, *functions, seed=0)
starts = {"from scratch": scratch.arrays()[1]}
starts["framework's layer"] = net.arrays()[1]
ax = plot.new_axes(8, 4.8)
edges = np.linspace(-0.15, 0.15, 61)
for number, (label, W_hh) in enumerate(starts.items()):
    share = 100 * np.histogram(W_hh, edges)[0] / W_hh.size
    ax.stairs(share, edges, label=label, **plot.line_style(number))
    print(f"{label}: spectral radius of W_hh {spectral_radius(W_hh):.1f}")
ax.set(xlabel=r"element of $W_{hh}$", ylabel="share of elements, %")
ax.legend()
present(
    ax, "Weights from scratch are near zero; those of the layer are not."
)

# %% [markdown]
# With small recurrent weights, a state has little influence on the next
# state, and gradients become small in the backward pass (see notebook 5).
# The network first has to increase these weights. The next cell compares
# three trainings: the model from scratch with its own initial values, the
# layer of the framework with its own initial values, and the model from
# scratch with the initial values *of the layer*.

# %%
num_epochs = full_or_fast(200, 2)
borrowed = rnn.RNNModelScratch(len(vocab), num_hiddens, *functions)
rnn.copy_params(net, borrowed)
runs = {
    "from scratch": scratch,
    "from scratch, layer's initial weights": borrowed,
    "framework's layer": net,
}
histories = {}
for label, model in runs.items():
    train_iter, vocab = load_data(batch_size, num_steps, seed=0)
    histories[label] = rnn.train_ch8(
        model, train_iter, vocab, 1.0, num_epochs, progress=False
    )
ax = plot.new_axes(8, 4.8)
present(
    plot.perplexity(histories, ax),
    "With equal initial values, both networks learn equally fast.",
)

# %% [markdown]
# With the same initial values, both models learn equally fast. (They differ
# eventually, because of rounding and the second bias.) So the better result
# of the layer was caused by its initialization. Remember this when you read
# that one network learns better than another: the reason may be something
# other than the network.
#
# ### Exercise 4
#
# The model from scratch can have better initial values too. By which factor
# would you multiply all initial parameters? Choose a factor with the help of
# the spectral radius, for 64 hidden units. Your answer is right if the
# perplexity of the network after the first epochs is lower.

# %%
### BEGIN SOLUTION
factor = 10
### END SOLUTION


# %%
def after_first_epochs(factor):
    """Return the perplexity of 64 units with larger initial weights."""
    train_iter, _ = load_data(batch_size, num_steps, seed=0)
    model = rnn.RNNModelScratch(len(vocab), 64, *functions, seed=0)
    model.load_arrays([factor * array for array in model.arrays()])
    step = rnn.make_step(model, 1.0)
    for _ in range(full_or_fast(15, 3)):
        perplexity, _ = rnn.train_epoch_ch8(model, train_iter, step)
    return perplexity


check(
    lambda: after_first_epochs(factor) < after_first_epochs(1) - 0.1,
    True,
    hint="0.01 times the root of 64 is 0.08; the radius should be near 1",
)

# %% [markdown]
# ## From the layer back to the equations
#
# The conversion also works in the other direction. A model from scratch can
# use the parameters that the layer has learned, even in another framework.
# Here they are copied to NumPy.

# %%
numpy = backends.load("numpy")
functions = numpy.get_params, numpy.init_rnn_state, numpy.rnn
in_numpy = numpy.RNNModelScratch(len(vocab), num_hiddens, *functions)
numpy.copy_params(net, in_numpy)
for model in (net, in_numpy):
    print(rnn.predict_ch8("time traveller", 50, model, vocab))

# %% [markdown]
# ### Exercise 5
#
# Create a model from scratch in the chosen backend, with the current
# parameters of the layer. Call it `twin`.

# %%
### BEGIN SOLUTION
twin = rnn.RNNModelScratch(len(vocab), num_hiddens, *parts, rnn.rnn)
rnn.copy_params(net, twin)
### END SOLUTION

# %%
check(
    lambda: twin.evaluate(X, twin.begin_state(batch_size))[0],
    lambda: net.evaluate(X, net.begin_state(batch_size))[0],
    hint="create it like in_numpy, with functions of rnn; then copy_params",
    tolerance=1e-3,
)

# %% [markdown]
# ### Exercise 6
#
# This exercise needs some research. `net` and `twin` differ only by
# rounding. Do they generate different texts? When the most probable token is
# chosen, rounding can change the choice only if the two largest scores are
# nearly equal. Write a function that returns the smallest gap between the
# largest and the second largest score, over all rows of the minibatch.


# %%
def smallest_gap(scores):
    """Return the smallest gap between the best and second best score."""
    ### BEGIN SOLUTION
    in_order = np.sort(scores, axis=1)
    return (in_order[:, -1] - in_order[:, -2]).min()
    ### END SOLUTION


# %%
scores = net.evaluate(X, net.begin_state(batch_size))[0].astype(float)
best = scores.max(axis=1)
others = np.where(scores == best[:, None], -np.inf, scores).max(axis=1)
check(
    lambda: smallest_gap(scores),
    lambda: (best - others).min(),
    hint="sort each row; subtract the second largest from the largest",
)
print(f"rounding is about {np.abs(scores).max() * 1e-7:.0e} here")

# %% [markdown]
# If this gap is smaller than the rounding error, two correct copies of a
# network may choose different letters, and then generate different texts
# from there on. Both are right. Therefore, compare scores and not texts.
#
# ## What to take away
#
# - The recurrent layer of a framework computes the equations of notebook 3.
# - Networks with the same parameters are the same if outputs *and* gradients
#   agree up to rounding.
# - Two biases give the same outputs as one, and their sum is trained twice
#   as fast.
# - Compare trainings with the same initial values: a layer that seems better
#   may only have better initial values.
#
# **Proven in the repository.** Outputs and gradients of every layer, against
# a reference in float64: `test_a_network_agrees_with_the_float64_reference`
# in `tests/measure/test_agreement.py`. Conversion in both directions:
# `test_parameters_go_to_a_layer_and_come_back` and
# `test_a_trained_layer_equals_the_scratch_model_with_its_parameters` in
# `tests/nets/test_cells.py`. Two biases:
# `test_joined_biases_become_one_and_their_gradients_too`, in the same file.
