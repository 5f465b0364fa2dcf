"""The import of MXNet with a newer NumPy than it was written for.

MXNet 1.9.1, the last release, was written for NumPy before 1.24. Its import uses names that NumPy
has removed since. They are added to NumPy while MXNet is imported, and removed again afterwards, so
that NumPy is unchanged for all other code. MXNet's arrays then follow NumPy's semantics
(``npx.set_np``): shapes may contain zeros, and scalars have the shape ().
"""

import contextlib
import types
import warnings

import numpy


def _financial(*_args, **_kwargs):
    raise ImportError("NumPy's financial functions have moved to the package numpy_financial")


# The names that NumPy has removed and that MXNet uses, with their values.
_REMOVED = {
    "bool": bool,
    "Inf": float("inf"),
    "NAN": float("nan"),
    "NINF": float("-inf"),
    "NZERO": -0.0,
    "NaN": float("nan"),
    "PINF": float("inf"),
    "PZERO": 0.0,
    "alltrue": numpy.all,
    "compat": types.ModuleType("compat"),
    "in1d": numpy.isin,
    "msort": numpy.sort,
    "product": numpy.prod,
    "round_": numpy.round,
    "sometrue": numpy.any,
    "trapz": getattr(numpy, "trapezoid", None),
    **dict.fromkeys(
        ("fv", "ipmt", "irr", "mirr", "nper", "npv", "pmt", "ppmt", "pv", "rate"), _financial
    ),
}


@contextlib.contextmanager
def _removed_names():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        absent = [name for name in _REMOVED if not hasattr(numpy, name)]
        for name in absent:
            setattr(numpy, name, _REMOVED[name])
        try:
            yield
        finally:
            for name in absent:
                delattr(numpy, name)


with _removed_names():
    import mxnet
    from mxnet import autograd, nd, np, npx

npx.set_np()


def follow_numpy():
    """Turn on NumPy's semantics in this thread: MXNet's setting is per thread."""
    if not npx.is_np_array():
        npx.set_np()


__all__ = ["autograd", "follow_numpy", "mxnet", "nd", "np", "npx"]
