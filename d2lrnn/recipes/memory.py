"""Four tasks that test what a network remembers, and which of the cells learn them.

Each network has two layers of 32 hidden units. It is trained by Adam on minibatches of 32 of 6,400
generated sequences, and scored on 1,000 others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from d2lrnn import checks, plot
from d2lrnn.data import memory_tasks
from d2lrnn.data.batches import BatchLoader
from d2lrnn.recipes.outcome import Outcome
from d2lrnn.training import sequences
from d2lrnn.training.history import Scores
from d2lrnn.training.progress import bar

if TYPE_CHECKING:
    from d2lrnn.interface import BackendLike

CELLS = ("rnn", "gru", "lstm", "mingru", "minlstm", "s4d", "mamba")
NUM_HIDDENS, NUM_LAYERS, BATCH_SIZE, LR = 32, 2, 32, 0.005
NUM_TRAINING, NUM_TEST, TEST_SEED = 6400, 1000, 1_000_000
LONGER = 4  # parity is also scored on sequences that are this many times as long as in training


class Memory(NamedTuple):
    """A task: its generator, the number of different ids, the epochs, the accuracy of guessing.

    guess is the accuracy of random answers: of any symbol, of any value in the sequence, or of any
    bit.
    """

    generate: Callable[..., Any]
    vocab_size: int
    num_epochs: int
    guess: float


MEMORY: Mapping[str, Memory] = {
    "selective_copy": Memory(memory_tasks.selective_copy, 6, 4, 1 / 4),
    "recall": Memory(memory_tasks.recall, 16, 4, 1 / 3 + 2 / 3 / 8),
    "parity": Memory(memory_tasks.parity, 2, 4, 1 / 2),
}
ADDING_EPOCHS = 4


def selective_copy(
    rnn: BackendLike,
    num_epochs: int | None = None,
    *,
    progress: bool | None = None,
    **settings: Any,
) -> Outcome:
    """Many to many: repeat the tokens that were hidden in noise."""
    return _tag("selective_copy", rnn, num_epochs, progress, settings)


def recall(
    rnn: BackendLike,
    num_epochs: int | None = None,
    *,
    progress: bool | None = None,
    **settings: Any,
) -> Outcome:
    """Many to many: recall the values that were paired with keys."""
    return _tag("recall", rnn, num_epochs, progress, settings)


def parity(
    rnn: BackendLike,
    num_epochs: int | None = None,
    *,
    progress: bool | None = None,
    **settings: Any,
) -> Outcome:
    """Many to many: whether the number of ones so far is odd."""
    outcome = _tag("parity", rnn, num_epochs, progress, settings)
    X, Y = longer_parity()
    line = (
        f"{outcome.net.score(X, Y):.2%} in sequences of {X.shape[1]} steps; those of the training "
        f"have {X.shape[1] // LONGER}"
    )
    return outcome._replace(lines=[*outcome.lines, line])


def longer_parity() -> tuple[Any, Any]:
    """Return test sequences for parity that are longer than those of the training."""
    X, _ = memory_tasks.parity(1)
    return memory_tasks.parity(NUM_TEST, LONGER * X.shape[1], seed=TEST_SEED)


def adding(
    rnn: BackendLike,
    num_epochs: int | None = None,
    *,
    progress: bool | None = None,
    **settings: Any,
) -> Outcome:
    """Many to one: add the two marked numbers of a sequence."""
    net = rnn.SequenceRegressorScratch(2, NUM_HIDDENS, 1, **_network(settings))
    epochs = ADDING_EPOCHS if num_epochs is None else num_epochs
    scores, test = _train(net, memory_tasks.adding, epochs, progress, settings)
    line = (
        f"mean squared error {net.mean_squared_error(*test):.4f} on {NUM_TEST:,} held-out "
        f"sequences; always answering 1 has {memory_tasks.ADDING_BASELINE:.4f}"
    )
    return Outcome(net, scores, [line], scores.plot)


def _tag(
    name: str, rnn: BackendLike, num_epochs: int | None, progress: bool | None, settings: Any
) -> Outcome:
    """Train a tagger on one of MEMORY."""
    task = MEMORY[name]
    sizes = task.vocab_size, NUM_HIDDENS, task.vocab_size
    net = rnn.SequenceTaggerScratch(*sizes, **_network(settings))
    epochs = task.num_epochs if num_epochs is None else num_epochs
    scores, test = _train(net, task.generate, epochs, progress, settings)
    line = (
        f"{net.score(*test):.2%} of the answers in {NUM_TEST:,} held-out sequences are correct; a "
        f"random guess has {task.guess:.2%}"
    )
    return Outcome(net, scores, [line], scores.plot)


def _network(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a network, with the defaults of this module."""
    return {"cell": "gru", "num_layers": NUM_LAYERS, "fused": True, **settings}


