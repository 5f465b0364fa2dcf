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
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/d2lrnn/d2lrnn/blob/main/notebooks/06-gru.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/d2lrnn/d2lrnn/blob/main/notebooks/06-gru.ipynb)
#
# # 6. The gated recurrent unit
#
# A plain recurrent network writes its whole state anew at every step, and
# what it wants to remember has to survive each rewriting. The gated
# recurrent unit (GRU) can leave its state alone. Two gates decide, for each
# hidden unit and each step, what is kept and what is forgotten; and they are
# learned like all else. This notebook says why gates are wanted, writes a
# GRU in ten lines, forces its gates to see what each of them does, follows
# the gradient on its way back, and trains one. There are several GRUs in
# use, and we tell them apart on the way.
#
# It follows section 10.2 of *Dive into Deep Learning*, with its notation.
# Notebook 3 writes the plain network, notebook 5 says why it forgets.

# %%
import importlib.util

if importlib.util.find_spec("d2lrnn") is None:
    # %pip install -q "d2lrnn[torch] @ git+https://github.com/d2lrnn/d2lrnn"
    importlib.invalidate_caches()

# %%
import numpy as np

from d2lrnn import backends, plot
from d2lrnn.plot import diagrams
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
# ## What a plain network cannot do
#
# A plain network computes $\mathbf{H}_t = \tanh(\mathbf{X}_t
# \mathbf{W}_{xh} + \mathbf{H}_{t-1} \mathbf{W}_{hh} + \mathbf{b}_h)$. Think
# of what one would like it to do with a text.
#
# - The first word says that the story is told by a woman. A pronoun three
#   lines further down depends on it. The unit that holds this should be
#   *left alone* in between. But $\mathbf{W}_{hh}$ and tanh act on it at
#   every step, and notebook 5 shows how fast that wears it down.
# - Some characters say nothing, such as the fourth space in a row. One would
#   like to *skip* them, as if they had not been read.
# - A chapter ends. What was known about its last sentence only disturbs, and
#   should be *dropped* at once. But in a plain network it fades by the same
#   matrix as all else.
#
# Each wish is for a switch that depends on what is read: keep or renew, look
# back or not. Switches cannot be trained by gradients, because they jump. A
# *gate* is a switch that can stand anywhere between open and shut.
#
# ## Two gates
#
# A gate is a number between 0 and 1 for each hidden unit. It is computed
# from the input and the state before by a layer of its own, with the sigmoid
# $\sigma(a) = 1 / (1 + e^{-a})$ at its end. The *reset gate* and the *update
# gate* are
#
# $$\mathbf{R}_t = \sigma(\mathbf{X}_t \mathbf{W}_{xr} +
# \mathbf{H}_{t-1} \mathbf{W}_{hr} + \mathbf{b}_r), \tag{1}$$
#
# $$\mathbf{Z}_t = \sigma(\mathbf{X}_t \mathbf{W}_{xz} +
# \mathbf{H}_{t-1} \mathbf{W}_{hz} + \mathbf{b}_z). \tag{2}$$
#
# With $n$ rows in a minibatch and $h$ hidden units both are ($n$, $h$), as
# the state is. The *candidate* is what a plain network would make the new
# state, but for $\mathbf{R}_t$, which says how much of the state before it
# gets to see:
#
# $$\tilde{\mathbf{H}}_t = \tanh(\mathbf{X}_t \mathbf{W}_{xh} +
# (\mathbf{R}_t \odot \mathbf{H}_{t-1}) \mathbf{W}_{hh} + \mathbf{b}_h).
# \tag{3}$$
#
# ($\odot$ multiplies element by element.) The new state is a mixture of the
# old one and the candidate, and $\mathbf{Z}_t$ is the share of the old one:
#
# $$\mathbf{H}_t = \mathbf{Z}_t \odot \mathbf{H}_{t-1} +
# (1 - \mathbf{Z}_t) \odot \tilde{\mathbf{H}}_t. \tag{4}$$

# %%
present(
    diagrams.gru_cell(),
    "One step of a GRU: the state runs along the top, two gates act on it.",
)

# %% [markdown]
# The line along the top is what it is about: where $\mathbf{Z}_t$ is 1, the
# old state arrives on the other side untouched. Below, the two parts by
# themselves: on the left the gate as a function of what goes into the
# sigmoid, on the right equation (4) for one unit that is at 0.8, with a
# candidate of -0.5.


