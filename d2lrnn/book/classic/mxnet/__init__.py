"""The interface of ``d2l.mxnet`` 0.17, as far as the chapters on recurrent networks use it."""

from d2lrnn.backends import requires
from d2lrnn.book import chapters
from d2lrnn.book.animator import Animator
from d2lrnn.book.classic.hub import download, download_all, download_extract
from d2lrnn.book.classic.text import (
    Vocab,
    count_corpus,
    load_corpus_time_machine,
    read_time_machine,
    tokenize,
)
from d2lrnn.book.classic.translation import (
    bleu,
    preprocess_nmt,
    read_data_nmt,
    tokenize_nmt,
    truncate_pad,
)
from d2lrnn.book.counting import Accumulator, Timer
from d2lrnn.book.downloads import DATA_HUB, DATA_URL
from d2lrnn.book.figures import (
    plot,
    plt,
    set_axes,
    set_figsize,
    show_list_len_pair_hist,
    use_svg_display,
)

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
    from d2lrnn.book.classic.mxnet.basics import (
        SeqDataLoader,
        accuracy,
        evaluate_accuracy,
        evaluate_loss,
        load_array,
        load_data_time_machine,
        seq_data_iter_random,
        seq_data_iter_sequential,
        sgd,
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
        Decoder,
        Encoder,
        EncoderDecoder,
        MaskedSoftmaxCELoss,
        Seq2SeqEncoder,
        build_array_nmt,
        load_data_nmt,
        predict_seq2seq,
        train_seq2seq,
    )
    from d2lrnn.mxnet.framework import autograd, mxnet, np, npx

context, gluon, image, init = mxnet.context, mxnet.gluon, mxnet.image, mxnet.init
nn, rnn = gluon.nn, gluon.rnn
nn_Module = nn.Block
USE_MXNET, USE_PYTORCH, USE_TENSORFLOW = True, False, False
__getattr__ = chapters.names_of(
    __name__, modules={"transforms": "mxnet.gluon.data.vision.transforms"}
)
