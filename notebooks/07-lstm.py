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
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/d2lrnn/d2lrnn/blob/main/notebooks/07-lstm.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/d2lrnn/d2lrnn/blob/main/notebooks/07-lstm.ipynb)
#
# # 7. Long short-term memory, gate by gate
#
# The state of a plain recurrent network is computed anew at every step, so
# stored information is soon overwritten. An LSTM has a second state, the
# *memory cell*, to which information is added and from which it is removed
# under the control of three gates. This notebook first implements the cell
# in ten lines. Then the gates are set by hand, so that one unit stores a
# value, counts, or resets. The next sections show when gradients do not
# vanish in this cell and when they do. Finally, a network learns to control
# its gates, and we look at its states while it processes a text.
#
# The notebook follows section 10.1 of *Dive into Deep Learning* and uses its
# notation. Notebook 5 explains why gradients vanish, and notebook 6
# describes the GRU, a newer and simpler cell.

# %%
import importlib.util

if importlib.util.find_spec("d2lrnn") is None:
    # %pip install -q "d2lrnn[torch] @ git+https://github.com/d2lrnn/d2lrnn"
    importlib.invalidate_caches()

# %%
import math

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
# ## Why is a second state useful?
#
# A recurrent network stores information in two places. The weights contain
# what holds for all texts of the training set; they change slowly, during
# training. The hidden state contains what holds for the current text; it is
# computed anew at every step and is soon lost. What is missing is a state
# between the two: it belongs to the current text, but lasts as long as the
# information is needed. This explains the name: a *short-term memory* that
# is *long*.
#
# The idea of Hochreiter and Schmidhuber (1997) is to leave a number
# unchanged. If the memory cell of a unit is its previous value times 1, plus
# a new term, then no information is lost, and the gradient does not change
# either in the backward pass. It remains to decide when to add, when to
# reset, and when to use the value. Each of these decisions is made by a
# gate.
#
# ## The cell
#
# Three *gates* are computed from the input $\mathbf{X}_t$ ($n$, $d$) and the
# hidden state $\mathbf{H}_{t-1}$ ($n$, $h$). Each gate is a number between 0
# (closed) and 1 (open) for every hidden unit and every row. The *input gate*
# determines how much is added, the *forget gate* how much is kept (despite
# its name, 1 means to keep everything), and the *output gate* how much is
# passed to the hidden state:
#
# $$\mathbf{I}_t = \sigma(\mathbf{X}_t \mathbf{W}_{xi} +
# \mathbf{H}_{t-1} \mathbf{W}_{hi} + \mathbf{b}_i), \tag{1}$$
#
# $$\mathbf{F}_t = \sigma(\mathbf{X}_t \mathbf{W}_{xf} +
# \mathbf{H}_{t-1} \mathbf{W}_{hf} + \mathbf{b}_f), \tag{2}$$
#
# $$\mathbf{O}_t = \sigma(\mathbf{X}_t \mathbf{W}_{xo} +
# \mathbf{H}_{t-1} \mathbf{W}_{ho} + \mathbf{b}_o). \tag{3}$$
#
# The *candidate* is the value that can be added. It is computed like the
# state of a plain RNN:
#
# $$\tilde{\mathbf{C}}_t = \tanh(\mathbf{X}_t \mathbf{W}_{xc} +
# \mathbf{H}_{t-1} \mathbf{W}_{hc} + \mathbf{b}_c). \tag{4}$$
#
# The memory cell is the sum of a part of its old value and a part of the
# candidate. The hidden state is computed from the memory cell and the output
# gate ($\odot$ is the product element by element):
#
# $$\mathbf{C}_t = \mathbf{F}_t \odot \mathbf{C}_{t-1} +
# \mathbf{I}_t \odot \tilde{\mathbf{C}}_t, \tag{5}$$
#
# $$\mathbf{H}_t = \mathbf{O}_t \odot \tanh(\mathbf{C}_t). \tag{6}$$
#
# The outputs, and the gates of the next step, are computed from
# $\mathbf{H}_t$. The memory cell is used only within the LSTM. Why does (6)
# contain tanh, although (4) already does? Because (5) is a sum: each
# candidate is between -1 and 1, but the sum of many can be large. The tanh
# in (6) limits the hidden state.

