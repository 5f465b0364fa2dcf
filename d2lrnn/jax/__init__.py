"""The recurrent networks of the book in JAX."""

from typing import TYPE_CHECKING

from d2lrnn import exports
from d2lrnn.backends import requires

if TYPE_CHECKING:
    from d2lrnn.exports import *
    from d2lrnn.exports import GRU, LSTM, RNN, MinGRU, RNNModel
else:
    with requires("jax"):
        from d2lrnn.jax.concise import GRU, LSTM, RNN, MinGRU, RNNModel
        from d2lrnn.jax.fused import gru_fused, lstm_fused, rnn_fused
        from d2lrnn.jax.gradients import grad_clipping, make_update, value_and_grad, vjp
        from d2lrnn.jax.linear import (
            mamba,
            mamba_scan,
            mingru,
            mingru_scan,
            minlstm,
            minlstm_scan,
            s4d,
            s4d_scan,
        )
        from d2lrnn.jax.model import OPS, RNNModelScratch, stack
        from d2lrnn.jax.reset_after import gru_reset_after_fused
        from d2lrnn.jax.scan import associative_scan, sequential_scan
        from d2lrnn.jax.scratch import gru, gru_reset_after, lstm, mlp, rnn
        from d2lrnn.jax.step import sgd_step
        from d2lrnn.jax.tensors import (
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
