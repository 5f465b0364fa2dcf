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
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/d2lrnn/d2lrnn/blob/main/notebooks/16-state-space-models.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/d2lrnn/d2lrnn/blob/main/notebooks/16-state-space-models.ipynb)
#
# # 16. State space models and selection
#
# Notebook 15 made a GRU linear in its state by removing weights. State space
# models are linear from the beginning: they describe a quantity that changes
# continuously with time, as physics does. This notebook derives the layer
# S4D from a differential equation, and shows that one layer can be computed
# in three ways: by a loop, by a scan and by a convolution. It then proves
# that such a layer cannot solve a simple task, selective copying. Mamba can,
# because its decay depends on the input.
#
# The notebook follows the sections "Linear Recurrence and State Space
# Models" and "Selective State Space Models" of *Dive into Deep Learning*, in
# its edition of 2026. Notebook 15 explains the scan and minGRU.

# %%
import importlib.util

if importlib.util.find_spec("d2lrnn") is None:
    # %pip install -q "d2lrnn[torch] @ git+https://github.com/d2lrnn/d2lrnn"
    importlib.invalidate_caches()

# %%
import numpy as np

from d2lrnn import backends, plot
from d2lrnn.nets import linear_scans
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
# ## A continuous system
#
# Let $S$ be the temperature of a heated room, relative to the temperature
# outside. It rises with the heating $u$ and falls in proportion to itself:
#
# $$\frac{\mathrm{d} S}{\mathrm{d} t} = A S + u, \qquad A < 0. \tag{1}$$
#
# $S$ is a memory of the heating in the past: recent heating still has an
# effect, and old heating has been forgotten. The larger $|A|$ is, the faster
# the memory is lost. A *state space model* uses such equations to store a
# sequence, and outputs a weighted sum $Y = C S + D u$.
#
# A computer has inputs $u_1, u_2, \ldots$ at discrete times. Let the input
# be constant during each time step of length $\Delta$ (a *zero-order hold*).
# Then (1) has an exact solution from one step to the next,
#
# $$S_t = \bar{A}\, S_{t-1} + \bar{B}\, u_t, \qquad
# \bar{A} = e^{\Delta A}, \qquad \bar{B} = \frac{e^{\Delta A} - 1}{A}.
# \tag{2}$$
#
# This is a linear recurrence, as in notebook 15. To verify (2), insert it
# into (1), or solve (1) numerically with many tiny steps:


# %%
def tiny_steps(A, u, dt, number):
    """Return S after each input, by this number of tiny steps for each."""
    S, states = 0.0, []
    for u_t in u:
        for _ in range(number):
            S = S + dt / number * (A * S + u_t)  # Euler's method for (1)
        states.append(S)
    return np.array(states)


def exact_steps(A, u, dt):
    """Return S after each input, by (2)."""
    S, states = 0.0, []
    for u_t in u:
        S = np.exp(dt * A) * S + np.expm1(dt * A) / A * u_t
        states.append(S)
    return np.array(states)


A, dt = -1.0, 0.5
u = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0])
exact = exact_steps(A, u, dt)
for number in (1, 10, 100, 1000):
    gap = np.abs(tiny_steps(A, u, dt, number) - exact).max()
    print(f"{number:4} tiny steps: largest difference {gap:.5f}")

# %% [markdown]
# The difference decreases with the size of the tiny steps. (`np.expm1`
# computes $e^x - 1$ without the loss of digits near $x = 0$.)

# %%
fine = 50
curve = exact_steps(A, np.repeat(u, fine), dt / fine)
times = dt / fine * np.arange(1, len(curve) + 1)
ax = plot.new_axes(8, 4.8)
ax.step(
    dt * np.arange(len(u) + 1),
    [*u, u[-1]],
    where="post",
    label="input $u$",
    color="#999999",
)
ax.plot(times, curve, label="continuous $S$", **plot.line_style(0))
places = dt * np.arange(1, len(u) + 1)
ax.plot(
    places, exact, "o", ms=10, color=plot.COLOURS[1], label="recurrence (2)"
)
ax.set(xlabel="time", ylabel="input and state")
ax.legend(loc="upper right")
present(
    ax,
    "The state rises while there is input and decays afterwards; the "
    "recurrence gives exactly the points of the curve.",
)

