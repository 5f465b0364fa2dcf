"""Every complaint about an argument, once: what was expected, what arrived, what to do.

The frameworks disagree about bad input and often say nothing: a token id outside the vocabulary
raises in one, becomes a row of zeros in another and is clipped in a third. All five backends call
these functions instead, so that the same mistake gets the same ``ValueError`` everywhere.
"""

from __future__ import annotations

import math
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

Shape = Sequence[int]
LAST_PORT = 65535
INNER = ("d2lrnn", "contextlib")  # packages whose lines a warning does not name

SMALLEST, LARGEST = (float(getattr(np.finfo(np.float32), name)) for name in ("tiny", "max"))


def positive(**named: float) -> float:
    """Check that the one named value is a number above 0 that float32 holds; return it as Python's.

    What float32 holds as 0 or as infinity the frameworks refuse, ignore or compute with in float64.
    """
    ((name, value),) = named.items()
    if not (_is_finite(value) and value > 0):
        raise ValueError(f"{name} is {_shown(value)}; expected a finite number above 0")
    if not SMALLEST <= value <= LARGEST:
        raise ValueError(
            f"{name} is {_shown(value)}; expected {SMALLEST:.2g} to {LARGEST:.2g}, "
            "which float32 holds"
        )
    return float(value)


def not_negative(**values: float) -> None:
    """Check that each named value is a finite number, 0 or above."""
    for name, value in values.items():
        if not (_is_finite(value) and value >= 0):
            raise ValueError(f"{name} is {_shown(value)}; expected a finite number, 0 or above")


def size(**values: int) -> None:
    """Check that each named value is an integer above 0."""
    for name, value in values.items():
        if not (_is_integer(value) and value > 0):
            raise ValueError(f"{name} is {_shown(value)}; expected an integer, 1 or above")


def count(**values: int) -> None:
    """Check that each named value is an integer, 0 or above."""
    for name, value in values.items():
        if not (_is_integer(value) and value >= 0):
            raise ValueError(f"{name} is {_shown(value)}; expected an integer, 0 or above")


def warn(message: str) -> None:
    """Warn of something at the line of the caller's own code, outside this package."""
    frame, level = sys._getframe(), 1
    while frame.f_back and frame.f_globals["__name__"].partition(".")[0] in INNER:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)


def port(value: int) -> None:
    """Check that value is the number of a port that a server can listen at."""
    if not (_is_integer(value) and 0 < value <= LAST_PORT):
        raise ValueError(f"port is {_shown(value)}; expected an integer from 1 to {LAST_PORT}")


def integer(**values: int) -> None:
    """Check that each named value is an integer that 64 bits hold."""
    for name, value in values.items():
        if not (_is_integer(value) and -(2**63) <= value < 2**63):
            raise ValueError(f"{name} is {_shown(value)}; expected an integer of 64 bits")


def several(**values: Any) -> None:
    """Check that each named value is a list of arrays, or another iterable of them."""
    for name, value in values.items():
        if not isinstance(value, Iterable):
            raise ValueError(f"{name} is {_shown(value)}; expected a list of arrays")


def choice(value: object, name: str, allowed: Sequence[str]) -> None:
    """Check that value is one of the allowed words."""
    if value not in allowed:
        words = ", ".join(repr(word) for word in allowed)
        raise ValueError(f"{name} is {value!r}; expected one of {words}")


def seed(value: Any) -> None:
    """Check that value can seed a generator: an integer, 0 or above, or None for a fresh one."""
    if value is not None and not (_is_integer(value) and value >= 0):
        raise ValueError(f"seed is {value!r}; expected None or an integer, 0 or above")


def numeric(array: Any, dtype: Any = None) -> np.ndarray[Any, Any]:
    """Return as an array what every framework has one for: booleans and numbers of 64 bits.

    dtype is another that is to be one of these too.
    """
    given = np.asarray(array)
    for found in (given.dtype, np.dtype(dtype or given.dtype)):
        if found.kind not in "biuf" or found.itemsize > 8:
            raise ValueError(
                f"the dtype is {found}; expected booleans, integers or floats of 64 bits or less"
            )
    return given


