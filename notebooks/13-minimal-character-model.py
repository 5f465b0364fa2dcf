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
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/d2lrnn/d2lrnn/blob/main/notebooks/13-minimal-character-model.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/d2lrnn/d2lrnn/blob/main/notebooks/13-minimal-character-model.ipynb)
#
# # 13. The minimal character model
#
# How little does it take to learn to write? No minibatches, no words, no
# gates: one text, read from its beginning, 25 characters at a time; a
# recurrent network of 100 units; and an optimizer that finds its own step
# sizes. Karpathy's *min-char-rnn* (2015) did it in some hundred lines of
# Python, which very many people have learned from. This is its recipe, with
# the cells of this package.
#
# It follows section 9.5 of *Dive into Deep Learning*, and 12.7 for the
# optimizer, with its notation. Notebook 3 trains a network the usual way and
# explains sampling; read it before.

# %%
import importlib.util

if importlib.util.find_spec("d2lrnn") is None:
    # %pip install -q "d2lrnn[torch] @ git+https://github.com/d2lrnn/d2lrnn"
    importlib.invalidate_caches()

# %%
from collections import Counter

import numpy as np

from d2lrnn import backends, plot
from d2lrnn.nets import optimizers
from d2lrnn.recipes import min_char
from d2lrnn.teaching import (
    check,
    full_or_fast,
    present,
    tiny_shakespeare_at_hand,
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
# ## The text
#
# The recipe's own text is *tiny-shakespeare*, a million characters of his
# plays. It is read where it is at hand (call `rnn.read_tiny_shakespeare()`
# once, with a network, and it is kept), and otherwise the story that comes
# with the package is. Capitals, commas and line ends all stay: each
# character that occurs is a token, and there is none for what does not.

# %%
lines = (
    rnn.read_tiny_shakespeare()
    if tiny_shakespeare_at_hand()
    else rnn.read_builtin()
)
corpus, vocab = min_char.character_corpus(lines)
print(f"{len(corpus):,} characters, {len(vocab)} different ones\n")
print("".join(lines)[:200])

# %% [markdown]
# ## One piece of text
#
# The network is that of notebook 3: with $\mathbf{x}_t$ the one-hot vector
# of a character,
#
# $$\mathbf{H}_t = \tanh(\mathbf{x}_t \mathbf{W}_{xh} +
# \mathbf{H}_{t-1} \mathbf{W}_{hh} + \mathbf{b}_h), \qquad
# \mathbf{o}_t = \mathbf{H}_t \mathbf{W}_{hq} + \mathbf{b}_q.$$
#
# What differs is how it is fed. There is one row, not 32. An *iteration*
# reads the next 25 characters, looks at the loss of the 25 guesses, goes
# back through those 25 steps and moves the parameters; the hidden state goes
# on to the next piece. At the end of the text it starts from the beginning,
# with a state of zeros.

# %%
piece = np.array([corpus[: min_char.NUM_STEPS + 1]])
X, Y = piece[:, :-1], piece[:, 1:]
print("reads  ", repr(vocab.join(vocab.to_tokens(X[0]))))
print("guesses", repr(vocab.join(vocab.to_tokens(Y[0]))))


def new_net():
    """Return the recipe's network, untrained."""
    functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn_fused
    return rnn.RNNModelScratch(
        len(vocab), min_char.NUM_HIDDENS, *functions, seed=0
    )


net = new_net()
size = sum(array.size for array in net.arrays())
print(f"{min_char.NUM_HIDDENS} hidden units, {size:,} parameters")

# %% [markdown]
# The loss of a piece is the *sum* over its characters, in nats. A single
# piece says little, as some text is easier than other, so what is watched is
# an average that forgets slowly, the *smooth loss*,
#
# $$s \leftarrow 0.999\, s + 0.001 \sum_{t=1}^{25}
# -\log P(x_{t+1} \mid x_t, x_{t-1}, \ldots).$$

# %% [markdown]
# ### Exercise 1
#
# It starts at the loss of a guess at random, all characters being equally
# likely. How much is that for a piece?

# %%
### BEGIN SOLUTION
smooth_start = 25 * np.log(len(vocab))
### END SOLUTION

# %%
loss, _ = net.gradients(
    X, Y, net.begin_state(1)
)  # the mean over the piece, untrained
check(
    smooth_start,
    lambda: min_char.NUM_STEPS * loss,
    hint="the surprise about one of V equally likely things is log V; "
    "there are 25 of them",
    tolerance=1e-3,
)

# %% [markdown]
# ## Clipping value by value
#
# With so short a text at a time, gradients are noisy, and some are huge.
# Notebook 3 shortened all of them together and left their direction alone.
# The recipe cuts each number by itself:
#
# $$g_i \leftarrow \max(-\theta, \min(\theta, g_i)), \qquad \theta = 5.$$
#
# That turns the direction: a vector with one giant element comes out with an
# ordinary one, and the others do not shrink because of it. (Our loss is the
# mean over the 25 steps, not the sum, so the package cuts at $5/25$, which
# is the same.) In the figure, each arrow is a gradient of two parameters,
# and ends at what clipping makes of it.

# %%
theta = 5.0
gradients = np.array(
    [[2.0, 3.0], [14.0, 2.0], [9.0, 8.0], [-11.0, 4.0], [-3.0, 12.0]]
)


def clipped(gradients, clip):
    """Return rows of gradients, each clipped by the package."""
    rows = [
        rnn.grad_clipping([rnn.from_numpy(row)], theta, clip=clip)[0]
        for row in gradients
    ]
    return np.array([rnn.to_numpy(row) for (row,) in rows])


axes = plot.new_axes(11, 5, columns=2)
outlines = {
    "norm": theta
    * np.array(
        [[np.cos(a), np.sin(a)] for a in np.linspace(0, 2 * np.pi, 100)]
    ),
    "value": theta * np.array([[1, 1], [-1, 1], [-1, -1], [1, -1], [1, 1]]),
}
for ax, (clip, outline) in zip(axes, outlines.items()):
    ax.plot(*outline.T, color="black", linewidth=2)
    for number, (start, end) in enumerate(
        zip(gradients, clipped(gradients, clip))
    ):
        colour = plot.COLOURS[number]
        ax.plot(*start, "o", color=colour)
        arrow = {
            "arrowstyle": "-|>,head_width=0.5,head_length=0.8",
            "color": colour,
            "lw": 3,
        }
        ax.annotate(
            "", end, start, arrowprops=arrow | {"shrinkA": 0, "shrinkB": 0}
        )
        ax.plot(*end, "s", color=colour)
    ax.set(
        title=f"by {clip}",
        xlabel="gradient of $w_1$",
        ylabel="gradient of $w_2$",
    )
    ax.set(xlim=(-13, 16), ylim=(-7, 14), aspect="equal")
present(
    axes,
    "By norm, gradients move to a circle towards the origin; by "
    "value, into a square.",
)

# %% [markdown]
# ### Exercise 2
#
# Write clipping by value in NumPy, for a list of arrays.


# %%
def clip_values(grads, theta):
    """Return the arrays with every element cut to -theta..theta."""
    ### BEGIN SOLUTION
    return [np.clip(grad, -theta, theta) for grad in grads]
    ### END SOLUTION


# %%
check(
    lambda: np.concatenate(clip_values(list(gradients), theta)),
    lambda: clipped(gradients, "value").ravel(),
    hint="np.clip cuts a single array; the list has one for each parameter",
)

# %% [markdown]
# ### Exercise 3
#
# By how many degrees does clipping by value turn the gradient $(14, 2)$, and
# by how many does clipping by norm?

# %%
### BEGIN SOLUTION
before, after = np.arctan2(2, 14), np.arctan2(2, 5)
turned = [np.degrees(after - before), 0]
### END SOLUTION


# %%
def degrees(clip):
    """Return by how many degrees the package's clipping turns (14, 2)."""
    rows = np.array([[14.0, 2.0]])
    (one,), (other,) = rows, clipped(rows, clip)
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    return np.degrees(np.arccos(min(1, one @ other / lengths)))


check(
    turned,
    lambda: [degrees("value"), degrees("norm")],
    hint="by value it becomes (5, 2), and by norm only shorter; np.arctan2 "
    "and np.degrees give the angles",
    tolerance=1e-3,
)

# %% [markdown]
# ## Adagrad
#
# In text, characters are anything but equally frequent: the network sees
# thousands of spaces for each `Z`. The row of $\mathbf{W}_{xh}$ that belongs
# to `Z` has a gradient only when a `Z` is read, and with one learning rate
# for all it would hardly move. *Adagrad* (Duchi, Hazan and Singer, 2011)
# gives each parameter its own, by adding up the squares of its gradients:
#
# $$\mathbf{s}_t = \mathbf{s}_{t-1} + \mathbf{g}_t^2, \qquad
# \mathbf{w}_t = \mathbf{w}_{t-1} -
# \frac{\eta}{\sqrt{\mathbf{s}_t} + \epsilon}\, \mathbf{g}_t,$$
#
# element by element, $\mathbf{s}_0 = 0$. What has moved often moves in small
# steps from then on. The package writes it once for all frameworks:

# %%
rnn.show(optimizers.Adagrad)

# %% [markdown]
# ### Exercise 4
#
# How large is the very first step of a parameter whose gradient is 0.002?
# And if it is 5? $\eta$ is 0.1, and $\epsilon$ small enough to forget.

# %%
### BEGIN SOLUTION
first_steps = [0.1, 0.1]
### END SOLUTION


# %%
def first_step(gradient):
    """Return how far a first gradient moves a parameter, by Adagrad."""
    rule = optimizers.Adagrad(min_char.LR)
    weight = np.zeros(1)
    (moved,), _ = rule.update(
        [weight], [np.array([gradient])], rule.begin([weight])
    )
    return abs(moved[0])


check(
    first_steps,
    lambda: [first_step(0.002), first_step(5.0)],
    hint="at first s is the square of that one gradient, and its root "
    "cancels the gradient's size",
    tolerance=1e-4,
)

# %% [markdown]
# So the first steps are as large as can be, whatever the gradient is; a
# number that should be 0 and is off by a rounding moves by 0.1 like any
# other. Two frameworks therefore part ways within a few iterations here,
# although both are right, and what they write differs. Notebook 11 looks
# into it.

# %% [markdown]
# ## Training
#
# Here is the recipe in ten lines: read a piece, go back, clip, add up the
# squares, move, and go on from the state. The package's training step does
# the same, number by number.

# %%
functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn
twins = [
    rnn.RNNModelScratch(len(vocab), 8, *functions, seed=0, dtype="float64")
    for _ in range(2)
]
limit = theta / min_char.NUM_STEPS
net, package = twins
step = package.make_step(0.1, limit, optimizer="adagrad", clip="value")
params, squares = net.arrays(), [0 * W for W in net.arrays()]
state = expected_state = net.begin_state(1)
for start in range(0, 4 * 25, 25):
    piece = np.array([corpus[start : start + 26]])
    _, grads = net.gradients(piece[:, :-1], piece[:, 1:], state)
    _, state = net.evaluate(piece[:, :-1], state)
    for W, s, g in zip(params, squares, grads):
        g = np.clip(g, -limit, limit)
        s += g * g
        W -= 0.1 * g / (np.sqrt(s) + 1e-8)
    net.load_arrays(params)
    _, expected_state = step(piece[:, :-1], piece[:, 1:], expected_state)
gaps = [np.abs(W - V).max() for W, V in zip(params, package.arrays())]
print("the same after four pieces:", max(gaps) < 1e-6)

# %% [markdown]
# And this is all of it: the loop of the package, which knows no framework.

# %%
rnn.show(min_char.train_min_char)

# %% [markdown]
# Now it reads, and now and then stops to write 200 characters from where it
# is, each drawn from its own probabilities and read as the next input. Watch
# what comes first: letters as frequent as they should be, then spaces at the
# right distance, then words, or what might have been one.

# %%
net = new_net()
num_iterations = full_or_fast(8000, 200)
seen = min_char.train_min_char(
    net,
    corpus,
    vocab,
    num_iterations,
    report_every=num_iterations // 100,
    sample_every=num_iterations // 4,
    seed=0,
    progress=False,
)

# %% [markdown]
# What is a smooth loss worth? Compare it with two models that only count:
# how frequent each character is, and what follows what. Their mean surprise
# about the next character, times 25, is where the smooth loss should pass by
# as the network learns as much.


# %%
def surprise(contexts):
    """Return the mean surprise about what follows, by counting, in nats."""
    singles = Counter(contexts)
    pairs = Counter(zip(contexts, corpus[1:]))
    logs = [
        count * np.log(count / singles[context])
        for (context, _), count in pairs.items()
    ]
    return -sum(logs) / len(contexts)


levels = {
    "a guess at random": np.log(len(vocab)),
    "how frequent each is": surprise(
        [0] * (len(corpus) - 1)
    ),  # a context that is always the same
    "what follows what": surprise(corpus[:-1]),
}
ax = plot.smooth_loss({None: seen}, plot.new_axes(8, 4.8))
for name, level in levels.items():
    height = min_char.NUM_STEPS * level
    ax.axhline(height, color="black", linewidth=1.5, linestyle="--")
    ax.annotate(
        name,
        (num_iterations, height),
        (0, 4),
        textcoords="offset points",
        ha="right",
    )
ax.set(ylabel="smooth loss, nats", ylim=(None, 1.08 * seen.values[0]))
present(
    ax,
    "The smooth loss falls from that of a guess at random towards "
    "what counting gives.",
)

# %% [markdown]
# ### Exercise 5
#
# Notebook 3 measures *perplexity*, the exponential of the mean surprise
# about one character. Which one does a smooth loss of 50 stand for?

# %%
### BEGIN SOLUTION
perplexity = np.exp(50 / 25)
### END SOLUTION

# %%
check(
    perplexity,
    np.exp(50 / min_char.NUM_STEPS),
    hint="the smooth loss is a sum over 25 characters",
)

# %% [markdown]
# ## Step sizes that Adagrad found
#
# Without reports and samples the loop fits into a few lines. Here it trains
# new networks for a while, with Adagrad and with plain gradient descent,
# $\mathbf{w} \leftarrow \mathbf{w} - \eta\, \mathbf{g}$; all else is the
# same. Drawn is the mean of the last 100 pieces' losses.

# %%
ids = np.array(corpus)
num_pieces = full_or_fast(1000, 100)


def train(optimizer, lr):
    """Return each piece's loss, and the step, which holds its memory."""
    net = new_net()
    step = net.make_step(
        lr, theta / min_char.NUM_STEPS, optimizer=optimizer, clip="value"
    )
    state, losses = net.begin_state(1), []
    for start in (
        min_char.NUM_STEPS
        * np.arange(num_pieces)
        % (len(ids) - min_char.NUM_STEPS)
    ):
        piece = ids[None, start : start + min_char.NUM_STEPS + 1]
        loss, state = step(piece[:, :-1], piece[:, 1:], state)
        losses.append(min_char.NUM_STEPS * loss)
    return losses, step


ax = plot.new_axes(8, 4.8)
window = num_pieces // 10
for number, (optimizer, lr) in enumerate(
    [("adagrad", 0.1), ("sgd", 0.1), ("sgd", 1.0)]
):
    losses, step = train(optimizer, lr)
    means = np.convolve(losses, np.full(window, 1 / window), "valid")
    label = rf"{optimizer}, $\eta$ = {lr}"
    ax.plot(
        np.arange(window, num_pieces + 1),
        means,
        label=label,
        **plot.line_style(number),
    )
    if optimizer == "adagrad":
        memory, by_recipe = step.memory(), means[-1]
ax.set(
    xlabel="iteration",
    ylabel="loss of a piece, nats",
    ylim=(None, 1.2 * seen.values[0]),
)
ax.legend()
present(
    ax,
    "The loss over iterations: Adagrad's, and gradient descent's "
    "at two learning rates.",
)

# %% [markdown]
# Gradient descent at Adagrad's rate is slow. At ten times that rate it is
# quick at first, and one unlucky piece of text may then undo everything:
# where the line leaves the figure, the loss is far above that of a guess at
# random. A rate in between would have to be found by trying. Adagrad needs
# less of that, as it begins with large steps and makes them smaller where
# they are too large.

# %% [markdown]
# ### Exercise 6
#
# A question for research: is the recipe the best there is? Find an optimizer
# ("sgd", "adagrad" or "adam") and a learning rate for which the last pieces'
# loss is lower than by the recipe: by 5 nats in a full run. All else stays
# as it is.

# %%
### BEGIN SOLUTION
mine = "adam", 0.003
### END SOLUTION

# %%
margin = full_or_fast(5, 1)
check(
    lambda: bool(np.mean(train(*mine)[0][-window:]) < by_recipe - margin),
    True,
    hint="the recipe was made for far longer runs; half its learning rate "
    "is worth a try, and so is an optimizer that forgets",
)

# %% [markdown]
# What Adagrad remembers is $\mathbf{s}$, as large as the parameters. From it
# follows the step size $\eta / \sqrt{\mathbf{s}}$ of each weight. Here is
# its median for each row of $\mathbf{W}_{xh}$, which is the input side of
# one character, over how often that character was read.

# %%
sums = memory["0"]  # of the first parameter, W_xh: a row for each character
read = np.bincount(
    ids[: num_pieces * min_char.NUM_STEPS], minlength=len(vocab)
)
median = np.median(sums, axis=1)
order = [index for index in np.argsort(read) if median[index] > 0]
steps = min_char.LR / np.sqrt(median[order])
ax = plot.new_axes(8, 4.8)
ax.plot(read[order], steps, "o", color=plot.COLOURS[0])
marked = 0.0
for index, height in zip(order, steps):
    if (
        read[index] > 2 * marked
    ):  # not all letters, which would hide one another
        marked = read[index]
        letter = (
            vocab.to_tokens(index)
            .replace(" ", "\u2423")
            .replace("\n", "\u21b5")
        )
        ax.annotate(
            letter,
            (marked, height),
            (0, 12),
            textcoords="offset points",
            ha="center",
        )
ax.set(
    xscale="log",
    yscale="log",
    xlabel="how often it was read",
    ylabel="step size of its weights",
)
present(
    ax,
    "The more often a character was read, the smaller are the "
    "steps of its weights.",
)
print(
    "the memory is as large as the parameters:",
    sum(s.size for s in memory.values()) == size,
)

# %% [markdown]
# The rarer a character, the larger the steps that are left for it. The other
# side of it: $\mathbf{s}$ only ever grows, so that everything slows down in
# the end. Adam, which notebook 9 uses, forgets old squares and does not.

# %% [markdown]
# ## Where the surprise is
#
# Back to the network that was trained for longer. It reads on where training
# stopped. At each character, how surprised was it? The bars are one line;
# the legend has means over many.
#
# It reads on with the state that it had there, and not from zeros. It has
# begun at zeros only once, at the beginning of the text, and whatever its
# state has become since then, it has learned to read on from *that*. From
# zeros it may end up in states where it understands nothing.

# %%
shown, num_read = 44, full_or_fast(5000, 500)
num_in_text = (len(ids) - 1) // min_char.NUM_STEPS
here = min_char.NUM_STEPS * (
    num_iterations % num_in_text
)  # the next character
ids_read = np.take(ids, range(here, here + num_read + 1), mode="wrap")
scores, state = net.evaluate(ids_read[None, :-1], seen.state)  # (T, V)
scores = scores.astype(float)
scores -= scores.max(axis=1, keepdims=True)
logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
surprises = -logs[
    np.arange(num_read), ids_read[1:]
]  # about the second character, the third, ...
text = vocab.join(vocab.to_tokens(ids_read))
is_letter = np.array([letter.isalpha() for letter in text])
kinds = {
    "first of a word": is_letter[1:] & ~is_letter[:-1],
    "later in a word": is_letter[1:] & is_letter[:-1],
    "space or sign": ~is_letter[1:],
}

ax = plot.new_axes(11, 4.8)
begin = text.index(" ", num_read // 2)  # a word follows
part = slice(begin, begin + shown)
for number, (kind, mask) in enumerate(kinds.items()):
    places = np.flatnonzero(mask[part])
    label = f"{kind}: {surprises[mask].mean():.1f}"
    colour = plot.COLOURS[number]
    ax.bar(places, surprises[part][places], 0.8, color=colour, label=label)
ax.axhline(np.log(len(vocab)), color="black", linewidth=1.5, linestyle="--")
letters = (
    text[begin + 1 : begin + 1 + shown]
    .replace(" ", "\u2423")
    .replace("\n", "\u21b5")
)
ax.set_xticks(range(shown), list(letters))
ax.set(ylabel="surprise, nats", xlim=(-0.7, shown - 0.3))
ax.grid(False, axis="x")
ax.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1))
present(
    ax, "A bar of surprise over each letter of a line, in three colours."
)