# %% [markdown]
# ### Exercise 1
#
# Euler's method with one step per input replaces $\bar{A}$ by $1 + \Delta
# A$. With a large $\Delta$, the state then grows without limit, although (1)
# decays. The exact $\bar{A}$ does not have this problem. From which $\Delta$
# on is $|1 + \Delta A| \ge 1$, for $A = -4$?

# %%
### BEGIN SOLUTION
limit = 2 / 4
### END SOLUTION


# %%
def largest_stable_step(A):
    """Return the largest step for which Euler's method decays."""
    low, high = 0.0, 10.0
    pulse = np.array([1.0] + 4000 * [0.0])
    for _ in range(30):
        middle = (low + high) / 2
        with np.errstate(over="ignore", invalid="ignore"):
            states = tiny_steps(A, pulse, middle, 1)
        decays = abs(states[-1]) < abs(states[0])
        low, high = (middle, high) if decays else (low, middle)
    return low


check(
    limit,
    lambda: largest_stable_step(-4.0),
    hint="1 + dt * A lies between -1 and 1; which of the two limits is "
    "reached first?",
    tolerance=1e-3,
)

# %% [markdown]
# ## The layer S4D
#
# S4D (Gu et al., 2022) has $N$ such states for each hidden unit, which decay
# at different rates. The parameters are $\log(-A)$ and $\log \Delta$, so
# that $A$ is always negative and $\Delta$ always positive for any
# parameters. Then $0 < \bar{A} < 1$, and the state cannot explode.
#
# $$\mathbf{U}_t = \mathbf{X}_t \mathbf{W}_{xu} + \mathbf{b}_u, \qquad
# \mathbf{S}_t = \bar{\mathbf{A}} \odot \mathbf{S}_{t-1} +
# \bar{\mathbf{B}} \odot \mathbf{U}_t, \qquad
# \mathbf{Y}_t = \sum_{N} \mathbf{C} \odot \mathbf{S}_t +
# \mathbf{D} \odot \mathbf{U}_t. \tag{3}$$
#
# The state has the shape $(n, h, N)$, and $\mathbf{U}_t$ with shape $(n, h)$
# is added to all $N$ states of a unit. As a loop:


# %%
def s4d_by_hand(inputs, params):
    """Return the outputs Y (T, n, h) for inputs (T, n, d), from state 0."""
    W_xu, b_u, log_a, log_dt, C, D = params
    A = -np.exp(log_a)  # (h, N)
    dA = np.exp(log_dt)[:, None] * A
    A_bar, B_bar = np.exp(dA), np.expm1(dA) / A  # (2)
    S, Ys = 0.0, []
    for X in inputs:
        U = X @ W_xu + b_u  # (n, h)
        S = A_bar * S + B_bar * U[:, :, None]  # (n, h, N)
        Ys.append((C * S).sum(-1) + D * U)
    return np.array(Ys)


rng = np.random.default_rng(0)
num_steps, batch_size, num_inputs, num_hiddens = 64, 2, 5, 3
inputs = rng.normal(size=(num_steps, batch_size, num_inputs))


def layer(cell, scan=False, width=num_inputs, seed=0):
    """Return (forward, init_state, arrays) of a cell of the package."""
    get_params = getattr(rnn, f"get_{cell}_params")
    params = get_params(width, num_hiddens, seed=seed, dtype="float64")
    forward = getattr(rnn, f"{cell}_scan" if scan else cell)
    init_state = getattr(rnn, f"init_{cell}_state")
    return forward, init_state, [rnn.to_numpy(param) for param in params]


def run(inputs, forward, init_state, arrays):
    """Return the outputs Y (T, n, h) of a cell, without output layer."""
    as_it_is = np.eye(num_hiddens), np.zeros(num_hiddens)
    params = [rnn.from_numpy(p) for p in (*arrays[:-2], *as_it_is)]
    state = init_state(inputs.shape[1], num_hiddens, dtype="float64")
    outputs, _ = forward(rnn.from_numpy(inputs), state, params)
    return rnn.to_numpy(outputs).reshape(*inputs.shape[:2], num_hiddens)


