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
#
# # 7. Long short-term memory, gate by gate
#
# The state of a plain recurrent network is made anew at every step, and what it held is soon
# overwritten. An LSTM has a second state, its *memory*, to which it adds and from which it takes
# away, under the control of three gates. Here each gate is moved by hand first, then a network
# learns to move them itself, and at the end we look inside while it reads.
#
# It follows section 10.1 of *Dive into Deep Learning*, with its notation. Notebook 5 says why
# gradients vanish, notebook 6 has the GRU, the LSTM's younger relative.

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
from d2lrnn.teaching import check, full_or_fast, present, time_machine_at_hand

backends.prepare()  # before any framework is imported: float64 in JAX, less talk from TensorFlow
plot.use_style()

# %% [markdown]
# Everything below runs on any of five backends. Edit this line, and nothing else, to choose one.

# %%
from d2lrnn import torch as rnn  # or tensorflow, jax, mxnet, numpy

# %% [markdown]
# ## The cell
#
# Three *gates* look at the input and at the hidden state. Each gives numbers between 0, shut, and
# 1, open, one for every hidden unit:
#
# $$\begin{aligned}
# \mathbf{I}_t &= \sigma(\mathbf{X}_t \mathbf{W}_{xi} + \mathbf{H}_{t-1} \mathbf{W}_{hi} +
# \mathbf{b}_i) && \text{input gate: how much to write,} \\
# \mathbf{F}_t &= \sigma(\mathbf{X}_t \mathbf{W}_{xf} + \mathbf{H}_{t-1} \mathbf{W}_{hf} +
# \mathbf{b}_f) && \text{forget gate: how much to keep,} \\
# \mathbf{O}_t &= \sigma(\mathbf{X}_t \mathbf{W}_{xo} + \mathbf{H}_{t-1} \mathbf{W}_{ho} +
# \mathbf{b}_o) && \text{output gate: how much to show.}
# \end{aligned}$$
#
# What there is to write is the *candidate*. The memory keeps some of itself and takes in some of
# the candidate; the hidden state is what it shows of itself:
#
# $$\begin{aligned}
# \tilde{\mathbf{C}}_t &= \tanh(\mathbf{X}_t \mathbf{W}_{xc} + \mathbf{H}_{t-1} \mathbf{W}_{hc} +
# \mathbf{b}_c), \\
# \mathbf{C}_t &= \mathbf{F}_t \odot \mathbf{C}_{t-1} + \mathbf{I}_t \odot \tilde{\mathbf{C}}_t, \\
# \mathbf{H}_t &= \mathbf{O}_t \odot \tanh(\mathbf{C}_t).
# \end{aligned}$$
#
# ($\odot$ multiplies element by element.) With $F = 1$ and $I = 0$ the memory stays as it is,
# however long; with $F = 0$ and $I = 1$ it is replaced; with both 1 it adds up; with both 0 it is
# wiped.

# %%
present(diagrams.lstm_cell(), "The memory runs along the top, through one product and one sum.")

# %%
rnn.show(rnn.lstm, helpers=True)

# %% [markdown]
# ### Exercise 1
#
# Write the last two equations and the candidate's way into them, in NumPy: from the three gates,
# the candidate and the memory before, to $\mathbf{H}_t$ and $\mathbf{C}_t$.


# %%
def lstm_step(I, F, O, C_tilde, C):
    """Return H_t and C_t; all arguments are arrays (n, h), C being the memory before."""
    ### BEGIN SOLUTION
    C = F * C + I * C_tilde
    return O * np.tanh(C), C
    ### END SOLUTION


# %%
rng = np.random.default_rng(0)
params = [rng.normal(size=param.shape) for param in rnn.get_lstm_params(5, 4, dtype="float64")]
X, H, C = rng.normal(size=(3, 5)), rng.normal(size=(3, 4)), rng.normal(size=(3, 4))


def activation(index, function):
    """Return one of the gates, or the candidate: index is its place in i, f, o, c."""
    W_x, W_h, b = params[3 * index : 3 * index + 3]
    return function(X @ W_x + H @ W_h + b)


def sigmoid(A):
    """Return 1 / (1 + exp(-A))."""
    return 1 / (1 + np.exp(-A))


I, F, O = (activation(index, sigmoid) for index in range(3))
check(
    lambda: np.stack(lstm_step(I, F, O, activation(3, np.tanh), C)),
    lambda: np.stack(
        [
            rnn.to_numpy(tensor)
            for tensor in rnn.lstm(
                rnn.from_numpy(X[None]),
                (rnn.from_numpy(H), rnn.from_numpy(C)),
                [rnn.from_numpy(param) for param in params],
            )[1]
        ]
    ),
    hint="first the new memory, of the old one and the candidate; the hidden state shows the new",
)

