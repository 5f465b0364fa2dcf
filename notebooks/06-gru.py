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
# A plain recurrent network computes its whole state anew at every step, so
# stored information is soon lost. The gated recurrent unit (GRU) can keep
# parts of its state unchanged. Two gates decide, for each hidden unit and
# each step, what is kept and what is replaced. The gates are learned like
# all other parameters. This notebook explains why gates are useful,
# implements a GRU in ten lines, fixes its gates to show the effect of each,
# measures how far gradients flow, and trains a GRU. Several variants of the
# GRU are in use; the notebook explains how they differ.
#
# The notebook follows section 10.2 of *Dive into Deep Learning* and uses its
# notation. Notebook 3 implements the plain network, and notebook 5 explains
# why it forgets.

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

# Before any import of a framework: float64 in JAX, fewer messages.
backends.prepare()
plot.use_style()

# %% [markdown]
# This notebook runs on any of five backends. To choose one, edit only the
# following line.

# %%
from d2lrnn import torch as rnn  # or tensorflow, jax, mxnet, numpy

# %% [markdown]
# ## Limitations of a plain RNN
#
# A plain RNN computes $\mathbf{H}_t = \tanh(\mathbf{X}_t \mathbf{W}_{xh} +
# \mathbf{H}_{t-1} \mathbf{W}_{hh} + \mathbf{b}_h)$. For a text, this
# is not sufficient, for three reasons.
#
# - The first word shows that the narrator is a woman, and a pronoun three
#   lines later depends on this. The unit that stores this information should
#   *not change* in between. But $\mathbf{W}_{hh}$ and tanh change it at
#   every step, and notebook 5 shows how fast the information is lost.
# - Some characters contain no information, such as the fourth space in a
#   row. The network should be able to *skip* them, so that they do not
#   change the state.
# - When a chapter ends, information about its last sentence is no longer
#   useful and should be *deleted* at once. But in a plain RNN, it decays at
#   the rate of everything else in the state.
#
# Each of these requires a switch that depends on the input: keep or update,
# use the old state or not. A switch jumps between two values, so it cannot
# be trained with gradients. A *gate* is a continuous switch, with values
# between 0 and 1.
#
# ## Two gates
#
# A gate is a number between 0 and 1 for each hidden unit. It is computed
# from the input and the previous state by a separate layer with the sigmoid
# function $\sigma(a) = 1 / (1 + e^{-a})$. The *reset gate* and the *update
# gate* are
#
# $$\mathbf{R}_t = \sigma(\mathbf{X}_t \mathbf{W}_{xr} +
# \mathbf{H}_{t-1} \mathbf{W}_{hr} + \mathbf{b}_r), \tag{1}$$
#
# $$\mathbf{Z}_t = \sigma(\mathbf{X}_t \mathbf{W}_{xz} +
# \mathbf{H}_{t-1} \mathbf{W}_{hz} + \mathbf{b}_z). \tag{2}$$
#
# With $n$ rows in a minibatch and $h$ hidden units, both have the shape
# ($n$, $h$), like the state. The *candidate* state is computed like the new
# state of a plain RNN, except that $\mathbf{R}_t$ determines how much of the
# previous state is used:
#
# $$\tilde{\mathbf{H}}_t = \tanh(\mathbf{X}_t \mathbf{W}_{xh} +
# (\mathbf{R}_t \odot \mathbf{H}_{t-1}) \mathbf{W}_{hh} + \mathbf{b}_h).
# \tag{3}$$
#
# ($\odot$ is the product element by element.) The new state is a weighted
# mean of the old state and the candidate. $\mathbf{Z}_t$ is the weight of
# the old state:
#
# $$\mathbf{H}_t = \mathbf{Z}_t \odot \mathbf{H}_{t-1} +
# (1 - \mathbf{Z}_t) \odot \tilde{\mathbf{H}}_t. \tag{4}$$

# %%
present(
    diagrams.gru_cell(),
    "One step of a GRU: two gates control the state along the top line.",
)

