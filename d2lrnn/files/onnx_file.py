"""A language model as an ONNX graph, which a runtime without any of the frameworks computes.

Inputs are ``X``, token ids (n, T), and the state by the names ``state_0``, ``state_1``, ...;
outputs are ``scores`` (T * n, V) and the state after the last step, ``new_state_0``, ...: what
``net(X, state)`` takes and returns. The metadata hold the vocabulary and the architecture.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from d2lrnn.data.text import Vocab
from d2lrnn.nets import cells, describe
from d2lrnn.nets.language_model import Model

PRODUCER = "d2lrnn"  # at the beginning of the file, which is known again by it
OPSET, IR_VERSION = 17, 8  # of 2022: what runtimes of these days all know
# ONNX's operator for a cell, its order of the gates, and what sets it up.
OPERATORS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "rnn": ("RNN", "h", {}),
    "gru": ("GRU", "zrh", {"linear_before_reset": 0}),
    "gru_reset_after": ("GRU", "zrh", {"linear_before_reset": 1}),
    "lstm": ("LSTM", "iofc", {}),
}


def onnx_module() -> Any:
    """Return the module onnx.

    Raises:
        ImportError: it is not installed.
    """
    try:
        import onnx
    except ModuleNotFoundError:
        raise ImportError(
            "an export needs onnx, which is not installed; run: pip install onnx"
        ) from None
    return onnx


class Graph:
    """A graph that grows node by node."""

    def __init__(self, onnx: Any) -> None:
        """Begin with nothing."""
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, array: Any) -> str:
        """Add an array of the graph's own, and return its name."""
        self.constants.append(self.onnx.numpy_helper.from_array(np.asarray(array), name))
        return name

    def add(self, kind: str, inputs: Sequence[str], *outputs: str, **attributes: Any) -> str:
        """Add a node, and return the name of its first output."""
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, outputs, **attributes))
        return outputs[0]


def to_onnx(net: Model, vocab: Vocab) -> bytes:
    """Return a language model, scratch or concise, as the bytes of an ONNX file.

    Raises:
        ImportError: onnx is not installed.

    Examples:
        >>> from d2lrnn.files.onnx_file import to_onnx
        >>> net = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
        >>> with open("letters.onnx", "wb") as file:
        ...     size = file.write(to_onnx(net, rnn.Vocab("abcd")))
        >>> import onnx
        >>> [output.name for output in onnx.load("letters.onnx").graph.output]
        ['scores', 'new_state_0']
    """
    onnx = onnx_module()
    graph, made_of, arrays = Graph(onnx), net.architecture, net.arrays()
    Hs = one_hot(graph, net.vocab_size, net.dtype)
    states = [f"state_{number}" for number in range(made_of.num_states)]
    weights, (W_hq, b_q) = made_of.split(arrays)
    for number, directions in enumerate(made_of.layers(weights, states)):
        Hs = layer(graph, made_of.cell, f"layer{number + 1}", Hs, directions, net.num_hiddens)
    features = graph.constant("features", np.array([-1, len(W_hq)]))
    rows = graph.add("Reshape", [Hs, features], "rows")  # (T * n, directions * h)
    product = graph.add("MatMul", [rows, graph.constant("W_hq", W_hq)], "product")
    graph.add("Add", [product, graph.constant("b_q", b_q)], "scores")
    return bytes(finished(graph, net, vocab, states).SerializeToString())


def one_hot(graph: Graph, vocab_size: int, dtype: str) -> str:
    """Add what makes one-hot rows (T, n, V) of token ids (n, T)."""
    values = graph.constant("zero_and_one", np.array([0, 1], dtype))
    by_time = graph.add("Transpose", ["X"], "X_by_time", perm=[1, 0])
    depth = graph.constant("vocab_size", np.array([vocab_size]))
    return graph.add("OneHot", [by_time, depth, values], "one_hot_rows")


