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
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/d2lrnn/d2lrnn/blob/main/notebooks/14-from-one-machine-to-many.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/d2lrnn/d2lrnn/blob/main/notebooks/14-from-one-machine-to-many.ipynb)
#
# # 14. From one machine to many
#
# If training takes too long on one machine, several machines can share the
# work: each uses some rows of every minibatch, computes their gradients, and
# the gradients are averaged. Which part of this is exact, and which is not?
# Where must gradients be clipped? And are the results the same as with one
# process? They are, up to rounding, and at the end two processes on this
# machine show it.
#
# The notebook follows section 13.5 of *Dive into Deep Learning*, on training
# with several GPUs, and uses the networks of its chapters 9 and 10. Read
# notebook 3 first.

# %%
import importlib.util

if importlib.util.find_spec("d2lrnn") is None:
    # %pip install -q "d2lrnn[torch] @ git+https://github.com/d2lrnn/d2lrnn"
    importlib.invalidate_caches()

# %%
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from d2lrnn import backends, plot
from d2lrnn.measure import scaling
from d2lrnn.nets import averaging
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
# ## All-reduce: the sum over all workers
#
# Let $k$ workers each have a gradient vector, $\mathbf{g}_1, \ldots,
# \mathbf{g}_k$. Each worker needs the sum of all vectors. This operation is
# called *all-reduce*. One worker could receive all vectors, add them, and
# send the sum to the others; but then this worker limits the speed. A *ring*
# avoids this. Each vector is divided into $k$ pieces. In each of $k - 1$
# rounds, every worker sends one piece to its neighbour, which adds it to its
# own piece. After that, each worker has the complete sum of one piece. In
# another $k - 1$ rounds, the complete sums are sent around the ring. The
# next cell implements it in NumPy, with one row per worker.


# %%
def ring_all_reduce(vectors, history=None):
    """Return the sums of each worker, and the numbers that it sent."""
    k = len(vectors)
    pieces = [
        np.array_split(vector.copy(), k) for vector in vectors
    ]  # pieces[worker][place]
    sent = np.zeros(k, int)
    for adding in (True, False):
        for turn in range(k - 1):
            places = [
                (worker - turn + (not adding)) % k for worker in range(k)
            ]
            moving = [
                pieces[worker][place].copy()
                for worker, place in enumerate(places)
            ]
            for worker, (place, piece) in enumerate(zip(places, moving)):
                neighbour = pieces[(worker + 1) % k]
                neighbour[place] = (
                    neighbour[place] + piece if adding else piece
                )
                sent[worker] += piece.size
            if history is not None:  # the first number of each piece
                history.append(
                    [[piece[0] for piece in row] for row in pieces]
                )
    return np.array([np.concatenate(row) for row in pieces]), sent


rng = np.random.default_rng(0)
vectors = rng.normal(size=(4, 12))
sums, sent = ring_all_reduce(vectors)
print("every worker has the sum:", np.allclose(sums, vectors.sum(0)))
print("numbers sent by each worker:", sent)

# %% [markdown]
# In the figure, each of four workers starts with ones. Then the value of a
# piece is the number of workers whose values were added.

# %%
ones = np.ones((4, 4))
rounds = [ones]
ring_all_reduce(ones, rounds)
axes = plot.new_axes(14, 3, columns=len(rounds))
for number, (ax, counts) in enumerate(zip(axes, rounds)):
    ax.imshow(counts, cmap="Blues", vmin=0, vmax=6, interpolation="none")
    for worker, row in enumerate(counts):
        for place, count in enumerate(row):
            ax.text(place, worker, f"{count:.0f}", ha="center", va="center")
    ax.set(xticks=[], yticks=[])
    ax.set_title(f"round {number}" if number else "start", fontsize=14)
    ax.grid(False)
axes[0].set(xlabel="piece", ylabel="worker")
present(
    axes,
    "A row for each worker, a column for each piece: after three rounds "
    "each has one complete sum, after three more it has all.",
)

# %% [markdown]
# ### Exercise 1
#
# A vector has $N$ numbers, and $k$ divides $N$. How many numbers does each
# of $k$ workers send?


# %%
def numbers_sent(k, N):
    """Return the number of values that a worker sends."""
    ### BEGIN SOLUTION
    return 2 * (k - 1) * N // k
    ### END SOLUTION


# %%
check(
    lambda: [
        numbers_sent(4, 12),
        numbers_sent(2, 100),
        numbers_sent(64, 6400),
    ],
    lambda: [
        ring_all_reduce(np.zeros((k, N)))[1][0]
        for k, N in ((4, 12), (2, 100), (64, 6400))
    ],
    hint="there are 2 (k - 1) rounds, and in each round a worker "
    "sends one of k pieces",
)

