"""The names that every backend exports: declared once, and imported or built at first use.

A backend's ``__init__.py`` imports the functions that its own files implement. All other names are
imported from the modules in PLACES, or built from the backend's record by the modules in BUILT,
when they are first used (PEP 562), so that importing a backend stays fast. Type checkers and
editors use the declarations under TYPE_CHECKING; tests/test_interface.py compares the names.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from d2lrnn import backends, interface
from d2lrnn.nets import forward

if TYPE_CHECKING:
    from d2lrnn.data.batches import (
        BatchLoader,
        SeqDataLoader,
        seq_data_iter_random,
        seq_data_iter_sequential,
    )
    from d2lrnn.data.bpe import BPETokenizer
    from d2lrnn.data.bpe_vocab import BPEVocab
    from d2lrnn.data.corpora import (
        read_builtin,
        read_text,
        read_time_machine,
        read_tiny_shakespeare,
    )
    from d2lrnn.data.data_files import DownloadError
    from d2lrnn.data.datasets import load_digits, read_fra_eng, read_mnist
    from d2lrnn.data.generated import date_pairs, tagged_sentences
    from d2lrnn.data.grammar import load_data_grammar
    from d2lrnn.data.loaders import (
        load_corpus_time_machine,
        load_data_builtin,
        load_data_string,
        load_data_text,
        load_data_time_machine,
        load_data_tiny_shakespeare,
    )
    from d2lrnn.data.memory_tasks import adding, parity, recall, selective_copy
    from d2lrnn.data.text import Vocab, pad_sequences, texts_to_sequences, tokenize, words_of
    from d2lrnn.files.model_file import CheckpointError, save_model
    from d2lrnn.interface import Backend, Layers, ScanLayers
    from d2lrnn.measure.gradient_flow import bptt_terms, gradient_norms, scale_recurrent
    from d2lrnn.measure.inside import look_inside
    from d2lrnn.nets.bleu import bleu
    from d2lrnn.nets.cells import flip_update_gate
    from d2lrnn.nets.classifiers import SequenceClassifierScratch, SequenceTaggerScratch
    from d2lrnn.nets.coders import DecoderScratch, EncoderScratch
    from d2lrnn.nets.copying import copy_params
    from d2lrnn.nets.encoder_decoder import EncoderDecoderScratch
    from d2lrnn.nets.language_model import RNNModelScratch
    from d2lrnn.nets.ops import Ops
    from d2lrnn.nets.prediction import predict_ch8, predict_many
    from d2lrnn.nets.regressor import SequenceRegressorScratch
    from d2lrnn.nets.schedules import CosineSchedule, StepSchedule, WarmupSchedule
    from d2lrnn.teaching import show
    from d2lrnn.training.callbacks import Callback
    from d2lrnn.training.evaluation import evaluate
    from d2lrnn.training.history import DivergenceError, History, Scores
    from d2lrnn.training.keeper import Interrupted
    from d2lrnn.training.language import train_ch8
    from d2lrnn.training.language_epoch import make_step, train_epoch_ch8
    from d2lrnn.training.sequences import train_sequences

    associative_scan = Backend.associative_scan
    check_cell = Backend.check_cell
    concat_gru = Backend.concat_gru
    concat_lstm = Backend.concat_lstm
    concat_params = Backend.concat_params
    concat_rnn = Backend.concat_rnn
    embedding = Backend.embedding
    from_numpy = Backend.from_numpy
    get_gru_params = Backend.get_gru_params
    get_gru_reset_after_params = Backend.get_gru_reset_after_params
    get_lstm_params = Backend.get_lstm_params
    get_mamba_params = Backend.get_mamba_params
    get_mingru_params = Backend.get_mingru_params
    get_minlstm_params = Backend.get_minlstm_params
    get_mlp_params = Backend.get_mlp_params
    get_params = Backend.get_params
    get_s4d_params = Backend.get_s4d_params
    grad_clipping = Backend.grad_clipping
    gru = Backend.gru
    gru_fused = Backend.gru_fused
    gru_reset_after = Backend.gru_reset_after
    gru_reset_after_fused = Backend.gru_reset_after_fused
    init_gru_state = Backend.init_gru_state
    init_lstm_state = Backend.init_lstm_state
    init_mamba_state = Backend.init_mamba_state
    init_mingru_state = Backend.init_mingru_state
    init_minlstm_state = Backend.init_minlstm_state
    init_rnn_state = Backend.init_rnn_state
    init_s4d_state = Backend.init_s4d_state
    load_model = Backend.load_model
    lstm = Backend.lstm
    lstm_fused = Backend.lstm_fused
    make_update = Backend.make_update
    mamba = Backend.mamba
    mamba_scan = Backend.mamba_scan
    mingru = Backend.mingru
    mingru_scan = Backend.mingru_scan
    minlstm = Backend.minlstm
    minlstm_scan = Backend.minlstm_scan
    mlp = Backend.mlp
    new_cell = Backend.new_cell
    one_hot = Backend.one_hot
    processes = Backend.processes
    rnn = Backend.rnn
    rnn_fused = Backend.rnn_fused
    s4d = Backend.s4d
    s4d_scan = Backend.s4d_scan
    sequential_scan = Backend.sequential_scan
    sgd_step = Backend.sgd_step
    sigmoid = Backend.sigmoid
    split_params = Backend.split_params
    stack = Backend.stack
    tanh = Backend.tanh
    to_numpy = Backend.to_numpy
    trainable = Backend.trainable
    try_gpu = Backend.try_gpu
    value_and_grad = Backend.value_and_grad
    vjp = Backend.vjp
    # In every backend except numpy
    GRU = Layers.GRU
    LSTM = Layers.LSTM
    RNN = Layers.RNN
    RNNModel = Layers.RNNModel
    # In tensorflow and jax
    MinGRU = ScanLayers.MinGRU

__all__ = [
    "BPETokenizer",
    "BPEVocab",
    "BatchLoader",
    "Callback",
    "CheckpointError",
    "CosineSchedule",
    "DecoderScratch",
    "DivergenceError",
    "DownloadError",
    "EncoderDecoderScratch",
    "EncoderScratch",
    "History",
    "Interrupted",
    "RNNModelScratch",
    "Scores",
    "SeqDataLoader",
    "SequenceClassifierScratch",
    "SequenceRegressorScratch",
    "SequenceTaggerScratch",
    "StepSchedule",
    "Vocab",
    "WarmupSchedule",
    "adding",
    "associative_scan",
    "bleu",
    "bptt_terms",
    "check_cell",
    "concat_gru",
    "concat_lstm",
    "concat_params",
    "concat_rnn",
    "copy_params",
    "date_pairs",
    "embedding",
    "evaluate",
    "flip_update_gate",
    "from_numpy",
    "get_gru_params",
    "get_gru_reset_after_params",
    "get_lstm_params",
    "get_mamba_params",
    "get_mingru_params",
    "get_minlstm_params",
    "get_mlp_params",
    "get_params",
    "get_s4d_params",
    "grad_clipping",
    "gradient_norms",
    "gru",
    "gru_fused",
    "gru_reset_after",
    "gru_reset_after_fused",
    "init_gru_state",
    "init_lstm_state",
    "init_mamba_state",
    "init_mingru_state",
    "init_minlstm_state",
    "init_rnn_state",
    "init_s4d_state",
    "load_corpus_time_machine",
    "load_data_builtin",
    "load_data_grammar",
    "load_data_string",
    "load_data_text",
    "load_data_time_machine",
    "load_data_tiny_shakespeare",
    "load_digits",
    "load_model",
    "look_inside",
    "lstm",
    "lstm_fused",
    "make_step",
    "make_update",
    "mamba",
    "mamba_scan",
    "mingru",
    "mingru_scan",
    "minlstm",
    "minlstm_scan",
    "mlp",
    "new_cell",
    "one_hot",
    "pad_sequences",
    "parity",
    "predict_ch8",
    "predict_many",
    "processes",
    "read_builtin",
    "read_fra_eng",
    "read_mnist",
    "read_text",
    "read_time_machine",
    "read_tiny_shakespeare",
    "recall",
    "rnn",
    "rnn_fused",
    "s4d",
    "s4d_scan",
    "save_model",
    "scale_recurrent",
    "selective_copy",
    "seq_data_iter_random",
    "seq_data_iter_sequential",
    "sequential_scan",
    "sgd_step",
    "show",
    "sigmoid",
    "split_params",
    "stack",
    "tagged_sentences",
    "tanh",
    "texts_to_sequences",
    "to_numpy",
    "tokenize",
    "train_ch8",
    "train_epoch_ch8",
    "train_sequences",
    "trainable",
    "try_gpu",
    "value_and_grad",
    "vjp",
    "words_of",
]

PLACES: Mapping[str, str] = MappingProxyType(
    {
        name: f"d2lrnn.{module}"
        for module, names in {
            "data.batches": "BatchLoader",
            "data.bpe": "BPETokenizer",
            "data.bpe_vocab": "BPEVocab",
            "data.corpora": "read_builtin read_text read_time_machine read_tiny_shakespeare",
            "data.data_files": "DownloadError",
            "data.datasets": "load_digits read_fra_eng read_mnist",
            "data.generated": "date_pairs tagged_sentences",
            "data.memory_tasks": "adding parity recall selective_copy",
            "data.loaders": "load_corpus_time_machine",
            "data.text": "Vocab pad_sequences texts_to_sequences tokenize words_of",
            "files.model_file": "CheckpointError save_model",
            "measure.gradient_flow": "bptt_terms gradient_norms scale_recurrent",
            "measure.inside": "look_inside",
            "nets.bleu": "bleu",
            "nets.cells": "flip_update_gate",
            "nets.copying": "copy_params",
            "nets.prediction": "predict_ch8 predict_many",
            "nets.schedules": "CosineSchedule StepSchedule WarmupSchedule",
            "teaching": "show",
            "training.callbacks": "Callback",
            "training.evaluation": "evaluate",
            "training.history": "DivergenceError History Scores",
            "training.keeper": "Interrupted",
            "training.language": "train_ch8",
            "training.language_epoch": "make_step train_epoch_ch8",
            "training.sequences": "train_sequences",
        }.items()
        for name in names.split()
    }
)


def __getattr__(name: str) -> Any:
    """Import a name of PLACES when it is first used."""
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(PLACES[name]), name)


# The functions that interface/ documents.
CONTRACTS: Mapping[str, Any] = MappingProxyType(
    {
        **interface.members(interface.Backend),
        **interface.members(interface.Layers),
        **interface.members(interface.ScanLayers),
    }
)

# The names that a module's for_backend(ops) builds from the record of a backend.
BUILT: Mapping[str, str] = MappingProxyType(
    {
        name: f"d2lrnn.{module}"
        for module, names in {
            "data.tensor_loaders": "SeqDataLoader seq_data_iter_random seq_data_iter_sequential "
            "load_data_time_machine load_data_tiny_shakespeare load_data_builtin load_data_text "
            "load_data_string load_data_grammar",
            "files.model_file": "load_model",
            "measure.cell_check": "check_cell",
            "nets.concatenated": "concat_params split_params concat_rnn concat_gru concat_lstm",
            "nets.custom": "new_cell tanh sigmoid",
            "nets.encoder_decoder": "SequenceClassifierScratch SequenceTaggerScratch "
            "SequenceRegressorScratch "
            "EncoderScratch DecoderScratch EncoderDecoderScratch",
            "nets.group": "processes",
            "nets.parameters": "get_mlp_params get_params get_gru_params "
            "get_gru_reset_after_params get_lstm_params get_mingru_params get_minlstm_params "
            "get_s4d_params get_mamba_params init_rnn_state init_gru_state init_lstm_state "
            "init_mingru_state init_minlstm_state init_s4d_state init_mamba_state",
        }.items()
        for name in names.split()
    }
)


def late(namespace: dict[str, Any], ops: Ops, model: type[RNNModelScratch]) -> Callable[[str], Any]:
    """Return a backend's __getattr__, and set the docstrings of its functions.

    Args:
        namespace: the backend's globals(), to which each name is added when it is first used.
        ops: the record of the backend.
        model: the backend's RNNModelScratch.
    """
    for name in namespace.keys() & CONTRACTS.keys():
        _document(name, namespace[name])
    model.__doc__ = model.__mro__[1].__doc__

    def get(name: str) -> Any:
        if name in BUILT:
            module = importlib.import_module(BUILT[name])
            for built, value in module.for_backend(ops).items():
                forward.name(value, __module__=namespace["__name__"], __qualname__=built)  # pickle
                namespace.setdefault(built, _document(built, value))
        elif name in PLACES:
            namespace.setdefault(name, __getattr__(name))
        elif name in vars(interface.Layers):
            raise AttributeError(
                f"{namespace['__name__']} does not have {name}, because "
                f"{backends.BACKENDS[ops.name].title} has no recurrent layers; use RNNModelScratch"
            )
        elif name == "MinGRU":
            raise AttributeError(
                f"{namespace['__name__']} does not have MinGRU, because "
                f"{backends.BACKENDS[ops.name].title} does not have a public scan; use "
                "RNNModelScratch with mingru_scan, which computes the same"
            )
        else:
            raise AttributeError(f"module {namespace['__name__']!r} has no attribute {name!r}")
        return namespace[name]

    return get


def _document(name: str, value: Any) -> Any:
    """Set the docstring of a function or class to that of interface/, if there is one."""
    if name in CONTRACTS:
        forward.name(value, __doc__=CONTRACTS[name].__doc__)
    return value
