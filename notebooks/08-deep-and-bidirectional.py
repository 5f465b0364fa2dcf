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
# A recurrent network can be made larger in two ways without making its
# layers larger. In a *deep* network, the states of one layer are the inputs
# of the next. In a *bidirectional* network, one layer processes the sequence
# from the beginning to the end, and another from the end to the beginning.
# This notebook shows the advantages of both, and for which tasks a
# bidirectional network must not be used.
#
# The notebook follows sections 10.3 and 10.4 of *Dive into Deep Learning*
# and uses their notation. Notebook 3 describes a single layer. Notebook 10
# describes the artificial text with which we detect an invalid evaluation.

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

# Before any import of a framework: float64 in JAX, fewer messages.
backends.prepare()
plot.use_style()

# %% [markdown]
# This notebook runs on any of five backends. To choose one, edit only the
# following line.

# %%
from d2lrnn import torch as rnn  # or tensorflow, jax, mxnet, numpy

# %% [markdown]
# ## Deep networks
#
# The hidden states of a layer are a sequence of vectors, one for each time
# step. The input of a layer is such a sequence as well. So the states of the
# first layer can be the inputs of a second layer, whose states can be the
# inputs of a third:
#
# $$\mathbf{H}_t^{(l)} = \phi_l\left(
# \mathbf{H}_t^{(l-1)} \mathbf{W}_{xh}^{(l)} +
# \mathbf{H}_{t-1}^{(l)} \mathbf{W}_{hh}^{(l)} +
# \mathbf{b}_h^{(l)}\right), \qquad
# \mathbf{H}_t^{(0)} = \mathbf{X}_t, \qquad
# \mathbf{O}_t = \mathbf{H}_t^{(L)} \mathbf{W}_{hq} + \mathbf{b}_q.$$
#
# The outputs are computed only from the states of the last layer. Each layer
# has its own initial state.

# %%
present(
    diagrams.deep(),
    "Two layers over three steps: the inputs of the upper one are the "
    "states of the lower.",
)

# %% [markdown]
# The program has two nested loops: over layers, and within each layer over
# time. The states of a layer for the whole sequence are the inputs of the
# next layer. This is the NumPy version, in which each layer is a triple of
# $\mathbf{W}_{xh}$, $\mathbf{W}_{hh}$ and $\mathbf{b}_h$.


# %%
def deep_rnn(inputs, layers):
    """Return the last layer's states (T, n, h), for inputs (T, n, d)."""
    for W_xh, W_hh, b_h in layers:
        H, Hs = np.zeros((inputs.shape[1], len(b_h))), []
        for X in inputs:  # over time
            H = np.tanh(X @ W_xh + H @ W_hh + b_h)
            Hs.append(H)
        inputs = np.array(Hs)  # inputs of the next layer
    return inputs


# %% [markdown]
# The next cell compares it with a network of the package that has the same
# weights. `rnn.stack` returns the three functions that `RNNModelScratch`
# needs.

# %%
functions = rnn.stack("rnn", num_layers=2)
net = rnn.RNNModelScratch(28, 64, *functions, seed=0, dtype="float64")
*arrays, W_hq, b_q = net.arrays()
ids = np.random.default_rng(0).integers(28, size=(3, 5))  # (n, T)
Hs = deep_rnn(np.eye(28)[ids.T], [arrays[:3], arrays[3:]])
scores, _ = net.evaluate(ids, net.begin_state(3))
print("the same:", np.allclose(Hs.reshape(-1, 64) @ W_hq + b_q, scores))

# %% [markdown]
# The package also has a loop over layers around the loop over time. Every
# cell can be stacked. (`masked` is for sequences of different lengths, see
# notebook 9. The second of the `directions` is explained below.)

# %%
rnn.show(layers.run_layers)

# %%
for name, array in zip(net.architecture.parameters, net.arrays()):
    print(f"{name:12} {array.shape}")
print("states:", [tuple(H.shape) for H in net.begin_state(5)])

# %% [markdown]
# The layers of the frameworks can be stacked as well: the number of layers
# is an argument.

# %%
if hasattr(rnn, "RNNModel"):  # NumPy does not have layers
    layer_net = rnn.RNNModel(
        rnn.GRU(28, 64, num_layers=2, seed=0), 28, seed=0
    )
    print("states:", [tuple(H.shape) for H in layer_net.begin_state(5)])

# %% [markdown]
# ### Exercise 1
#
# Three LSTM layers with 64 units each process a minibatch of 5 rows. How
# many matrices does the state contain, and what is the shape of each?

