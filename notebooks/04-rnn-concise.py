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
# Every framework has a recurrent layer of its own. With it, the network of
# the last notebook takes two lines. But is it the same network? Here it is
# shown to be: the layer's arithmetic is written out in ten lines; both
# networks get the same parameters, and then outputs, gradients and a hundred
# steps of training are compared, down to the last digits. What still differs
# in the end are two things, and both are found: a bias, and where they
# start.
#
# It follows section 9.6 of *Dive into Deep Learning*, with its notation.
# Notebook 3 writes the same network from scratch. NumPy has no recurrent
# layers, so this notebook runs on the other four.

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

# Before any framework: float64 in JAX, less talk from TensorFlow.
backends.prepare()
plot.use_style()

# %% [markdown]
# Everything below runs on any of four backends. Edit this line, and nothing
# else, to choose one.

# %%
from d2lrnn import torch as rnn  # or tensorflow, jax, mxnet, numpy

# %% [markdown]
# ## Why a layer, when we have a loop?
#
# The loop of notebook 3 is good to read, and that is what it is for. A
# framework's layer is made for other ends.
#
# - *Speed.* Our loop starts a handful of small computations at each step,
#   from Python. A layer hands the whole sequence to compiled code.
# - *Less to get wrong.* Shapes, first states, gates: thousands of people
#   have tried them before.
# - *More of it.* Several layers, both directions, dropout between layers
#   come as arguments (notebook 8).
#
# The price is that one no longer sees what is computed. Names differ from
# framework to framework, shapes too, and the book is no help with either. So
# this notebook does what should be done once with every black box: it
# computes the same by other means, and compares.
#
# ## The layer
#
# The data are those of notebook 3. The layer goes from one-hot vectors to
# hidden states, equation (1); it knows nothing of a vocabulary. The model
# adds the output layer, from hidden states to scores, equation (2):
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
# It is called as the model from scratch is: token ids (batch_size,
# num_steps) and a state go in; scores, all of the first time step first, and
# the state after it come out.

# %%
X, Y = next(iter(train_iter))
state = net.begin_state(batch_size)
outputs, new_state = net(X, state)
print("outputs", tuple(outputs.shape), "- state", tuple(new_state[0].shape))
print(rnn.predict_ch8("time traveller", 20, net, vocab))

# %% [markdown]
# What should it compute? Both equations, for one time step after the other.
# Here they are in NumPy. (A one-hot vector times a matrix is a row of that
# matrix, so $\mathbf{X}_t \mathbf{W}_{xh}$ is a matter of looking up.)


# %%
def by_hand(arrays, ids):
    """Return the scores (T * n, V) after token ids (n, T), and the state."""
    W_xh, W_hh, b_h, W_hq, b_q = arrays
    H, scores = np.zeros((len(ids), len(W_hh))), []
    for tokens in ids.T:  # of one time step: (n,)
        H = np.tanh(W_xh[tokens] + H @ W_hh + b_h)  # (1)
        scores.append(H @ W_hq + b_q)  # (2)
    return np.concatenate(scores), H


found, H = by_hand(net.arrays(), rnn.to_numpy(X))
outputs, (state,) = net.evaluate(X, net.begin_state(batch_size))
assert np.allclose(found, outputs, rtol=0, atol=1e-4)
assert np.allclose(H, rnn.to_numpy(state), rtol=0, atol=1e-4)
print("by hand as the layer: the largest score is", f"{outputs.max():.2f}")

# %% [markdown]
# What is it good for, then? Here is the time of a training step of three
# networks of the same size: the loop from scratch, the package's faster form
# of it (notebook 12), and the framework's layer. It is measured now, on this
# machine; on another, and with other sizes, it is another.

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
present(ax, "Bars for the time of a training step of three networks.")

# %% [markdown]
# ## The same parameters
#
# A framework has names and shapes of its own for the parameters. Some keep
# matrices transposed; some add two biases where one would do.
# `net.own_arrays()` returns them as the framework has them, `net.arrays()`
# as the model from scratch has them: transposed back, two biases of one sum
# as their sum.

# %%
names = ["W_xh", "W_hh", "b_h", "W_hq", "b_q"]
print("the framework's own:", [array.shape for array in net.own_arrays()])
for name, array in zip(names, net.arrays()):
    print(f"{name:4} {array.shape}")

# %% [markdown]
# ### Exercise 1
#
# A layer of 28 inputs and 256 hidden units has two biases of 256 each, as in
# PyTorch. How many parameters has the layer, and how many more has the whole
# model, with an output layer for 28 tokens?

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
    hint="two matrices and two biases; then one matrix and one bias",
)

# %% [markdown]
# ### Exercise 2
#
# PyTorch keeps $\mathbf{W}_{xh}$ as `weight_ih`, ($h$, $|\mathcal{V}|$), and
# $\mathbf{W}_{hh}$ as `weight_hh`, ($h$, $h$), because it multiplies from
# the other side: $\mathbf{W} \mathbf{x}$ for a column $\mathbf{x}$. It has
# two biases, `bias_ih` and `bias_hh`. Write what makes our three arrays of
# these four.


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
for row in x:  # as PyTorch's documentation has it
    h = np.tanh(theirs[0] @ row + theirs[2] + theirs[1] @ h + theirs[3])