# %% [markdown]
# ## A memory moved by hand
#
# Let one unit be a notebook of one number. The text it reads has four characters: `+` and `-` are
# to be noted, as 1 and -1; at a dot nothing is to happen; and at `?` it is to say what it has
# noted, and else to be silent. That takes no training. Gates follow the character alone, with
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
    """Return an LSTM of one unit; forget_at_sign goes into the forget gate at + and -."""
    table = {  # i, f, o, c for each character
        "+": (OPEN, forget_at_sign, SHUT, OPEN),
        "-": (OPEN, forget_at_sign, SHUT, SHUT),
        ".": (SHUT, OPEN, SHUT, 0.0),
        "?": (SHUT, OPEN, OPEN, 0.0),
    }
    functions = rnn.get_lstm_params, rnn.init_lstm_state, rnn.lstm
    net = rnn.RNNModelScratch(len(vocab), 1, *functions, dtype="float64")
    arrays = [np.zeros_like(array) for array in net.arrays()]
    for character, row in table.items():
        for gate, value in enumerate(row):
            arrays[3 * gate][vocab[character], 0] = value  # W_xi, W_xf, W_xo and W_xc
    net.load_arrays(arrays)
    return net


text = "..+...?..-.....?..+."
seen = rnn.look_inside(by_hand(SHUT), vocab, text)
rows = ["I", "F", "O", "C", "H"]
series = seen.series()
fig_axes = plot.new_axes(10, 6.4, rows=5)
for number, (ax, name) in enumerate(zip(fig_axes, rows)):
    steps = np.arange(len(text))
    ax.bar(steps, series[name][:, 0], 0.9, color=plot.COLOURS[0 if number < 3 else 1])
    ax.set(xlim=(-0.7, len(text) - 0.3), ylim=(0, 1.05) if number < 3 else (-1.1, 1.1))
    ax.set_ylabel(f"${name}_t$", rotation=0, labelpad=22)
    ax.set_yticks([0, 1] if number < 3 else [-1, 0, 1])
    ax.set_xticks(steps if name == "H" else [], list(text) if name == "H" else [])
    ax.grid(axis="x", visible=False)
present(
    fig_axes, "The memory holds 1 and later -1; the hidden state shows it at question marks alone."
)

# %% [markdown]
# The memory carries the number over any distance. The hidden state, and with it the rest of the
# network, hears of it only when the output gate opens, and then as $\tanh(1) \approx 0.76$.
#
# ### Exercise 2
#
# A notebook becomes a counter, of `+` minus `-`, if the memory *adds* what comes in instead of
# being replaced by it. What has to stand for `forget_at_sign` in `by_hand`?

# %%
### BEGIN SOLUTION
forget_at_sign = OPEN
### END SOLUTION

# %%
tally = "++.-+...+-+..++.-."
check(
    lambda: rnn.look_inside(by_hand(forget_at_sign), vocab, tally).memory[-1, 0],
    lambda: tally.count("+") - tally.count("-"),
    hint="at a sign, what was there before has to be kept as well: which gate does that?",
    tolerance=0.01,
)

# %% [markdown]
# ## Why gradients survive
#
# Along the memory there is no matrix and no tanh. If one looks at this path alone,
#
# $$\frac{\partial \mathbf{C}_T}{\partial \mathbf{C}_t} \approx
# \prod_{s=t+1}^T \mathrm{diag}(\mathbf{F}_s):$$
#
# a gradient that goes back one step is multiplied by the forget gate, and by nothing else. An open
# gate lets it through undiminished. But at the beginning of training, weights are small and biases
# 0, so that $F = \sigma(0) = 1/2$. After 20 steps a millionth is left, and what lies further back
# is never learned. The remedy is to begin with a positive bias $\mathbf{b}_f$: *keep everything,
# until there is a reason not to*.

# %%
num_steps, biases = full_or_fast((50, (0.0, 1.0, 2.0, 4.0)), (15, (0.0, 4.0)))
lstm_functions = rnn.get_lstm_params, rnn.init_lstm_state, rnn.lstm
B_F = 5  # the place of b_f in i, f, o, c with three parameters each
ids = rng.integers(28, size=(8, num_steps + 1))
norms = {}
for bias in biases:
    net = rnn.RNNModelScratch(28, 64, *lstm_functions, seed=0, dtype="float64")
    arrays = net.arrays()
    arrays[B_F] += bias
    net.load_arrays(arrays)
    label = rf"$b_f$ = {bias:g}, $F$ = {sigmoid(bias):.2f}"
    found = rnn.gradient_norms(net, ids[:, :-1], ids[:, 1:], last_only=True)
    norms[label] = found / found[-2]
