"""The names of ``d2l.mxnet`` of the book's edition 1.0, for its recurrent chapters."""

import sys

from d2lrnn.backends import requires
from d2lrnn.book import chapters, classic, replaced, shared

# The last folder has the functions that 1.0 keeps of 0.17.
__path__ += [*shared.__path__, f"{classic.__path__[0]}/mxnet"]

from d2lrnn.book.mxnet.names_1_0 import *
from d2lrnn.book.mxnet.pairs import (
    build_array_nmt,
    load_data_nmt,
    preprocess_nmt,
    read_data_nmt,
    tokenize_nmt,
    truncate_pad,
)

with requires("mxnet"):
    from d2lrnn.book.mxnet.attention import AdditiveAttention, masked_softmax
    from d2lrnn.book.mxnet.basics import (
        evaluate_accuracy,
        evaluate_loss,
        linreg,
        squared_loss,
        synthetic_data,
    )
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
    from d2lrnn.book.mxnet.scoring import AttentionDecoder, DotProductAttention
    from d2lrnn.book.mxnet.seq2seq import (
        MaskedSoftmaxCELoss,
        predict_seq2seq,
        train_seq2seq,
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

d2l = sys.modules[__name__]
__getattr__ = chapters.names_of(__name__, "1.0")
replaced.remember(d2l)
