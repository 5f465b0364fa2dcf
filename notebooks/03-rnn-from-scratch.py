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
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/d2lrnn/d2lrnn/blob/main/notebooks/03-rnn-from-scratch.ipynb)
#
# # 3. The recurrent network from scratch
#
# Here a network learns to write, character by character, and nothing of it is hidden: how
# characters become vectors, which parameters there are, what is computed with them, why gradients
# are clipped, how it is trained, and how text is drawn from it afterwards.
#
# It follows section 9.5 of *Dive into Deep Learning*, with its notation. Notebook 1 says what a
# hidden state is, notebook 2 how a text becomes minibatches.

# %%
import importlib.util

if importlib.util.find_spec("d2lrnn") is None:
    # %pip install -q "d2lrnn[torch] @ git+https://github.com/d2lrnn/d2lrnn"
    importlib.invalidate_caches()

# %%
import numpy as np

from d2lrnn import backends, plot
from d2lrnn.teaching import check, full_or_fast, present, time_machine_at_hand

backends.prepare()  # before any framework is imported: float64 in JAX, less talk from TensorFlow
plot.use_style()

# %% [markdown]
# Everything below runs on any of five backends. Edit this line, and nothing else, to choose one.

# %%
from d2lrnn import torch as rnn  # or tensorflow, jax, mxnet, numpy

# %% [markdown]
# The text is The Time Machine where it is at hand, and otherwise the story that comes with the
# package. Of either, 10,000 characters are learned, in minibatches of 32 rows of 35 characters.

# %%
load_data = rnn.load_data_time_machine if time_machine_at_hand() else rnn.load_data_builtin
batch_size, num_steps = 32, 35
train_iter, vocab = load_data(batch_size, num_steps, seed=0)
X, Y = next(iter(train_iter))
print(f"{len(train_iter)} minibatches of X and Y {tuple(X.shape)}, {len(vocab)} different tokens")
print("X, first row:", vocab.join(vocab.to_tokens(rnn.to_numpy(X)[0])))
print("Y, first row:", vocab.join(vocab.to_tokens(rnn.to_numpy(Y)[0])))

# %% [markdown]
# ## One-hot vectors
#
# The id of a token is a name, not a quantity: token 7 is not more than token 3. So each id $i$
# becomes the vector of length $|\mathcal{V}|$ that is 1 at place $i$ and 0 elsewhere. A minibatch
# (batch_size, num_steps) is turned round on the way, time first, so that a loop over the first axis
# walks through time: (num_steps, batch_size, $|\mathcal{V}|$).

# %%
word = "time traveller"
ids = vocab[list(word)]
rows = rnn.to_numpy(rnn.one_hot(np.array(ids), len(vocab)))
ax = plot.new_axes(8, 4.8)
ax.imshow(rows, cmap="gray_r", aspect="auto")
ax.set(xlabel="token id", yticks=range(len(word)), yticklabels=list(word.replace(" ", "\u2423")))
ax.grid(False)
present(ax, "Fourteen rows, one for each character, with a single black square at its id.")

# %% [markdown]
# ## Parameters
#
# $\mathbf{W}_{xh}$ takes a token in, $\mathbf{W}_{hh}$ carries the state on, $\mathbf{W}_{hq}$
# gives a score to each possible next token. Weights start as small random numbers, biases at 0. The
# same seed gives the same numbers in all five backends.

# %%
num_hiddens = full_or_fast(256, 64)
params = rnn.get_params(len(vocab), num_hiddens, seed=0)
for name, param in zip(["W_xh", "W_hh", "b_h", "W_hq", "b_q"], params):
    print(f"{name:4} {rnn.to_numpy(param).shape}")

# %% [markdown]
# ## Model
#
# $$\mathbf{H}_t = \tanh(\mathbf{X}_t \mathbf{W}_{xh} + \mathbf{H}_{t-1} \mathbf{W}_{hh} +
# \mathbf{b}_h), \qquad \mathbf{O}_t = \mathbf{H}_t \mathbf{W}_{hq} + \mathbf{b}_q,$$
#
# for one time step after the other. This is the source of the package, in the backend chosen above:

# %%
rnn.show(rnn.rnn, helpers=True)

# %% [markdown]
# `RNNModelScratch` puts three functions together: one for the parameters, one for the first state,
# one for the forward pass. It one-hot encodes ids, and gives (num_steps × batch_size,
# $|\mathcal{V}|$) scores, all of the first time step first.

