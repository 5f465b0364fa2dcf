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
# The state of a plain recurrent network is made anew at every step, and what
# it held is soon overwritten. An LSTM has a second state, its *memory*, to
# which it adds and from which it takes away, under the control of three
# gates. Here the cell is written in ten lines first; then each gate is moved
# by hand, until one unit notes, counts and forgets as we tell it; then we
# see why gradients survive in such a cell, and when they do not; a network
# learns to move the gates itself; and at the end we look inside while it
# reads.
#
# It follows section 10.1 of *Dive into Deep Learning*, with its notation.
# Notebook 5 says why gradients vanish, notebook 6 has the GRU, the LSTM's
# younger relative.

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

# Before any framework: float64 in JAX, less talk from TensorFlow.
backends.prepare()
plot.use_style()

# %% [markdown]
# Everything below runs on any of five backends. Edit this line, and nothing
# else, to choose one.

# %%
from d2lrnn import torch as rnn  # or tensorflow, jax, mxnet, numpy

# %% [markdown]
# ## Why a second state
#
# A recurrent network knows things in two ways. Its weights hold what is true
# of all texts that it was trained on; they change slowly, by training. Its
# state holds what is true of this text, here; it is made anew at every step,
# and lasts for a few. What is missing is something in between, which lasts
# as long as it is needed and is then given up. The name says so: a
# *short-term memory*, as it is about this text alone, that is *long*.
#
# The idea of 1997 (Hochreiter and Schmidhuber) is a number that is left
# alone. If the memory of a unit at one step is its memory at the step
# before, times 1, plus what is to be added, then nothing is lost on the way,
# neither of the number nor of the gradient on its way back. All else is
# about when to add, when to clear and when to use it, and each of the three
# is decided by a gate.
#
# ## The cell
#
# Three *gates* look at the input $\mathbf{X}_t$ ($n$, $d$) and at the hidden
# state $\mathbf{H}_{t-1}$ ($n$, $h$). Each gives numbers between 0, shut,
# and 1, open, one for every hidden unit and row. How much is to be written,
# the *input gate*; how much is to be kept, the *forget gate* (open, it
# keeps: the name is the wrong way round); how much is to be shown, the
# *output gate*:
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
# What there is to write is the *candidate*, a plain recurrent step:
#
# $$\tilde{\mathbf{C}}_t = \tanh(\mathbf{X}_t \mathbf{W}_{xc} +
# \mathbf{H}_{t-1} \mathbf{W}_{hc} + \mathbf{b}_c). \tag{4}$$
#
# The memory keeps some of itself and takes in some of the candidate, and the
# hidden state is what it shows of itself ($\odot$ multiplies element by
# element):
#
# $$\mathbf{C}_t = \mathbf{F}_t \odot \mathbf{C}_{t-1} +
# \mathbf{I}_t \odot \tilde{\mathbf{C}}_t, \tag{5}$$
#
# $$\mathbf{H}_t = \mathbf{O}_t \odot \tanh(\mathbf{C}_t). \tag{6}$$
#
# The outputs, and the gates of the next step, see $\mathbf{H}_t$. The memory
# stays within the cell. Why the tanh in (6), when there is one in (4)?
# Because (5) adds up: the candidate is between -1 and 1, but a memory that
# takes one in at each step may grow to any size, and the rest of the network
# should not be flooded by it.

# %%
present(
    diagrams.lstm_cell(),
    "The memory runs along the top, through one product and one sum.",
)

# %% [markdown]
# In full it is a loop over time, with one line for each equation:


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
# With random inputs, states and parameters it comes to what the package
# computes. That returns outputs, made of all hidden states, and the last
# state, which is a pair.

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
print("outputs, hidden state and memory are those of the package")

# %% [markdown]
# This is the package's source, in the backend chosen above:

# %%
rnn.show(rnn.lstm, helpers=True)