# %% [markdown]
# The dashed line is a guess at random. Where words begin there is more to be
# surprised about than within them, and a space is easiest: the network has
# learned what words look like before it knows any. When it writes, the
# temperature says how much of that surprise is let through. It goes on from
# what it has just read.

# %%
for temperature in (0.4, 0.7, 1.0):
    draw = {"temperature": temperature, "seed": 1, "state": state}
    sample = rnn.predict_ch8(text[-1], 150, net, vocab, **draw)
    print(f"temperature {temperature}:\n{sample}\n")

# %% [markdown]
# ## What to take away
#
# - One row of text, 25 characters at a time, a carried state: that is enough
#   to learn to write.
# - Clipping by value bounds each gradient for itself, and changes their
#   direction.
# - Adagrad divides by the root of all squares so far: the first steps are as
#   large as can be, and rare characters keep larger ones than frequent ones.
# - A network that has always been handed its last state may be lost without
#   it.
# - A smooth loss means something only beside others: a guess at random, and
#   what counting gives.
#
# **Proven in the repository**, in `tests/recipes/test_recipes.py`: one
# iteration against the recipe written out,
# `test_the_recipe_is_adagrad_on_sums_clipped_by_value`; where the smooth
# loss begins, `test_shakespeare_has_65_characters_and_begins_at_25_ln_65`;
# that it learns, `test_the_smooth_loss_falls_below_55_on_the_way` and
# `test_the_recipe_learns_in_every_backend`; how the text is read,
# `test_the_text_is_read_piece_by_piece_and_then_anew`, and written,
# `test_samples_go_on_from_the_state_of_the_text`. Clipping:
# `test_gradients_are_clipped_value_by_value` in
# `tests/training/test_training.py`. Adagrad:
# `test_adagrad_divides_by_the_root_of_all_squares` and
# `test_a_hundred_steps_are_those_of_the_reference` in
# `tests/nets/test_optimizers.py`.
