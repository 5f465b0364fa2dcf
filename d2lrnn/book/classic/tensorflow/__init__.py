"""The interface of ``d2l.tensorflow`` 0.17, as far as the chapters on recurrent networks use it."""

import sys

from d2lrnn.backends import requires
from d2lrnn.book import chapters, replaced, shared

__path__ += shared.__path__

from d2lrnn.book.classic.tensorflow.names_0_17 import *

with requires("tensorflow"):
    from d2lrnn.book.classic.tensorflow.aliases import (
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
        transpose,
        zeros,
    )
    from d2lrnn.book.classic.tensorflow.attention import (
        AdditiveAttention,
        DotProductAttention,
        masked_softmax,
    )
    from d2lrnn.book.classic.tensorflow.basics import (
        Updater,
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
    from d2lrnn.book.classic.tensorflow.framework import tf
    from d2lrnn.book.classic.tensorflow.language_model import (
        RNNModel,
        RNNModelScratch,
        grad_clipping,
        predict_ch8,
        train_ch8,
        train_epoch_ch8,
    )
    from d2lrnn.book.classic.tensorflow.seq2seq import (
        AttentionDecoder,
        Decoder,
        Encoder,
        EncoderDecoder,
        MaskedSoftmaxCELoss,
        Seq2SeqEncoder,
        predict_seq2seq,
        sequence_mask,
        train_seq2seq,
    )

nn_Module = tf.keras.Model
d2l = sys.modules[__name__]
__getattr__ = chapters.names_of(__name__, "classic")
replaced.remember(d2l)
