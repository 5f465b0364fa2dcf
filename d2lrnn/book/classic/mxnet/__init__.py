"""The interface of ``d2l.mxnet`` 0.17, as far as the chapters on recurrent networks use it."""

import sys

from d2lrnn.backends import requires
from d2lrnn.book import chapters, replaced, shared

__path__ += shared.__path__

from d2lrnn.book.classic.mxnet.names_0_17 import *

with requires("mxnet"):
    from d2lrnn.book.classic.mxnet.aliases import (
        abs,
        arange,
        argmax,
        astype,
        concat,
        cos,
        cosh,
        exp,
        eye,
        float32,
        int32,
        linspace,
        log,
        matmul,
        meshgrid,
        normal,
        numpy,
        ones,
        rand,
        reduce_sum,
        reshape,
        sin,
        sinh,
        size,
        stack,
        tanh,
        tensor,
        to,
        transpose,
        zeros,
    )
    from d2lrnn.book.classic.mxnet.attention import (
        AdditiveAttention,
        DotProductAttention,
        masked_softmax,
    )
    from d2lrnn.book.classic.mxnet.basics import (
        accuracy,
        evaluate_accuracy,
        evaluate_loss,
        linreg,
        load_array,
        sgd,
        squared_loss,
        synthetic_data,
        try_all_gpus,
        try_gpu,
    )
    from d2lrnn.book.classic.mxnet.language_model import (
        RNNModel,
        RNNModelScratch,
        grad_clipping,
        predict_ch8,
        train_ch8,
        train_epoch_ch8,
    )
    from d2lrnn.book.classic.mxnet.seq2seq import (
        AttentionDecoder,
        Decoder,
        Encoder,
        EncoderDecoder,
        MaskedSoftmaxCELoss,
        Seq2SeqEncoder,
        predict_seq2seq,
        train_seq2seq,
    )
    from d2lrnn.mxnet.framework import autograd, mxnet, np, npx

context, gluon, image, init = mxnet.context, mxnet.gluon, mxnet.image, mxnet.init
nn, rnn = gluon.nn, gluon.rnn
nn_Module = nn.Block
USE_MXNET, USE_PYTORCH, USE_TENSORFLOW = True, False, False
d2l = sys.modules[__name__]
__getattr__ = chapters.names_of(__name__, "classic")
replaced.remember(d2l)