def stays_floating(tensor: Any, dtype: Any = None) -> bool:
    """Return whether a tensor and the dtype that it is to have, None for its own, are floats."""
    own = dtype_of(tensor)
    return "float" in own and "float" in (own if dtype is None else np.dtype(dtype).name)


def numbers(array: Any, dtype: Any = None) -> np.ndarray[Any, Any]:
    """Return a copy of what every framework has an array for, in a dtype.

    It is in one piece and in this machine's order of bytes, whatever was given. Where the dtype is
    one of integers, it must hold the numbers as they are.
    """
    given = numeric(array, dtype)
    native = np.dtype(dtype or given.dtype).newbyteorder("=")
    with np.errstate(invalid="ignore"):
        converted = np.array(given, dtype=native, order="C")
    changes = converted.dtype.kind in "iu" and converted.dtype != given.dtype
    if changes and not (converted == given).all():
        raise ValueError(f"the numbers are {given.dtype} and do not fit {converted.dtype}")
    return converted


def device(named: Any, find: Callable[[Any], Any]) -> Any:
    """Return what a framework has under the name of a device; None stays None.

    find raises whatever it likes where there is no such device.
    """
    if named is None:
        return None
    try:
        return find(named)
    except Exception:
        raise ValueError(
            f"device is {named!r}, which this backend does not find; expected None, 'cpu', or what "
            "try_gpu() returns: a GPU if there is one, otherwise the CPU"
        ) from None


def gradients(grads: Sequence[Any]) -> None:
    """Check that there are gradients to clip, of one dtype."""
    if len(grads) == 0:
        raise ValueError("there are no gradients to clip; give those of all parameters")
    expected = dtype_of(grads[0])
    for found in map(dtype_of, grads):
        if found != expected or expected not in ("float32", "float64"):
            raise ValueError(
                f"the gradients have dtypes {expected} and {found}; expected 'float32' or 'float64'"
            )


def differentiable(inputs: Any, state: Any, params: Sequence[Any]) -> None:
    """Check that there is a gradient for each of these: that they are floats, of one dtype."""
    floating(dtype_of(inputs))
    same_dtype(inputs, state=state, params=params)


def cotangents(d_outputs: Any, d_state: Any, outputs: Any, state: Sequence[Any]) -> None:
    """Check that gradients have the shapes and the dtype of what they are the gradients of."""
    found = [tuple(tensor.shape) for tensor in (d_outputs, *d_state)]
    wanted = [tuple(tensor.shape) for tensor in (outputs, *state)]
    if len(found) != len(wanted) or any(map(shapes_differ, found, wanted)):
        raise ValueError(
            f"d_outputs and d_state have shapes {found}; expected {wanted}, "
            "those of the outputs and the state"
        )
    same_dtype(outputs, d_outputs=[d_outputs], d_state=d_state)


def values(has_values: bool) -> None:
    """Check that a tensor holds numbers, which it does not while a function is traced."""
    if not has_values:
        raise ValueError(
            "a tensor has no values while a function is traced, by training, jit, grad, vmap, "
            "tf.function or the like; call what needs values (to_numpy, evaluate, gradients, "
            "training, text generation) outside of it"
        )


def reached(found: Sequence[bool], *inputs: Any) -> None:
    """Check that every parameter receives a gradient, of 0 or not; found says which one does.

    Where the inputs, tuples of tensors too, hold no numbers, a parameter need not be used.
    """
    absent = [f"params[{number}]" for number, there in enumerate(found) if not there]
    if absent and not _is_empty(inputs):
        raise ValueError(
            f"no gradient reaches {', '.join(absent)}, of {len(found)} parameters: the outputs do "
            "not depend on them, or only through to_numpy, detach or the like; compute with the "
            "framework's own operations, and remove parameters that are not used from get_params"
        )


