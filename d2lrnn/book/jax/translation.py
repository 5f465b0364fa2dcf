"""The book's translation from English to French in JAX (sections 10.5 to 10.7)."""

import sys
from functools import partial

import jax
import optax
from flax import linen as nn
from jax import numpy as jnp

from d2lrnn import checks
from d2lrnn.book.jax import texts
from d2lrnn.book.jax.design import DataModule
from d2lrnn.book.jax.former import FormerCells
from d2lrnn.book.jax.models import Classifier

d2l = sys.modules[__package__]


class MTFraEng(texts.EnglishFrench, DataModule):
    """Sentences in English and French, as arrays of word ids of one length.

    Args:
        batch_size: rows of a minibatch.
        num_steps: words of a sentence; longer ones are cut, shorter ones padded.
        num_train, num_val: how many pairs there are to train with, and how many are held out.
    """

    def __init__(self, batch_size, num_steps=9, num_train=512, num_val=128):
        """Read the pairs of sentences and number their words."""
        DataModule.__init__(self)
        self.save_hyperparameters()
        made = self._build_arrays(self._download())
        self.arrays, self.src_vocab, self.tgt_vocab = made

    def get_dataloader(self, train):
        """Return the first num_train pairs to train with, or the others."""
        rows = slice(0, self.num_train) if train else slice(self.num_train, None)
        return self.get_tensorloader(self.arrays, train, rows)


class Encoder(FormerCells, nn.Module):
    """What reads a sequence: the base class of encoders."""

    def setup(self):
        """Make the layers; each encoder has its own."""
        raise NotImplementedError(f"{type(self).__name__} needs a method setup(self)")

    def __call__(self, X, *args):
        """Return what the decoder is to know of X; each encoder has its own."""
        raise NotImplementedError(f"{type(self).__name__} needs a method __call__(self, X, *args)")


class Decoder(FormerCells, nn.Module):
    """What writes a sequence: the base class of decoders."""

    def setup(self):
        """Make the layers; each decoder has its own."""
        raise NotImplementedError(f"{type(self).__name__} needs a method setup(self)")

    def init_state(self, enc_all_outputs, *args):
        """Return the first state, made of what the encoder returned; each decoder has its own."""
        raise NotImplementedError(f"{type(self).__name__} needs init_state(self, outputs, *args)")

    def __call__(self, X, state):
        """Return the scores and the state after X; each decoder has its own."""
        raise NotImplementedError(f"{type(self).__name__} needs a method __call__(self, X, state)")


class EncoderDecoder(Classifier):
    """An encoder and a decoder, trained as one."""

    encoder: nn.Module
    decoder: nn.Module
    training: bool

    def __call__(self, enc_X, dec_X, *args):
        """Return the decoder's scores for dec_X, after the encoder has read enc_X."""
        enc_all_outputs = self.encoder(enc_X, *args, training=self.training)
        dec_state = self.decoder.init_state(enc_all_outputs, *args)
        return self.decoder(dec_X, dec_state, training=self.training)[0]

    def predict_step(self, params, batch, num_steps, save_attention_weights=False):
        """Return the ids (n, num_steps) that seem likeliest one by one, and attention weights.

        Args:
            params: of a trainer's state, ``trainer.state.params``.
            batch: (source, target, source lengths, ...); of the target only the first column.
            num_steps: how many tokens to write.
            save_attention_weights: collect what encoder and decoder ``sow`` as theirs.
        """
        checks.size(num_steps=num_steps)
        src, tgt, src_valid_len, *_ = batch
        compute = partial(_computed, training=False)
        outputs, seen = compute(self.encoder, params["encoder"], src, src_valid_len)
        enc_weights = _weights(seen, "enc") if save_attention_weights and seen else []
        state = self.decoder.init_state(outputs, src_valid_len)
        written, dec_weights = [d2l.expand_dims(tgt[:, 0], 1)], []
        for _ in range(num_steps):
            (Y, state), seen = compute(self.decoder, params["decoder"], written[-1], state)
            written.append(d2l.argmax(Y, 2))
            if save_attention_weights:
                dec_weights.append(_weights(seen, "dec"))
        return d2l.concat(written[1:], 1), (dec_weights, enc_weights)


def _computed(module, params, *inputs, training):
    """Return what a module makes of its inputs, and what it has sown meanwhile."""
    return module.apply({"params": params}, *inputs, training=training, mutable="intermediates")


def _weights(seen, whose):
    return seen["intermediates"][f"{whose}_attention_weights"][0]


class Seq2SeqEncoder(Encoder):
    """An encoder made of an embedding and a deep GRU.

    Args:
        vocab_size, embed_size: how many tokens there are; the length of their vectors.
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
    """An encoder and a decoder, trained on what is no padding.

    Args:
        encoder, decoder: the two.
        training: whether dropout leaves anything out; the trainer sets it.
        tgt_pad: the id of the target's padding.
        lr: the learning rate of Adam.
    """

    encoder: nn.Module
    decoder: nn.Module
    tgt_pad: int
    lr: float

    @partial(jax.jit, static_argnums=(0, 5))
    def loss(self, params, X, Y, state, averaged=False):
        """Return the mean cross-entropy of the targets that are no padding, and {}."""
        rngs = {"dropout": state.dropout_rng}
        Y_hat, Y = state.apply_fn({"params": params}, *X, rngs=rngs), Y.reshape(-1)
        rows = Y_hat.reshape(-1, Y_hat.shape[-1])
        losses = optax.softmax_cross_entropy_with_integer_labels(rows, Y)
        mask = (self.tgt_pad != Y).astype(jnp.float32)
        return (losses * mask).sum() / mask.sum(), {}

    def validation_step(self, params, batch, state):
        """Plot the loss of a minibatch that was held out."""
        l, _ = self.loss(params, tuple(batch[:-1]), batch[-1], state)
        self.plot("loss", l, train=False)

    def configure_optimizers(self):
        """Return what makes the updates: Adam."""
        return optax.adam(self.lr)
