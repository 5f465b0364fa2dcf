"""Encoder-decoder networks, which generate a sequence from another one, by beam search.

Source: the book's sections 10.7 and 10.8.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.data.padding import lengths, rectangle
from d2lrnn.nets import classifiers, kinds, regressor
from d2lrnn.nets.beam import Beam
from d2lrnn.nets.coders import DecoderScratch, EncoderScratch
from d2lrnn.nets.ops import Ops
from d2lrnn.nets.sequence_net import Array, SequenceNet


class EncoderDecoderScratch(SequenceNet):
    """A network that generates a sequence from another one, possibly of another length.

    ``net.make_step(lr)`` returns step(X, Y, valid=None, y_valid=None). X and Y are token ids:
    padded arrays or lists of sequences. valid and y_valid distinguish X and Y from padding, as for
    SequenceClassifierScratch.

    Args:
        encoder: an EncoderScratch.
        decoder: a DecoderScratch with the same cell, number of layers and number of hidden units.
            Its context is the encoder's last hidden state, so num_context equals num_hiddens.

    Source: the book's section 10.7; Sutskever, Vinyals and Le, 2014; Cho et al., 2014.

    Examples:
        >>> encoder = rnn.EncoderScratch(5, 4, seed=0)
        >>> net = rnn.EncoderDecoderScratch(encoder, rnn.DecoderScratch(6, 4, 4, seed=0))
        >>> step = net.make_step(0.1)
        >>> first, *_, last = [step([[1, 2, 3]], [[1, 2]]) for _ in range(100)]
        >>> last < first
        True
    """

    sizes = ("num_hiddens",)

    def __init__(self, encoder: EncoderScratch, decoder: DecoderScratch) -> None:
        """Combine the two, whose parameters are not copied."""
        order = "the order is EncoderDecoderScratch(encoder, decoder)"
        kinds.instance(EncoderScratch, order, encoder=encoder)
        kinds.instance(DecoderScratch, order, decoder=decoder)
        first, second = (
            (part.architecture, part.num_hiddens, part.dtype) for part in (encoder, decoder)
        )
        if first != second or decoder.num_context != encoder.num_hiddens:
            raise ValueError(
                f"the encoder is {first}, the decoder {second} with {decoder.num_context} context "
                f"features; expected the same for both, and {encoder.num_hiddens} context features"
            )
        self.encoder, self.decoder = encoder, decoder
        self.architecture, self.dtype, self.device = first[0], encoder.dtype, encoder.device
        self.network, self.loss = decoder.joint, decoder.loss

    @property
    def params(self) -> Any:
        """The encoder's parameters and the decoder's."""
        return [*self.encoder.params, *self.decoder.params]

    @params.setter
    def params(self, params: Sequence[Any]) -> None:
        self.encoder.params, self.decoder.params = self.architecture.split(params)

    def minibatch(
        self, X: Any, Y: Any, valid: Any = None, y_valid: Any = None
    ) -> tuple[Any, Any, Array]:
        """Return the source, and the decoder's inputs, targets and weights."""
        if y_valid is None and isinstance(Y, (list, tuple)):
            y_valid = lengths("Y", Y)
        before, targets, weights = self.decoder.teacher(Y, y_valid)
        inputs = self.encoder.inputs(X, valid)
        checks.same_length([inputs[0].shape[1], before.shape[1]], 1)
        return (*inputs, self.tensor(before)), targets, weights

    def predict(
        self, X: Any, valid: Any = None, *, end: int, num_steps: int, beam_size: int = 1
    ) -> list[list[int]]:
        """Generate a sequence for each sequence of X by beam search.

        Args:
            X: sequences, as for a step.
            valid: the lengths or the mask that distinguish X from padding, as for a step.
            end: the id of the token that ends a sequence.
            num_steps: the largest number of tokens to generate, including the end.
            beam_size: the number of most probable unfinished sequences to keep at each step; 1
                takes the most probable token each time.

        Returns:
            For each sequence of X, the token ids of the candidate with the highest score, without
            the end. Candidates are the sequences that have ended and those of num_steps tokens. The
            score is the log-probability divided by length ** 0.75, where the length includes the
            end. The search stops when no unfinished sequence can reach a higher score; its result
            for a sequence does not depend on the other sequences of X.

        Source: the book's section 10.8.
        """
        checks.size(num_steps=num_steps, beam_size=beam_size)
        state = self.encoder(X, valid)
        beam = Beam(self.decoder, state, beam_size, end)
        for _ in range(num_steps):
            beam.advance()
            if beam.is_finished(num_steps):
                break
        return [best[0].tokens if best else [] for best in beam.finish()]

    def score(self, X: Any, Y: Any, valid: Any = None, y_valid: Any = None) -> float:
        """Return the share of sequences that predict generates exactly as in Y.

        The last token of each sequence of Y must be the end token.
        """
        if y_valid is None and isinstance(Y, (list, tuple)):
            y_valid = lengths("Y", Y)
        ids = rectangle(self._as_arrays(Y))
        checks.axes("Y", ids.shape, "(batch_size, num_steps)")
        sizes = [ids.shape[1]] * len(ids) if y_valid is None else list(y_valid)
        truth = [list(row[:length]) for row, length in zip(ids, sizes, strict=True)]
        ends = {int(row[-1]) for row in truth}
        if len(ends) != 1:
            raise ValueError(f"the sequences of Y end in {sorted(ends)}; expected one end token")
        results = self.predict(X, valid, end=ends.pop(), num_steps=max(sizes))
        checks.same_length([len(results), len(truth)], 1)
        return float(np.mean([result == row[:-1] for result, row in zip(results, truth)]))


NETS: tuple[type[SequenceNet], ...] = (
    classifiers.SequenceClassifierScratch,
    classifiers.SequenceTaggerScratch,
    regressor.SequenceRegressorScratch,
    EncoderScratch,
    DecoderScratch,
    EncoderDecoderScratch,
)


def for_backend(ops: Ops) -> dict[str, type[SequenceNet]]:
    """Return, by name, subclasses of NETS that compute with a backend."""

    def subclass(net: type[SequenceNet]) -> type[SequenceNet]:
        names = {"ops": ops, "__module__": f"d2lrnn.{ops.name}", "__doc__": net.__doc__}
        return type(net.__name__, (net,), names)

    return {net.__name__: subclass(net) for net in NETS}
