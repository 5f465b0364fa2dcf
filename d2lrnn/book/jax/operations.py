"""What the shared code of edition 1.0 needs from JAX."""

import sys

import jax
import numpy as np

d2l = sys.modules[__package__]


class ArrayLoader:
    """Minibatches of the rows of arrays, as tuples of NumPy arrays.

    Args:
        arrays: arrays with the same number of rows.
        batch_size: rows of a minibatch; the last may have fewer.
        shuffle: take the rows in a new order each time, drawn with Python's ``random``.
    """

    def __init__(self, arrays, batch_size, shuffle):
        """Store the arrays as NumPy arrays."""
        self.arrays = tuple(np.asarray(array) for array in arrays)
        self.batch_size, self.shuffle = batch_size, shuffle

    def __len__(self):
        """Return the number of minibatches."""
        return -(-len(self.arrays[0]) // self.batch_size)

    def __iter__(self):
        """Yield the minibatches."""
        order = np.arange(len(self.arrays[0]))
        if self.shuffle:
            np.random.default_rng(d2l.get_seed()).shuffle(order)
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            yield tuple(array[rows] for array in self.arrays)


load_array = ArrayLoader


def random_inputs(*shapes):
    """Return numbers from N(0, 1) in each of the shapes, always the same."""
    keys = jax.random.split(jax.random.PRNGKey(0), len(shapes))
    return [jax.random.normal(key, shape) for key, shape in zip(keys, shapes)]