# %% [markdown]
# For any number of workers, each sends fewer than $2N$ numbers. For this
# reason, frameworks use rings between machines.

# %% [markdown]
# ## Averaging gradients is exact
#
# The loss of a minibatch is the mean over its rows, and so is its gradient.
# If two workers each use half of the rows, the mean of their gradients is
# the gradient of the whole minibatch,
#
# $$\frac{1}{n} \sum_{i=1}^{n} \nabla \ell_i =
# \frac{1}{2} \Big( \frac{2}{n} \sum_{i \le n/2} \nabla \ell_i +
# \frac{2}{n} \sum_{i > n/2} \nabla \ell_i \Big).$$
#
# This is not an approximation: only the order of the sum is different.

# %%
loader, vocab = rnn.load_data_builtin(8, 20, seed=0)
X, Y = (rnn.to_numpy(ids) for ids in next(iter(loader)))


functions = rnn.stack("gru")


def new_net():
    """Return a small untrained network in float64."""
    return rnn.RNNModelScratch(
        len(vocab), 32, *functions, seed=0, dtype="float64"
    )


def flat_gradient(net, X, Y):
    """Return the gradient of a minibatch's mean loss as one vector."""
    _, gradients = net.gradients(X, Y, net.begin_state(len(X)))
    return np.concatenate([gradient.ravel() for gradient in gradients])


net = new_net()
whole = flat_gradient(net, X, Y)
halves = [
    flat_gradient(net, X[rows], Y[rows])
    for rows in (slice(0, 4), slice(4, 8))
]
difference = np.abs(np.mean(halves, axis=0) - whole).max()
print(
    f"{whole.size:,} numbers; the largest difference is below 1e-15: "
    f"{difference < 1e-15}"
)

# %% [markdown]
# ### Exercise 2
#
# Three workers have 2, 3 and 3 of eight rows. Compute the gradient of all
# eight rows from the gradients of the three workers.


# %%
def averaged(gradients, counts):
    """Return the gradient of all rows; counts has the rows per worker."""
    ### BEGIN SOLUTION
    return sum(
        count * gradient for gradient, count in zip(gradients, counts)
    ) / sum(counts)
    ### END SOLUTION


# %%
thirds = [slice(0, 2), slice(2, 5), slice(5, 8)]
check(
    lambda: averaged(
        [flat_gradient(net, X[rows], Y[rows]) for rows in thirds], [2, 3, 3]
    ),
    whole,
    hint="weight the gradient of each worker by its number of rows",
)

# %% [markdown]
# The package computes it in this way. Each process puts its number of
# targets and the sums of its loss and gradients into one vector. After the
# all-reduce, the sums are divided by the number of all targets.

# %%
rnn.show(averaging.make_update)

# %% [markdown]
# ## Averaging parameters is not exact
#
# It would be cheaper if each worker trained alone for some steps, and only
# the *parameters* were averaged from time to time. This can work well, but
# it is a different method. A gradient depends on the parameters: after one
# step, the workers have different parameters, and the mean of gradients at
# different parameters is not the gradient at the mean of the parameters.
#
# In the next cell, two workers average their parameters after a certain
# number of steps of gradient descent. The figure shows the difference from
# one process that uses all rows.


# %%
def train(parts, every, num_steps):
    """Return the mean parameters after averaging at an interval."""
    workers = [new_net().arrays() for _ in parts]
    for step in range(1, num_steps + 1):
        for number, rows in enumerate(parts):
            net.load_arrays(workers[number])
            _, gradients = net.gradients(
                X[rows], Y[rows], net.begin_state(len(X[rows]))
            )
            workers[number] = [
                w - 1.0 * g for w, g in zip(workers[number], gradients)
            ]
        if step % every == 0:
            workers = [
                [np.mean(same, axis=0) for same in zip(*workers)]
                for _ in parts
            ]
    return np.concatenate([np.ravel(array) for array in workers[0]])


everything, in_two = [slice(0, 8)], [slice(0, 4), slice(4, 8)]
intervals, num_steps = (1, 2, 4, 8), full_or_fast(32, 8)
alone = train(everything, 1, num_steps)
apart = [
    np.abs(train(in_two, every, num_steps) - alone).max()
    for every in intervals
]
ax = plot.new_axes(8, 4.8)
ax.plot(intervals, apart, "o", color=plot.COLOURS[0])
ax.set(
    yscale="log",
    xlabel="steps between two averages",
    ylabel="largest difference",
)
present(
    ax,
    "With one step between averages the difference is rounding; with "
    "two it is far above.",
)

