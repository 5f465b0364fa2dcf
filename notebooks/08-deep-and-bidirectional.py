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
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/d2lrnn/d2lrnn/blob/main/notebooks/08-deep-and-bidirectional.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/d2lrnn/d2lrnn/blob/main/notebooks/08-deep-and-bidirectional.ipynb)
#
# # 8. Deep and bidirectional networks
#
# A recurrent network can be made larger in two ways without making its layer
# larger. It can be *deep*: the states of one layer are what the next one
# reads. And it can be *bidirectional*: one layer reads from the beginning to
# the end and another from the end to the beginning. Here is what each is
# good for, and what a network that reads the future must never be asked to
# do.
#
# It follows sections 10.3 and 10.4 of *Dive into Deep Learning*, with its
# notation. Notebook 3 has the layer that all of this is made of; notebook 10
# has the language that helps to catch a cheat.

# %%
import importlib.util

if importlib.util.find_spec("d2lrnn") is None:
    # %pip install -q "d2lrnn[torch] @ git+https://github.com/d2lrnn/d2lrnn"
    importlib.invalidate_caches()

# %%
import numpy as np

from d2lrnn import backends, plot
from d2lrnn.data import generated
from d2lrnn.nets import layers, losses
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
# ## Deep
#
# The hidden states of a layer are a sequence of vectors, one for each time
# step. That is just what a layer reads. So a second one can read the states
# of the first, a third those of the second:
#
# $$\mathbf{H}_t^{(l)} = \phi_l\left(
# \mathbf{H}_t^{(l-1)} \mathbf{W}_{xh}^{(l)} +
# \mathbf{H}_{t-1}^{(l)} \mathbf{W}_{hh}^{(l)} +
# \mathbf{b}_h^{(l)}\right), \qquad
# \mathbf{H}_t^{(0)} = \mathbf{X}_t, \qquad
# \mathbf{O}_t = \mathbf{H}_t^{(L)} \mathbf{W}_{hq} + \mathbf{b}_q.$$
#
# Only the last layer's states make the output. Each layer has a state of its
# own to start from.

# %%
present(
    diagrams.deep(),
    "Two layers over three steps: the upper one reads the "
    "states of the lower.",
)

# %% [markdown]
# As a program it is one loop within another: over layers, and in each layer
# over time. What a layer has made of the whole sequence is the next layer's
# input. Here it is in NumPy, for layers that are given as triples of
# $\mathbf{W}_{xh}$, $\mathbf{W}_{hh}$ and $\mathbf{b}_h$.


# %%
def deep_rnn(inputs, layers):
    """Return the last layer's states (T, n, h), for inputs (T, n, d)."""
    for W_xh, W_hh, b_h in layers:
        H, Hs = np.zeros((inputs.shape[1], len(b_h))), []
        for X in inputs:  # over time
            H = np.tanh(X @ W_xh + H @ W_hh + b_h)
            Hs.append(H)
        inputs = np.array(Hs)  # what the next layer reads
    return inputs


# %% [markdown]
# And this is a network of the package with the same weights. `rnn.stack`
# gives the three functions that `RNNModelScratch` is made of.

# %%
functions = rnn.stack("rnn", num_layers=2)
net = rnn.RNNModelScratch(28, 64, *functions, seed=0, dtype="float64")
*arrays, W_hq, b_q = net.arrays()
ids = np.random.default_rng(0).integers(28, size=(3, 5))  # (n, T)
Hs = deep_rnn(np.eye(28)[ids.T], [arrays[:3], arrays[3:]])
scores, _ = net.evaluate(ids, net.begin_state(3))
print("the same:", np.allclose(Hs.reshape(-1, 64) @ W_hq + b_q, scores))

# %% [markdown]
# In the package, too, it is a loop over layers, around the loop over time
# that every cell has. Any cell can be stacked. (`masked` is for sequences of
# different lengths, which come further down; the second of `directions`
# comes next.)

