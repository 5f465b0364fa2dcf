"""The names of ``d2l.jax`` of the book's edition 1.0, for its recurrent chapters."""

import sys

from d2lrnn.backends import requires
from d2lrnn.book import chapters, replaced, shared

__path__ += shared.__path__

from d2lrnn.book.jax.names_1_0 import *
from d2lrnn.book.jax.names_1_0 import np

with requires("jax"):
    import flax
    import jax
    import optax
    from flax import linen as nn
    from flax.training import train_state
    from jax import grad, vmap
    from jax import numpy as jnp

    from d2lrnn.book.jax.attention import (
        AdditiveAttention,
        DotProductAttention,
        masked_softmax,
    )
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

d2l = sys.modules[__name__]
__getattr__ = chapters.names_of(__name__, "1.0")
replaced.remember(d2l)