# %%
### BEGIN SOLUTION
num_matrices, shape = 2 * 3, (5, 64)
### END SOLUTION

# %%
lstm = rnn.RNNModelScratch(28, 64, *rnn.stack("lstm", 3), seed=0)
check(
    lambda: [num_matrices, *shape],
    lambda: [len(lstm.begin_state(5)), *lstm.begin_state(5)[0].shape],
    hint="the state of an LSTM is H and C, for each layer",
)

# %% [markdown]
# ### Exercise 2
#
# How many parameters does a GRU language model with $L$ layers have? In each
# layer, a GRU has three sets of $\mathbf{W}_x$, $\mathbf{W}_h$ and
# $\mathbf{b}$.


# %%
def gru_size(vocab_size, num_hiddens, num_layers):
    """Return the number of parameters, including the output layer."""
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
    """Return a GRU with 28 tokens and 64 hidden units per layer."""
    return rnn.RNNModelScratch(28, 64, *rnn.stack("gru", num_layers), seed=0)


check(
    lambda: [gru_size(28, 64, num_layers) for num_layers in (1, 2, 3)],
    lambda: [
        sum(array.size for array in gru_of(n).arrays()) for n in (1, 2, 3)
    ],
    hint="the first layer has vocab_size inputs, the other layers have "
    "num_hiddens inputs",
)

# %% [markdown]
# ## Does depth help?
#
# First, how large are the states of the upper layers? A layer multiplies its
# inputs by its weights, and $\tanh$ does not increase any value. The next
# cell uses six untrained layers of 64 units and 20 random tokens. The figure
# shows the size of the last states of each layer, measured as the root of
# their mean square, for several standard deviations of the initial weights.


# %%
def sizes_of_states(std, num_layers=6, num_hiddens=64):
    """Return the size of the last states of each layer."""
    rng = np.random.default_rng(0)
    inputs = np.eye(num_hiddens)[rng.integers(num_hiddens, size=(20, 4))]
    sizes = []
    for _ in range(num_layers):
        W_xh, W_hh = std * rng.standard_normal((2, num_hiddens, num_hiddens))
        inputs = deep_rnn(inputs, [(W_xh, W_hh, np.zeros(num_hiddens))])
        sizes.append(float(np.sqrt((inputs[-1] ** 2).mean())))
    return sizes


ax = plot.new_axes(8, 4.8)
for number, std in enumerate((0.01, 0.05, 0.1, 0.5)):
    sizes = sizes_of_states(std)
    label = f"initial weights of {std:g}"
    style = plot.line_style(number)
    ax.plot(range(1, 7), sizes, label=label, marker="o", **style)
ax.set(yscale="log", xlabel="layer", ylabel="size of its states")
ax.legend(loc="lower left")
present(
    ax,
    "Small initial weights make the states smaller in each layer, "
    "and large ones make them close to 1.",
)

# %% [markdown]
# With a standard deviation of 0.01, the states of each layer are less than a
# tenth of the size of its inputs. With 0.5 they do not become smaller, but
# they are close to 1 and -1, where $\tanh$ is flat and gradients are small.
# A good choice lies between the two. It depends on the number of units,
# because a sum of $h$ random terms grows as $\sqrt{h}$.

# %% [markdown]
# ### Exercise 3
#
# Find a standard deviation for which the states of the sixth layer are
# between half and twice as large as those of the second layer, and those of
# the second layer are smaller than 0.7, so that $\tanh$ is not flat. Try
# some values with `sizes_of_states`, or estimate the size of $\mathbf{H}_t
# \mathbf{W}$ for $h = 64$ units.

# %%
### BEGIN SOLUTION
good_std = 1 / np.sqrt(64)
### END SOLUTION


# %%
def is_good(std):
    """Return whether states keep their size over six layers."""
    _, second, *_, sixth = sizes_of_states(std)
    return 0.5 <= sixth / second <= 2 and second < 0.7


check(
    lambda: is_good(good_std),
    True,
    hint="a sum of 64 random terms is about 8 times as large as one term",
)

# %% [markdown]
# Now we train networks with one, two and three layers of 64 units on the
# same text for the same number of epochs. Each is trained twice: with the
# default initial weights of the package, which have a standard deviation of
# 0.01, and with weights that are ten times as large.

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
for ax, (scale, history) in zip(axes, histories.items()):
    plot.perplexity(history, ax)
    ax.set(title=f"initial weights of {0.01 * scale:g}", ylim=(4, 30))
present(
    axes,
    "With small initial weights, deeper networks learn later; with larger "
    "ones, they learn better.",
)