def _is_empty(inputs: Any) -> bool:
    """Return whether some tensor in nested tuples holds no numbers."""
    if isinstance(inputs, (tuple, list)):
        return any(map(_is_empty, inputs))
    return 0 in getattr(inputs, "shape", ())


def targets(found: Any, weights: Any, outputs: Any, loss: str) -> None:
    """Check the shapes of targets, and of weights unless they are None, by those of the outputs."""
    rows, num_outputs = outputs.shape
    if rows == 0:
        raise ValueError(
            "there are no outputs; a mean loss needs at least one row and one time step"
        )
    expected = (rows,) if loss == "softmax" else (rows, num_outputs)
    if shapes_differ(found.shape, expected):
        raise ValueError(f"the targets have shape {tuple(found.shape)}; expected {expected}")
    if weights is not None and shapes_differ(weights.shape, (rows,)):
        raise ValueError(f"the weights have shape {tuple(weights.shape)}; expected {(rows,)}")


def clipping(theta: float, clip: str) -> tuple[float, str]:
    """Check how gradients are to be clipped, and return theta as Python's float."""
    choice(clip, "clip", ("norm", "value"))
    return positive(theta=theta), clip


def floating(dtype: object) -> str:
    """Return dtype as "float32" or "float64"; nothing else is supported."""
    name = dtype if isinstance(dtype, str) else getattr(dtype, "__name__", str(dtype))
    if name not in ("float32", "float64"):
        raise ValueError(f"dtype is {dtype!r}; expected 'float32' or 'float64'")
    return name


def shapes_differ(found: Shape, expected: Shape) -> bool:
    """Return whether two shapes differ; a size that a traced tensor has not got yet is None."""
    if len(found) != len(expected):
        return True
    return any(one != other for one, other in zip(found, expected) if None not in (one, other))


def axes(name: str, shape: Shape, meaning: str) -> None:
    """Check that shape has as many axes as meaning, such as "(batch_size, num_steps)", names."""
    if getattr(shape, "rank", 0) is None:  # of a traced tensor
        raise ValueError(f"{name} has an unknown number of axes; expected axes {meaning}")
    if len(shape) != meaning.count(",") + 1:
        raise ValueError(f"{name} has shape {tuple(shape)}; expected axes {meaning}")


def tokens(ids: np.ndarray[Any, Any], vocab_size: int) -> None:
    """Check that ids are integers from 0 to vocab_size - 1, before any framework converts them."""
    token_dtype(ids, vocab_size)
    if ids.size == 0:
        return
    worst = int(ids.min()) if ids.min() < 0 else int(ids.max())
    if not 0 <= worst < vocab_size:
        raise ValueError(
            f"token id {worst} is outside 0..{vocab_size - 1}; "
            "use the Vocab that the model was made for"
        )


def token_dtype(ids: Any, vocab_size: int) -> None:
    """Check that ids, a tensor that may have no values, are integers."""
    size(vocab_size=vocab_size)
    if not dtype_of(ids).startswith(("int", "uint")):
        raise ValueError(
            f"token ids have dtype {dtype_of(ids)}; expected integers from 0 to {vocab_size - 1}; "
            "turn tokens into ids with vocab[tokens]"
        )


def minibatch(X: np.ndarray[Any, Any], Y: np.ndarray[Any, Any], vocab_size: int) -> None:
    """Check a minibatch of token ids to train on: X and Y (batch_size, num_steps), not empty."""
    axes("X", X.shape, "(batch_size, num_steps)")
    if Y.shape != X.shape:
        raise ValueError(
            f"Y has shape {Y.shape}, X has {X.shape}; expected a target for each input token"
        )
    if X.size == 0:
        raise ValueError(
            f"the minibatch is empty, of shape {X.shape}; "
            "training needs at least one row and one time step"
        )
    tokens(X, vocab_size)
    tokens(Y, vocab_size)


