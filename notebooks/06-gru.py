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
#
# # 6. The gated recurrent unit
#
# A plain recurrent network writes its whole state anew at every step, and what it wants to remember
# has to survive each rewriting. The gated recurrent unit (GRU) can leave its state alone. Two gates
# decide, for each hidden unit and each step, what is kept and what is forgotten; and they are
# learned like all else. There are several GRUs in use, and this notebook tells them apart.
#
# It follows section 10.2 of *Dive into Deep Learning*, with its notation. Notebook 3 writes the
# plain network, notebook 5 says why it forgets.

# %%
import importlib.util

if importlib.util.find_spec("d2lrnn") is None:
    # %pip install -q "d2lrnn[torch] @ git+https://github.com/d2lrnn/d2lrnn"
    importlib.invalidate_caches()

# %%
import numpy as np

from d2lrnn import backends, plot
from d2lrnn.plot import diagrams
from d2lrnn.teaching import check, full_or_fast, present, time_machine_at_hand

backends.prepare()  # before any framework is imported: float64 in JAX, less talk from TensorFlow
plot.use_style()

# %% [markdown]
# Everything below runs on any of five backends. Edit this line, and nothing else, to choose one.

# %%
from d2lrnn import torch as rnn  # or tensorflow, jax, mxnet, numpy

# %% [markdown]
# ## Two gates
#
# A *gate* is a number between 0 and 1 for each hidden unit, computed from the input and the state
# before by a sigmoid, $\sigma(a) = 1 / (1 + e^{-a})$. The *reset gate* $\mathbf{R}_t$ and the
# *update gate* $\mathbf{Z}_t$ are
#
# $$\mathbf{R}_t = \sigma(\mathbf{X}_t \mathbf{W}_{xr} + \mathbf{H}_{t-1} \mathbf{W}_{hr} +
# \mathbf{b}_r), \qquad
# \mathbf{Z}_t = \sigma(\mathbf{X}_t \mathbf{W}_{xz} + \mathbf{H}_{t-1} \mathbf{W}_{hz} +
# \mathbf{b}_z).$$
#
# The *candidate* is a plain recurrent step, but for $\mathbf{R}_t$, which says how much of the
# state before it gets to see:
#
# $$\tilde{\mathbf{H}}_t = \tanh(\mathbf{X}_t \mathbf{W}_{xh} + (\mathbf{R}_t \odot
# \mathbf{H}_{t-1}) \mathbf{W}_{hh} + \mathbf{b}_h).$$
#
# The new state is a mixture of the old one and the candidate, and $\mathbf{Z}_t$ is the share of
# the old one:
#
# $$\mathbf{H}_t = \mathbf{Z}_t \odot \mathbf{H}_{t-1} + (1 - \mathbf{Z}_t) \odot
# \tilde{\mathbf{H}}_t.$$

# %%
present(
    diagrams.gru_cell(), "One step of a GRU: the state runs along the top, two gates act on it."
)

# %% [markdown]
# The line along the top is what it is about: where $\mathbf{Z}_t$ is 1, the old state arrives on
# the other side untouched. This is the source of the package, in the backend chosen above:

# %%
rnn.show(rnn.gru, helpers=True)

# %% [markdown]
# ### Exercise 1
#
# Write one step in NumPy, from the nine arrays in the order of the package. `sigmoid` is there.


# %%
def sigmoid(A):
    """Return 1 / (1 + exp(-A))."""
    return 0.5 * (np.tanh(0.5 * A) + 1)


def step(X, H, weights):
    """Return the hidden state (n, h) after X (n, d)."""
    W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h = weights
    ### BEGIN SOLUTION
    Z = sigmoid(X @ W_xz + H @ W_hz + b_z)
    R = sigmoid(X @ W_xr + H @ W_hr + b_r)
    H_tilde = np.tanh(X @ W_xh + (R * H) @ W_hh + b_h)
    return Z * H + (1 - Z) * H_tilde
    ### END SOLUTION


# %%
names = ["W_xz", "W_hz", "b_z", "W_xr", "W_hr", "b_r", "W_xh", "W_hh", "b_h", "W_hq", "b_q"]
rng = np.random.default_rng(0)
num_inputs, num_hiddens, num_steps, batch_size = 5, 4, 20, 3
params = [
    0.6 * rng.normal(size=rnn.to_numpy(param).shape)
    for param in rnn.get_gru_params(num_inputs, num_hiddens)
]
inputs = rng.normal(size=(num_steps, batch_size, num_inputs))
H_0 = rng.normal(size=(batch_size, num_hiddens))