check(
    lambda: last_state(x, *to_ours(*theirs)),
    h,
    hint="(W x) for a column is (x W^T) for a row; two biases are added",
)

# %% [markdown]
# `rnn.copy_params(source, target)` goes from one kind of model to the other,
# in either direction. It is no more than
# `target.load_arrays(source.arrays())`, with a look first whether the two
# fit.
#
# ## The same network?
#
# Now both networks get the same parameters. They read the same minibatch,
# and everything is compared: outputs, the last state, and the gradient of
# the loss for each parameter. For each tensor, the number that counts is the
# largest difference, relative to the largest element,
#
# $$\frac{\max_i |a_i - b_i|}{\max_i |b_i|}. \tag{3}$$
#
# Arithmetic with 53 binary digits (float64) rounds at about $10^{-16}$, with
# 24 (float32) at about $10^{-7}$. Sums of many terms lose a little more than
# one rounding. Anything beyond that would be a different network. Outputs
# alone would not be enough: two networks may agree on one minibatch and
# learn differently from it. If all gradients agree too, they take the same
# step.


# %%
def relative(one, other):
    """Return the largest difference, relative to the largest element."""
    return np.abs(np.asarray(one, float) - other).max() / np.abs(other).max()


def make_pair(hiddens, dtype):
    """Return a model from scratch and the framework's, alike."""
    size = len(vocab), hiddens
    settings = {"seed": 1, "dtype": dtype}
    scratch = rnn.RNNModelScratch(*size, *parts, rnn.rnn, **settings)
    larger = [20 * array for array in scratch.arrays()]  # enough to matter
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
    found = {"outputs": outputs, "last state": rnn.to_numpy(H)}
    labels = [f"gradient of {name}" for name in names]
    return found | dict(zip(labels, gradients))


gaps = {}
for dtype in ("float32", "float64"):
    one, other = (everything(model) for model in make_pair(64, dtype))
    gaps[dtype] = {name: relative(one[name], other[name]) for name in one}
ax = plot.new_axes(8, 4.8)
for number, (dtype, found) in enumerate(gaps.items()):
    eps = np.finfo(dtype).eps
    seen = np.maximum(list(found.values()), 1e-17)  # 0 is drawn as 1e-17
    places = np.arange(len(found)) + 0.24 * number - 0.12
    colour = {"color": plot.COLOURS[number]}
    ax.plot(seen, places, "os"[number], label=dtype, **colour)
    ax.axvline(eps, linestyle="--", linewidth=2, **colour)
    beside = {"xytext": (6, 0), "textcoords": "offset points"}
    ax.annotate("rounding", (eps, -0.7), **colour, **beside)
ax.set(xscale="log", xlim=(3e-18, 1e-1), ylim=(6.5, -1.1))
ax.set(xlabel="relative difference")
ax.set_yticks(range(len(found)), list(found))
ax.legend(loc="center right")
present(ax, "Outputs, state and gradients differ by rounding only.")
for dtype, found in gaps.items():
    small = max(found.values()) < 1e4 * np.finfo(dtype).eps
    print(f"{dtype}: nothing but rounding: {small}")

# %% [markdown]
# ## The same training?
#
# The gradients are the same; so a hundred training steps should give the
# same losses. They do in Keras and Flax. In PyTorch and MXNet they do not
# quite, and the reason is worth knowing. There the layer computes
#
# $$\mathbf{H}_t = \tanh(\mathbf{X}_t \mathbf{W}_{xh} + \mathbf{b}_x +
# \mathbf{H}_{t-1} \mathbf{W}_{hh} + \mathbf{b}_h), \tag{4}$$
#
# with two biases. Only their sum matters for what is computed, but each of
# them is trained.
#
# ### Exercise 3
#
# The gradient of an element of $\mathbf{b}_h$ is 0.3, and the learning rate
# is 0.1. By how much does a step of gradient descent, without clipping,
# change the bias that is added in the network with one bias, and in the
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
# To be sure that this is all, here is a model from scratch with two biases:
# a forward function of one's own, on top of `rnn.rnn`. All three are trained
# on the same minibatch, from the same parameters, in float64.


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
own = losses["framework's layer"]
for number, name in enumerate(["one bias", "two biases"]):
    gap = np.maximum(np.abs(losses[name] - own) / own, 1e-17)  # not 0
    style = {"label": f"from scratch, {name}", **plot.line_style(number)}
    ax.plot(steps, gap, **style)
ax.set(xlabel="training step", ylabel="relative difference of losses")
ax.set(yscale="log", ylim=(1e-18, 1e2))
ax.legend(loc="upper right")
present(ax, "Of two models, one stays with the layer to within rounding.")
biases = "two biases" if len(net.own_arrays()) == 6 else "one bias"
same = np.allclose(losses[biases], own, rtol=1e-9)
print(f"the framework's layer has {biases};", end=" ")
print(f"with as many, nothing but rounding differs: {same}")
print(f"loss at the first step {own[0]:.4f}, at the last {own[-1]:.2f}")