# %% [markdown]
# The line at the top is the most important part: where $\mathbf{Z}_t$ is 1,
# the old state is passed on unchanged. The next figure shows two parts
# separately: on the left the gate as a function of the argument of the
# sigmoid, and on the right equation (4) for one unit with the old state 0.8
# and the candidate -0.5.


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
# A complete GRU is a loop over time with one line for each equation:


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
# To test it, we use random inputs, a random initial state, and parameters
# with the shapes and the order of the package. The function `states` runs
# any network of the package and returns its hidden states; for this purpose
# its output layer is the identity.

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
print("by hand and by the package: the same states", by_hand.shape)

# %% [markdown]
# This is the source code of the package in the chosen backend:

# %%
rnn.show(rnn.gru, helpers=True)

# %% [markdown]
# ### Exercise 1
#
# How many parameters does a GRU have for 28 tokens and 256 hidden units,
# including the output layer? And by which factor is the number of its
# recurrent weights, in matrices of shape (256, 256), larger than that of a
# plain RNN?

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
    hint="two gates and the candidate each have two matrices and a bias",
)

# %% [markdown]
# ## Special cases of the gates
#
# Large biases fix a gate at 0 or 1 for every input: $\sigma(40)$ is 1 and
# $\sigma(-40)$ is 0 up to rounding. This gives special cases, three of which
# are well known.
#
# - $\mathbf{Z} = 1$: equation (4) becomes $\mathbf{H}_t = \mathbf{H}_{t-1}$.
#   The state never changes.
# - $\mathbf{Z} = 0$ and $\mathbf{R} = 1$: the new state is the candidate,
#   which uses the whole previous state. This is a plain RNN.
# - $\mathbf{Z} = 0$ and $\mathbf{R} = 0$: the new state is a candidate that
#   uses only the input. This is a multilayer perceptron (MLP), without
#   memory.
# - $\mathbf{Z} = 0.9$: each step keeps nine tenths of the state and adds one
#   tenth of the candidate. This is a moving average of the candidates.


# %%
def with_biases(b_z, b_r):
    """Return the parameters with gates that depend only on these."""
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
by_case = {label: states(rnn.gru, arrays) for label, arrays in cases.items()}

plain = states(rnn.rnn, params[6:])  # W_xh, W_hh, b_h, W_hq, b_q
W_xh, _, b_h = params[6:9]
memoryless = np.tanh(inputs @ W_xh + b_h)
standing = np.broadcast_to(H_0, plain.shape)
for label, what, expected in [
    ("Z = 1", "a state that never changes", standing),
    ("Z = 0, R = 1", "a plain recurrent network", plain),
    ("Z = 0, R = 0", "an MLP, which has no memory", memoryless),
]:
    same = np.allclose(by_case[label], expected, rtol=0, atol=1e-12)
    print(f"{label:12} gives {what}: {same}")

# %%
ax = plot.new_axes(8, 4.8)
for number, (label, values) in enumerate(by_case.items()):
    unit = np.concatenate([H_0[0, 3:], values[:, 0, 3]])
    label = f"${label.replace(',', '$, $')}$"
    ax.plot(unit, label=label, **plot.line_style(number))
ax.set(xlabel="time step", ylabel="one hidden unit")
ax.set_xticks(range(0, num_steps + 1, 5))
ax.legend(ncols=2, loc="upper center", bbox_to_anchor=(0.5, 1.28))
present(ax, "The gates decide whether one unit is constant, slow or fast.")

# %% [markdown]
# All lines show the same network with different gates. A trained GRU
# computes the gates from the input and the state, for each unit and each
# step. Some units learn to store information for a long time, others to
# follow the text closely. The update gate determines which information is
# kept; the reset gate determines which information is ignored.
#
# ### Exercise 2
#
# Assume that the update gate depends only on its bias, $Z = \sigma(b_z)$,
# and that the candidate is 0. For which $b_z$ does half of the state remain
# after 20 steps?

# %%
### BEGIN SOLUTION
Z = 0.5 ** (1 / 20)
b_z = np.log(Z / (1 - Z))
### END SOLUTION


# %%
def share_left(bias):
    """Return the share of the state that remains after 20 steps."""
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
# After 20 steps, the state should be equal to the result of an MLP for the
# eighth input, and should not depend on the inputs before or after it. Which
# gates have this effect? Give $Z_t$ and $R_t$ for the steps $t = 1, \ldots,
# 20$, the same for all units, as two arrays (20,).

# %%
### BEGIN SOLUTION
Z_of_step, R_of_step = np.ones(20), np.zeros(20)
Z_of_step[7] = 0
### END SOLUTION


