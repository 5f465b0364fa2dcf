"""The recurrent networks of the book in TensorFlow 2."""

from typing import TYPE_CHECKING

from d2lrnn import exports
from d2lrnn.backends import requires

with requires("tensorflow"):
    from d2lrnn.tensorflow.concatenated import concat_gru, concat_lstm, concat_rnn
    from d2lrnn.tensorflow.concise import GRU, LSTM, RNN, RNNModel
    from d2lrnn.tensorflow.fused import gru_fused, lstm_fused, rnn_fused
    from d2lrnn.tensorflow.gradients import grad_clipping, make_update, value_and_grad, vjp
    from d2lrnn.tensorflow.scratch import (
        OPS,
        RNNModelScratch,
        gru,
        gru_reset_after,
        lstm,
        mlp,
        rnn,
        stack,
    )
    from d2lrnn.tensorflow.tensors import (
        embedding,
        from_numpy,
        one_hot,
        to_numpy,
        trainable,
        try_gpu,
    )

if TYPE_CHECKING:
    from d2lrnn.exports import *

    _made = exports.of(OPS, RNNModelScratch)
    SeqDataLoader = _made.SeqDataLoader
    seq_data_iter_random = _made.seq_data_iter_random
    seq_data_iter_sequential = _made.seq_data_iter_sequential
    load_data_time_machine = _made.load_data_time_machine
    load_data_tiny_shakespeare = _made.load_data_tiny_shakespeare
    load_data_builtin = _made.load_data_builtin
    load_data_text = _made.load_data_text
    load_data_grammar = _made.load_data_grammar
    get_mlp_params = _made.get_mlp_params
    get_params = _made.get_params
    get_gru_params = _made.get_gru_params
    get_gru_reset_after_params = _made.get_gru_reset_after_params
    get_lstm_params = _made.get_lstm_params
    init_rnn_state = _made.init_rnn_state
    init_gru_state = _made.init_gru_state
    init_lstm_state = _made.init_lstm_state
    concat_params = _made.concat_params
    split_params = _made.split_params
    SequenceClassifierScratch = _made.SequenceClassifierScratch
    SequenceTaggerScratch = _made.SequenceTaggerScratch
    EncoderScratch = _made.EncoderScratch
    DecoderScratch = _made.DecoderScratch
    EncoderDecoderScratch = _made.EncoderDecoderScratch
    load_model = _made.load_model
    processes = _made.processes
else:
    __getattr__ = exports.late(globals(), OPS, RNNModelScratch)

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "DecoderScratch",
    "EncoderDecoderScratch",
    "EncoderScratch",
    "RNNModel",
    "RNNModelScratch",
    "SeqDataLoader",
    "SequenceClassifierScratch",
    "SequenceTaggerScratch",
    "concat_gru",
    "concat_lstm",
    "concat_params",
    "concat_rnn",
    "embedding",
    "from_numpy",
    "get_gru_params",
    "get_gru_reset_after_params",
    "get_lstm_params",
    "get_mlp_params",
    "get_params",
    "grad_clipping",
    "gru",
    "gru_fused",
    "gru_reset_after",
    "init_gru_state",
    "init_lstm_state",
    "init_rnn_state",
    "load_data_builtin",
    "load_data_grammar",
    "load_data_text",
    "load_data_time_machine",
    "load_data_tiny_shakespeare",
    "load_model",
    "lstm",
    "lstm_fused",
    "make_update",
    "mlp",
    "one_hot",
    "processes",
    "rnn",
    "rnn_fused",
    "seq_data_iter_random",
    "seq_data_iter_sequential",
    "split_params",
    "stack",
    "to_numpy",
    "trainable",
    "try_gpu",
    "value_and_grad",
    "vjp",
]
__all__ += exports.__all__


def __dir__():
    """Return the names of the interface, without the modules that they come from."""
    return sorted(__all__)