# %%
net = rnn.RNNModelScratch(
    len(vocab), num_hiddens, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0
)
state = net.begin_state(batch_size)
outputs, new_state = net(X, state)
print("outputs", tuple(outputs.shape), "- hidden state", tuple(new_state[0].shape))
print(rnn.predict_ch8("time traveller", 20, net, vocab))

# %% [markdown]
# Untrained, it stutters. How bad is that, as a number? The loss is the mean surprise about the
# token that came, the *cross-entropy*, in nats, and *perplexity* is its exponential,
#
# $$\exp\left(-\frac{1}{n} \sum_{t=1}^n \log P(x_t \mid x_{t-1}, \ldots, x_1)\right),$$
#
# the number of tokens that the model might as well be choosing between at random.
#
# ### Exercise 1
#
# The untrained network gives almost the same score to every token. Which perplexity do you expect?
# Say it, before you look, as an expression.

# %%
### BEGIN SOLUTION
expected_perplexity = len(vocab)
### END SOLUTION

# %%
loss, grads = net.gradients(X, Y, state)
check(
    expected_perplexity,
    lambda: np.exp(loss),
    hint="a model that knows nothing chooses between all the tokens that there are",
    tolerance=0.01,
)

# %% [markdown]
# ## Clipping gradients
#
# Going back through 35 steps multiplies by $\mathbf{W}_{hh}$ 35 times, and now and then the product
# is huge. One such step throws the parameters far away. Clipping looks at all gradients together as
# one long vector $\mathbf{g}$, and where it is longer than $\theta$, shortens it:
#
# $$\mathbf{g} \leftarrow \min\left(1, \frac{\theta}{\|\mathbf{g}\|}\right) \mathbf{g}.$$
#
# The direction stays the same; the step is never longer than the learning rate times $\theta$.

# %%
rnn.show(rnn.grad_clipping)

# %% [markdown]
# ### Exercise 2
#
# Write it in NumPy: from a list of arrays and $\theta$ to the list of clipped arrays.


# %%
def clip(grads, theta):
    """Return grads, shortened so that their joint Euclidean norm is theta at most."""
    ### BEGIN SOLUTION
    norm = np.sqrt(sum((grad**2).sum() for grad in grads))
    return [grad * min(1, theta / norm) for grad in grads]
    ### END SOLUTION


# %%
long, short = [np.array([3.0]), np.array([[4.0, 12.0]])], [np.array([0.3]), np.array([[0.4, 0.0]])]
check(
    lambda: np.concatenate([grad.ravel() for grad in [*clip(long, 1.0), *clip(short, 1.0)]]),
    [3 / 13, 4 / 13, 12 / 13, 0.3, 0.4, 0.0],
    hint="one norm for all arrays together; a vector shorter than theta stays as it is",
)

# %% [markdown]
# ## Training
#
# An epoch is one pass over the minibatches, a step for each: forward, loss, gradients, clipping,
# and a move of the parameters against the gradients. Gradients stop at the minibatch's edge
# (*truncated* backpropagation through time), although the state itself is carried on. The loop is
# in the package, and knows no framework:

# %%
rnn.show(rnn.train_epoch_ch8)

# %% [markdown]
# Two networks start from the same parameters. One reads *sequential* minibatches, each row going on
# where it ended, and keeps its state; the other gets pieces of text in *random* order, and starts
# each from zero. Beside the perplexity, the loop below keeps how long the gradients of one and the
# same minibatch are, before clipping. (`rnn.train_ch8` is such a loop, with a progress bar and
# samples. `rnn_fused` computes what `rnn` does, faster; notebook 12 takes it apart.)

# %%
lr, theta, num_epochs = 1.0, 1.0, full_or_fast(400, 5)
every = full_or_fast(4, 1)  # epochs from one look at the gradients to the next
functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn_fused
histories, norms, nets = {}, {}, {}
for label in ("sequential", "random"):
    at_random = label == "random"
    train_iter, vocab = load_data(batch_size, num_steps, at_random, seed=0)
    net = rnn.RNNModelScratch(len(vocab), num_hiddens, *functions, seed=0)
    step = rnn.make_step(net, lr, theta)
    nets[label], histories[label], norms[label] = net, rnn.History(), []
    for epoch in range(num_epochs):
        if epoch % every == 0:
            _, grads = net.gradients(X, Y, net.begin_state(batch_size))
            norms[label].append(np.sqrt(sum((grad.astype(float) ** 2).sum() for grad in grads)))
        seen = rnn.train_epoch_ch8(net, train_iter, step, use_random_iter=at_random)
        histories[label].add(*seen)
    print(f"{label}: perplexity {histories[label].perplexity[-1]:.2f}")

