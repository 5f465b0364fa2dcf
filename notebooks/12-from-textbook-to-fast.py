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
# In a textbook, a recurrent network is a loop over time with one line for
# each equation. This form is easy to understand but slow. This notebook
# converts it in four steps to the form that the package uses for training.
# All forms compute the same numbers, and each step shows what takes time in
# a computer. At the end, the result is compared with the framework's own
# layer, and with a lower bound for the time.
#
# The notebook starts from sections 9.5 and 9.6 of *Dive into Deep Learning*
# and uses their notation. You should know notebooks 3 to 5: the network, the
# framework's layer, and the gradient by hand.

# %%
import importlib.util

if importlib.util.find_spec("d2lrnn") is None:
    # %pip install -q "d2lrnn[torch] @ git+https://github.com/d2lrnn/d2lrnn"
    importlib.invalidate_caches()

# %%
import numpy as np

from d2lrnn import backends, plot
from d2lrnn.measure import speed
from d2lrnn.measure.forms import all_forms, speed_ups
from d2lrnn.numpy import fused
from d2lrnn.teaching import check, full_or_fast, present

# Before any import of a framework: float64 in JAX, fewer messages.
backends.prepare()
plot.use_style()

# %% [markdown]
# This notebook runs on any of five backends. To choose one, edit only the
# following line.

# %%
from d2lrnn import torch as rnn  # or tensorflow, jax, mxnet, numpy

# %% [markdown]
# ## Five forms of one network
#
# These are the five forms. (NumPy has only three of them: it does not have
# automatic differentiation, so all of its gradients are written by hand.)

# %%
name = rnn.__name__.rpartition(".")[2]
forms = all_forms(rnn)
for form in forms:
    print(f"{form.name:12} {form.change}")

# %% [markdown]
# First, we verify that they are the same network: with the same weights,
# they must have the same scores, and the same weights after one training
# step.

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
    print(f"{form.name:12} equal up to rounding: {gap < 1e-12}")

# %% [markdown]
# ## Counting multiplications
#
# Nearly all arithmetic operations are in matrix products. For $n$ rows, $T$
# steps, $h$ hidden units and $V = |\mathcal{V}|$ tokens, the forward pass
# has these products:
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
    "With characters the recurrence needs most multiplications; with "
    "words input and output do.",
)

# %% [markdown]
# ### Exercise 1
#
# There are 28 tokens. For which number of hidden units does the recurrence
# need as many multiplications as input and output together?

# %%
### BEGIN SOLUTION
balanced = 2 * 28
### END SOLUTION

# %%
check(
    balanced,
    lambda: next(h for h in range(1, 999) if h * h == 28 * h + h * 28),
    hint="divide the three rows of the table by T n h",
)

# %% [markdown]
# ### Exercise 2
#
# How many multiplications with the *recurrent* weight matrix are there in a
# whole training step, forward and backward, for $n = 32$, $T = 35$ and $h =
# 256$? In the backward pass, there are two products for each product of the
# forward pass: one for the gradient of the previous state, and one for the
# gradient of $\mathbf{W}_{hh}$.

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
    hint="T n h² in the forward pass, and twice that in the backward pass",
)

# %% [markdown]
# But the number of multiplications does not determine the time alone. Each
# call of a framework has a fixed cost, and very small matrices do not use
# the processor fully. The next cell computes a product with 1,120 rows,
# divided into more and more pieces. The number of multiplications remains
# the same, and 35 pieces correspond to a loop over 35 steps. (All times in
# this notebook are measured in turn, in several rounds. The figures show
# ratios of medians. They are for one machine, and will differ on yours.)

# %%
pieces = [1, 5, 7, 35, 140]
num_rows = full_or_fast(1120, 140)


def cut(width):
    """Return the time of a product in pieces, relative to one piece."""
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
    "The time of the same product, divided into 1 to 140 "
    "pieces, for two sizes.",
)

# %% [markdown]
# With the large matrix, pieces of 32 rows are large enough, and dividing the
# product costs little. With the small matrix, most of the time is spent on
# the calls. So the possible gain depends on the size of the network, and
# should be measured.

# %% [markdown]
# ## Step 0: everything in the loop
#
# This is the direct translation of the equations, one time step after
# another: the one-hot row times $\mathbf{W}_{xh}$, the recurrence, and the
# output.


# %%
def textbook(ids, H, params):
    """Return the outputs (T * n, V) for ids (T, n), step by step."""
    W_xh, W_hh, b_h, W_hq, b_q = params
    outputs = []
    for X in np.eye(len(W_xh))[ids]:  # X: (n, V), one row for each id
        H = np.tanh(X @ W_xh + H @ W_hh + b_h)
        outputs.append(H @ W_hq + b_q)
    return np.concatenate(outputs)


functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn_fused
net = rnn.RNNModelScratch(12, 16, *functions, seed=0, dtype="float64")
outputs_by_hand = textbook(X.T, np.zeros((len(X), 16)), net.arrays())
expected, _ = net.evaluate(X, net.begin_state(len(X)))
print("equal to the fastest form:", np.allclose(outputs_by_hand, expected))

# %% [markdown]
# This is the first form in the package. (`ops` contains the operations that
# differ between backends, such as `ops.unroll`, the loop over time. The
# forms of NumPy begin with step 1.)

# %%
rnn.show(forms[0].forward_fn)

# %% [markdown]
# ## Step 1: the output layer once
#
# The recurrence does not use the outputs. So the loop can collect the
# states, and after the loop,
#
# $$\begin{bmatrix} \mathbf{O}_1 \\ \vdots \\ \mathbf{O}_T \end{bmatrix} =
# \begin{bmatrix} \mathbf{H}_1 \\ \vdots \\ \mathbf{H}_T \end{bmatrix}
# \mathbf{W}_{hq} +
# \mathbf{b}_q,$$
#
# is one product of $T n$ rows instead of $T$ products of $n$ rows. This is
# the form of `rnn.rnn`, which the other notebooks use:

# %%
rnn.show(rnn.rnn, helpers=True)

# %% [markdown]
# ## Step 2: the product of the inputs once
#
# The inputs do not depend on the states: all of them are known before the
# loop. Let $\mathbf{A}_t = \mathbf{X}_t \mathbf{W}_{xh} + \mathbf{b}_h$,
# which is also one product for all $t$. Only this equation remains in the
# loop:
#
# $$\mathbf{H}_t = \tanh(\mathbf{A}_t + \mathbf{H}_{t-1} \mathbf{W}_{hh}).$$
#
# It must be computed in order, because $\mathbf{H}_t$ depends on
# $\mathbf{H}_{t-1}$.

# %% [markdown]
# ## Step 3: a lookup instead of a product
#
# A one-hot row contains a single 1. Its product with $\mathbf{W}_{xh}$
# multiplies all other rows by 0, adds the results, and returns one unchanged
# row of $\mathbf{W}_{xh}$. So it is sufficient to select the row with the
# id, which needs none of the $T n V h$ multiplications. In the backward
# pass, the gradient of each row is the sum over all positions at which it
# was selected.

# %% [markdown]
# ### Exercise 3
#
# Implement it in NumPy, for ids of shape $(T, n)$.


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
    hint="with an array of ids as index, W_xh[ids] has one row "
    "for each of them",
)

# %% [markdown]
# The NumPy version contains both steps:

# %%
rnn.show(fused.input_product)

# %% [markdown]
# ## Step 4: the gradient by hand
#
# Automatic differentiation follows the loop backward, and adds a term to the
# gradient of $\mathbf{W}_{hh}$ at every step. Let $\mathbf{D}_t$ be the
# gradient with respect to the argument of tanh,
#
# $$\mathbf{D}_t = \frac{\partial L}{\partial \mathbf{H}_t} \odot
# (1 - \mathbf{H}_t \odot \mathbf{H}_t), \qquad
# \frac{\partial L}{\partial \mathbf{W}_{hh}} = \sum_{t=1}^T
# \mathbf{H}_{t-1}^\top \mathbf{D}_t,$$
#
# where $\partial L / \partial \mathbf{H}_t$ is the gradient from the output
# plus $\mathbf{D}_{t+1} \mathbf{W}_{hh}^\top$. This sum is also one product,
# of all states and all $\mathbf{D}_t$ concatenated over time, and can be
# computed after the loop. Moreover, the operations of the loop need not be
# recorded, because the backward pass only needs the states.

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
    hint="reshape both to (T * n, h): the product sums over rows, "
    "which are t and n together",
)

# %% [markdown]
# ### Exercise 5
#
# This exercise is longer: write the complete backward loop. The inputs are
# the gradients $\mathbf{E}_t$ of the states from the outputs, and the states
# $\mathbf{H}_1, \ldots, \mathbf{H}_T$. Compute all $\mathbf{D}_t$. There is
# no gradient from after the last step.


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
    hint="loop from the last step to the first; D at a step needs D at "
    "the next step, times the transposed W_hh",
)

# %% [markdown]
# The next cells show the forward and the backward loop in NumPy, and then
# the complete cell of the chosen backend.

