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
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/d2lrnn/d2lrnn/blob/main/notebooks/15-recurrence-in-parallel.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/d2lrnn/d2lrnn/blob/main/notebooks/15-recurrence-in-parallel.ipynb)
#
# # 15. Recurrence in parallel
#
# A recurrent network computes one state after the other: a text of 10,000
# characters needs 10,000 steps in sequence, and a processor with thousands
# of units is idle most of the time. This is different if the new state is a
# *linear* function of the old one. Then all states can be computed together,
# in a few large operations. The method is called a scan. This notebook
# derives the scan and its gradient, and simplifies a GRU until the scan can
# compute it. Then it measures when this is faster, and shows what the
# simplified network cannot learn.
#
# The notebook follows the sections "Gated Recurrence" and "Linear Recurrence
# and State Space Models" of *Dive into Deep Learning*, in its edition of
# 2026. Notebook 6 explains the GRU, notebook 5 the backward pass.

# %%
import importlib.util

if importlib.util.find_spec("d2lrnn") is None:
    # %pip install -q "d2lrnn[torch] @ git+https://github.com/d2lrnn/d2lrnn"
    importlib.invalidate_caches()

# %%
import numpy as np

from d2lrnn import backends, plot
from d2lrnn.measure import speed
from d2lrnn.nets import linear_scans, scan
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
# ## Two steps at once
#
# Two steps of a plain RNN are
#
# $$\mathbf{H}_2 = \tanh\big(\mathbf{A}_2 + \tanh(\mathbf{A}_1 +
# \mathbf{H}_0 \mathbf{W}_{hh}) \mathbf{W}_{hh}\big), \tag{1}$$
#
# where $\mathbf{A}_t = \mathbf{X}_t \mathbf{W}_{xh} + \mathbf{b}_h$. There
# is not a shorter form. To get $\mathbf{H}_2$, we must first compute
# $\mathbf{H}_1$, because tanh is not linear.
#
# Now consider a recurrence that is linear in the state. Each unit has its
# own numbers $a_t$ and $b_t$ at each step, and they do not depend on the
# state:
#
# $$h_t = a_t h_{t-1} + b_t. \tag{2}$$
#
# As a loop over time:


# %%
def recurrence(a, b, h):
    """Return all states (T, ...) for a and b (T, ...), from the state h."""
    states = []
    for a_t, b_t in zip(a, b):
        h = a_t * h + b_t  # (2)
        states.append(h)
    return np.array(states)


# %% [markdown]
# The function `rnn.sequential_scan` of the package is the same loop:

# %%
rng = np.random.default_rng(0)
num_steps, shape = 100, (3, 4)  # rows of a minibatch, hidden units
a = rng.uniform(0, 1, size=(num_steps, *shape))
b = rng.normal(size=(num_steps, *shape))
h_0 = rng.normal(size=shape)


def by_package(scan_function, *arrays):
    """Return the states that a function of the package computes."""
    tensors = [rnn.from_numpy(array) for array in arrays]
    return rnn.to_numpy(scan_function(*tensors))


by_hand = recurrence(a, b, h_0)
looped = by_package(rnn.sequential_scan, a, b, h_0)
gap = np.abs(by_hand - looped).max()
print(f"{num_steps} steps, equal to the package's loop: {gap < 1e-14}")

# %% [markdown]
# A step is the map $h \mapsto a h + b$. Such a map is called *affine*. It is
# described by two numbers. What are two affine maps in sequence?
#
# ### Exercise 1
#
# Apply first the map $(a_1, b_1)$, then the map $(a_2, b_2)$. The result is
# an affine map again. Return its two numbers.


# %%
def compose(first, second):
    """Return (a, b) of the map that applies first, then second."""
    (a_1, b_1), (a_2, b_2) = first, second
    ### BEGIN SOLUTION
    return a_2 * a_1, a_2 * b_1 + b_2
    ### END SOLUTION


# %%
def applied(pair, h):
    """Return the value of an affine map at h."""
    return pair[0] * h + pair[1]


check(
    lambda: [
        applied(compose((0.5, 2.0), (3.0, -1.0)), h)
        for h in (0.0, 1.0, -4.0)
    ],
    [applied((3.0, -1.0), applied((0.5, 2.0), h)) for h in (0.0, 1.0, -4.0)],
    hint="put the value of the first map into the second, and collect "
    "the terms with h",
)

