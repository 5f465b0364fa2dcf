"""check_cell: compare a user's forward function with a reference, and explain the difference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from d2lrnn import checks
from d2lrnn.measure.cell_check import comparison, layout, runs, subjects
from d2lrnn.measure.cell_check.layout import Layout, Sizes
from d2lrnn.measure.cell_check.pair import Pair
from d2lrnn.measure.cell_check.report import CellReport, Comparison
from d2lrnn.measure.cell_check.subjects import Subject
from d2lrnn.nets.ops import Ops

__all__ = ["CellReport", "Comparison", "for_backend"]


def for_backend(ops: Ops) -> dict[str, Callable[..., CellReport]]:
    """Return check_cell of a backend by its name; ``interface.Backend`` documents it."""

    def check_cell(
        forward: Any,
        reference: Any = None,
        *,
        cell: Any = None,
        reference_backend: str | None = None,
        gradients: bool = True,
        num_steps: int = 6,
        batch_size: int = 3,
        num_inputs: int = 5,
        num_hiddens: int = 4,
        seed: int = 0,
    ) -> CellReport:
        checks.size(num_steps=num_steps, batch_size=batch_size)
        checks.size(num_inputs=num_inputs, num_hiddens=num_hiddens)
        checks.seed(seed)
        _check_reference(reference, reference_backend, gradients=gradients)
        sizes = Sizes(num_steps, batch_size, num_inputs, num_hiddens)
        subject = subjects.resolve(forward, "forward", ops.name)
        other = None
        if reference is not None:
            home = reference_backend or ops.name
            fixed = reference_backend is not None
            other = subjects.resolve(reference, "reference", home, fixed=fixed)
        chosen, ordered = _prepared(subject, other, cell, sizes)
        problem = runs.draw(chosen, sizes, seed)
        reference_subject = other and _as_reference(other, reference_backend)
        both = Pair(ordered, reference_subject, chosen, problem)
        return comparison.report(both, with_gradients=gradients)

    return {"check_cell": check_cell}


def _check_reference(reference: Any, backend: str | None, *, gradients: bool) -> None:
    """Check that there is something to compare, and a reference for the backend of it."""
    if reference is not None:
        return
    if backend is not None:
        raise ValueError(
            f"the backend of the reference is {backend!r}, but no reference is given; give a "
            "reference too, such as 'gru', or leave out its backend"
        )
    if not gradients:
        raise ValueError(
            "nothing can be compared: without a reference, only the gradients are compared (with "
            "finite differences), and they are left out; give a reference, such as 'gru', or "
            "include the gradients"
        )


def _prepared(
    subject: Subject, reference: Subject | None, cell: Any, sizes: Sizes
) -> tuple[Layout, Subject]:
    """Return the layout of the parameters, and the function in the order of this layout.

    Raises:
        ValueError: nothing determines a layout, or two layouts have different shapes.
    """
    named = None
    if cell is not None:
        named = subjects.resolve(cell, "cell", subject.backend, fixed=False)
    sources = [one for one in (named, reference, subject) if one is not None]
    layouts = [(one, layout.layout_of(one, sizes)) for one in sources]
    # Names that a function uses determine a layout only if nothing else does.
    layouts.sort(key=lambda pair: not pair[0].has_layout)
    chosen = next((one for _, one in layouts if one is not None), None)
    if chosen is None:
        raise ValueError(
            f"the parameters of {subject.name} are not known; give cell='gru' or another cell that "
            "has the same parameters, or three functions (get_params, init_state, forward)"
        )
    for source, one in layouts:
        if source.has_layout and one is not None:
            layout.check_same(source.name, one, layouts[0][0].name, chosen)
    of_subject = layouts[[one for one, _ in layouts].index(subject)][1]
    order = layout.positions(of_subject, chosen) if subject.has_layout else None
    return chosen, subject if order is None else _reordered(subject, order)


def _reordered(subject: Subject, order: list[int]) -> Subject:
    """Return a function that receives its parameters in another order."""

    def forward(inputs: Any, state: Any, params: Any) -> Any:
        return subject.function(inputs, state, [params[number] for number in order])

    forward.__name__ = subject.name
    return replace(subject, function=forward)


def _as_reference(reference: Subject, backend: str | None) -> Subject:
    """Return NumPy's function in place of a built-in cell, unless a backend was chosen.

    The tests prove that both compute the same, and NumPy always has float64.
    """
    architecture = reference.architecture
    if backend is not None or architecture is None or architecture.custom is not None:
        return reference
    return replace(reference, backend="numpy", function=subjects.of_architecture(architecture))
