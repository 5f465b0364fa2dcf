"""Changes of parameters that have the same effect as typical mistakes in a cell."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

from d2lrnn.measure.cell_check import variants
from d2lrnn.measure.cell_check.layout import Layout
from d2lrnn.measure.cell_check.runs import Array

Change = tuple[str, list[Array]]  # a sentence, and all parameters


def gates(layout: Layout) -> dict[str, list[int]]:
    """Return the numbers of the parameters of each gate by its letter, for a built-in cell."""
    return {
        letter: [number for number, name in enumerate(layout.names[:-2]) if name[-1] == letter]
        for letter in variants.WORDS.get(layout.cell, {})
    }


def words(layout: Layout, letter: str) -> str:
    """Return the words for a gate, such as "the reset gate"."""
    return f"the {variants.WORDS[layout.cell][letter]}"


def of_parameters(layout: Layout, params: Sequence[Array]) -> Iterator[Change]:
    """Yield each change of one or two parameters, or of all parameters of some gates."""
    names = layout.names
    yield from frequent(layout, params)
    changed = _changer(params)
    biases = [number for number, name in enumerate(names) if name.startswith("b_")]
    yield "no bias is used", changed(biases, [0 * params[number] for number in biases])
    yield from _of_gates(layout, params)
    for one, other in itertools.combinations(range(len(params)), 2):
        if params[one].shape == params[other].shape:
            arrays = [params[other], params[one]]
            yield f"{names[one]} and {names[other]} are exchanged", changed([one, other], arrays)
            sentence = f"{names[other]} is used in place of {names[one]}"
            yield sentence, changed([one], [params[other]])
            sentence = f"{names[one]} is used in place of {names[other]}"
            yield sentence, changed([other], [params[one]])
    for number, (name, array) in enumerate(zip(names, params, strict=True)):
        if array.ndim == 2 and array.shape[0] == array.shape[1]:
            yield f"{name} is transposed", changed([number], [array.T])
        yield f"{name} has the wrong sign", changed([number], [-array])
        yield f"{name} is added twice", changed([number], [2 * array])


def frequent(layout: Layout, params: Sequence[Array]) -> Iterator[Change]:
    """Yield the most frequent changes: a parameter that is not used, and a reversed gate."""
    changed = _changer(params)
    for number, (name, array) in enumerate(zip(layout.names, params, strict=True)):
        yield f"{name} is not used", changed([number], [0 * array])
    for letter, numbers in gates(layout).items():
        opposite = changed(numbers, [-params[number] for number in numbers])
        gate, name = words(layout, letter), letter.upper()
        if variants.RIGHT.get(letter, "sigmoid") == "sigmoid":
            yield f"{gate} is reversed: 1 - {name} takes the place of {name}", opposite
        else:
            yield f"{gate} has the wrong sign", opposite


def _of_gates(layout: Layout, params: Sequence[Array]) -> Iterator[Change]:
    """Yield the gates in each other order, and each gate in place of another one."""
    changed, by_gate = _changer(params), gates(layout)
    if len({*map(len, by_gate.values())}) != 1:
        return
    every = [*itertools.chain.from_iterable(by_gate.values())]
    for order in itertools.permutations(by_gate):
        moved = [words(layout, g) for g, new in zip(by_gate, order, strict=True) if g != new]
        if moved:
            arrays = [params[number] for letter in order for number in by_gate[letter]]
            listed = f"{', '.join(moved[:-1])} and {moved[-1]}"
            yield f"the parameters of {listed} are exchanged", changed(every, arrays)
    for one, other in itertools.permutations(by_gate, 2):
        arrays = [params[number] for number in by_gate[other]]
        sentence = f"{words(layout, other)} is used in place of {words(layout, one)}"
        yield sentence, changed(by_gate[one], arrays)


def _changer(params: Sequence[Array]) -> Callable[[Sequence[int], Sequence[Array]], list[Array]]:
    """Return a function that returns the parameters with some of them replaced, by number."""

    def changed(numbers: Sequence[int], arrays: Sequence[Array]) -> list[Array]:
        new = list(params)
        for number, array in zip(numbers, arrays, strict=True):
            new[number] = array
        return new

    return changed
