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
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/d2lrnn/d2lrnn/blob/main/notebooks/10-how-low-can-perplexity-go.ipynb)
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/d2lrnn/d2lrnn/blob/main/notebooks/10-how-low-can-perplexity-go.ipynb)
#
# # 10. How low can perplexity go?
#
# Training ends at a perplexity of 1.3. Is that good? For a book nobody
# knows: some of what comes next can be known from what came before, the rest
# is the author's freedom, and no one can say how much that is. Here the
# author is a table of probabilities. The lowest perplexity that any model
# can ever have on its text follows from the table, exactly, and we can watch
# networks arrive there.
#
# It continues sections 9.3 and 9.5 of *Dive into Deep Learning*, on language
# models and perplexity. Notebook 3 trains the first network, notebooks 6 and
# 7 say what a GRU and an LSTM are.

# %%
import importlib.util

if importlib.util.find_spec("d2lrnn") is None:
    # %pip install -q "d2lrnn[torch] @ git+https://github.com/d2lrnn/d2lrnn"
    importlib.invalidate_caches()

# %%
import itertools
import math
from collections import Counter

import numpy as np

from d2lrnn import backends, plot
from d2lrnn.data.grammar import MarkovSource
from d2lrnn.nets import losses
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
# ## An author made of a table
#
# The author speaks one word after the other. Which one comes next is drawn
# at random, with probabilities $P(j \mid i)$ that depend on the word before,
# $i$, and on nothing else. Such a source is a *Markov chain*, and its table
# is this:

# %%
source = MarkovSource()
ax = plot.new_axes(9, 7.2)
ax.imshow(source.matrix, cmap="Blues", vmin=0, vmax=1, interpolation="none")
for i, row in enumerate(source.matrix):
    for j in np.flatnonzero(row):
        ink = "white" if row[j] > 0.5 else "black"
        ax.text(j, i, f"{row[j]:g}", ha="center", va="center", color=ink)
ax.set_xticks(range(len(source.words)), source.words, rotation=60)
ax.set_yticks(range(len(source.words)), source.words)
ax.set(xlabel="next word", ylabel="word before")
ax.grid(False)
present(
    ax,
    "A table of twelve words by twelve, with the probability of "
    "each word after each.",
)

# %% [markdown]
# To speak is to draw from one row of the table after the other:


# %%
def speak(num_words, seed):
    """Return words, each drawn by the table's row for the one before."""
    rng, words = np.random.default_rng(seed), ["the"]
    while len(words) < num_words:
        row = source.matrix[source.words.index(words[-1])]
        words.append(source.words[rng.choice(len(row), p=row)])
    return words


print(" ".join(speak(30, seed=0)))

# %% [markdown]
# The package draws the first word too, as often as it comes in the long run,
# and works with numbers in place of words:

# %%
rnn.show(MarkovSource.speak)

# %% [markdown]
# Someone who knows the table, and has heard every word so far, still cannot
# say what comes next. After *to* it is always *the*; after *the* it may be
# any of five words. How uncertain is that, on the whole?

# %% [markdown]
# ## The entropy of a source
#
# The *entropy* of a distribution is its mean surprise, here in nats,
#
# $$H(P) = -\sum_j P(j) \log P(j):$$
#
# 0 where the outcome is certain, $\log k$ for $k$ equally likely ones.

# %% [markdown]
# ### Exercise 1
#
# What is the entropy of the word after *to*, after which there is only
# *the*; and what would it be after a word that four others follow, all
# equally likely?

# %%
### BEGIN SOLUTION
entropies = [0, math.log(4)]
### END SOLUTION

# %%
certain, equal = source.matrix[source.words.index("to")], np.full(4, 0.25)
check(
    entropies,
    lambda: [
        -sum(p * math.log(p) for p in row if p) for row in (certain, equal)
    ],
    hint="a certain outcome is no surprise; that of a probability of 1/4 is "
    "the logarithm of 4",
)

# %% [markdown]
# After each word $i$ there is another distribution, $P(\cdot \mid i)$. In
# the long run word $i$ comes with the frequency $\pi_i$, so the mean
# surprise for each word of an endless text, the *entropy rate*, is
#
# $$H = \sum_i \pi_i \, H(P(\cdot \mid i)) =
# -\sum_i \pi_i \sum_j P(j \mid i) \log P(j \mid i).$$
#
# The frequencies are those that one more word does not change:
# $\boldsymbol{\pi} \mathbf{P} = \boldsymbol{\pi}$. Begin anywhere, multiply
# by $\mathbf{P}$ again and again, and you arrive there.

