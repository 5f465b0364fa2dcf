"""Products X W: for all time steps at once, and for one step with the faster library.

On a CPU, ``torch.addmm`` uses MKL. On AMD's processors, oneDNN's product, which PyTorch contains
too, is faster for a large W in oneDNN's memory layout. Changing the layout takes as long as about
ten products, so it is worthwhile in a loop over time, but not for one product.
"""

import functools
from pathlib import Path

import torch
import torch.nn.functional as F

LARGE = 512 * 512  # weights; with fewer, calling oneDNN takes longer than it saves
MANY = 20  # time steps; with fewer, changing the layout takes longer than it saves
ABOUT = Path("/proc/cpuinfo")


def input_product(inputs, W_x, b):
    """Return X W_x + b (T, n, ...) for rows (T, n, d), or by lookup for token ids (T, n)."""
    if inputs.dtype.is_floating_point:
        return (inputs @ W_x).add_(b)
    if len(W_x) < inputs.numel():
        return F.embedding(inputs.long(), W_x + b)  # a one-hot row times W_x is a row of W_x
    return F.embedding(inputs.long(), W_x).add_(b)


def plus(W, A):
    """Return add(A_t, X, out=None) -> A_t + X W, which may be written into out.

    Args:
        W: weights (k, m), which must not change while add is in use.
        A: a tensor (T, n, m) of the shape of those whose steps A_t add is called with.
    """
    if not pays(W, A):
        return lambda A_t, X, out=None: torch.addmm(A_t, X, W, out=out)
    packed, add = as_onednn_likes(W, A.shape[1]), torch.ops.mkldnn._linear_pointwise.binary
    return lambda A_t, X, out=None: add(X, A_t, packed, None, "add")


def times(W, A):
    """Return multiply(X, out=None) -> X W; the arguments are those of plus."""
    if not pays(W, A):
        return lambda X, out=None: torch.mm(X, W, out=out)
    packed, linear = as_onednn_likes(W, A.shape[1]), torch.ops.mkldnn._linear_pointwise
    return lambda X, out=None: linear(X, packed, None, "none", [], "")


def pays(W, A):
    """Return whether oneDNN is faster, as measured for 1 to 1,024 rows and 64 to 1,024 units."""
    small = W.numel() < LARGE or A.shape[0] < MANY or A.shape[1] < 2
    if small or W.device.type != "cpu" or W.dtype != torch.float32:
        return False
    return there() and torch.backends.mkldnn.enabled


def as_onednn_likes(W, num_rows):
    """Return weights (k, m) in oneDNN's memory layout for products with that many rows."""
    return torch.ops.mkldnn._reorder_linear_weight(W.T.contiguous(), num_rows)


@functools.cache
def there():
    """Return whether oneDNN's product is available, and MKL's product is slow."""
    return has_onednn() and is_amd()


def has_onednn():
    """Return whether this PyTorch has oneDNN's product, which is not a public operator."""
    names = "_linear_pointwise", "_reorder_linear_weight"
    has_them = all(hasattr(torch.ops.mkldnn, name) for name in names)
    return torch.backends.mkldnn.is_available() and has_them


def is_amd():
    """Return whether the processor is AMD's, according to /proc/cpuinfo of Linux."""
    return ABOUT.exists() and "AuthenticAMD" in ABOUT.read_text(encoding="utf-8", errors="replace")