# %% [markdown]
# With an interval of one step, the difference is rounding: both workers
# start with the same parameters, and a step of gradient descent is linear in
# the gradient. With two or more steps, the difference is much larger.

# %% [markdown]
# ## Clip after averaging
#
# Even with an interval of one step, there is another condition. Clipping is
# not linear. If each worker clips its own gradient before averaging, large
# gradients are reduced for some rows and not for others, and the norm of the
# mean differs from the norm in one process. So the right order is: average
# the gradients, then clip by the norm of the mean.

# %%
theta = 0.5 * float(np.sqrt((whole**2).sum()))


def clipped(gradient):
    """Return a gradient with a norm of at most theta."""
    return gradient * min(1.0, theta / np.sqrt((gradient**2).sum()))


first_average = clipped(np.mean(halves, axis=0))
first_clip = np.mean([clipped(half) for half in halves], axis=0)
right = clipped(whole)
print(
    "average, then clip, is right:",
    np.allclose(first_average, right, rtol=1e-9),
)
print(
    "clip, then average, is right:",
    np.allclose(first_clip, right, rtol=1e-9),
)

# %%
pairs = np.array([[3.0, 1.0], [-0.2, 0.9]])
shortened = pairs / np.maximum(1, np.linalg.norm(pairs, axis=1))[:, None]
mean = pairs.mean(axis=0)
ends = {
    "average, then clip": mean / max(1, np.linalg.norm(mean)),
    "clip, then average": shortened.mean(axis=0),
}
ax = plot.new_axes(9, 4.8)
angles = np.linspace(0, 2 * np.pi, 200)
ax.plot(np.cos(angles), np.sin(angles), color="black", label=r"$\theta = 1$")
for number, pair in enumerate(pairs):
    style = plot.line_style(0) | {"linestyle": "-", "linewidth": 2}
    label = None if number else "gradients of two workers"
    ax.plot(*np.array([[0, 0], pair]).T, label=label, **style)
for number, (label, end) in enumerate(ends.items(), 1):
    style = plot.line_style(number)
    ax.plot(*np.array([[0, 0], end]).T, label=label, marker="o", **style)
ax.set(xlabel="gradient of $w_1$", ylabel="gradient of $w_2$")
ax.set(aspect="equal", xlim=(-1.2, 5.6), ylim=(-1.1, 1.5))
ax.legend(loc="center right")
present(
    ax,
    "Clipping before the average changes the direction, and the step is "
    "shorter than the bound, although the average is longer.",
)

# %% [markdown]
# The longer of the two gradients belongs to rows for which the predictions
# are worst. If it is clipped separately, it has no more influence than the
# other, so the update has another direction.

# %% [markdown]
# ### Exercise 3
#
# Two workers have the gradients $(3, 4)$ and $(0, 1)$, and $\theta = 1$.
# What is the update of one process that uses all rows, in units of the
# learning rate?

# %%
### BEGIN SOLUTION
moved = np.array([1.5, 2.5]) / np.sqrt(1.5**2 + 2.5**2)
### END SOLUTION

# %%
pair = np.array([[3.0, 4.0], [0.0, 1.0]])
check(
    moved,
    lambda: rnn.to_numpy(
        rnn.grad_clipping([rnn.from_numpy(pair.mean(axis=0))], 1.0)[0][0]
    ),
    hint="average first: (1.5, 2.5); its norm is larger than 1",
)

# %% [markdown]
# ## Two processes
#
# Now we start two real processes. `d2lrnn launch` starts processes with the
# communication library of the backend: MPI for NumPy, `torch.distributed`,
# `jax.distributed`, TensorFlow's `MultiWorkerMirroredStrategy`, or MXNet's
# parameter server. In each process, `rnn.processes()` returns the rank and
# the world size. The rest of the script is the same as for one process.

# %%
script = f"""
import sys
from d2lrnn import backends

backends.prepare()
rnn = backends.load("{rnn.__name__.rpartition(".")[2]}")
processes = rnn.processes()
loader, vocab = rnn.load_data_builtin(8, 20, seed=0, max_tokens=2000)
functions = rnn.get_lstm_params, rnn.init_lstm_state, rnn.lstm
settings = {{"seed": 0, "dtype": "float64"}}
net = rnn.RNNModelScratch(len(vocab), 32, *functions, **settings)
num_epochs = {full_or_fast(20, 3)}
history = rnn.train_ch8(net, loader, vocab, 1.0, num_epochs, progress=False)
if processes.rank == 0:
    rnn.save_model(sys.argv[1], net, vocab)
    last = history.perplexity[-1]
    print(f"{{processes.size}} processes: perplexity {{last:.10f}}")
"""