# %%
rnn.show(fused.rnn_recurrence)

# %%
rnn.show(rnn.rnn_fused, helpers=True)

# %% [markdown]
# ## The gain of each step
#
# The next cell measures a training step with each form in turn: forward
# pass, loss, backward pass, clipping and update. The lines show how much
# faster than the first form each form is, for the network of 256 hidden
# units that the other notebooks use, and for a tiny one of 8 units, whose
# time is mostly the fixed cost of calls.

# %%
speeds = {"tiny": speed_ups(rnn, size="tiny", rounds=full_or_fast(31, 3))}
if full_or_fast(True, False):
    speeds["256 units"] = speed_ups(rnn, size="h256", rounds=15)
ax = plot.speed_ups(speeds, plot.new_axes(9, 5))
ax.margins(x=0.08)
present(
    ax,
    "The speed of each form, relative to the first form, for two sizes.",
)

# %% [markdown]
# Steps 1 and 2 reduce the number of calls but not the number of
# multiplications, so their gain is largest for small matrices. The lookup
# also reduces the multiplications, especially in the backward pass. The
# gradient by hand avoids most calls of the backward pass, in frameworks that
# execute operations one by one (NumPy, PyTorch, MXNet). But it has a cost:
# its own calls are made from Python, and a framework's automatic backward
# pass does not use Python. So it can be slower for the tiny network and
# faster for the larger one. A framework that compiles the training step
# (TensorFlow, JAX) analyses the whole loop and does some of these changes
# itself. There, a step may have no effect, or make training slower.
#
# With 28 characters, the product that the lookup replaces is small. With a
# vocabulary of words, it is large:

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
present(ax, "Time of the input layer with one-hot rows and with a lookup.")

# %% [markdown]
# ## The framework's layer, and a lower bound
#
# The framework's own layer is often written in C++ and uses the same ideas.
# The *lower bound*, called *floor* in the figure, is the time of the matrix
# products of the fused training step alone, computed with the framework's
# product. No form with these products can be faster. A kernel that uses
# another library for its products can: PyTorch's LSTM does so on some
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
    "Times of textbook, own layer, fused form and products, with "
    "the fused form as 1.",
)

# %% [markdown]
# Bars above the line take longer than the fused form. For this recurrent
# network, the framework's own layer is often one of them, because it
# multiplies by one-hot inputs. But the result depends on the cell, the size,
# the framework, the version and the machine. A layer whose whole loop is in
# C++ does not use Python, which a few lines of Python cannot always match.
# In such a case, as for PyTorch's LSTM, the fused form calls the loop of the
# framework with the parameters of the network. The command `d2lrnn bench`
# measures all of this on your machine.

# %% [markdown]
# ### Exercise 6
#
# In a training step, 40% of the time is spent on matrix products that cannot
# be made faster. With much work, everything else could be made ten times as
# fast. By which factor does the whole step become faster? And if everything
# else took no time at all?

# %%
### BEGIN SOLUTION
factors = [1 / (0.4 + 0.6 / 10), 1 / 0.4]
### END SOLUTION

# %%
check(
    factors,
    lambda: [100 / (40 + 60 / faster) for faster in (10, np.inf)],
    hint="the time is 0.4 plus the rest of 0.6, relative to 1",
)

# %% [markdown]
# ## What to take away
#
# - Move computations that do not depend on the previous step out of the
#   loop: outputs, inputs, and the gradients of weights.
# - One large product avoids the calls of many small ones. This matters if
#   the small products are small enough.
# - A one-hot row times a matrix is a row of the matrix. Use a lookup.
# - Before you make something faster, compute a lower bound for its time,
#   which shows how much can be gained.
# - Every step was compared with the previous one. A fast program that
#   computes wrong results is useless.
#
# **Proven in the repository.** All forms are one network with the same
# gradients, and speeds are ratios:
# `test_all_forms_have_the_textbooks_outputs_and_gradients` and
# `test_speed_ups_are_ratios_to_the_first_form_and_are_drawn` in
# `tests/measure/test_steps.py`. The fused cells:
# `test_a_fused_cell_agrees_with_the_float64_reference`,
# `test_ids_are_equivalent_to_their_one_hot_rows` and
# `test_a_fused_model_learns_like_the_plain_model` in
# `tests/nets/test_fused.py`. The benchmark:
# `test_all_contenders_are_timed_and_start_from_the_same_loss`,
# `test_contenders_that_disagree_are_refused` and
# `test_the_products_of_a_step_have_the_multiplications_of_the_equations` in
# `tests/measure/test_bench.py`. These tests do not check times, because
# times depend on the machine.
