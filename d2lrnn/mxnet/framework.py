"""MXNet, imported on a NumPy that is newer than it is.

MXNet 1.9.1, the last release, was written for NumPy before 1.24. Its import looks up names that
NumPy has removed since. Here they are put back while MXNet is imported, and removed again after,
so that NumPy is as it was for everyone else. MXNet's arrays then follow NumPy's semantics
(``npx.set_np``): shapes may hold zeros, and scalars have the shape ().
"""

import contextlib
import types
import warnings

import numpy


def _financial(*_args, **_kwargs):
    raise ImportError("NumPy's financial functions have moved to the package numpy_financial")


# What NumPy has removed and MXNet looks up, each with what it was.
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
    """Let arrays follow NumPy in a thread that has just begun: MXNet asks each thread anew."""
    if not npx.is_np_array():
        npx.set_np()


__all__ = ["autograd", "follow_numpy", "mxnet", "nd", "np", "npx"]
