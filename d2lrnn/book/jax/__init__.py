"""The names of ``d2l.jax`` of the book's edition 1.0, for its recurrent chapters."""

from d2lrnn.backends import requires
from d2lrnn.book import chapters
from d2lrnn.book.common import *
from d2lrnn.book.common import np

with requires("jax"):
    import flax
    import jax
    import optax
    from flax import linen as nn
    from flax.training import train_state
    from jax import grad, vmap
    from jax import numpy as jnp

    from d2lrnn.book.jax.design import (
        SGD,
        DataModule,
        Module,
        SyntheticRegressionData,
        Trainer,
    )
    from d2lrnn.book.jax.models import (
        Classifier,
        LinearRegression,
        LinearRegressionScratch,
        SoftmaxRegression,
    )
    from d2lrnn.book.jax.recurrent import (
        GRU,
        RNN,
        RNNLM,
        RNNLMScratch,
        RNNScratch,
        TimeMachine,
    )
    from d2lrnn.book.jax.tensors import *
    from d2lrnn.book.jax.translation import (
        Decoder,
        Encoder,
        EncoderDecoder,
        MTFraEng,
        Seq2Seq,
        Seq2SeqEncoder,
    )

__getattr__ = chapters.names_of(__name__)