def run(number):
    """Train with this number of processes; return the parameters."""
    with tempfile.TemporaryDirectory() as folder:
        file, model = Path(folder) / "together.py", Path(folder) / "model"
        file.write_text(script)
        backend = rnn.__name__.rpartition(".")[2]
        launch = [
            "-m",
            "d2lrnn",
            "launch",
            "--processes",
            f"{number}",
            "--backend",
            backend,
            "--",
        ]
        words = [
            sys.executable,
            *(launch if number > 1 else []),
            str(file),
            str(model),
        ]
        result = subprocess.run(
            words, capture_output=True, text=True, check=False
        )
        print(
            result.stdout.strip()
            if result.returncode == 0
            else result.stderr
        )
        return rnn.load_model(model)[0].arrays()


print(rnn.processes().rank, "of", rnn.processes().size, "is this notebook")
one, two = run(1), run(2)
largest = max(np.abs(a - b).max() for a, b in zip(one, two))
print(
    "the largest difference of a parameter is below 1e-12: "
    f"{largest < 1e-12}"
)

# %% [markdown]
# ## When are several workers faster?
#
# One process takes $c$ seconds for a step. With $k$ workers, the computation
# takes $c / k$ seconds, and the all-reduce takes another $r$ seconds. This
# time does not decrease with the number of workers, because each always
# sends nearly $2N$ numbers. The figure assumes a GRU in float32 with 512
# hidden units, a step of 0.2 seconds, and networks of three speeds.

# %%
num_bytes, seconds = scaling.num_bytes("gru", 512), 0.2
workers = 2 ** np.arange(10)
ax = plot.new_axes(8, 4.8)
for number, (name, network) in enumerate(scaling.NETWORKS.items()):
    reduce = np.array(
        [scaling.seconds_on(network, k, num_bytes) for k in workers]
    )
    speed_up = seconds / (seconds / workers + reduce)
    ax.plot(workers, speed_up, label=name, **plot.line_style(number))
ax.set(
    xscale="log",
    yscale="log",
    xlabel="workers",
    ylabel="speed-up over one worker",
)
ax.legend()
present(
    ax,
    "Speed-up for each number of workers and three networks: lines flatten, "
    "the one for the slowest network first.",
)

# %% [markdown]
# ### Exercise 4
#
# What is the largest possible speed-up on the slowest of the three networks,
# for any number of workers?

# %%
### BEGIN SOLUTION
limit = seconds / (2 * num_bytes * 8 / 1e9)
### END SOLUTION

# %%
check(
    limit,
    lambda: seconds / scaling.seconds_on(1e9, 10**9, num_bytes),
    hint="c / k goes to 0, and the time of the all-reduce remains: 2 N "
    "numbers of 4 bytes",
    tolerance=1e-3,
)

# %% [markdown]
# ### Exercise 5
#
# On the slowest of the three networks, for how many workers does the
# all-reduce take as much time as the computation? (The answer need not be an
# integer. Do not round.)

# %%
### BEGIN SOLUTION
even = 1 + seconds / (2 * num_bytes * 8 / 1e9)
### END SOLUTION

# %%
check(
    lambda: scaling.seconds_on(1e9, even, num_bytes) - seconds / even,
    0,
    hint="solve c / k = 2 (k - 1) / k * (time of N numbers) for k",
    tolerance=1e-9,
)

# %% [markdown]
# A larger minibatch increases $c$ and does not change $r$. So many machines
# can be used efficiently with large minibatches. But then there are fewer
# updates for the same text, and the learning rate must be chosen again.

# %% [markdown]
# ## What to take away
#
# - In a ring, each worker sends fewer than twice its numbers, for any number
#   of workers.
# - Averaging gradients is exact if they are weighted by the number of rows.
#   Averaging parameters is a different method.
# - Average first, then clip by the norm of the mean.
# - The time of the all-reduce does not decrease with the number of workers,
#   so in the end it dominates.
#
# **Proven in the repository**, for five backends, two and four processes:
# `test_parameters_equal_those_of_one_process` and
# `test_the_reported_numbers_include_all_rows` in
# `tests/distributed/test_same_numbers.py`; and the loss of a process,
# `test_a_killed_process_ends_the_others_and_the_run_can_be_resumed` in
# `tests/distributed/test_lost_process.py`.
