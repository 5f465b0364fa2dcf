"""The names of ``d2l.tensorflow`` of the book's edition 1.0, for its recurrent chapters."""

from d2lrnn.backends import requires
from d2lrnn.book import chapters
from d2lrnn.book.common import *

with requires("tensorflow"):
    from d2lrnn.book.tensorflow.design import SGD, DataModule, Module, Trainer
    from d2lrnn.book.tensorflow.framework import tf
    from d2lrnn.book.tensorflow.models import (
        Classifier,
        LinearRegression,
        LinearRegressionScratch,
        SoftmaxRegression,
        SyntheticRegressionData,
    )
    from d2lrnn.book.tensorflow.recurrent import (
        GRU,
        RNN,
        RNNLM,
        RNNLMScratch,
        RNNScratch,
        TimeMachine,
    )
    from d2lrnn.book.tensorflow.tensors import *
    from d2lrnn.book.tensorflow.translation import (
        Decoder,
        Encoder,
        EncoderDecoder,
        MTFraEng,
        Seq2Seq,
        Seq2SeqEncoder,
    )

__getattr__ = chapters.names_of(__name__, former="d2lrnn.book.classic.tensorflow")
