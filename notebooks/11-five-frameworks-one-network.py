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
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/d2lrnn/d2lrnn/blob/main/notebooks/11-five-frameworks-one-network.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/d2lrnn/d2lrnn/blob/main/notebooks/11-five-frameworks-one-network.ipynb)
#
# # 11. Five frameworks, one network
#
# Do NumPy, PyTorch, TensorFlow, JAX and MXNet compute the same numbers, for
# the same network, the same seed and the same text? Almost. This notebook
# shows how small the differences are, what causes them, why they can grow
# during training, and how they can be distinguished from a mistake.
#
# It uses the network of section 9.5 of *Dive into Deep Learning*, which the
# book implements in several frameworks. Notebook 3 explains the network.
# This notebook uses all frameworks that are installed, and shows most if all
# five are: `pip install ".[all]"`.

# %%
import importlib.util

if importlib.util.find_spec("d2lrnn") is None:
    # %pip install -q "d2lrnn[torch] @ git+https://github.com/d2lrnn/d2lrnn"
    importlib.invalidate_caches()

# %%
import functools
import math

import numpy as np

from d2lrnn import backends, plot
from d2lrnn.measure import agreement
from d2lrnn.nets import cells, first_values
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
# The other backends are imported by name. NumPy is always installed. Its
# gradients are written by hand, and in float64 it is the reference with
# which all others are compared.

# %%
frameworks = {name: backends.load(name) for name in backends.available()}
reference = frameworks["numpy"]
styles = {
    name: plot.line_style(number)
    for number, name in enumerate(backends.BACKENDS)
}
markers = dict(zip(backends.BACKENDS, "osDv^"))
print("installed:", ", ".join(frameworks))
print("chosen:", rnn.__name__.rpartition(".")[2])

# %% [markdown]
# ## The same seed does not always give the same numbers
#
# Each framework has its own random number generator and its own rule for the
# initial weights of its layers. So the same seed gives different networks in
# different frameworks. For this reason, the package draws the initial
# weights with NumPy in float64, and then converts them for each framework.

# %%
rnn.show(first_values.draw)

# %% [markdown]
# The figure shows the first weights of $\mathbf{W}_{hh}$, all with seed 0:
# on the left those of the frameworks' own layers (NumPy does not have any),
# and on the right those of the networks from scratch.

# %%
num_shown = 12
axes = plot.new_axes(11, 4.8, columns=2)
for number, (name, framework) in enumerate(frameworks.items()):
    W_hh = {
        "from scratch": framework.to_numpy(
            framework.get_params(28, 32, seed=0)[1]
        )
    }
    if hasattr(framework, "RNNModel"):  # NumPy does not have layers
        layer = framework.RNN(28, 32, seed=0)
        W_hh["the framework's own layer"] = framework.RNNModel(
            layer, 28, seed=0
        ).arrays()[1]
    for title, ax in zip(
        ["the framework's own layer", "from scratch"], axes
    ):
        if title in W_hh:
            values = W_hh[title].ravel()[:num_shown] / W_hh[title].std()
            on_top = {
                "linewidth": 3 * (len(frameworks) - number),
                "linestyle": "-",
            }
            look = styles[name] | (on_top if title == "from scratch" else {})
            ax.plot(range(1, num_shown + 1), values, label=name, **look)
        ax.set(
            title=title, xlabel="weight of $W_{hh}$, number", ylim=(-3, 5)
        )
axes[0].set_ylabel("in standard deviations")
axes[1].legend(ncols=2, loc="upper center")
present(
    axes,
    "Layers of the frameworks start with different weights, networks "
    "from scratch with equal weights.",
)

# %%
first = [
    reference.to_numpy(param)
    for param in reference.get_params(28, 32, seed=0)
]
for name, framework in frameworks.items():
    params = framework.get_params(28, 32, seed=0)
    same = all(
        (framework.to_numpy(param) == W).all()
        for param, W in zip(params, first)
    )
    print(f"{name}: all bits of the initial weights equal NumPy's: {same}")

