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
# How little is needed to generate text? This notebook does not use
# minibatches, words or gates: the training data is one text, which is
# processed from its beginning in pieces of 25 characters. The model is a
# recurrent network of 100 units, and the optimizer chooses its own step
# sizes. Karpathy's *min-char-rnn* (2015) did this in about a hundred lines
# of Python, from which many people have learned. This notebook follows its
# recipe with the cells of this package.
#
# It follows sections 9.5 and 12.7 (optimizers) of *Dive into Deep Learning*
# and uses their notation. Notebook 3 trains a network in the usual way and
# explains sampling; read it first.

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

# Before any import of a framework: float64 in JAX, fewer messages.
backends.prepare()
plot.use_style()

# %% [markdown]
# This notebook runs on any of five backends. To choose one, edit only the
# following line.

# %%
from d2lrnn import torch as rnn  # or tensorflow, jax, mxnet, numpy

# %% [markdown]
# ## The text
#
# The text of the recipe is *tiny-shakespeare*, a million characters of
# Shakespeare's plays. It is used if it is available (call
# `rnn.read_tiny_shakespeare()` once with an internet connection, and it is
# cached). Otherwise the story of the package is used. Upper-case letters,
# punctuation and line ends are kept. Each character that occurs is a token,
# and there is no unknown token.

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
# The network is that of notebook 3. With $\mathbf{x}_t$ for the one-hot
# vector of a character,
#
# $$\mathbf{H}_t = \tanh(\mathbf{x}_t \mathbf{W}_{xh} +
# \mathbf{H}_{t-1} \mathbf{W}_{hh} + \mathbf{b}_h), \qquad
# \mathbf{o}_t = \mathbf{H}_t \mathbf{W}_{hq} + \mathbf{b}_q.$$
#
# The difference is the order of the training data. There is only one row
# instead of 32. In each *iteration*, the network processes the next 25
# characters, the loss of the 25 predictions is computed, backpropagation
# goes through these 25 steps, and the parameters are updated. The hidden
# state is passed on to the next piece. At the end of the text, training
# continues at the beginning with a zero state.

# %%
piece = np.array([corpus[: min_char.NUM_STEPS + 1]])
X, Y = piece[:, :-1], piece[:, 1:]
print("inputs ", repr(vocab.join(vocab.to_tokens(X[0]))))
print("targets", repr(vocab.join(vocab.to_tokens(Y[0]))))


def new_net():
    """Return the untrained network of the recipe."""
    functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn_fused
    return rnn.RNNModelScratch(
        len(vocab), min_char.NUM_HIDDENS, *functions, seed=0
    )


net = new_net()
size = sum(array.size for array in net.arrays())
print(f"{min_char.NUM_HIDDENS} hidden units, {size:,} parameters")

# %% [markdown]
# The loss of a piece is the *sum* over its characters, in nats. The loss of
# a single piece is not informative, because some pieces are easier than
# others. Therefore, the recipe reports a moving average, the *smooth loss*,
#
# $$s \leftarrow 0.999\, s + 0.001 \sum_{t=1}^{25}
# -\log P(x_{t+1} \mid x_t, x_{t-1}, \ldots).$$

# %% [markdown]
# ### Exercise 1
#
# The smooth loss starts at the loss of a piece if all characters are equally
# likely. What is this value?

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
    hint="the surprise of one of V equally likely characters is log V; "
    "there are 25 of them",
    tolerance=1e-3,
)

# %% [markdown]
# ## Clipping by value
#
# With so few characters per update, gradients are noisy, and some are very
# large. In notebook 3, all gradients together are rescaled, and their
# direction does not change. The recipe limits each element separately:
#
# $$g_i \leftarrow \max(-\theta, \min(\theta, g_i)), \qquad \theta = 5.$$
#
# This changes the direction: in a vector with one very large element, this
# element is reduced, and the others are not. (The loss of the package is the
# mean over 25 steps and not the sum, so the package uses the limit $5/25$,
# which is equivalent.) In the figure, each arrow starts at a gradient of two
# parameters and ends at the clipped gradient.

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
    "By norm, gradients are shortened to a circle; by "
    "value, they are moved into a square.",
)