# %% [markdown]
# So the layer is the network of notebook 3, and where it has two biases,
# they train twice as fast as one. That does no harm; it is only good to know
# when two curves will not lie on top of one another.
#
# ## Where they start
#
# The other difference is the beginning. The book draws weights from a normal
# distribution with standard deviation 0.01. Frameworks draw larger ones,
# each in its own way: PyTorch uniformly between $-1/\sqrt{h}$ and
# $1/\sqrt{h}$, Keras an orthogonal $\mathbf{W}_{hh}$. What counts for a
# recurrent matrix is its *spectral radius*, the largest absolute value of
# its eigenvalues: by how much it enlarges a state in the long run, if
# applied again and again. For independent elements with standard deviation
# $s$ it is about $s \sqrt{h}$: with 0.01 and 256 units, 0.16.

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
present(ax, "Weights from scratch crowd around zero, the layer's do not.")

# %% [markdown]
# With small recurrent weights little of a state reaches the next, and little
# of a gradient comes back (notebook 5 is about that). The network has to
# find its memory first. So here are three trainings: the model from scratch
# from its own beginning; the framework's layer from its own; and the model
# from scratch from the *layer's* beginning.

# %%
num_epochs = full_or_fast(200, 2)
borrowed = rnn.RNNModelScratch(len(vocab), num_hiddens, *functions)
rnn.copy_params(net, borrowed)
runs = {
    "from scratch": scratch,
    "from scratch, layer's beginning": borrowed,
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
    "From one beginning, both go the same way; the other lags.",
)

# %% [markdown]
# From the same beginning, the two learn alike (not for ever: rounding, and a
# second bias where there is one, are enough to part them in the end). What
# made the layer look better was its start. It is worth remembering when one
# reads that some network learns better than another: was it the network?
#
# ### Exercise 4
#
# The model from scratch can have a better start as well. By which factor
# would you multiply all that it begins with? Choose one of the reasoning
# about the spectral radius, for 64 hidden units; it is right if the network
# then has a lower perplexity after the first epochs.

# %%
### BEGIN SOLUTION
factor = 10
### END SOLUTION


# %%
def after_first_epochs(factor):
    """Return the perplexity of a network of 64 units, its start enlarged."""
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
    hint="0.01 times the root of 64 is 0.08; near 1 is where memory begins",
)

# %% [markdown]
# ## From the layer back to the equations
#
# The way back is as short. What a framework's layer has learned, a model
# from scratch can go on with, and not only in the same framework: here it is
# handed to NumPy.

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
# Make a model from scratch in the backend that was chosen above, with the
# parameters that the layer has now. Call it `twin`.

# %%
### BEGIN SOLUTION
twin = rnn.RNNModelScratch(len(vocab), num_hiddens, *parts, rnn.rnn)
rnn.copy_params(net, twin)
### END SOLUTION

# %%
check(
    lambda: twin.evaluate(X, twin.begin_state(batch_size))[0],
    lambda: net.evaluate(X, net.begin_state(batch_size))[0],
    hint="make it as in_numpy was made, with functions of rnn; then copy",
    tolerance=1e-3,
)

# %% [markdown]
# ### Exercise 6
#
# A question for research. Rounding differs between `net` and `twin`, and
# nothing else. Does it matter what each of them writes? Estimate how large
# the difference of two scores must be for greedy choice never to be changed
# by rounding: the gap between the best and the second best score, over all
# places of the minibatch, has a smallest value. Write the function that
# finds it.


# %%
def smallest_gap(scores):
    """Return the least lead of the best score over the next, over rows."""
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
    hint="sort each row: the last less the one before the last",
)
print(f"rounding is about {np.abs(scores).max() * 1e-7:.0e} here")

# %% [markdown]
# Where the lead is smaller than rounding, two faithful copies of a network
# may choose different letters, and write different texts from there on. Both
# are right. To compare networks, compare scores, not texts.
#
# ## What to take away
#
# - A framework's own layer computes the equations of notebook 3, nothing
#   else.
# - Networks with the same parameters are the same if outputs *and* gradients
#   agree to rounding.
# - Two biases of one sum compute what one does, and train twice as fast.
# - Compare trainings from the same beginning: what looks like a better layer
#   may be a better start.
#
# **Proven in the repository.** Outputs and gradients of every layer, against
# a reference in float64: `test_a_network_agrees_with_the_float64_reference`
# in `tests/measure/test_agreement.py`. The way there and back:
# `test_parameters_go_to_a_layer_and_come_back` and
# `test_a_trained_layer_is_the_scratch_model_with_its_parameters` in
# `tests/nets/test_cells.py`. Two biases:
# `test_joined_biases_become_one_and_their_gradients_too`, in the same file.
#
