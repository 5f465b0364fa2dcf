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
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/d2lrnn/d2lrnn/blob/main/notebooks/12-from-textbook-to-fast.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/d2lrnn/d2lrnn/blob/main/notebooks/12-from-textbook-to-fast.ipynb)
#
# # 12. From textbook to faster than the library
#
# The textbook writes a recurrent network as a loop over time, one line for
# each equation. That is the form to understand, and not the form to wait
# for. This notebook takes it to the form that the package trains with, in
# four steps. Each computes the same numbers, and each says something about
# where a computer's time goes. At the end the result is held against the
# framework's own layer, and against what no program can fall below.
#
# It starts from sections 9.5 and 9.6 of *Dive into Deep Learning*, with its
# notation. Notebooks 3 to 5 come before: the network, the framework's layer,
# and the gradient by hand.

# %%
import importlib.util

if importlib.util.find_spec("d2lrnn") is None:
    # %pip install -q "d2lrnn[torch] @ git+https://github.com/d2lrnn/d2lrnn"
    importlib.invalidate_caches()

# %%
import numpy as np

from d2lrnn import backends, plot
from d2lrnn.measure import ladder, speed
from d2lrnn.numpy import fused
from d2lrnn.teaching import check, full_or_fast, present

# Before any framework: float64 in JAX, less talk from TensorFlow.
backends.prepare()
plot.use_style()

# %% [markdown]
# Everything below runs on any of five backends. Edit this line, and nothing
# else, to choose one.

# %%
from d2lrnn import torch as rnn  # or tensorflow, jax, mxnet, numpy

# %% [markdown]
# ## Five forms of one network
#
# These are the forms on the way. (NumPy has three of them: it differentiates
# nothing by itself, so that all of its gradients are by hand.)

# %%
name = rnn.__name__.rpartition(".")[2]
forms = ladder.ladder(rnn)
for form in forms:
    print(f"{form.name:12} {form.change}")

# %% [markdown]
# First, that they are one network. With the same weights, which scores do
# they give, and what are the weights after a step of training?

# %%
V, h, n, T = 12, 16, 4, 9
X, Y = np.random.default_rng(0).integers(V, size=(2, n, T))


def compute(form):
    """Return scores, loss, and weights after a step, as one long array."""
    functions = rnn.get_params, rnn.init_rnn_state, form.forward_fn
    net = rnn.RNNModelScratch(V, h, *functions, seed=0, dtype="float64")
    net.load_arrays(
        [20 * array for array in net.arrays()]
    )  # so that states are not all near 0
    scores, _ = net.evaluate(X, net.begin_state(n))
    loss, _ = net.make_step(1.0)(X, Y, net.begin_state(n))
    return np.concatenate(
        [scores.ravel(), [loss], *[array.ravel() for array in net.arrays()]]
    )


first = compute(forms[0])
for form in forms[1:]:
    gap = np.abs(compute(form) - first).max()
    print(f"{form.name:12} the same within rounding: {gap < 1e-12}")

# %% [markdown]
# ## What there is to do
#
# Nearly all the arithmetic is in matrix products. For $n$ rows, $T$ steps,
# $h$ hidden units and $V = |\mathcal{V}|$ tokens, going forward takes
#
# | product | shapes | how often | multiplications |
# | --- | --- | --- | --- |
# | $\mathbf{X}_t \mathbf{W}_{xh}$ | $(n, V)(V, h)$ | $T$ | $T n V h$ |
# | $\mathbf{H}_{t-1} \mathbf{W}_{hh}$ | $(n, h)(h, h)$ | $T$ | $T n h^2$ |
# | $\mathbf{H}_t \mathbf{W}_{hq}$ | $(n, h)(h, V)$ | $T$ | $T n h V$ |

# %%
sizes = {"characters": speed.SIZES["h256"], "words": speed.SIZES["words"]}
ax = plot.new_axes(8, 4.8)
for number, size in enumerate(sizes.values()):
    V, h, rows = (
        size.vocab_size,
        size.num_hiddens,
        size.batch_size * size.num_steps,
    )
    counts = [rows * V * h, rows * h * h, rows * h * V]
    label = f"{list(sizes)[number]}: $V$ = {V}, $h$ = {h}"
    colour = plot.COLOURS[number]
    ax.bar(
        np.arange(3) + 0.4 * number - 0.2,
        counts,
        0.4,
        color=colour,
        label=label,
    )