# %% [markdown]
# Four arrays in place of one: an LSTM has four times as many weights for its
# hidden units as a plain network, and a GRU three times as many.
#
# ### Exercise 1
#
# A unit's memory is 2, the candidate is -1. Which memory comes next if
# forget gate and input gate $(F, I)$ are $(1, 0)$, $(0, 1)$, $(1, 1)$ and
# $(0, 0)$? Give four numbers.

# %%
### BEGIN SOLUTION
memories = [2, -1, 1, 0]
### END SOLUTION

# %%
check(
    memories,
    lambda: [F * 2 + I * -1 for F, I in ((1, 0), (0, 1), (1, 1), (0, 0))],
    hint="equation (5), for one number",
)

# %% [markdown]
# These four have names: *keep*, *replace*, *add*, *clear*. Here they are
# over time. Up to step 5 the memory is filled; then the gates are set, while
# the candidate goes on to be 0.5.

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
ax.set(xlabel="time step", ylabel="memory")
ax.legend()
present(
    ax, "From step 5 on one memory stays, one jumps, one grows, one is 0."
)

# %% [markdown]
# A GRU has only one gate where an LSTM has two: what its update gate does
# not keep, it replaces. It can keep, replace, and do anything between the
# two. To clear, it needs a candidate that is 0; and it cannot add.

# %% [markdown]
# ## A memory moved by hand
#
# Let one unit be a notebook of one number. The text it reads has four
# characters: `+` and `-` are to be noted, as 1 and -1; at a dot nothing is
# to happen; and at `?` it is to say what it has noted, and else to be
# silent. That takes no training. Gates follow the character alone, with
# weights so large that they are all but open or shut:
#
# | | input gate | forget gate | output gate | candidate |
# | --- | --- | --- | --- | --- |
# | `+` | open | shut | shut | 1 |
# | `-` | open | shut | shut | -1 |
# | `.` | shut | open | shut | |
# | `?` | shut | open | open | |

# %%
OPEN, SHUT = 10.0, -10.0  # sigmoid of these: 0.99995 and 0.00005
vocab = rnn.Vocab(list("+-.?"))


def by_hand(forget_at_sign):
    """Return an LSTM of one unit, its forget gate at + and - as given."""
    table = {  # i, f, o, c for each character
        "+": (OPEN, forget_at_sign, SHUT, OPEN),
        "-": (OPEN, forget_at_sign, SHUT, SHUT),
        ".": (SHUT, OPEN, SHUT, 0.0),
        "?": (SHUT, OPEN, OPEN, 0.0),
    }
    return by_table(table)


def by_table(table):
    """Return an LSTM of one unit whose gates follow the character alone."""
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
seen = rnn.look_inside(by_hand(SHUT), vocab, text)
rows = ["I", "F", "O", "C", "H"]
series = seen.series()
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
present(fig_axes, "The memory holds 1, then -1; H shows it at ? alone.")

# %% [markdown]
# The memory carries the number over any distance. The hidden state, and with
# it the rest of the network, hears of it only when the output gate opens,
# and then as $\tanh(1) \approx 0.76$.
#
# ### Exercise 2
#
# A notebook becomes a counter, of `+` minus `-`, if the memory *adds* what
# comes in instead of being replaced by it. What has to stand for
# `forget_at_sign` in `by_hand`?

# %%
### BEGIN SOLUTION
forget_at_sign = OPEN
### END SOLUTION

# %%
tally = "++.-+...+-+..++.-."


def memory_after(net, text):
    """Return the memory of the one unit after a text."""
    return rnn.look_inside(net, vocab, text).memory[-1, 0]


check(
    lambda: memory_after(by_hand(forget_at_sign), tally),
    lambda: tally.count("+") - tally.count("-"),
    hint="at a sign, what was there has to be kept too: by which gate?",
    tolerance=0.01,
)

