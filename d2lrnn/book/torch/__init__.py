"""The names of ``d2l.torch`` of the book's edition 1.0, for its recurrent chapters."""

from d2lrnn.backends import requires
from d2lrnn.book import chapters
from d2lrnn.book.common import *
from d2lrnn.book.common import np

with requires("torch"):
    import torch
    from torch import nn
    from torch.nn import functional as F
    from torch.utils import data

    from d2lrnn.book.torch.design import (
        SGD,
        Classifier,
        DataModule,
        LinearRegression,
        LinearRegressionScratch,
        Module,
        SoftmaxRegression,
        SyntheticRegressionData,
        Trainer,
        load_array,
    )
    from d2lrnn.book.torch.recurrent import (
        GRU,
        RNN,
        RNNLM,
        RNNLMScratch,
        RNNScratch,
        TimeMachine,
    )
    from d2lrnn.book.torch.tensors import *
    from d2lrnn.book.torch.translation import (
        Decoder,
        Encoder,
        EncoderDecoder,
        MTFraEng,
        Seq2Seq,
        Seq2SeqEncoder,
        init_seq2seq,
    )

__getattr__ = chapters.names_of(__name__, former="d2lrnn.book.classic.torch")