by_loop = run(inputs, *layer("s4d"))
s4d_params = layer("s4d")[2][:-2]
gap = np.abs(s4d_by_hand(inputs, s4d_params) - by_loop).max()
print("by hand and by the package: the same outputs,", gap < 1e-13)
s4d_names = ["W_xu", "b_u", "log_a", "log_dt", "C", "D"]
for name, array in zip(s4d_names, s4d_params):
    print(f"{name:6} {array.shape}")

# %%
rnn.show(rnn.s4d, helpers=True)

# %% [markdown]
# ## Three ways to compute one layer
#
# *The loop* (3) needs only the last state, and is used to generate text.
#
# *The scan* computes all states together, because (3) is linear in the
# state, with $a = \bar{\mathbf{A}}$ and $b_t = \bar{\mathbf{B}} \odot
# \mathbf{U}_t$:

# %%
rnn.show(linear_scans.scan_s4d)

# %% [markdown]
# *The convolution* does not compute states at all. Insert (3) into itself:
# the input $j$ steps ago has been multiplied by $\bar{\mathbf{A}}$ exactly
# $j$ times. So each output is a weighted sum of the inputs of its unit,
#
# $$\mathbf{Y}_t = \sum_{j=0}^{t-1} \mathbf{K}_j \odot \mathbf{U}_{t-j} +
# \mathbf{D} \odot \mathbf{U}_t, \qquad
# \mathbf{K}_j = \sum_N \mathbf{C} \odot \bar{\mathbf{A}}^j \odot
# \bar{\mathbf{B}}, \tag{4}$$
#
# and the weight depends only on the distance $j$. This is a convolution with
# the *kernel* $\mathbf{K}$, which is as long as the sequence. A Fourier
# transform turns a convolution into a product, so that all outputs are
# computed in $O(T \log T)$ operations. The sequences are extended by zeros
# to twice their length, because the Fourier transform continues a sequence
# periodically.


# %%
def kernel_of(params, num_steps):
    """Return the kernels K (T, h) of an S4D layer."""
    _, _, log_a, log_dt, C, _ = params
    A = -np.exp(log_a)
    dA = np.exp(log_dt)[:, None] * A
    powers = np.exp(np.arange(num_steps)[:, None, None] * dA)  # (T, h, N)
    return (C * powers * np.expm1(dA) / A).sum(-1)


def by_fourier(K, U):
    """Return the convolutions (T, n, h) of K (T, h) and U (T, n, h)."""
    size = 2 * len(U)
    product = np.fft.rfft(K, size, axis=0)[:, None]
    product = product * np.fft.rfft(U, size, axis=0)
    return np.fft.irfft(product, size, axis=0)[: len(U)]


W_xu, b_u, _, _, _, D = s4d_params
U = inputs @ W_xu + b_u
K = kernel_of(s4d_params, num_steps)
ways = {
    "scan": run(inputs, *layer("s4d", scan=True)),
    "convolution, as sums": D * U
    + [sum(K[j] * U[t - j] for j in range(t + 1)) for t in range(num_steps)],
    "convolution, by Fourier": D * U + by_fourier(K, U),
}
for label, outputs in ways.items():
    gap = np.abs(outputs - by_loop).max()
    print(f"{label:24} equals the loop: {gap < 1e-13}")

# %% [markdown]
# ### Exercise 2
#
# The kernel can also be measured, without any formula, if the layer is used
# as a black box. `system(u)` returns the outputs (T,) of a system that is
# linear and does not change with time, for inputs `u` (T,). Use it once to
# get the first 30 numbers of its kernel.


# %%
def measured_kernel(system):
    """Return the kernel (30,) of a system."""
    ### BEGIN SOLUTION
    pulse = np.zeros(30)
    pulse[0] = 1
    return system(pulse)
    ### END SOLUTION


