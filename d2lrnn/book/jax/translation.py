"""Translation from English to French in JAX (sections 10.5 to 10.7)."""

import sys
from functools import partial

import jax
import optax
from flax import linen as nn
from jax import numpy as jnp

from d2lrnn.book.jax import generation
from d2lrnn.book.jax.former import FormerCells
from d2lrnn.book.jax.models import Classifier

d2l = sys.modules[__package__]


class Coder(FormerCells, nn.Module):
    """The base class of encoders and decoders."""

    def setup(self):
        """Make the layers; defined by each of them."""
        raise NotImplementedError(f"{type(self).__name__} needs a method setup(self)")


class Encoder(Coder):
    """The base class of encoders, which read a sequence."""

    def __call__(self, X, *args):
        """Return the outputs for the decoder; defined by each encoder."""
        raise NotImplementedError(f"{type(self).__name__} needs a method __call__(self, X, *args)")


class Decoder(Coder):
    """The base class of decoders, which generate a sequence."""

    def init_state(self, enc_all_outputs, *args):
        """Return the first state, from the outputs of the encoder; defined by each decoder."""
        raise NotImplementedError(f"{type(self).__name__} needs init_state(self, outputs, *args)")

    def __call__(self, X, state):
        """Return the scores and the state after X; defined by each decoder."""
        raise NotImplementedError(f"{type(self).__name__} needs a method __call__(self, X, state)")


class EncoderDecoder(Classifier):
    """An encoder and a decoder that are trained together."""

    encoder: nn.Module
    decoder: nn.Module
    training: bool

    def __call__(self, enc_X, dec_X, *args):
        """Return the scores of the decoder for dec_X, after the encoder has read enc_X."""
        enc_all_outputs = self.encoder(enc_X, *args, training=self.training)
        dec_state = self.decoder.init_state(enc_all_outputs, *args)
        return self.decoder(dec_X, dec_state, training=self.training)[0]

    def predict_step(self, params, batch, num_steps, save_attention_weights=False):
        """Return the most probable ids (n, num_steps), one by one, and attention weights.

        Args:
            params: of the state of a trainer, ``trainer.state.params``.
            batch: (source, target, source lengths, ...); of the target only the first column.
            num_steps: how many tokens to generate.
            save_attention_weights: collect the weights that encoder and decoder ``sow``.
        """
        src, tgt, src_valid_len, *_ = batch
        outputs, sown = _apply(self.encoder, params["encoder"], src, src_valid_len)
        enc_weights = _weights(sown, "enc") if save_attention_weights and sown else []
        state = self.decoder.init_state(outputs, src_valid_len)

        def step(X, state):
            nonlocal sown
            result, sown = _apply(self.decoder, params["decoder"], X, state)
            return result

        weights = (lambda: _weights(sown, "dec")) if save_attention_weights else None
        ids, dec_weights = generation.decode(step, tgt[:, 0], state, num_steps, weights)
        return ids, (dec_weights, enc_weights)


def _apply(module, params, *inputs):
    """Return the outputs of a module without dropout, and what it has sown."""
    return module.apply({"params": params}, *inputs, training=False, mutable="intermediates")


def _weights(sown, whose):
    return sown["intermediates"][f"{whose}_attention_weights"][0]


class Seq2SeqEncoder(Encoder):
    """An encoder of an embedding and a deep GRU.

    Args:
        vocab_size, embed_size: the number of tokens; the length of their vectors.
        num_hiddens, num_layers, dropout: of the GRU.
    """

    vocab_size: int
    embed_size: int
    num_hiddens: int
    num_layers: int
    dropout: float = 0

    def setup(self):
        """Make the layers."""
        self.embedding = nn.Embed(self.vocab_size, self.embed_size)
        self.rnn = d2l.GRU(self.num_hiddens, self.num_layers, self.dropout)

    def __call__(self, X, *args, training=False):
        """Return the last layer's states (num_steps, n, h), and all last states (layers, n, h)."""
        return self.rnn(self.embedding(d2l.astype(d2l.transpose(X), d2l.int32)), training=training)


class Seq2Seq(EncoderDecoder):
    """An encoder and a decoder, trained without the padding.

    Args:
        encoder, decoder: the two.
        training: whether dropout is used; the trainer sets it.
        tgt_pad: the id of the padding of the targets.
        lr: the learning rate of Adam.
    """

    encoder: nn.Module
    decoder: nn.Module
    tgt_pad: int
    lr: float

    @partial(jax.jit, static_argnums=(0, 5))
    def loss(self, params, X, Y, state, averaged=False):
        """Return the mean cross-entropy of the targets that are not padding, and {}."""
        rngs = {"dropout": state.dropout_rng}
        Y_hat, Y = state.apply_fn({"params": params}, *X, rngs=rngs), Y.reshape(-1)
        rows = Y_hat.reshape(-1, Y_hat.shape[-1])
        losses = optax.softmax_cross_entropy_with_integer_labels(rows, Y)
        mask = (self.tgt_pad != Y).astype(jnp.float32)
        return (losses * mask).sum() / mask.sum(), {}

    def validation_step(self, params, batch, state):
        """Plot the loss of a validation minibatch."""
        l, _ = self.loss(params, tuple(batch[:-1]), batch[-1], state)
        self.plot("loss", l, train=False)

    def configure_optimizers(self):
        """Return the optimizer: Adam."""
        return optax.adam(self.lr)
