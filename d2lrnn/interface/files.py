"""Processes that train together, and files of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from d2lrnn.interface.aliases import Device, StrPath

if TYPE_CHECKING:
    from d2lrnn.data.text import Vocab
    from d2lrnn.nets import language_model
    from d2lrnn.nets.group import Group


class Files(Protocol):
    """Processes that train together, and files of models."""

    @staticmethod
    def processes() -> Group:
        """Return the group of processes that train one network together.

        Returns:
            A group with ``rank``, the number of this process, and ``size``, the number of
            processes: 0 and 1 if this process was started alone. If several were started, by
            ``d2lrnn launch`` or by the framework's own launcher, train_ch8 and train_sequences give
            each process a share of the rows of every minibatch and compute the numbers of one
            process; only rank 0 prints, saves and generates text.

        Raises:
            ImportError: a package that the backend needs for several processes is not installed.

        Examples:
            >>> group = rnn.processes()
            >>> group.rank, group.size
            (0, 1)
        """

    @staticmethod
    def load_model(
        path: StrPath, *, cell: Any = None, device: Device = None
    ) -> tuple[language_model.RNNModelScratch, Vocab]:
        """Load a network and its vocabulary from a file that any backend saved.

        Args:
            path: a file that save_model or ``d2lrnn train --out`` wrote.
            cell: the result of new_cell, if the file holds a net of a custom cell, or the three
                functions (get_params, init_state, forward_fn) of the net, if they are custom: the
                file stores parameters, but not functions.
            device: where to store the parameters; None is the framework's default.

        Returns:
            (net, vocab).

        Raises:
            CheckpointError: a ValueError; the file is not a model of d2lrnn, or is damaged, or its
                custom cell is not the argument cell.
            OSError: the file cannot be read.

        Examples:
            >>> net = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
            >>> rnn.save_model("letters.safetensors", net, rnn.Vocab("abcd"))
            >>> net, vocab = rnn.load_model("letters.safetensors")
            >>> net.num_hiddens, vocab.to_tokens([1, 2, 3, 4])
            (4, ['a', 'b', 'c', 'd'])
        """