def one_process(size: int, why: str) -> None:
    """Check that a process is alone, where what it does cannot be shared."""
    if size > 1:
        raise ValueError(f"there are {size} processes, and {why}; start one")


def same_vocab(num_inputs: int, vocab_size: int) -> None:
    """Check that a recurrent layer takes the one-hot rows of a vocabulary."""
    if num_inputs != vocab_size:
        raise ValueError(
            f"the layer takes {num_inputs} inputs, the vocabulary has {vocab_size} tokens; "
            "make the layer for len(vocab) inputs"
        )


def memory(num_weights: int, dtype: str, remedy: str) -> None:
    """Check that this machine's memory holds a net of so many weights, and their gradients."""
    has, needs = _memory_of_this_machine(), 2 * num_weights * np.dtype(floating(dtype)).itemsize
    if has is not None and needs > has:
        raise ValueError(
            f"the net would have {num_weights:,} parameters, which with their gradients take "
            f"{needs / 1e9:,.0f} GB in {dtype}; this machine has {has / 1e9:,.0f} GB of memory; "
            f"{remedy}"
        )


def _memory_of_this_machine() -> int | None:
    """Return the bytes of memory that there are, or None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows, say
        return None


def vocab_of(net: Any, vocab: Any, **uses: Any) -> None:
    """Check that a Vocab has as many tokens as the net that is to be trained.

    uses are the named arguments for which there must be one; without them it may be None.
    """
    if vocab is None:
        asked = [name for name, value in uses.items() if value is not None]
        if asked:
            verb = "needs" if len(asked) == 1 else "need"
            raise ValueError(
                f"vocab is None; {' and '.join(asked)} {verb} the Vocab of the tokens; "
                "give the one that came with train_iter"
            )
        return
    if not hasattr(vocab, "idx_to_token"):
        raise ValueError(
            f"vocab is a {type(vocab).__name__}; expected the Vocab that came with train_iter"
        )
    own_vocab(getattr(net, "vocab_size", len(vocab)), len(vocab))


def own_vocab(vocab_size: int, found: int) -> None:
    """Check that a Vocab has as many tokens as the model that it comes with."""
    if found != vocab_size:
        raise ValueError(
            f"the net is for {vocab_size} tokens, the vocab has {found}; "
            "use the Vocab that the model was made for"
        )


def num_params(found: int, names: Sequence[str]) -> None:
    """Check that a cell has as many parameters as it has names for."""
    if found != len(names):
        raise ValueError(
            f"there are {found} parameters; expected {len(names)}: {', '.join(names)}; "
            "take get_params, init_state and forward_fn of one kind"
        )


def parameters(params: Sequence[Any], names: Sequence[str], shapes: Sequence[Shape]) -> None:
    """Check that named parameters have the shapes that go with the first one's, and its dtype."""
    if [tuple(param.shape) for param in params] == shapes and _of_one_dtype(params):
        return
    for param, name, shape in zip(params, names, shapes, strict=True):
        if tuple(param.shape) != tuple(shape):
            raise ValueError(
                f"{name} has shape {tuple(param.shape)}; expected {tuple(shape)}, for {names[0]} "
                f"has {tuple(params[0].shape)}; take parameters of one kind and size"
            )
    same_dtype(params[0], **{name: [param] for name, param in zip(names, params, strict=True)})


def dtype_of(tensor: Any) -> str:
    """Return the name of the dtype of any framework's tensor, such as "float32"."""
    dtype = tensor.dtype
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
    return str(name).removeprefix("torch.")


def _of_one_dtype(tensors: Sequence[Any]) -> bool:
    """Return whether tensors have the same dtype, whatever its name: this is asked all the time."""
    dtype = tensors[0].dtype
    return all(tensor.dtype == dtype for tensor in tensors)