# %% [markdown]
# So two steps can be combined *before* the state is known:
#
# $$(a_2, b_2) \circ (a_1, b_1) = (a_2 a_1,\; a_2 b_1 + b_2). \tag{3}$$
#
# This combination is associative: it does not matter whether the first two
# of three maps are combined first, or the last two. The reason is that maps
# are applied one after the other in both cases, in the same order. (The
# order itself matters: the combination is not commutative.) Therefore we can
# divide the steps into groups, combine each group separately, and combine
# the groups. This is similar to a sum, which several people can compute
# together.
#
# ## A scan
#
# We need all states, not only the last. A *scan* computes all of them. The
# simplest form was published by Hillis and Steele in 1986. In the first
# round, each position combines its map with the map one position before. In
# the second round, it combines the result with the one two positions before,
# then four, then eight. After each round, a position contains the
# combination of twice as many steps.

# %%
num_columns, rounds = 8, 4
pen = sketch.Pen(None, 17.2, 7.4)
for level in range(rounds):
    y, distance = 6.6 - 1.9 * level, 2 ** (level - 1)
    for place in range(num_columns):
        x, first = 2.5 + 1.9 * place, max(0, place - 2**level + 1)
        finished = first == 0
        words = (
            f"{first + 1}" if first == place else f"{first + 1}-{place + 1}"
        )
        colour = "#CDEBE0" if finished else "#CFE3F1"
        pen.box(x, y, words, colour=colour, width=1.2, height=0.8)
        if level:
            above = y + 1.9 - 0.42
            pen.path((x, above), (x, y + 0.42))
            if place >= distance:
                pen.path((x - 1.9 * distance, above), (x - 0.1, y + 0.42))
    label = f"round {level}" if level else "start"
    pen.text(0.1, y, label, size=0.85, ha="left", color="#444444")
present(
    pen.ax,
    "Eight maps are combined in three rounds, over distances 1, 2 and 4; "
    "each box contains the range of the steps that it combines.",
)

# %% [markdown]
# In each round, all positions are computed together. In NumPy, a round is
# one operation on slices:


# %%
def doubling(a, b):
    """Return all states of (2), from the state 0, in log2(T) rounds."""
    distance = 1
    while distance < len(b):
        later, before = a[distance:], slice(None, -distance)
        b = np.concatenate([b[:distance], later * b[before] + b[distance:]])
        a = np.concatenate([a[:distance], later * a[before]])  # (3)
        distance *= 2
    return b


from_zero = recurrence(a, b, np.zeros(shape))
gap = np.abs(doubling(a, b) - from_zero).max()
rounds = int(np.ceil(np.log2(num_steps)))
print(f"{rounds} rounds instead of {num_steps} steps")
print("the same states up to rounding:", gap < 1e-14)

# %% [markdown]
# The sums are computed in another order, so the results agree up to
# rounding, not in every bit. For $|a_t| \le 1$ the products of the $a_t$
# cannot overflow.
#
# ### Exercise 2
#
# For 1,024 steps and one unit: how many rounds are needed, and how many
# multiplications are there in all rounds? The loop needs 1,024.

# %%
### BEGIN SOLUTION
num_rounds = 10
multiplications = sum(2 * (1024 - 2**k) for k in range(num_rounds))
### END SOLUTION


# %%
class Counted(float):
    """A number that counts its products."""

    def __mul__(self, other):
        products.append(other)
        return Counted(float(self) * other)


products = []
ones = np.array([Counted(1)] * 1024, dtype=object)
doubling(ones, np.ones(1024))
check(
    [num_rounds, multiplications],
    [np.log2(1024), len(products)],
    hint="a round at distance d changes 1,024 - d positions, and each "
    "needs a product for a and one for b",
)

# %% [markdown]
# So doubling needs fewer steps in sequence, but about twenty times as many
# multiplications. This is good for a GPU with enough free units and bad for
# a processor with two cores. The package uses a compromise: it divides $T$
# steps into about $\sqrt{T}$ blocks of $\sqrt{T}$ steps. All blocks are
# computed together by one loop over $\sqrt{T}$ steps, each as if its first
# state were 0. A second loop over the blocks computes the states between
# them. Then each block adds its first state, multiplied by the product of
# its $a_t$ so far. There are $2 \sqrt{T}$ steps in sequence, and about three
# times as many multiplications as in the loop.