def _train(
    net: Any,
    generate: Callable[..., Any],
    num_epochs: int,
    progress: bool | None,
    settings: Mapping[str, Any],
) -> tuple[Scores, Any]:
    """Train a network on generated sequences; return the scores and the test sequences."""
    train, test = generate(NUM_TRAINING), generate(NUM_TEST, seed=TEST_SEED)
    loader = BatchLoader(*train, batch_size=BATCH_SIZE, seed=settings.get("seed"))
    scores = sequences.train_sequences(
        net, loader, LR, num_epochs, held_out=test, progress=progress
    )
    return scores, test


COLUMNS = ("selective_copy", "recall", "parity", f"parity, {LONGER} times as long", "adding")


def learned(
    rnn: BackendLike,
    num_epochs: int | None = None,
    *,
    report: Callable[[str], Any],
    progress: bool | None = None,
    cell: str | None = None,
    **settings: Any,
) -> dict[str, list[float]]:
    """Compare all cells: copying, recall, parity and adding.

    The rows of the table are reported as soon as they are complete. It contains the accuracy on
    held-out sequences, and for adding the mean squared error.

    Args:
        rnn: the backend.
        num_epochs: the epochs of each training run; None for the number of each task.
        report: a function that prints a line.
        progress: see train_sequences; the bar advances by one for each training run.
        cell: a single cell instead of CELLS.
        settings: other arguments of each network: seed, dtype, device.

    Returns:
        By cell, the numbers of its row.
    """
    if num_epochs is not None:
        checks.count(num_epochs=num_epochs)
    report(f"| cell | {' | '.join(COLUMNS)} |\n|{' --- |' * (1 + len(COLUMNS))}")
    rows: dict[str, list[float]] = {}
    chosen: Sequence[str] = CELLS if cell is None else (cell,)
    with bar(progress, total=len(chosen) * len(TASKS)) as shown:
        for name in chosen:
            nets = {}
            for task, train in TASKS.items():
                shown.set_description_str(f"{name}: {task}")
                how = {**settings, "cell": name}
                nets[task] = train(rnn, num_epochs, progress=False, **how).net
                shown.update()
            rows[name] = _row(nets)
            report(f"| {name} | {' | '.join(_texts(rows[name]))} |")
    return rows


def draw(rows: Mapping[str, Sequence[float]]) -> Any:
    """Draw the table that learned returns in shades of colour; return the matplotlib Axes."""
    guesses = [task.guess for task in MEMORY.values()]
    guesses.append(guesses[-1])  # parity again
    shades = [_shades(numbers, guesses) for numbers in rows.values()]
    ax = plot.new_axes(9.0, 4.5)
    ax.grid(False)
    ax.imshow(shades, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    ax.set_xticks(range(len(COLUMNS)), [column.replace(", ", ",\n") for column in COLUMNS])
    ax.set_yticks(range(len(rows)), list(rows))
    for y, numbers in enumerate(rows.values()):
        for x, text in enumerate(_texts(numbers)):
            colour = "white" if shades[y][x] > 0.6 else "black"
            ax.text(x, y, text, ha="center", va="center", color=colour)
    return ax


def _shades(numbers: Sequence[float], guesses: Sequence[float]) -> list[float]:
    """Return a row of the table as numbers from 0, as good as guessing, to 1, perfect."""
    *shares, error = numbers
    better = [(share - guess) / (1 - guess) for share, guess in zip(shares, guesses, strict=True)]
    return [max(0.0, shade) for shade in (*better, 1 - error / memory_tasks.ADDING_BASELINE)]


def _texts(numbers: Sequence[float]) -> list[str]:
    """Return a row of the table as text: percentages, and a mean squared error."""
    *shares, error = numbers
    return [*(f"{share:.1%}" for share in shares), f"{error:.4f}"]


def _row(nets: Mapping[str, Any]) -> list[float]:
    """Return the scores of trained networks, by task, in the order of COLUMNS."""
    shares = [
        nets[name].score(*task.generate(NUM_TEST, seed=TEST_SEED)) for name, task in MEMORY.items()
    ]
    error = nets["adding"].mean_squared_error(*memory_tasks.adding(NUM_TEST, seed=TEST_SEED))
    return [*shares, nets["parity"].score(*longer_parity()), error]


TASKS = {task.__name__: task for task in (selective_copy, recall, parity, adding)}