ax.set(yscale="log", ylabel="multiplications forward", ylim=(1e6, 1e11))
ax.set_xticks(range(3), ["input", "recurrence", "output"])
ax.legend()
present(
    ax,
    "The recurrence needs most with characters, input and output "
    "need most with words.",
)

# %% [markdown]
# ### Exercise 1
#
# At which number of hidden units does the recurrence take as many
# multiplications as input and output together, if there are 28 tokens?

# %%
### BEGIN SOLUTION
balanced = 2 * 28
### END SOLUTION

# %%
check(
    balanced,
    lambda: next(h for h in range(1, 999) if h * h == 28 * h + h * 28),
    hint="divide all three rows of the table by T n h",
)

# %% [markdown]
# ### Exercise 2
#
# How many multiplications does the *recurrent* weight matrix take in a whole
# training step, forward and back, with $n = 32$, $T = 35$ and $h = 256$?
# Going back there are two products for each forward: what goes on to the
# step before, and the gradient of $\mathbf{W}_{hh}$.

# %%
### BEGIN SOLUTION
multiplications = 3 * 35 * 32 * 256**2
### END SOLUTION

# %%
recurrent = speed.products("rnn", speed.SIZES["h256"])[
    :3
]  # left shape, right shape, how often
check(
    multiplications,
    sum(
        times * left[0] * left[1] * right[1]
        for left, right, times in recurrent
    ),
    hint="forward it is T n h²; each of the two products back has as many",
)

# %% [markdown]
# But multiplications are not all. Each call of the framework costs time
# before it multiplies anything, and very small matrices leave much of the
# processor idle. Here is one product of 1,120 rows, cut into more and more
# pieces: as many multiplications each time, and 35 pieces are what a loop
# over 35 steps makes of it. (All times in this notebook are taken in turn,
# round after round; what is drawn are ratios of medians. They are those of
# one machine, and differ on yours.)

# %%
pieces = [1, 5, 7, 35, 140]
num_rows = full_or_fast(1120, 140)


def cut(width):
    """Return the time of a product cut into pieces; one piece takes 1."""
    numbers = (
        np.random.default_rng(0)
        .standard_normal((num_rows, width))
        .astype("float32")
    )
    matrix = (
        np.random.default_rng(1)
        .standard_normal((width, width))
        .astype("float32")
    )
    runs = {
        times: speed.baselines(name).multiply(
            [(numbers.reshape(times, -1, width), matrix)]
        )
        for times in pieces
    }
    seconds = speed.medians(runs, rounds=full_or_fast(31, 3))
    return [seconds[times] / seconds[1] for times in pieces]


ax = plot.new_axes(8, 4.8)
for number, width in enumerate((32, 256)):
    label = f"matrix of {width} \u00d7 {width}"
    ax.plot(
        pieces,
        cut(width),
        label=label,
        marker="o",
        **plot.line_style(number),
    )
ax.axhline(1, color="black", linewidth=1.5)
ax.set(
    xscale="log",
    xlabel="pieces",
    ylabel="time, one piece = 1",
    ylim=(0, None),
)
ax.set_xticks(pieces, pieces)
ax.minorticks_off()
ax.legend()
present(
    ax,
    "The time of one and the same product, cut into 1 to 140 "
    "pieces, for two sizes.",
)

# %% [markdown]
# With the large matrix, pieces of 32 rows are work enough, and cutting costs
# little. With the small one the calls are most of it. So what there is to
# gain depends on the size of the network, and should be measured before it
# is believed.

# %% [markdown]
# ## Step 0: everything in the loop
#
# This is how the equations read, one step after the other: the one-hot row
# times $\mathbf{W}_{xh}$, the recurrence, the output.


# %%
def textbook(ids, H, params):
    """Return the outputs (T * n, V) for ids (T, n), as the equations go."""
    W_xh, W_hh, b_h, W_hq, b_q = params
    outputs = []
    for X in np.eye(len(W_xh))[ids]:  # X: (n, V), one row for each id
        H = np.tanh(X @ W_xh + H @ W_hh + b_h)
        outputs.append(H @ W_hq + b_q)
    return np.concatenate(outputs)


functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn_fused
net = rnn.RNNModelScratch(12, 16, *functions, seed=0, dtype="float64")
found = textbook(X.T, np.zeros((len(X), 16)), net.arrays())
expected, _ = net.evaluate(X, net.begin_state(len(X)))
print("what the fastest form gives as well:", np.allclose(found, expected))

# %% [markdown]
# And here is the first form of the package. (In it, `ops` has what differs
# between backends, such as `ops.unroll`, the loop over time. NumPy begins at
# step 1.)

# %%
rnn.show(forms[0].forward_fn)

# %% [markdown]
# ## Step 1: the output layer once
#
# Nothing in the recurrence waits for the outputs. So collect the states
# first,
#
# $$\begin{bmatrix} \mathbf{O}_1 \\ \vdots \\ \mathbf{O}_T \end{bmatrix} =
# \begin{bmatrix} \mathbf{H}_1 \\ \vdots \\ \mathbf{H}_T \end{bmatrix}
# \mathbf{W}_{hq} +
# \mathbf{b}_q,$$
#
# and $T$ products of $n$ rows become one of $T n$ rows. This is the form of
# `rnn.rnn`, which the other notebooks read:

# %%
rnn.show(rnn.rnn, helpers=True)

# %% [markdown]
# ## Step 2: the inputs' product once
#
# The inputs do not wait for anything either: all of them are known before
# the loop begins. Let $\mathbf{A}_t = \mathbf{X}_t \mathbf{W}_{xh} +
# \mathbf{b}_h$, which is again one product for all $t$. What is left in the
# loop is
#
# $$\mathbf{H}_t = \tanh(\mathbf{A}_t + \mathbf{H}_{t-1} \mathbf{W}_{hh}).$$
#
# Only this must be done in order: $\mathbf{H}_t$ needs $\mathbf{H}_{t-1}$,
# and no trick gets round that.

# %% [markdown]
# ## Step 3: a look-up for a product
#
# A one-hot row has a single 1. Its product with $\mathbf{W}_{xh}$ multiplies
# everything else by 0, adds that up, and ends with a row of
# $\mathbf{W}_{xh}$, as it is. So hand over the ids, and take the rows. Of
# the $T n V h$ multiplications none is left. Going back, the gradient of
# each row is the sum over the places where it was taken.

# %% [markdown]
# ### Exercise 3
#
# Write it in NumPy, for ids of shape $(T, n)$.


# %%
def input_part(ids, W_xh, b_h):
    """Return X W_xh + b_h (T, n, h) for the one-hot rows X of ids (T, n).

    There is no product in it.
    """
    ### BEGIN SOLUTION
    return W_xh[ids] + b_h
    ### END SOLUTION


# %%
rng = np.random.default_rng(2)
ids, W_xh, b_h = (
    rng.integers(6, size=(5, 3)),
    rng.standard_normal((6, 4)),
    rng.standard_normal(4),
)
check(
    lambda: input_part(ids, W_xh, b_h),
    lambda: (
        rnn.to_numpy(
            rnn.one_hot(ids, 6, dtype="float64") @ rnn.from_numpy(W_xh)
        )
        + b_h
    ),
    hint="an array of ids as an index, W_xh[ids], takes a row "
    "for each of them",
)

# %% [markdown]
# NumPy's version of both steps shows all that there is to it:

# %%
rnn.show(fused.input_product)

# %% [markdown]
# ## Step 4: the gradient by hand
#
# Automatic differentiation goes back through the loop as it was run, and
# adds to the gradient of $\mathbf{W}_{hh}$ at every step. With the gradient
# $\mathbf{D}_t$ of what tanh is taken of,
#
# $$\mathbf{D}_t = \frac{\partial L}{\partial \mathbf{H}_t} \odot
# (1 - \mathbf{H}_t \odot \mathbf{H}_t), \qquad
# \frac{\partial L}{\partial \mathbf{W}_{hh}} = \sum_{t=1}^T
# \mathbf{H}_{t-1}^\top \mathbf{D}_t,$$
#
# where $\partial L / \partial \mathbf{H}_t$ is what comes from the output
# plus $\mathbf{D}_{t+1} \mathbf{W}_{hh}^\top$. That sum, once more, is one
# product: of all states on top of each other and all $\mathbf{D}_t$ on top
# of each other. It waits for nothing but the end of the loop. Moreover, no
# history of the loop needs to be written down, as the states are all that
# the way back needs.