def states(forward_fn, params):
    """Return the hidden states after each step (T, n, h), from H_0."""
    *weights, _, _ = params
    as_it_is = np.eye(num_hiddens), np.zeros(num_hiddens)  # W_hq and b_q: outputs are the states
    arrays = [rnn.from_numpy(array) for array in (*weights, *as_it_is)]
    outputs, _ = forward_fn(rnn.from_numpy(inputs), (rnn.from_numpy(H_0),), arrays)
    return rnn.to_numpy(outputs).reshape(num_steps, batch_size, num_hiddens)


check(
    lambda: step(inputs[0], H_0, params[:9]),
    lambda: states(rnn.gru, params)[0],
    hint="Z and R first, then the candidate with R * H in it, then the mixture",
)

# %% [markdown]
# ## What the gates can do
#
# Biases can force a gate open or shut, whatever the input: $\sigma(40)$ is 1 and $\sigma(-40)$ is 0
# within rounding. That gives four special cases.


# %%
def with_biases(b_z, b_r):
    """Return the parameters with gates that depend on nothing but these biases."""
    forced = {"b_z": b_z, "b_r": b_r, "W_xz": 0, "W_hz": 0, "W_xr": 0, "W_hr": 0}
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
for label, what, expected in [
    ("Z = 1", "a state that stands still", np.broadcast_to(H_0, plain.shape)),
    ("Z = 0, R = 1", "a plain recurrent network", plain),
    ("Z = 0, R = 0", "an MLP, which has no memory", memoryless),
]:
    print(f"{label:12} gives {what}: {np.allclose(found[label], expected, rtol=0, atol=1e-12)}")

# %%
ax = plot.new_axes(8, 4.8)
for number, (label, values) in enumerate(found.items()):
    unit = np.concatenate([H_0[0, 3:], values[:, 0, 3]])
    ax.plot(
        range(num_steps + 1),
        unit,
        label=f"${label.replace(',', '$, $')}$",
        **plot.line_style(number),
    )
ax.set(xlabel="time step", ylabel="one hidden unit", xticks=range(0, num_steps + 1, 5))
ax.legend(ncols=2, loc="upper center", bbox_to_anchor=(0.5, 1.28))
present(ax, "One unit over time: it stands still, moves slowly, or jumps, as the gates say.")

# %% [markdown]
# With $\mathbf{Z} = 0.9$ the state is a sliding mean of the candidates: each step keeps nine tenths
# and adds one. All lines are one and the same network with other gates. A GRU chooses anew for
# each unit at each step, by what it reads. Some units learn to hold on to something for long,
# others to follow the text closely.
#
# ### Exercise 2
#
# Suppose that the update gate depends on nothing but its bias, $Z = \sigma(b_z)$, and that the
# candidate is 0. For which $b_z$ is half of the state left after 20 steps?

# %%
### BEGIN SOLUTION
Z = 0.5 ** (1 / 20)
b_z = np.log(Z / (1 - Z))
### END SOLUTION


# %%
def share_left(bias):
    """Return how much of the state a GRU with that bias of the update gate has after 20 steps."""
    arrays = [0 * array for array in params]
    arrays[2] = arrays[2] + bias
    return (states(rnn.gru, arrays)[19] / H_0).mean()


check(
    lambda: share_left(b_z),
    0.5,
    hint="Z to the power of 20 is one half; the inverse of the sigmoid is log(Z / (1 - Z))",
)

# %% [markdown]
# ## How far gradients come
#
# On the way back, $\mathbf{H}_t = \mathbf{Z}_t \odot \mathbf{H}_{t-1} + \ldots$ has a direct line:
# part of the gradient is multiplied by $\mathbf{Z}_t$ alone, with no matrix and no tanh between. So
# a large bias $b_z$ carries gradients far. Here the loss of the last of 100 characters goes back,
# in networks that differ in $b_z$ only, with a plain one beside them (notebook 5 has such plots):

# %%
load_data = rnn.load_data_time_machine if time_machine_at_hand() else rnn.load_data_builtin
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
    net = rnn.RNNModelScratch(len(vocab), 64, *cells[cell], seed=0, dtype="float64")
    arrays = [10 * array for array in net.arrays()]  # a standard deviation of 0.1
    if bias is not None:
        arrays[2] = arrays[2] + bias
    net.load_arrays(arrays)
    label = "plain network" if bias is None else f"GRU, $b_z$ = {bias:g}"
    norms[label] = rnn.gradient_norms(net, ids, targets, last_only=True)
ax = plot.gradient_norms(norms, plot.new_axes(8, 4.8))
ax.set(ylabel=r"norm of $\partial L / \partial H_t$", ylim=(1e-20, 3))
present(ax, "The larger the bias of the update gate, the less of the gradient is lost on the way.")

