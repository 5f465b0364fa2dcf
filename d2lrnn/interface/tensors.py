"""Tensors and NumPy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from d2lrnn.interface.aliases import Array, Device, Params, Tensor


class Tensors(Protocol):
    """Tensors and NumPy arrays."""

    @staticmethod
    def try_gpu(i: int = 0) -> Device:
        """Return the i-th GPU, or the CPU if there is no such GPU.

        Args:
            i: the number of the GPU, 0 or above.

        Returns:
            The framework's name or object for the device; pass it as ``device``.

        Source: section 6.7.

        Examples:
            >>> X = rnn.from_numpy([1.0, 2.0], device=rnn.try_gpu())  # on a GPU if there is one
            >>> rnn.to_numpy(X).tolist()
            [1.0, 2.0]
        """

    @staticmethod
    def from_numpy(array: Any, *, dtype: Any = None, device: Device = None) -> Tensor:
        """Convert a NumPy array to a tensor.

        Args:
            array: a NumPy array, or anything that numpy.asarray accepts.
            dtype: the dtype of the tensor; None keeps the array's dtype, or takes the closest one
                that the framework has.
            device: where to store the tensor; None is the framework's default.

        Returns:
            A tensor that does not share memory with the array.

        Raises:
            ValueError: the elements are not booleans or numbers of up to 64 bits, or an integer
                dtype cannot represent them.

        Examples:
            >>> X = rnn.from_numpy([[1, 2], [3, 4]], dtype="float32")
            >>> rnn.to_numpy(X + X).tolist()
            [[2.0, 4.0], [6.0, 8.0]]
        """

    @staticmethod
    def to_numpy(tensor: Any) -> Array:
        """Convert a tensor to a NumPy array.

        Args:
            tensor: a tensor on any device, or an array.

        Returns:
            An array that does not share memory with the tensor.

        Examples:
            >>> (H,) = rnn.init_rnn_state(2, 3)
            >>> rnn.to_numpy(H)
            array([[0., 0., 0.],
                   [0., 0., 0.]], dtype=float32)
        """

    @staticmethod
    def trainable(
        arrays: Sequence[Array], *, dtype: str = "float32", device: Device = None
    ) -> Params:
        """Convert NumPy arrays to parameters, for which the framework can compute gradients.

        Args:
            arrays: the values, one array per parameter.
            dtype: "float32" or "float64".
            device: where to store the parameters; None is the framework's default.

        Returns:
            A list of tensors, in the order of the arrays.

        Examples:
            >>> import numpy as np
            >>> W, b = rnn.trainable([np.ones((2, 3)), np.zeros(3)])
            >>> tuple(W.shape), tuple(b.shape)
            ((2, 3), (3,))
        """

    @staticmethod
    def one_hot(
        tokens: Any, vocab_size: int, *, dtype: str = "float32", device: Device = None
    ) -> Tensor:
        """Encode token ids as one-hot rows.

        Args:
            tokens: ids in 0..V-1, of any shape S; they are checked before the framework uses them.
            vocab_size: V, 1 or above.
            dtype: "float32" or "float64".
            device: where to store the result; None is the framework's default.

        Returns:
            A tensor of shape S + (V,).

        Raises:
            ValueError: an id is not an integer, or is outside 0..V-1.

        Source: section 9.5, One-Hot Encoding.

        Examples:
            >>> rnn.to_numpy(rnn.one_hot([0, 2], 3)).tolist()
            [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
        """

    @staticmethod
    def embedding(tokens: Any, table: Tensor) -> Tensor:
        """Return the row of a table for each token id, which equals one_hot(tokens, V) @ table.

        Args:
            tokens: ids in 0..V-1, of any shape S; they are checked.
            table: (V, d). The gradient of a row is the sum over the tokens that selected it.

        Returns:
            A tensor of shape S + (d,).

        Raises:
            ValueError: an id is not an integer or is outside 0..V-1, or the table is not a tensor
                of this framework with two axes.

        Source: section 15.1 (word embedding).

        Examples:
            >>> table = rnn.from_numpy([[0, 1], [2, 3], [4, 5]], dtype="float32")
            >>> rnn.to_numpy(rnn.embedding([2, 0], table)).tolist()
            [[4.0, 5.0], [0.0, 1.0]]
        """
