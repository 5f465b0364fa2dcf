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
# When a text is too long for one machine, several can share the work: each
# takes some rows of every minibatch, computes their gradients, and all of
# them average. What is exact about that, and what is not? Where must
# clipping stand? And are the numbers those of one process? They are, to the
# last digits, and at the end two processes of this machine show it.
#
# It follows section 13.5 of *Dive into Deep Learning*, on training with
# several GPUs, and uses the networks of its chapters 9 and 10. Read notebook
# 3 before.

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

# Before any framework: float64 in JAX, less talk from TensorFlow.
backends.prepare()
plot.use_style()

# %% [markdown]
# Everything below runs on any of five backends. Edit this line, and nothing
# else, to choose one.

# %%
from d2lrnn import torch as rnn  # or tensorflow, jax, mxnet, numpy

# %% [markdown]
# ## A sum over all
#
# Say $k$ workers have a vector of gradients each, $\mathbf{g}_1, \ldots,
# \mathbf{g}_k$, and each wants the sum of all. That is called an
# *all-reduce*. One of them could collect all vectors, add them up and send
# the sum round; then all the others wait for one. In a *ring* nobody does.
# Each vector is cut into $k$ pieces. In $k - 1$ rounds, each worker sends
# one piece to its neighbour, which adds it to its own: after that, each has
# the whole sum of one piece. In $k - 1$ more rounds the finished pieces go
# round. Here it is, in NumPy, with a row for each worker.


# %%
def ring_all_reduce(vectors, seen=None):
    """Return what each worker has after a ring, and how much it has sent."""
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
            if seen is not None:  # the first number of each piece
                seen.append([[piece[0] for piece in own] for own in pieces])
    return np.array([np.concatenate(own) for own in pieces]), sent


rng = np.random.default_rng(0)
vectors = rng.normal(size=(4, 12))
sums, sent = ring_all_reduce(vectors)
print("every worker has the sum:", np.allclose(sums, vectors.sum(0)))
print("numbers that each has sent:", sent)

# %% [markdown]
# Let each of four workers begin with ones: then what stands in a piece is of
# how many workers it is the sum.

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
    "each has one whole sum, after three more all of them.",
)

# %% [markdown]
# ### Exercise 1
#
# How many numbers does each of $k$ workers send for a vector of $N$ numbers,
# if $k$ divides $N$?


# %%
def numbers_sent(k, N):
    """Return how many numbers a worker sends."""
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
    hint="there are 2 (k - 1) rounds, and in each a worker "
    "sends one of k pieces",
)

# %% [markdown]
# However many workers there are, none sends more than $2N$ numbers. That is
# why a ring is what the frameworks' engines use between machines.

# %% [markdown]
# ## Averaging gradients is exact
#
# The loss of a minibatch is the mean over its rows, and so is its gradient.
# Two halves of the rows therefore give two gradients whose mean is that of
# the whole,
#
# $$\frac{1}{n} \sum_{i=1}^{n} \nabla \ell_i =
# \frac{1}{2} \Big( \frac{2}{n} \sum_{i \le n/2} \nabla \ell_i +
# \frac{2}{n} \sum_{i > n/2} \nabla \ell_i \Big).$$
#
# No approximation is in it: only the order of a sum has changed.

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
# Three workers share eight rows as 2, 3 and 3. What is the gradient of all
# eight, of the three that they have?


# %%
def averaged(gradients, counts):
    """Return the gradient of all rows, of workers with so many rows each."""
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
    hint="a worker that has more rows counts for more",
)

# %% [markdown]
# The package does just that. Each process puts its number of targets in
# front, then the sums of its own loss and gradients, all in one vector; what
# comes back is divided by the number of all targets.

# %%
rnn.show(averaging.make_update)

# %% [markdown]
# ## Averaging parameters is not
#
# Would it not be cheaper to let each worker train on its own for a while,
# and to average the *parameters* now and then? It is done, and it can work
# well, but it is another method. The gradient depends on where it is taken:
# after one step of its own each worker is somewhere else, and the mean of
# gradients taken in different places is not the gradient at the mean.
#
# Below, two workers average their parameters after every so many steps of
# gradient descent. Drawn is how far they are then from one process that has
# had all rows.


# %%
def train(parts, every, num_steps):
    """Return the parameters of workers that average now and then."""
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
    xlabel="steps from one average to the next",
    ylabel="largest difference",
)
present(
    ax,
    "With one step between averages the difference is rounding; with "
    "two it is far above.",
)

# %% [markdown]
# At an interval of one, the difference is rounding: all start from one
# place, and a step of gradient descent is linear in the gradient. From two
# steps on it is of another kind.