# %%
rnn.show(scan.in_blocks)

# %%
scanned = by_package(rnn.associative_scan, a, b, h_0)
print("scan and loop agree:", np.abs(scanned - by_hand).max() < 1e-14)
for length in (1, 7, 33):
    parts, state = [], h_0
    for start in range(0, num_steps, length):
        steps = slice(start, start + length)
        part = by_package(rnn.associative_scan, a[steps], b[steps], state)
        parts.append(part)
        state = part[-1]
    gap = np.abs(np.concatenate(parts) - by_hand).max()
    print(f"in segments of {length}, with the state: {gap < 1e-14}")

# %% [markdown]
# ### Exercise 3
#
# `doubling` starts from the state 0. Use it, without changing it, to compute
# the states from another state $h_0$. (Some published programs forget the
# state, or add it at the wrong place. Then a text that is processed in two
# parts gives other results than the whole text.)


# %%
def doubling_from(a, b, h_0):
    """Return all states of (2), from the state h_0."""
    ### BEGIN SOLUTION
    first = a[:1] * h_0 + b[:1]
    return doubling(a, np.concatenate([first, b[1:]]))
    ### END SOLUTION


# %%
check(
    lambda: doubling_from(a, b, h_0),
    lambda: by_package(rnn.sequential_scan, a, b, h_0),
    hint="which of the b can contain the state, so that the first step "
    "is right?",
)

# %% [markdown]
# ## The gradient is a scan too
#
# Let $g_t$ be the gradient of the loss with respect to $h_t$ that comes from
# the output at step $t$. The state $h_t$ also influences $h_{t+1}$, with the
# factor $a_{t+1}$. So the complete gradient $G_t$ of $h_t$ is
#
# $$G_t = g_t + a_{t+1} G_{t+1}. \tag{4}$$
#
# This is (2) again, from the last step to the first. The gradients of the
# inputs follow from (2) directly:
#
# $$\frac{\partial L}{\partial b_t} = G_t, \qquad
# \frac{\partial L}{\partial a_t} = G_t h_{t-1}, \qquad
# \frac{\partial L}{\partial h_0} = a_1 G_1. \tag{5}$$
#
# So training is as parallel as prediction: the backward pass does not have
# to follow the steps one by one. Notebook 5 derives the same kind of
# recurrence for the plain RNN. There, (4) contains the slope of tanh, which
# depends on the state.
#
# ### Exercise 4
#
# Compute $G_1, \ldots, G_T$ by one call of `recurrence`, the loop for (2).


# %%
def gradient_of_states(a, g):
    """Return G (T, ...) for a and g (T, ...), by one call of recurrence."""
    ### BEGIN SOLUTION
    later = np.concatenate([a[1:], np.zeros_like(a[:1])])
    return recurrence(later[::-1], g[::-1], np.zeros_like(g[0]))[::-1]
    ### END SOLUTION


# %%
def by_framework(a, b, h_0, g):
    """Return the gradients of a, b and h_0, by the chosen backend."""

    def forward(b, state, params):
        states = rnn.associative_scan(params[0], b, state[0])
        return states, state  # the second result is not used

    tensors = [rnn.from_numpy(array) for array in (a, b, h_0, g)]
    a, b, h_0, g = tensors
    d_b, d_h_0, d_a = rnn.vjp(forward, b, (h_0,), [a], g, (0 * h_0,))
    return [rnn.to_numpy(part) for part in (d_a[0], d_b, d_h_0[0])]


a_row, b_row, h_row = a[:, 0], b[:, 0], h_0[0]  # (T, h): one row
g = rng.normal(size=b_row.shape)
d_a, d_b, d_h_0 = by_framework(a_row, b_row, h_row, g)
check(
    lambda: gradient_of_states(a_row, g),
    d_b,
    hint="reverse the time of both; at the last step there is no later "
    "gradient, and the factor of step t is a of step t + 1",
)

# %% [markdown]
# The framework's gradient of $b_t$ is $G_t$. Equation (5) gives the other
# two:

# %%
before = np.concatenate([h_row[None], recurrence(a_row, b_row, h_row)[:-1]])
same = [
    np.allclose(d_a, d_b * before, rtol=0, atol=1e-13),
    np.allclose(d_h_0, a_row[0] * d_b[0], rtol=0, atol=1e-13),
]
print("gradients of a and of the first state agree with (5):", all(same))

# %% [markdown]
# This is the code of the package, for all backends:

# %%
rnn.show(scan.gradient)

# %% [markdown]
# ## minGRU: gates that do not depend on the state
#
# Which recurrent network has the form (2)? A GRU almost does. Its new state
# is a weighted mean of the old state and a candidate, but the gates and the
# candidate depend on the old state. Feng et al. (2024) removed this
# dependency and called the result *minGRU*:
#
# $$\mathbf{Z}_t = \sigma(\mathbf{X}_t \mathbf{W}_{xz} + \mathbf{b}_z),
# \qquad \tilde{\mathbf{H}}_t = \tanh(\mathbf{X}_t \mathbf{W}_{xh} +
# \mathbf{b}_h), \tag{6}$$
#
# $$\mathbf{H}_t = (1 - \mathbf{Z}_t) \odot \mathbf{H}_{t-1} +
# \mathbf{Z}_t \odot \tilde{\mathbf{H}}_t. \tag{7}$$
#
# The reset gate is not needed, because it only acts on the old state in the
# candidate. Equation (7) is (2) with $a_t = 1 - \mathbf{Z}_t$ and $b_t =
# \mathbf{Z}_t \odot \tilde{\mathbf{H}}_t$, which are known for all steps
# before the first state is computed. The package shows the loop:

# %%
rnn.show(rnn.mingru, helpers=True)

# %% [markdown]
# And the scan, for all backends (`f` is the file of the chosen backend):

# %%
rnn.show(linear_scans.scan_mingru)

# %% [markdown]
# Now the proof that nothing else has changed. A minGRU is a GRU whose
# recurrent weights are all 0. In the GRU of the book, $\mathbf{Z}_t$ is the
# weight of the *old* state; `rnn.flip_update_gate` exchanges the two
# conventions (notebook 6).

# %%
num_inputs, num_hiddens, batch_size = 5, 4, 3
inputs = rng.normal(size=(num_steps, batch_size, num_inputs))
H_0 = rng.normal(size=(batch_size, num_hiddens))
params = [
    rng.normal(size=rnn.to_numpy(param).shape)
    for param in rnn.get_mingru_params(num_inputs, num_hiddens)
]


def outputs_of(forward_fn, params):
    """Return the outputs (T * n, q), computed from H_0."""
    state = (rnn.from_numpy(H_0),)
    arrays = [rnn.from_numpy(array) for array in params]
    return rnn.to_numpy(forward_fn(rnn.from_numpy(inputs), state, arrays)[0])


def as_gru(params):
    """Return the parameters of a GRU that computes this minGRU."""
    W_xz, b_z, W_xh, b_h, W_hq, b_q = params
    W_h = np.zeros((num_hiddens, num_hiddens))
    reset = 0 * W_xz, W_h, 0 * b_z  # any reset gate has this effect
    weights = [W_xz, W_h, b_z, *reset, W_xh, W_h, b_h, W_hq, b_q]
    return rnn.flip_update_gate(weights)


loop_outputs = outputs_of(rnn.mingru, params)
for label, others in {
    "the scan": outputs_of(rnn.mingru_scan, params),
    "a GRU without recurrent weights": outputs_of(rnn.gru, as_gru(params)),
}.items():
    gap = np.abs(others - loop_outputs).max()
    print(f"minGRU equals {label}: {gap < 1e-13}")