# %%
present(
    diagrams.lstm_cell(),
    "The memory cell runs along the top: one product and one sum.",
)

# %% [markdown]
# The complete cell is a loop over time with one line for each equation:


# %%
def sigmoid(A):
    """Return 1 / (1 + exp(-A))."""
    return 1 / (1 + np.exp(-A))


def lstm_by_hand(inputs, H, C, weights):
    """Return H and C (n, h) after inputs (T, n, d), and all states."""
    W_xi, W_hi, b_i, W_xf, W_hf, b_f, W_xo, W_ho, b_o = weights[:9]
    W_xc, W_hc, b_c = weights[9:]
    states = []
    for X in inputs:
        I = sigmoid(X @ W_xi + H @ W_hi + b_i)  # (1)
        F = sigmoid(X @ W_xf + H @ W_hf + b_f)  # (2)
        O = sigmoid(X @ W_xo + H @ W_ho + b_o)  # (3)
        C_tilde = np.tanh(X @ W_xc + H @ W_hc + b_c)  # (4)
        C = F * C + I * C_tilde  # (5)
        H = O * np.tanh(C)  # (6)
        states.append(H)
    return H, C, np.concatenate(states)


# %% [markdown]
# With random inputs, states and parameters, it computes the same as the
# package. The function of the package returns outputs, which are computed
# from all hidden states, and the last state, which is a pair.

# %%
rng = np.random.default_rng(0)
shapes = [p.shape for p in rnn.get_lstm_params(5, 4, dtype="float64")]
params = [rng.normal(size=shape) for shape in shapes]
inputs = rng.normal(size=(7, 3, 5))
H, C = rng.normal(size=(2, 3, 4))
*weights, W_hq, b_q = params
H_7, C_7, all_H = lstm_by_hand(inputs, H, C, weights)
outputs, state = rnn.lstm(
    rnn.from_numpy(inputs),
    (rnn.from_numpy(H), rnn.from_numpy(C)),
    [rnn.from_numpy(param) for param in params],
)
pairs = (all_H @ W_hq + b_q, outputs), (H_7, state[0]), (C_7, state[1])
for one, other in pairs:
    assert np.allclose(one, rnn.to_numpy(other), rtol=0, atol=1e-12)
print("by hand and by the package: the same outputs and states")

# %% [markdown]
# This is the source code of the package in the chosen backend:

# %%
rnn.show(rnn.lstm, helpers=True)

# %% [markdown]
# Each gate and the candidate have their own weights. So an LSTM has four
# times as many weights for its hidden units as a plain RNN, and a GRU has
# three times as many.
#
# ### Exercise 1
#
# The memory cell of a unit is 2, and the candidate is -1. What is the next
# value of the memory cell if forget gate and input gate $(F, I)$ are $(1,
# 0)$, $(0, 1)$, $(1, 1)$ and $(0, 0)$? Give four numbers.

# %%
### BEGIN SOLUTION
memories = [2, -1, 1, 0]
### END SOLUTION

# %%
check(
    memories,
    lambda: [F * 2 + I * -1 for F, I in ((1, 0), (0, 1), (1, 1), (0, 0))],
    hint="use equation (5) with F and I for each of the four pairs",
)

# %% [markdown]
# These four cases are called *keep*, *replace*, *add* and *clear*. The
# figure shows them over time. Until step 5 the memory cell is filled; then
# the gates are set, and the candidate remains 0.5.

# %%
ax = plot.new_axes(8, 4.8)
corners = {"keep": (1, 0), "replace": (0, 1), "add": (1, 1), "clear": (0, 0)}
for number, (name, (F, I)) in enumerate(corners.items()):
    course = [0.0]
    for t in range(1, 13):
        F_t, I_t = (F, I) if t > 5 else (1, 0.5)
        course.append(F_t * course[-1] + I_t * 0.5)
    label = f"{name}: $F$ = {F}, $I$ = {I}"
    ax.plot(course, label=label, **plot.line_style(number))
ax.axvline(5, color="black", linestyle=":")
ax.set(xlabel="time step", ylabel="memory cell")
ax.legend()
present(
    ax,
    "From step 5 on, one cell is constant, one jumps, one grows, one is 0.",
)