ax = plot.new_axes(8, 4.8)
for number, (label, values) in enumerate(norms.items()):
    ax.plot(range(1, num_steps), values[:-1], label=label, **plot.line_style(number))
ax.set(yscale="log", xlabel="time step t", ylabel=r"$\|\partial L_T / \partial H_t\|$, relative")
ax.legend()
present(
    ax, "Going back in time, gradients shrink by the forget gate at every step: straight lines."
)

# %% [markdown]
# Straight lines on a logarithmic axis: each step back multiplies by the same number, and that
# number is $\sigma(b_f)$.
#
# ### Exercise 3
#
# A unit's forget gate is at 0.9 all the time, and nothing is written. After how many steps is half
# of its memory left? Write an expression.

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
# Does it matter? Here is a task that is nothing but memory. A sequence of 30 characters begins with
# `+` or `-`, then come letters at random; at its end, the network has to say which of the two it
# was. The same training, from the same weights but for the bias:

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
        net, loader, 0.01, full_or_fast(10, 2), held_out=(held_out, held_out[:, 0]), progress=False
    )
left, right = plot.scores(scores, plot.new_axes(12, 4.8, columns=2))
right.set(ylim=(0.4, 1.05))
present([left, right], "With a bias of 3 the task is learned, with a bias of 0 it stays guesswork.")

# %% [markdown]
# With a bias of 3 the end of a sequence hears of its beginning from the start, and the task is
# learned in the first epoch. A bias of 1 takes longer. With none, about a billionth of the signal
# comes back over 30 steps ($0.5^{30} \approx 10^{-9}$), and the network is left to guess.
#
# ## Learning to read
#
# Now a network of 128 units, with a forget gate's bias of 1 to begin with, learns to predict the
# next character of The Time Machine where it is at hand, and of the package's story otherwise.

# %%
at_hand = time_machine_at_hand()
load_data = rnn.load_data_time_machine if at_hand else rnn.load_data_builtin
text = "".join(rnn.read_time_machine() if at_hand else rnn.read_builtin())
passage = text[-full_or_fast(1400, 200) :]  # to look at; the network learns from what comes before
num_hiddens, most = full_or_fast((128, 100_000), (32, 3_000))
most = min(most, len(text) - len(passage))
train_iter, vocab = load_data(32, full_or_fast(35, 15), max_tokens=most, seed=0)
fused = rnn.get_lstm_params, rnn.init_lstm_state, rnn.lstm_fused
net = rnn.RNNModelScratch(len(vocab), num_hiddens, *fused, seed=0)
arrays = net.arrays()
arrays[B_F] += 1
net.load_arrays(arrays)
history = rnn.train_ch8(
    net, train_iter, vocab, 0.01, full_or_fast(12, 2), optimizer="adam", progress=False
)
print(
    f"perplexity {history.perplexity[-1]:.1f}:", rnn.predict_ch8("time traveller ", 45, net, vocab)
)

# %% [markdown]
# `look_inside` lets it read a text, here one that is new to it, and keeps all that goes on: gates,
# memory, hidden state. How long does each unit remember? The mean of its forget gate says so.

# %%
seen = rnn.look_inside(net, vocab, passage)
ax = plot.new_axes(8, 4.8)
ax.plot(np.sort(seen.gates["F"].mean(axis=0)), color=plot.COLOURS[0], label="after training")
ax.axhline(sigmoid(1.0), color="black", linestyle=":", label=r"before: $\sigma(1)$")
ax.set(xlabel="hidden units, in order", ylabel="mean of the forget gate", ylim=(0, 1.03))
ax.legend()
present(ax, "Forget gates have spread: some units hold on for long, others for a moment.")

# %% [markdown]
# From one value for all, gates have gone apart: some units are there for the character just read,
# others hold on to what they know. A unit whose mean is 0.9 still has about half of it after seven
# characters.
#
# What do they know? To find out, say what a unit might follow, as a number for each character, and
# look for the unit that goes along with it most, by correlation. Two guesses are for the hidden
# state: that the character is a vowel, and that it is the first letter of a word. The third, how
# many letters the word has so far, is for the memory: it would be the counter of exercise 2, found
# by training.
#
# Then colour the text by that unit: red where it is high for this unit, blue where it is low, full
# colours at two standard deviations.

# %%
letters = np.array(list(passage))
so_far = np.zeros(len(letters))  # letters of the word so far, this one included
for index in range(1, len(letters)):
    so_far[index] = 0 if letters[index] == " " else so_far[index - 1] + 1
