"""An encoder, and the training of encoders and decoders, in MXNet (section 9.7)."""

import functools
import sys

from d2lrnn.mxnet.framework import autograd, mxnet, np, npx

from . import training
from .coders import Encoder

d2l = sys.modules[__package__]
gluon = mxnet.gluon
SoftmaxCELoss: type = gluon.loss.SoftmaxCELoss


class Seq2SeqEncoder(Encoder):
    """An encoder of an embedding and a GRU."""

    def __init__(self, vocab_size, embed_size, num_hiddens, num_layers, dropout=0, **kwargs):
        """Make the layers."""
        super().__init__(**kwargs)
        self.embedding = gluon.nn.Embedding(vocab_size, embed_size)
        self.rnn = gluon.rnn.GRU(num_hiddens, num_layers, dropout=dropout)

    def forward(self, X, *args):
        """Return outputs (T, n, h) and state, a list of one (layers, n, h), for ids X (n, T)."""
        X = self.embedding(X).swapaxes(0, 1)
        return self.rnn(X, self.rnn.begin_state(batch_size=X.shape[1], ctx=X.ctx))


class MaskedSoftmaxCELoss(SoftmaxCELoss):
    """The cross-entropy (n,) of scores (n, T, V) and labels (n, T), without the padding.

    The loss of a row is the sum over its valid steps, divided by T.
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
    """Return the translation of a sentence, and a list of attention weights, one for each step."""
    tensor = functools.partial(np.array, ctx=device)
    sizes = num_steps, save_attention_weights
    return training.translate(net, src_sentence, src_vocab, tgt_vocab, *sizes, tensor)