# %% [markdown]
# A GRU has one gate where an LSTM has two: the part that its update gate
# does not keep is replaced by the candidate. So a GRU can keep, replace, and
# compute a weighted mean of the two. To clear its state, it needs a
# candidate of 0. It cannot add.

# %% [markdown]
# ## A memory cell that is controlled by hand
#
# In this example, one unit stores a single number. The text has four
# characters. `+` and `-` store 1 and -1, a dot changes nothing, and `?`
# outputs the stored number. At all other characters the output is 0. No
# training is needed: the gates depend only on the character, and the weights
# are so large that gates are almost exactly 0 or 1:
#
# | | input gate | forget gate | output gate | candidate |
# | --- | --- | --- | --- | --- |
# | `+` | open | closed | closed | 1 |
# | `-` | open | closed | closed | -1 |
# | `.` | closed | open | closed | |
# | `?` | closed | open | open | |

# %%
OPEN, SHUT = 10.0, -10.0  # sigmoid of these: 0.99995 and 0.00005
vocab = rnn.Vocab(list("+-.?"))


def by_hand(forget_at_sign):
    """Return an LSTM of one unit with this forget gate at + and -."""
    table = {  # i, f, o, c for each character
        "+": (OPEN, forget_at_sign, SHUT, OPEN),
        "-": (OPEN, forget_at_sign, SHUT, SHUT),
        ".": (SHUT, OPEN, SHUT, 0.0),
        "?": (SHUT, OPEN, OPEN, 0.0),
    }
    return by_table(table)


def by_table(table):
    """Return an LSTM of one unit whose gates depend only on the input."""
    functions = rnn.get_lstm_params, rnn.init_lstm_state, rnn.lstm
    net = rnn.RNNModelScratch(len(vocab), 1, *functions, dtype="float64")
    arrays = [np.zeros_like(array) for array in net.arrays()]
    for character, row in table.items():
        for gate, value in enumerate(row):
            W_x = arrays[3 * gate]  # W_xi, W_xf, W_xo and W_xc
            W_x[vocab[character], 0] = value
    net.load_arrays(arrays)
    return net


text = "..+...?..-.....?..+."
inside = rnn.look_inside(by_hand(SHUT), vocab, text)
rows = ["I", "F", "O", "C", "H"]
series = inside.series()
fig_axes = plot.new_axes(10, 6.4, rows=5)
for number, (ax, name) in enumerate(zip(fig_axes, rows)):
    steps = np.arange(len(text))
    colour = plot.COLOURS[0 if number < 3 else 1]
    ax.bar(steps, series[name][:, 0], 0.9, color=colour)
    limits = (0, 1.05) if number < 3 else (-1.1, 1.1)
    ax.set(xlim=(-0.7, len(text) - 0.3), ylim=limits)
    ax.set_ylabel(f"${name}_t$", rotation=0, labelpad=22)
    ax.set_yticks([0, 1] if number < 3 else [-1, 0, 1])
    ax.set_xticks([])
    ax.grid(axis="x", visible=False)
ax.set_xticks(steps, list(text))
present(
    fig_axes, "The memory cell stores 1, then -1; H is nonzero only at ?."
)

# %% [markdown]
# The memory cell stores the number over any distance. The hidden state is
# nonzero only if the output gate is open, and its value is then $\tanh(1)
# \approx 0.76$.
#
# ### Exercise 2
#
# The unit becomes a counter, of `+` minus `-`, if new values are *added* to
# the memory cell and do not replace it. What must be the value of
# `forget_at_sign` in `by_hand`?

# %%
### BEGIN SOLUTION
forget_at_sign = OPEN
### END SOLUTION

# %%
tally = "++.-+...+-+..++.-."


def memory_after(net, text):
    """Return the memory cell of the unit after a text."""
    return rnn.look_inside(net, vocab, text).memory[-1, 0]


check(
    lambda: memory_after(by_hand(forget_at_sign), tally),
    lambda: tally.count("+") - tally.count("-"),
    hint="the old value must be kept at + and -: which gate does this?",
    tolerance=0.01,
)

# %% [markdown]
# ### Exercise 3
#
# Design another counter: how many `+` have occurred since the last `-`? All
# other characters are ignored. Write the table with the arguments of the
# input gate, the forget gate and the output gate, and with the argument of
# the candidate, for each character. Use OPEN and SHUT for the candidate too,
# where they give 1 and -1. The output gate does not matter here.