# %%
rnn.show(layers.run_layers)

# %%
for name, array in zip(net.architecture.parameters, net.arrays()):
    print(f"{name:12} {array.shape}")
print("states:", [tuple(H.shape) for H in net.begin_state(5)])

# %% [markdown]
# A framework's own layers can be stacked as well: there, the number of
# layers is an argument.

# %%
if hasattr(rnn, "RNNModel"):  # NumPy has no layers of its own
    own = rnn.RNNModel(rnn.GRU(28, 64, num_layers=2, seed=0), 28, seed=0)
    print("states:", [tuple(H.shape) for H in own.begin_state(5)])

# %% [markdown]
# ### Exercise 1
#
# Three layers of LSTM with 64 units each read a minibatch of 5 rows. Of how
# many matrices does the state consist, and which shape has each?

# %%
### BEGIN SOLUTION
num_matrices, shape = 2 * 3, (5, 64)
### END SOLUTION

# %%
lstm = rnn.RNNModelScratch(28, 64, *rnn.stack("lstm", 3), seed=0)
check(
    lambda: [num_matrices, *shape],
    lambda: [len(lstm.begin_state(5)), *lstm.begin_state(5)[0].shape],
    hint="an LSTM carries H and C, and each layer has its own",
)

# %% [markdown]
# ### Exercise 2
#
# How many parameters has a GRU language model of $L$ layers? A GRU has three
# sets of $\mathbf{W}_x$, $\mathbf{W}_h$ and $\mathbf{b}$ in each layer.


# %%
def gru_size(vocab_size, num_hiddens, num_layers):
    """Return the number of parameters, the output layer's included."""
    ### BEGIN SOLUTION
    first = 3 * (vocab_size * num_hiddens + num_hiddens**2 + num_hiddens)
    other = 3 * (num_hiddens * num_hiddens + num_hiddens**2 + num_hiddens)
    return (
        first
        + (num_layers - 1) * other
        + num_hiddens * vocab_size
        + vocab_size
    )
    ### END SOLUTION


# %%
def gru_of(num_layers):
    """Return a GRU of some layers for 28 tokens, 64 hidden units in each."""
    return rnn.RNNModelScratch(28, 64, *rnn.stack("gru", num_layers), seed=0)


check(
    lambda: [gru_size(28, 64, num_layers) for num_layers in (1, 2, 3)],
    lambda: [
        sum(array.size for array in gru_of(n).arrays()) for n in (1, 2, 3)
    ],
    hint="the first layer reads tokens; the others read states, which "
    "have num_hiddens features",
)

# %% [markdown]
# ## Does depth help?
#
# First, what arrives at the upper layers? A layer multiplies what it reads
# by its weights, and $\tanh$ makes nothing larger. Six layers of 64 units,
# untrained, read 20 random tokens; drawn is how large the last states of
# each layer are, as the root of the mean of their squares, for first weights
# of several standard deviations.


# %%
def sizes_of_states(std, num_layers=6, num_hiddens=64):
    """Return the size of each layer's last states, from the first on."""
    rng = np.random.default_rng(0)
    inputs = np.eye(num_hiddens)[rng.integers(num_hiddens, size=(20, 4))]
    found = []
    for _ in range(num_layers):
        W_xh, W_hh = std * rng.standard_normal((2, num_hiddens, num_hiddens))
        inputs = deep_rnn(inputs, [(W_xh, W_hh, np.zeros(num_hiddens))])
        found.append(float(np.sqrt((inputs[-1] ** 2).mean())))
    return found


ax = plot.new_axes(8, 4.8)
for number, std in enumerate((0.01, 0.05, 0.1, 0.5)):
    found = sizes_of_states(std)
    label = f"first weights of {std:g}"
    style = plot.line_style(number)
    ax.plot(range(1, 7), found, label=label, marker="o", **style)
