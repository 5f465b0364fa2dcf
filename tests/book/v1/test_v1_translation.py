"""The book's encoder and decoder: shapes, states and learning."""

import pytest


@pytest.fixture(scope="module")
def data(d2l, files):
    """Sixty pairs of sentences, three different ones, five words long."""
    return d2l.MTFraEng(batch_size=20, num_steps=5, num_train=40, num_val=19)


def decoder_class(d2l, backend):
    """A decoder that receives the encoder's last output at each step, as in the book."""
    return {"torch": torch_decoder, "tensorflow": keras_decoder, "jax": flax_decoder}.get(
        backend, gluon_decoder
    )(d2l)


def torch_decoder(d2l):
    class Decoder(d2l.Decoder):
        def __init__(self, vocab_size):
            super().__init__()
            self.embedding = d2l.nn.Embedding(vocab_size, 8)
            self.rnn, self.dense = d2l.GRU(24, 16, 2), d2l.nn.LazyLinear(vocab_size)

        def init_state(self, outputs, *args):
            return outputs

        def forward(self, X, state):
            embs, (outputs, H) = self.embedding(X.T), state
            context = outputs[-1].repeat(len(embs), 1, 1)
            Y, H = self.rnn(d2l.concat((embs, context), -1), H)
            return d2l.swapaxes(self.dense(Y), 0, 1), [outputs, H]

    return Decoder


def gluon_decoder(d2l):
    class Decoder(d2l.Decoder):
        def __init__(self, vocab_size):
            super().__init__()
            self.embedding = d2l.nn.Embedding(vocab_size, 8)
            self.rnn, self.dense = d2l.GRU(16, 2), d2l.nn.Dense(vocab_size, flatten=False)
            self.initialize(d2l.init.Xavier())

        def init_state(self, outputs, *args):
            return outputs

        def forward(self, X, state):
            embs, (outputs, H) = self.embedding(X.T), state
            context = d2l.stack([outputs[-1]] * len(embs))
            Y, H = self.rnn(d2l.concat((embs, context), -1), H)
            return d2l.swapaxes(self.dense(Y), 0, 1), [outputs, H]

    return Decoder


def keras_decoder(d2l):
    layers = d2l.tf.keras.layers

    class Decoder(d2l.Decoder):
        def __init__(self, vocab_size):
            super().__init__()
            self.embedding = layers.Embedding(vocab_size, 8)
            self.rnn, self.dense = d2l.GRU(16, 2), layers.Dense(vocab_size)

        def init_state(self, outputs, *args):
            return outputs

        def call(self, X, state):
            embs, (outputs, H) = self.embedding(d2l.transpose(X)), state
            context = d2l.stack([outputs[-1]] * embs.shape[0])
            Y, H = self.rnn(d2l.concat((embs, context), -1), H)
            return d2l.transpose(self.dense(Y), (1, 0, 2)), [outputs, H]

    return Decoder


def flax_decoder(d2l):
    class Decoder(d2l.Decoder):
        vocab_size: int

        def setup(self):
            self.embedding = d2l.nn.Embed(self.vocab_size, 8)
            self.rnn, self.dense = d2l.GRU(16, 2), d2l.nn.Dense(self.vocab_size)

        def init_state(self, outputs, *args):
            return outputs

        def __call__(self, X, state, training=False):
            embs, (outputs, H) = self.embedding(X.T), state
            context = d2l.stack([outputs[-1]] * len(embs))
            Y, H = self.rnn(d2l.concat((embs, context), -1), H, training=training)
            return d2l.swapaxes(self.dense(Y), 0, 1), [outputs, H]

    return Decoder


@pytest.fixture(scope="module")
def trained(d2l, data, backend):
    """A small model that has memorized the three sentences, and its trainer."""
    encoder = d2l.Seq2SeqEncoder(len(data.src_vocab), 8, 16, 2)
    decoder = decoder_class(d2l, backend)(len(data.tgt_vocab))
    training = {"training": True} if backend == "jax" else {}
    pad = data.tgt_vocab["<pad>"]
    model = d2l.Seq2Seq(encoder, decoder, tgt_pad=pad, lr=0.02, **training)
    trainer = d2l.Trainer(max_epochs=60, gradient_clip_val=1)
    trainer.fit(model, data)
    return model, trainer


def translate(d2l, model, trainer, data, sources, num_steps=5):
    """Return the generated translations as ids (n, num_steps)."""
    batch = data.build(sources, ["va !"] * len(sources))
    if hasattr(trainer, "state"):
        return model.predict_step(trainer.state.params, batch, num_steps)[0]
    return model.predict_step(batch, d2l.try_gpu(), num_steps)[0]


def test_a_trained_model_translates(d2l, trained, data, to_numpy):
    ids = to_numpy(translate(d2l, *trained, data, ["i'm home .", "go ."])).astype(int)
    written = [" ".join(data.tgt_vocab.to_tokens(list(row))) for row in ids]
    assert written[0] == "je suis chez moi ."
    assert written[1].startswith("va ! <eos>")


def test_a_translation_has_as_many_words_as_asked_for(d2l, trained, data):
    assert tuple(translate(d2l, *trained, data, ["go ."], 7).shape) == (1, 7)


def test_a_translation_calls_the_replacement_of_a_name(d2l, trained, data, backend, record_calls):
    names = ["argmax", "concat", "expand_dims", *(["to"] if backend in ("torch", "mxnet") else [])]
    calls = record_calls(d2l, names)
    translate(d2l, *trained, data, ["go ."])
    assert sorted(set(calls)) == sorted(names)


@pytest.mark.parametrize("num_steps", [-1, 0])
def test_a_translation_of_no_words_is_an_error(d2l, trained, data, num_steps):
    with pytest.raises(ValueError, match=f"num_steps is {num_steps}; expected an integer, 1 or"):
        translate(d2l, *trained, data, ["go ."], num_steps)


def test_the_board_shows_the_losses(trained):
    assert list(trained[0].board.data) == ["train_loss", "val_loss"]


@pytest.mark.parametrize("name", ["Encoder", "Decoder"])
def test_a_base_class_names_the_missing_method(d2l, name):
    made = getattr(d2l, name)()
    compute = getattr(made, "forward", getattr(made, "call", made.__call__))
    arguments = (d2l.zeros((1, 1)), None)[: 1 if name == "Encoder" else 2]
    with pytest.raises(NotImplementedError, match=f"{name} needs a method"):
        compute(*arguments)


def test_padding_does_not_count(trained, data, to_numpy):
    model, trainer = trained
    *X, Y = (tensor[:1] for tensor in data.arrays)  # va ! <eos> and two <pad>
    losses = (loss_of(model, trainer, X, Y[:, :n], n) for n in (5, 3))
    longer, shorter = (to_numpy(loss) for loss in losses)
    assert longer == pytest.approx(shorter, rel=1e-5)


def loss_of(model, trainer, X, Y, n):
    """The loss of a minibatch whose decoder receives n words."""
    source, target, lengths = X
    X = (source, target[:, :n], lengths)
    if hasattr(trainer, "state"):
        return model.loss(trainer.state.params, X, Y, trainer.state)[0]
    return model.loss(model(*X), Y)