# %% [markdown]
# With $b_z = 0$ the gates start half open, half of the state is gone at each step, and the GRU is
# no better than the plain network. Being *able* to remember is one thing; it has to be learned, or
# the bias set so from the start.
#
# Does it help to learn? Here is a test of memory. A sequence of symbols begins with a 0 or a 1;
# then comes noise, from other symbols; at the end the network has to say what it began with. Plain
# networks and GRUs with $b_z = 2$ have 16 hidden units each and see the same sequences, each from
# several beginnings.

# %%
span, num_updates, seeds = full_or_fast((60, 150, range(4)), (10, 30, range(1)))


def sequences(rng, size=32):
    """Return sequences (size, span) of symbols 0 to 7, of which the first is 0 or 1, and which."""
    symbols = rng.integers(2, 8, size=(size, span))
    symbols[:, 0] = rng.integers(2, size=size)
    return symbols, symbols[:, 0].copy()


def learn(cell, seed):
    """Return the losses of a new network, and its share of right answers in the end."""
    reader = rnn.SequenceClassifierScratch(8, 16, 1, cell=cell, seed=seed)
    if cell == "gru":
        arrays = reader.arrays()
        arrays[2] = arrays[2] + 2  # b_z
        reader.load_arrays(arrays)
    train, rng = reader.make_step(0.01), np.random.default_rng(1)
    losses = [train(*sequences(rng)) for _ in range(num_updates)]
    return losses, reader.score(*sequences(np.random.default_rng(2), 500))


ax = plot.new_axes(8, 4.8)
for number, (cell, label) in enumerate([("rnn", "plain network"), ("gru", "GRU")]):
    found = [learn(cell, seed) for seed in seeds]
    for losses, _ in found:
        smooth = np.convolve(losses, np.ones(10) / 10, mode="valid")
        ax.plot(range(10, num_updates + 1), smooth, label=label, **plot.line_style(number))
        label = None  # one entry in the legend for all of a kind
    learned = sum(share > 0.99 for _, share in found)
    print(f"{cell}: {learned} of {len(seeds)} have learned it")
ax.axhline(np.log(2), color="black", linewidth=2)
beside = {"textcoords": "offset points", "ha": "right"}
ax.annotate("guessing", (num_updates, np.log(2)), (0, 8), **beside)
ax.set(xlabel="training step", ylabel="loss, nats", ylim=(0, 0.95))
ax.xaxis.get_major_locator().set_params(integer=True)
ax.legend(loc="upper right", ncols=2)
present(ax, "Losses of plain networks and of GRUs, from several beginnings, against guessing.")

# %% [markdown]
# A plain network can keep one bit as well, if its weights happen to start well. The GRU, its gates
# opened a little, needs no such luck here.
#
# ## Two conventions
#
# In some papers and tutorials the update gate means the opposite, the share of what is *new*:
#
# $$\mathbf{H}_t = (1 - \mathbf{Z}_t) \odot \mathbf{H}_{t-1} + \mathbf{Z}_t \odot
# \tilde{\mathbf{H}}_t.$$
#
# That is no other network, only another name for one. Since $1 - \sigma(a) = \sigma(-a)$, it is
# enough to change the sign of the weights and the bias of the update gate:

# %%
rnn.show(rnn.flip_update_gate)


# %%
def other_convention(X, H, weights):
    """Return the hidden state after X, where Z is the share of the candidate."""
    W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h = weights
    Z = sigmoid(X @ W_xz + H @ W_hz + b_z)
    R = sigmoid(X @ W_xr + H @ W_hr + b_r)
    return (1 - Z) * H + Z * np.tanh(X @ W_xh + (R * H) @ W_hh + b_h)


ours = states(rnn.gru, rnn.flip_update_gate(params))[0]
theirs = other_convention(inputs[0], H_0, params[:9])
print("the same state:", np.allclose(ours, theirs, rtol=0, atol=1e-14))

# %% [markdown]
# ## Reset before or after the product
#
# The second difference is a real one. The book applies the reset gate to the state, *before* the
# product with $\mathbf{W}_{hh}$. PyTorch, Keras, Flax and MXNet apply it *after*:
#
# $$\tilde{\mathbf{H}}_t = \tanh(\mathbf{X}_t \mathbf{W}_{xh} + \mathbf{R}_t \odot
# (\mathbf{H}_{t-1} \mathbf{W}_{hh} + \mathbf{b}_{hh}) + \mathbf{b}_h).$$
#
# The reason is speed. Before: $\mathbf{W}_{hh}$ has to wait for $\mathbf{R}_t$. After: one product
# of $\mathbf{H}_{t-1}$ with all three matrices side by side does it. With it comes a bias of its
# own, $\mathbf{b}_{hh}$ (Flax leaves it out). The package has both forms:

# %%
rnn.show(rnn.gru_reset_after, helpers=True)


# %%
def form_gap(W_hh, b_r=None):
    """Return how far both forms are apart after one step; b_r forces the reset gate."""
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