# %% [markdown]
# ### Exercise 2
#
# Implement clipping by value in NumPy, for a list of arrays.


# %%
def clip_values(grads, theta):
    """Return the arrays with every element limited to -theta..theta."""
    ### BEGIN SOLUTION
    return [np.clip(grad, -theta, theta) for grad in grads]
    ### END SOLUTION


# %%
check(
    lambda: np.concatenate(clip_values(list(gradients), theta)),
    lambda: clipped(gradients, "value").ravel(),
    hint="np.clip works on one array; the list has one for each parameter",
)

# %% [markdown]
# ### Exercise 3
#
# By how many degrees does clipping by value change the direction of the
# gradient $(14, 2)$, and by how many does clipping by norm?

# %%
### BEGIN SOLUTION
before, after = np.arctan2(2, 14), np.arctan2(2, 5)
turned = [np.degrees(after - before), 0]
### END SOLUTION


# %%
def degrees(clip):
    """Return the angle in degrees by which clipping turns (14, 2)."""
    rows = np.array([[14.0, 2.0]])
    (one,), (other,) = rows, clipped(rows, clip)
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    return np.degrees(np.arccos(min(1, one @ other / lengths)))


check(
    turned,
    lambda: [degrees("value"), degrees("norm")],
    hint="by value it becomes (5, 2), by norm only shorter; np.arctan2 "
    "and np.degrees give the angles",
    tolerance=1e-3,
)

# %% [markdown]
# ## Adagrad
#
# The characters of a text have very different frequencies: there are
# thousands of spaces for each `Z`. The row of $\mathbf{W}_{xh}$ for `Z` has
# a nonzero gradient only if a `Z` occurs, and with a single learning rate it
# would hardly change. *Adagrad* (Duchi, Hazan and Singer, 2011) uses a
# separate step size for each parameter, based on the sum of its squared
# gradients:
#
# $$\mathbf{s}_t = \mathbf{s}_{t-1} + \mathbf{g}_t^2, \qquad
# \mathbf{w}_t = \mathbf{w}_{t-1} -
# \frac{\eta}{\sqrt{\mathbf{s}_t} + \epsilon}\, \mathbf{g}_t,$$
#
# element by element, with $\mathbf{s}_0 = 0$. Parameters that were changed
# often are changed in smaller steps later. The package implements it once
# for all frameworks:

# %%
rnn.show(optimizers.Adagrad)

# %% [markdown]
# ### Exercise 4
#
# How large is the first step of a parameter with the gradient 0.002? And
# with the gradient 5? Use $\eta = 0.1$, and neglect $\epsilon$.

# %%
### BEGIN SOLUTION
first_steps = [0.1, 0.1]
### END SOLUTION


# %%
def first_step(gradient):
    """Return the first step of Adagrad for a given gradient."""
    rule = optimizers.Adagrad(min_char.LR)
    weight = np.zeros(1)
    (moved,), _ = rule.update(
        [weight], [np.array([gradient])], rule.begin([weight])
    )
    return abs(moved[0])


check(
    first_steps,
    lambda: [first_step(0.002), first_step(5.0)],
    hint="at the first step s is the square of the gradient, and its root "
    "cancels the gradient's size",
    tolerance=1e-4,
)

# %% [markdown]
# So the first step has the largest possible size for every gradient that is
# not zero. A gradient that should be 0 but is a rounding error also causes a
# step of 0.1. Therefore, two frameworks differ within a few iterations here,
# although both are right, and they generate different texts. Notebook 11
# explains this.

# %% [markdown]
# ## Training
#
# This is the recipe in ten lines: process a piece, compute the gradients,
# clip them, add their squares, update the parameters, and continue with the
# state. The training step of the package computes the same numbers.

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
# The training loop of the package does not depend on a framework:

# %%
rnn.show(min_char.train_min_char)

# %% [markdown]
# Now we train the network. From time to time it generates 200 characters
# from its current state, each of which is drawn from the predicted
# distribution and becomes the next input. Notice the order in which it
# learns: first the frequencies of letters, then the distances between
# spaces, then words and sequences that look like words.

# %%
net = new_net()
num_iterations = full_or_fast(8000, 200)
history = min_char.train_min_char(
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
# How good is a certain smooth loss? Compare it with two models that only
# count: the frequency of each character, and the frequency of each pair of
# characters. Their mean surprise per character, times 25, shows at which
# smooth loss the network has learned as much.


# %%
def surprise(contexts):
    """Return the mean surprise of the next character, by counting."""
    singles = Counter(contexts)
    pairs = Counter(zip(contexts, corpus[1:]))
    logs = [
        count * np.log(count / singles[context])
        for (context, _), count in pairs.items()
    ]
    return -sum(logs) / len(contexts)


levels = {
    "uniform guess": np.log(len(vocab)),
    "character frequencies": surprise(
        [0] * (len(corpus) - 1)
    ),  # a context that is always the same
    "frequencies of pairs": surprise(corpus[:-1]),
}
ax = plot.smooth_loss({None: history}, plot.new_axes(8, 4.8))
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
ax.set(ylabel="smooth loss, nats", ylim=(None, 1.08 * history.values[0]))
present(
    ax,
    "The smooth loss falls from that of a uniform guess towards "
    "those of the counting models.",
)

# %% [markdown]
# ### Exercise 5
#
# Notebook 3 uses *perplexity*, the exponential of the mean surprise per
# character. Which perplexity corresponds to a smooth loss of 50?

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
# ## Comparing Adagrad with gradient descent
#
# Without reports and samples, the training loop has only a few lines. The
# next cell trains new networks for a while, with Adagrad and with gradient
# descent, $\mathbf{w} \leftarrow \mathbf{w} - \eta\, \mathbf{g}$. Everything
# else is the same. The figure shows the mean loss of the last 100 pieces.

# %%
ids = np.array(corpus)
num_pieces = full_or_fast(1000, 100)


def train(optimizer, lr):
    """Return the loss of each piece, and the step with its memory."""
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
    ylim=(None, 1.2 * history.values[0]),
)
ax.legend()
present(
    ax,
    "The loss over iterations: Adagrad's, and gradient descent's "
    "at two learning rates.",
)

# %% [markdown]
# With the learning rate of Adagrad, gradient descent is slow. With ten times
# this rate it is fast at first, but a single piece of text may then undo the
# progress: where the line leaves the figure, the loss is much higher than
# that of a uniform guess. A value in between would have to be found by
# trial. Adagrad depends less on this choice, because it starts with large
# steps and reduces them where they are too large.

# %% [markdown]
# ### Exercise 6
#
# This exercise needs some research: is the recipe optimal? Find an optimizer
# ("sgd", "adagrad" or "adam") and a learning rate for which the loss of the
# last pieces is lower than with the recipe, by at least 5 nats in a full
# run. Do not change anything else.

# %%
### BEGIN SOLUTION
mine = "adam", 0.003
### END SOLUTION

# %%
margin = full_or_fast(5, 1)
check(
    lambda: bool(np.mean(train(*mine)[0][-window:]) < by_recipe - margin),
    True,
    hint="the recipe is for much longer runs; try half its learning rate, "
    "or an optimizer that forgets old gradients",
)

# %% [markdown]
# Adagrad stores $\mathbf{s}$, which has the size of the parameters. It
# determines the step size $\eta / \sqrt{\mathbf{s}}$ of each weight. The
# figure shows the median step size for each row of $\mathbf{W}_{xh}$, which
# contains the input weights of one character, against the number of
# occurrences of this character.

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
    ):  # not all letters, because labels would overlap
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
    xlabel="number of occurrences",
    ylabel="step size of its weights",
)
present(
    ax,
    "The more often a character occurs, the smaller are the "
    "steps of its weights.",
)
print(
    "the state of Adagrad has the size of the parameters:",
    sum(s.size for s in memory.values()) == size,
)