# %%
def sigmoid(A):
    """Return 1 / (1 + exp(-A)), without overflow."""
    return 0.5 * (np.tanh(0.5 * A) + 1)


left, right = plot.new_axes(12, 4.8, columns=2)
line = np.linspace(-6, 6, 200)
left.plot(line, sigmoid(line), **plot.line_style(0))
left.set(xlabel="sum of inputs and bias", ylabel="gate")
share = np.linspace(0, 1, 50)
right.plot(share, share * 0.8 + (1 - share) * -0.5, **plot.line_style(0))
for place, name in ((1, "as it was"), (0, "candidate")):
    right.plot(
        place, 0.8 * place - 0.5 * (1 - place), "o", ms=12, label=name
    )
right.set(xlabel="update gate", ylabel="new state of the unit")
right.legend()
present([left, right], "A sigmoid from 0 to 1; a line between two states.")

# %% [markdown]
# A GRU in full is a loop over time, with one line for each equation:


# %%
def gru_by_hand(inputs, H, weights):
    """Return the states (T, n, h) after inputs (T, n, d), from H (n, h)."""
    W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h = weights
    states = []
    for X in inputs:
        R = sigmoid(X @ W_xr + H @ W_hr + b_r)  # (1)
        Z = sigmoid(X @ W_xz + H @ W_hz + b_z)  # (2)
        H_tilde = np.tanh(X @ W_xh + (R * H) @ W_hh + b_h)  # (3)
        H = Z * H + (1 - Z) * H_tilde  # (4)
        states.append(H)
    return np.array(states)


# %% [markdown]
# To try it: random inputs, a random first state, and parameters in the
# shapes and the order of the package. `states` runs any of the package's
# networks and returns its hidden states; as output layer it gets the
# identity.

# %%
parts = ("W_x", "W_h", "b_")
names = [part + gate for gate in "zrh" for part in parts] + ["W_hq", "b_q"]
rng = np.random.default_rng(0)
num_inputs, num_hiddens, num_steps, batch_size = 5, 4, 20, 3
params = [
    0.6 * rng.normal(size=rnn.to_numpy(param).shape)
    for param in rnn.get_gru_params(num_inputs, num_hiddens)
]
inputs = rng.normal(size=(num_steps, batch_size, num_inputs))
H_0 = rng.normal(size=(batch_size, num_hiddens))
for name, param in zip(names, params):
    print(f"{name:4} {param.shape}")


def states(forward_fn, params):
    """Return the hidden states after each step (T, n, h), from H_0."""
    *weights, _, _ = params
    as_it_is = np.eye(num_hiddens), np.zeros(num_hiddens)
    arrays = [rnn.from_numpy(array) for array in (*weights, *as_it_is)]
    first = (rnn.from_numpy(H_0),)
    outputs, _ = forward_fn(rnn.from_numpy(inputs), first, arrays)
    return rnn.to_numpy(outputs).reshape(num_steps, batch_size, num_hiddens)


by_hand = gru_by_hand(inputs, H_0, params[:9])
assert np.allclose(by_hand, states(rnn.gru, params), rtol=0, atol=1e-12)
print("the package computes the same states", by_hand.shape)

# %% [markdown]
# This is the source of the package, in the backend chosen above:

# %%
rnn.show(rnn.gru, helpers=True)

# %% [markdown]
# ### Exercise 1
#
# How many parameters has a GRU for 28 tokens with 256 hidden units, its
# output layer included? And how many times as many are its recurrent
# matrices, (256, 256) each, as those of a plain network?

# %%
### BEGIN SOLUTION
gru_size = 3 * (28 * 256 + 256 * 256 + 256) + 256 * 28 + 28
times = 3
### END SOLUTION

# %%
check(
    [gru_size, times],
    lambda: [
        sum(rnn.to_numpy(p).size for p in rnn.get_gru_params(28, 256)),
        sum(name.startswith("W_h") for name in names[:9]),
    ],
    hint="two gates and a candidate have two matrices and a bias each",
)