# %% [markdown]
# ### Exercise 3
#
# Another counter: how many `+` have there been since the last `-`? All else
# is to be passed over. Write the table, with the sums for the input gate,
# the forget gate, the output gate and the candidate of each character; OPEN
# and SHUT serve for the candidate too, as 1 and -1. The output gate does not
# matter here.

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
    hint="the four corners: + adds, - clears, and the others keep",
    tolerance=0.01,
)

# %% [markdown]
# ## Why gradients survive
#
# Along the memory there is no matrix and no tanh. If one looks at this path
# alone, equation (5) gives
#
# $$\frac{\partial \mathbf{C}_T}{\partial \mathbf{C}_t} \approx
# \prod_{s=t+1}^T \mathrm{diag}(\mathbf{F}_s): \tag{7}$$
#
# a gradient that goes back one step is multiplied by the forget gate, and by
# nothing else. An open gate lets it through undiminished. There are other
# paths, through the gates and the candidate, and they vanish or explode as
# in a plain network. But one path that lasts is enough for the end to hear
# of the beginning.
#
# That it *can* last does not mean that it does. At the beginning of
# training, weights are small and biases 0, so that $F = \sigma(0) = 1/2$.
# After 20 steps a millionth is left, and what lies further back is never
# learned. The remedy is to begin with a positive bias $\mathbf{b}_f$: *keep
# everything, until there is a reason not to*.

# %%
full, fast = (50, (0.0, 1.0, 2.0, 4.0)), (15, (0.0, 4.0))
num_steps, biases = full_or_fast(full, fast)
lstm_functions = rnn.get_lstm_params, rnn.init_lstm_state, rnn.lstm
B_F = 5  # the place of b_f in i, f, o, c with three parameters each
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
    found = rnn.gradient_norms(net, ids[:, :-1], ids[:, 1:], last_only=True)
    norms[label] = found / found[-2]
ax = plot.new_axes(8, 4.8)
for number, (label, values) in enumerate(norms.items()):
    places = range(1, num_steps)
    ax.plot(places, values[:-1], label=label, **plot.line_style(number))
ax.set(yscale="log", xlabel="time step t")
ax.set_ylabel(r"$\|\partial L_T / \partial H_t\|$, relative")
ax.legend()
present(ax, "Gradients shrink by the forget gate at every step back.")

# %% [markdown]
# Straight lines on a logarithmic axis: each step back multiplies by the same
# number, and that number is $\sigma(b_f)$.
#
# ### Exercise 4
#
# A unit's forget gate is at 0.9 all the time, and nothing is written. After
# how many steps is half of its memory left? Write an expression.

# %%
### BEGIN SOLUTION
half_life = math.log(0.5) / math.log(0.9)
### END SOLUTION

# %%
check(
    lambda: 0.9**half_life,
    0.5,
    hint="0.9 to the power of that many steps is one half: take logarithms",
)

# %% [markdown]
# Does it matter? Here is a task that is nothing but memory. A sequence of 30
# characters begins with `+` or `-`, then come letters at random; at its end,
# the network has to say which of the two it was. The same training, from the
# same weights but for the bias:

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
    [left, right], "With a bias of 3 it is learned at once, with 0 late."
)

# %% [markdown]
# With a bias of 3 the end of a sequence hears of its beginning from the
# start, and the task is learned in the first epoch. A bias of 1 takes an
# epoch or so longer. With none, about a billionth of the signal comes back
# over 30 steps ($0.5^{30} \approx 10^{-9}$), and the network is left to
# guess for many epochs: until its gates happen to have opened enough. Over
# longer stretches it may never come to that.
#
# ### Exercise 5
#
# An LSTM whose input gate is always $\mathbf{I}_t = 1 - \mathbf{F}_t$ takes
# in as much as it gives up, as a GRU does. That takes no new cell, only
# parameters tied to one another. From twelve arrays in the order of
# `lstm_by_hand`, make twelve for which it holds: the forget gate stays what
# it is. (Since $1 - \sigma(a) = \sigma(-a)$.)