# %% [markdown]
# ## One forward pass and one backward pass
#
# Now every framework solves the same problem. Random inputs $\mathbf{X}_1,
# \dots, \mathbf{X}_T$ are processed by the network,
#
# $$
# \begin{aligned}
# \mathbf{H}_t &= \tanh(
#     \mathbf{X}_t \mathbf{W}_{xh} + \mathbf{H}_{t-1} \mathbf{W}_{hh} +
#     \mathbf{b}_h), \\
# \mathbf{O}_t &= \mathbf{H}_t \mathbf{W}_{hq} + \mathbf{b}_q,
# \end{aligned}
# $$
#
# and random gradients with respect to $\mathbf{O}_1, \dots, \mathbf{O}_T$
# and $\mathbf{H}_T$ are propagated backward.
#
# The forward pass is ten lines of NumPy, which work for arrays of either
# dtype. Every framework computes these sums and products:


# %%
def forward(inputs, H, params):
    """Return the outputs (T * n, q) of a recurrent network."""
    W_xh, W_hh, b_h, W_hq, b_q = params
    outputs = []
    for X in inputs:
        H = np.tanh(X @ W_xh + H @ W_hh + b_h)
        outputs.append(H @ W_hq + b_q)
    return np.concatenate(outputs)


problem = agreement.make_problem("rnn", num_steps=full_or_fast(35, 8))
in64, in32 = (
    forward(
        problem.inputs.astype(dtype),
        problem.state[0].astype(dtype),
        [param.astype(dtype) for param in problem.params],
    )
    for dtype in ("float64", "float32")
)
print("dtypes:", in64.dtype, in32.dtype)
print("equal to five decimals:", np.allclose(in32, in64, atol=1e-5))
print("equal to the last bit:", bool((in32 == in64).all()))

# %% [markdown]
# How large is the difference between a tensor $\mathbf{A}$ of a framework
# and the tensor $\mathbf{B}$ of the reference? We use the largest difference
# of two elements, relative to the largest element: $\max_{ij} |a_{ij} -
# b_{ij}| \,/\, \max_{ij} |b_{ij}|$.

# %%
rnn.show(agreement.difference)

# %%
truth = agreement.solve(reference, problem)
quantities = [
    (quantity, dtype) for dtype in agreement.DTYPES for quantity in truth
]
ax = plot.new_axes(9, 5.2)
for number, (name, framework) in enumerate(frameworks.items()):
    dots = {
        "color": styles[name]["color"],
        "linestyle": "none",
        "marker": markers[name],
    }
    ax.plot([], [], label=name, markersize=12, **dots)
    solved = {
        dtype: agreement.solve(framework, problem, dtype)
        for dtype in agreement.DTYPES
    }
    for place, (quantity, dtype) in enumerate(quantities):
        result, expected = solved[dtype][quantity], truth[quantity]
        gap = max(
            agreement.difference(result[key], expected[key])
            for key in expected
        )
        assert gap <= agreement.bound(quantity, dtype, problem.num_terms)
        if gap:  # the reference's distance from itself is 0
            ax.plot(place + 0.12 * (number - 2), gap, markersize=12, **dots)
for dtype, left in (("float64", -0.45), ("float32", 1.55)):
    eps = np.finfo(dtype).eps
    ax.plot(
        [left, left + 1.9],
        [eps, eps],
        color="black",
        linestyle="-",
        linewidth=2,
    )
    ax.annotate(
        f"machine epsilon, {eps:.0e}",
        (left, eps),
        (0, -18),
        textcoords="offset points",
    )
ax.set(yscale="log", ylim=(1e-17, 1e-4), ylabel="relative difference")
ax.set_xticks(
    range(4), [f"{quantity}\n{dtype}" for quantity, dtype in quantities]
)
ax.legend(ncols=3, loc="upper left")
present(
    ax,
    "The differences of all frameworks are a few rounding errors, in "
    "float64 and in float32.",
)

# %% [markdown]
# The differences are a few rounding errors. What causes them?

# %% [markdown]
# ### Exercise 1
#
# Which of these expressions are true in Python: 0.1 + 0.2 == 0.3, and 0.5 +
# 0.25 == 0.75? Answer before you try them, with a list of True and False.