ax.set(yscale="log", xlabel="layer", ylabel="size of its states")
ax.legend(loc="lower left")
present(
    ax,
    "Small first weights make the states smaller from layer to layer, "
    "large ones drive all of them towards 1.",
)

# %% [markdown]
# With a standard deviation of 0.01, each layer hands on less than a tenth of
# what it gets. With 0.5 nothing is lost, but the states are close to 1 and
# -1, where $\tanh$ is flat, and little gradient comes back through it.
# Between the two there is a good choice, and it depends on the number of
# units: a sum of $h$ terms grows as $\sqrt{h}$ does.

# %% [markdown]
# ### Exercise 3
#
# Find a standard deviation with which the states of the sixth layer are at
# least half and at most twice as large as those of the second, and those of
# the second smaller than 0.7, so that $\tanh$ is not flat. Try some values
# with `sizes_of_states`; or think how large $\mathbf{H}_t \mathbf{W}$ is for
# $h = 64$ units.

# %%
### BEGIN SOLUTION
good_std = 1 / np.sqrt(64)
### END SOLUTION


# %%
def is_good(std):
    """Return whether six layers hand on what they get, and are not flat."""
    _, second, *_, sixth = sizes_of_states(std)
    return 0.5 <= sixth / second <= 2 and second < 0.7


check(
    lambda: is_good(good_std),
    True,
    hint="a sum of 64 terms is about 8 times as large as each of them",
)

# %% [markdown]
# Now to training. Here are networks of one, two and three layers of 64
# units, which read the same text for as many epochs, twice: with the
# package's first weights, drawn with a standard deviation of 0.01, and with
# ten times those.

# %%
load_data = (
    rnn.load_data_time_machine
    if time_machine_at_hand()
    else rnn.load_data_builtin
)
num_epochs, depths = full_or_fast((20, (1, 2, 3)), (2, (2,)))
num_steps, most = full_or_fast((35, 20_000), (5, 2_000))
histories = {1: {}, 10: {}}
for scale, num_layers in [
    (s, n) for s in full_or_fast((1, 10), (10,)) for n in depths
]:
    train_iter, vocab = load_data(32, num_steps, max_tokens=most, seed=0)
    net = rnn.RNNModelScratch(
        len(vocab), 64, *rnn.stack("rnn", num_layers), seed=0
    )
    net.load_arrays([scale * array for array in net.arrays()])
    histories[scale][f"layers: {num_layers}"] = rnn.train_ch8(
        net,
        train_iter,
        vocab,
        0.005,
        num_epochs,
        optimizer="adam",
        progress=False,
    )
axes = plot.new_axes(12, 4.8, columns=2)
for ax, (scale, found) in zip(axes, histories.items()):
    plot.perplexity(found, ax)
    ax.set(title=f"first weights of {0.01 * scale:g}", ylim=(4, 30))
present(
    axes,
    "With small first weights more layers learn later, with larger "
    "ones they learn better.",
)

# %% [markdown]
# Both pictures are true. A layer whose weights are a hundredth hands on a
# hundredth of what it gets, in either direction. With every further layer
# there is less to start from, and for a long time the network only knows how
# frequent each character is: the plateau. Started well, two layers are
# better than one after as many epochs; a third adds less than the second
# did. Depth is worth trying, and has to be set up with care. (The sequence
# networks further down start with weights of variance $2 / (\text{inputs} +
# \text{outputs})$, which fits any size.)

