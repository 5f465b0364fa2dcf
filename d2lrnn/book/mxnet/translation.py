"""The book's translation from English to French in MXNet (sections 10.5 to 10.7)."""

import sys

from d2lrnn import checks
from d2lrnn.book.mxnet import texts
from d2lrnn.book.mxnet.design import DataModule
from d2lrnn.book.mxnet.models import Classifier
from d2lrnn.book.mxnet.tensors import gluon, init, nn, np

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


class Encoder(nn.Block):
    """What reads a sequence: the base class of encoders."""

    def __init__(self):
        """Begin with nothing."""
        super().__init__()

    def forward(self, X, *args):
        """Return what the decoder is to know of X; each encoder has its own."""
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(self, X, *args)")


class Decoder(nn.Block):
    """What writes a sequence: the base class of decoders."""

    def __init__(self):
        """Begin with nothing."""
        super().__init__()

    def init_state(self, enc_all_outputs, *args):
        """Return the first state, made of what the encoder returned; each decoder has its own."""
        raise NotImplementedError(f"{type(self).__name__} needs init_state(self, outputs, *args)")

    def forward(self, X, state):
        """Return the scores and the state after X; each decoder has its own."""
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(self, X, state)")


class EncoderDecoder(Classifier):
    """An encoder and a decoder, trained as one."""

    def __init__(self, encoder, decoder):
        """Take the two."""
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, enc_X, dec_X, *args):
        """Return the decoder's scores for dec_X, after the encoder has read enc_X."""
        dec_state = self.decoder.init_state(self.encoder(enc_X, *args), *args)
        return self.decoder(dec_X, dec_state)[0]

    def predict_step(self, batch, device, num_steps, save_attention_weights=False):
        """Return the ids (n, num_steps) that seem likeliest one by one, and attention weights.

        Args:
            batch: (source, target, source lengths, ...); of the target only the first column.
            device: where to compute.
            num_steps: how many tokens to write.
            save_attention_weights: collect the decoder's ``attention_weights`` of each step.
        """
        checks.size(num_steps=num_steps)
        src, tgt, src_valid_len, *_ = (d2l.to(array, device) for array in batch)
        state = self.decoder.init_state(self.encoder(src, src_valid_len), src_valid_len)
        written, attention_weights = [d2l.expand_dims(tgt[:, 0], 1)], []
        for _ in range(num_steps):
            Y, state = self.decoder(written[-1], state)
            written.append(d2l.argmax(Y, 2))
            if save_attention_weights:
                attention_weights.append(self.decoder.attention_weights)
        return d2l.concat(written[1:], 1), attention_weights


class Seq2SeqEncoder(Encoder):
    """An encoder made of an embedding and a deep GRU.

    Args:
        vocab_size, embed_size: how many tokens there are; the length of their vectors.
        num_hiddens, num_layers, dropout: of the GRU.
    """

    def __init__(self, vocab_size, embed_size, num_hiddens, num_layers, dropout=0):
        """Make the layers and draw their weights as Glorot and Bengio (2010) do."""
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.rnn = d2l.GRU(num_hiddens, num_layers, dropout)
        self.initialize(init.Xavier())

    def forward(self, X, *args):
        """Return the last layer's states (num_steps, n, h), and all last states (layers, n, h)."""
        return self.rnn(self.embedding(d2l.transpose(X)))


class Seq2Seq(EncoderDecoder):
    """An encoder and a decoder, trained on what is no padding.

    Args:
        encoder, decoder: the two.
        tgt_pad: the id of the target's padding.
        lr: the learning rate of Adam.
    """

    def __init__(self, encoder, decoder, tgt_pad, lr):
        """Take the two, and the settings."""
        super().__init__(encoder, decoder)
        self.save_hyperparameters()

    def loss(self, Y_hat, Y):
        """Return the mean cross-entropy of the targets that are no padding."""
        losses = super().loss(Y_hat, Y, averaged=False)
        mask = (Y.reshape(-1) != self.tgt_pad).astype(np.float32)
        return (losses * mask).sum() / mask.sum()

    def validation_step(self, batch):
        """Plot the loss of a minibatch that was held out."""
        self.plot("loss", self.loss(self(*batch[:-1]), batch[-1]), train=False)

    def configure_optimizers(self):
        """Return what makes the updates: Adam."""
        return gluon.Trainer(self.parameters(), "adam", {"learning_rate": self.lr})
