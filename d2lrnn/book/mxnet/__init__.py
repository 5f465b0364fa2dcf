"""The names of ``d2l.mxnet`` of the book's edition 1.0, for its recurrent chapters."""

from d2lrnn.backends import requires
from d2lrnn.book import chapters
from d2lrnn.book.common import *

with requires("mxnet"):
    from d2lrnn.book.mxnet.design import SGD, DataModule, Module, Trainer, load_array
    from d2lrnn.book.mxnet.models import (
        Classifier,
        LinearRegression,
        LinearRegressionScratch,
        SoftmaxRegression,
        SyntheticRegressionData,
    )
    from d2lrnn.book.mxnet.recurrent import (
        GRU,
        RNN,
        RNNLM,
        RNNLMScratch,
        RNNScratch,
        TimeMachine,
    )
    from d2lrnn.book.mxnet.tensors import *
    from d2lrnn.book.mxnet.translation import (
        Decoder,
        Encoder,
        EncoderDecoder,
        MTFraEng,
        Seq2Seq,
        Seq2SeqEncoder,
    )

__getattr__ = chapters.names_of(__name__, former="d2lrnn.book.classic.mxnet")
