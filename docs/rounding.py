"""Does a product of matrices give the same bits again, in another batch size, with more threads?

``OMP_NUM_THREADS=2 python docs/rounding.py`` prints an answer for each installed backend: whether
a product repeated has the same bits, whether the first 8 or the first 1 of 64 rows alone have the
bits that they have among the 64, and a hash of the bits to compare across threads and machines.
The answers depend on the processor.
"""

from __future__ import annotations

import hashlib
import sys

import numpy as np


def measure(backend):
    """Return (repeated, 8 rows alone, 1 row alone, hash) of a product 64 x 300 x 512, float32."""
    from d2lrnn import backends

    rnn, rng = backends.load(backend), np.random.default_rng(0)
    X, W = (rng.standard_normal(shape).astype("float32") for shape in ((64, 300), (300, 512)))

    def product(rows):
        return rnn.to_numpy(rnn.from_numpy(rows) @ rnn.from_numpy(W))

    whole = product(X)
    alone = (np.array_equal(product(X[:rows]), whole[:rows]) for rows in (64, 8, 1))
    return (*alone, hashlib.sha256(whole.tobytes()).hexdigest()[:8])


if __name__ == "__main__":
    from d2lrnn import backends

    backends.prepare()
    for name in sys.argv[1:] or backends.available():
        print(name, *measure(name))