# %%
shares = np.eye(len(source.words))[0]  # certainly "the"
for _ in range(500):
    shares = shares @ source.matrix
print({word: round(share, 3) for word, share in zip(source.words, shares)})
print(
    "as the package has them:",
    np.allclose(shares, source.stationary, rtol=0, atol=1e-12),
)

# %% [markdown]
# The distance to them falls by a factor with each word, and after twenty
# words it hardly matters any more where one began:

# %%
ax = plot.new_axes(8, 4.8)
for number, word in enumerate(("the", "to", source.words[-1])):
    shares = np.eye(len(source.words))[source.words.index(word)]
    gaps = []
    for _ in range(21):
        gaps.append(np.abs(shares - source.stationary).sum() / 2)
        shares = shares @ source.matrix
    label = f"after {word!r}"
    ax.plot(range(21), gaps, label=label, **plot.line_style(number))
ax.set(yscale="log", xlabel="words later", ylabel="distance")
ax.set_xticks(range(0, 21, 5))
ax.legend()
present(
    ax,
    "The distance from the long run's frequencies falls by a factor with "
    "each word, wherever one begins.",
)

# %% [markdown]
# The distance is half the sum of the differences of all probabilities: by so
# much, at most, the chance of anything that might be said differs from what
# it is in the long run.

# %% [markdown]
# ### Exercise 2
#
# Write the entropy rate as a function of $\mathbf{P}$ and
# $\boldsymbol{\pi}$. Mind that what is impossible, $P(j \mid i) = 0$, adds
# nothing to the sum.


# %%
def entropy_rate(matrix, shares):
    """Return the entropy rate in nats per word; matrix[i, j] is P(j | i)."""
    ### BEGIN SOLUTION
    logs = np.log(np.where(matrix > 0, matrix, 1))
    return -shares @ (matrix * logs).sum(axis=1)
    ### END SOLUTION


# %%
check(
    lambda: entropy_rate(source.matrix, source.stationary),
    lambda: source.entropy_rate("word"),
    hint="put ones for the zeros before taking logarithms: 0 log 0 "
    "counts as 0, as log 1 does",
)

# %% [markdown]
# Perplexity is the exponential of the mean surprise. So the best that there
# can be is $e^H$. And if the text is read character by character? A word and
# the space after it, spelled out, hold the same surprise as the word did,
# shared among more tokens: per character it is $H$ divided by the mean
# length of a word, space included.

# %%
lengths = np.array([len(word) + 1 for word in source.words])
for token, letters in (("word", 1.0), ("char", source.stationary @ lengths)):
    floor = source.perplexity(token)
    print(
        f"{token}: {source.entropy_rate('word') / letters:.4f} nats, "
        f"perplexity {floor:.4f}"
    )

# %% [markdown]
# ### Exercise 3
#
# Make a language of three words, `tick`, `tock` and `bell`, whose lowest
# perplexity per word is exactly 2, and in which no word follows itself.

# %%
### BEGIN SOLUTION
table = {
    "tick": {"tock": 0.5, "bell": 0.5},
    "tock": {"tick": 0.5, "bell": 0.5},
    "bell": {"tick": 0.5, "tock": 0.5},
}
### END SOLUTION

# %%
check(
    lambda: [
        MarkovSource(table).perplexity("word"),
        MarkovSource(table).matrix.trace(),
    ],
    [2.0, 0.0],
    hint="perplexity counts choices: let every word leave two that "
    "are equally likely",
)

# %% [markdown]
# ### Exercise 4
#
# Say you do not know the table, and have only heard words. Estimate the
# entropy rate from them: count how often each word follows each, take the
# shares for probabilities, and return the mean surprise about a word after
# the one before. Then try it with 100 words, and with 100,000. Is the
# estimate too high or too low, and why?


# %%
def counted_rate(words):
    """Return the estimated entropy rate in nats per word, by counting."""
    ### BEGIN SOLUTION
    pairs, singles = Counter(itertools.pairwise(words)), Counter(words[:-1])
    logs = [n * math.log(n / singles[pair[0]]) for pair, n in pairs.items()]
    return -sum(logs) / (len(words) - 1)
    ### END SOLUTION


# %%
check(
    lambda: counted_rate(source.speak(20_000, seed=3)),
    lambda: source.entropy_rate("word"),
    hint="the surprise about b after a is -log(count of a b / count of a); "
    "weigh it by the count of a b",
    tolerance=0.03,
)

# %% [markdown]
# It is too low, mostly, and the more so the fewer words there are: what was
# counted is the text at hand, chance included, and of all tables it is the
# one that this text surprises least. What a model has learned by heart shows
# the same, further down.