# %%
def coupled(weights):
    """Return the weights with an input gate that is 1 - forget gate."""
    ### BEGIN SOLUTION
    return [*(-array for array in weights[3:6]), *weights[3:]]
    ### END SOLUTION


# %%
def coupled_by_hand(inputs, H, C):
    """Return what lstm_by_hand does, with 1 - F in place of I."""
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
    hint="W_xi, W_hi and b_i are W_xf, W_hf and b_f with the other sign",
)

# %% [markdown]
# ## Learning to read
#
# Now a network of 128 units, with a forget gate's bias of 1 to begin with,
# learns to predict the next character of The Time Machine where it is at
# hand, and of the package's story otherwise.

# %%
at_hand = time_machine_at_hand()
load_data = rnn.load_data_time_machine if at_hand else rnn.load_data_builtin
text = "".join(rnn.read_time_machine() if at_hand else rnn.read_builtin())
# The network learns from the beginning; we look at it read the end.
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
# `look_inside` lets it read a text, here one that is new to it, and keeps
# all that goes on: gates, memory, hidden state. How long does each unit
# remember? The mean of its forget gate says so.

# %%
seen = rnn.look_inside(net, vocab, passage)
ax = plot.new_axes(8, 4.8)
in_order = np.sort(seen.gates["F"].mean(axis=0))
ax.plot(in_order, color=plot.COLOURS[0], label="after training")
start = {"color": "black", "linestyle": ":"}
ax.axhline(sigmoid(1.0), label=r"before: $\sigma(1)$", **start)
ax.set(xlabel="hidden units, in order", ylabel="mean of the forget gate")
ax.set(ylim=(0, 1.03))
ax.legend()
present(ax, "Forget gates have spread: units hold on for long, or not.")

# %% [markdown]
# From one value for all, gates have gone apart: some units are there for the
# character just read, others hold on to what they know. A unit whose mean is
# 0.9 still has about half of it after seven characters.
#
# What do they know? To find out, say what a unit might follow, as a number
# for each character, and look for the unit that goes along with it most, by
# correlation. Two guesses are for the hidden state: that the character is a
# vowel, and that it is the first letter of a word. The third, how many
# letters the word has so far, is for the memory: it would be the counter of
# exercise 2, found by training.
#
# Then colour the text by that unit: red where it is high for this unit, blue
# where it is low, full colours at two standard deviations.

# %%
letters = np.array(list(passage))
so_far = np.zeros(len(letters))  # of the word, this one included
for index in range(1, len(letters)):
    so_far[index] = 0 if letters[index] == " " else so_far[index - 1] + 1


def correlations(values, guess):
    """Return how each unit of values (T, h) goes along with guess (T,)."""
    found = [np.corrcoef(unit, guess)[0, 1] for unit in values.T]
    return np.nan_to_num(found)


guesses = {
    "a vowel": (np.isin(letters, list("aeiou")), "H"),
    "the first letter of a word": (so_far == 1, "H"),
    "letters so far": (so_far, "C"),
}
shown, lines = slice(60, 88), {}
axes = plot.new_axes(10, 4.2, rows=len(guesses))
for ax, (name, (guess, kind)) in zip(axes, guesses.items()):
    values = seen.series()[kind]
    both = correlations(values, guess)
    unit = int(np.abs(both).argmax())
    values = np.sign(both[unit]) * values[:, unit]
    lines[name] = (values - values.mean()) / values.std()
    line = seen.tokens[shown], lines[name][shown]
    plot.coloured_text(*line, ax, limits=(-2, 2), width=28)
    what = "hidden state" if kind == "H" else "memory"
    found = f"unit {unit}, correlation {abs(both[unit]):.2f}"
    ax.set_title(f"{name}: {what} of {found}", loc="left")
present(axes, "A text coloured by units for vowels, beginnings and length.")