# %%
def first_unit(u):
    """Return the outputs of unit 0 of the layer for its inputs u (T,)."""
    forward, init_state, arrays = layer("s4d", width=1)
    arrays[0], arrays[5] = np.ones((1, num_hiddens)), 0 * arrays[5]  # D = 0
    return run(u[:, None, None], forward, init_state, arrays)[:, 0, 0]


check(
    lambda: measured_kernel(first_unit),
    lambda: kernel_of(layer("s4d", width=1)[2][:-2], 30)[:, 0],
    hint="for which input does the sum in (4) have only one term, at "
    "every step?",
)

# %% [markdown]
# ## Memory
#
# How long does a state remember? At each step it is multiplied by $e^{\Delta
# A}$. The initial values of the package have $A = -1, \ldots, -N$, and
# $\Delta$ is drawn between 0.001 and 0.1, uniformly on a logarithmic scale.
# So different units remember for different times from the start. The left
# figure shows what remains of an input in the four states of a unit with
# $\Delta = 0.01$. The right figure shows three kernels with the same
# $\mathbf{C}$: weighted sums of four such curves.

# %%
left, right = plot.new_axes(12, 4.8, columns=2)
distance = np.arange(400)
for number in range(4):
    share = np.exp(-0.01 * (number + 1) * distance)
    label = f"$A = {-number - 1}$"
    left.plot(distance, share, label=label, **plot.line_style(number))
left.set(xlabel="steps ago", ylabel="share that remains")
left.legend()
C = np.array([[1.5, -2.0, 3.0, -1.0]])
for number, dt in enumerate((0.1, 0.03, 0.01)):
    log_dt, log_a = np.log([dt]), np.log([[1.0, 2.0, 3.0, 4.0]])
    kernel = kernel_of([None, None, log_a, log_dt, C, None], 400)[:, 0]
    label = rf"$\Delta$ = {dt:g}"
    right.plot(distance, kernel / dt, label=label, **plot.line_style(number))
right.set(xlabel="steps ago, $j$", ylabel=r"$K_j$ / $\Delta$")
right.legend()
present(
    [left, right],
    "Four exponential decays; kernels with the same shape, which are "
    "longer for smaller time steps.",
)

# %% [markdown]
# A smaller $\Delta$ stretches the same kernel over more steps. This is the
# advantage of the continuous view: $\Delta$ is the *resolution* at which the
# layer samples its input.
#
# ### Exercise 3
#
# After how many steps does half of a state with $A = -1$ and $\Delta = 0.01$
# remain? And which $\log \Delta$ must a unit have so that half of this state
# remains after 500 steps?

# %%
### BEGIN SOLUTION
half_life = np.log(2) / 0.01
log_dt_of_500 = np.log(np.log(2) / 500)
### END SOLUTION

# %%
check(
    lambda: [
        np.exp(-0.01) ** half_life,
        np.exp(-np.exp(log_dt_of_500)) ** 500,
    ],
    [0.5, 0.5],
    hint="exp(-dt * steps) is one half; take the logarithm",
)

# %% [markdown]
# ## What a fixed decay cannot do
#
# In (4), the weight of an input depends on *how long ago* it was, not on
# *what* it was. A task that needs the second is *selective copying*: a few
# symbols are at random places in a long sequence of fillers. After the
# sequence, the network must output the symbols in their order. Token 0 is
# the filler, token 1 asks for the next symbol, and the others are symbols.
# `rnn.selective_copy` generates such sequences.

# %%
span, num_marked, num_symbols = full_or_fast((16, 3, 4), (8, 3, 2))
vocab_size = num_symbols + 2


def selective_copies(size, seed):
    """Return sequences (size, T) and outputs (size, T), 0 if not asked."""
    task = size, span, num_marked, num_symbols
    ids, answers = rnn.selective_copy(*task, seed=seed)
    return ids, np.maximum(answers, 0)  # -1 where nothing is asked for


ids, targets = selective_copies(3, seed=0)
for row, right_output in zip(ids, targets):
    shown = "".join("._ABCD"[token] for token in row)
    print(shown, "->", "".join("._ABCD"[t] for t in right_output[span:]))