# %%
ax = plot.new_axes(8, 4.8)
present(plot.perplexity(histories, ax), "Perplexity over epochs, for both ways of reading.")

# %% [markdown]
# The axis is logarithmic: from 16 to 8 is as much as from 2 to 1. Mind what the low numbers mean. A
# perplexity near 1 on 10,000 characters seen hundreds of times is a text learned by heart. What the
# network would make of another chapter is another question.

# %%
ax = plot.new_axes(8, 4.8)
for number, (label, values) in enumerate(norms.items()):
    ax.plot(range(1, num_epochs + 1, every), values, label=label, **plot.line_style(number))
ax.axhline(theta, color="black", linewidth=2, label=r"$\theta$")
ax.set(xlabel="epoch", ylabel="norm of all gradients", yscale="log")
ax.legend()
present(ax, "The norm of the gradients over epochs, with a line at the bound theta.")

# %% [markdown]
# At first the gradients are short and clipping does nothing. As the network learns, its recurrent
# weights grow, and with them the gradients of what it still gets wrong. From there on, clipping is
# what keeps a single minibatch from undoing the work of many.
#
# ## Writing
#
# To write, the network reads a beginning, then its own choice as the next input, and so on. The
# simplest choice is the token of the highest score. Or draw it: with a *temperature* $\tau$, the
# probabilities are
#
# $$P(i) = \frac{\exp(o_i / \tau)}{\sum_j \exp(o_j / \tau)}.$$
#
# At $\tau = 1$ they are the network's own; lower ones make likely tokens likelier, down to greedy
# choice at 0; higher ones bring surprise, up to pure noise.
#
# ### Exercise 3
#
# Write these probabilities as a function of the scores and the temperature.


# %%
def probabilities(scores, temperature):
    """Return softmax(scores / temperature)."""
    ### BEGIN SOLUTION
    weights = np.exp((scores - scores.max()) / temperature)
    return weights / weights.sum()
    ### END SOLUTION


# %%
scores = np.log([1.0, 2.0, 4.0])
check(
    lambda: [list(probabilities(scores, temperature)) for temperature in (0.5, 1.0)],
    [[1 / 21, 4 / 21, 16 / 21], [1 / 7, 2 / 7, 4 / 7]],
    hint="exponentials of scores / temperature, divided by their sum",
)

# %%
net = nets["sequential"]
prefix = "time traveller "
state = net.begin_state(1)
for index in vocab[list(prefix)]:
    outputs, state = net.evaluate(np.array([[index]]), state)
scores = outputs[0].astype(float)
likeliest = np.argsort(-scores)[:8]
ax = plot.new_axes(8, 4.8)
for number, temperature in enumerate((0.5, 1.0, 2.0)):
    weights = np.exp((scores - scores.max()) / temperature)
    places = np.arange(len(likeliest)) + 0.27 * (number - 1)
    heights = 100 * (weights / weights.sum())[likeliest]
    colour = plot.COLOURS[number]
    ax.bar(places, heights, 0.27, color=colour, label=f"temperature {temperature}")
letters = [repr(vocab.to_tokens(index)) for index in likeliest]
ax.set_xticks(range(len(likeliest)), letters)
ax.set(xlabel=f"next character after {prefix!r}", ylabel="probability, %")
ax.legend()
present(ax, "The lower the temperature, the more of the probability has the likeliest character.")

# %%
for temperature in (0.0, 0.5, 1.0, 1.5):
    text = rnn.predict_ch8(prefix, 60, net, vocab, temperature=temperature, seed=0)
    print(f"temperature {temperature}: {text}")

# %% [markdown]
# ## What to take away
#
# - Three functions make a model: parameters, first state, forward pass.
# - Clipping bounds how far one step can go, and leaves its direction alone.
# - With sequential minibatches the state goes on from one to the next, its gradient does not.
# - Perplexity counts the choices that are left; a low one on text seen before is memory.
#
# **Proven in the repository.** The equations, number by number:
# `test_outputs_follow_the_equations` in `tests/nets/test_scratch.py`. One-hot rows:
# `test_one_hot_rows_hold_a_single_one`, in the same file. Clipping and the step:
# `test_gradients_are_clipped_by_their_joint_norm` and
# `test_a_step_moves_the_parameters_against_the_clipped_gradients` in
# `tests/training/test_training.py`. There too: truncation,
# `test_a_state_carried_on_brings_no_gradient_from_before`, and temperature,
# `test_sampling_follows_the_softmax_of_scores_over_temperature`. That `rnn_fused` learns what
# `rnn` does: `test_a_fused_model_learns_as_its_twin_does` in `tests/nets/test_fused.py`.
