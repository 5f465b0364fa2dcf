"""How gradients flow back through time: the norm of dL/dH_t, step by step (section 9.7)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from d2lrnn import checks
from d2lrnn.data import batches, corpora, text
from d2lrnn.nets import build, cells, networks
from d2lrnn.nets.classifiers import SequenceClassifierScratch, SequenceNet
from d2lrnn.nets.language_model import RNNModelScratch
from d2lrnn.nets.model import Array

if TYPE_CHECKING:
    from d2lrnn.interface import Backend


def gradient_norms(
    net: RNNModelScratch, X: Any, Y: Any, state: Any = None, *, last_only: bool = False
) -> Array:
    """Return the Euclidean norm of dL/dH_t for each time step t, by the backend's own gradients.

    H_t is the hidden state after step t, and the gradient all of it: through the output of step t
    and through every later step. It is found by adding a zero E_t to each H_t and asking for
    dL/dE_t.

    Args:
        net: an RNNModelScratch of one layer and one direction.
        X: token ids (batch_size, num_steps).
        Y: target ids of the same shape.
        state: the state to start from; None starts at zero.
        last_only: let L be the loss of the last time step alone, so that what arrives at H_t has
            come all the way back.

    Returns:
        num_steps norms, float64; L is the mean cross-entropy over the minibatch.

    Raises:
        ValueError: the net is deep or bidirectional, or X and Y do not fit.

    Source: section 9.7; Pascanu, Mikolov and Bengio, 2013, "On the difficulty of training
    recurrent neural networks".

    Examples:
        >>> net = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
        >>> norms = rnn.gradient_norms(net, [[0, 1, 2]], [[1, 2, 3]], last_only=True)
        >>> norms.shape, bool(norms[0] < norms[-1])  # it vanishes on its way back
        ((3,), True)
    """
    if not isinstance(net, RNNModelScratch):
        raise ValueError(
            f"the net is an {type(net).__name__}; gradient_norms needs an RNNModelScratch; "
            "copy_params gives one the parameters of another"
        )
    if not net.architecture.plain:
        raise ValueError(
            f"the net is {net.architecture}; gradient_norms needs one layer and one direction"
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

    For one layer in one direction; arguments as of gradient_norms. A zero E_t is added to each H_t;
    what is returned is the gradient for E_t.
    """
    _, d_outputs = net.loss_and_d_outputs(X, Y, state, last_only=last_only)
    forward_fn = networks.Perturbed(net.ops, net.architecture.cell, net.vocab_size)
    rows = net.tensors.to_numpy(net.rows(X, state))
    zeros = np.zeros((*rows.shape[:2], net.num_hiddens), rows.dtype)
    inputs = net.tensor(np.concatenate([rows, zeros], 2))  # (T, n, V + h)
    ends = d_outputs, net.begin_state(len(X))
    d_inputs, _, _ = net.ops.gradients.vjp(forward_fn, inputs, state, net.params, *ends)
    gradients: Array = net.tensors.to_numpy(d_inputs)[:, :, net.vocab_size :]
    return gradients


def bptt_terms(
    net: SequenceClassifierScratch, X: Any, y: Any, valid: Any = None
) -> dict[str, Array]:
    """Return what each time step contributes to the gradients of a classifier's cell.

    The weights are the same at every step, and their gradient is a sum over steps:
    dL/dW_hh = sum_t H_{t-1}^T dL/dA_t. Here each step has a copy of its own, and the gradient of a
    copy is the term of that step.

    Args:
        net: a SequenceClassifierScratch of one layer and one direction.
        X: sequences, as its step takes them.
        y: their classes.
        valid: what of X is not padding, or None.

    Returns:
        by name, such as "W_xh" and "W_hh", an array (num_steps, ...): its sum over the first axis
        is the gradient of that parameter.

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
    num_steps, cell = inputs[0].shape[0], net.architecture.cell
    tensors, arrays = net.ops.tensors, repeated(net.arrays(), num_steps)
    copies = tensors.trainable(arrays, dtype=net.dtype, device=net.device)
    compute = net.ops.gradients.value_and_grad(networks.Unshared(net.ops, cell), net.loss)
    _, _, grads = compute(copies, inputs, targets, weights)
    *terms, _, _ = map(tensors.to_numpy, grads)  # the last two are the output layer's
    by_step = [cells.CELLS[cell].named(own) for own in net.architecture.runs(terms)]
    return {name: np.stack([own[name] for own in by_step]) for name in by_step[0]}


def repeated(arrays: Sequence[Any], num_steps: int) -> list[Any]:
    """Return a cell's parameters as networks.Unshared takes them."""
    *weights, W_hq, b_q = arrays
    return [*weights * num_steps, W_hq, b_q]