# %% [markdown]
# The parameters show what was removed: for 28 characters and 256 units, a
# GRU has 218,880 weights and biases in its gates, and a minGRU has 14,848.
#
# ## minLSTM
#
# The same idea for an LSTM gives *minLSTM*. The forget gate and the input
# gate do not depend on the state. They are divided by their sum, so that the
# new state is again a weighted mean:
#
# $$\mathbf{F}_t = \sigma(\mathbf{X}_t \mathbf{W}_{xf} + \mathbf{b}_f),
# \qquad \mathbf{I}_t = \sigma(\mathbf{X}_t \mathbf{W}_{xi} +
# \mathbf{b}_i), \qquad
# \mathbf{F}'_t = \frac{\mathbf{F}_t}{\mathbf{F}_t + \mathbf{I}_t}, \qquad
# \mathbf{I}'_t = \frac{\mathbf{I}_t}{\mathbf{F}_t + \mathbf{I}_t},
# \tag{8}$$
#
# $$\mathbf{H}_t = \mathbf{F}'_t \odot \mathbf{H}_{t-1} + \mathbf{I}'_t
# \odot \tanh(\mathbf{X}_t \mathbf{W}_{xh} + \mathbf{b}_h). \tag{9}$$
#
# ### Exercise 5
#
# Write one step of a minLSTM. `p` has the parameters by name, as in
# `p.W_xf`; use `rnn.sigmoid` and `rnn.tanh`, which exist in every backend.
# The function `rnn.check_cell` compares the outputs and all gradients with
# those of `rnn.minlstm`. If they differ, it prints the first difference.


# %%
def minlstm_step(X, H, p):
    """Return the new state (n, h) for an input X (n, d) and a state H."""
    ### BEGIN SOLUTION
    F = rnn.sigmoid(X @ p.W_xf + p.b_f)
    I = rnn.sigmoid(X @ p.W_xi + p.b_i)
    H_tilde = rnn.tanh(X @ p.W_xh + p.b_h)
    return F / (F + I) * H + I / (F + I) * H_tilde
    ### END SOLUTION


# %%
axes = {}
for gate in "fih":
    axes |= {f"W_x{gate}": ("d", "h"), f"b_{gate}": ("h",)}


def agrees(step):
    """Return whether a cell with this step equals the package's minLSTM."""
    report = rnn.check_cell(rnn.new_cell(step, params=axes), rnn.minlstm)
    if not report:
        print(report)
    return bool(report)


check(
    lambda: agrees(minlstm_step),
    True,
    hint="follow (8) and (9): first the three products, then the two "
    "quotients",
)

# %% [markdown]
# Where both gates are closed, $\mathbf{F}_t + \mathbf{I}_t$ can become 0 by
# underflow, and the quotient is then 0 / 0. The package computes the same
# quotient in another form, which does not have this problem.
#
# ## Training
#
# Training does not change: `mingru_scan` is another forward function. The
# next cell trains a minGRU and a GRU with the same number of units on the
# same minibatches.

# %%
at_hand = time_machine_at_hand()
load_data = rnn.load_data_time_machine if at_hand else rnn.load_data_builtin
num_units, num_epochs = full_or_fast((64, 50), (16, 2))
mingru = rnn.get_mingru_params, rnn.init_mingru_state, rnn.mingru_scan
gru = rnn.get_gru_params, rnn.init_gru_state, rnn.gru_fused
histories, nets = {}, {}
for label, functions in {"minGRU": mingru, "GRU": gru}.items():
    train_iter, vocab = load_data(32, 35, seed=0)
    net = rnn.RNNModelScratch(len(vocab), num_units, *functions, seed=0)
    larger = [10 * array for array in net.arrays()]
    net.load_arrays(larger)  # makes training faster
    histories[label] = rnn.train_ch8(
        net, train_iter, vocab, 1.0, num_epochs, progress=False
    )
    nets[label] = net
    size = sum(array.size for array in larger)
    last = histories[label].perplexity[-1]
    print(f"{label}: {size:,} parameters, perplexity {last:.1f}")
ax = plot.new_axes(8, 4.8)
present(
    plot.perplexity(histories, ax),
    "Perplexity over epochs of a minGRU and of a GRU.",
)

# %% [markdown]
# The minGRU learns with a third of the parameters, and the GRU reaches a
# lower perplexity. One layer of minGRU only computes weighted sums of
# functions of single characters. In practice, several layers with nonlinear
# functions between them are stacked. The nonlinear functions are computed at
# each step separately, so they do not prevent a scan.
#
# ## One token at a time
#
# Generating text is sequential by nature: the next input is known only after
# the last output. Here the loop is used, and the only memory that it needs
# is the last state. Both forms are the same function, so a network that was
# trained by a scan can generate text with the loop:

