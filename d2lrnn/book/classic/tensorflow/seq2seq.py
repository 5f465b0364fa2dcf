"""An encoder, and the training of encoders and decoders, in TensorFlow (section 9.7)."""

import sys

from . import own_code, training
from .coders import Encoder
from .framework import tf
from .graphs import GraphFunction

d2l = sys.modules[__package__]


class Seq2SeqEncoder(Encoder):
    """An encoder of an embedding and a GRU."""

    def __init__(self, vocab_size, embed_size, num_hiddens, num_layers, dropout=0, **kwargs):
        """Make the layers."""
        super().__init__(**kwargs)
        layers = tf.keras.layers
        self.embedding = layers.Embedding(vocab_size, embed_size)
        cells = [layers.GRUCell(num_hiddens, dropout=dropout) for _ in range(num_layers)]
        stack = layers.StackedRNNCells(cells)
        self.rnn = layers.RNN(stack, return_sequences=True, return_state=True)

    def call(self, X, *args, **kwargs):
        """Return outputs (n, T, h) and the state, a tensor (n, h) a layer, for ids X (n, T)."""
        outputs, *state = self.rnn(self.embedding(X), **kwargs)
        return outputs, state


def sequence_mask(X, valid_len, value=0):
    """Return X (n, T, ...) with value in the steps after the valid length of each row."""
    mask = tf.sequence_mask(valid_len, tf.shape(X)[1])
    mask = mask[(..., *[tf.newaxis] * (len(X.shape) - 2))]
    return tf.where(mask, X, tf.cast(value, X.dtype))


class MaskedSoftmaxCELoss(tf.keras.losses.Loss):
    """The cross-entropy (n,) of labels (n, T) and scores (n, T, V), without the padding.

    The loss of a row is the sum over its valid steps, divided by T.
    """

    def __init__(self, valid_len):
        """Store the number of valid steps (n,) of each row."""
        super().__init__(reduction="none")
        self.valid_len = valid_len

    def call(self, label, pred):
        """Return the loss of each row."""
        label = tf.cast(label, tf.int32)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(label, pred)  # (n, T)
        return tf.reduce_mean(d2l.sequence_mask(losses, self.valid_len), axis=1)


def train_seq2seq(net, data_iter, lr, num_epochs, tgt_vocab, device):
    """Train an encoder and a decoder with Adam and teacher forcing, clipped at 1."""
    optimizer = tf.keras.optimizers.Adam(learning_rate=lr)
    bos = tgt_vocab["<bos>"]

    def update(X, X_valid_len, Y, Y_valid_len):
        first = tf.fill((tf.shape(Y)[0], 1), bos)
        with tf.GradientTape() as tape:
            Y_hat, _ = net(X, tf.concat([first, Y[:, :-1]], 1), X_valid_len, training=True)
            losses = d2l.MaskedSoftmaxCELoss(Y_valid_len)(Y, Y_hat)
        params = net.trainable_variables
        grads = d2l.grad_clipping(tape.gradient(losses, params), 1)
        optimizer.apply_gradients(zip(grads, params))
        return tf.reduce_sum(losses), tf.reduce_sum(Y_valid_len)

    step = GraphFunction(update, lambda: own_code.may_be_compiled(net), first=2)
    training.train_pairs(lambda batch: step(*batch), data_iter, num_epochs, device)


def predict_seq2seq(
    net, src_sentence, src_vocab, tgt_vocab, num_steps, save_attention_weights=False
):
    """Return the translation of a sentence, and a list of attention weights, one for each step."""
    vocabs, settings = (src_vocab, tgt_vocab), (num_steps, save_attention_weights, tf.constant)
    return training.translate(net, src_sentence, *vocabs, *settings, training=False)