# %%
### BEGIN SOLUTION
answers = [False, True]
### END SOLUTION

# %%
check(
    answers,
    lambda: [0.1 + 0.2 == 0.3, 0.5 + 0.25 == 0.75],
    hint="a half and a quarter have few binary digits; a tenth has "
    "infinitely many, like a third in decimal digits",
)

# %% [markdown]
# Computers store numbers with a fixed number of binary digits and round the
# result of each operation. The error is at most half of the distance between
# adjacent numbers. The distance between 1 and the next larger number is
# called the machine epsilon, $\epsilon$. In the figure, the reference has no
# mark in float64, because its difference from itself is 0. In float32, NumPy
# differs from the reference like the other frameworks.

# %% [markdown]
# ### Exercise 2
#
# Numbers in float32 have 23 binary digits after the point, and numbers in
# float64 have 52. What is the distance between 1 and the next larger number
# in each, and what is the ratio of the two?

# %%
### BEGIN SOLUTION
gap32, gap64 = 2.0**-23, 2.0**-52
times_finer = gap32 / gap64
### END SOLUTION

# %%
one32, one64 = np.float32(1), np.float64(1)
gaps = [np.nextafter(one, one + one).item() - 1 for one in (one32, one64)]
check(
    lambda: [math.log2(number) for number in (gap32, gap64, times_finer)],
    [math.log2(number) for number in (*gaps, gaps[0] / gaps[1])],
    hint="the first digit after the point is worth 1/2, the second 1/4; "
    "what is the last one worth?",
)

# %% [markdown]
# ## The cause: the order of sums
#
# All five frameworks implement the same equations. But each uses another
# library for matrix products, which adds the terms of an element of
# $\mathbf{H}_{t-1} \mathbf{W}_{hh}$ in its own order: several at a time, in
# blocks that are efficient for the processor. Mathematically, the order of a
# sum does not matter. With rounding it does: $(a + b) + c$ and $a + (b + c)$
# have different rounding errors. (Each library also has its own $\tanh$,
# whose last digit can differ.) The next cell adds the same 256 products in
# 2,000 random orders, and shows the error of each sum.

# %%
rng = np.random.default_rng(0)
products = rng.standard_normal(256) * rng.standard_normal(256)
axes = plot.new_axes(11, 4.5, columns=2)
for ax, dtype, colour in zip(axes, ("float32", "float64"), plot.COLOURS):
    terms, eps = products.astype(dtype), float(np.finfo(dtype).eps)
    exact, size = math.fsum(terms), float(np.abs(terms).sum())
    sums = [
        float(np.cumsum(rng.permutation(terms), dtype=dtype)[-1])
        for _ in range(2000)
    ]
    off = (np.array(sums) - exact) / (eps * size)
    ax.hist(off, bins=np.linspace(-0.85, 0.85, 18), color=colour)
    ax.set(
        title=f"{dtype}: {len(set(sums))} different sums",
        xticks=[-0.5, 0, 0.5],
    )
    ax.set_xlabel(r"error, in $\epsilon \sum |a_i|$")
axes[0].set_ylabel("orders, of 2,000")
present(
    axes,
    "Errors of sums in different orders have the same spread, in "
    "units of the rounding of their dtype.",
)

# %% [markdown]
# In units of the rounding, here $\epsilon$ times the sum of the absolute
# values of the terms, both figures look the same. No order is better than
# the others. Only the size of a rounding error differs between the dtypes.

# %% [markdown]
# ### Exercise 3
#
# Can a sum be more accurate than with any of these orders? Write a float32
# sum whose error is at most one rounding of the result. (One method stores
# the rounding error of each addition and adds it to the next term; search
# for *compensated summation*. Do not use float64.)


# %%
def careful_sum(terms):
    """Return the sum of float32 numbers, with float32 arithmetic only."""
    ### BEGIN SOLUTION
    total = lost = np.float32(0)
    for term in terms:
        small = term - lost
        longer = total + small
        lost = (longer - total) - small
        total = longer
    return total
    ### END SOLUTION