# %% [markdown]
# The rarer a character is, the larger its step size remains. A disadvantage
# is that $\mathbf{s}$ never decreases, so all step sizes become small in the
# end. Adam, which notebook 9 uses, avoids this, because old squares lose
# their weight.

# %% [markdown]
# ## Where is the surprise?
#
# The next cell uses the network from the longer training. It continues with
# the text at which training stopped, and computes the surprise of each
# character. The bars show one line of text; the legend shows means over many
# lines.
#
# It starts with the last state of the training and not with zeros. During
# training, the state was zero only once, at the beginning of the text, and
# the network has learned to work with the states that follow from there.
# From a zero state it could reach states in which its predictions are poor.

# %%
shown, num_read = 44, full_or_fast(5000, 500)
num_in_text = (len(ids) - 1) // min_char.NUM_STEPS
here = min_char.NUM_STEPS * (
    num_iterations % num_in_text
)  # the next character
ids_read = np.take(ids, range(here, here + num_read + 1), mode="wrap")
scores, state = net.evaluate(ids_read[None, :-1], history.state)  # (T, V)
scores = scores.astype(float)
scores -= scores.max(axis=1, keepdims=True)
logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
surprises = -logs[
    np.arange(num_read), ids_read[1:]
]  # of the second character, the third, ...
text = vocab.join(vocab.to_tokens(ids_read))
is_letter = np.array([letter.isalpha() for letter in text])
kinds = {
    "first letter of a word": is_letter[1:] & ~is_letter[:-1],
    "later letter": is_letter[1:] & is_letter[:-1],
    "space or punctuation": ~is_letter[1:],
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
# The dashed line is a uniform guess. The first letter of a word has more
# surprise than the later letters, and spaces have the least: the network has
# learned the typical lengths and shapes of words before it learns actual
# words. When it generates text, a higher temperature makes surprising
# characters more frequent. The samples continue the text above.

# %%
for temperature in (0.4, 0.7, 1.0):
    draw = {"temperature": temperature, "seed": 1, "state": state}
    sample = rnn.predict_ch8(text[-1], 150, net, vocab, **draw)
    print(f"temperature {temperature}:\n{sample}\n")

# %% [markdown]
# ## What to take away
#
# - One row of text, 25 characters at a time, and a state that is passed on
#   are enough to learn to generate text.
# - Clipping by value limits each gradient separately and changes the
#   direction of the update.
# - Adagrad divides by the root of the sum of all squared gradients: first
#   steps are as large as possible, and rare characters keep larger steps
#   than frequent ones.
# - A network that was trained with passed-on states may predict poorly from
#   a zero state.
# - Compare a smooth loss with others: that of a uniform guess and those of
#   models that count.
#
# **Proven in the repository**, in `tests/recipes/test_recipes.py`: one
# iteration against the recipe written out,
# `test_the_recipe_is_adagrad_on_sums_clipped_by_value`; where the smooth
# loss begins, `test_shakespeare_has_65_characters_and_begins_at_25_ln_65`;
# the progress of training, `test_the_smooth_loss_falls_below_55_on_the_way`
# and `test_the_recipe_learns_in_every_backend`; how the text is read,
# `test_the_text_is_read_in_sequences_and_then_from_the_start`, and how
# samples are generated, `test_samples_continue_from_the_state_of_the_text`.
# Clipping: `test_gradients_are_clipped_value_by_value` in
# `tests/training/test_training.py`. Adagrad:
# `test_adagrad_divides_by_the_root_of_all_squares` and
# `test_a_hundred_steps_equal_those_of_the_reference` in
# `tests/nets/test_optimizers.py`.
