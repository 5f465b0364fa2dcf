"""The frameworks' own layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from d2lrnn.interface.aliases import Device

if TYPE_CHECKING:
    from d2lrnn.nets.model import Model as Net


class Layers(Protocol):
    """The frameworks' own layers: in every backend except numpy."""

    @staticmethod
    def RNN(
        num_inputs: int,
        num_hiddens: int,
        num_layers: int = 1,
        bidirectional: bool = False,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Device = None,
    ) -> Any:
        """Return the framework's own recurrent layer, for RNNModel.

        It is torch.nn.RNN, keras.layers.SimpleRNN, flax.nnx.RNN of a SimpleCell, or gluon.rnn.RNN,
        with the weights that the framework draws.

        Args:
            num_inputs: d, 1 or above; the size of the vocabulary in a language model.
            num_hiddens: h, 1 or above.
            num_layers: 1 or above.
            bidirectional: whether each layer also runs from the last step to the first.
            seed: an integer to draw the same weights again, or None.
            dtype: "float32" or "float64".
            device: where to store the weights; None is the framework's default.

        Returns:
            The layer, or a list of layers if the framework does not have deep layers.

        Source: section 9.6.

        Examples:
            >>> net = rnn.RNNModel(rnn.RNN(5, 4, seed=0), 5, seed=0)
            >>> outputs, state = net(rnn.from_numpy([[0, 1, 2]]), net.begin_state(1))
            >>> tuple(outputs.shape)
            (3, 5)
        """

    @staticmethod
    def GRU(
        num_inputs: int,
        num_hiddens: int,
        num_layers: int = 1,
        bidirectional: bool = False,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Device = None,
    ) -> Any:
        """Return the framework's own GRU, which computes gru_reset_after, for RNNModel.

        Args:
            num_inputs: d, 1 or above; the size of the vocabulary in a language model.
            num_hiddens: h, 1 or above.
            num_layers: 1 or above.
            bidirectional: whether each layer also runs from the last step to the first.
            seed: an integer to draw the same weights again, or None.
            dtype: "float32" or "float64".
            device: where to store the weights; None is the framework's default.

        Returns:
            The layer, or a list of layers if the framework does not have deep layers.

        Source: section 10.2.

        Examples:
            >>> net = rnn.RNNModel(rnn.GRU(5, 4, num_layers=2, seed=0), 5, seed=0)
            >>> net.architecture.cell, net.architecture.num_layers
            ('gru_reset_after', 2)
        """

    @staticmethod
    def LSTM(
        num_inputs: int,
        num_hiddens: int,
        num_layers: int = 1,
        bidirectional: bool = False,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Device = None,
    ) -> Any:
        """Return the framework's own LSTM, for RNNModel.

        Args:
            num_inputs: d, 1 or above; the size of the vocabulary in a language model.
            num_hiddens: h, 1 or above.
            num_layers: 1 or above.
            bidirectional: whether each layer also runs from the last step to the first.
            seed: an integer to draw the same weights again, or None.
            dtype: "float32" or "float64".
            device: where to store the weights; None is the framework's default.

        Returns:
            The layer, or a list of layers if the framework does not have deep layers.

        Source: section 10.1.

        Examples:
            >>> net = rnn.RNNModel(rnn.LSTM(5, 4, bidirectional=True, seed=0), 5, seed=0)
            >>> net.architecture.cell, net.bidirectional
            ('lstm', True)
        """

    @staticmethod
    def RNNModel(
        rnn_layer: Any, vocab_size: int, *, seed: int | None = None, device: Device = None
    ) -> Net:
        """A language model around a layer that RNN, GRU or LSTM returned.

        It is called, trained and sampled in the same way as RNNModelScratch; its optimizer is the
        framework's.

        Args:
            rnn_layer: from RNN, GRU or LSTM.
            vocab_size: V, the num_inputs of the layer.
            seed: an integer to draw the same output layer again, or None.
            device: where to store the parameters; None is the framework's default.

        Returns:
            A model: ``net(X, state)`` takes token ids (n, T) and returns scores (T * n, V) and the
            new state.

        Source: section 9.6.

        Examples:
            >>> net = rnn.RNNModel(rnn.LSTM(5, 4, seed=0), 5, seed=0)
            >>> rnn.predict_ch8("ab", 0, net, rnn.Vocab("abcd"))
            'ab'
            >>> [array.shape for array in net.arrays()[-2:]]  # those of the output layer
            [(4, 5), (5,)]
        """


class ScanLayers(Protocol):
    """Layers that compute all time steps at once: in tensorflow and jax, which have a scan."""

    @staticmethod
    def MinGRU(
        num_inputs: int,
        num_hiddens: int,
        num_layers: int = 1,
        bidirectional: bool = False,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Device = None,
    ) -> Any:
        """Return a layer that computes mingru with the framework's own scan, for RNNModel.

        The scan is keras.ops.associative_scan or jax.lax.associative_scan. The other frameworks do
        not have a public scan; there, ``RNNModelScratch`` with mingru_scan computes the same.

        Args:
            num_inputs: d, 1 or above; the size of the vocabulary in a language model.
            num_hiddens: h, 1 or above.
            num_layers: 1 or above.
            bidirectional: whether each layer also runs from the last step to the first.
            seed: an integer to draw the same weights again, or None.
            dtype: "float32" or "float64".
            device: where to store the weights; None is the framework's default.

        Returns:
            The layer, or a list of layers.

        Source: Feng et al., 2024 (arXiv 2410.01201).

        Examples:
            >>> net = rnn.RNNModel(rnn.MinGRU(5, 4, seed=0), 5, seed=0)
            >>> net.architecture.cell
            'mingru'
        """
