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
#
# # 4. The concise model, and proof that it is the same
#
# Every framework has a recurrent layer of its own. With it, the network of the last notebook takes
# two lines. But is it the same network? Here it is shown to be: both get the same parameters, and
# then outputs, gradients and a hundred steps of training are compared, down to the last digits.
# What still differs in the end are two things, and both are found: a bias, and where they start.
#
# It follows section 9.6 of *Dive into Deep Learning*, with its notation. Notebook 3 writes the same
# network from scratch. NumPy has no recurrent layers, so this notebook runs on the other four.

# %%
import importlib.util

if importlib.util.find_spec("d2lrnn") is None:
    # %pip install -q "d2lrnn[torch] @ git+https://github.com/d2lrnn/d2lrnn"
    importlib.invalidate_caches()

# %%
import numpy as np

from d2lrnn import backends, plot
from d2lrnn.measure.gradient_flow import spectral_radius
from d2lrnn.teaching import check, full_or_fast, present, time_machine_at_hand

backends.prepare()  # before any framework is imported: float64 in JAX, less talk from TensorFlow
plot.use_style()

# %% [markdown]
# Everything below runs on any of four backends. Edit this line, and nothing else, to choose one.

# %%
from d2lrnn import torch as rnn  # or tensorflow, jax, mxnet, numpy

# %% [markdown]
# ## The layer
#
# The data are those of notebook 3. The layer goes from one-hot vectors to hidden states; the model
# adds the output layer, from hidden states to scores.

# %%
load_data = rnn.load_data_time_machine if time_machine_at_hand() else rnn.load_data_builtin
batch_size, num_steps, num_hiddens = 32, 35, full_or_fast(256, 64)
train_iter, vocab = load_data(batch_size, num_steps, seed=0)

rnn_layer = rnn.RNN(len(vocab), num_hiddens, seed=0)
net = rnn.RNNModel(rnn_layer, len(vocab), seed=0)
print("the layer is a", type(rnn_layer).__name__)

# %%
methods = vars(rnn.RNNModel)
rnn.show(methods["__init__"])
rnn.show(methods.get("forward") or methods.get("run") or methods["__call__"])

# %% [markdown]
# It is called as the model from scratch is: token ids (batch_size, num_steps) and a state go in;
# scores, all of the first time step first, and the state after it come out.

# %%
X, Y = next(iter(train_iter))
state = net.begin_state(batch_size)
outputs, new_state = net(X, state)
print("outputs", tuple(outputs.shape), "- hidden state", tuple(new_state[0].shape))
print(rnn.predict_ch8("time traveller", 20, net, vocab))

# %% [markdown]
# ## The same parameters
#
# A framework has names and shapes of its own for the parameters. Some keep matrices transposed;
# some add two biases where one would do. `net.own_arrays()` returns them as the framework has them,
# `net.arrays()` as the model from scratch has them: transposed back, two biases of one sum as their
# sum.

# %%
names = ["W_xh", "W_hh", "b_h", "W_hq", "b_q"]
print("the framework's own:", [array.shape for array in net.own_arrays()])
for name, array in zip(names, net.arrays()):
    print(f"{name:4} {array.shape}")

# %% [markdown]
# ### Exercise 1
#
# What does the layer compute? Write the whole model in NumPy, from these five arrays and token ids
# (batch_size, num_steps), starting from a hidden state of zeros. Return the scores (num_steps ×
# batch_size, $|\mathcal{V}|$). A one-hot vector times a matrix is a row of that matrix.


# %%
def by_hand(arrays, ids):
    """Return the scores of the next token after each token of ids, all of the first step first."""
    W_xh, W_hh, b_h, W_hq, b_q = arrays
    ### BEGIN SOLUTION
    H, scores = np.zeros((len(ids), len(W_hh))), []
    for column in ids.T:
        H = np.tanh(W_xh[column] + H @ W_hh + b_h)
        scores.append(H @ W_hq + b_q)
    return np.concatenate(scores)
    ### END SOLUTION


# %%
check(
    lambda: by_hand(net.arrays(), rnn.to_numpy(X)),
    lambda: net.evaluate(X, net.begin_state(batch_size))[0],
    hint="for each column of ids, one time step: H = tanh(W_xh[column] + H W_hh + b_h)",
    tolerance=1e-4,
)

# %% [markdown]
# `copy_params` goes from one kind of model to the other, in either direction, through those arrays:

# %%
rnn.show(rnn.copy_params)

# %% [markdown]
# Now both networks have the same parameters. They read the same minibatch, and everything is
# compared: outputs, the last state, and the gradient of the loss for each parameter. For each
# tensor, the number that counts is the largest difference, relative to the largest element,
#
# $$\frac{\max_i |a_i - b_i|}{\max_i |b_i|}.$$
#
# Arithmetic with 53 binary digits (float64) rounds at about $10^{-16}$, with 24 (float32) at about
# $10^{-7}$. Sums of many terms lose a little more than one rounding. Anything beyond that would be
# a different network.