def norm_of_gradients(net: RNNModelScratch) -> Callable[[Any, Any, Any], float]:
    """Return norm(X, Y, state): the joint norm of a minibatch's gradients, before any clipping.

    What the backend compiles for it is compiled once, so that it can be watched during training.

    Args:
        net: an RNNModelScratch; its parameters are those of the moment at each call.
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
    """Return the Euclidean norm of several arrays taken as one vector."""
    return math.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in gradients))


def scale_recurrent(net: RNNModelScratch | SequenceNet, radius: float) -> None:
    """Scale every recurrent weight matrix W_h? of a net to a spectral radius.

    Args:
        net: an RNNModelScratch; its params change.
        radius: the largest absolute eigenvalue of each W_h? afterwards, above 0.

    Returns:
        None.

    Examples:
        >>> import numpy as np
        >>> net = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
        >>> rnn.scale_recurrent(net, 0.9)
        >>> f"{abs(np.linalg.eigvals(net.arrays()[1])).max():.2f}"  # of W_hh
        '0.90'
    """
    radius = checks.positive(radius=radius)
    arrays = [
        array * (radius / spectral_radius(array)) if _is_recurrent(name) else array
        for name, array in zip(net.architecture.parameters, net.arrays(), strict=True)
    ]
    net.load_arrays(arrays)


def survey(
    backend: Backend,
    radii: Sequence[float] = (0.5, 1.0, 2.0),
    *,
    num_steps: int = 100,
    seed: int = 0,
) -> dict[str, dict[str, Array]]:
    """Return what flow finds for each cell and spectral radius.

    Labels hold the joint norm of the parameters' gradients, of the mean loss, and what clipping to
    1 leaves of it: it bounds the update, but what has vanished stays vanished.

    Returns:
        {"rnn": {"radius 0.5, ...": norms, ...}, "gru": ..., "lstm": ...}.

    Examples:
        >>> from d2lrnn.measure.gradient_flow import survey
        >>> found = survey(rnn, radii=(0.5, 1.0), num_steps=10)
        >>> list(found), [len(norms) for norms in found["rnn"].values()]  # one for each step
        (['rnn', 'gru', 'lstm'], [10, 10])
    """
    found: dict[str, dict[str, Array]] = {}
    for cell in ("rnn", "gru", "lstm"):
        found[cell] = {}
        for radius in radii:
            norms, norm = flow(backend, cell, radius, num_steps=num_steps, seed=seed)
            label = f"radius {radius:g}: norm {norm:.3g}, clipped {min(norm, 1.0):.3g}"
            found[cell][label] = norms
    return found


def flow(
    backend: Backend,
    cell: str,
    radius: float,
    *,
    num_steps: int = 100,
    seed: int = 0,
    forget_bias: float = 0.0,
) -> tuple[Array, float]:
    """Return gradient_norms of a network at a spectral radius, on the built-in corpus.

    The network has 64 hidden units and N(0, 0.1²) weights but for the recurrent ones, which are
    scaled to the radius, and sees 8 rows of num_steps characters.

    Args:
        backend: its module.
        cell: "rnn", "gru" or "lstm".
        radius: the largest absolute eigenvalue of each recurrent matrix, above 0.
        num_steps: time steps.
        seed: of the weights and of the minibatch.
        forget_bias: the bias of the gate that keeps what was: the LSTM's forget gate, or the GRU's
            update gate.

    Returns:
        the norms, of the last step's loss, and the joint norm of the parameters' gradients, of the
        mean loss, before any clipping.
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
