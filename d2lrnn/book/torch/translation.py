"""Translation from English to French in PyTorch (sections 10.5 to 10.7)."""

import sys

import torch
from torch import nn

from . import translators
from .translators import Decoder as Decoder
from .translators import Encoder

d2l = sys.modules[__package__]


class EncoderDecoder(translators.EncoderDecoder):
    """An encoder and a decoder that are trained together."""

    predict_step = torch.no_grad()(translators.EncoderDecoder.predict_step)


def init_seq2seq(module):
    """Initialize the weights of a linear layer or a GRU as Glorot and Bengio (2010) do."""
    if isinstance(module, nn.Linear) and not isinstance(module, nn.LazyLinear):
        nn.init.xavier_uniform_(module.weight)
    if isinstance(module, nn.GRU):
        for name, weight in module.named_parameters():
            if "weight" in name:
                nn.init.xavier_uniform_(weight)


class Seq2SeqEncoder(Encoder):
    """An encoder of an embedding and a deep GRU.

    Args:
        vocab_size, embed_size: the number of tokens; the length of their vectors.
        num_hiddens, num_layers, dropout: of the GRU.
    """

    def __init__(self, vocab_size, embed_size, num_hiddens, num_layers, dropout=0):
        """Make the layers and initialize their weights."""
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.rnn = d2l.GRU(embed_size, num_hiddens, num_layers, dropout)
        self.apply(d2l.init_seq2seq)

    def forward(self, X, *args):
        """Return the last layer's states (num_steps, n, h), and all last states (layers, n, h)."""
        return self.rnn(self.embedding(d2l.astype(d2l.transpose(X), d2l.int64)))


class Seq2Seq(translators.Seq2Seq, EncoderDecoder):
    """An encoder and a decoder, trained without the padding.

    Args:
        encoder, decoder: the two.
        tgt_pad: the id of the padding of the targets.
        lr: the learning rate of Adam.
    """

    def configure_optimizers(self):
        """Return the optimizer: Adam."""
        return torch.optim.Adam(self.parameters(), lr=self.lr)
