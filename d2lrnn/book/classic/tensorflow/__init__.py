"""The interface of ``d2l.tensorflow`` 0.17, as far as the chapters on recurrent networks use it."""

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
    from d2lrnn.book.classic.tensorflow.basics import (
        SeqDataLoader,
        Updater,
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
        Decoder,
        Encoder,
        EncoderDecoder,
        MaskedSoftmaxCELoss,
        Seq2SeqEncoder,
        build_array_nmt,
        load_data_nmt,
        predict_seq2seq,
        sequence_mask,
        train_seq2seq,
    )

nn_Module = tf.keras.Model
__getattr__ = chapters.names_of(__name__, modules={"np": "numpy", "tensorflow": "tensorflow"})
