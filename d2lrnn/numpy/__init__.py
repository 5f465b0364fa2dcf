"""The recurrent networks of the book in NumPy, with gradients written by hand."""

from d2lrnn.data import loaders
from d2lrnn.exports import *
from d2lrnn.files import model_file
from d2lrnn.nets import encoder_decoder
from d2lrnn.numpy.concatenated import (
    concat_gru,
    concat_lstm,
    concat_params,
    concat_rnn,
    split_params,
)
from d2lrnn.numpy.fused import gru_fused, lstm_fused, rnn_fused
from d2lrnn.numpy.gradients import grad_clipping, make_update, value_and_grad, vjp
from d2lrnn.numpy.scratch import (
    RNNModelScratch,
    get_gru_params,
    get_gru_reset_after_params,
    get_lstm_params,
    get_mlp_params,
    get_params,
    gru,
    gru_reset_after,
    init_gru_state,
    init_lstm_state,
    init_rnn_state,
    lstm,
    mlp,
    rnn,
    stack,
)
from d2lrnn.numpy.tensors import (
    embedding,
    from_numpy,
    one_hot,
    to_numpy,
    trainable,
    try_gpu,
)

(
    SeqDataLoader,
    seq_data_iter_random,
    seq_data_iter_sequential,
    load_data_time_machine,
    load_data_tiny_shakespeare,
    load_data_builtin,
    load_data_text,
    load_data_grammar,
) = loaders.for_backend(from_numpy)
(
    SequenceClassifierScratch,
    SequenceTaggerScratch,
    EncoderScratch,
    DecoderScratch,
    EncoderDecoderScratch,
) = encoder_decoder.for_backend(RNNModelScratch)
load_model = model_file.loader(__name__)
