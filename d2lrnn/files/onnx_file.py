"""Export a language model as an ONNX graph, which ONNX runtimes compute without the frameworks.

The inputs and outputs are those of ``net(X, state)``, for T >= 1. The inputs are ``X``, token ids
(n, T), and the state arrays ``state_0``, ``state_1``, ...; the outputs are ``scores`` (T * n, V)
and the state after the last step, ``new_state_0``, .... On a CPU, a token id outside 0..V-1 and a
state for another batch size are errors. The metadata hold the vocabulary and the architecture.

Each layer and direction is a Scan over the time steps, whose body is a cell of onnx_nodes. ONNX
also has an operator for a whole layer, but ONNX Runtime implements it only for float32.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.data.text import Vocab
from d2lrnn.files.onnx_cells import Graph, input_weights, step
from d2lrnn.files.onnx_nodes import NODES
from d2lrnn.nets import describe, embedding
from d2lrnn.nets.model import Model

PRODUCER = "d2lrnn"  # at the beginning of the file, to recognise it
OPSET, IR_VERSION = 17, 8  # from 2022, supported by all current runtimes
MAX_BYTES = 2**31 - 1  # the limit of protobuf, the format of the file
BACKWARDS = {"starts": [-1], "ends": [-(2**31)], "axes": [0], "steps": [-1]}


def onnx_module() -> Any:
    """Return the module onnx.

    Raises:
        ImportError: it is not installed.
    """
    with checks.needed("an export needs", "onnx"):
        import onnx
        import onnx.parser
    return onnx


def to_onnx(net: Model, vocab: Vocab) -> bytes:
    """Return a language model, scratch or concise, as the bytes of an ONNX file.

    ``d2lrnn.measure.exported.check`` computes such a graph and compares it with the net.

    Raises:
        ImportError: onnx is not installed.
        ValueError: the net is not a language model with a built-in cell, the vocabulary is not
            that of the net, or the parameters take more than 2 GB.

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
    if not isinstance(net, Model):
        raise ValueError(
            f"net is a {type(net).__name__}; expected a language model, such as RNNModelScratch"
        )
    checks.vocab_of(net, vocab, to_onnx=True)
    checks.choice(net.architecture.cell, "the cell of an exported net", tuple(NODES))
    graph, made_of, arrays = Graph(onnx), net.architecture, net.arrays()
    _check_size(arrays)
    states = [f"state_{number}" for number in range(made_of.num_states)]
    *weights, W_hq, b_q = embedding.without(made_of, arrays)
    inputs = valid_ids(graph, net.vocab_size)
    first = valid_states(graph, states, made_of.state_shapes(net.num_hiddens))
    if made_of.embedding is not None:
        table = graph.constant(made_of.parameters[0], arrays[0])
        rows = graph.add("Gather", [table, inputs], "embedded")
        inputs = graph.add("Transpose", [rows], "embedded_by_step", perm=[1, 0, 2])  # (T, n, e)
    for number, directions in enumerate(made_of.layers(weights, first), start=1):
        inputs = layer(graph, made_of.cell, f"layer{number}", inputs, directions)
    product = graph.add("MatMul", [inputs, graph.constant("W_hq", W_hq)], "product")
    by_step = graph.add("Add", [product, graph.constant("b_q", b_q)], "scores_by_step")
    rows = graph.constant("rows", np.array([-1, net.vocab_size]))
    graph.add("Reshape", [by_step, rows], "scores")  # (T, n, V) to (T * n, V)
    return bytes(finished(graph, net, vocab, states).SerializeToString())


def _check_size(arrays: Sequence[Any]) -> None:
    size = sum(array.nbytes for array in arrays)
    if size > 0.95 * MAX_BYTES:  # the rest is for the graph and the vocabulary
        raise ValueError(
            f"the parameters take {size / 1e9:.1f} GB, but an ONNX file can hold only 2 GB; "
            "export a net with fewer hidden units or tokens"
        )


def valid_ids(graph: Graph, vocab_size: int) -> str:
    """Add nodes that replace a negative id of X (n, T) by V, which is an error in the lookup.

    Otherwise, -1 would select the last row of the weights.
    """
    negative = graph.add("Less", ["X", graph.constant("zero", np.array(0))], "negative")
    outside = graph.constant("vocab_size", np.array(vocab_size))
    return graph.add("Where", [negative, outside, "X"], "ids")