# %% [markdown]
# ## What the gates can do
#
# Biases can force a gate open or shut, whatever the input: $\sigma(40)$ is 1
# and $\sigma(-40)$ is 0 within rounding. That gives special cases, three of
# which are well known under other names.
#
# - $\mathbf{Z} = 1$: equation (4) is $\mathbf{H}_t = \mathbf{H}_{t-1}$.
#   Whatever is read, the state stands still.
# - $\mathbf{Z} = 0$ and $\mathbf{R} = 1$: the state is the candidate, and
#   the candidate sees the whole state before. That is a plain network.
# - $\mathbf{Z} = 0$ and $\mathbf{R} = 0$: the state is a candidate that sees
#   the input alone. That is a multilayer perceptron, without memory.
# - $\mathbf{Z} = 0.9$: each step keeps nine tenths and takes one tenth of
#   what is new. That is a sliding mean of the candidates.


# %%
def with_biases(b_z, b_r):
    """Return the parameters with gates that depend on these alone."""
    forced = {"b_z": b_z, "b_r": b_r}
    forced |= {"W_xz": 0, "W_hz": 0, "W_xr": 0, "W_hr": 0}
    return [
        np.full_like(array, forced[name]) if name in forced else array
        for name, array in zip(names, params)
    ]


SHUT, OPEN = -40.0, 40.0
cases = {
    "Z = 1": with_biases(OPEN, OPEN),
    "Z = 0.9": with_biases(np.log(9), OPEN),
    "Z = 0, R = 1": with_biases(SHUT, OPEN),
    "Z = 0, R = 0": with_biases(SHUT, SHUT),
}
found = {label: states(rnn.gru, arrays) for label, arrays in cases.items()}

plain = states(rnn.rnn, params[6:])  # W_xh, W_hh, b_h, W_hq, b_q
W_xh, _, b_h = params[6:9]
memoryless = np.tanh(inputs @ W_xh + b_h)
standing = np.broadcast_to(H_0, plain.shape)
for label, what, expected in [
    ("Z = 1", "a state that stands still", standing),
    ("Z = 0, R = 1", "a plain recurrent network", plain),
    ("Z = 0, R = 0", "an MLP, which has no memory", memoryless),
]:
    same = np.allclose(found[label], expected, rtol=0, atol=1e-12)
    print(f"{label:12} gives {what}: {same}")

# %%
ax = plot.new_axes(8, 4.8)
for number, (label, values) in enumerate(found.items()):
    unit = np.concatenate([H_0[0, 3:], values[:, 0, 3]])
    label = f"${label.replace(',', '$, $')}$"
    ax.plot(unit, label=label, **plot.line_style(number))
ax.set(xlabel="time step", ylabel="one hidden unit")
ax.set_xticks(range(0, num_steps + 1, 5))
ax.legend(ncols=2, loc="upper center", bbox_to_anchor=(0.5, 1.28))
present(ax, "One unit stands still, moves slowly, or jumps, as gates say.")

# %% [markdown]
# All lines are one and the same network with other gates. A GRU chooses anew
# for each unit at each step, by what it reads. Some units learn to hold on
# to something for long, others to follow the text closely. The update gate
# is for what has to last; the reset gate is for what has to end.
#
# ### Exercise 2
#
# Suppose that the update gate depends on nothing but its bias, $Z =
# \sigma(b_z)$, and that the candidate is 0. For which $b_z$ is half of the
# state left after 20 steps?

# %%
### BEGIN SOLUTION
Z = 0.5 ** (1 / 20)
b_z = np.log(Z / (1 - Z))
### END SOLUTION


# %%
def share_left(bias):
    """Return which share of the state is left after 20 steps."""
    arrays = [0 * array for array in params]
    arrays[2] = arrays[2] + bias
    return (states(rnn.gru, arrays)[19] / H_0).mean()


check(
    lambda: share_left(b_z),
    0.5,
    hint="Z**20 is one half; the inverse of the sigmoid is log(Z / (1 - Z))",
)

# %% [markdown]
# ### Exercise 3
#
# After 20 steps the state shall be what an MLP makes of the eighth input:
# nothing of what came before it, nothing of what came after. Which gates do
# that? Give $Z_t$ and $R_t$ for the steps $t = 1, \ldots, 20$, the same for
# all units, as two arrays (20,).

# %%
### BEGIN SOLUTION
Z_of_step, R_of_step = np.ones(20), np.zeros(20)
Z_of_step[7] = 0
### END SOLUTION


# %%
def last_state(Zs, Rs):
    """Return the state after the inputs, with gates that are given."""
    H, (W_xh, W_hh, b_h) = H_0, params[6:9]
    for X, Z, R in zip(inputs, Zs, Rs):
        H_tilde = np.tanh(X @ W_xh + (R * H) @ W_hh + b_h)
        H = Z * H + (1 - Z) * H_tilde
    return H