# %%
def relative(one, other):
    """Return the largest difference of two arrays, relative to the largest element."""
    return np.abs(np.asarray(one, float) - other).max() / np.abs(other).max()


def make_pair(hiddens, dtype):
    """Return a model from scratch and the framework's own, with the same parameters."""
    functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn
    scratch = rnn.RNNModelScratch(len(vocab), hiddens, *functions, seed=1, dtype=dtype)
    scratch.load_arrays([20 * array for array in scratch.arrays()])  # large enough to matter
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
    return found | {f"gradient of {name}": grad for name, grad in zip(names, gradients)}


gaps = {}
for dtype in ("float32", "float64"):
    one, other = (everything(model) for model in make_pair(64, dtype))
    gaps[dtype] = {name: relative(one[name], other[name]) for name in one}
ax = plot.new_axes(8, 4.8)
for number, (dtype, found) in enumerate(gaps.items()):
    eps = np.finfo(dtype).eps
    seen = np.maximum(list(found.values()), 1e-17)  # 0 is drawn as 1e-17
    places = np.arange(len(found)) + 0.24 * number - 0.12
    ax.plot(seen, places, "os"[number], color=plot.COLOURS[number], label=dtype)
    ax.axvline(eps, color=plot.COLOURS[number], linestyle="--", linewidth=2)
    beside = {"xytext": (6, 0), "textcoords": "offset points"}
    ax.annotate("rounding", (eps, -0.7), color=plot.COLOURS[number], **beside)
ax.set(xscale="log", xlim=(3e-18, 1e-1), ylim=(6.5, -1.1), xlabel="relative difference")
ax.set_yticks(range(len(found)), list(found))
ax.legend(loc="center right")
present(ax, "Outputs, state and gradients of both models differ by rounding only, in both dtypes.")
for dtype, found in gaps.items():
    small = max(found.values()) < 1e4 * np.finfo(dtype).eps
    print(f"{dtype}: nothing but rounding: {small}")

# %% [markdown]
# ## The same training?
#
# The gradients are the same; so a hundred training steps should give the same losses. They do in
# Keras and Flax. In PyTorch and MXNet they do not quite, and the reason is worth knowing. There the
# layer computes
#
# $$\mathbf{H}_t = \tanh(\mathbf{X}_t \mathbf{W}_{xh} + \mathbf{b}_x + \mathbf{H}_{t-1}
# \mathbf{W}_{hh} + \mathbf{b}_h),$$
#
# with two biases. Only their sum matters for what is computed, but each of them is trained.
#
# ### Exercise 2
#
# The gradient of an element of $\mathbf{b}_h$ is 0.3, and the learning rate is 0.1. By how much
# does a step of gradient descent, without clipping, change the bias that is added in the network
# with one bias, and in the network with two?

# %%
### BEGIN SOLUTION
with_one = -0.1 * 0.3
with_two = 2 * with_one
### END SOLUTION

# %%
check(
    [with_one, with_two],
    [-0.03, -0.06],
    hint="the gradients of two terms of a sum are equal, and both terms move",
)

# %% [markdown]
# To be sure that this is all, here is a model from scratch with two biases: a forward function of
# one's own, on top of `rnn.rnn`. All three are trained on the same minibatch, from the same
# parameters, in float64.


# %%
def get_params_with_two(vocab_size, num_hiddens, *, seed=None, dtype="float32", device=None):
    """Return [W_xh, W_hh, b_x, b_h, W_hq, b_q]."""
    params = rnn.get_params(vocab_size, num_hiddens, seed=seed, dtype=dtype)
    W_xh, W_hh, b_h, W_hq, b_q = map(rnn.to_numpy, params)
    return rnn.trainable([W_xh, W_hh, b_h, b_h, W_hq, b_q], dtype=dtype, device=device)


def rnn_with_two(inputs, state, params):
    """Compute rnn with two biases."""
    W_xh, W_hh, b_x, b_h, W_hq, b_q = params
    return rnn.rnn(inputs, state, [W_xh, W_hh, b_x + b_h, W_hq, b_q])


one_bias, layer = make_pair(32, "float64")
functions = get_params_with_two, rnn.init_rnn_state, rnn_with_two
two_biases = rnn.RNNModelScratch(len(vocab), 32, *functions, dtype="float64")
W_xh, W_hh, b_h, W_hq, b_q = one_bias.arrays()
two_biases.load_arrays([W_xh, W_hh, b_h, 0 * b_h, W_hq, b_q])

nets = {"one bias": one_bias, "two biases": two_biases, "framework's layer": layer}
losses, steps = {}, range(1, full_or_fast(100, 40) + 1)
for name, model in nets.items():
    step, start = rnn.make_step(model, lr=0.5), model.begin_state(batch_size)
    losses[name] = np.array([step(X, Y, start)[0] for _ in steps])