# %% [markdown]
# ## Both directions
#
# In *they watch her* the word *her* is a pronoun; in *they watch her turn*
# it may be a determiner. Nothing to its left says which. A *bidirectional*
# layer reads the sequence twice, once from each end, with weights of its own
# for each direction $(f)$ and $(b)$:
#
# $$\overrightarrow{\mathbf{H}}_t = \phi\left(
# \mathbf{X}_t \mathbf{W}_{xh}^{(f)} +
# \overrightarrow{\mathbf{H}}_{t-1} \mathbf{W}_{hh}^{(f)} +
# \mathbf{b}_h^{(f)}\right), \qquad
# \overleftarrow{\mathbf{H}}_t = \phi\left(
# \mathbf{X}_t \mathbf{W}_{xh}^{(b)} +
# \overleftarrow{\mathbf{H}}_{t+1} \mathbf{W}_{hh}^{(b)} +
# \mathbf{b}_h^{(b)}\right),$$
#
# $$\mathbf{H}_t = \begin{bmatrix}
# \overrightarrow{\mathbf{H}}_t & \overleftarrow{\mathbf{H}}_t
# \end{bmatrix}, \qquad
# \mathbf{O}_t = \mathbf{H}_t \mathbf{W}_{hq} + \mathbf{b}_q.$$
#
# $\mathbf{H}_t$ has $2h$ features, and $\mathbf{W}_{hq}$ as many rows.

# %%
present(
    diagrams.bidirectional(),
    "One row of cells goes from left to right, one from right to left.",
)

# %% [markdown]
# Who sees what? Change one input, look at every output: where it is another
# one than before, news of the input has arrived. (All weights are random;
# $\mathbf{W}_{hh}$ is scaled to a spectral radius of 1, lest news be lost on
# the way.)


# %%
def effects(bidirectional, num_steps=12):
    """Return how far each output (rows) moves with each input (columns)."""
    functions = rnn.stack("rnn", 1, bidirectional)
    net = rnn.RNNModelScratch(10, 32, *functions, seed=0, dtype="float64")
    rnn.scale_recurrent(net, 1.0)
    ids = np.tile(
        np.random.default_rng(0).integers(10, size=num_steps),
        (num_steps + 1, 1),
    )
    changed = np.arange(num_steps)
    ids[changed, changed] = (
        ids[changed, changed] + 1
    ) % 10  # the last row stays as it was
    outputs, _ = net.evaluate(ids, net.begin_state(num_steps + 1))
    outputs = outputs.reshape(num_steps, num_steps + 1, 10)
    return np.linalg.norm(outputs[:, :-1] - outputs[:, -1:], axis=2)


axes = plot.new_axes(11, 5, columns=2)
for ax, bidirectional in zip(axes, (False, True)):
    seen = effects(bidirectional)
    logs = np.log10(np.where(seen > 1e-15, seen, np.nan) / seen.max())
    image = ax.imshow(
        logs,
        cmap="Blues",
        vmin=-3,
        vmax=0,
        extent=(0.5, 12.5, 12.5, 0.5),
        interpolation="none",
    )
    title = "both directions" if bidirectional else "one direction"
    ax.set(xlabel="input that changes", ylabel="output", title=title)
    ax.set(xticks=(1, 4, 8, 12), yticks=(1, 4, 8, 12))
    ax.grid(False)
axes[0].figure.colorbar(
    image, ax=axes, label="effect, powers of 10", ticks=(-3, -2, -1, 0)
)
present(
    axes,
    "One direction: no output sees a later input. Both: each "
    "output sees each input.",
)

# %% [markdown]
# ### Exercise 4
#
# Two functions read a sequence (T, n, d) from its first step to its last,
# and return the states of all steps, (T, n, h) each. Make of them the states
# $\mathbf{H}_t$ of a bidirectional layer, in NumPy.


# %%
def both_ways(inputs, forward, backward):
    """Return (T, n, 2h): forward's states beside those from the end."""
    ### BEGIN SOLUTION
    return np.concatenate(
        [forward(inputs), backward(inputs[::-1])[::-1]], axis=2
    )
    ### END SOLUTION


# %%
num_inputs, num_hiddens = 3, 4
get_params, init_state, forward_fn = rnn.stack("rnn", 1, bidirectional=True)
arrays = [
    rnn.to_numpy(p)
    for p in get_params(num_inputs, num_hiddens, seed=0, dtype="float64")
]
inputs = np.random.default_rng(0).normal(size=(6, 2, num_inputs))