# %% [markdown]
# No kernel can solve this task. The reason is short. Let $f$ be the score of
# the answer A minus that of B, at the place where the second symbol is
# requested. The outputs of S4D are linear in $\mathbf{U}$, and each
# $\mathbf{U}_t$ depends on one token. So by (4), $f$ is a sum with one term
# for each place and its token. Consider these four sequences:
#
# | sequence | second symbol | a right answer needs |
# | --- | --- | --- |
# | C A B . | A | $f_1 > 0$ |
# | . B A C | A | $f_2 > 0$ |
# | C B A . | B | $f_3 < 0$ |
# | . A B C | B | $f_4 < 0$ |
#
# At each place, the first two sequences together contain the same tokens as
# the last two. So
#
# $$f_1 + f_2 = f_3 + f_4, \tag{5}$$
#
# for every kernel and all weights. But if all answers are right, the left
# side is positive and the right side is negative. The next cell computes
# both sides for S4D and for Mamba with random parameters:

# %%
four = ["CAB.__", ".BAC__", "CBA.__", ".ABC__"]
four_ids = np.array([["._ABC".index(sign) for sign in row] for row in four])


def scan_net(cell, num_hiddens, vocab_size, dtype="float32"):
    """Return an untrained network of one layer, computed by a scan."""
    functions = [f"get_{cell}_params", f"init_{cell}_state", f"{cell}_scan"]
    functions = [getattr(rnn, function) for function in functions]
    return rnn.RNNModelScratch(
        vocab_size, num_hiddens, *functions, seed=0, dtype=dtype
    )


for cell in ("s4d", "mamba"):
    net = scan_net(cell, 8, 5, "float64")
    larger = [*net.arrays()[:-2], *(100 * p for p in net.arrays()[-2:])]
    net.load_arrays(larger)  # the output layer
    scores, _ = net.evaluate(four_ids, net.begin_state(4))
    scores = scores.reshape(6, 4, 5)[-1]  # the last step: the second symbol
    f = scores[:, 2] - scores[:, 3]  # of A minus of B
    gap = abs(f[0] + f[1] - f[2] - f[3])
    print(f"{cell}: the two sides of (5) are equal: {gap < 1e-12}")

# %% [markdown]
# ### Exercise 4
#
# How many of the four answers can a network that satisfies (5) give rightly
# at most? (Consider the signs of the four numbers.)

# %%
### BEGIN SOLUTION
most = 3
### END SOLUTION


# %%
def right_answers(f_1, f_2, f_3):
    """Return how many of the four answers are right, with f_4 by (5)."""
    return sum([f_1 > 0, f_2 > 0, f_3 < 0, f_1 + f_2 - f_3 < 0])


check(
    most,
    lambda: max(right_answers(*f) for f in rng.normal(size=(2000, 3))),
    hint="if three of the signs are right, what follows for the fourth?",
)

# %% [markdown]
# ## Selection
#
# Mamba (Gu and Dao, 2023) changes one thing: the time step $\Delta$, the
# input weights $\mathbf{B}$ and the output weights $\mathbf{C}$ are
# functions of the input. The state remains linear, so a scan is still
# possible. A convolution is not, because the decay is different at each
# step. With $\mathbf{V}_t$ for the input of this part of the layer,
#
# $$\boldsymbol{\Delta}_t = \log(1 + e^{\mathbf{V}_t \mathbf{W}_r
# \mathbf{W}_{dt} + \mathbf{b}_{dt}}), \qquad
# \mathbf{B}_t = \mathbf{V}_t \mathbf{W}_B, \qquad
# \mathbf{C}_t = \mathbf{V}_t \mathbf{W}_C, \tag{6}$$
#
# $$\mathbf{S}_t = e^{\boldsymbol{\Delta}_t \mathbf{A}} \odot
# \mathbf{S}_{t-1} + (\boldsymbol{\Delta}_t \odot \mathbf{V}_t)
# \mathbf{B}_t^\top, \qquad
# \mathbf{Z}_t = \mathbf{S}_t \mathbf{C}_t + \mathbf{D} \odot \mathbf{V}_t.
# \tag{7}$$
#
# The function $\log(1 + e^x)$ is called softplus; it is always positive.
# Where $\Delta_t$ is near 0, the state does not change, and the input is
# ignored. Where $\Delta_t$ is large, the state is replaced. So $\Delta_t$ is
# a gate. (Mamba replaces $\bar{B}$ in (2) by its first-order approximation
# $\Delta$. Exercise 5 uses the exact value.)
#
# Around this, a Mamba block normalizes its input, adds up the last four
# inputs of each unit (a short convolution), multiplies the result by a
# second gate, and adds the input of the block to the output. As a loop:


# %%
def silu(A):
    """Return A / (1 + exp(-A))."""
    return 0.5 * A * (np.tanh(0.5 * A) + 1)


def mamba_by_hand(inputs, params):
    """Return the outputs Y (T, n, h) and the steps dt (T, n, 2h)."""
    W_xe, b_e, gain, shift, W_u, b_u, W_g, b_g, W_conv, b_conv, *rest = (
        params
    )
    W_r, W_dt, b_dt, W_B, W_C, log_a, D, W_o, b_o = rest
    last, S, Ys, dts = np.zeros((4, 1, len(b_u))), 0.0, [], []
    for X in inputs:
        E = X @ W_xe + b_e
        M = E - E.mean(-1, keepdims=True)
        M = M / np.sqrt((M * M).mean(-1, keepdims=True) + 1e-5)
        M = gain * M + shift  # normalized
        U = np.broadcast_to(M @ W_u + b_u, (len(X), len(b_u)))
        last = np.concatenate([last[1:] + 0 * U, U[None]])  # four inputs
        V = silu((W_conv[:, None] * last).sum(0) + b_conv)
        dt = np.logaddexp(0, V @ W_r @ W_dt + b_dt)  # (6)
        B, C = V @ W_B, V @ W_C  # (n, N)
        decay = np.exp(dt[:, :, None] * -np.exp(log_a))  # (n, 2h, N)
        S = decay * S + (dt * V)[:, :, None] * B[:, None]  # (7)
        Z = (S * C[:, None]).sum(-1) + D * V
        Ys.append(E + (Z * silu(M @ W_g + b_g)) @ W_o + b_o)
        dts.append(dt)
    return np.array(Ys), np.array(dts)


expected, _ = mamba_by_hand(inputs, layer("mamba")[2][:-2])
for scan in (False, True):
    gap = np.abs(run(inputs, *layer("mamba", scan)) - expected).max()
    print(f"equal to {'the scan' if scan else 'the loop'}: {gap < 1e-12}")

# %% [markdown]
# The scan of the package contains the same equations without a loop:

# %%
rnn.show(linear_scans.scan_mamba)

# %% [markdown]
# ### Exercise 5
#
# The paper contains a theorem: with one state ($N = 1$), $A = -1$ and the
# exact $\bar{B}$ of (2), a selective state space model is a *minGRU without
# tanh*. Let $p_t$ be the number of which (6) takes softplus. Write the
# recurrence (2) for this case as a loop over `p` and `u`, both (T, ...). The
# check compares it with notebook 15's gate.


# %%
def selective(p, u):
    """Return the states S (T, ...) with time steps softplus(p), from 0."""
    ### BEGIN SOLUTION
    S, states = 0.0, []
    for p_t, u_t in zip(p, u):
        dt = np.logaddexp(0, p_t)
        S = np.exp(-dt) * S + (1 - np.exp(-dt)) * u_t
        states.append(S)
    return np.array(states)
    ### END SOLUTION


# %%
def by_mingru(p, H_tilde):
    """Return the states of a minGRU with gates sigmoid(p)."""
    width = p.shape[-1]
    both = np.concatenate([p, np.arctanh(H_tilde)], axis=-1)
    first, second = np.split(np.eye(2 * width), 2, axis=1)
    zeros = np.zeros(width)
    arrays = [first, zeros, second, zeros, np.eye(width), zeros]
    state = (rnn.from_numpy(np.zeros((p.shape[1], width))),)
    params = [rnn.from_numpy(array) for array in arrays]
    outputs, _ = rnn.mingru(rnn.from_numpy(both), state, params)
    return rnn.to_numpy(outputs).reshape(p.shape)


