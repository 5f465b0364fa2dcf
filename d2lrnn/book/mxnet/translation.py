"""Translation from English to French in MXNet (sections 10.5 to 10.7)."""

import sys

from d2lrnn.book.mxnet import translators
from d2lrnn.book.mxnet.tensors import gluon, init, nn
from d2lrnn.book.mxnet.translators import Decoder as Decoder
from d2lrnn.book.mxnet.translators import Encoder
from d2lrnn.book.mxnet.translators import EncoderDecoder as EncoderDecoder

d2l = sys.modules[__package__]


class Seq2SeqEncoder(Encoder):
    """An encoder of an embedding and a deep GRU.

    Args:
        vocab_size, embed_size: the number of tokens; the length of their vectors.
        num_hiddens, num_layers, dropout: of the GRU.
    """

    def __init__(self, vocab_size, embed_size, num_hiddens, num_layers, dropout=0):
        """Make the layers and initialize their weights as Glorot and Bengio (2010) do."""
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.rnn = d2l.GRU(num_hiddens, num_layers, dropout)
        self.initialize(init.Xavier())

    def forward(self, X, *args):
        """Return the last layer's states (num_steps, n, h), and all last states (layers, n, h)."""
        return self.rnn(self.embedding(d2l.transpose(X)))


class Seq2Seq(translators.Seq2Seq):
    """An encoder and a decoder, trained without the padding.

    Args:
        encoder, decoder: the two.
        tgt_pad: the id of the padding of the targets.
        lr: the learning rate of Adam.
    """

    def configure_optimizers(self):
        """Return the optimizer: Adam."""
        return gluon.Trainer(self.parameters(), "adam", {"learning_rate": self.lr})
