"""An encoder, and the training of encoders and decoders, in PyTorch (section 9.7)."""

import functools
import sys

import torch
from torch import nn

from . import framework, training
from .coders import Encoder

d2l = sys.modules[__package__]


class Seq2SeqEncoder(Encoder):
    """An encoder of an embedding and a GRU."""

    def __init__(self, vocab_size, embed_size, num_hiddens, num_layers, dropout=0, **kwargs):
        """Make the layers."""
        super().__init__(**kwargs)
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.rnn = nn.GRU(embed_size, num_hiddens, num_layers, dropout=dropout)

    def forward(self, X, *args):
        """Return outputs (T, n, h) and state (layers, n, h) for ids X (n, T)."""
        return self.rnn(self.embedding(X).permute(1, 0, 2))


def sequence_mask(X, valid_len, value=0):
    """Set the steps after the valid length of each row of X (n, T) to value, in place; return X."""
    steps = torch.arange(X.shape[1], device=X.device)
    X[steps[None, :] >= valid_len[:, None]] = value
    return X


class MaskedSoftmaxCELoss(nn.CrossEntropyLoss):
    """The cross-entropy (n,) of scores (n, T, V) and labels (n, T), without the padding.

    The loss of a row is the sum over its valid steps, divided by T.
    """

    def forward(self, pred, label, valid_len):
        """Return the loss of each row."""
        self.reduction = "none"
        losses = super().forward(pred.permute(0, 2, 1), label)  # (n, T)
        return (losses * d2l.sequence_mask(torch.ones_like(losses), valid_len)).mean(dim=1)


def train_seq2seq(net, data_iter, lr, num_epochs, tgt_vocab, device):
    """Train an encoder and a decoder with Adam and teacher forcing, clipped at 1."""
    net.apply(framework.init_seq2seq)
    net.to(device).train()
    optimizer, loss = torch.optim.Adam(net.parameters(), lr=lr), d2l.MaskedSoftmaxCELoss()
    bos = tgt_vocab["<bos>"]

    def step(batch):
        X, X_valid_len, Y, Y_valid_len = [tensor.to(device) for tensor in batch]
        first = torch.full_like(Y[:, :1], bos)
        Y_hat, _ = net(X, d2l.concat([first, Y[:, :-1]], 1), X_valid_len)
        total = loss(Y_hat, Y, Y_valid_len).sum()
        optimizer.zero_grad()
        total.backward()
        d2l.grad_clipping(net, 1)
        optimizer.step()
        return total.detach(), Y_valid_len.sum()

    training.train_pairs(step, data_iter, num_epochs, device)


@torch.no_grad()
def predict_seq2seq(
    net, src_sentence, src_vocab, tgt_vocab, num_steps, device, save_attention_weights=False
):
    """Return the translation of a sentence, and a list of attention weights, one for each step."""
    net.eval()
    tensor = functools.partial(torch.tensor, device=device)
    sizes = num_steps, save_attention_weights
    return training.translate(net, src_sentence, src_vocab, tgt_vocab, *sizes, tensor)
