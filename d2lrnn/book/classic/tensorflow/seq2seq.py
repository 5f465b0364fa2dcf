"""Encoder and decoder, their training and translations, in TensorFlow (sections 9.5 to 9.7)."""

import sys

from d2lrnn import checks

from . import compiling, training
from .framework import tf

d2l = sys.modules[__package__]


class Encoder(tf.keras.layers.Layer):
    """What an encoder is: call(X, *args) returns what the decoder begins with."""

    def __init__(self, **kwargs):
        """Pass on what Keras takes."""
        super().__init__(**kwargs)

    def call(self, X, *args, **kwargs):
        """Encode X; to be written by a subclass."""
        raise NotImplementedError


class Decoder(tf.keras.layers.Layer):
    """What a decoder is: init_state(enc_outputs), then call(X, state)."""

    def __init__(self, **kwargs):
        """Pass on what Keras takes."""
        super().__init__(**kwargs)

    def init_state(self, enc_outputs, *args):
        """Return the first state; to be written by a subclass."""
        raise NotImplementedError

    def call(self, X, state, **kwargs):
        """Return scores and the new state; to be written by a subclass."""
        raise NotImplementedError


class AttentionDecoder(Decoder):
    """What a decoder with attention is: one that has ``attention_weights`` (section 10.4)."""

    def __init__(self, **kwargs):
        """Pass on what Keras takes."""
        super().__init__(**kwargs)

    @property
    def attention_weights(self):
        """The weights of each step; to be written by a subclass."""
        raise NotImplementedError


class EncoderDecoder(tf.keras.Model):
    """An encoder whose outputs a decoder begins with."""

    def __init__(self, encoder, decoder, **kwargs):
        """Join the two."""
        super().__init__(**kwargs)
        self.encoder, self.decoder = encoder, decoder

    def call(self, enc_X, dec_X, *args, **kwargs):
        """Return what the decoder makes of dec_X, after enc_X."""
        state = self.decoder.init_state(self.encoder(enc_X, *args, **kwargs), *args)
        return self.decoder(dec_X, state, **kwargs)


class Seq2SeqEncoder(Encoder):
    """An embedding and a GRU."""

    def __init__(self, vocab_size, embed_size, num_hiddens, num_layers, dropout=0, **kwargs):
        """Make both."""
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
    """Return X with value in the place of what lies behind the valid length of each row."""
    mask = tf.sequence_mask(valid_len, tf.shape(X)[1])
    mask = mask[(..., *[tf.newaxis] * (len(X.shape) - 2))]
    return tf.where(mask, X, tf.cast(value, X.dtype))


class MaskedSoftmaxCELoss(tf.keras.losses.Loss):
    """Cross-entropy (n,) of labels (n, T) and scores (n, T, V), padding not counted.

    Each is the sum over the valid steps, divided by T.
    """

    def __init__(self, valid_len):
        """Keep how many steps of each row are valid."""
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

    def losses_of(X, X_valid_len, Y, Y_valid_len):
        dec_input = tf.concat([tf.fill(tf.shape(Y[:, :1]), bos), Y[:, :-1]], 1)
        Y_hat, _ = net(X, dec_input, X_valid_len, training=True)
        return d2l.MaskedSoftmaxCELoss(Y_valid_len)(Y, Y_hat)

    def update(X, X_valid_len, Y, Y_valid_len):
        with tf.GradientTape() as tape:
            losses = losses_of(X, X_valid_len, Y, Y_valid_len)
        params = net.trainable_variables
        grads = d2l.grad_clipping(tape.gradient(losses, params), 1)
        optimizer.apply_gradients(zip(grads, params))
        return tf.reduce_sum(losses), tf.reduce_sum(Y_valid_len)

    graph = compiling.graph(update)

    def step(batch):
        if not net.built:
            losses_of(*batch)  # Keras makes the parameters now
        if hasattr(optimizer, "build"):
            optimizer.build(net.trainable_variables)
        return (graph if compiling.is_possible() else update)(*batch)

    training.train_pairs(step, data_iter, num_epochs, device)


def predict_seq2seq(
    net, src_sentence, src_vocab, tgt_vocab, num_steps, save_attention_weights=False
):
    """Return the translation of a sentence, the likeliest word each time; and attention weights."""
    checks.size(num_steps=num_steps)
    tokens = [*src_vocab[src_sentence.lower().split(" ")], src_vocab["<eos>"]]
    valid_len = tf.constant([len(tokens)])
    tokens = d2l.truncate_pad(tokens, num_steps, src_vocab["<pad>"])
    enc_outputs = net.encoder(tf.constant([tokens]), valid_len, training=False)
    state = net.decoder.init_state(enc_outputs, valid_len)
    index, said, weights = tgt_vocab["<bos>"], [], []
    for _ in range(num_steps):
        Y, state = net.decoder(tf.constant([[index]]), state, training=False)
        index = int(tf.argmax(Y, axis=2)[0, 0])
        if save_attention_weights:
            weights.append(net.decoder.attention_weights)
        if index == tgt_vocab["<eos>"]:
            break
        said.append(index)
    return " ".join(tgt_vocab.to_tokens(said)), weights