def valid_states(
    graph: Graph, states: Sequence[str], shapes: Sequence[tuple[int, ...]]
) -> list[str]:
    """Add nodes that reshape each state to its shape with n of X; another batch size fails.

    Otherwise, a state with one row would be broadcast to all rows of a minibatch.
    """
    sizes = graph.add("Shape", ["X"], "sizes", end=1)  # [n]
    targets = {
        shape: graph.add("Concat", [sizes, width], f"{width}.shape", axis=0)
        for shape in dict.fromkeys(shapes)
        for width in [graph.constant("x".join(map(str, ("width", *shape))), np.array(shape))]
    }
    return [
        graph.add("Reshape", [state, targets[shape]], f"first_{state}", allowzero=1)
        for state, shape in zip(states, shapes, strict=True)
    ]


def layer(graph: Graph, cell: str, name: str, inputs: str, directions: Sequence[Any]) -> str:
    """Add a layer over ids (n, T) or Hs (T, n, d), in one direction or both.

    Returns the name of the hidden states (T, n, directions * h).
    """
    Hs = [
        direction(graph, cell, f"{name}.{way}", inputs, weights, state, reverse=way == "reverse")
        for way, (weights, state) in zip(("forward", "reverse"), directions, strict=False)
    ]
    return Hs[0] if len(Hs) == 1 else graph.add("Concat", Hs, f"{name}.Hs", axis=2)


def direction(
    graph: Graph,
    cell: str,
    name: str,
    inputs: str,
    weights: Sequence[Any],
    state: Sequence[str],
    *,
    reverse: bool,
) -> str:
    """Add one direction of a layer; return the name of its hidden states (T, n, h)."""
    W_x, b = input_weights(cell, weights)
    if inputs == "ids":  # the product of a one-hot row and W_x is a row of W_x
        rows = graph.add("Gather", [graph.constant(f"{name}.W_x", W_x + b), "ids"], f"{name}.X")
        XW = graph.add("Transpose", [rows], f"{name}.XW", perm=[1, 0, 2])  # (T, n, g * h)
    else:
        product = graph.add("MatMul", [inputs, graph.constant(f"{name}.W_x", W_x)], f"{name}.X")
        XW = graph.add("Add", [product, graph.constant(f"{name}.b", b)], f"{name}.XW")
    if reverse:
        XW = backwards(graph, XW)
    after = [one.replace("first", "new") for one in state]
    body = step(graph, cell, weights)
    graph.add("Scan", [*state, XW], *after, f"{name}.Hs", body=body, num_scan_inputs=1)
    return backwards(graph, f"{name}.Hs") if reverse else f"{name}.Hs"


def backwards(graph: Graph, name: str) -> str:
    """Add a node that reverses the time steps of a tensor (T, n, d)."""
    where = [graph.constant(f"{name}.{key}", np.array(at)) for key, at in BACKWARDS.items()]
    return graph.add("Slice", [name, *where], f"{name}.backwards")


def finished(graph: Graph, net: Model, vocab: Vocab, states: Sequence[str]) -> Any:
    """Return the ONNX model of a graph, after checking it."""
    onnx, helper = graph.onnx, graph.onnx.helper
    shapes = net.architecture.state_shapes(net.num_hiddens)
    named = list(zip(states, shapes, strict=True))
    inputs = [graph.tensor("X", "int64", "batch_size", "num_steps")]
    inputs += [graph.tensor(name, net.dtype, "batch_size", *shape) for name, shape in named]
    outputs = [graph.tensor("scores", net.dtype, "rows", net.vocab_size)]
    outputs += [
        graph.tensor(f"new_{name}", net.dtype, "batch_size", *shape) for name, shape in named
    ]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "d2lrnn", inputs, outputs, graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name=PRODUCER,
    )
    tokens = json.dumps(list(vocab))  # in ASCII: a byte-pair token may not be valid UTF-8
    helper.set_model_props(
        model, {"architecture": describe.in_words(net.architecture), "tokens": tokens}
    )
    onnx.checker.check_model(model, full_check=True)
    return model