# %%
def last_state(Zs, Rs):
    """Return the state after the inputs, with the given gates."""
    H, (W_xh, W_hh, b_h) = H_0, params[6:9]
    for X, Z, R in zip(inputs, Zs, Rs):
        H_tilde = np.tanh(X @ W_xh + (R * H) @ W_hh + b_h)
        H = Z * H + (1 - Z) * H_tilde
    return H


check(
    lambda: last_state(Z_of_step, R_of_step),
    lambda: memoryless[7],
    hint="update at one step and keep at all others; step 1 is index 0",
)

# %% [markdown]
# ## Gradients over many steps
#
# To learn a dependency over many steps, the gradient of a loss at the end
# must flow back to the step that caused it. For one row of a minibatch,
# equation (4) gives
#
# $$\frac{\partial \mathbf{H}_t}{\partial \mathbf{H}_{t-1}} =
# \mathrm{diag}(\mathbf{Z}_t) + \text{terms through }
# \tilde{\mathbf{H}}_t, \mathbf{Z}_t \text{ and } \mathbf{R}_t. \tag{5}$$
#
# The terms on the right contain weight matrices and the slopes of tanh and
# sigmoid, as in a plain RNN. The first term does not contain a matrix. Over
# many steps it becomes the product $\mathbf{Z}_T \odot \cdots \odot
# \mathbf{Z}_{t+1}$, which is near 1 if the gates are near 1. So with a large
# bias $b_z$, gradients reach distant steps. The next cell computes the
# gradient of the loss of the last of 100 characters, for networks that
# differ only in $b_z$ and for a plain RNN (notebook 5 contains similar
# figures):

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
    arrays = [
        10.0 * array for array in net.arrays()
    ]  # standard deviation 0.1
    if bias is not None:
        arrays[2] = arrays[2] + bias
    net.load_arrays(arrays)
    label = "plain RNN" if bias is None else f"GRU, $b_z$ = {bias:g}"
    norms[label] = rnn.gradient_norms(net, ids, targets, last_only=True)
ax = plot.gradient_norms(norms, plot.new_axes(8, 4.8))
ax.set(ylabel=r"norm of $\partial L / \partial H_t$", ylim=(1e-20, 3))
present(ax, "The larger the bias b_z, the less the gradient decreases.")

# %% [markdown]
# Read the figure from right to left. With $b_z = 0$ the gates start at 0.5,
# so half of the state is lost at each step, and the GRU is not better than
# the plain RNN. With $b_z = 4$ the gates are 0.98, and the gradient of the
# last loss still reaches the first character. The network must learn large
# gates during training, or $b_z$ must be set at the start.
#
# Does this help to learn? The next cell tests memory. A sequence begins with
# the symbol 0 or 1, followed by random other symbols. At the end, the
# network must predict the first symbol. Plain RNNs and GRUs with $b_z = 2$,
# each with 16 hidden units, are trained on the same sequences with several
# seeds.

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
    results = [learn(cell, seed) for seed in seeds]
    for losses, _ in results:
        smooth = np.convolve(losses, np.ones(10) / 10, mode="valid")
        places = range(10, num_updates + 1)
        ax.plot(places, smooth, label=label, **plot.line_style(number))
        label = None  # one entry in the legend for all of a kind
    learned = sum(share > 0.99 for _, share in results)
    print(f"{cell}: {learned} of {len(seeds)} networks learned the task")
ax.axhline(np.log(2), color="black", linewidth=2)
beside = {"textcoords": "offset points", "ha": "right"}
ax.annotate("chance level", (num_updates, np.log(2)), (0, 8), **beside)
ax.set(xlabel="training step", ylabel="loss, nats", ylim=(0, 0.95))
ax.xaxis.get_major_locator().set_params(integer=True)
ax.legend(loc="upper right", ncols=2)
present(ax, "Losses of plain RNNs and of GRUs, compared with chance level.")

