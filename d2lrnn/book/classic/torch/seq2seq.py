"""Encoder and decoder, their training and translations, in PyTorch (sections 9.5 to 9.7)."""

import sys

import torch
from torch import nn

from d2lrnn import checks

from . import training

d2l = sys.modules[__package__]


class Encoder(nn.Module):
    """What an encoder is: forward(X, *args) returns what the decoder begins with."""

    def __init__(self, **kwargs):
        """Pass on what PyTorch takes."""
        super().__init__(**kwargs)

    def forward(self, X, *args):
        """Encode X; to be written by a subclass."""
        raise NotImplementedError


class Decoder(nn.Module):
    """What a decoder is: init_state(enc_outputs), then forward(X, state)."""

    def __init__(self, **kwargs):
        """Pass on what PyTorch takes."""
        super().__init__(**kwargs)

    def init_state(self, enc_outputs, *args):
        """Return the first state; to be written by a subclass."""
        raise NotImplementedError

    def forward(self, X, state):
        """Return scores and the new state; to be written by a subclass."""
        raise NotImplementedError


class AttentionDecoder(Decoder):
    """What a decoder with attention is: one that has ``attention_weights`` (section 10.4)."""

    def __init__(self, **kwargs):
        """Pass on what PyTorch takes."""
        super().__init__(**kwargs)

    @property
    def attention_weights(self):
        """The weights of each step; to be written by a subclass."""
        raise NotImplementedError


class EncoderDecoder(nn.Module):
    """An encoder whose outputs a decoder begins with."""

    def __init__(self, encoder, decoder, **kwargs):
        """Join the two."""
        super().__init__(**kwargs)
        self.encoder, self.decoder = encoder, decoder

    def forward(self, enc_X, dec_X, *args):
        """Return what the decoder makes of dec_X, after enc_X."""
        state = self.decoder.init_state(self.encoder(enc_X, *args), *args)
        return self.decoder(dec_X, state)


class Seq2SeqEncoder(Encoder):
    """An embedding and a GRU."""

    def __init__(self, vocab_size, embed_size, num_hiddens, num_layers, dropout=0, **kwargs):
        """Make both."""
        super().__init__(**kwargs)
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.rnn = nn.GRU(embed_size, num_hiddens, num_layers, dropout=dropout)

    def forward(self, X, *args):
        """Return outputs (T, n, h) and state (layers, n, h) for ids X (n, T)."""
        return self.rnn(self.embedding(X).permute(1, 0, 2))


def sequence_mask(X, valid_len, value=0):
    """Set, in place, what lies behind the valid length of each row of X; return X."""
    steps = torch.arange(X.shape[1], device=X.device)
    X[steps[None, :] >= valid_len[:, None]] = value
    return X


class MaskedSoftmaxCELoss(nn.CrossEntropyLoss):
    """Cross-entropy (n,) of scores (n, T, V) and labels (n, T), padding not counted.

    Each is the sum over the valid steps, divided by T.
    """

    def forward(self, pred, label, valid_len):
        """Return the loss of each row."""
        self.reduction = "none"
        losses = super().forward(pred.permute(0, 2, 1), label)  # (n, T)
        return (losses * d2l.sequence_mask(torch.ones_like(losses), valid_len)).mean(dim=1)


def xavier(module):
    """Draw the weights of a linear layer or a GRU as Glorot and Bengio do."""
    if type(module) in (nn.Linear, nn.GRU):
        for name, param in module.named_parameters():
            if "weight" in name:
                nn.init.xavier_uniform_(param)


def train_seq2seq(net, data_iter, lr, num_epochs, tgt_vocab, device):
    """Train an encoder and a decoder with Adam and teacher forcing, clipped at 1."""
    net.apply(xavier)
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
    """Return the translation of a sentence, the likeliest word each time; and attention weights."""
    net.eval()
    checks.size(num_steps=num_steps)
    tokens = [*src_vocab[src_sentence.lower().split(" ")], src_vocab["<eos>"]]
    valid_len = torch.tensor([len(tokens)], device=device)
    tokens = d2l.truncate_pad(tokens, num_steps, src_vocab["<pad>"])
    enc_outputs = net.encoder(torch.tensor([tokens], device=device), valid_len)
    state = net.decoder.init_state(enc_outputs, valid_len)
    index, said, weights = tgt_vocab["<bos>"], [], []
    for _ in range(num_steps):
        Y, state = net.decoder(torch.tensor([[index]], device=device), state)
        index = int(Y.argmax(dim=2))
        if save_attention_weights:
            weights.append(net.decoder.attention_weights)
        if index == tgt_vocab["<eos>"]:
            break
        said.append(index)
    return " ".join(tgt_vocab.to_tokens(said)), weights
