"""Character language models of all cells, with equally many parameters and equal minibatches.

The text is The Time Machine, of which the last tenth is the validation part.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from d2lrnn import checks, plot
from d2lrnn.nets.build import FUSED, new_net
from d2lrnn.nets.cells import Architecture
from d2lrnn.recipes.memory import CELLS
from d2lrnn.training.history import History
from d2lrnn.training.language import train_ch8
from d2lrnn.training.progress import bar

if TYPE_CHECKING:
    from d2lrnn.interface import BackendLike

NUM_WEIGHTS = 64_000
BATCH_SIZE, NUM_STEPS, SHARE = 32, 35, 0.1
LR, NUM_EPOCHS = 0.005, 10


class Result(NamedTuple):
    """The result for one cell: the sizes of its network, the history, the seconds of training."""

    num_hiddens: int
    num_weights: int
    history: History
    seconds: float  # of CPU time in this process


def num_hiddens_for(cell: Any, vocab_size: int, num_weights: int) -> int:
    """Return the number of hidden units with which a language model has about num_weights numbers.

    Args:
        cell: the name of a cell, or a custom cell.
        vocab_size: the number of different tokens.
        num_weights: the numbers in all parameters of the model together.

    Returns:
        The number of hidden units, 1 or above, whose number of weights is nearest.

    Examples:
        >>> from d2lrnn.recipes import characters
        >>> characters.num_hiddens_for("lstm", 28, 64_000)
        110
    """
    architecture = Architecture(cell)

    def size(num_hiddens: int) -> int:
        return architecture.num_weights(vocab_size, num_hiddens)

    low, high = 1, 2
    while size(high) < num_weights:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size(middle) < num_weights else (low, middle)
    return min((low, high), key=lambda number: abs(size(number) - num_weights))


def language_models(
    rnn: BackendLike,
    num_epochs: int | None = None,
    *,
    report: Callable[[str], Any],
    progress: bool | None = None,
    cell: str | None = None,
    max_tokens: int | None = None,
    seed: int | None = 0,
    device: Any = None,
) -> dict[str, Result]:
    """Compare all cells: language models of equal size.

    The rows of the table are reported as soon as they are complete.

    Args:
        rnn: the backend.
        num_epochs: passes over the text; None for 10.
        report: a function that prints a line.
        progress: see train_ch8; the bar advances by one for each cell.
        cell: a single cell instead of all.
        max_tokens: use the first max_tokens characters; None for all of them.
        seed: the seed of the parameters and of the minibatches.
        device: where to compute; None is the framework's default.

    Returns:
        By cell, its Result. The perplexity after each epoch is that of the validation part.
    """
    epochs, results = NUM_EPOCHS if num_epochs is None else num_epochs, {}
    checks.count(num_epochs=epochs)
    report("| cell | hidden units | parameters | training | validation | CPU seconds |")
    report("| --- | --- | --- | --- | --- | --- |")
    chosen: Sequence[str] = CELLS if cell is None else (cell,)
    with bar(progress, total=len(chosen)) as shown:
        for name in chosen:
            shown.set_description_str(name)
            result = _train(rnn, name, epochs, max_tokens, seed, device)
            results[name] = result
            sizes = f"{result.num_hiddens} | {result.num_weights:,}"
            report(f"| {name} | {sizes} | {_numbers(result.history)} | {result.seconds:.0f} |")
            shown.update()
    return results


def draw(results: Mapping[str, Result]) -> Any:
    """Draw the perplexity of the validation part over epochs; return the matplotlib Axes."""
    curves = {cell: History(result.history.validation) for cell, result in results.items()}
    ax = plot.perplexity(curves)
    ax.set(ylabel="perplexity of the validation part")
    return ax


def _numbers(history: History) -> str:
    """Return the perplexities of the last epoch as cells of a table."""
    ends = [values[-1:] for values in (history.perplexity, history.validation)]
    return " | ".join(f"{end[0]:.3f}" if end else "-" for end in ends)


def _train(
    rnn: BackendLike,
    cell: str,
    num_epochs: int,
    max_tokens: int | None,
    seed: int | None,
    device: Any,
) -> Result:
    """Train one language model."""
    sizes = BATCH_SIZE, NUM_STEPS, False, max_tokens
    load = rnn.load_data_time_machine
    train_iter, validation, vocab = load(*sizes, seed=seed, validation=SHARE)
    architecture, vocab_size = Architecture(cell), len(vocab)
    num_hiddens = num_hiddens_for(cell, vocab_size, NUM_WEIGHTS)
    settings = {"fused": cell in FUSED, "seed": seed, "device": device}
    net = new_net(rnn, architecture, vocab_size, num_hiddens, **settings)
    start = time.process_time()
    history = train_ch8(
        net,
        train_iter,
        vocab,
        LR,
        num_epochs,
        optimizer="adam",
        validation=validation,
        progress=False,
    )
    seconds = time.process_time() - start
    return Result(num_hiddens, architecture.num_weights(vocab_size, num_hiddens), history, seconds)