# %% [markdown]
# ## No model is below the floor
#
# A model that says $Q$ where the truth is $P$ is surprised, on average, by
# the *cross-entropy*
#
# $$-\sum_j P(j) \log Q(j) = H(P) +
# \underbrace{\sum_j P(j) \log \frac{P(j)}{Q(j)}}_{
# D_{\mathrm{KL}}(P \,\|\, Q) \;\geq\; 0}.$$
#
# The second term, the Kullback-Leibler divergence, is what the model wastes.
# It is never negative and 0 only if $Q = P$: whatever the model is, and
# however much it has seen, on text that it has *not seen before* it stays at
# the floor or above.
#
# Say one of two outcomes has the probability 0.7, and a model says $q$:

# %%
q = np.linspace(0.02, 0.98, 97)
cross = -0.7 * np.log(q) - 0.3 * np.log(1 - q)
entropy = -0.7 * math.log(0.7) - 0.3 * math.log(0.3)
ax = plot.new_axes(8, 4.8)
ax.plot(q, cross, label="cross-entropy", **plot.line_style(0))
ax.axhline(entropy, color="black", linestyle="--", label="entropy")
ax.fill_between(q, entropy, cross, color=plot.COLOURS[1], alpha=0.3)
ax.annotate("wasted", (0.17, 0.8), fontsize=18)
ax.set(xlabel="$q$", ylabel="mean surprise, nats", ylim=(0, 2))
ax.legend(loc="lower center")
present(
    ax,
    "The mean surprise of a model that says q touches the entropy where q "
    "is 0.7, and lies above it elsewhere.",
)

# %% [markdown]
# So the perfect model says what the table says. Letter by letter it goes
# like this: given the word before and the letters spelled since, add up the
# probabilities of all words that go on with a letter, and divide by those of
# all words that are still possible.


# %%
def perfect_surprise(words):
    """Return the text without its first word, and each letter's surprise."""
    text, surprises = "", []
    for before, word in itertools.pairwise(words):
        row = source.matrix[source.words.index(before)]
        spelled, possible = word + " ", 1.0
        for length in range(1, len(spelled) + 1):
            fitting = [
                (w + " ").startswith(spelled[:length]) for w in source.words
            ]
            surprises.append(-math.log(row[fitting].sum() / possible))
            possible = row[fitting].sum()
        text += spelled
    return text, np.array(surprises)


test_text, perfect = perfect_surprise(
    source.speak(full_or_fast(4000, 1000), seed=1000)
)
print(
    f"{len(test_text):,} characters, never to be trained on: "
    f"{test_text[:40]}..."
)
print(
    f"perfect on them: {math.exp(perfect.mean()):.3f}; "
    f"on endless text: {floor:.3f}"
)

# %% [markdown]
# ## Networks go there
#
# `load_data_grammar` gives minibatches of such text, character by character,
# and never the same text twice: each epoch is 10,000 fresh characters.
#
# How much a network wastes can be measured closely. Both read the same test
# text; the difference between the network's mean surprise and the perfect
# model's is the divergence above, in nats per character. Chance, which makes
# one text easier than another, is the same for both and cancels. (The
# network reads rows of 60 characters and needs the first 20 to find out
# where it is. These do not count.)

# %%
batch_size, num_steps = 32, full_or_fast(35, 12)
fresh, vocab = rnn.load_data_grammar(batch_size, num_steps, seed=0)
width, skipped = 60, 20
num_rows = (len(test_text) - 1) // width
test_ids = np.array(vocab[list(test_text)])
test_X = test_ids[: num_rows * width].reshape(num_rows, width)
test_Y = test_ids[1 : num_rows * width + 1].reshape(num_rows, width)
perfect_Y = perfect[1 : num_rows * width + 1].reshape(num_rows, width)


def surprise(net):
    """Return a network's surprise at each character of test_Y."""
    outputs, _ = net.evaluate(test_X, net.begin_state(num_rows))
    chances = losses.probabilities(outputs.astype(float)).reshape(
        width, num_rows, -1
    )
    return -np.log(
        np.take_along_axis(chances, test_Y.T[:, :, None], axis=2)
    )[:, :, 0].T


def waste(net):
    """Return the nats by which a network is more surprised than need be."""
    return float((surprise(net) - perfect_Y)[:, skipped:].mean())


# %% [markdown]
# Three networks of 64 units learn by Adam. A round is eight minibatches, an
# epoch of fresh text. After every second one we measure what is wasted. The
# last quarter of the rounds goes by shorter steps, at a fifth of the
# learning rate.