# %% [markdown]
# A plain RNN can store one bit as well, if its initial weights are suitable.
# Here, the GRU with a larger $b_z$ learns the task with every seed.
#
# ## Two conventions for the update gate
#
# In some papers and tutorials, the update gate has the opposite meaning: it
# is the weight of the *candidate*:
#
# $$\mathbf{H}_t = (1 - \mathbf{Z}_t) \odot \mathbf{H}_{t-1} +
# \mathbf{Z}_t \odot \tilde{\mathbf{H}}_t. \tag{6}$$
#
# This is the same network in another notation. Since
#
# $$1 - \sigma(a) = \frac{1 + e^{-a} - 1}{1 + e^{-a}} =
# \frac{1}{e^{a} + 1} = \sigma(-a), \tag{7}$$
#
# it is sufficient to change the sign of the weights and the bias of the
# update gate. The function `rnn.flip_update_gate` does this.
#
# ### Exercise 4
#
# Implement one step in the other convention: equations (1) to (3), then (6).
# The check runs your step over time, with the weights of the update gate
# negated. `check_cell` compares outputs and last state with those of `gru`
# for random numbers. If they differ, it names the first difference.


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
def my_gru(inputs, state, params):
    """Run your step over time, with the update gate of (7)."""
    *weights, W_hq, b_q = rnn.flip_update_gate(params)
    (H,), outputs = state, []
    for X in inputs:
        H = other_convention(X, H, weights)
        outputs.append(H @ W_hq + b_q)
    return np.concatenate(outputs), (H,)


check(
    lambda: backends.load("numpy").check_cell(
        my_gru, "gru", gradients=False
    ),
    True,
    hint="as in gru_by_hand, but with Z and 1 - Z exchanged",
)

# %% [markdown]
# ## Reset gate before or after the product
#
# The second difference is not only a notation. In the book, the reset gate
# is applied to the state *before* the product with $\mathbf{W}_{hh}$. In
# PyTorch, Keras, Flax and MXNet it is applied *after* the product:
#
# $$\tilde{\mathbf{H}}_t = \tanh(\mathbf{X}_t \mathbf{W}_{xh} +
# \mathbf{R}_t \odot (\mathbf{H}_{t-1} \mathbf{W}_{hh} + \mathbf{b}_{hh}) +
# \mathbf{b}_h). \tag{8}$$
#
# The reason is speed. In the first form, the product with $\mathbf{W}_{hh}$
# can only be computed after $\mathbf{R}_t$. In the second form,
# $\mathbf{H}_{t-1}$ is multiplied by all three matrices in one product. The
# second form also has an additional bias $\mathbf{b}_{hh}$ (except in Flax).
#
# In the first form, a unit with a reset gate of 0 has no influence on *any*
# unit of the candidate. In the second form, a unit with a reset gate of 0
# *is not influenced* by any unit. So the two forms agree if all gates are 1
# or all gates are 0, but not in general. `rnn.gru_reset_after` implements
# the second form:


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
print(f"random gates: difference {form_gap(W_hh):.2f}")
print("R = 1: equal up to rounding:", form_gap(W_hh, b_r=OPEN) < 1e-12)
print("R = 0: equal up to rounding:", form_gap(W_hh, b_r=SHUT) < 1e-12)

# %%
diagonal = np.diag(np.diag(W_hh))
amounts = np.linspace(0, 1, full_or_fast(21, 5))
gaps = [form_gap(diagonal + a * (W_hh - diagonal)) for a in amounts]
ax = plot.new_axes(8, 4.8)
ax.plot(amounts, gaps, "o-", color=plot.COLOURS[0])
ax.set(xlabel="share outside the diagonal", ylabel="difference of states")
present(ax, "The forms differ as soon as units influence one another.")

# %% [markdown]
# With the same parameters the two forms compute different results, and
# parameters that were trained with one form do not work in the other. Both
# forms learn equally well. When you compare numbers, check which form is
# used.
#
# ### Exercise 5
#
# For some matrices $\mathbf{W}_{hh}$, both forms are the same for all gates.
# Give such a matrix (4, 4), without a row of zeros.

# %%
### BEGIN SOLUTION
special = np.diag([1.0, -2.0, 0.5, 3.0])
### END SOLUTION

# %%
check(
    lambda: [form_gap(special), np.abs(special).sum(axis=1).min() > 0],
    [0, 1],
    hint="(R * H) W = R * (H W) if no unit influences another",
)

# %% [markdown]
# The layers of the frameworks use the second form. If their parameters are
# copied to `gru_reset_after`, both compute the same results (notebook 4
# shows this for the plain RNN):

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
    print("NumPy does not have recurrent layers to compare with.")

