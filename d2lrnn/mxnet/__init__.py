"""The recurrent network of the book in MXNet."""

from d2lrnn import batches, checkpoint
from d2lrnn.backends import requires
from d2lrnn.common import *

with requires("mxnet"):
    from d2lrnn.mxnet.scratch import (
        RNNModelScratch,
        get_mlp_params,
        get_params,
        init_rnn_state,
        mlp,
        rnn,
    )
    from d2lrnn.mxnet.tensors import from_numpy, one_hot, to_numpy, trainable, try_gpu
    from d2lrnn.mxnet.training import grad_clipping, make_step, vjp

(
    SeqDataLoader,
    seq_data_iter_random,
    seq_data_iter_sequential,
    load_data_time_machine,
    load_data_builtin,
    load_data_text,
) = batches.for_backend(from_numpy)
load_model = checkpoint.loader(__name__)