ax = plot.new_axes(8, 4.8)
own = losses["framework's layer"]
for number, name in enumerate(["one bias", "two biases"]):
    gap = np.maximum(np.abs(losses[name] - own) / own, 1e-17)  # 0 is drawn as 1e-17
    ax.plot(steps, gap, label=f"from scratch, {name}", **plot.line_style(number))
ax.set(xlabel="training step", ylabel="relative difference of losses", yscale="log")
ax.set(ylim=(1e-18, 1e2))
ax.legend(loc="upper right")
present(ax, "Of two models from scratch, one stays with the layer to within rounding throughout.")
biases = "two biases" if len(net.own_arrays()) == 6 else "one bias"
same = np.allclose(losses[biases], own, rtol=1e-9)
print(f"the framework's layer has {biases}; with as many, nothing but rounding differs: {same}")
print(f"loss at the first step {own[0]:.4f}, at the last {own[-1]:.2f}")

# %% [markdown]
# So the layer is the network of notebook 3, and where it has two biases, they train twice as fast
# as one. That does no harm; it is only good to know when two curves will not lie on top of one
# another.
#
# ## Where they start
#
# The other difference is the beginning. The book draws weights from a normal distribution with
# standard deviation 0.01. Frameworks draw larger ones, each in its own way.

# %%
functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn_fused
scratch = rnn.RNNModelScratch(len(vocab), num_hiddens, *functions, seed=0)
starts = {"from scratch": scratch.arrays()[1], "framework's layer": net.arrays()[1]}
ax = plot.new_axes(8, 4.8)
edges = np.linspace(-0.15, 0.15, 61)
for number, (label, W_hh) in enumerate(starts.items()):
    share = 100 * np.histogram(W_hh, edges)[0] / W_hh.size
    ax.stairs(share, edges, label=label, **plot.line_style(number))
    print(f"{label}: spectral radius of W_hh {spectral_radius(W_hh):.1f}")
ax.set(xlabel=r"element of $W_{hh}$", ylabel="share of elements, %")
ax.legend()
present(ax, "Weights from scratch crowd around zero; the framework's are spread much wider.")

# %% [markdown]
# With small recurrent weights little of a state reaches the next, and little of a gradient comes
# back (notebook 5 is about that). The network has to find its memory first. So here are three
# trainings: the model from scratch from its own beginning; the framework's layer from its own; and
# the model from scratch from the *layer's* beginning.

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
    settings = {"lr": 1.0, "num_epochs": num_epochs, "progress": False}
    histories[label] = rnn.train_ch8(model, train_iter, vocab, **settings)
ax = plot.new_axes(8, 4.8)
present(plot.perplexity(histories, ax), "From one beginning, both go the same way; the other lags.")

# %% [markdown]
# From the same beginning, the two learn alike (not for ever: rounding, and a second bias where
# there is one, are enough to part them in the end). What made the layer look better was its start.
#
# ## From the layer back to the equations
#
# The way back is as short. What a framework's layer has learned, a model from scratch can go on
# with, and not only in the same framework: here it is handed to NumPy.

# %%
numpy = backends.load("numpy")
functions = numpy.get_params, numpy.init_rnn_state, numpy.rnn
in_numpy = numpy.RNNModelScratch(len(vocab), num_hiddens, *functions)
numpy.copy_params(net, in_numpy)
for model in (net, in_numpy):
    print(rnn.predict_ch8("time traveller", 50, model, vocab))

# %% [markdown]
# ### Exercise 3
#
# Make a model from scratch in the backend that was chosen above, with the parameters that the layer
# has now. Call it `twin`.

# %%
### BEGIN SOLUTION
twin = rnn.RNNModelScratch(len(vocab), num_hiddens, rnn.get_params, rnn.init_rnn_state, rnn.rnn)
rnn.copy_params(net, twin)
### END SOLUTION

# %%
check(
    lambda: twin.evaluate(X, twin.begin_state(batch_size))[0],
    lambda: net.evaluate(X, net.begin_state(batch_size))[0],
    hint="make it as in_numpy was made, but with the functions of rnn; then copy_params",
    tolerance=1e-3,
)

# %% [markdown]
# ## What to take away
#
# - A framework's own layer computes the equations of notebook 3, nothing else.
# - Networks with the same parameters are the same if outputs *and* gradients agree to rounding.
# - Two biases of one sum compute what one does, and train twice as fast.
# - Compare trainings from the same beginning: what looks like a better layer may be a better start.
#
# **Proven in the repository.** Outputs and gradients of every layer, against a reference in
# float64: `test_a_network_agrees_with_the_float64_reference` in `tests/measure/test_agreement.py`.
# The way there and back: `test_parameters_go_to_a_layer_and_come_back` and
# `test_a_trained_layer_is_the_scratch_model_with_its_parameters` in `tests/nets/test_cells.py`.
# Two biases: `test_joined_biases_become_one_and_their_gradients_too`, in the same file. A forward
# function of one's own, in `tests/nets/test_scratch.py`:
# `test_a_forward_function_of_one_s_own_is_trained_where_there_is_differentiation`.
