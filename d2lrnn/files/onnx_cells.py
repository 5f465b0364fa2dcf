"""One time step of each cell in ONNX operators, as the body of a Scan over all steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from d2lrnn.nets import cells

# One time step of each cell, from the state and XW, which is X W_x + b for all gates, concatenated.
NODES = {
    "rnn": """
        HW = MatMul(H, W_h)
        A = Add(XW, HW)
        new_H = Tanh(A)
    """,
    "gru": """
        XW_zr, XW_h = Split<axis=1>(XW, two_gates_and_one)
        HW_zr = MatMul(H, W_zr)
        A_zr = Add(XW_zr, HW_zr)
        ZR = Sigmoid(A_zr)
        Z, R = Split<axis=1>(ZR)
        RH = Mul(R, H)
        RHW = MatMul(RH, W_h)
        A_h = Add(XW_h, RHW)
        H_tilde = Tanh(A_h)
        difference = Sub(H, H_tilde)
        kept = Mul(Z, difference)
        new_H = Add(H_tilde, kept)
    """,
    "gru_reset_after": """
        XW_zr, XW_h = Split<axis=1>(XW, two_gates_and_one)
        HW = MatMul(H, W_h)
        HW_zr, HW_h = Split<axis=1>(HW, two_gates_and_one)
        A_zr = Add(XW_zr, HW_zr)
        ZR = Sigmoid(A_zr)
        Z, R = Split<axis=1>(ZR)
        HW_b = Add(HW_h, b_hh)
        RHW = Mul(R, HW_b)
        A_h = Add(XW_h, RHW)
        H_tilde = Tanh(A_h)
        difference = Sub(H, H_tilde)
        kept = Mul(Z, difference)
        new_H = Add(H_tilde, kept)
    """,
    "lstm": """
        HW = MatMul(H, W_h)
        A = Add(XW, HW)
        A_i, A_f, A_o, A_c = Split<axis=1>(A)
        I = Sigmoid(A_i)
        F = Sigmoid(A_f)
        O = Sigmoid(A_o)
        C_tilde = Tanh(A_c)
        kept = Mul(F, C)
        added = Mul(I, C_tilde)
        new_C = Add(kept, added)
        tanh_C = Tanh(new_C)
        new_H = Mul(O, tanh_C)
    """,
}


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
    """Return the graph of one time step, (state, XW) -> (new state, H)."""
    arrays = recurrent(cell, weights)
    inner, dtype, h = Graph(graph.onnx), weights[0].dtype, weights[0].shape[1]
    inner.nodes = [
        graph.onnx.parser.parse_node(line.strip()) for line in NODES[cell].strip().splitlines()
    ]
    inner.add("Identity", ["new_H"], "H_of_step")
    for name, array in arrays.items():
        inner.constant(name, array)
    states, g = cells.CELLS[cell].states, len(cells.CELLS[cell].gates)
    before = [inner.tensor(state, dtype, "batch_size", h) for state in states]
    after = [inner.tensor(f"new_{state}", dtype, "batch_size", h) for state in states]
    XW = inner.tensor("XW", dtype, "batch_size", g * h)
    H = inner.tensor("H_of_step", dtype, "batch_size", h)
    return graph.onnx.helper.make_graph(
        inner.nodes, cell, [*before, XW], [*after, H], inner.constants
    )


def recurrent(cell: str, weights: Sequence[Any]) -> dict[str, Any]:
    """Return the arrays that the nodes of the cell in NODES use, by name."""
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