# %% [markdown]
# With the same parameters the two forms compute different things, and parameters learned in one do
# not fit the other. Both learn equally well. It is good to know which one you have when numbers are
# compared.
#
# ### Exercise 3
#
# There are matrices $\mathbf{W}_{hh}$ for which both forms are the same whatever the gates are.
# Give one, (4, 4), without a row of zeros.

# %%
### BEGIN SOLUTION
special = np.diag([1.0, -2.0, 0.5, 3.0])
### END SOLUTION

# %%
check(
    lambda: [form_gap(special), np.abs(special).sum(axis=1).min() > 0],
    [0, 1],
    hint="(R * H) W = R * (H W) holds if each unit of the product comes from the same unit of H",
)

# %% [markdown]
# A framework's own layer is the second form. With its parameters copied to `gru_reset_after`, both
# compute the same (notebook 4 does this for the plain network):

# %%
if hasattr(rnn, "RNNModel"):
    net = rnn.RNNModel(rnn.GRU(len(vocab), 32, seed=0, dtype="float64"), len(vocab), seed=0)
    functions = rnn.get_gru_reset_after_params, rnn.init_gru_state, rnn.gru_reset_after
    twin = rnn.RNNModelScratch(len(vocab), 32, *functions, dtype="float64")
    rnn.copy_params(net, twin)
    one, other = (n.evaluate(ids, n.begin_state(8))[0] for n in (net, twin))
    print("layer and gru_reset_after agree:", np.allclose(one, other, rtol=0, atol=1e-12))
else:
    print("NumPy has no layers of its own to compare with.")

# %% [markdown]
# ## Training
#
# The plain network and the GRU, with as many hidden units, learn the same 10,000 characters from
# the same minibatches. `gru_fused` computes what `gru` does, faster.

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
    net.load_arrays([10 * array for array in net.arrays()])  # shortens the beginning
    settings = {"lr": 1.0, "num_epochs": num_epochs, "progress": False}
    histories[cell], nets[cell] = rnn.train_ch8(net, train_iter, vocab, **settings), net
    size = sum(array.size for array in net.arrays())
    print(f"{cell}: {size:,} parameters, perplexity {histories[cell].perplexity[-1]:.2f}")
    print(rnn.predict_ch8("time traveller", 50, net, vocab))
ax = plot.new_axes(8, 4.8)
present(plot.perplexity(histories, ax), "Perplexity over epochs of a plain network and of a GRU.")

# %% [markdown]
# The GRU starts more slowly and gets further. With as many hidden units, it has almost three times
# as many parameters, and a step takes accordingly longer. What has it done with its gates? Here is
# the update gate of twelve units over a line of text: dark where a unit keeps what it has, light
# where it takes in something new.

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
chosen = by_mean[np.linspace(0, num_hiddens - 1, 12).astype(int)]  # from those that keep least
ax = plot.new_axes(9, 4.8)
image = ax.imshow(Z_units[:, chosen].T, cmap="Blues", vmin=0, vmax=1, aspect="auto")
ax.set_xticks(range(len(line)), list(line.replace(" ", "\u2423")))
ax.set(ylabel="hidden unit", yticks=[])
ax.grid(False)
ax.figure.colorbar(image, label=r"update gate $Z_t$")
present(ax, "Update gates over a line of text: each unit keeps and renews at places of its own.")

# %% [markdown]
# ## What to take away
#
# - The update gate mixes the old state with a candidate; at 1 the state stands still.
# - With $\mathbf{Z} = 0$ and $\mathbf{R} = 1$ a GRU is a plain network; with $\mathbf{R} = 0$ too,
#   it has no memory.
# - The direct line through $\mathbf{Z}_t$ is what gradients come back on.
# - What $\mathbf{Z}$ means is a convention: a change of sign turns one into the other.
# - Reset before or after the product is no convention: these are different networks.
#
# **Proven in the repository.** The equations, number by number:
# `test_outputs_follow_the_equations` in `tests/nets/test_scratch.py`. In
# `tests/nets/test_cells.py`: the special cases,
# `test_a_gru_with_its_gates_forced_is_a_simpler_network`; both forms of the reset gate,
# `test_where_the_reset_gate_comes_matters_unless_the_product_is_diagonal`; the two conventions,
# `test_the_other_gru_convention_is_the_update_gate_with_its_sign_changed`; the bias of frameworks'
# layers, `test_the_bias_within_the_reset_gate_goes_with_the_rest`. Layers and gradients:
# `test_a_network_agrees_with_the_float64_reference` in `tests/measure/test_agreement.py`. That
# `gru_fused` learns what `gru` does: `test_a_fused_model_learns_as_its_twin_does` in
# `tests/nets/test_fused.py`.
