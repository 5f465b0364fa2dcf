"""What a file stores of a net of three plain functions: a name and shapes, instead of a cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from d2lrnn import checks
from d2lrnn.nets.first_values import Shape

CELL = "custom functions"  # not an identifier, so that it is not the name of any cell


@dataclass(frozen=True)
class FunctionLayout:
    """The parameters of a net of plain functions; it takes the place of an Architecture in files.

    Attributes:
        function: the name of the forward function.
        param_shapes: the shapes of the parameters, in order.
    """

    function: str
    param_shapes: tuple[Shape, ...]

    @property
    def parameters(self) -> list[str]:
        """The names of the parameters: params.0, params.1 and so on."""
        return [f"params.{number}" for number in range(len(self.param_shapes))]

    def shapes(self, vocab_size: int, num_hiddens: int) -> list[Shape]:
        """Return the shapes of the parameters, which do not depend on the arguments."""
        return list(self.param_shapes)

    def settings(self) -> dict[str, Any]:
        """Return the layout as a model file stores it."""
        shapes = [list(shape) for shape in self.param_shapes]
        plain = {"cell": CELL, "num_layers": 1, "bidirectional": False}
        return {**plain, "custom": {"function": self.function, "shapes": shapes}}

    def __str__(self) -> str:
        """Return the name and the shapes."""
        shapes = ", ".join(str(shape) for shape in self.param_shapes)
        return f"{self.function} (parameters of shapes {shapes})"


def from_settings(settings: Mapping[str, Any]) -> FunctionLayout:
    """Return the layout that a file describes.

    Raises:
        KeyError, TypeError, ValueError: the settings are not those of a layout.
    """
    shapes = tuple(map(tuple, settings["shapes"]))
    for size in (size for shape in shapes for size in shape):
        checks.count(size=size)
    return FunctionLayout(str(settings["function"]), shapes)


def of_params(function: str, params: Sequence[Any]) -> FunctionLayout:
    """Return the layout of parameters, which are tensors or arrays."""
    return FunctionLayout(function, tuple(tuple(map(int, p.shape)) for p in params))
