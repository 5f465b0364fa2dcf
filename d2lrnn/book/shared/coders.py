"""Base classes of encoders and decoders (0.17: sections 9.6 and 10.4)."""

from .framework import CALLED, Layer, Model


class Encoder(Layer):
    """The base class of encoders, which define forward(X, *args), in TensorFlow call."""

    def __init__(self, **kwargs):
        """Pass the arguments on to the framework's class."""
        super().__init__(**kwargs)

    def forward(self, X, *args):
        """Return the outputs from which the decoder makes its first state."""
        raise NotImplementedError(f"{type(self).__name__} needs a method {CALLED}(self, X, *args)")


class Decoder(Layer):
    """The base class of decoders, which define init_state and forward, in TensorFlow call."""

    def __init__(self, **kwargs):
        """Pass the arguments on to the framework's class."""
        super().__init__(**kwargs)

    def init_state(self, enc_outputs, *args):
        """Return the first state, made from the outputs of the encoder."""
        name = type(self).__name__
        raise NotImplementedError(f"{name} needs a method init_state(self, enc_outputs, *args)")

    def forward(self, X, state):
        """Return the scores and the new state."""
        raise NotImplementedError(f"{type(self).__name__} needs a method {CALLED}(self, X, state)")


class AttentionDecoder(Decoder):
    """The base class of decoders with attention, which define ``attention_weights``."""

    @property
    def attention_weights(self):
        """The attention weights of each step."""
        raise NotImplementedError(f"{type(self).__name__} needs a property attention_weights")


class EncoderDecoder(Model):
    """An encoder, and a decoder that starts from the outputs of the encoder."""

    def __init__(self, encoder, decoder, **kwargs):
        """Store the two."""
        super().__init__(**kwargs)
        self.encoder, self.decoder = encoder, decoder

    def forward(self, enc_X, dec_X, *args, **kwargs):
        """Return the scores and the state of the decoder for dec_X, after encoding enc_X."""
        state = self.decoder.init_state(self.encoder(enc_X, *args, **kwargs), *args)
        return self.decoder(dec_X, state, **kwargs)
