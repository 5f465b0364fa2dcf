"""The names of ``d2l.torch`` of the book's edition 1.0, for its recurrent chapters."""

import sys

from d2lrnn.backends import requires
from d2lrnn.book import chapters, classic, replaced, shared

# The last folder has the functions that 1.0 keeps of 0.17.
__path__ += [*shared.__path__, f"{classic.__path__[0]}/torch"]

from d2lrnn.book.torch.names_1_0 import *
from d2lrnn.book.torch.names_1_0 import np
from d2lrnn.book.torch.pairs import (
    build_array_nmt,
    load_data_nmt,
    preprocess_nmt,
    read_data_nmt,
    tokenize_nmt,
    truncate_pad,
)

with requires("torch"):
    import torch
    from torch import nn
    from torch.nn import functional as F
    from torch.utils import data

    from d2lrnn.book.torch.attention import masked_softmax
    from d2lrnn.book.torch.basics import (
        evaluate_loss,
        linreg,
        squared_loss,
        synthetic_data,
    )
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
    from d2lrnn.book.torch.scoring import AdditiveAttention, AttentionDecoder, DotProductAttention
    from d2lrnn.book.torch.seq2seq import (
        MaskedSoftmaxCELoss,
        predict_seq2seq,
        sequence_mask,
        train_seq2seq,
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

d2l = sys.modules[__name__]
__getattr__ = chapters.names_of(__name__, "1.0")
replaced.remember(d2l)