# %%
def is_careful(terms):
    """Return whether careful_sum stays in float32 and close to the sum."""
    total, exact = careful_sum(terms), math.fsum(terms)
    one_rounding = float(np.finfo("float32").eps) * abs(exact)
    close = abs(float(total) - exact) <= one_rounding
    return np.asarray(total).dtype == np.float32 and close


many = np.random.default_rng(1).random(10_000).astype("float32")
check(
    lambda: [is_careful(products.astype("float32")), is_careful(many)],
    [True, True],
    hint="(total + term) - total is the part that was added; keep the rest",
)

# %% [markdown]
# ## Training in all frameworks
#
# Now all frameworks are trained, with the same initial weights and the same
# minibatches in the same order, and with clipped gradients as in the book.
# The learning rate of 3 is high on purpose. We compare the losses step by
# step.

# %%
load_data = (
    rnn.load_data_time_machine
    if time_machine_at_hand()
    else rnn.load_data_builtin
)
batch_size, num_hiddens, theta = 8, 32, 1.0
num_steps, num_minibatches = full_or_fast(20, 4), full_or_fast(500, 30)
train_iter, vocab = load_data(batch_size, num_steps, seed=0)
minibatches = []
while len(minibatches) < num_minibatches:
    minibatches += [
        (rnn.to_numpy(X), rnn.to_numpy(Y)) for X, Y in train_iter
    ]
high_lr, low_lr = 3.0, 1.0
first_weights = cells.Architecture("rnn").arrays(
    len(vocab), num_hiddens, seed=0
)  # in float64


@functools.cache
def network(framework, dtype, lr):
    """Return a network and its training step, compiled once at most."""
    functions = framework.get_params, framework.init_rnn_state, framework.rnn
    net = framework.RNNModelScratch(
        len(vocab), num_hiddens, *functions, seed=0, dtype=dtype
    )
    return net, net.make_step(lr, theta)


def train(
    framework,
    dtype,
    weights=first_weights,
    *,
    lr=high_lr,
    num=num_minibatches,
    carry=True,
):
    """Return the losses of num steps that begin with these weights."""
    net, step = network(framework, dtype, lr)
    net.load_arrays(weights)
    state, losses = net.begin_state(batch_size), []
    for X, Y in minibatches[:num]:
        loss, state = step(
            X, Y, state if carry else net.begin_state(batch_size)
        )
        losses.append(loss)
    return np.array(losses)


losses, texts = {dtype: {} for dtype in agreement.DTYPES}, {}
for dtype in agreement.DTYPES:
    for name, framework in frameworks.items():
        losses[dtype][name] = train(framework, dtype)
        net, _ = network(framework, dtype, high_lr)  # trained a line ago
        num_preds = full_or_fast(50, 10)
        texts[dtype, name] = framework.predict_ch8(
            "t", num_preds, net, vocab, temperature=1.0, seed=0
        )
right = losses["float64"]["numpy"]

# %%
hundred = {name: values[:100] for name, values in losses["float64"].items()}
limit = agreement.bound("losses", "float64", 0)
axes = plot.agreement(hundred, limit, plot.new_axes(11, 4.8, columns=2))
present(
    axes,
    "The first hundred losses cannot be distinguished, and "
    "differ by rounding.",
)

# %% [markdown]
# On the left, all curves agree; they are drawn with different widths so that
# all are visible. Only the logarithmic scale on the right shows a
# difference. In float64, the losses still agree in twelve digits after a
# hundred steps. What happens later, and in float32?

# %%
axes = plot.new_axes(11, 4.8, columns=2)
for dtype, ax in zip(("float32", "float64"), axes):
    for name, values in losses[dtype].items():
        if (dtype, name) != ("float64", "numpy"):
            gap = np.maximum.accumulate(
                np.abs(values / right - 1)
            )  # the largest so far
            steps = np.arange(1, len(gap) + 1)[::10]
            ax.plot(steps, gap[::10].clip(1e-18), label=name, **styles[name])
    ax.axhline(np.finfo(dtype).eps, color="black", linewidth=2)
    ax.annotate(
        "machine epsilon",
        (1, np.finfo(dtype).eps),
        (0, -20),
        textcoords="offset points",
    )
    ax.set(
        title=dtype, yscale="log", ylim=(1e-18, 10), xlabel="training step"
    )