# %% [markdown]
# ## What clipping must see
#
# There is one more condition, even at an interval of one. Clipping is not
# linear. If each worker clips its own gradient before the average, large
# ones are cut in one half of the rows and not in the other, and the norm of
# the average is not what the one process has seen. So the order is: average,
# then clip, by the norm of the whole.

# %%
theta = 0.5 * float(np.sqrt((whole**2).sum()))


def clipped(gradient):
    """Return a gradient, shortened to theta where it is longer."""
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
    "Clipping before the average turns the step, and makes it shorter than "
    "the bound, although the true average is longer.",
)

# %% [markdown]
# The longer of the two gradients comes from rows that the network does worst
# at. Clipped by itself it has no more say than the other, so the step points
# elsewhere.

# %% [markdown]
# ### Exercise 3
#
# Two workers have the gradients $(3, 4)$ and $(0, 1)$, and $\theta = 1$.
# What does one process that has all rows move by, in units of the learning
# rate?

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
    hint="average first: (1.5, 2.5); its norm is above 1",
)

# %% [markdown]
# ## Two processes
#
# Now in earnest. `d2lrnn launch` starts processes with the engine of the
# backend: MPI for NumPy, `torch.distributed`, `jax.distributed`,
# TensorFlow's `MultiWorkerMirroredStrategy`, MXNet's parameter server. In
# each of them, `rnn.processes()` knows the rank and the size. Nothing else
# in the script differs from training in one process.

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
    """Train in so many processes; return the parameters that came of it."""
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
        done = subprocess.run(
            words, capture_output=True, text=True, check=False
        )
        print(done.stdout.strip() if done.returncode == 0 else done.stderr)
        return rnn.load_model(model)[0].arrays()


print(rnn.processes().rank, "of", rnn.processes().size, "is this notebook")
one, two = run(1), run(2)
largest = max(np.abs(a - b).max() for a, b in zip(one, two))
print(
    "the largest difference of a parameter is below 1e-12: "
    f"{largest < 1e-12}"
)

# %% [markdown]
# ## When it pays
#
# A step of one process takes $c$ seconds. With $k$ workers it takes $c / k$,
# and the seconds $r$ of the all-reduce come on top. They do not shrink as
# there are more workers: each always sends nearly $2N$ numbers. The figure
# takes the numbers of a GRU in float32 with 512 hidden units and a step of
# 0.2 seconds, and networks of three speeds.

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
    ylabel="times as fast as one",
)
ax.legend()
present(
    ax,
    "Speed over workers, for three networks: each line levels "
    "off, the slowest first.",
)

# %% [markdown]
# ### Exercise 4
#
# However many workers there are, how many times as fast as one can they be
# on the slowest of the three?

# %%
### BEGIN SOLUTION
limit = seconds / (2 * num_bytes * 8 / 1e9)
### END SOLUTION

# %%
check(
    limit,
    lambda: seconds / scaling.seconds_on(1e9, 10**9, num_bytes),
    hint="c / k goes to 0, and what is left is the time that 2 N "
    "numbers of 4 bytes take",
    tolerance=1e-3,
)

# %% [markdown]
# ### Exercise 5
#
# Up to how many workers is it worth while? On the slowest of the three, with
# how many workers is as much time spent on the all-reduce as on computing?
# (It need not be a whole number. Do not round.)

# %%
### BEGIN SOLUTION
even = 1 + seconds / (2 * num_bytes * 8 / 1e9)
### END SOLUTION

# %%
check(
    lambda: scaling.seconds_on(1e9, even, num_bytes) - seconds / even,
    0,
    hint="solve c / k = 2 (k - 1) / k times the time of N numbers for k",
    tolerance=1e-9,
)

# %% [markdown]
# More rows in a minibatch make $c$ longer and leave $r$ as it is. That is
# how many machines are kept busy; but a larger minibatch is another
# training, with fewer steps for the same text, and its learning rate has to
# be found anew.

# %% [markdown]
# ## What to take away
#
# - In a ring, each worker sends less than twice its numbers, however many
#   workers there are.
# - Averaging gradients is exact, weighted by rows; averaging parameters is
#   another method.
# - Average, then clip: the norm is that of the whole gradient.
# - All-reducing takes as long for many as for few, so that it is what is
#   left in the end.
#
# **Proven in the repository**, for five backends, two and four processes:
# `test_parameters_are_those_of_one_process` and
# `test_what_is_reported_is_that_of_all_rows` in
# `tests/distributed/test_same_numbers.py`; that a lost process takes nothing
# with it, `test_one_that_is_killed_ends_the_others_and_the_run_goes_on` in
# `tests/distributed/test_lost_process.py`.