# %% [markdown]
# With small initial weights, each layer makes its inputs and, in the
# backward pass, its gradients much smaller. With every additional layer, the
# effect is stronger. For a long time, the network learns only the frequency
# of each character, which is the plateau in the left figure. With larger
# initial weights, two layers are better than one after the same number of
# epochs, and the third layer improves the result less. Depth can help if the
# initial weights are chosen well. (The sequence networks below start with
# weights of variance $2 / (\text{inputs} + \text{outputs})$, which is
# suitable for any size.)

# %% [markdown]
# ## Bidirectional networks
#
# In *they watch her*, the word *her* is a pronoun; in *they watch her turn*
# it may be a determiner. The words to its left do not decide this. A
# *bidirectional* layer processes the sequence twice, once in each direction,
# with separate weights for the forward direction $(f)$ and the backward
# direction $(b)$:
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
# $\mathbf{H}_t$ has $2h$ features, and $\mathbf{W}_{hq}$ has $2h$ rows.

# %%
present(
    diagrams.bidirectional(),
    "One row of cells runs from left to right, one from right to left.",
)

# %% [markdown]
# Which outputs depend on which inputs? The next cell changes one input and
# measures the change of every output. (All weights are random.
# $\mathbf{W}_{hh}$ is scaled to a spectral radius of 1, so that effects do
# not vanish.)


# %%
def effects(bidirectional, num_steps=12):
    """Return the effect of each input (columns) on each output (rows)."""
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
    ) % 10  # the last row is not changed
    outputs, _ = net.evaluate(ids, net.begin_state(num_steps + 1))
    outputs = outputs.reshape(num_steps, num_steps + 1, 10)
    return np.linalg.norm(outputs[:, :-1] - outputs[:, -1:], axis=2)


axes = plot.new_axes(11, 5, columns=2)
for ax, bidirectional in zip(axes, (False, True)):
    sizes = effects(bidirectional)
    logs = np.log10(np.where(sizes > 1e-15, sizes, np.nan) / sizes.max())
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
    "One direction: no output depends on a later input. Both: each "
    "output depends on each input.",
)

# %% [markdown]
# ### Exercise 4
#
# Two functions process a sequence (T, n, d) from its first step to its last
# and return the states of all steps (T, n, h). Use them to compute the
# states $\mathbf{H}_t$ of a bidirectional layer in NumPy.


# %%
def both_ways(inputs, forward, backward):
    """Return (T, n, 2h): the states of both directions, side by side."""
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
    """Return a function from inputs (T, n, d) to states (T, n, h)."""

    def read(inputs):
        H, Hs = np.zeros((inputs.shape[1], len(b_h))), []
        for X in inputs:
            H = np.tanh(X @ W_xh + H @ W_hh + b_h)
            Hs.append(H)
        return np.array(Hs)

    return read


def states_of_the_package():
    """Return the states of rnn.stack; its output layer is the identity."""
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
    hint="reverse the time axis for backward, and reverse its "
    "result: inputs[::-1]",
)

# %% [markdown]
# ## Tagging: a task for which both directions help
#
# The package generates sentences of a small artificial language about a
# harbour. Most of its words have more than one part of speech, and the right
# one is known for each word. The highest possible accuracy with each word
# alone is known exactly. We use sentences of 3 to 10 words.


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
    """Return the tags that a network predicts, from left to right."""
    X, _, valid = rows(pairs, backwards)
    step = -1 if backwards else 1
    ids = zip(net.predict(X, valid), valid)
    return [tag_vocab.to_tokens(row[:length])[::step] for row, length in ids]


# %% [markdown]
# Three taggers are trained, with 16 units per direction: from left to right,
# from right to left, and in both directions.

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
    print(f"{name}: {scores[name].score[-1]:.1%} of the tags are right")
print(f"from the word alone: at most {generated.one_word_accuracy():.1%}")

# %%
ambiguous = ["her", "these", "turns", "light", "past", "for"]
ax = plot.new_axes(10, 4.8)
for number, (name, (_, backwards)) in enumerate(readers.items()):
    predictions, right = (
        tags_by(nets[name], test, backwards),
        {word: [] for word in ambiguous},
    )
    for (words, tags), answers in zip(test, predictions):
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
    "The share of right tags for six ambiguous words: both "
    "directions are best or equal.",
)

# %% [markdown]
# In this language, the words after a word are more informative than the
# words before it. The tags of *her* and *these* depend on the next word, and
# those of *light*, *past* and *turns* on both sides. Whether *for* joins two
# clauses may depend on a verb several words later; *for* is rare and is
# learned last.