def layer(
    graph: Graph, cell: str, name: str, Hs: str, directions: Sequence[Any], num_hiddens: int
) -> str:
    """Add a layer over Hs (T, n, d), in one direction or both; return (T, n, directions * h)."""
    kind, order, settings = OPERATORS[cell]
    stacked = [stack(cell, order, weights) for weights, _ in directions]
    parameters = [
        graph.constant(f"{name}.{part}", np.stack(arrays))
        for part, arrays in zip("WRB", zip(*stacked, strict=True), strict=True)
    ]
    by_kind = list(zip(*(state for _, state in directions), strict=True))  # all Hs, then all Cs
    axis = graph.constant(f"{name}.axis", np.array([0]))
    before = [_together(graph, names, axis) for names in by_kind]
    after = [f"{name}.{letter}" for letter in "HC"[: len(by_kind)]]
    settings = {
        **settings,
        "hidden_size": num_hiddens,
        "direction": "bidirectional" if len(directions) == 2 else "forward",
    }
    outputs = graph.add(kind, [Hs, *parameters, "", *before], f"{name}.Y", *after, **settings)
    for last, names in zip(after, by_kind, strict=True):
        parts = [f"{one}.row" for one in names]
        graph.add("Split", [last], *parts, axis=0)
        for part, one in zip(parts, names, strict=True):
            graph.add("Squeeze", [part, axis], f"new_{one}")
    side_by_side = graph.add("Transpose", [outputs], f"{name}.by_row", perm=[0, 2, 1, 3])
    shape = graph.constant(f"{name}.shape", np.array([0, 0, -1]))
    return graph.add("Reshape", [side_by_side, shape], f"{name}.Hs")


def _together(graph: Graph, names: Sequence[str], axis: str) -> str:
    """Add what makes one tensor (directions, n, h) of a state's parts (n, h)."""
    rows = [graph.add("Unsqueeze", [one, axis], f"{one}.before") for one in names]
    return graph.add("Concat", rows, f"{names[0]}.together", axis=0)


def stack(cell: str, order: str, weights: Sequence[Any]) -> tuple[Any, Any, Any]:
    """Return the parameters of one direction as ONNX has them: W (g * h, d), R (g * h, h), B."""
    gates = cells.CELLS[cell].by_gate(weights)
    W = np.concatenate([gates[letter].W_x.T for letter in order])
    R = np.concatenate([gates[letter].W_h.T for letter in order])
    biases = np.concatenate([gates[letter].b for letter in order])
    others = np.zeros_like(biases)  # of the recurrent side
    if cell == "gru_reset_after":  # the candidate's own, within what the reset gate lets through
        b_hh = cells.CELLS[cell].named(weights)["b_hh"]
        others[-len(b_hh) :] = b_hh
    return W, R, np.concatenate([biases, others])


def finished(graph: Graph, net: Model, vocab: Vocab, states: Sequence[str]) -> Any:
    """Return the model of a graph, checked."""
    onnx, helper = graph.onnx, graph.onnx.helper
    real = helper.np_dtype_to_tensor_dtype(np.dtype(net.dtype))

    def tensor(name: str, *shape: Any, kind: int = real) -> Any:
        return helper.make_tensor_value_info(name, kind, shape)

    ids = tensor("X", "batch_size", "num_steps", kind=onnx.TensorProto.INT64)
    before = [tensor(name, "batch_size", net.num_hiddens) for name in states]
    after = [tensor(f"new_{name}", "batch_size", net.num_hiddens) for name in states]
    scores = tensor("scores", "rows", net.vocab_size)
    made = helper.make_graph(
        graph.nodes, "d2lrnn", [ids, *before], [scores, *after], graph.constants
    )
    opset = helper.make_opsetid("", OPSET)
    model = helper.make_model(
        made, opset_imports=[opset], ir_version=IR_VERSION, producer_name=PRODUCER
    )
    tokens = json.dumps(list(vocab), ensure_ascii=False)
    helper.set_model_props(
        model, {"architecture": describe.in_words(net.architecture), "tokens": tokens}
    )
    onnx.checker.check_model(model, full_check=True)
    return model