p, u = rng.normal(size=(20, 2, 3)), rng.uniform(-0.9, 0.9, size=(20, 2, 3))
check(
    lambda: selective(p, u),
    lambda: by_mingru(p, u),
    hint="with A = -1, the factor of the old state in (2) is exp(-dt), and "
    "the factor of the input is (exp(-dt) - 1) / -1",
)

# %% [markdown]
# The reason is that $e^{-\log(1 + e^p)} = 1 / (1 + e^p) = 1 - \sigma(p)$.
# The gate of a GRU, which was invented as a switch, and the time step of a
# differential equation are the same thing.
#
# ## Both networks on selective copying
#
# The next cell trains one layer of S4D and one Mamba block. S4D has more
# units, so that the numbers of parameters are similar.

# %%
num_updates, every = full_or_fast((400, 20), (20, 10))
test_ids, test_targets = selective_copies(400, seed=0)


def accuracy(net):
    """Return the share of right answers for each symbol to recall."""
    outputs, _ = net.evaluate(test_ids, net.begin_state(len(test_ids)))
    outputs = outputs.reshape(span + num_marked, len(test_ids), vocab_size)
    answers = outputs.argmax(-1).T
    return (answers == test_targets)[:, span:].mean(axis=0)


nets, curves = {}, {}
sizes = full_or_fast({"s4d": 96, "mamba": 16}, {"s4d": 8, "mamba": 4})
for cell, width in sizes.items():
    net = scan_net(cell, width, vocab_size)
    step = net.make_step(0.02, optimizer="adam")
    curve = []
    for update in range(1, num_updates + 1):
        X, Y = selective_copies(64, seed=update)
        step(X, Y, net.begin_state(len(X)))
        if update % every == 0:
            curve.append(accuracy(net).mean())
    nets[cell], curves[cell] = net, curve
    size = sum(array.size for array in net.arrays())
    print(f"{cell}: {size:,} parameters, {curve[-1]:.0%} right")

# %%
left, right = plot.new_axes(12, 4.8, columns=2)
names = {"s4d": "S4D", "mamba": "Mamba"}
places = np.arange(num_marked)
updates = range(every, num_updates + 1, every)
for number, (cell, label) in enumerate(names.items()):
    style = plot.line_style(number)
    left.plot(updates, curves[cell], label=label, **style)
    heights = accuracy(nets[cell])
    bars = places + 0.38 * number - 0.19
    colour = plot.COLOURS[number]
    right.bar(bars, heights, 0.36, color=colour, label=label)
for ax in (left, right):
    ax.axhline(1 / num_symbols, color="black", linewidth=1.5)
    ax.set(ylim=(0, 1.05))
left.set(xlabel="training step", ylabel="share of right answers")
right.set(xlabel="position among the symbols", xticks=places)
right.set_xticklabels(["first", "second", "third"][:num_marked])
left.legend(loc="lower right")
present(
    [left, right],
    "Mamba learns to copy all three symbols and S4D does not; the black "
    "line is chance level.",
)

# %% [markdown]
# S4D stops far from a solution, for each of the three symbols. In practice,
# layers of S4D are combined with nonlinear functions between them, so that
# (5) does not hold for the whole network. This helps, but in the book's
# experiment such a network also stops far from a solution.
#
# What has Mamba learned? In S4D, the time step of a unit is the same for all
# tokens. The next cell computes the time steps of Mamba, which depend on the
# last four tokens because of the short convolution. The figure shows one
# sequence, and the eight units whose time steps differ most between tokens
# with a symbol among the last four and all other tokens.