# %% [markdown]
# ### Exercise 4
#
# Write the sum over time as one product.


# %%
def weight_gradient(Hs, Ds):
    """Return the sum over t of Hs[t].T @ Ds[t], both (T, n, h), at once."""
    ### BEGIN SOLUTION
    num_hiddens = Hs.shape[-1]
    return Hs.reshape(-1, num_hiddens).T @ Ds.reshape(-1, num_hiddens)
    ### END SOLUTION


# %%
Hs, Ds = rng.standard_normal((2, 5, 3, 4))
check(
    lambda: weight_gradient(Hs, Ds),
    sum(H.T @ D for H, D in zip(Hs, Ds)),
    hint="reshape both to (T * n, h): the product's sum runs over rows, "
    "which are t and n together",
)

# %% [markdown]
# ### Exercise 5
#
# A larger one: write the loop back in full. From the gradients
# $\mathbf{E}_t$ that arrive at the states from the outputs, and the states
# $\mathbf{H}_1, \ldots, \mathbf{H}_T$, make all $\mathbf{D}_t$. Nothing
# comes from behind the last step.


# %%
def way_back(Es, Hs, W_hh):
    """Return Ds (T, n, h) for Es and Hs (T, n, h)."""
    ### BEGIN SOLUTION
    Ds, from_behind = np.zeros_like(Hs), np.zeros_like(Hs[0])
    for t in reversed(range(len(Hs))):
        Ds[t] = (Es[t] + from_behind) * (1 - Hs[t] ** 2)
        from_behind = Ds[t] @ W_hh.T
    return Ds
    ### END SOLUTION


# %%
A, Es = rng.standard_normal((2, 5, 3, 4))
W_hh, nothing = rng.standard_normal((4, 4)), np.zeros((3, 4))
Hs, _, back = fused.rnn_recurrence([A], (nothing,), W_hh)
(Ds,), _, _ = back(Es, (nothing,))
check(
    lambda: way_back(Es, Hs[1:], W_hh),
    Ds,
    hint="go from the last step to the first; D at a step needs what D at "
    "the step after it hands on, times the transposed W_hh",
)

# %% [markdown]
# Here are the loop forward and the loop back, in NumPy, where nothing is
# hidden, and then the whole cell of the chosen backend.

# %%
rnn.show(fused.rnn_recurrence)

# %%
rnn.show(rnn.rnn_fused, helpers=True)

# %% [markdown]
# ## What each step is worth
#
# A training step with each form, in turn: forward, loss, back, clipping,
# update. The lines are how many times as fast as the first form each is, for
# the network of 256 hidden units that the other notebooks train, and for a
# tiny one of 8, whose time is nearly all calls.

# %%
found = {
    "tiny": ladder.speed_ups(rnn, size="tiny", rounds=full_or_fast(31, 3))
}
if full_or_fast(True, False):
    found["256 units"] = ladder.speed_ups(rnn, size="h256", rounds=15)
ax = plot.speed_ups(found, plot.new_axes(9, 5))
ax.margins(x=0.08)
present(
    ax,
    "The speed of each form, as a multiple of the first "
    "one's, for two sizes.",
)

# %% [markdown]
# Steps 1 and 2 save calls and no multiplications, and so show where matrices
# are small. The look-up saves multiplications too, and more of them going
# back. The gradient by hand saves most of the calls of the way back, where a
# framework runs each operation as it comes (NumPy, PyTorch, MXNet). But it
# has a price too: those calls are made by Python, where a framework's own
# way back needs no Python at all. So it may lose in the tiny network, whose
# time is nearly all calls, and win in the larger one. A framework that
# compiles the training step (TensorFlow, JAX) sees the loop as a whole, and
# does some of this by itself: there, a step may bring nothing, or less than
# nothing.
#
# With 28 characters the product that the look-up replaces is small. With a
# vocabulary of words it is another matter:

# %%
words = full_or_fast("words", "tiny")
row = speed.measure(name, "input", words, rounds=full_or_fast(7, 2))
ax = plot.new_axes(8, 3)
ax.barh(
    ["one-hot product", "look-up"],
    [row.ratio("one-hot"), 1],
    color=plot.COLOURS[:2],
)
ax.set(xlabel="time of the input layer, forward and back, look-up = 1")
present(ax, "Time of the input layer with one-hot rows and with a look-up.")

# %% [markdown]
# ## The library, and the floor
#
# The framework has a layer of its own for this, often written in C++ and
# with the same ideas in it. The *floor* is something else: the matrix
# products of the fused training step, and nothing else, by the framework's
# own product. No form that multiplies like this can take less time. A kernel
# that multiplies by another library can: PyTorch's LSTM does, on some
# processors.

# %%
cells_to_time = ["rnn", "lstm"] if full_or_fast(True, False) else ["rnn"]
size = full_or_fast("h256", "tiny")
rows = [
    speed.measure(name, cell, size, rounds=full_or_fast(11, 2))
    for cell in cells_to_time
]
kinds = {
    "textbook": "textbook",
    "layer": "own layer",
    "fused": "fused",
    "floor": "floor",
}
ax = plot.new_axes(8, 4.8)
for number, (kind, label) in enumerate(kinds.items()):
    heights = [row.ratio(kind) or 0 for row in rows]
    places = np.arange(len(rows)) + 0.2 * number - 0.3
    bars = ax.bar(
        places, heights, 0.2, color=plot.COLOURS[number], label=label
    )
    ax.bar_label(
        bars, [f"{height:.1f}" if height else "none" for height in heights]
    )
ax.axhline(1, color="black", linewidth=1.5)
ax.set_xticks(range(len(rows)), [row.cell for row in rows])
ax.set(ylabel="time, fused = 1")
ax.margins(y=0.2)
ax.legend(
    ncols=4, loc="upper center", bbox_to_anchor=(0.5, 1.16), columnspacing=1
)
present(
    ax,
    "Times of textbook, own layer, fused form and floor, with "
    "the fused form as 1.",
)

# %% [markdown]
# Bars above the line take longer than the fused form. For this recurrent
# network the framework's own layer often is one of them: it does not know
# that its inputs are one-hot. But it depends on cell, size, framework,
# version and machine. A layer that runs its whole loop in C++ has no Python
# in it, which a few lines of Python cannot always catch up with; where they
# do not, as in PyTorch's LSTM, the fused form hands its parameters to that
# same loop. The command `d2lrnn bench` measures all of it, on your machine.

# %% [markdown]
# ### Exercise 6
#
# Of a training step, 40% is matrix products that no one can make faster. All
# else could be made ten times as fast, with a great deal of work. How many
# times as fast does the step become? And if all else took no time at all?

# %%
### BEGIN SOLUTION
speed_ups = [1 / (0.4 + 0.6 / 10), 1 / 0.4]
### END SOLUTION

# %%
check(
    speed_ups,
    lambda: [100 / (40 + 60 / faster) for faster in (10, np.inf)],
    hint="what took 1 takes 0.4 plus what is left of 0.6",
)

# %% [markdown]
# ## What to take away
#
# - What does not depend on the step before does not belong into the loop:
#   outputs, inputs, and the gradients of weights.
# - One large product saves the calls of many small ones. That matters where
#   the small ones are small.
# - A one-hot row times a matrix is a row of it; look it up.
# - Before making something faster, find its floor: it says how much there is
#   to gain.
# - Every step was checked against the one before. Fast and wrong is easy.
#
# **Proven in the repository.** That the forms are one network, with its
# gradients, and that speeds are ratios:
# `test_all_forms_have_the_textbooks_outputs_and_gradients` and
# `test_speed_ups_are_ratios_to_the_first_form_and_are_drawn` in
# `tests/measure/test_steps.py`. The fused cells:
# `test_a_fused_cell_agrees_with_the_float64_reference`,
# `test_ids_mean_their_one_hot_rows` and
# `test_a_fused_model_learns_as_its_twin_does` in `tests/nets/test_fused.py`.
# The benchmark:
# `test_all_contenders_are_timed_and_start_from_the_same_loss`,
# `test_contenders_that_disagree_are_refused` and
# `test_the_floor_has_as_many_multiplications_as_the_equations` in
# `tests/measure/test_bench.py`. Nothing there says how fast: a machine's
# speed proves nothing.