# %%
net, state = nets["minGRU"], nets["minGRU"].begin_state(1)
ids = np.array([vocab[list("time traveller")]])
at_once, _ = net.evaluate(ids, state)
one_by_one = []
for place in range(ids.shape[1]):
    scores, state = net.evaluate(ids[:, place : place + 1], state)
    one_by_one.append(scores)
gap = np.abs(np.concatenate(one_by_one) - at_once).max()
print("one token at a time gives all at once:", gap < 1e-4)

# %% [markdown]
# ## When is a scan faster?
#
# The next cell measures a training step of a minGRU with the loop and with
# the scan, in turn, for sequences of different lengths, and draws the ratio
# of the times. (It is for one machine and the chosen backend, and will
# differ on yours.)

# %%
lengths = full_or_fast([16, 64, 256, 1024], [8, 32])
name = rnn.__name__.rpartition(".")[2]
loop = rnn.get_mingru_params, rnn.init_mingru_state, rnn.mingru
ratios = []
for length in lengths:
    X = np.random.default_rng(0).integers(28, size=(4, length))
    runs = {}
    for kind, functions in {"loop": loop, "scan": mingru}.items():
        net = rnn.RNNModelScratch(28, 32, *functions, seed=0)
        step = net.make_step(0.1)
        runs[kind] = speed.training_run(name, net, step, X, X)
    seconds = speed.medians(runs, rounds=full_or_fast(5, 1))
    ratios.append(seconds["loop"] / seconds["scan"])
ax = plot.new_axes(8, 4.8)
ax.plot(lengths, ratios, "o-", color=plot.COLOURS[0])
ax.axhline(1, color="black", linewidth=1.5)
ax.set(xscale="log", yscale="log", xlabel="time steps")
ax.set(ylabel="time of the loop / time of the scan")
ax.set_xticks(lengths, lengths)
ticks = [0.5, 1, 2, 5, 10, 20]
ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
ax.minorticks_off()
present(ax, "The ratio of the times of loop and scan, for each length.")

# %% [markdown]
# Above the line, the scan is faster. Part of the difference is not the scan
# itself: `mingru_scan` also multiplies the inputs of all steps in one
# product and looks up rows instead of multiplying one-hot vectors (notebook
# 12). The longer the sequence, the more calls the loop needs. The scan needs
# about $2 \sqrt{T}$. Where a framework compiles the loop, a call costs
# little, and the ratio can remain near 1 on a processor with few cores. On a
# GPU, the sequential steps dominate for both kinds of frameworks.
#
# ## What a gate that does not depend on the state cannot do
#
# The *parity* of a sequence of bits is 1 if the number of ones so far is
# odd, and 0 otherwise. It is the simplest task that needs a memory: one bit,
# which changes at each 1. The next cell trains a plain RNN and a minGRU with
# 16 units each on the parity of 10 bits, with a target at every step.

# %%
num_bits, num_updates = 10, full_or_fast(250, 20)


def parities(rng, size=64, length=num_bits):
    """Return bits (size, length) and the parity after each of them."""
    bits = rng.integers(2, size=(size, length))
    return bits, bits.cumsum(axis=1) % 2


def learn(functions, first_size):
    """Return a trained network; its first weights are enlarged."""
    net = rnn.RNNModelScratch(2, 16, *functions, seed=0)
    net.load_arrays([first_size * array for array in net.arrays()])
    step = net.make_step(0.03, optimizer="adam")
    rng = np.random.default_rng(0)
    for _ in range(num_updates):
        bits, targets = parities(rng)
        step(bits, targets, net.begin_state(len(bits)))
    return net


def scores_of(net, bits):
    """Return the score of parity 1 minus that of parity 0, (n, T)."""
    outputs, _ = net.evaluate(bits, net.begin_state(len(bits)))
    outputs = outputs.reshape(bits.shape[1], len(bits), 2)
    return (outputs[:, :, 1] - outputs[:, :, 0]).T


plain = rnn.get_params, rnn.init_rnn_state, rnn.rnn_fused
learned = {
    "plain RNN": learn(plain, 30.0),
    "minGRU": learn(mingru, 30.0),
}
bits, targets = parities(np.random.default_rng(1), 200, 40)
for label, net in learned.items():
    share = ((scores_of(net, bits) > 0) == targets)[:, -1].mean()
    print(f"{label}: {share:.0%} right after 40 bits")

