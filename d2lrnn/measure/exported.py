"""Check an exported ONNX graph: load it, compute it and compare the results with its net."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from d2lrnn import backends
from d2lrnn.measure import agreement
from d2lrnn.nets import build

Compute = Callable[[dict[str, Any]], list[Any]]
NUM_STEPS, BATCH_SIZE = 3, 2


def check(content: bytes, net: Any) -> str:
    """Check that a runtime loads a graph, computes the same as the net, and refuses invalid ids.

    The runtime is ONNX Runtime if it is installed, otherwise the reference implementation of onnx.

    Args:
        content: the bytes that ``to_onnx(net, vocab)`` returned.
        net: the language model.

    Returns:
        A sentence that states what was checked.

    Raises:
        ImportError: onnx is not installed.
        ValueError: the net holds numbers that are not finite; or the graph cannot be loaded,
            computes other numbers, or accepts an id outside 0..V-1.

    Examples:
        >>> from d2lrnn.files.onnx_file import to_onnx
        >>> from d2lrnn.measure import exported
        >>> net = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
        >>> report = exported.check(to_onnx(net, rnn.Vocab("abcd")), net)
        >>> report.split(", and ")[1]
        'refuses token ids outside 0..4'
    """
    _check_finite(net)
    runtime, compute = load(content)
    rng = np.random.default_rng(0)
    X = rng.integers(net.vocab_size, size=(BATCH_SIZE, NUM_STEPS))
    state = [rng.uniform(-1, 1, size=x.shape) for x in net.begin_state(BATCH_SIZE)]
    outputs = _computed(runtime, compute, inputs_of(X, state, net.dtype))
    difference = _largest_difference(runtime, net, outputs, X, state)
    for token in (-1, net.vocab_size):
        inputs = inputs_of(np.full_like(X, token), state, net.dtype)
        _check_refused(runtime, compute, inputs, token)
    return (
        f"{runtime} loads the graph, computes the scores and the state of the net to within "
        f"{difference:.0e} of the largest, and refuses token ids outside 0..{net.vocab_size - 1}"
    )


def _check_finite(net: Any) -> None:
    if not all(np.isfinite(array).all() for array in net.arrays()):
        raise ValueError(
            "the net holds numbers that are not finite, so its graph cannot be checked; "
            "train it again with a smaller lr"
        )


def _computed(runtime: str, compute: Compute, inputs: dict[str, Any]) -> list[Any]:
    try:
        return compute(inputs)
    except Exception as error:  # any exception of the runtime
        raise ValueError(
            f"{runtime} cannot compute the graph ({error}); install the newest onnxruntime"
        ) from error


def _largest_difference(runtime: str, net: Any, outputs: list[Any], X: Any, state: Any) -> float:
    """Return the largest difference between graph and net, after checking that it is rounding."""
    differences = list(map(agreement.difference, outputs, evaluated(net, X, state)))
    limits = [
        max(agreement.bound("forward", net.dtype, 0), rounding_bound)
        for rounding_bound in rounding(net, X, state)
    ]
    if not all(one <= limit for one, limit in zip(differences, limits, strict=True)):
        raise ValueError(
            f"{runtime} does not compute the same numbers as the net: they differ by "
            f"{max(differences):.0e} of the largest; install the newest onnxruntime"
        )
    return max(differences)


def load(content: bytes) -> tuple[str, Compute]:
    """Return the name of a runtime, and a function that computes the graph for given inputs."""
    try:
        import onnxruntime
    except ImportError:
        return load_reference(content)
    runtime, options = f"ONNX Runtime {onnxruntime.__version__}", onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors are raised, and need not be printed
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions do not share a base class
        raise ValueError(
            f"{runtime} cannot load the graph ({error}); install the newest onnxruntime"
        ) from error
    return runtime, lambda inputs: list(session.run(None, inputs))


def load_reference(content: bytes) -> tuple[str, Compute]:
    """Do what load does with the reference implementation of onnx, which is slow."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(onnx.load_from_string(content))
    name = f"the reference implementation of onnx {onnx.__version__} (onnxruntime is not installed)"
    return name, lambda inputs: list(evaluator.run(None, inputs))


def inputs_of(X: Any, state: Any, dtype: str) -> dict[str, Any]:
    """Return the inputs of a graph by name."""
    named = {f"state_{number}": part.astype(dtype) for number, part in enumerate(state)}
    return {"X": np.asarray(X, dtype=np.int64), **named}


def evaluated(net: Any, X: Any, state: Any) -> list[Any]:
    """Return the scores and the last state of a net as NumPy arrays."""
    tensors = net.ops.tensors
    first = tuple(tensors.from_numpy(part.astype(net.dtype), device=net.device) for part in state)
    with np.errstate(over="ignore"):  # in a sigmoid with large weights
        outputs, last = net.evaluate(X, first)
    return [outputs, *map(tensors.to_numpy, last)]


def rounding(net: Any, X: Any, state: Any) -> list[float]:
    """Return a bound of the rounding error of each output, relative to its largest element.

    A net with large weights amplifies the rounding errors of each step. The difference between
    float32 and float64 in NumPy measures this; 16 times this difference is the bound for sums in
    another order.
    """
    results: list[list[Any]] = []
    for dtype in agreement.DTYPES:
        sizes = net.vocab_size, net.num_hiddens
        copy = build.new_net(backends.load("numpy"), net.architecture, *sizes, seed=0, dtype=dtype)
        copy.load_arrays(net.arrays())
        results.append(evaluated(copy, X, [part.astype("float32") for part in state]))
    eps = float(np.finfo(net.dtype).eps) / agreement.EPS32
    return [16 * eps * agreement.difference(*pair) for pair in zip(*reversed(results), strict=True)]


def _check_refused(runtime: str, compute: Compute, inputs: dict[str, Any], token: int) -> None:
    """Check that computing the graph fails for a token id outside the vocabulary."""
    try:
        compute(inputs)
    except Exception:  # any exception of the runtime
        return
    raise ValueError(f"{runtime} accepts token id {token}, which is outside the vocabulary")