# %%
### BEGIN SOLUTION
since_minus = {
    "+": (OPEN, OPEN, SHUT, OPEN),
    "-": (SHUT, SHUT, SHUT, 0.0),
    ".": (SHUT, OPEN, SHUT, 0.0),
    "?": (SHUT, OPEN, OPEN, 0.0),
}
### END SOLUTION

# %%
beginnings = [tally[: end + 1] for end in range(len(tally))]
check(
    lambda: [memory_after(by_table(since_minus), b) for b in beginnings],
    lambda: [b.rpartition("-")[2].count("+") for b in beginnings],
    hint="+ adds, - clears, and the other characters keep the value",
    tolerance=0.01,
)

# %% [markdown]
# ## Why gradients do not vanish
#
# Along the memory cell, there is neither a matrix nor a tanh. For this path
# alone, equation (5) gives
#
# $$\frac{\partial \mathbf{C}_T}{\partial \mathbf{C}_t} \approx
# \prod_{s=t+1}^T \mathrm{diag}(\mathbf{F}_s): \tag{7}$$
#
# so in each step back, a gradient is multiplied only by the forget gate. If
# the gate is 1, the gradient does not change. There are other paths, through
# the gates and the candidate, on which gradients vanish or explode as in a
# plain RNN. But one path without vanishing gradients is enough for the end
# of a sequence to influence how its beginning is processed.
#
# Whether gradients vanish depends on the values of the forget gate. At the
# beginning of training, the weights are small and the biases are 0, so $F =
# \sigma(0) = 1/2$. After 20 steps only a millionth of the gradient remains,
# and longer dependencies are not learned. The remedy is to start with a
# positive bias $\mathbf{b}_f$, so that the memory cell keeps its value by
# default.

# %%
full, fast = (50, (0.0, 1.0, 2.0, 4.0)), (15, (0.0, 4.0))
num_steps, biases = full_or_fast(full, fast)
lstm_functions = rnn.get_lstm_params, rnn.init_lstm_state, rnn.lstm
B_F = 5  # index of b_f: i, f, o, c have three parameters each
ids = rng.integers(28, size=(8, num_steps + 1))
norms = {}
for bias in biases:
    net = rnn.RNNModelScratch(
        28, 64, *lstm_functions, seed=0, dtype="float64"
    )
    arrays = net.arrays()
    arrays[B_F] += bias
    net.load_arrays(arrays)
    label = rf"$b_f$ = {bias:g}, $F$ = {sigmoid(bias):.2f}"
    sizes = rnn.gradient_norms(net, ids[:, :-1], ids[:, 1:], last_only=True)
    norms[label] = sizes / sizes[-2]
ax = plot.new_axes(8, 4.8)
for number, (label, values) in enumerate(norms.items()):
    places = range(1, num_steps)
    ax.plot(places, values[:-1], label=label, **plot.line_style(number))
ax.set(yscale="log", xlabel="time step t")
ax.set_ylabel(r"$\|\partial L_T / \partial H_t\|$, relative")
ax.legend()
present(ax, "Each step of the backward pass multiplies by the forget gate.")

# %% [markdown]
# The lines are straight on a logarithmic axis, because each step back
# multiplies the gradient by the same number, $\sigma(b_f)$.
#
# ### Exercise 4
#
# The forget gate of a unit is always 0.9, and nothing is added. After how
# many steps does half of its value remain? Write an expression.

# %%
### BEGIN SOLUTION
half_life = math.log(0.5) / math.log(0.9)
### END SOLUTION

# %%
check(
    lambda: 0.9**half_life,
    0.5,
    hint="0.9 to the power of the number of steps is 1/2; take logarithms",
)

# %% [markdown]
# Does the bias matter for training? The next task tests only memory. A
# sequence of 30 characters begins with `+` or `-`, followed by random
# letters. At the end, the network must predict whether it was `+` or `-`.
# The networks differ only in the bias of the forget gate:

# %%
length = full_or_fast(30, 6)
examples = rng.integers(2, 8, size=(full_or_fast(1024, 256), length))
examples[:, 0] = rng.integers(2, size=len(examples))  # 0 and 1 are the signs
held_out = rng.integers(2, 8, size=(256, length))
held_out[:, 0] = rng.integers(2, size=len(held_out))
scores = {}
for bias in full_or_fast((0.0, 1.0, 3.0), (3.0,)):
    net = rnn.SequenceClassifierScratch(8, 32, 2, cell="lstm", seed=0)
    arrays = net.arrays()
    arrays[B_F] += bias
    net.load_arrays(arrays)
    loader = rnn.BatchLoader(examples, examples[:, 0], batch_size=64, seed=0)
    scores[rf"$b_f$ = {bias:g}"] = rnn.train_sequences(
        net,
        loader,
        0.01,
        full_or_fast(10, 2),
        held_out=(held_out, held_out[:, 0]),
        progress=False,
    )
left, right = plot.scores(scores, plot.new_axes(12, 4.8, columns=2))
right.set(ylim=(0.4, 1.05))
present(
    [left, right],
    "With a bias of 3 the task is learned at once, with 0 late.",
)

# %% [markdown]
# With a bias of 3, gradients reach the beginning of the sequence
# immediately, and the task is learned in the first epoch. With a bias of 1,
# it takes about one epoch longer. With a bias of 0, about a billionth of the
# gradient remains after 30 steps ($0.5^{30} \approx 10^{-9}$), and the
# accuracy stays at chance level for many epochs, until the gates have become
# large enough. For longer sequences this may never happen.
#
# ### Exercise 5
#
# In an LSTM with the input gate $\mathbf{I}_t = 1 - \mathbf{F}_t$, the
# memory cell is a weighted mean, as in a GRU. This does not require a new
# cell, only special parameters. From twelve arrays in the order of
# `lstm_by_hand`, compute twelve arrays for which it holds and which have the
# same forget gate. (Use $1 - \sigma(a) = \sigma(-a)$.)


# %%
def coupled(weights):
    """Return the weights with an input gate that is 1 - forget gate."""
    ### BEGIN SOLUTION
    return [*(-array for array in weights[3:6]), *weights[3:]]
    ### END SOLUTION


# %%
def coupled_by_hand(inputs, H, C):
    """Return what lstm_by_hand returns, with I = 1 - F."""
    forget, output, candidate = weights[3:6], weights[6:9], weights[9:]
    for X in inputs:
        sums = [
            X @ W_x + H @ W_h + b
            for W_x, W_h, b in (forget, output, candidate)
        ]
        F, O, C_tilde = sigmoid(sums[0]), sigmoid(sums[1]), np.tanh(sums[2])
        C = F * C + (1 - F) * C_tilde
        H = O * np.tanh(C)
    return H, C


check(
    lambda: lstm_by_hand(inputs, H, C, coupled(weights))[:2],
    lambda: coupled_by_hand(inputs, H, C),
    hint="W_xi, W_hi and b_i are -W_xf, -W_hf and -b_f",
)

# %% [markdown]
# ## A trained network
#
# A network of 128 units is now trained to predict the next character of The
# Time Machine if the text is available, and of the built-in story otherwise.
# The bias of its forget gate starts at 1.

# %%
at_hand = time_machine_at_hand()
load_data = rnn.load_data_time_machine if at_hand else rnn.load_data_builtin
text = "".join(rnn.read_time_machine() if at_hand else rnn.read_builtin())
# Train on the beginning of the text, and look at the end.
passage = text[-full_or_fast(1400, 200) :]
num_hiddens, most = full_or_fast((128, 100_000), (32, 3_000))
most = min(most, len(text) - len(passage))
num_steps = full_or_fast(35, 15)
train_iter, vocab = load_data(32, num_steps, max_tokens=most, seed=0)
fused = rnn.get_lstm_params, rnn.init_lstm_state, rnn.lstm_fused
net = rnn.RNNModelScratch(len(vocab), num_hiddens, *fused, seed=0)
arrays = net.arrays()
arrays[B_F] += 1
net.load_arrays(arrays)
history = rnn.train_ch8(
    net,
    train_iter,
    vocab,
    0.01,
    full_or_fast(12, 2),
    optimizer="adam",
    progress=False,
)
print(f"perplexity {history.perplexity[-1]:.1f}")
print(rnn.predict_ch8("time traveller ", 45, net, vocab))