# %% [markdown]
# ## Training
#
# A plain RNN and a GRU with the same number of hidden units are trained on
# the same 10,000 characters and the same minibatches. The training loop does
# not change: `train_ch8` is the loop of notebook 3, and a GRU is only
# another forward function. `gru_fused` computes the same as `gru`, but
# faster.

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
    net.load_arrays(larger)  # makes training faster
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
    "Perplexity over epochs of a plain RNN and of a GRU.",
)

# %% [markdown]
# The perplexity of the GRU decreases more slowly at first and becomes lower
# in the end. With the same number of hidden units, the GRU has almost three
# times as many parameters, and each step takes more time accordingly. What
# did its gates learn? The next figure shows the update gates of twelve units
# for one line of text: dark where a unit keeps its value, light where it is
# updated.

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
chosen = by_mean[places]  # from smallest to largest mean
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
    "Update gates over a line: units are updated at different places.",
)

# %% [markdown]
# Dark rows are units that store information for a long time. Light rows are
# units that are updated at every character. Most units are in between: they
# keep their values at some characters and change at others.
#
# ## Limitations
#
# *A GRU costs more.* Three products replace one at each step, and three
# matrices replace one. With the same number of recurrent parameters, a plain
# RNN can have $\sqrt{3}$ times as many units. A fair comparison states which
# of the two is equal; here it is the number of units.
#
# *A GRU cannot count.* By equation (4), each new state lies between the old
# state and the candidate, and tanh limits the candidate to the range from -1
# to 1. So a state that starts at 0 never leaves this range, and it cannot
# count the lines of a text by adding 1. The memory cell of an LSTM (notebook
# 7) has no such limit.
#
# *A GRU forgets eventually.* A sigmoid is never exactly 1. A gate of 0.98
# keeps half of a value for 34 steps, and a gate of 0.998 for 346 steps. To
# keep a value for $k$ steps, the argument of the sigmoid must be about $\log
# k$, and training moves it there slowly. The last exercise is about this
# problem.
#
# ### Exercise 6
#
# This exercise needs some research. The memory test above had sequences of
# 60 symbols. Now use 200 symbols. With $b_z = 2$ the GRU does not learn this
# in the same number of steps. Which bias does it need? Choose one with the
# reasoning above, and try it: more than 95% of the predictions should be
# right.

# %%
### BEGIN SOLUTION
long_bias = 5.0
### END SOLUTION

# %%
longer, enough = full_or_fast((200, 0.95), (10, 0.3))
check(
    lambda: learn("gru", 0, b_z=long_bias, span=longer)[1] > enough,
    True,
    hint="Z to the power of 200 must not be too small",
)

# %% [markdown]
# ## What to take away
#
# - The update gate computes a weighted mean of the old state and a
#   candidate. If it is 1, the state does not change.
# - With $\mathbf{Z} = 0$ and $\mathbf{R} = 1$ a GRU is a plain RNN; with
#   $\mathbf{R} = 0$ as well, it does not have a memory.
# - Gradients reach distant steps through $\mathbf{Z}_t$, if the gates are
#   near 1. A bias can set them near 1 at the start.
# - The meaning of $\mathbf{Z}$ is a convention: changing a sign converts one
#   convention to the other.
# - The place of the reset gate, before or after the product, is not a
#   convention: these are different networks.
#
# **Proven in the repository.** The equations, number by number:
# `test_outputs_follow_the_equations` in `tests/nets/test_scratch.py`. In
# `tests/nets/test_cells.py`: the special cases,
# `test_a_gru_with_its_gates_forced_is_a_simpler_network`; both forms of the
# reset gate,
# `test_the_place_of_the_reset_gate_matters_unless_the_product_is_diagonal`;
# the two conventions,
# `test_the_other_gru_convention_is_the_update_gate_with_its_sign_changed`;
# the bias of frameworks' layers,
# `test_the_bias_within_the_reset_gate_is_copied_too`. Layers and gradients:
# `test_a_network_agrees_with_the_float64_reference` in
# `tests/measure/test_agreement.py`. `gru_fused` learns the same as `gru`:
# `test_a_fused_model_learns_like_the_plain_model` in
# `tests/nets/test_fused.py`.