# %% [markdown]
# A correlation is one number. What is behind it shows in the mean for each
# letter (vowels are orange), and for each length of what there is of a word
# (with the standard deviation):

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
present([left, right], "One unit is high at vowels; one rises along a word.")

# %% [markdown]
# Nobody asked for any of this: to predict the next character it helps to
# know where in a word one is. But do not give names to units too soon. The
# one for vowels is high at some other letters as well, the one that counts
# does so within wide bounds, and most units take part in several things at
# once.
#
# And the memory itself? Here are ten units with rather open forget gates,
# near 0.88 on average, and ten with rather shut ones, near 0.3. Each is
# measured by its own spread.

# %%
means = seen.gates["F"].mean(axis=0)
by_mean = np.argsort(np.abs(means - 0.88)), np.argsort(np.abs(means - 0.3))
chosen = np.concatenate([found[:10] for found in by_mean])
memory = (seen.memory - seen.memory.mean(axis=0)) / seen.memory.std(axis=0)
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
label = "memory, standard deviations"
ax.figure.colorbar(image, ax=ax, label=label, ticks=(-2, -1, 0, 1, 2))
present(
    ax,
    "Units with open forget gates change slowly, those with shut ones fast.",
)

# %% [markdown]
# ### Exercise 6
#
# A question for research. Guess a property of a text yourself, other than
# the three above, and see whether the network knows of it: a number for each
# character of a text, such as 1 at a certain letter or at the end of a word
# (what comes next may be looked at), or how rare a letter is. The guess
# counts as found if the hidden state of some unit goes along with it with a
# correlation of more than 0.5.


# %%
def my_guess(text):
    """Return a number for each character of the text."""
    ### BEGIN SOLUTION
    return [float(letter == " ") for letter in text]
    ### END SOLUTION


# %%
enough = full_or_fast(0.5, 0.1)
hidden = seen.series()["H"]
check(
    lambda: np.abs(correlations(hidden, my_guess(passage))).max() > enough,
    True,
    hint="spaces are a beginning; then try what it takes to predict well",
)

# %% [markdown]
# ## Where it breaks
#
# The memory of equation (5) has no bound, and that cuts both ways. It
# counts, where a GRU cannot; but a counter at 20 shows $\tanh(20)$, which is
# no other number than $\tanh(10)$. What is kept for long must be kept small,
# or the output gate has nothing to show.
#
# A forget gate at 0.999 still halves what it keeps every 700 steps, and
# training hears of no more than the `num_steps` of a minibatch, because the
# gradient stops at its edge. And one step has to end before the next can
# begin: no cell of this kind can read all of a text at once. Networks that
# can, by looking at all tokens side by side, have taken its place for long
# texts. They took with them the idea that a sum passes gradients on.
#
# ## What to take away
#
# - Gates are numbers from 0 to 1, computed from the input and the state,
#   that multiply.
# - The memory is kept by the forget gate, filled by the input gate and shown
#   by the output gate.
# - Along the memory, gradients are multiplied by the forget gate alone.
#   Open, it lets them through.
# - Keep, replace, add, clear: four settings of two gates. A GRU has two of
#   them.
# - So begin with it open: a positive forget gate's bias costs nothing and
#   can decide everything.
#
# **Proven in the repository.** The equations, number by number:
# `test_outputs_follow_the_equations` in `tests/nets/test_scratch.py` and
# `test_one_lstm_step_with_the_tanh_of_the_equation` in
# `tests/nets/test_cells.py`. That gates, candidate and memory as
# `look_inside` shows them make the states:
# `test_gates_and_candidates_of_an_lstm_make_its_memory_and_states` in
# `tests/measure/test_inside.py`; there, too, that an open forget gate keeps
# what there is. How fast gradients shrink:
# `test_gradients_of_an_lstm_shrink_by_its_forget_gate_at_each_step` in
# `tests/measure/test_gradient_flow.py`.