# %% [markdown]
# The plain RNN learns the rule and also applies it to sequences that are
# longer than those in training. The minGRU guesses. The next figure shows
# why. It shows the score of both networks for a sequence of ones, for which
# the parity alternates:

# %%
ones = np.ones((1, 40), dtype=int)
ax = plot.new_axes(8, 4.8)
for number, (label, net) in enumerate(learned.items()):
    score = scores_of(net, ones)[0]
    changes = int((np.diff(np.sign(score)) != 0).sum())
    print(f"{label}: the score changes its sign {changes} times")
    places = range(1, 41)
    ax.plot(places, score, label=label, **plot.line_style(number))
ax.axhline(0, color="black", linewidth=1.5)
ax.set(xlabel="number of ones", ylabel="score of an odd number")
ax.legend(loc="upper right", ncols=2, bbox_to_anchor=(1, 1.16))
present(
    ax,
    "The score of the plain RNN alternates with each one; that of the "
    "minGRU approaches a constant.",
)

# %% [markdown]
# If the input is always the same, $z$ and $\tilde h$ of each unit are
# constant. From the state 0, (7) gives
#
# $$h_t = \big(1 - (1 - z)^t\big)\, \tilde h. \tag{10}$$
#
# The state approaches $\tilde h$ and never turns back. The score is a
# constant plus a weighted sum of the powers $(1 - z_j)^t$ of all units $j$,
# with positive bases. Such a sum with $h$ units changes its sign at most $h$
# times. The parity of a long sequence of ones changes after every step. So a
# minGRU with 16 units *cannot* compute it, for any parameters and after any
# training. A larger network only moves the limit.
#
# Is this a limit of the scan? No. It is a limit of $0 < a_t < 1$.
#
# ### Exercise 6
#
# Choose $a_t$ and $b_t$ as functions of the bit $x_t$, so that the
# recurrence (2), from the state 0, computes the parity exactly. (They need
# not be gates.)


# %%
def parity_steps(x):
    """Return a and b (T, ...) of (2), for bits x (T, ...) of 0.0 or 1.0."""
    ### BEGIN SOLUTION
    return 1 - 2 * x, x
    ### END SOLUTION


# %%
bits, targets = parities(np.random.default_rng(2), 5, 1000)
check(
    lambda: by_package(
        rnn.associative_scan, *parity_steps(bits.T.astype(float))
    ),
    lambda: targets.T.astype(float),
    hint="a 0 keeps h; a 1 replaces h by 1 - h, which is an affine map",
)

# %% [markdown]
# A factor of $-1$ reflects the state. A GRU or a plain RNN can do this,
# because their next state is a nonlinear function of the state. A linear
# recurrence needs negative factors for it, which a sigmoid does not give.
#
# ## What to take away
#
# - If the new state is $a_t h_{t-1} + b_t$, and $a_t$ and $b_t$ do not
#   depend on the state, then all states can be computed together.
# - The combination of two affine maps is an affine map, and combining is
#   associative. Nothing else is needed for a scan.
# - The gradient is a scan from the last step to the first.
# - A minGRU is a GRU without recurrent weights. It is trained by a scan, and
#   generates text with the loop; both compute the same function.
# - A scan is faster for long sequences. For short ones, it may not be.
# - Gates between 0 and 1 that do not depend on the state cannot compute
#   parity. Notebook 16 shows what they can do if they depend on the input.
#
# **Proven in the repository**, for five backends:
# `test_a_scan_equals_the_recurrence_for_every_length`,
# `test_segments_with_passed_states_equal_the_whole_sequence`,
# `test_the_gradient_of_a_scan_equals_a_scan_in_reverse`,
# `test_mingru_is_a_gru_without_recurrent_weights_in_the_other_convention`,
# `test_the_scan_of_a_cell_equals_its_loop` and
# `test_one_token_at_a_time_gives_the_scores_of_all_at_once` in
# `tests/nets/test_scan.py`.
# `test_the_gates_of_minlstm_do_not_become_nan_where_both_are_closed` in the
# same file tests the other form of the quotient.