check(
    lambda: last_state(Z_of_step, R_of_step),
    lambda: memoryless[7],
    hint="take in at one step and keep at all others; the first is index 0",
)

# %% [markdown]
# ## How far gradients come
#
# What has to be learned over many steps has to be heard of over many steps:
# the gradient of a loss at the end must come back to where it was decided.
# For one row of a minibatch, equation (4) gives
#
# $$\frac{\partial \mathbf{H}_t}{\partial \mathbf{H}_{t-1}} =
# \mathrm{diag}(\mathbf{Z}_t) + \text{terms through }
# \tilde{\mathbf{H}}_t, \mathbf{Z}_t \text{ and } \mathbf{R}_t. \tag{5}$$
#
# The terms on the right go through weight matrices and through the slopes of
# tanh and sigmoid, as in a plain network. The first does not: there is no
# matrix in it, and over many steps it is the product $\mathbf{Z}_T \odot
# \cdots \odot \mathbf{Z}_{t+1}$. Where the gates stay near 1, that product
# does too. So a large bias $b_z$ carries gradients far. Here the loss of the
# last of 100 characters goes back, in networks that differ in $b_z$ only,
# with a plain one beside them (notebook 5 has such plots):

# %%
at_hand = time_machine_at_hand()
load_data = rnn.load_data_time_machine if at_hand else rnn.load_data_builtin
length = full_or_fast(100, 40)
train_iter, vocab = load_data(batch_size=8, num_steps=length, seed=0)
ids, targets = next(iter(train_iter))
cells = {
    "rnn": (rnn.get_params, rnn.init_rnn_state, rnn.rnn),
    "gru": (rnn.get_gru_params, rnn.init_gru_state, rnn.gru),
}
norms = {}
variants = [("gru", 4.0), ("gru", 2.0), ("gru", 0.0), ("rnn", None)]
for cell, bias in full_or_fast(variants, variants[1::2]):
    net = rnn.RNNModelScratch(
        len(vocab), 64, *cells[cell], seed=0, dtype="float64"
    )
    arrays = [10.0 * array for array in net.arrays()]  # they spread by 0.1
    if bias is not None:
        arrays[2] = arrays[2] + bias
    net.load_arrays(arrays)
    label = "plain network" if bias is None else f"GRU, $b_z$ = {bias:g}"
    norms[label] = rnn.gradient_norms(net, ids, targets, last_only=True)
ax = plot.gradient_norms(norms, plot.new_axes(8, 4.8))
ax.set(ylabel=r"norm of $\partial L / \partial H_t$", ylim=(1e-20, 3))
present(ax, "The larger the bias b_z, the less of the gradient is lost.")

# %% [markdown]
# Read it from right to left. With $b_z = 0$ the gates start half open, half
# of the state is gone at each step, and the GRU is no better than the plain
# network. With $b_z = 4$ the gates are at 0.98, and the gradient of the last
# character still reaches the first. Being *able* to remember is one thing;
# it has to be learned, or the bias set so from the start.
#
# Does it help to learn? Here is a test of memory. A sequence of symbols
# begins with a 0 or a 1; then comes noise, from other symbols; at the end
# the network has to say what it began with. Plain networks and GRUs with
# $b_z = 2$ have 16 hidden units each and see the same sequences, each from
# several beginnings.

# %%
full, fast = (60, 150, range(4)), (10, 30, range(1))
span, num_updates, seeds = full_or_fast(full, fast)


def sequences(rng, size=32, span=span):
    """Return sequences (size, span) of symbols 0 to 7, and their firsts.

    The first symbol of each is 0 or 1, all others are 2 to 7.
    """
    symbols = rng.integers(2, 8, size=(size, span))
    symbols[:, 0] = rng.integers(2, size=size)
    return symbols, symbols[:, 0].copy()


def learn(cell, seed, b_z=2.0, span=span):
    """Return the losses of a new network, and its share of right answers."""
    reader = rnn.SequenceClassifierScratch(8, 16, 1, cell=cell, seed=seed)
    if cell == "gru":
        arrays = reader.arrays()
        arrays[2] = arrays[2] + b_z
        reader.load_arrays(arrays)
    train, rng = reader.make_step(0.01), np.random.default_rng(1)
    steps = range(num_updates)
    losses = [train(*sequences(rng, span=span)) for _ in steps]
    unseen = sequences(np.random.default_rng(2), 500, span)
    return losses, reader.score(*unseen)