# %%
for words in (["they", "watch", "her"], ["they", "watch", "her", "turn"]):
    print(" ".join(words))
    for name, (_, backwards) in readers.items():
        (tags,) = tags_by(
            nets[name], [(words, ["NOUN"] * len(words))], backwards
        )
        print(f"    {name:13} {' '.join(tags)}")

# %% [markdown]
# Up to *her* the two sentences are the same. Therefore the tagger that works
# from left to right assigns the same tag in both, and one of the two is
# wrong.

# %% [markdown]
# ## A bidirectional network cannot generate text
#
# What happens if we use it to generate text? The package raises an error:

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
# Generating means to predict the next token when it is not yet available.
# But a bidirectional network needs the following tokens as inputs. In
# training there is another problem. A language model learns to predict
# $x_{t+1}$ at position $t$, but $\overleftarrow{\mathbf{H}}_t$ was computed
# from $x_{t+1}$. The target is among the inputs, so the network only learns
# to copy it.
#
# To see this, we train such a network nevertheless. The text is that of
# notebook 10: a source for which the lowest possible perplexity per
# character is 1.22 for every valid model.

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
    "One direction stays above the lowest possible value of 1.22; both "
    "directions fall below it, near 1.",
)

# %% [markdown]
# The perplexity is lower than possible. Why? We take a new text in rows of
# 20 characters, and compute the surprise for each position. (At the first
# positions the surprise is higher, because the current word is not yet
# known.)

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
    xlabel="position in the row",
    ylabel="mean surprise, nats",
    xticks=(1, 5, 10, 15, 20),
)
ax.legend()
present(
    ax,
    "Both directions: almost no surprise, except at the last position, "
    "where it equals that of one direction.",
)

# %% [markdown]
# ### Exercise 5
#
# A bidirectional language model processes rows of 20 characters. At how many
# of the 20 positions does its perplexity measure the quality of its
# predictions?

# %%
### BEGIN SOLUTION
honest_places = 1
### END SOLUTION

# %%
targets = np.arange(
    1, num_places
)  # the target at position t is the input at position t + 1
check(
    honest_places,
    lambda: (
        num_places
        - int((effects(True, num_places)[targets - 1, targets] > 0).sum())
    ),
    hint="at which positions is the target not among the inputs?",
)

# %%
for name, values in surprises.items():
    whole, last = np.exp(values.mean()), np.exp(values[-1])
    print(
        f"{name}: perplexity {whole:.2f} at all places, "
        f"{last:.2f} at the last"
    )

# %% [markdown]
# A bidirectional language model has three problems. Its perplexity is
# meaningless, because it mostly copies. It learns to predict at only one
# position of each row, the last, so it has much less training data. And
# during generation, each new character changes
# $\overleftarrow{\mathbf{H}}_t$ at every position, so the whole text must be
# processed again for each character; a unidirectional network only needs its
# last state.
#
# Bidirectional networks are for tasks in which the whole sequence is
# available: tagging the words of a sentence, classifying a review,
# transcribing a recording. There is also a valid way to train them on plain
# text: replace some tokens by a mask and predict these. Then the targets are
# not among the inputs, and both sides of a masked token may be used. Models
# such as BERT are trained in this way, with attention instead of recurrence.

# %% [markdown]
# ## What to take away
#
# - A deep network stacks layers: the states of one layer are the inputs of
#   the next. Every cell can be stacked.
# - A bidirectional layer consists of two layers, one of which processes the
#   sequence from the end. Their states are concatenated.
# - If the whole sequence is available, both directions use information that
#   one direction lacks.
# - A bidirectional network that is trained to predict the next token copies
#   the target from its inputs. A perplexity below the lowest possible value
#   is a sign of this.
#
# **Proven in the repository.** Stacks:
# `test_a_stack_of_one_layer_equals_the_cell`,
# `test_the_second_direction_reads_from_the_end` and
# `test_a_deep_model_learns` in `tests/nets/test_cells.py`. Their outputs and
# gradients in all backends:
# `test_a_network_agrees_with_the_float64_reference` in
# `tests/measure/test_agreement.py`. Tagging:
# `test_a_bidirectional_tagger_is_better_than_a_forward_tagger` in
# `tests/recipes/test_tasks.py`. The error for generating text with such a
# network, and the reason for it:
# `test_a_bidirectional_network_is_trained_but_does_not_generate` in
# `tests/cli/test_cli.py` and
# `test_a_bidirectional_network_receives_the_answer_as_input` in
# `tests/data/test_grammar.py`.