def reader(W_xh, W_hh, b_h):
    """Return a function that reads (T, n, d) and gives states (T, n, h)."""

    def read(inputs):
        H, Hs = np.zeros((inputs.shape[1], len(b_h))), []
        for X in inputs:
            H = np.tanh(X @ W_xh + H @ W_hh + b_h)
            Hs.append(H)
        return np.array(Hs)

    return read


def states_of_the_package():
    """Return the states of rnn.stack; the output layer changes nothing."""
    as_it_is = [np.eye(2 * num_hiddens), np.zeros(2 * num_hiddens)]
    params = [rnn.from_numpy(array) for array in (*arrays[:6], *as_it_is)]
    outputs, _ = forward_fn(
        rnn.from_numpy(inputs),
        init_state(2, num_hiddens, dtype="float64"),
        params,
    )
    return rnn.to_numpy(outputs).reshape(6, 2, 2 * num_hiddens)


check(
    lambda: both_ways(inputs, reader(*arrays[:3]), reader(*arrays[3:6])),
    states_of_the_package,
    hint="turn time round for backward to read, and turn round what it "
    "gives: inputs[::-1]",
)

# %% [markdown]
# ## Tagging: both directions help
#
# The package speaks a small language of the harbour in which most words have
# more than one part of speech, and knows the truth about each. The best that
# can be done by looking at each word alone is known exactly. The sentences
# of 3 to 10 words are enough for us.


# %%
longest = full_or_fast(10, 6)


def sentences(number, seed):
    """Return pairs of words and tags."""
    pairs = rnn.tagged_sentences(number, seed=seed)
    return [
        (words, tags) for words, tags in pairs if 3 <= len(words) <= longest
    ]


train, test = (
    sentences(full_or_fast(6000, 600), 0),
    sentences(full_or_fast(1500, 200), 1),
)
word_vocab, tag_vocab = (
    rnn.Vocab([pair[kind] for pair in train]) for kind in (0, 1)
)
for words, tags in test[:3]:
    print(" ".join(f"{word}/{tag}" for word, tag in zip(words, tags)))


def rows(pairs, backwards):
    """Return ids of words and tags, (n, longest) each, and lengths.

    With backwards, time is turned round.
    """
    step = -1 if backwards else 1
    X, Y = (
        rnn.pad_sequences(
            [vocab[pair[kind][::step]] for pair in pairs],
            longest,
            padding="post",
        )
        for kind, vocab in enumerate((word_vocab, tag_vocab))
    )
    return X, Y, np.array([len(words) for words, _ in pairs])


def tags_by(net, pairs, backwards):
    """Return the tags that a network gives, from left to right."""
    X, _, valid = rows(pairs, backwards)
    step = -1 if backwards else 1
    found = zip(net.predict(X, valid), valid)
    return [
        tag_vocab.to_tokens(row[:length])[::step] for row, length in found
    ]


# %% [markdown]
# Three taggers of 16 units (two times 16 for both directions): one reads
# from left to right, one from right to left, one both ways.

# %%
readers = {
    "left to right": (False, False),
    "right to left": (False, True),
    "both": (True, False),
}
if full_or_fast(False, True):
    del readers["right to left"]
nets, scores = {}, {}
for name, (bidirectional, backwards) in readers.items():
    sizes = len(word_vocab), 16, len(tag_vocab)
    nets[name] = rnn.SequenceTaggerScratch(
        *sizes, bidirectional=bidirectional, seed=0
    )
    loader = rnn.BatchLoader(*rows(train, backwards), batch_size=64, seed=0)
    held_out = rows(test, backwards)
    scores[name] = rnn.train_sequences(
        nets[name],
        loader,
        0.01,
        full_or_fast(10, 1),
        held_out=held_out,
        progress=False,
    )
    print(f"{name}: {scores[name].score[-1]:.1%} of the tags right")
