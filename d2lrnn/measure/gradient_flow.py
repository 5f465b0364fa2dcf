"""Measure the gradients in backpropagation through time: the norm of dL/dH_t (section 9.7)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from d2lrnn import checks
from d2lrnn.data import batches, corpora, text
from d2lrnn.nets import build, cells, describe, embedding, networks
from d2lrnn.nets.classifiers import SequenceClassifierScratch
from d2lrnn.nets.language_model import RNNModelScratch
from d2lrnn.nets.model import Array
from d2lrnn.nets.sequence_net import SequenceNet

if TYPE_CHECKING:
    from d2lrnn.interface import BackendLike


def gradient_norms(
    net: RNNModelScratch, X: Any, Y: Any, state: Any = None, *, last_only: bool = False
) -> Array:
    """Return the Euclidean norm of dL/dH_t for each time step t.

    H_t is the hidden state after step t. The gradient is the total one, through the output of step
    t and through every later step. It is computed by the backend, by adding a zero E_t to each H_t
    and differentiating by E_t.

    Args:
        net: an RNNModelScratch of one layer and one direction.
        X: token ids (batch_size, num_steps).
        Y: target ids of the same shape.
        state: the state to start from; None starts at zero.
        last_only: let L be the loss of the last time step only, so that the gradient for H_t has
            passed through all later steps.

    Returns:
        An array of num_steps norms, float64; L is the mean cross-entropy over the minibatch.

    Raises:
        ValueError: the net is deep or bidirectional, the output of its cell is not a state that the
            next time step uses (s4d, mamba), or X and Y do not fit.

    Source: section 9.7; Pascanu, Mikolov and Bengio, 2013, "On the difficulty of training
    recurrent neural networks".

    Examples:
        >>> net = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
        >>> norms = rnn.gradient_norms(net, [[0, 1, 2]], [[1, 2, 3]], last_only=True)
        >>> norms.shape, bool(norms[0] < norms[-1])  # smaller at early steps
        ((3,), True)
    """
    if not isinstance(net, RNNModelScratch):
        raise ValueError(
            f"the net is an {type(net).__name__}; gradient_norms needs an RNNModelScratch; "
            "copy its parameters into one with copy_params"
        )
    if not net.architecture.plain:
        raise ValueError(
            f"the net is {describe.in_words(net.architecture)}; gradient_norms needs one layer and "
            "one direction"
        )
    if net.architecture.kind.separate_output:
        raise ValueError(
            f"the cell is {net.architecture.cell}, whose output is not used by the next time step; "
            "gradient_norms needs a cell whose output is its state, such as gru or mingru"
        )
    checks.axes("X", np.shape(X), "(batch_size, num_steps)")
    state = net.begin_state(len(X)) if state is None else state
    d_hiddens = hidden_gradients(net, X, Y, state, last_only=last_only)
    norms: Array = np.sqrt((d_hiddens.astype(np.float64) ** 2).sum(axis=(1, 2)))
    return norms


def hidden_gradients(
    net: RNNModelScratch, X: Any, Y: Any, state: Any, *, last_only: bool = False
) -> Array:
    """Return the gradients of the mean loss for every hidden state, (T, n, h).

    The net has one layer and one direction; the arguments are those of gradient_norms. A zero E_t
    is added to each H_t, and the gradient for E_t is returned.
    """
    _, d_outputs = net.loss_and_d_outputs(X, Y, state, last_only=last_only)
    architecture, rows = net.architecture, net.tensors.to_numpy(net.rows(X, state))
    if architecture.embedding is not None:
        rows = rows @ net.tensors.to_numpy(net.params[0])  # W_xe
    num_inputs = rows.shape[2]
    forward_fn = networks.Perturbed(net.ops, architecture.after_embedding, num_inputs)
    zeros = np.zeros((*rows.shape[:2], net.num_hiddens), rows.dtype)
    inputs = net.tensor(np.concatenate([rows, zeros], 2))  # (T, n, num_inputs + h)
    ends = d_outputs, net.begin_state(len(X))
    params = embedding.without(architecture, net.params)
    d_inputs, _, _ = net.ops.gradients.vjp(forward_fn, inputs, state, params, *ends)
    gradients: Array = net.tensors.to_numpy(d_inputs)[:, :, num_inputs:]
    return gradients


def bptt_terms(
    net: SequenceClassifierScratch, X: Any, y: Any, valid: Any = None
) -> dict[str, Array]:
    """Return the contribution of each time step to the gradients of a classifier's cell.

    The weights are the same at every step, and their gradient is a sum over steps:
    dL/dW_hh = sum_t H_{t-1}^T dL/dA_t. Here each step uses a separate copy of the weights, and the
    gradient of a copy is the term of that step.

    Args:
        net: a SequenceClassifierScratch of one layer and one direction.
        X: sequences, as for its training step.
        y: their classes.
        valid: lengths or a mask that mark the padding in X, or None.

    Returns:
        A dict from names, such as "W_xh" and "W_hh", to arrays (num_steps, ...). The sum of an
        array over the first axis is the gradient of that parameter.

    Source: the book's section 9.7, equations 9.7.4 and 9.7.16.

    Examples:
        >>> net = rnn.SequenceClassifierScratch(5, 4, 2, seed=0)
        >>> terms = rnn.bptt_terms(net, [[1, 2, 3]], [0])
        >>> terms["W_hh"].shape  # one for each of the three steps
        (3, 4, 4)
    """
    if not (isinstance(net, SequenceClassifierScratch) and net.architecture.plain):
        raise ValueError(
            f"the net is a {type(net).__name__}; bptt_terms needs a SequenceClassifierScratch of "
            "one layer and one direction"
        )
    inputs, targets, weights = net.tensors_of(X, y, valid)
    checks.size(num_steps=inputs[0].shape[0])
    num_steps = inputs[0].shape[0]
    tensors, arrays = net.ops.tensors, repeated(net.arrays(), num_steps)
    copies = tensors.trainable(arrays, dtype=net.dtype, device=net.device)
    compute = net.ops.gradients.value_and_grad(
        networks.Unshared(net.ops, net.architecture), net.loss
    )
    _, _, grads = compute(copies, inputs, targets, weights)
    *terms, _, _ = map(tensors.to_numpy, grads)  # the last two are of the output layer
    by_step = [
        net.architecture.kind.named(arrays_of_step)
        for arrays_of_step in net.architecture.runs(terms)
    ]
    return {
        name: np.stack([arrays_of_step[name] for arrays_of_step in by_step]) for name in by_step[0]
    }


def repeated(arrays: Sequence[Any], num_steps: int) -> list[Any]:
    """Repeat the parameters of a cell num_steps times, as networks.Unshared expects them."""
    *weights, W_hq, b_q = arrays
    return [*weights * num_steps, W_hq, b_q]


def norm_of_gradients(net: RNNModelScratch) -> Callable[[Any, Any, Any], float]:
    """Return a function norm(X, Y, state): the joint norm of the gradients before clipping.

    The function is compiled only once, so that it can be called during training.

    Args:
        net: an RNNModelScratch; each call uses its current parameters.
    """
    network = networks.Recurrent(net.forward_fn, net.vocab_size)
    compute = net.ops.gradients.value_and_grad(network, "softmax")

    def norm(X: Any, Y: Any, state: Any) -> float:
        X, Y = net.tensors.to_numpy(X), net.tensors.to_numpy(Y)
        checks.minibatch(X, Y, net.vocab_size)
        targets = net.tensors.from_numpy(Y.T.reshape(-1), dtype="int64", device=net.device)
        _, _, grads = compute(net.params, (net.inputs(X, state), tuple(state)), targets)
        return joint_norm([net.tensors.to_numpy(gradient) for gradient in grads])

    return norm


def joint_norm(gradients: Sequence[Array]) -> float:
    """Return the Euclidean norm of several arrays, concatenated to one vector."""
    return math.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in gradients))


def scale_recurrent(net: RNNModelScratch | SequenceNet, radius: float) -> None:
    """Scale every recurrent weight matrix W_h? of a net to a spectral radius.

    Args:
        net: an RNNModelScratch; its params change.
        radius: the largest absolute eigenvalue of each W_h? afterwards, above 0.

    Returns:
        None.

    Raises:
        ValueError: the radius is not positive, or the cell does not have recurrent weights W_h?.

    Examples:
        >>> import numpy as np
        >>> net = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
        >>> rnn.scale_recurrent(net, 0.9)
        >>> f"{abs(np.linalg.eigvals(net.arrays()[1])).max():.2f}"  # of W_hh
        '0.90'
    """
    radius = checks.positive(radius=radius)
    if not any(map(_is_recurrent, net.architecture.parameters)):
        raise ValueError(
            f"the cell {net.architecture.cell} does not have recurrent weights W_h?; "
            "scale_recurrent needs a cell such as rnn, gru or lstm"
        )
    arrays = [
        array * (radius / spectral_radius(array)) if _is_recurrent(name) else array
        for name, array in zip(net.architecture.parameters, net.arrays(), strict=True)
    ]
    net.load_arrays(arrays)


def survey(
    backend: BackendLike,
    radii: Sequence[float] = (0.5, 1.0, 2.0),
    *,
    num_steps: int = 100,
    seed: int = 0,
) -> dict[str, dict[str, Array]]:
    """Return the gradient norms of ``flow`` for each cell and spectral radius.

    The labels contain the joint norm of the parameter gradients (of the mean loss), and the norm
    after clipping to 1. Clipping bounds the update, but does not restore vanished gradients.

    Returns:
        {"rnn": {"radius 0.5, ...": norms, ...}, "gru": ..., "lstm": ...}.

    Examples:
        >>> from d2lrnn.measure.gradient_flow import survey
        >>> norms = survey(rnn, radii=(0.5, 1.0), num_steps=10)
        >>> list(norms), [len(array) for array in norms["rnn"].values()]  # one for each step
        (['rnn', 'gru', 'lstm'], [10, 10])
    """
    curves: dict[str, dict[str, Array]] = {}
    for cell in ("rnn", "gru", "lstm"):
        curves[cell] = {}
        for radius in radii:
            norms, norm = flow(backend, cell, radius, num_steps=num_steps, seed=seed)
            label = f"radius {radius:g}: norm {norm:.3g}, clipped {min(norm, 1.0):.3g}"
            curves[cell][label] = norms
    return curves


def flow(
    backend: BackendLike,
    cell: str,
    radius: float,
    *,
    num_steps: int = 100,
    seed: int = 0,
    forget_bias: float = 0.0,
) -> tuple[Array, float]:
    """Return gradient_norms of a network at a spectral radius, on the built-in corpus.

    The network has 64 hidden units. Its weights are drawn from N(0, 0.1²), and the recurrent ones
    are scaled to the radius. The minibatch has 8 rows of num_steps characters.

    Args:
        backend: the module of a backend.
        cell: "rnn", "gru" or "lstm".
        radius: the largest absolute eigenvalue of each recurrent matrix, above 0.
        num_steps: time steps.
        seed: the seed of the weights and of the minibatch.
        forget_bias: the bias of the gate that retains the state: the forget gate of the LSTM, or
            the update gate of the GRU.

    Returns:
        The norms, for the loss of the last step, and the joint norm of the parameter gradients, for
        the mean loss, before clipping.
    """
    corpus, vocab = text.build_corpus(corpora.read_builtin())
    X, Y = next(batches.seq_data_iter_random(corpus, 8, num_steps, seed=seed))
    settings: dict[str, Any] = {"seed": seed, "dtype": "float64"}
    net = build.new_net(backend, cells.Architecture(cell), len(vocab), 64, **settings)
    biases = [name in ("b_f", "b_z") for name in net.architecture.parameters]
    net.load_arrays(
        [
            10 * array + forget_bias * keeps
            for keeps, array in zip(biases, net.arrays(), strict=True)
        ]
    )
    scale_recurrent(net, radius)
    _, gradients = net.gradients(X, Y, net.begin_state(8))
    return gradient_norms(net, X, Y, last_only=True), joint_norm(gradients)


def spectral_radius(matrix: Array) -> float:
    """Return the largest absolute eigenvalue of a square matrix."""
    radius = float(np.abs(np.linalg.eigvals(matrix.astype(np.float64))).max())
    if not (math.isfinite(radius) and radius > 0):
        raise ValueError(f"a recurrent matrix has spectral radius {radius}; expected one above 0")
    return radius


def _is_recurrent(name: str) -> bool:
    kind = name.rpartition(".")[2]
    return kind.startswith("W_h") and kind != "W_hq"
