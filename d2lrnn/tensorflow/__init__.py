"""The recurrent networks of the book in TensorFlow 2."""

from typing import TYPE_CHECKING

from d2lrnn import exports
from d2lrnn.backends import requires

if TYPE_CHECKING:
    from d2lrnn.exports import *
    from d2lrnn.exports import GRU, LSTM, RNN, MinGRU, RNNModel
else:
    with requires("tensorflow"):
        from d2lrnn.tensorflow.concise import GRU, LSTM, RNN, MinGRU, RNNModel
        from d2lrnn.tensorflow.fused import gru_fused, lstm_fused, rnn_fused
        from d2lrnn.tensorflow.gradients import grad_clipping, make_update, value_and_grad, vjp
        from d2lrnn.tensorflow.linear import (
            mamba,
            mamba_scan,
            mingru,
            mingru_scan,
            minlstm,
            minlstm_scan,
            s4d,
            s4d_scan,
        )
        from d2lrnn.tensorflow.model import OPS, RNNModelScratch, stack
        from d2lrnn.tensorflow.reset_after import gru_reset_after_fused
        from d2lrnn.tensorflow.scan import associative_scan, sequential_scan
        from d2lrnn.tensorflow.scratch import gru, gru_reset_after, lstm, mlp, rnn
        from d2lrnn.tensorflow.step import sgd_step
        from d2lrnn.tensorflow.tensors import (
            embedding,
            from_numpy,
            one_hot,
            to_numpy,
            trainable,
            try_gpu,
        )
    __getattr__ = exports.late(globals(), OPS, RNNModelScratch)

__all__ = ["GRU", "LSTM", "RNN", "MinGRU", "RNNModel"]
__all__ += exports.__all__


def __dir__() -> list[str]:
    """Return the names of the interface, without the modules that they come from."""
    return sorted(__all__)
