"""Encoders, decoders and attention of edition 1.0 (sections 10.6, 10.7, 11.3 and 11.4)."""

from __future__ import annotations

import sys
from typing import Any

from . import coders, generation, operations, weighting
from .framework import CALLED
from .models import Classifier

d2l = sys.modules[__package__]


class Encoder(coders.Encoder):
    """The base class of encoders, which read a sequence."""

    def __init__(self) -> None:
        """Make an encoder without layers."""
        super().__init__()


class Decoder(coders.Decoder):
    """The base class of decoders, which generate a sequence."""

    def __init__(self) -> None:
        """Make a decoder without layers."""
        super().__init__()

    def init_state(self, enc_all_outputs: Any, *args: Any) -> Any:
        """Return the first state, from the outputs of the encoder; defined by each decoder."""
        return super().init_state(enc_all_outputs, *args)


class AttentionDecoder(Decoder):
    """The base class of decoders with attention, which have ``attention_weights``."""

    attention_weights = coders.AttentionDecoder.attention_weights


class DotProductAttention(weighting.DotProductAttention):
    """Attention with the scores q k / sqrt(d), for queries q and keys k of size d."""

    def __init__(self, dropout: float) -> None:
        """Take the share of the weights that dropout sets to zero in training, from 0 to 1."""
        super().__init__(dropout)


class EncoderDecoder(Classifier):
    """An encoder and a decoder that are trained together."""

    def __init__(self, encoder: Any, decoder: Any) -> None:
        """Store the two."""
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, enc_X: Any, dec_X: Any, *args: Any) -> Any:
        """Return the scores of the decoder for dec_X, after the encoder has read enc_X."""
        enc_all_outputs = self.encoder(enc_X, *args, **operations.TRAINING)
        dec_state = self.decoder.init_state(enc_all_outputs, *args)
        return self.decoder(dec_X, dec_state, **operations.TRAINING)[0]

    @operations.without_gradients
    def predict_step(
        self, batch: Any, device: Any, num_steps: int, save_attention_weights: bool = False
    ) -> tuple[Any, list[Any]]:
        """Return the most probable ids (n, num_steps), one by one, and attention weights.

        Args:
            batch: (source, target, source lengths, ...); of the target only the first column.
            device: the device of the computation; TensorFlow uses that of a ``with`` block.
            num_steps: how many tokens to generate.
            save_attention_weights: collect the decoder's ``attention_weights`` of each step.
        """
        src, tgt, src_valid_len, *_ = (operations.to_device(tensor, device) for tensor in batch)
        enc_all_outputs = self.encoder(src, src_valid_len, **operations.EVALUATION)
        state = self.decoder.init_state(enc_all_outputs, src_valid_len)

        def step(X: Any, state: Any) -> Any:
            return self.decoder(X, state, **operations.EVALUATION)

        weights = (lambda: self.decoder.attention_weights) if save_attention_weights else None
        return generation.decode(step, tgt[:, 0], state, num_steps, weights)


setattr(EncoderDecoder, CALLED, EncoderDecoder.forward)  # a method with these arguments


class Seq2SeqEncoder(Encoder):
    """An encoder of an embedding and a deep GRU.

    Args:
        vocab_size, embed_size: the number of tokens; the length of their vectors.
        num_hiddens, num_layers, dropout: of the GRU.
    """

    def __init__(
        self,
        vocab_size: int,
        embed_size: int,
        num_hiddens: int,
        num_layers: int,
        dropout: float = 0,
    ) -> None:
        """Make the layers and initialize their weights, in PyTorch and MXNet by Xavier's method."""
        super().__init__()
        self.embedding = operations.embedding(vocab_size, embed_size)
        sizes = (embed_size, num_hiddens) if operations.WITH_INPUT_SIZES else (num_hiddens,)
        self.rnn = d2l.GRU(*sizes, num_layers, dropout)
        operations.initialize_encoder(self)

    def forward(self, X: Any, *args: Any) -> Any:
        """Return the last layer's states (num_steps, n, h), and the last states of all layers.

        These are a tensor (num_layers, n, h), in TensorFlow a list of tensors (n, h).
        """
        return self.rnn(self.embedding(operations.time_major(X)))


class Seq2Seq(EncoderDecoder):
    """An encoder and a decoder, trained without the padding.

    Args:
        encoder, decoder: the two.
        tgt_pad: the id of the padding of the targets.
        lr: the learning rate of Adam.
    """

    def __init__(self, encoder: Any, decoder: Any, tgt_pad: int, lr: float) -> None:
        """Store the two, and the settings."""
        super().__init__(encoder, decoder)
        self.save_hyperparameters()

    def loss(self, Y_hat: Any, Y: Any) -> Any:  # type: ignore[override]  # the book's arguments
        """Return the mean cross-entropy of the targets that are not padding."""
        losses = super().loss(Y_hat, Y, averaged=False)
        mask = d2l.astype(d2l.reshape(Y, -1) != self.tgt_pad, d2l.float32)
        return d2l.reduce_sum(losses * mask) / d2l.reduce_sum(mask)

    def configure_optimizers(self) -> Any:
        """Return the optimizer: Adam with the learning rate ``lr``."""
        return operations.optimizer("Adam", self)

    def validation_step(self, batch: Any) -> None:
        """Plot the loss of a validation minibatch."""
        self.plot("loss", self.loss(self(*batch[:-1]), batch[-1]), train=False)
