"""The view Identity: one product of concatenated matrices equals the sum of two products."""

from __future__ import annotations

import html
import re
from typing import Any

import numpy as np

from d2lrnn import backends
from d2lrnn.demo import theme, turns
from d2lrnn.demo.fields import Choice, Field, Typed, pane
from d2lrnn.demo.view import View, backend_field, in_pairs, readout
from d2lrnn.nets import cells

Array = np.ndarray[Any, Any]
LARGEST = 6  # rows or columns
FAR = 1e6
TIMES = "\N{MULTIPLICATION SIGN}"
GATES = {
    "RNN: hidden state H": "rnn-h",
    "GRU: update gate Z": "gru-z",
    "GRU: reset gate R": "gru-r",
    "LSTM: input gate I": "lstm-i",
    "LSTM: forget gate F": "lstm-f",
    "LSTM: output gate O": "lstm-o",
    "LSTM: candidate memory C": "lstm-c",
}
DEFAULTS = {
    "X": "1 0.5\n-1 2",
    "H": "0.2 -0.4 0.6\n0.9 0.1 -0.3",
    "Wx": "0.5 -1 0.3\n1.2 0.4 -0.7",
    "Wh": "0.1 0.8 -0.5\n-0.6 0.3 0.9\n0.7 -0.2 0.4",
}


def matrix(text: str) -> Array:
    """Parse rows of numbers, separated by line breaks or semicolons, as a matrix."""
    rows = [re.split(r"[\s,]+", row.strip()) for row in re.split(r"[\n;]", text) if row.strip()]
    if not rows:
        raise ValueError("Expected a row of numbers; this is empty.")
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise ValueError(
                f"Expected {len(rows[0])} numbers in every row, as in the first; "
                f"row {number} has {len(row)}."
            )
    if max(len(rows), len(rows[0])) > LARGEST:
        raise ValueError(f"Expected up to {LARGEST} rows and columns.")
    return np.array([[_number(word) for word in row] for row in rows])