# %%
*params, _, _ = (array.astype(float) for array in nets["mamba"].arrays())
_, dts = mamba_by_hand(np.eye(vocab_size)[test_ids.T], params)
dts = dts.transpose(1, 0, 2)  # (n, T, 2h)
marked = test_ids > 1
near = np.array(
    [marked[:, max(0, t - 3) : t + 1].any(1) for t in range(span)]
).T
before = dts[:, :span]
ratios = before[near].mean(axis=0) / before[~near].mean(axis=0)
units = np.argsort(ratios)[::-1][:8]
shown = dts[0][:, units]  # (T, 8)
ax = plot.new_axes(9, 4.8)
image = ax.imshow((shown / shown.max(axis=0)).T, cmap="Blues", vmin=0)
tokens = ["._ABCD"[token] for token in test_ids[0]]
ax.set_xticks(range(len(tokens)), tokens)
ax.set(xlabel="token", ylabel="unit", yticks=[], aspect="auto")
ax.grid(False)
ax.figure.colorbar(image, label=r"$\Delta_t$, largest = 1")
present(
    ax,
    "Time steps of eight units for one sequence: dark at symbols or shortly "
    "after them, light at other fillers.",
)
larger = ratios.max() > 2
print("a unit with time steps twice as large near symbols:", larger)

# %% [markdown]
# These units change their state when a symbol has been read, and keep it
# almost unchanged in long runs of fillers. So their decay depends on the
# number of symbols rather than on the number of tokens. Exactly this is
# impossible with a fixed $\Delta$.
#
# ## Padding
#
# Sequences of different lengths are padded to one length. Padding must not
# change the state. It is *not* sufficient that padded inputs are zero: the
# state still decays at each padded step. In a linear recurrence, a step that
# changes nothing has $a_t = 1$ and $b_t = 0$. The package uses a mask for
# this, so that each row of a padded batch gives the same result as alone:

# %%
batch = [[1, 2, 3, 4], [2], [3, 0]]
for cell in ("mingru", "minlstm", "s4d", "mamba"):
    reader = rnn.SequenceClassifierScratch(
        5, 4, 3, cell=cell, seed=0, dtype="float64"
    )
    alone = np.concatenate([reader.evaluate([row]) for row in batch])
    gap = np.abs(reader.evaluate(batch) - alone).max()
    print(f"{cell}: padded and alone agree: {gap < 1e-12}")

# %% [markdown]
# ### Exercise 6
#
# Change $a$ and $b$ with a mask, which is 1 at inputs and 0 at padding, so
# that a scan ignores the padding wherever it is.


# %%
def masked(a, b, mask):
    """Return a and b (T, n) of a scan that ignores steps of mask 0."""
    ### BEGIN SOLUTION
    return mask * a + (1 - mask), mask * b
    ### END SOLUTION


# %%
rng = np.random.default_rng(3)
a, b = rng.uniform(0, 1, size=(12, 4)), rng.normal(size=(12, 4))
mask = rng.integers(2, size=(12, 4)).astype(float)


def last_state(a, b):
    """Return the last state of a scan."""
    tensors = rnn.from_numpy(a), rnn.from_numpy(b)
    return rnn.to_numpy(rnn.associative_scan(*tensors))[-1]


check(
    lambda: last_state(*masked(a, b, mask)),
    lambda: np.concatenate(
        [
            last_state(a[rows, row : row + 1], b[rows, row : row + 1])
            for row, rows in enumerate(mask.T > 0)
        ]
    ),
    hint="which a and b give h again, for every h?",
)

# %% [markdown]
# ## What to take away
#
# - A state space model is a linear differential equation. With an input that
#   is constant during each step, its exact solution is a linear recurrence.
# - With fixed parameters, the loop, the scan and a convolution compute the
#   same function. The kernel is a sum of decaying exponentials, and $\Delta$
#   is its scale.
# - A fixed kernel weights the past by distance, not by content. Four short
#   sequences prove that it cannot copy selectively.
# - If $\Delta$, $\mathbf{B}$ and $\mathbf{C}$ depend on the input, the scan
#   remains and the convolution is lost. $\Delta$ is a gate: with one state,
#   it is exactly the gate of a minGRU.
# - A padded step needs $a = 1$ and $b = 0$. Inputs of zero are not
#   sufficient.
#
# **Proven in the repository**, for five backends:
# `test_the_scan_of_a_cell_equals_its_loop`,
# `test_s4d_is_a_convolution_with_its_kernel`,
# `test_padding_does_not_change_the_state` and
# `test_ten_thousand_steps_do_not_overflow` in `tests/nets/test_scan.py`.