axes[0].set_ylabel("largest difference so far")
axes[0].legend(ncols=2, loc="lower right")
present(
    axes,
    "Differences grow during training; in float32 they start half a "
    "billion times larger.",
)

# %% [markdown]
# The differences grow, and not by simple addition: on this scale, growth by
# a constant factor is a rising straight line. Here the growth happens in
# phases with pauses in between. The phases are the same for both dtypes,
# because they depend on the network and not on rounding. In float32, the
# losses differ in their second digit after 500 steps. In float64 they do not
# differ *yet*: the same growth starts from a value that is half a billion
# times smaller.
#
# Why do differences grow? Let $\boldsymbol{\theta}$ be the vector of all
# weights, and let two networks differ by a small $\boldsymbol{\delta}$. One
# step of gradient descent with learning rate $\eta$, without clipping,
# changes the difference to
#
# $$
# \boldsymbol{\delta}' \approx
# (\mathbf{I} - \eta \nabla^2 L(\boldsymbol{\theta}))\, \boldsymbol{\delta}.
# $$
#
# In a direction in which the second derivative of the loss is $\lambda$, the
# difference is multiplied by $1 - \eta\lambda$. It shrinks if $0 < \lambda <
# 2/\eta$. It grows if the loss is curved downward, or curved upward so
# strongly that the step overshoots. With a small learning rate, this is
# rare.

# %% [markdown]
# ### Exercise 4
#
# A difference starts at the machine epsilon, $2^{-23}$ or $2^{-52}$, and
# doubles every ten steps. After how many steps does it reach 1 in float32?
# And in float64?

# %%
### BEGIN SOLUTION
steps_to_one = [10 * 23, 10 * 52]
### END SOLUTION

# %%
check(
    steps_to_one,
    [
        10 * np.log2(1 / np.finfo(dtype).eps)
        for dtype in ("float32", "float64")
    ],
    hint="how many doublings are there from 2 ** -23 to 1?",
)

# %% [markdown]
# Do the frameworks cause this growth? No. The next cell uses only the chosen
# framework in float64, and changes its initial weights by one rounding
# error: it multiplies each by $1 + 2^{-52}$. Then it repeats this with a
# rounding error of float32, $1 + 2^{-23}$. How much do the losses differ
# from those of the unchanged run? And with a third of the learning rate?

# %%
axes = plot.new_axes(11, 4.8, columns=2)
for ax, lr in zip(axes, (high_lr, low_lr)):
    plain = train(rnn, "float64", lr=lr)
    for number, digits in enumerate((23, 52)):
        nudged = train(
            rnn,
            "float64",
            [W * (1 + 2.0**-digits) for W in first_weights],
            lr=lr,
        )
        gap = np.maximum.accumulate(np.abs(nudged / plain - 1)).clip(1e-18)
        label = f"weights times $1 + 2^{{-{digits}}}$"
        ax.plot(
            np.arange(1, len(gap) + 1)[::10],
            gap[::10],
            label=label,
            **plot.line_style(number),
        )
    ax.set(
        title=f"learning rate {lr:g}",
        yscale="log",
        ylim=(1e-18, 10),
        xlabel="training step",
    )
axes[0].set_ylabel("largest difference so far")
axes[1].legend(loc="upper left")
present(
    axes,
    "One framework, changed by a rounding error: losses differ at rate "
    "3, and hardly at rate 1.",
)

# %% [markdown]
# The left figure looks like the one above, although it uses only one
# framework and one dtype. Rounding only determines the size of the initial
# difference. Its growth depends on the network and the training. In the
# right figure, with a smaller learning rate, the difference hardly grows. So
# two runs with different final weights do not imply a mistake. To compare
# two programs, compare the *first* steps, in float64.
#
# After the training, each network also generated text. The characters were
# drawn with the same random numbers.

# %%
for dtype in agreement.DTYPES:
    print(dtype)
    for name in frameworks:
        print(f"  {name:10} {texts[dtype, name]!r}")

