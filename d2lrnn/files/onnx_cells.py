"""One time step of each cell in ONNX operators, as the body of a Scan over all steps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from d2lrnn.files.onnx_nodes import NODES
from d2lrnn.nets import cells


class Graph:
    """A graph to which nodes and arrays are added."""

    def __init__(self, onnx: Any) -> None:
        """Create an empty graph."""
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, array: Any) -> str:
        """Add a constant array, and return its name."""
        self.constants.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, kind: str, inputs: Sequence[str], *outputs: str, **attributes: Any) -> str:
        """Add a node, and return the name of its first output."""
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, outputs, **attributes))
        return outputs[0]

    def tensor(self, name: str, dtype: Any, *shape: Any) -> Any:
        """Return the description of an input or an output."""
        helper = self.onnx.helper
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return helper.make_tensor_value_info(name, kind, shape)


def step(graph: Graph, cell: str, weights: Sequence[Any]) -> Any:
    """Return the graph of one time step, (state, XW) -> (new state, output)."""
    kind, dtype = cells.CELLS[cell], weights[0].dtype
    h, (W_x, _) = kind.size("h", weights), input_weights(cell, weights)
    inner = Graph(graph.onnx)
    lines = filter(None, map(str.strip, NODES[cell].splitlines()))
    inner.nodes = [graph.onnx.parser.parse_node(line) for line in lines]
    first = next(iter(kind.states))
    inner.add("Identity", [f"new_{first}"], "output_of_step")
    for name, array in recurrent(cell, weights).items():
        inner.constant(name, array)
    shapes = dict(zip(kind.states, kind.state_shapes(h), strict=True))
    before = [inner.tensor(name, dtype, "batch_size", *shape) for name, shape in shapes.items()]
    after = [
        inner.tensor(f"new_{name}", dtype, "batch_size", *shape) for name, shape in shapes.items()
    ]
    XW = inner.tensor("XW", dtype, "batch_size", W_x.shape[1])
    output = inner.tensor("output_of_step", dtype, "batch_size", h)
    return graph.onnx.helper.make_graph(
        inner.nodes, cell, [*before, XW], [*after, output], inner.constants
    )


def input_weights(cell: str, weights: Sequence[Any]) -> tuple[Any, Any]:
    """Return W_x (d, m) and b (m,) of the product of the inputs, of all gates together."""
    named = cells.CELLS[cell].named(weights)
    letters = [name.removeprefix("W_x") for name in named if name.startswith("W_x")]
    matrices, biases = ([named[kind + g] for g in letters] for kind in ("W_x", "b_"))
    return np.concatenate(matrices, axis=1), np.concatenate(biases)


def recurrent(cell: str, weights: Sequence[Any]) -> dict[str, Any]:
    """Return the arrays that the nodes of the cell in NODES use, by name."""
    kind, dtype = cells.CELLS[cell], weights[0].dtype
    if kind.gates:
        return recurrent_of_gates(cell, weights)
    named = {name: array.astype(float) for name, array in kind.named(weights).items()}
    computed = OF_CELL[cell](named) if cell in OF_CELL else {}
    arrays = {name: np.array(x, dtype) for name, x in {**named, **NUMBERS, **computed}.items()}
    arrays |= {name: np.array([index]) for name, index in INDICES.items()}
    used = set(re.findall(r"\w+", NODES[cell]))
    return {name: array for name, array in arrays.items() if name in used}


NUMBERS = {"number_0": 0.0, "number_1": 1.0, "epsilon": 1e-5}
INDICES = {"first_index": 1, "end_index": 2**31 - 1, "axis_1": 1, "last_axis": -1}


def of_s4d(named: dict[str, Any]) -> dict[str, Any]:
    """Return the factors of the state and of the input, which are the same at every time step."""
    A = -np.exp(named["log_a"])
    dA = np.exp(named["log_dt"])[:, None] * A
    return {"A_bar": np.exp(dA), "B_bar": np.expm1(dA) / A}


def of_mamba(named: dict[str, Any]) -> dict[str, Any]:
    """Return A, and the weights of the input and of the output gate in one matrix."""
    W_ug = np.concatenate([named["W_u"], named["W_g"]], axis=1)
    b_ug = np.concatenate([named["b_u"], named["b_g"]])
    return {"A": -np.exp(named["log_a"]), "W_ug": W_ug, "b_ug": b_ug}


OF_CELL = {"s4d": of_s4d, "mamba": of_mamba}


def recurrent_of_gates(cell: str, weights: Sequence[Any]) -> dict[str, Any]:
    """Return the same for a cell of gates."""
    W_h, h = cells.CELLS[cell].by_kind(weights)[1], len(weights[1])
    if cell == "gru":  # the product of the candidate needs the reset gate
        arrays = {"W_zr": np.concatenate(W_h[:2], axis=1), "W_h": W_h[2]}
    else:
        arrays = {"W_h": np.concatenate(W_h, axis=1)}
    if cell == "gru_reset_after":
        arrays["b_hh"] = cells.CELLS[cell].named(weights)["b_hh"]
    if cell.startswith("gru"):
        arrays["two_gates_and_one"] = np.array([2 * h, h])
    return arrays