# %%
cells = {
    "RNN": (rnn.get_params, rnn.init_rnn_state, rnn.rnn_fused),
    "GRU": (rnn.get_gru_params, rnn.init_gru_state, rnn.gru_fused),
    "LSTM": (rnn.get_lstm_params, rnn.init_lstm_state, rnn.lstm_fused),
}


def endless(train_iter):
    """Yield the minibatches of one epoch after the other."""
    while True:
        yield from train_iter


def train(cell, num_hiddens, train_iter, schedule):
    """Return a trained network, its history, its waste each second round."""
    net = rnn.RNNModelScratch(len(vocab), num_hiddens, *cells[cell], seed=0)
    minibatches, history, wasted = (
        endless(train_iter),
        rnn.History(floor=floor),
        [],
    )
    for lr, num_rounds in schedule:
        step = rnn.make_step(net, lr, optimizer="adam")
        for number in range(1, num_rounds + 1):
            some = list(itertools.islice(minibatches, 8))
            history.add(*rnn.train_epoch_ch8(net, some, step))
            if number % 2 == 0:
                wasted.append(waste(net))
    return net, history, wasted


schedule = full_or_fast(((0.005, 60), (0.001, 20)), ((0.005, 4),))
nets, histories, wasted = {}, {}, {}
for cell in cells:
    fresh, _ = rnn.load_data_grammar(batch_size, num_steps, seed=0)
    nets[cell], histories[cell], wasted[cell] = train(
        cell, 64, fresh, schedule
    )

# %%
ax = plot.perplexity(histories, plot.new_axes(8, 4.8))
ax.set(xlabel="round of eight minibatches")
present(
    ax,
    "Perplexity of RNN, GRU and LSTM: all three fall to just above the "
    "floor and stay there.",
)

# %%
for cell in cells:
    last = np.exp(np.mean(np.log(histories[cell].perplexity[-10:])))
    print(
        f"{cell:4} perplexity {last:.2f}, "
        f"wasted: {wasted[cell][-1]:.3f} nats per character"
    )

# %% [markdown]
# All three arrive, and the cell makes hardly a difference: what there is to
# remember lies a word or two back, and for that no gate is needed. And where
# is the surprise that is left? The first letters of a word decide which one
# it is; the rest of it follows. The network has learned not only how much
# there is to be surprised at, but where.

# %%
first = test_text.index(
    " ", skipped + 1
)  # of the first row; a word begins behind it
some, places = slice(first, first + 30), np.arange(30)
letters = test_text[first + 1 : first + 31].replace(" ", "\u2423")
ax = plot.new_axes(10, 4.4)
ax.bar(
    places - 0.2,
    perfect_Y[0, some],
    0.4,
    color=plot.COLOURS[0],
    label="perfect",
)
ax.bar(
    places + 0.2,
    surprise(nets["GRU"])[0, some],
    0.4,
    color=plot.COLOURS[1],
    label="GRU",
)
ax.set_xticks(places, letters)
ax.set(xlabel="character", ylabel="surprise, nats", xlim=(-1, 30))
ax.tick_params(axis="x", length=0)
ax.grid(axis="x", visible=False)
ax.legend()
present(
    ax,
    "The surprise at each character of a text: at the first letters "
    "of words, and alike.",
)

# %% [markdown]
# ### Exercise 5
#
# A network has a perplexity of 1.3 per character on fresh text of this
# language. How many nats per character does it waste? Write it as an
# expression; `source.entropy_rate("char")` may occur in it.

# %%
### BEGIN SOLUTION
wasted_nats = math.log(1.3) - source.entropy_rate("char")
### END SOLUTION

# %%
check(
    wasted_nats,
    lambda: math.log(1.3 / source.perplexity("char")),
    hint="the logarithm of a perplexity is a mean surprise; what of it "
    "could not be helped?",
)

# %% [markdown]
# ## More units, more text
#
# How much does a network need? The same training for GRUs of different
# sizes, all on fresh text. Both axes are logarithmic.

# %%
sizes = full_or_fast((4, 8, 16, 32), (16,))
by_size = {}
for num_hiddens in sizes:
    fresh, _ = rnn.load_data_grammar(batch_size, num_steps, seed=0)
    _, _, by_size[num_hiddens] = train("GRU", num_hiddens, fresh, schedule)
by_size[64] = wasted["GRU"]