# %% [markdown]
# In float64, all texts are equal. In float32, they are equal after a short
# training; after 500 steps most texts differ. None of them is more right
# than another.

# %% [markdown]
# ## Rounding or a mistake?
#
# A mistake is often invisible in a training curve. The next cell contains
# two intentional mistakes. The first network does not pass the state from
# one minibatch to the next, but starts each with zeros. In the second, the
# initial weights are converted to float32 and back, as can happen in a
# framework whose default is float32. Both networks learn. The second figure
# also shows a network without a mistake whose weights were changed by a
# rounding error, as above.

# %%
num = min(100, num_minibatches)
through_float32 = [
    weight.astype("float32").astype("float64") for weight in first_weights
]
mistakes: dict = {
    "no mistake": {
        "weights": [weight * (1 + 2.0**-52) for weight in first_weights]
    },
    "weights through float32": {"weights": through_float32},
    "state not passed on": {"carry": False},
}
ax = plot.new_axes(8, 4.8)
ax.plot(
    range(1, num + 1),
    right[:num],
    label="no mistake",
    **plot.line_style(0) | {"linewidth": 8},
)
for number, (label, settings) in enumerate(list(mistakes.items())[1:], 1):
    values = train(rnn, "float64", num=num, **settings)
    ax.plot(
        range(1, num + 1), values, label=label, **plot.line_style(number)
    )
ax.set(xlabel="training step", ylabel="loss")
ax.legend()
present(
    ax,
    "The losses of the networks with mistakes fall like those of "
    "the right network.",
)

# %%
axes = plot.new_axes(11, 4.8, columns=2)
for ax, dtype in zip(axes, ("float32", "float64")):
    for number, (label, settings) in enumerate(mistakes.items()):
        gap = np.abs(
            train(rnn, dtype, num=num, **settings) / right[:num] - 1
        )
        ax.plot(
            range(1, num + 1),
            gap.clip(1e-18),
            label=label,
            **plot.line_style(number),
        )
    ax.axhline(
        np.finfo(dtype).eps,
        color="black",
        linewidth=2,
        label="machine epsilon",
    )
    ax.set(
        title=dtype, yscale="log", ylim=(1e-18, 10), xlabel="training step"
    )
axes[0].set_ylabel("relative difference")
axes[0].legend(loc="lower center")
present(
    axes,
    "In float32 a small mistake is as small as rounding, in float64 "
    "it is much larger.",
)

# %% [markdown]
# In float32, the second mistake cannot be detected, because it *is* a
# rounding error there. In float64 it is much larger than rounding. For this
# reason, the tests of this package compare frameworks in float64 as well,
# and the first comparison is a single forward and backward pass, before
# differences can grow: a difference of $10^{-12}$ is larger than rounding
# and smaller than the effect of such mistakes. Note that agreement of two
# programs does not show that they are right. For this, gradients are
# compared with finite differences.

# %% [markdown]
# ### Exercise 5
#
# Four programs computed the gradient of $\mathbf{W}_{hh}$ for the problem
# above, each with a given dtype. Which of them contain a mistake? Use
# `agreement.difference(found, expected)`,
# `agreement.bound("gradients", dtype, problem.num_terms)` and `truth`.

# %%
name_of = "d_params[1]"  # the gradient of W_hh
expected = truth["gradients"][name_of]
shortened = agreement.Problem(
    problem.architecture,
    problem.inputs[1:],  # no gradient before the first time step
    (
        reference.to_numpy(
            reference.rnn(problem.inputs[:1], problem.state, problem.params)[
                1
            ][0]
        ),
    ),
    problem.params,
    problem.d_outputs[len(problem.inputs[0]) :],
    problem.d_state,
)
sent = {
    "A": ("float64", agreement.solve(rnn, problem)["gradients"][name_of]),
    "B": (
        "float32",
        agreement.solve(rnn, problem, "float32")["gradients"][name_of],
    ),
    "C": ("float64", expected.astype("float32").astype("float64")),
    "D": (
        "float32",
        agreement.solve(rnn, shortened, "float32")["gradients"][name_of],
    ),
}

