"""What the code that all frameworks share needs from MXNet."""

from d2lrnn.mxnet.framework import mxnet, npx

Layer = Model = mxnet.gluon.nn.Block
CALLED = "forward"  # the method that an encoder or a decoder defines
Dropout = mxnet.gluon.nn.Dropout
batch_dot, softmax = npx.batch_dot, npx.softmax


def dense(num_outputs):
    """Return a linear layer of the last axis without a bias."""
    return mxnet.gluon.nn.Dense(num_outputs, use_bias=False, flatten=False)


def mask_keys(X, valid_lens, value):
    """Return scores X (n, queries, keys) with value for the keys that are not valid."""
    if valid_lens.ndim == 1:
        valid_lens = valid_lens.repeat(X.shape[1])
    rows = X.reshape(-1, X.shape[-1])  # (n * queries, keys)
    masked = npx.sequence_mask(rows, valid_lens.reshape(-1), True, value=value, axis=1)
    return masked.reshape(X.shape)
