"""The recurrent network of the book in MXNet."""

from d2lrnn import batches, checkpoint
from d2lrnn.backends import requires
from d2lrnn.batches import load_corpus_time_machine
from d2lrnn.checkpoint import save_model
from d2lrnn.corpora import read_builtin, read_text, read_time_machine
from d2lrnn.text import Vocab, tokenize
from d2lrnn.training import DivergenceError, History, predict_ch8, train_ch8, train_epoch_ch8

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

loaders = batches.for_backend(from_numpy)
SeqDataLoader = loaders.SeqDataLoader
seq_data_iter_random = loaders.seq_data_iter_random
seq_data_iter_sequential = loaders.seq_data_iter_sequential
load_data_time_machine = loaders.load_data_time_machine
load_data_builtin = loaders.load_data_builtin
load_data_text = loaders.load_data_text
load_model = checkpoint.loader(__name__)