ax = plot.new_axes(8, 4.8)
kinds = {"rnn": "plain network", "gru": "GRU"}
for number, (cell, label) in enumerate(kinds.items()):
    found = [learn(cell, seed) for seed in seeds]
    for losses, _ in found:
        smooth = np.convolve(losses, np.ones(10) / 10, mode="valid")
        places = range(10, num_updates + 1)
        ax.plot(places, smooth, label=label, **plot.line_style(number))
        label = None  # one entry in the legend for all of a kind
    learned = sum(share > 0.99 for _, share in found)
    print(f"{cell}: {learned} of {len(seeds)} have learned it")
ax.axhline(np.log(2), color="black", linewidth=2)
beside = {"textcoords": "offset points", "ha": "right"}
ax.annotate("guessing", (num_updates, np.log(2)), (0, 8), **beside)
ax.set(xlabel="training step", ylabel="loss, nats", ylim=(0, 0.95))
ax.xaxis.get_major_locator().set_params(integer=True)
ax.legend(loc="upper right", ncols=2)
present(ax, "Losses of plain networks and of GRUs, against guessing.")

# %% [markdown]
# A plain network can keep one bit as well, if its weights happen to start
# well. The GRU, its gates opened a little, needs no such luck here.
#
# ## Two conventions
#
# In some papers and tutorials the update gate means the opposite, the share
# of what is *new*:
#
# $$\mathbf{H}_t = (1 - \mathbf{Z}_t) \odot \mathbf{H}_{t-1} +
# \mathbf{Z}_t \odot \tilde{\mathbf{H}}_t. \tag{6}$$
#
# That is no other network, only another name for one. Since
#
# $$1 - \sigma(a) = \frac{1 + e^{-a} - 1}{1 + e^{-a}} =
# \frac{1}{e^{a} + 1} = \sigma(-a), \tag{7}$$
#
# it is enough to change the sign of the weights and the bias of the update
# gate. `rnn.flip_update_gate` does so.
#
# ### Exercise 4
#
# Write one step in the other convention: equations (1) to (3), then (6).


# %%
def other_convention(X, H, weights):
    """Return the state after X, where Z is the share of the candidate."""
    W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h = weights
    ### BEGIN SOLUTION
    Z = sigmoid(X @ W_xz + H @ W_hz + b_z)
    R = sigmoid(X @ W_xr + H @ W_hr + b_r)
    H_tilde = np.tanh(X @ W_xh + (R * H) @ W_hh + b_h)
    return (1 - Z) * H + Z * H_tilde
    ### END SOLUTION


# %%
check(
    lambda: other_convention(inputs[0], H_0, params[:9]),
    lambda: states(rnn.gru, rnn.flip_update_gate(params))[0],
    hint="as in gru_by_hand, but Z and 1 - Z change places",
)

# %% [markdown]
# ## Reset before or after the product
#
# The second difference is a real one. The book applies the reset gate to the
# state, *before* the product with $\mathbf{W}_{hh}$. PyTorch, Keras, Flax
# and MXNet apply it *after*:
#
# $$\tilde{\mathbf{H}}_t = \tanh(\mathbf{X}_t \mathbf{W}_{xh} +
# \mathbf{R}_t \odot (\mathbf{H}_{t-1} \mathbf{W}_{hh} + \mathbf{b}_{hh}) +
# \mathbf{b}_h). \tag{8}$$
#
# The reason is speed. Before: $\mathbf{W}_{hh}$ has to wait for
# $\mathbf{R}_t$. After: one product of $\mathbf{H}_{t-1}$ with all three
# matrices side by side does it. With it comes a bias of its own,
# $\mathbf{b}_{hh}$ (Flax leaves it out).
#
# In the first form a unit whose reset gate is shut cannot be seen by *any*
# unit of the candidate. In the second, a unit whose reset gate is shut
# *sees* none. So the two agree when all gates are open or all are shut, and
# not in between. `rnn.gru_reset_after` is the second form:


# %%
def form_gap(W_hh, b_r=None):
    """Return how far both forms are apart after a step; b_r forces R."""
    before = list(params)
    before[7] = W_hh
    if b_r is not None:
        before[5] = np.full(num_hiddens, b_r)
    after = [*before[:9], np.zeros(num_hiddens), *before[9:]]  # b_hh = 0
    one, other = states(rnn.gru, before), states(rnn.gru_reset_after, after)
    return np.abs(one[0] - other[0]).max()