ax = plot.new_axes(8, 4.8)
read = (
    2
    * 8
    * batch_size
    * num_steps
    * np.arange(1, len(by_size[64]) + 1)
    / 1000
)
for number, (num_hiddens, values) in enumerate(by_size.items()):
    label = f"{num_hiddens} units"
    ax.plot(read, values, label=label, **plot.line_style(number))
ax.set(xscale="log", yscale="log")
ax.minorticks_off()
ax.set_xticks((20, 50, 100, 200, 500), (20, 50, 100, 200, 500))
ax.set(
    xlabel="thousands of characters read",
    ylabel="wasted, nats per character",
)
ax.legend()
present(
    ax,
    "What is wasted falls with the text that was read, the further the "
    "more units there are.",
)

# %%
print(
    {
        f"{units} units": f"{values[-1]:.3f} nats"
        for units, values in by_size.items()
    }
)

# %% [markdown]
# Every network gets nearer with more text. A larger one is faster, per
# character read, and at the end lower, until there is hardly anything left
# to gain: a few thousandths of a nat, which go up and down, as each step
# follows the chance of its own minibatch. The bend is where the steps become
# shorter. That helps those that have arrived, and holds up those still on
# their way.

# %% [markdown]
# ## Below the floor
#
# No model is below the floor on text that it has not seen. On text that it
# *has* seen, it can be: it may know by heart what was chance when it was
# spoken. Three GRUs of 64 units are trained alike, on minibatches of 8 rows.
# Two read one text again and again, of 1,000 and of 3,000 characters; the
# third reads fresh text.

# %%
long_text = list(" ".join(source.speak(2000, seed=1)))
longest = full_or_fast(500_000, 10_000)
readings: dict = {}
readings["fresh text"], _ = rnn.load_data_grammar(
    8, num_steps, max_tokens=longest, seed=0
)
for amount in (3000, 1000):
    ids = vocab[long_text[:amount]]
    readings[f"{amount:,} characters"] = rnn.SeqDataLoader(
        ids, 8, num_steps, seed=0
    )
if full_or_fast(False, True):
    readings = {"1,000 characters": readings["1,000 characters"]}

left, right = plot.new_axes(10, 4.6, columns=2)
for number, (name, train_iter) in enumerate(readings.items()):
    schedule = [(0.005, full_or_fast(100, 4))]
    _, histories[name], wasted[name] = train("GRU", 64, train_iter, schedule)
    style = plot.line_style(number) | {"label": name, "linewidth": 2}
    rounds = np.arange(1, len(histories[name].perplexity) + 1)
    left.plot(rounds, histories[name].perplexity, **style)
    right.plot(rounds[1::2], floor * np.exp(wasted[name]), **style)
for ax, title in ((left, "the text that it reads"), (right, "new text")):
    ax.axhline(floor, color="black", linewidth=2, label="floor")
    ax.set(
        xlabel="round of eight minibatches",
        ylabel="perplexity",
        ylim=(1, 2),
        title=title,
    )
left.legend()
present(
    [left, right],
    "A short text read again and again: below the floor on it, "
    "far above on new.",
)

# %%
for name in readings:
    best = 2 * (1 + int(np.argmin(wasted[name])))
    print(
        f"{name}: best on new text after round {best} "
        f"of {2 * len(wasted[name])}"
    )

# %% [markdown]
# A network below the line has learned something by heart, for nothing else
# takes it there. On the short text it goes through the line, and on new text
# it has by then been getting worse already: learning by heart had begun
# before. A longer text takes longer to learn by heart, and text without end
# cannot be learned so at all. In a book, where nobody knows the floor, there
# is no line to look at. There it takes text that was held out to tell the
# one from the other.

# %% [markdown]
# ## What to take away
#
# - A source has an entropy rate. The exponential of it is the lowest
#   perplexity of any model on new text.
# - What a model has above that is the Kullback-Leibler divergence, and can
#   be measured.
# - RNN, GRU and LSTM all come within about a hundredth of a nat. More units
#   and more text help, down to the floor.
# - A perplexity below the floor means: learned by heart, or shown the answer
#   (notebook 8).
#
# **Proven in the repository.** In `tests/data/test_grammar.py`, the entropy
# rate: `test_two_words_have_the_entropy_rate_of_the_formula`,
# `test_a_character_carries_its_share_of_the_word_s_entropy` and
# `test_spoken_text_is_as_surprising_as_the_entropy_rate_says`. Networks:
# `test_a_network_comes_near_the_floor_and_not_below`. Fresh text:
# `test_every_epoch_is_fresh_text_in_one_vocabulary`. And text that is not:
# `test_a_text_known_by_heart_is_below_the_floor_and_new_text_is_not`.