def same_dtype(param: Any, **tensors: Sequence[Any]) -> None:
    """Check that named tensors have the dtype of a parameter; no framework mixes them alike."""
    if _of_one_dtype([param, *(tensor for group in tensors.values() for tensor in group)]):
        return
    expected = dtype_of(param)
    for name, group in tensors.items():
        for tensor in group:
            if (found := dtype_of(tensor)) != expected:
                raise ValueError(
                    f"{name} has dtype {found}, the parameters have {expected}; convert one of them"
                )


def gates(params: Sequence[Any], cells: Mapping[int, str]) -> str:
    """Return whose parameters these are by their number, and check that they are floats."""
    if not isinstance(params, (list, tuple)):
        raise ValueError(
            f"params is of type {type(params).__name__}; expected the list of a cell's parameters"
        )
    if len(params) not in cells:
        known = ", ".join(f"{number} ({name})" for number, name in cells.items())
        raise ValueError(f"there are {len(params)} parameters; expected {known}")
    floating(dtype_of(params[0]))
    same_dtype(params[0], params=params)
    return cells[len(params)]


def same_shapes(arrays: Any, expected: Sequence[Any]) -> list[np.ndarray[Any, Any]]:
    """Return arrays, checked: numbers, of the shapes of the parameters that they are to replace."""
    if not isinstance(arrays, Iterable):
        raise ValueError(
            f"arrays is {arrays!r}; expected a list of arrays, as net.arrays() returns"
        )
    checked: list[np.ndarray[Any, Any]] = [numeric(array) for array in arrays]
    found, wanted = ([tuple(array.shape) for array in group] for group in (checked, expected))
    if found != wanted:
        raise ValueError(
            f"the arrays have shapes {found}; expected {wanted}; "
            "take them from a net of the same cell, layers and sizes"
        )
    return checked


def labels(found: Any, shape: Shape, num_classes: int) -> Any:
    """Check that labels are integers of a shape, from 0 to num_classes - 1, and return them."""
    if found.shape != tuple(shape):
        raise ValueError(
            f"the labels have shape {found.shape}; expected {tuple(shape)}, one for each output"
        )
    if found.size == 0:
        raise ValueError(f"the minibatch is empty, of shape {found.shape}; expected some labels")
    if found.dtype.kind not in "iub" or found.min() < 0 or found.max() >= num_classes:
        raise ValueError(
            f"the labels are {found.dtype} from {found.min()} to {found.max()}; "
            f"expected integers from 0 to {num_classes - 1}"
        )
    return found


def valid(found: Any, shape: Shape) -> np.ndarray[Any, Any]:
    """Return what is not padding as a mask of a shape (batch_size, num_steps), 1.0 or 0.0.

    found is None for all, lengths (batch_size,), or a mask.
    """
    batch_size, num_steps = shape
    if found is None:
        return np.ones(shape)
    found = np.asarray(found)
    if found.dtype == bool and found.shape == tuple(shape):
        return np.asarray(found, dtype=float)
    if found.dtype.kind not in "iu" or found.shape != (batch_size,):
        raise ValueError(
            f"valid is {found.dtype} of shape {found.shape}; expected lengths ({batch_size},), "
            f"integers, or a mask ({batch_size}, {num_steps}) of booleans"
        )
    if found.size and (found.min() < 0 or found.max() > num_steps):
        raise ValueError(
            f"valid holds lengths from {found.min()} to {found.max()}; expected 0 to {num_steps}"
        )
    return np.asarray(np.arange(num_steps) < found[:, None], dtype=float)


def shares(rows: Any) -> None:
    """Check that all numbers are from 0 to 1."""
    if not (rows.min() >= 0 and rows.max() <= 1):
        raise ValueError(f"the rows reach from {rows.min()} to {rows.max()}; expected 0 to 1")


def rows(arrays: Sequence[Any]) -> None:
    """Check that arrays have at least one axis."""
    for index, array in enumerate(arrays):
        if array.ndim == 0:
            raise ValueError(
                f"arrays[{index}] has no axes, and dtype {array.dtype}; "
                "expected an array with a row for each example"
            )