W_hh = params[7]
print(f"random gates: {form_gap(W_hh):.2f} apart")
print("reset gate open: within rounding:", form_gap(W_hh, b_r=OPEN) < 1e-12)
print("reset gate shut: within rounding:", form_gap(W_hh, b_r=SHUT) < 1e-12)

# %%
diagonal = np.diag(np.diag(W_hh))
amounts = np.linspace(0, 1, full_or_fast(21, 5))
gaps = [form_gap(diagonal + a * (W_hh - diagonal)) for a in amounts]
ax = plot.new_axes(8, 4.8)
ax.plot(amounts, gaps, "o-", color=plot.COLOURS[0])
ax.set(xlabel="share of what is off the diagonal", ylabel="gap of states")
present(ax, "The forms part as units of the state begin to act on others.")

# %% [markdown]
# With the same parameters the two forms compute different things, and
# parameters learned in one do not fit the other. Both learn equally well. It
# is good to know which one you have when numbers are compared.
#
# ### Exercise 5
#
# There are matrices $\mathbf{W}_{hh}$ for which both forms are the same
# whatever the gates are. Give one, (4, 4), without a row of zeros.

# %%
### BEGIN SOLUTION
special = np.diag([1.0, -2.0, 0.5, 3.0])
### END SOLUTION

# %%
check(
    lambda: [form_gap(special), np.abs(special).sum(axis=1).min() > 0],
    [0, 1],
    hint="(R * H) W = R * (H W) if no unit acts on another; see the figure",
)

# %% [markdown]
# A framework's own layer is the second form. With its parameters copied to
# `gru_reset_after`, both compute the same (notebook 4 does this for the
# plain network):

# %%
if hasattr(rnn, "RNNModel"):
    layer = rnn.GRU(len(vocab), 32, seed=0, dtype="float64")
    net = rnn.RNNModel(layer, len(vocab), seed=0)
    functions = rnn.get_gru_reset_after_params, rnn.init_gru_state
    functions += (rnn.gru_reset_after,)
    twin = rnn.RNNModelScratch(len(vocab), 32, *functions, dtype="float64")
    rnn.copy_params(net, twin)
    one, other = (n.evaluate(ids, n.begin_state(8))[0] for n in (net, twin))
    same = np.allclose(one, other, rtol=0, atol=1e-12)
    print("layer and gru_reset_after agree:", same)
else:
    print("NumPy has no layers of its own to compare with.")

# %% [markdown]
# ## Training
#
# The plain network and the GRU, with as many hidden units, learn the same
# 10,000 characters from the same minibatches. Nothing is new in the
# training: `train_ch8` is the loop of notebook 3, and a GRU is another
# forward function for it. `gru_fused` computes what `gru` does, faster.

# %%
num_hiddens, num_epochs = full_or_fast((128, 250), (32, 3))
cells = {
    "rnn": (rnn.get_params, rnn.init_rnn_state, rnn.rnn_fused),
    "gru": (rnn.get_gru_params, rnn.init_gru_state, rnn.gru_fused),
}
histories, nets = {}, {}
for cell, functions in cells.items():
    train_iter, vocab = load_data(32, 35, seed=0)
    net = rnn.RNNModelScratch(len(vocab), num_hiddens, *functions, seed=0)
    larger = [10 * array for array in net.arrays()]
    net.load_arrays(larger)  # shortens the beginning
    history = rnn.train_ch8(
        net, train_iter, vocab, 1.0, num_epochs, progress=False
    )
    histories[cell], nets[cell] = history, net
    size, last = sum(a.size for a in larger), history.perplexity[-1]
    print(f"{cell}: {size:,} parameters, perplexity {last:.2f}")
    print(rnn.predict_ch8("time traveller", 50, net, vocab))
ax = plot.new_axes(8, 4.8)
present(
    plot.perplexity(histories, ax),
    "Perplexity over epochs of a plain network and of a GRU.",
)

# %% [markdown]
# The GRU starts more slowly and gets further. With as many hidden units, it
# has almost three times as many parameters, and a step takes accordingly
# longer. What has it done with its gates? Here is the update gate of twelve
# units over a line of text: dark where a unit keeps what it has, light where
# it takes in something new.