guesses = {
    "a vowel": (np.isin(letters, list("aeiou")), "H"),
    "the first letter of a word": (so_far == 1, "H"),
    "letters so far": (so_far, "C"),
}
shown, lines = slice(60, 116), {}
axes = plot.new_axes(10, 5.4, rows=len(guesses))
for ax, (name, (guess, kind)) in zip(axes, guesses.items()):
    values = seen.series()[kind]
    both = np.nan_to_num([np.corrcoef(unit, guess)[0, 1] for unit in values.T])
    unit = int(np.abs(both).argmax())
    values = np.sign(both[unit]) * values[:, unit]
    lines[name] = (values - values.mean()) / values.std()
    plot.coloured_text(seen.tokens[shown], lines[name][shown], ax, limits=(-2, 2), width=28)
    what = "hidden state" if kind == "H" else "memory"
    title = f"{name}: {what} of unit {unit}, correlation {abs(both[unit]):.2f}"
    ax.set_title(title, loc="left")
present(
    axes, "A text three times, coloured by the units that follow vowels, first letters, and length."
)

# %% [markdown]
# A correlation is one number. What is behind it shows in the mean for each letter (vowels are
# orange), and for each length of what there is of a word (with the standard deviation):

# %%
left, right = plot.new_axes(12, 4.8, columns=2)
alphabet = sorted(set(passage) - {" "})
means = [lines["a vowel"][letters == letter].mean() for letter in alphabet]
colours = [plot.COLOURS[int(letter in "aeiou")] for letter in alphabet]
left.bar(alphabet, means, color=colours)
left.set(title="a vowel", xlabel="letter", ylabel="mean, standard deviations")
left.tick_params(axis="x", labelsize=12)
left.grid(axis="x", visible=False)
lengths = range(full_or_fast(9, 4))
spread = [lines["letters so far"][so_far == length] for length in lengths]
middle, width = [values.mean() for values in spread], [values.std() for values in spread]
right.errorbar(lengths, middle, width, fmt="o-", color=plot.COLOURS[0], capsize=5)
right.set(title="letters so far", xlabel="letters of the word so far", xticks=lengths)
present([left, right], "One unit is high at vowels, but not only there; one rises along a word.")

# %% [markdown]
# Nobody asked for any of this: to predict the next character it helps to know where in a word one
# is. But do not give names to units too soon. The one for vowels is high at some other letters as
# well, the one that counts does so within wide bounds, and most units take part in several things
# at once.
#
# And the memory itself? Here are ten units with rather open forget gates, near 0.88 on average, and
# ten with rather shut ones, near 0.3. Each is measured by its own spread.

# %%
means = seen.gates["F"].mean(axis=0)
by_mean = np.argsort(np.abs(means - 0.88)), np.argsort(np.abs(means - 0.3))
chosen = np.concatenate([found[:10] for found in by_mean])
memory = (seen.memory - seen.memory.mean(axis=0)) / seen.memory.std(axis=0)
part = slice(60, 110)
ax = plot.new_axes(11, 5.2)
image = ax.imshow(
    memory[part, chosen].T, cmap="RdBu_r", vmin=-2, vmax=2, aspect="auto", interpolation="none"
)
ax.axhline(9.5, color="black", linewidth=2)
ax.set_xticks(range(50), [letter.replace(" ", "\u2423") for letter in passage[part]])
ax.set_yticks([4.5, 14.5], ["open", "shut"], rotation=90, va="center")
ax.set(ylabel="forget gates")
ax.tick_params(length=0)
ax.grid(False)
label = "memory, standard deviations"
ax.figure.colorbar(image, ax=ax, label=label, ticks=(-2, -1, 0, 1, 2))
present(
    ax, "Units with open forget gates change slowly along a text, those with shut ones at once."
)

# %% [markdown]
# ## What to take away
#
# - Gates are numbers from 0 to 1, computed from the input and the state, that multiply.
# - The memory is kept by the forget gate, filled by the input gate and shown by the output gate.
# - Along the memory, gradients are multiplied by the forget gate alone. Open, it lets them through.
# - So begin with it open: a positive forget gate's bias costs nothing and can decide everything.
#
# **Proven in the repository.** The equations, number by number:
# `test_outputs_follow_the_equations` in `tests/nets/test_scratch.py` and
# `test_one_lstm_step_with_the_tanh_of_the_equation` in `tests/nets/test_cells.py`. That an open
# forget gate keeps what there is, and that gates, candidate and memory as `look_inside` shows them
# make the states:
# `test_an_lstm_with_its_forget_gate_open_and_its_input_gate_shut_keeps_its_memory` and
# `test_gates_and_candidates_of_an_lstm_make_its_memory_and_states` in
# `tests/measure/test_inside.py`. How fast gradients shrink:
# `test_gradients_of_an_lstm_shrink_by_its_forget_gate_at_each_step` in
# `tests/measure/test_gradient_flow.py`.