# %% [markdown]
# The function `look_inside` processes a text with the network, here a text
# that was not used for training, and returns all gates, memory cells and
# hidden states. The mean of the forget gate shows how long a unit stores
# information.

# %%
inside = rnn.look_inside(net, vocab, passage)
ax = plot.new_axes(8, 4.8)
in_order = np.sort(inside.gates["F"].mean(axis=0))
ax.plot(in_order, color=plot.COLOURS[0], label="after training")
start = {"color": "black", "linestyle": ":"}
ax.axhline(sigmoid(1.0), label=r"before: $\sigma(1)$", **start)
ax.set(xlabel="hidden units, in order", ylabel="mean of the forget gate")
ax.set(ylim=(0, 1.03))
ax.legend()
present(ax, "Forget gates differ: some units store information for long.")

# %% [markdown]
# All forget gates started with the same value. After training, some units
# depend mostly on the current character, and others store information for
# longer. A unit with a mean of 0.9 keeps about half of its value for seven
# characters.
#
# Which information do they store? To find out, define a property of the text
# as a number for each character, and search for the unit with the highest
# correlation. Two properties are compared with the hidden state: whether the
# character is a vowel, and whether it is the first letter of a word. The
# third, the number of letters of the word so far, is compared with the
# memory cell: such a unit would be the counter of exercise 2, learned by
# training.
#
# The figure colours the text by the value of this unit: red for high values,
# blue for low values, with full colours at two standard deviations.

# %%
letters = np.array(list(passage))
so_far = np.zeros(len(letters))  # of the word, including this letter
for index in range(1, len(letters)):
    so_far[index] = 0 if letters[index] == " " else so_far[index - 1] + 1


def correlations(values, guess):
    """Return the correlation of each unit (T, h) with guess (T,)."""
    coefficients = [np.corrcoef(unit, guess)[0, 1] for unit in values.T]
    return np.nan_to_num(coefficients)


guesses = {
    "a vowel": (np.isin(letters, list("aeiou")), "H"),
    "the first letter of a word": (so_far == 1, "H"),
    "letters so far": (so_far, "C"),
}
shown, lines = slice(60, 88), {}
axes = plot.new_axes(10, 4.2, rows=len(guesses))
for ax, (name, (guess, kind)) in zip(axes, guesses.items()):
    values = inside.series()[kind]
    both = correlations(values, guess)
    unit = int(np.abs(both).argmax())
    values = np.sign(both[unit]) * values[:, unit]
    lines[name] = (values - values.mean()) / values.std()
    line = inside.tokens[shown], lines[name][shown]
    plot.coloured_text(*line, ax, limits=(-2, 2), width=28)
    what = "hidden state" if kind == "H" else "memory"
    which = f"unit {unit}, correlation {abs(both[unit]):.2f}"
    ax.set_title(f"{name}: {what} of {which}", loc="left")
present(
    axes, "A text coloured by units for vowels, first letters and length."
)

# %% [markdown]
# A correlation summarizes a relation in one number. The next figure shows
# more: the mean for each letter (vowels are orange), and the mean and the
# standard deviation for each number of letters.

# %%
left, right = plot.new_axes(12, 4.8, columns=2)
alphabet = sorted(set(passage) - {" "})
means = [lines["a vowel"][letters == letter].mean() for letter in alphabet]
colours = [plot.COLOURS[int(letter in "aeiou")] for letter in alphabet]
left.bar(alphabet, means, color=colours)
left.set(title="a vowel", xlabel="letter")
left.set(ylabel="mean, standard deviations")
left.tick_params(axis="x", labelsize=12)
left.grid(axis="x", visible=False)
lengths = range(full_or_fast(9, 4))
spread = [lines["letters so far"][so_far == length] for length in lengths]
middle = [values.mean() for values in spread]
width = [values.std() for values in spread]
style = {"fmt": "o-", "color": plot.COLOURS[0], "capsize": 5}
right.errorbar(lengths, middle, width, **style)
right.set(title="letters so far", xlabel="letters of the word so far")
right.set(xticks=lengths)
present(
    [left, right], "One unit is high at vowels; one increases within a word."
)