# %%
line = "the time traveller for so it will be"
Z_units, H = [], np.zeros((1, num_hiddens))
*weights, W_hq, b_q = (array.astype(float) for array in nets["gru"].arrays())
W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h = weights
for index in vocab[list(line)]:
    Z = sigmoid(W_xz[index] + H @ W_hz + b_z)
    R = sigmoid(W_xr[index] + H @ W_hr + b_r)
    H = Z * H + (1 - Z) * np.tanh(W_xh[index] + (R * H) @ W_hh + b_h)
    Z_units.append(Z[0])
Z_units = np.array(Z_units)  # (T, h)
by_mean = np.argsort(Z_units.mean(axis=0))
places = np.linspace(0, num_hiddens - 1, 12).astype(int)
chosen = by_mean[places]  # from those that keep least to the most
ax = plot.new_axes(9, 4.8)
image = ax.imshow(
    Z_units[:, chosen].T, cmap="Blues", vmin=0, vmax=1, aspect="auto"
)
ax.set_xticks(range(len(line)), list(line.replace(" ", "\u2423")))
ax.set(ylabel="hidden unit", yticks=[])
ax.grid(False)
ax.figure.colorbar(image, label=r"update gate $Z_t$")
present(
    ax,
    "Update gates over a line: units keep and renew at places of their own.",
)

# %% [markdown]
# Rows with much dark in them are units that last; rows that are light
# throughout are renewed with every character. Most are in between, and keep
# for some characters what others make them give up.
#
# ## Where it breaks
#
# Three things a GRU does not do.
#
# *It is not free.* Three products take the place of one at each step, and
# three matrices that of one. At equal numbers of parameters, a plain network
# may have $\sqrt{3}$ times as many units. A fair comparison says which of
# the two was held equal; here it was the number of units.
#
# *It cannot count.* By equation (4) each new state lies between the old one
# and the candidate, and tanh keeps the candidate within -1 and 1. So a state
# that begins at 0 never leaves that range, and adding 1 for each line of a
# text is not possible beyond the first. The memory of an LSTM, in notebook
# 7, has no such bound.
#
# *It does not keep for ever.* A sigmoid never is 1. A gate of 0.98 keeps
# half of a unit for 34 steps, and one of 0.998 for 346: what is to last for
# $k$ steps needs a sum of about $\log k$ in front of the sigmoid, and
# learning moves it there slowly. That is what the last exercise is about.
#
# ### Exercise 6
#
# A question for research. The memory test above had a span of 60 symbols.
# Give the GRU one of 200. With $b_z = 2$ it does not learn that in as many
# steps. Which bias does it need? Choose one from the reasoning above, and
# try: more than 95% of the answers shall be right.

# %%
### BEGIN SOLUTION
long_bias = 5.0
### END SOLUTION

# %%
longer, enough = full_or_fast((200, 0.95), (10, 0.3))
check(
    lambda: learn("gru", 0, b_z=long_bias, span=longer)[1] > enough,
    True,
    hint="after 200 steps, a good part must be left: Z to the power of 200",
)

# %% [markdown]
# ## What to take away
#
# - The update gate mixes the old state with a candidate; at 1 the state
#   stands still.
# - With $\mathbf{Z} = 0$ and $\mathbf{R} = 1$ a GRU is a plain network; with
#   $\mathbf{R} = 0$ too, it has no memory.
# - The direct line through $\mathbf{Z}_t$ is what gradients come back on; a
#   bias keeps it open at the start.
# - What $\mathbf{Z}$ means is a convention: a change of sign turns one into
#   the other.
# - Reset before or after the product is no convention: these are different
#   networks.
#
# **Proven in the repository.** The equations, number by number:
# `test_outputs_follow_the_equations` in `tests/nets/test_scratch.py`. In
# `tests/nets/test_cells.py`: the special cases,
# `test_a_gru_with_its_gates_forced_is_a_simpler_network`; both forms of the
# reset gate,
# `test_where_the_reset_gate_comes_matters_unless_the_product_is_diagonal`;
# the two conventions,
# `test_the_other_gru_convention_is_the_update_gate_with_its_sign_changed`;
# the bias of frameworks' layers,
# `test_the_bias_within_the_reset_gate_goes_with_the_rest`. Layers and
# gradients: `test_a_network_agrees_with_the_float64_reference` in
# `tests/measure/test_agreement.py`. That `gru_fused` learns what `gru` does:
# `test_a_fused_model_learns_as_its_twin_does` in `tests/nets/test_fused.py`.