def _number(word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        raise ValueError(f"Expected numbers; “{word[:20]}” is not a number.") from None
    if not abs(value) <= FAR:
        raise ValueError(f"Expected numbers from {-FAR:g} to {FAR:g}; this is {word[:20]}.")
    return value


class Matrix(Typed):
    """A text input for a matrix; in a link its rows are separated by semicolons."""

    @property
    def text(self) -> str:
        """The matrix as text for a link."""
        return str(self.widget.value).strip().replace("\n", ";")

    def take(self, text: str) -> None:
        """Set the matrix of a link, with one row per line."""
        self.widget.value = "\n".join(row.strip() for row in text.split(";"))


class Identity(View):
    """[X H] [W_xh; W_hh] = X W_xh + H W_hh, with numbers that the viewer can change."""

    title = "Identity"
    see = (
        "If inputs and hidden states are concatenated horizontally, and their weights vertically, "
        "one matrix product gives the same numbers as the sum of two products."
    )
    experiment = (
        "change a number on the left, and compare the two results; choose float32, and look at "
        "the largest difference."
    )

    def __init__(self, look: theme.Theme) -> None:
        """Create the widgets."""
        super().__init__(look)
        self.gate = Choice("gate", "What is computed", GATES)
        self.backend = backend_field()
        self.dtype = Choice("dtype", "Precision", {"float64": "float64", "float32": "float32"})
        names = {"X": "X: inputs", "H": "H: hidden states", "Wx": "W_xh", "Wh": "W_hh"}
        self.matrices = {
            name: Matrix(name, label, matrix, DEFAULTS[name].replace("\n", ";"), rows=3)
            for name, label in names.items()
        }
        self._name_matrices()
        self.ready(self.gate, *self.matrices.values(), self.dtype, self.backend)
        self.numbers, self.message = pane(), pane()
        self.drawing = pane(styles={"font-size": "clamp(0.9rem, calc(0.2rem + 1.5vw), 3rem)"})
        self._request = 0
        self._products: Any = None

    def layout(self) -> Any:
        """Return the content of the view."""
        controls = [
            self.gate.row,
            *(field.row for field in self.matrices.values()),
            in_pairs(self.dtype.row, self.backend.row),
            self.message,
        ]
        return self.beside(controls, [self.drawing, self.numbers])

    def start(self) -> None:
        """Draw the matrices."""
        self.changed()

    def changed(self) -> None:
        """Compute both forms for the current fields in the background."""
        self._name_matrices()
        if not self._fit_together():
            return
        self._request += 1
        request = self._request
        arrays = [field.value for field in self.matrices.values()]
        settings = self.gate.value, self.backend.value, self.dtype.value

        def then(products: Any, message: str) -> None:
            if request == self._request:
                self.message.object = theme.alert(message)
                self._products = products if products is None else (arrays, products)
                self._draw()

        turns.in_background(lambda: both_sides(*settings, *arrays), then)

    def _name_matrices(self) -> None:
        """Label the matrices as in the drawing: W_xh, W_hh for the gate h."""
        letter = self.gate.value.rpartition("-")[2]
        for name in ("Wx", "Wh"):
            self.matrices[name].widget.label = f"W_{name[1]}{letter}"

    def _fit_together(self) -> bool:
        """Check that the shapes fit, and show a message below each field that does not."""
        X, H = (self.matrices[name].value.shape for name in "XH")
        expected = {
            "H": (X[0], H[1], f"{X[0]} rows, as many as X"),
            "Wx": (X[1], H[1], f"{X[1]} rows and {H[1]} columns: those of X and of H"),
            "Wh": (H[1], H[1], f"{H[1]} rows and {H[1]} columns: those of H"),
        }
        fits = True
        for name, (rows, columns, words) in expected.items():
            field: Field = self.matrices[name]
            shape = field.value.shape
            wrong = shape != (rows, columns)
            text = f"Expected {words}; this is {shape[0]} by {shape[1]}." if wrong else ""
            field.message.object = theme.alert(text)
            fits = fits and not wrong
        return fits

    def dress(self) -> None:
        """Draw the matrices in the theme of the page."""
        super().dress()
        self._draw()

    def _draw(self) -> None:
        """Draw both forms, one above the other, and the difference."""
        if self._products is None:
            return
        (X, H, W_x, W_h), (joined, summed, whole) = self._products
        cell, gate = self.gate.value.split("-")
        x, h = f"W<sub>x{gate}</sub>", f"W<sub>h{gate}</sub>"
        largest = max(float(abs(array).max()) for array in (X, H, W_x, W_h, joined))

        def block(array: Any, name: str, split: tuple[int, int] = (0, 0)) -> str:
            return drawn(array, name, largest or 1.0, self.look.dark, split)

        joined_form = [
            block(np.hstack([X, H]), "[X H]", (0, X.shape[1])),
            TIMES,
            block(np.vstack([W_x, W_h]), f"[{x}; {h}]", (X.shape[1], 0)),
            "=",
            block(joined, f"[X H] [{x}; {h}]"),
        ]
        products = [block(X, "X"), TIMES, block(W_x, x), "+", block(H, "H"), TIMES, block(W_h, h)]
        summed_form = [*products, "=", block(summed, f"X {x} + H {h}")]
        self.drawing.object = "".join(map(in_line, (joined_form, summed_form)))
        apart = float(abs(joined - summed).max())
        self.numbers.object = readout(
            {
                "largest difference": f"{apart:.2g}",
                f"whole {cell.upper()} cell, both forms": f"{whole:.2g}",
                "one rounding step": f"{np.finfo(self.dtype.value).eps:.1e}",
            }
        )


def both_sides(
    gate: str, backend: str, dtype: str, X: Array, H: Array, W_x: Array, W_h: Array
) -> tuple[Array, Array, float]:
    """Return the joined product, the summed product, and the difference of both forms of the cell.

    The weights of the other gates of the cell are drawn with seed 0.
    """
    rnn, (cell, letter) = backends.load(backend), gate.split("-")
    architecture = cells.Architecture(cell)
    x, h, wx, wh = (rnn.from_numpy(array, dtype=dtype) for array in (X, H, W_x, W_h))
    joined_inputs, joined_weights = (
        rnn.from_numpy(array, dtype=dtype) for array in (np.hstack([X, H]), np.vstack([W_x, W_h]))
    )
    joined = rnn.to_numpy(joined_inputs @ joined_weights)
    summed = rnn.to_numpy(x @ wx + h @ wh)
    arrays = [50 * array for array in architecture.arrays(X.shape[1], H.shape[1], 0)]
    place = architecture.parameters.index(f"W_x{letter}")
    arrays[place : place + 2] = [W_x, W_h]
    params = [rnn.from_numpy(array, dtype=dtype) for array in arrays]
    inputs, state = rnn.from_numpy(X[None], dtype=dtype), (h,) * architecture.num_states
    one, _ = rnn.RNNModelScratch.ops.forward[cell](inputs, state, params)
    joined_params = rnn.concat_params(params, order="XH")
    concat_cell = {"rnn": rnn.concat_rnn, "gru": rnn.concat_gru, "lstm": rnn.concat_lstm}[cell]
    other, _ = concat_cell(inputs, state, joined_params, order="XH")
    apart = abs(rnn.to_numpy(one) - rnn.to_numpy(other)).max()
    return joined, summed, float(apart)


def drawn(array: Array, name: str, largest: float, dark: bool, split: tuple[int, int]) -> str:
    """Return a matrix as an HTML table with coloured cells; thick lines mark the position split."""
    rows = []
    for i, row in enumerate(array):
        cells_of_row = []
        for j, value in enumerate(row):
            colour, ink = theme.shade(0.5 + 0.4 * float(value) / largest, dark)
            style = f"background-color:{colour};color:{ink};padding:.35em .45em;text-align:right;"
            style += "border:1px solid var(--line);"
            if split[0] and i == split[0]:
                style += "border-top:4px solid var(--ink);"
            if split[1] and j == split[1]:
                style += "border-left:4px solid var(--ink);"
            cells_of_row.append(f'<td style="{style}">{value:.3g}</td>')
        rows.append(f"<tr>{''.join(cells_of_row)}</tr>")
    table = f'<table class="mono" style="border-collapse:collapse">{"".join(rows)}</table>'
    return f'<div><div class="quiet">{name}</div>{table}</div>'


def in_line(parts: list[str]) -> str:
    """Return matrices and operators in a line that wraps if necessary."""
    shown = "".join(
        part if part.startswith("<") else f'<div class="number">{html.escape(part)}</div>'
        for part in parts
    )
    style = "display:flex;flex-wrap:wrap;align-items:center;gap:.3em .6em;margin:0 0 1.2em"
    return f'<div style="{style}">{shown}</div>'
