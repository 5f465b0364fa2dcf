"""Training and prediction as the book does them, of any net, in any framework (section 8.5).

An epoch is that of ``d2lrnn.training``: losses wait on the device until they are looked at, and
training that diverges ends with an error that says what helps.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

from d2lrnn.book.objects import check_prediction
from d2lrnn.training import divergence, minibatches
from d2lrnn.training.history import DivergenceError, perplexity_of
from d2lrnn.training.language import train_epoch_ch8
from d2lrnn.training.progress import say

d2l = sys.modules[__package__]
EVERY = 10  # epochs from one sample and point to the next
PARTS = "X", "X_valid_len", "Y", "Y_valid_len"
NAMES = "lr", "grad_clipping(net, 1)"


class Started:
    """A net's first states, asked for by batch size alone; the other arguments are known."""

    def __init__(self, net: Any, **settings: Any) -> None:
        """Keep the net and what its begin_state takes besides batch_size."""
        self.net, self.settings = net, settings

    def begin_state(self, batch_size: int) -> Any:
        """Return the state before the first time step."""
        return self.net.begin_state(batch_size=batch_size, **self.settings)


def epoch(
    started: Started, train_iter: Iterable[Any], step: Any, use_random_iter: bool
) -> tuple[float, float]:
    """Train for an epoch and return perplexity and tokens per second.

    step(X, Y, state) returns the mean loss, a number or a tensor that need not be known yet, and
    the new state.
    """
    timer, metric = d2l.Timer(), d2l.Accumulator(2)
    losses: list[tuple[Any, int]] = []

    def noted(X: Any, Y: Any, state: Any) -> tuple[Any, Any]:
        loss, state = step(X, Y, state)
        losses.append((loss, d2l.size(Y)))
        return loss, state

    train_epoch_ch8(started, train_iter, cast(Any, noted), use_random_iter=use_random_iter)
    for loss, num_tokens in losses:  # now that nothing waits on the device any more
        metric.add(float(loss) * num_tokens, num_tokens)
    return perplexity_of(metric[0] / metric[1]), metric[1] / timer.stop()


@contextlib.contextmanager
def divergence_in(epoch: int) -> Iterator[None]:
    """Name the epoch in a DivergenceError, and what the book calls its remedies."""
    try:
        yield
    except DivergenceError as error:
        raise error.replace(epoch=epoch, names=NAMES) from None


def train(
    train_epoch: Callable[[], tuple[float, float]],
    predict: Callable[[str], str],
    num_epochs: int,
    device: object,
    *,
    samples: bool = True,
) -> None:
    """Train, draw the perplexity every ten epochs, and say what has been learned.

    Raises:
        DivergenceError: the loss, or the perplexity of an epoch, is not finite.
    """
    animator = d2l.Animator(
        xlabel="epoch", ylabel="perplexity", legend=["train"], xlim=[EVERY, num_epochs]
    )
    for number in range(1, num_epochs + 1):
        with divergence_in(number):
            perplexity, speed = train_epoch()
        if number % EVERY == 0:
            if samples:
                say(predict("time traveller"))
            animator.add(number, [perplexity])
    if num_epochs > 0:
        say(f"perplexity {perplexity:.1f}, {speed:.1f} tokens/sec on {device}")
    say(predict("time traveller"))
    say(predict("traveller"))


def predict(
    prefix: Sequence[str],
    num_preds: int,
    vocab: Any,
    step: Callable[[int, Any], tuple[Any, Any]],
    likeliest: Callable[[Any], int],
    state: Any,
) -> str:
    """Return the tokens of the prefix and num_preds more, each the likeliest, without spaces.

    step(index, state) returns the scores of the token after the one with that id, and a state;
    likeliest(scores) returns the id of the highest.
    """
    check_prediction(prefix, num_preds)
    said = [vocab[prefix[0]]]
    for token in prefix[1:]:  # the state warms up
        _, state = step(said[-1], state)
        said.append(vocab[token])
    for _ in range(num_preds):
        scores, state = step(said[-1], state)
        said.append(likeliest(scores))
    return "".join(vocab.to_tokens(said))


def train_pairs(
    step: Callable[[Any], tuple[Any, Any]],
    data_iter: Iterable[Any],
    num_epochs: int,
    device: object,
) -> None:
    """Train an encoder and a decoder, draw the loss every ten epochs, and say the last.

    step(batch) returns the sum of the losses and the number of tokens (section 9.7.4).

    Raises:
        DivergenceError: the loss, or its exponential, is not finite.
        ValueError: data_iter yields something other than sources, targets and their lengths.
    """
    animator = d2l.Animator(xlabel="epoch", ylabel="loss", xlim=[EVERY, num_epochs])
    for number in range(1, num_epochs + 1):
        timer, metric = d2l.Timer(), d2l.Accumulator(2)
        seen = [step(minibatches.parts(batch, PARTS, "data_iter yields")) for batch in data_iter]
        for loss, num_tokens in seen:
            metric.add(loss, num_tokens)
        seconds = timer.stop()
        with divergence_in(number):
            divergence.check_loss(metric[0] / metric[1])
        if number % EVERY == 0:
            animator.add(number, [metric[0] / metric[1]])
    if num_epochs > 0:
        say(f"loss {metric[0] / metric[1]:.3f}, {metric[1] / seconds:.1f} tokens/sec on {device}")
