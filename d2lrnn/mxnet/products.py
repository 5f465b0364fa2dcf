"""Products of all time steps in MXNet, and its old type of arrays, in which some are faster."""

from d2lrnn.mxnet.framework import nd, np, npx
from d2lrnn.mxnet.tensors import with_a_row


def is_floating(inputs):
    """Return whether inputs are rows (T, n, d), not ids (T, n)."""
    return inputs.dtype in ("float16", "float32", "float64")


def biased(A, b):
    """Return A (..., m) + b (m,), with the gradient of b computed by a product.

    The product is ten times as fast as MXNet's sum. For an empty A its gradient would be undefined,
    so the sum is used.
    """
    if A.size == 0:
        return A + b
    ones = np.ones((A.size // len(b), 1), dtype=A.dtype, ctx=A.ctx)
    return A + np.dot(ones, b[None]).reshape(A.shape)


def look_up(ids, table):
    """Return the row of table for each id."""
    return npx.embedding(ids, table, *table.shape, dtype=table.dtype)


def input_product(inputs, W_x, b):
    """Return X W_x + b (T, n, ...) for rows (T, n, d), or by lookup for token ids (T, n)."""
    if is_floating(inputs):
        return biased(np.dot(inputs, W_x), b)
    return biased(look_up(inputs, W_x), b)


def output_layer(Hs, W_hq, b_q):
    """Return the outputs (T * n, q) of hidden states (T, n, h), ordered by time step."""
    rows = Hs.reshape(-1, len(W_hq))
    if len(rows) == 0:
        return output_layer(with_a_row(rows), W_hq, b_q)[:0]
    if W_hq.size > Hs.size:
        return biased(np.dot(rows, W_hq), b_q)
    layer = {"num_hidden": len(b_q), "flatten": False}  # of oneDNN, which needs W_hq transposed
    return npx.fully_connected(rows, W_hq.T, b_q, **layer)


def gates_of_inputs(inputs, weights, biases):
    """Return X W_x + b of each gate, (T, gates, n, h): each gate of a step is contiguous."""
    if is_floating(inputs):
        return np.stack([biased(np.dot(inputs, W), b) for W, b in zip(weights, biases)], axis=1)
    gate = np.arange(len(weights), dtype=inputs.dtype, ctx=inputs.ctx)[:, None]
    # Row numbers (T, gates, n) in the tables of all gates, joined
    ids = np.expand_dims(inputs, 1) + len(weights[0]) * gate
    return look_up(ids, np.concatenate(weights)) + look_up(0 * ids + gate, np.stack(biases))


def modern(arrays):
    """Convert arrays of MXNet's old type, mx.nd, to mx.np arrays."""
    return [array.as_np_ndarray() for array in arrays]


def old(*arrays):
    """Convert mx.np arrays to MXNet's old type, mx.nd, which gradients must have."""
    return tuple(array.as_nd_ndarray() for array in arrays)


def one_product(lefts, rights):
    """Return the sum over all steps of left.T @ right, (T, n, k) and (T, n, m) as (k, m)."""
    sides = (side.reshape((-1, side.shape[2])) for side in old(lefts, rights))  # without copies
    return nd.dot(*sides, transpose_a=True).as_np_ndarray()


def side_by_side(parts):
    """Return parts joined along their last axis, ten times as fast as np.concatenate."""
    return nd.concat(*old(*parts), dim=parts[0].ndim - 1).as_np_ndarray()