# %% [markdown]
# The loss does not contain these properties. Units that represent them arise
# because the position in a word is useful for predicting the next character.
# But be careful with names for units. The unit for vowels is also high at
# some other letters, the unit that counts varies considerably, and most
# units depend on several properties of the text.
#
# How do the memory cells behave? The next figure shows ten units with large
# forget gates, near 0.88 on average, and ten with small ones, near 0.3. Each
# is divided by its standard deviation.

# %%
means = inside.gates["F"].mean(axis=0)
by_mean = np.argsort(np.abs(means - 0.88)), np.argsort(np.abs(means - 0.3))
chosen = np.concatenate([units[:10] for units in by_mean])
memory = (inside.memory - inside.memory.mean(axis=0)) / inside.memory.std(
    axis=0
)
part = slice(60, 110)
ax = plot.new_axes(11, 5.2)
look = {"cmap": "RdBu_r", "vmin": -2, "vmax": 2, "aspect": "auto"}
image = ax.imshow(memory[part, chosen].T, interpolation="none", **look)
ax.axhline(9.5, color="black", linewidth=2)
ax.set_xticks(range(50), list(passage[part].replace(" ", "\u2423")))
ax.set_yticks([4.5, 14.5], ["open", "shut"], rotation=90, va="center")
ax.set(ylabel="forget gates")
ax.tick_params(length=0)
ax.grid(False)
label = "memory cell, standard deviations"
ax.figure.colorbar(image, ax=ax, label=label, ticks=(-2, -1, 0, 1, 2))
present(
    ax,
    "Units with large forget gates change slowly, the others fast.",
)

# %% [markdown]
# ### Exercise 6
#
# This exercise needs some research. Choose a property of the text other than
# the three above, and find out whether a unit represents it. The property is
# a number for each character, such as 1 at a certain letter or at the end of
# a word (you may use the characters that follow), or the rarity of a letter.
# It counts as found if the hidden state of some unit has a correlation of
# more than 0.5 with it.


# %%
def my_guess(text):
    """Return a number for each character of the text."""
    ### BEGIN SOLUTION
    return [float(letter == " ") for letter in text]
    ### END SOLUTION


# %%
enough = full_or_fast(0.5, 0.1)
hidden = inside.series()["H"]
check(
    lambda: np.abs(correlations(hidden, my_guess(passage))).max() > enough,
    True,
    hint="try spaces first, then properties that help to predict well",
)

# %% [markdown]
# ## Limitations
#
# The memory cell of equation (5) is not bounded, which has advantages and
# disadvantages. An LSTM can count and a GRU cannot. But a counter at 20
# outputs $\tanh(20)$, which is practically equal to $\tanh(10)$. Values that
# must be distinguished in the output have to be small.
#
# A forget gate of 0.999 still halves the value every 700 steps. And training
# uses only gradients within the `num_steps` of a minibatch. Also, each step
# must end before the next begins, so that such a cell cannot process all
# tokens of a text in parallel. For long texts, it has been replaced by
# networks that can, the transformers. They also use sums through which
# gradients flow without change.
#
# ## What to take away
#
# - Gates are factors between 0 and 1 that are computed from the input and
#   the state.
# - The forget gate keeps the memory cell, the input gate adds to it, and the
#   output gate passes it to the hidden state.
# - Along the memory cell, gradients are multiplied only by the forget gate.
#   If it is 1, they do not change.
# - Keep, replace, add and clear are four settings of two gates. A GRU can do
#   two of them.
# - Start with a positive bias of the forget gate. It costs nothing and can
#   decide whether a task is learned.
#
# **Proven in the repository.** The equations, number by number:
# `test_outputs_follow_the_equations` in `tests/nets/test_scratch.py` and
# `test_one_lstm_step_with_the_tanh_of_the_equation` in
# `tests/nets/test_cells.py`. The gates, candidates and memory cells that
# `look_inside` returns determine the states:
# `test_gates_and_candidates_of_an_lstm_make_its_memory_and_states` in
# `tests/measure/test_inside.py`; the same file tests that an open forget
# gate keeps the memory cell. How fast gradients shrink:
# `test_gradients_of_an_lstm_shrink_by_its_forget_gate_at_each_step` in
# `tests/measure/test_gradient_flow.py`.
