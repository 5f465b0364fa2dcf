"""Encoder and decoder, their training and translations, in MXNet (sections 9.5 to 9.7)."""

import sys

from d2lrnn import checks
from d2lrnn.mxnet.framework import autograd, mxnet, np, npx

from . import training

d2l = sys.modules[__package__]
gluon = mxnet.gluon


class Encoder(gluon.nn.Block):
    """What an encoder is: forward(X, *args) returns what the decoder begins with."""

    def __init__(self, **kwargs):
        """Pass on what Gluon takes."""
        super().__init__(**kwargs)

    def forward(self, X, *args):
        """Encode X; to be written by a subclass."""
        raise NotImplementedError


class Decoder(gluon.nn.Block):
    """What a decoder is: init_state(enc_outputs), then forward(X, state)."""

    def __init__(self, **kwargs):
        """Pass on what Gluon takes."""
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
        """Pass on what Gluon takes."""
        super().__init__(**kwargs)

    @property
    def attention_weights(self):
        """The weights of each step; to be written by a subclass."""
        raise NotImplementedError


class EncoderDecoder(gluon.nn.Block):
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
        self.embedding = gluon.nn.Embedding(vocab_size, embed_size)
        self.rnn = gluon.rnn.GRU(num_hiddens, num_layers, dropout=dropout)

    def forward(self, X, *args):
        """Return outputs (T, n, h) and state, a list of one (layers, n, h), for ids X (n, T)."""
        X = self.embedding(X).swapaxes(0, 1)
        return self.rnn(X, self.rnn.begin_state(batch_size=X.shape[1], ctx=X.ctx))


class MaskedSoftmaxCELoss(gluon.loss.SoftmaxCELoss):
    """Cross-entropy (n,) of scores (n, T, V) and labels (n, T), padding not counted.

    Each is the sum over the valid steps, divided by T.
    """

    def forward(self, pred, label, valid_len):
        """Return the loss of each row."""
        weights = np.expand_dims(np.ones_like(label), axis=-1)  # (n, T, 1)
        return super().forward(pred, label, npx.sequence_mask(weights, valid_len, True, axis=1))


def train_seq2seq(net, data_iter, lr, num_epochs, tgt_vocab, device):
    """Train an encoder and a decoder with Adam and teacher forcing, clipped at 1."""
    net.initialize(mxnet.init.Xavier(), force_reinit=True, ctx=device)
    trainer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": lr})
    loss, bos = d2l.MaskedSoftmaxCELoss(), tgt_vocab["<bos>"]

    def step(batch):
        X, X_valid_len, Y, Y_valid_len = [array.as_in_ctx(device) for array in batch]
        first = np.full_like(Y[:, :1], bos)
        with autograd.record():
            Y_hat, _ = net(X, d2l.concat([first, Y[:, :-1]], 1), X_valid_len)
            losses = loss(Y_hat, Y, Y_valid_len)
        losses.backward()
        d2l.grad_clipping(net, 1)
        num_tokens = int(Y_valid_len.sum())
        trainer.step(num_tokens)
        return losses.detach().sum(), num_tokens

    training.train_pairs(step, data_iter, num_epochs, device)


def predict_seq2seq(
    net, src_sentence, src_vocab, tgt_vocab, num_steps, device, save_attention_weights=False
):
    """Return the translation of a sentence, the likeliest word each time; and attention weights."""
    checks.size(num_steps=num_steps)
    tokens = [*src_vocab[src_sentence.lower().split(" ")], src_vocab["<eos>"]]
    valid_len = np.array([len(tokens)], ctx=device)
    tokens = d2l.truncate_pad(tokens, num_steps, src_vocab["<pad>"])
    enc_outputs = net.encoder(np.array([tokens], ctx=device), valid_len)
    state = net.decoder.init_state(enc_outputs, valid_len)
    index, said, weights = tgt_vocab["<bos>"], [], []
    for _ in range(num_steps):
        Y, state = net.decoder(np.array([[index]], ctx=device), state)
        index = int(Y.argmax(axis=2).item())
        if save_attention_weights:
            weights.append(net.decoder.attention_weights)
        if index == tgt_vocab["<eos>"]:
            break
        said.append(index)
    return " ".join(tgt_vocab.to_tokens(said)), weights