print(f"each word alone: {generated.one_word_accuracy():.1%} at best")

# %%
ambiguous = ["her", "these", "turns", "light", "past", "for"]
ax = plot.new_axes(10, 4.8)
for number, (name, (_, backwards)) in enumerate(readers.items()):
    found, right = (
        tags_by(nets[name], test, backwards),
        {word: [] for word in ambiguous},
    )
    for (words, tags), answers in zip(test, found):
        for word, tag, answer in zip(words, tags, answers):
            if word in right:
                right[word].append(tag == answer)
    heights = [100 * np.mean(right[word]) for word in ambiguous]
    places = np.arange(len(ambiguous)) + 0.27 * (number - 1)
    ax.bar(places, heights, 0.27, color=plot.COLOURS[number], label=name)
ax.set_xticks(range(len(ambiguous)), ambiguous)
ax.set(ylabel="tags right, %", ylim=(0, 130), yticks=range(0, 101, 25))
ax.legend(ncols=3, loc="upper center")
present(
    ax,
    "The share of tags right for six ambiguous words: reading both "
    "ways is best or level.",
)

# %% [markdown]
# In this language what comes after a word says more than what came before.
# *her* and *these* are settled by the word after them; *light*, *past* and
# *turns* take both sides. Whether *for* joins two clauses may show at a verb
# some words later only; it is rare, and the last to be learned.

# %%
for words in (["they", "watch", "her"], ["they", "watch", "her", "turn"]):
    print(" ".join(words))
    for name, (_, backwards) in readers.items():
        (found,) = tags_by(
            nets[name], [(words, ["NOUN"] * len(words))], backwards
        )
        print(f"    {name:13} {' '.join(found)}")

# %% [markdown]
# Up to *her* the two sentences are the same, so whoever reads from left to
# right gives it the same tag in both, and in one of them that is wrong.

# %% [markdown]
# ## What it must not be asked
#
# Then why not write text with it? Ask, and it refuses:

# %%
num_places = full_or_fast(20, 8)  # characters in a row
fresh, vocab = rnn.load_data_grammar(
    32, num_places, max_tokens=5_000, seed=0
)
two_way = rnn.RNNModelScratch(
    len(vocab), 32, *rnn.stack("rnn", 1, bidirectional=True), seed=0
)
try:
    rnn.predict_ch8("the tide ", 20, two_way, vocab)
except ValueError as error:
    print(error)

# %% [markdown]
# To write is to say what comes next when what comes next is not there. And
# that is not all. A language model learns to predict $x_{t+1}$ at place $t$;
# but here $\overleftarrow{\mathbf{H}}_t$ has just read $x_{t+1}$. The answer
# is among the inputs! Nothing has to be learned but to copy it.
#
# Nobody stops us from training it all the same. The text is that of notebook
# 10: a source whose perplexity per character no honest model can bring below
# 1.22.

# %%
one_way = rnn.RNNModelScratch(len(vocab), 32, *rnn.stack("rnn", 1), seed=0)
models = {"one direction": one_way, "both": two_way}
by_direction = {}
for name, net in models.items():
    fresh, _ = rnn.load_data_grammar(
        32, num_places, max_tokens=5_000, seed=0
    )
    by_direction[name] = rnn.train_ch8(
        net,
        fresh,
        vocab,
        0.01,
        full_or_fast(40, 4),
        optimizer="adam",
        progress=False,
    )
ax = plot.perplexity(by_direction, plot.new_axes(10, 4.8))
present(
    ax,
    "One direction stays above the floor of 1.22; both directions "
    "fall below it, near 1.",
)

# %% [markdown]
# Too good to be true. Where does it get its knowledge from? Take new text,
# in rows of 20 characters, and look at the surprise place by place. (At the
# first places, which word this is in the middle of is not known as yet.)

