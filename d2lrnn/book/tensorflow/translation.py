"""Translation from English to French in TensorFlow (sections 10.5 to 10.7)."""

import sys

from d2lrnn.book.tensorflow import translators
from d2lrnn.book.tensorflow.framework import keras

d2l = sys.modules[__package__]


class Encoder(translators.Encoder):
    """The base class of encoders, which read a sequence."""

    call = translators.Encoder.forward


class Decoder(translators.Decoder):
    """The base class of decoders, which generate a sequence."""

    call = translators.Decoder.forward


class EncoderDecoder(translators.EncoderDecoder):
    """An encoder and a decoder that are trained together."""

    call = translators.EncoderDecoder.forward


class Seq2SeqEncoder(Encoder):
    """An encoder of an embedding and a deep GRU.

    Args:
        vocab_size, embed_size: the number of tokens; the length of their vectors.
        num_hiddens, num_layers, dropout: of the GRU.
    """

    def __init__(self, vocab_size, embed_size, num_hiddens, num_layers, dropout=0):
        """Make the layers, with Keras' initial weights."""
        super().__init__()
        self.embedding = keras.layers.Embedding(vocab_size, embed_size)
        self.rnn = d2l.GRU(num_hiddens, num_layers, dropout)

    def call(self, X, *args):
        """Return the last layer's states (num_steps, n, h), and a list of all last states."""
        outputs, state = self.rnn(self.embedding(d2l.transpose(X)))
        return outputs, state


class Seq2Seq(translators.Seq2Seq, EncoderDecoder):
    """An encoder and a decoder, trained without the padding.

    Args:
        encoder, decoder: the two.
        tgt_pad: the id of the padding of the targets.
        lr: the learning rate of Adam.
    """

    def configure_optimizers(self):
        """Return the optimizer: Adam."""
        return keras.optimizers.Adam(self.lr)
