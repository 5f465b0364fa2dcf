"""Training and prediction as the book does them, for a net of any framework (8.5 and 9.7).

An epoch is that of ``d2lrnn.training``: losses stay on the device until the end of the epoch, and
training that diverges ends with an error that states the remedies.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, cast

from d2lrnn import checks
from d2lrnn.data.arrays import as_array
from d2lrnn.training import divergence, minibatches
from d2lrnn.training.history import perplexity_of
from d2lrnn.training.language_epoch import train_epoch_ch8
from d2lrnn.training.progress import say

d2l = sys.modules[__package__]
EVERY = 10  # epochs between two points of the curve, and between two predictions
PARTS = "X", "X_valid_len", "Y", "Y_valid_len"
NAMES = "lr", "grad_clipping(net, 1)"


class Started:
    """A net whose begin_state takes only the batch size; the other arguments are stored."""

    def __init__(self, net: Any, **settings: Any) -> None:
        """Store the net, and the arguments of its begin_state except batch_size."""
        self.net, self.settings = net, settings

    def begin_state(self, batch_size: int) -> Any:
        """Return the state before the first time step."""
        return self.net.begin_state(batch_size=batch_size, **self.settings)


def epoch(
    started: Started, train_iter: Iterable[Any], step: Any, use_random_iter: bool
) -> tuple[float, float]:
    """Train for one epoch; return the perplexity and the tokens per second.

    step(X, Y, state) trains on a minibatch, and returns the mean loss, a number or a tensor, and
    the new state.
    """
    timer, metric = d2l.Timer(), d2l.Accumulator(2)
    losses: list[tuple[Any, int]] = []

    def noted(X: Any, Y: Any, state: Any) -> tuple[Any, Any]:
        loss, state = step(X, Y, state)
        losses.append((loss, d2l.size(Y)))
        return loss, state

    train_epoch_ch8(started, train_iter, cast(Any, noted), use_random_iter=use_random_iter)
    for loss, num_tokens in losses:  # which waits for the device only now
        metric.add(float(loss) * num_tokens, num_tokens)
    return perplexity_of(metric[0] / metric[1]), metric[1] / timer.stop()


def detached(state: Any) -> Any:
    """Return a state, a tensor or a sequence of them, detached from the graph."""
    if hasattr(state, "detach"):
        return state.detach()
    parts = [detached(part) for part in state]
    return parts if isinstance(state, list) else tuple(parts)


def train(
    train_epoch: Callable[[], tuple[float, float]],
    predict: Callable[[str], str],
    num_epochs: int,
    device: object,
    *,
    samples: bool = True,
) -> None:
    """Train, draw the perplexity every ten epochs, and print the result and two predictions.

    Raises:
        DivergenceError: the loss, or the perplexity of an epoch, is not finite.
    """
    animator = d2l.Animator(
        xlabel="epoch", ylabel="perplexity", legend=["train"], xlim=[EVERY, num_epochs]
    )
    for number in range(1, num_epochs + 1):
        with divergence.with_facts(epoch=number, names=NAMES):
            perplexity, speed = train_epoch()
        if number % EVERY == 0:
            if samples:
                say(predict("time traveller"))
            animator.add(number, [perplexity])
    if num_epochs > 0:
        say(f"perplexity {perplexity:.1f}, {speed:.1f} tokens/sec on {device}")
    say(predict("time traveller"))
    say(predict("traveller"))


def train_pairs(
    step: Callable[[Any], tuple[Any, Any]],
    data_iter: Iterable[Any],
    num_epochs: int,
    device: object,
) -> None:
    """Train an encoder and a decoder, draw the loss every ten epochs, and print the last.

    step(batch) trains on a minibatch, and returns the sum of the losses and the number of tokens
    (section 9.7.4).

    Raises:
        DivergenceError: the loss, or its exponential, is not finite.
        ValueError: data_iter yields something other than sources, targets and their lengths.
    """
    animator = d2l.Animator(xlabel="epoch", ylabel="loss", xlim=[EVERY, num_epochs])
    for number in range(1, num_epochs + 1):
        timer, metric = d2l.Timer(), d2l.Accumulator(2)
        sums = [step(minibatches.parts(batch, PARTS, "data_iter yields")) for batch in data_iter]
        for loss, num_tokens in sums:
            metric.add(loss, num_tokens)
        seconds = timer.stop()
        with divergence.with_facts(epoch=number, names=NAMES):
            divergence.check_loss(metric[0] / metric[1])
        if number % EVERY == 0:
            animator.add(number, [metric[0] / metric[1]])
    if num_epochs > 0:
        say(f"loss {metric[0] / metric[1]:.3f}, {metric[1] / seconds:.1f} tokens/sec on {device}")


def translate(
    net: Any,
    src_sentence: str,
    src_vocab: Any,
    tgt_vocab: Any,
    num_steps: int,
    save_attention_weights: bool,
    tensor: Callable[[Any], Any],
    **settings: Any,
) -> tuple[str, list[Any]]:
    """Return the translation of a sentence, and the attention weights of each step if wanted.

    Each word is the one with the highest score (section 9.7.5). tensor(ids) makes a tensor on the
    device of the net; settings are further arguments of the encoder and the decoder.
    """
    checks.size(num_steps=num_steps)
    tokens = [*src_vocab[src_sentence.lower().split(" ")], src_vocab["<eos>"]]
    valid_len = tensor([len(tokens)])
    tokens = d2l.truncate_pad(tokens, num_steps, src_vocab["<pad>"])
    enc_outputs = net.encoder(tensor([tokens]), valid_len, **settings)
    state = net.decoder.init_state(enc_outputs, valid_len)
    index, ids, weights = tgt_vocab["<bos>"], [], []
    for _ in range(num_steps):
        Y, state = net.decoder(tensor([[index]]), state, **settings)
        index = int(as_array(Y).argmax())
        if save_attention_weights:
            weights.append(net.decoder.attention_weights)
        if index == tgt_vocab["<eos>"]:
            break
        ids.append(index)
    return " ".join(tgt_vocab.to_tokens(ids)), weights