# %%
fresh, _ = rnn.load_data_grammar(400, num_places, seed=1)
X, Y = (rnn.to_numpy(ids) for ids in next(iter(fresh)))


def surprise(net):
    """Return the mean surprise at each place of a row, in nats."""
    outputs, _ = net.evaluate(X, net.begin_state(len(X)))
    chances = losses.probabilities(outputs.astype(float)).reshape(
        num_places, len(X), -1
    )
    return -np.log(
        np.take_along_axis(chances, Y.T[:, :, None], axis=2)
    ).mean(axis=(1, 2))


surprises = {name: surprise(net) for name, net in models.items()}
ax = plot.new_axes(9, 4.8)
for number, (name, values) in enumerate(surprises.items()):
    places = np.arange(1, num_places + 1) + 0.4 * (number - 0.5)
    ax.bar(places, values, 0.4, color=plot.COLOURS[number], label=name)
ax.set(
    xlabel="place in the row",
    ylabel="mean surprise, nats",
    xticks=(1, 5, 10, 15, 20),
)
ax.legend()
present(
    ax,
    "Both directions: next to no surprise, but at the last place as "
    "much as one direction.",
)

# %% [markdown]
# ### Exercise 5
#
# A bidirectional language model reads rows of 20 characters. At how many of
# the 20 places does its perplexity say anything about how well it predicts?

# %%
### BEGIN SOLUTION
honest_places = 1
### END SOLUTION

# %%
targets = np.arange(
    1, num_places
)  # the token after place t is the input of place t + 1
check(
    honest_places,
    lambda: (
        num_places
        - int((effects(True, num_places)[targets - 1, targets] > 0).sum())
    ),
    hint="at which places is the character to be predicted not "
    "an input as well?",
)

# %%
for name, values in surprises.items():
    whole, last = np.exp(values.mean()), np.exp(values[-1])
    print(
        f"{name}: perplexity {whole:.2f} at all places, "
        f"{last:.2f} at the last"
    )

# %% [markdown]
# So three things are wrong with a bidirectional language model. Its
# perplexity says nothing: most of it is copying. It learns to predict at one
# place of each row only, the last, with a fraction of the practice. And if
# it writes from there, each new character changes
# $\overleftarrow{\mathbf{H}}_t$ at every place, so that everything has to be
# read again for each; a network of one direction just goes on from its
# state.
#
# Both directions are for what is there as a whole: the words of a sentence
# to be tagged, a review to be judged, a recording. There is also an honest
# way of training them on plain text: hide some tokens, and ask for those.
# Then the answer is not among the inputs, and both sides of the gap may be
# read. Models like BERT are trained so, though with attention in place of
# recurrence.

# %% [markdown]
# ## What to take away
#
# - A deep network stacks layers: the states of one are the inputs of the
#   next. Any cell will do.
# - A bidirectional layer is two layers, one of which reads from the end;
#   states stand side by side.
# - Where all of a sequence is there, both directions see what one cannot.
# - Trained to predict the next token, a bidirectional network copies the
#   answer from its inputs. A perplexity below what is possible is the sign
#   of it.
#
# **Proven in the repository.** Stacks:
# `test_a_stack_of_one_layer_is_the_cell`,
# `test_the_second_direction_reads_from_the_end` and
# `test_a_deep_model_learns` in `tests/nets/test_cells.py`. Their outputs and
# gradients in all backends:
# `test_a_network_agrees_with_the_float64_reference` in
# `tests/measure/test_agreement.py`. Tagging:
# `test_a_tagger_that_reads_both_ways_beats_one_that_reads_on` in
# `tests/recipes/test_tasks.py`. That such a network does not write, and why:
# `test_a_bidirectional_network_is_trained_but_does_not_generate` in
# `tests/cli/test_cli.py` and
# `test_a_network_that_reads_both_ways_is_shown_the_answer` in
# `tests/data/test_grammar.py`.