def same_length(lengths: Sequence[int], batch_size: int) -> None:
    """Check that arrays have equally many rows, and enough for one minibatch."""
    if len(set(lengths)) != 1 or lengths[0] < batch_size:
        raise ValueError(
            f"the arrays have {list(lengths)} rows; expected as many in each, and {batch_size}, "
            "the batch_size, or more"
        )


def same_features(shapes: Sequence[tuple[int, ...]]) -> None:
    """Check that the steps of all sequences have the same shape."""
    if len(set(shapes)) > 1:
        found = ", ".join(str(tuple(shape)) for shape in dict.fromkeys(shapes))
        raise ValueError(f"the steps of the sequences have shapes {found}; expected one shape")


def features(X: Shape, weight: Shape) -> None:
    """Check the inputs (batch_size, num_inputs) of a layer by its weight (num_inputs, ...)."""
    axes("X", X, "(batch_size, num_inputs)")
    width("X", X[1], weight[0])


def recurrent(inputs: Shape, states: Any, weight: Shape, num_states: int = 1) -> None:
    """Check what a cell is called with.

    inputs is a shape (num_steps, batch_size, num_inputs), states a tuple of num_states tensors
    (batch_size, num_hiddens), and weight the shape (num_inputs, num_hiddens) of an input weight.
    """
    axes("inputs", inputs, "(num_steps, batch_size, num_inputs)")
    num_inputs, num_hiddens = weight
    width("inputs", inputs[2], num_inputs)
    state(states, inputs[1], [num_hiddens] * num_states)


def recurrent_ids(inputs: Shape, states: Any, weight: Shape, num_states: int = 1) -> None:
    """Check as recurrent does, where the inputs are token ids (num_steps, batch_size)."""
    axes("inputs", inputs, "(num_steps, batch_size)")
    state(states, inputs[1], [weight[1]] * num_states)


def state(states: Any, batch_size: int, widths: Sequence[int]) -> None:
    """Check that states is a tuple of tensors (batch_size, width), one for each of widths."""
    remedy = f"call net.begin_state({batch_size})"
    if not isinstance(states, (tuple, list)) or len(states) != len(widths):
        kind = f"{len(states)} tensors" if isinstance(states, (tuple, list)) else "no tuple"
        raise ValueError(f"state is {kind}; expected a tuple of length {len(widths)}; {remedy}")
    for tensor, width in zip(states, widths, strict=True):
        if not hasattr(tensor, "shape"):
            raise ValueError(f"state holds a {type(tensor).__name__}; expected tensors; {remedy}")
        shape = tuple(tensor.shape)
        axes("state", shape, "(batch_size, num_hiddens)")
        if shapes_differ(shape[:1], (batch_size,)):
            raise ValueError(
                f"state is for batch_size {shape[0]}, the minibatch has {batch_size}; {remedy}"
            )
        if shapes_differ(shape[1:], (width,)):
            raise ValueError(
                f"state has {shape[1]} hidden units, the parameters have {width}; {remedy}"
            )


def width(name: str, found: int, expected: int) -> None:
    """Check the number of features of a row."""
    if shapes_differ((found,), (expected,)):
        raise ValueError(
            f"{name} has {found} features per row, the parameters are for {expected}; "
            "make the parameters for that width, or the rows for these parameters"
        )


def _is_integer(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _is_real(value: object) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _is_finite(value: Any) -> bool:
    """Return whether value is a number that Python's float holds."""
    try:
        return _is_real(value) and math.isfinite(value)
    except OverflowError:  # an integer beyond all floats
        return False


def _shown(value: Any) -> str:
    """Return repr(value), or how long an integer is that would fill the screen."""
    if _is_integer(value) and int(value).bit_length() > 256:
        return f"an integer of {int(value).bit_length()} bits"
    return repr(value)