# %%
### BEGIN SOLUTION
with_a_mistake = [
    letter
    for letter, (dtype, result) in sent.items()
    if agreement.difference(result, expected)
    > agreement.bound("gradients", dtype, problem.num_terms)
]
### END SOLUTION

# %%
check(
    lambda: sorted(with_a_mistake),
    ["C", "D"],
    hint="compare each difference with the bound of the dtype that "
    "it was computed in",
)

# %% [markdown]
# ## Reproducibility
#
# Can a run be repeated exactly? In one framework, on one processor, with the
# same versions, number of threads and sizes, it can, to the last bit,
# because all sums are added in the same order. With another number of
# threads, another batch size, or a GPU instead of a CPU, the results may
# differ.

# %%
for name, framework in frameworks.items():
    one, other = (train(framework, "float32", num=20) for _ in range(2))
    print(
        f"{name}: two runs are equal to the last bit: {(one == other).all()}"
    )

# %% [markdown]
# Because all frameworks compute the same, they can also train one network in
# turn. In the next cell, each framework trains for a few steps and passes
# weights and state to the next. (This also works with files:
# `rnn.save_model` in one framework, `rnn.load_model` in another.)

# %%
num = min(50, num_minibatches)
stretch, weights, relay, who = num // 10, first_weights, [], []
state = [np.zeros((batch_size, num_hiddens))]
for number, start in enumerate(range(0, num, stretch)):
    name = list(frameworks)[number % len(frameworks)]
    net, step = network(frameworks[name], "float64", high_lr)
    net.load_arrays(weights)
    tensors = tuple(
        frameworks[name].from_numpy(H, dtype="float64") for H in state
    )
    for X, Y in minibatches[start : start + stretch]:
        loss, tensors = step(X, Y, tensors)
        relay.append(loss)
        who.append(name)
    weights, state = (
        net.arrays(),
        [frameworks[name].to_numpy(H) for H in tensors],
    )

ax = plot.new_axes(8, 4.8)
ax.plot(
    range(1, num + 1),
    right[:num],
    color="0.8",
    linewidth=12,
    label="numpy alone",
)
steps = np.arange(1, num + 1)
for name in frameworks:
    mine = np.where(np.array(who) == name, relay, np.nan)
    ax.plot(
        steps,
        mine,
        markers[name],
        color=styles[name]["color"],
        label=name,
        markersize=7,
    )
ax.set(xlabel="training step", ylabel="loss")
ax.legend()
present(
    ax,
    "The dots of one framework after another follow the grey "
    "line of NumPy alone.",
)
print(
    "all frameworks in turn give the result of NumPy alone:",
    np.allclose(relay, right[:num], rtol=1e-9),
)

# %% [markdown]
# ## What to take away
#
# - The same seed gives the same network only if the same generator draws the
#   numbers.
# - Frameworks add numbers in different orders. Therefore their results
#   differ by a few rounding errors, in every dtype.
# - Training with a high learning rate amplifies differences. In float32 they
#   start half a billion times larger, so they become visible earlier.
# - Compare programs in the first steps and in float64, where even a small
#   mistake is visible.
# - A run can be repeated to the last bit only if nothing changes the order
#   of sums.
#
# **Proven in the repository.** First weights:
# `test_the_same_seed_gives_the_same_parameters_bit_for_bit` in
# `tests/nets/test_scratch.py`. In `tests/measure/test_agreement.py`: the
# forward and the backward pass of every network, in both dtypes,
# `test_a_network_agrees_with_the_float64_reference`; each pair of
# frameworks, `test_two_backends_agree_directly`; a hundred steps,
# `test_a_hundred_training_steps_agree_with_the_reference` and
# `test_two_backends_learn_the_same`; which result is right,
# `test_the_reference_s_gradients_equal_finite_differences`. The file of
# another framework:
# `test_a_model_generates_the_same_text_in_another_backend` in
# `tests/files/test_checkpoint.py`. To the last bit:
# `test_a_stopped_run_is_resumed_bit_for_bit` in
# `tests/training/test_resume.py`.
