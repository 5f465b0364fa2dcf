"""X W of all time steps at once, and of each by the library whose product takes less time.

``torch.addmm`` is MKL's on a CPU. On AMD's processors oneDNN's product, which PyTorch holds too,
takes less time where W is large, once W lies as oneDNN likes it: to lay it so takes as long as some
ten products do, so that it pays in a loop over time, and not in one product.
"""

import functools
from pathlib import Path

import torch
import torch.nn.functional as F

LARGE = 512 * 512  # weights; with fewer, a call of oneDNN's takes longer than it saves
MANY = 20  # time steps
ABOUT = Path("/proc/cpuinfo")


def input_product(inputs, W_x, b):
    """Return X W_x + b (T, n, ...) of rows (T, n, d), or of token ids (T, n) by look-up."""
    if inputs.dtype.is_floating_point:
        return (inputs @ W_x).add_(b)
    if len(W_x) < inputs.numel():
        return F.embedding(inputs.long(), W_x + b)  # a one-hot row times W_x is a row of W_x
    return F.embedding(inputs.long(), W_x).add_(b)


def plus(W, A):
    """Return add(A_t, X, out=None) -> A_t + X W, which may be written into out.

    Args:
        W: weights (k, m), which stay as they are while add is in use.
        A: one of the tensors (T, n, m) whose steps it will be given.
    """
    if not pays(W, A):
        return lambda A_t, X, out=None: torch.addmm(A_t, X, W, out=out)
    packed, add = as_onednn_likes(W, A.shape[1]), torch.ops.mkldnn._linear_pointwise.binary
    return lambda A_t, X, out=None: add(X, A_t, packed, None, "add")


def times(W, A):
    """Return multiply(X, out=None) -> X W; arguments as of plus."""
    if not pays(W, A):
        return lambda X, out=None: torch.mm(X, W, out=out)
    packed, linear = as_onednn_likes(W, A.shape[1]), torch.ops.mkldnn._linear_pointwise
    return lambda X, out=None: linear(X, packed, None, "none", [], "")


def pays(W, A):
    """Return whether oneDNN takes less time: measured for 1 to 1,024 rows and 64 to 1,024 units."""
    small = W.numel() < LARGE or A.shape[0] < MANY or A.shape[1] < 2
    if small or W.device.type != "cpu" or W.dtype != torch.float32:
        return False
    return there() and torch.backends.mkldnn.enabled


def as_onednn_likes(W, num_rows):
    """Return weights (k, m) laid out anew for products with so many rows."""
    return torch.ops.mkldnn._reorder_linear_weight(W.T.contiguous(), num_rows)


@functools.cache
def there():
    """Return whether oneDNN's product is there, and MKL's slow."""
    return has_onednn() and is_amd()


def has_onednn():
    """Return whether this PyTorch has oneDNN's product, which is none of its public operators."""
    names = "_linear_pointwise", "_reorder_linear_weight"
    has_them = all(hasattr(torch.ops.mkldnn, name) for name in names)
    return torch.backends.mkldnn.is_available() and has_them


def is_amd():
    """Return whether the processor is AMD's, as Linux tells it."""
    return ABOUT.exists() and "AuthenticAMD" in ABOUT.read_text(encoding="utf-8", errors="replace")
