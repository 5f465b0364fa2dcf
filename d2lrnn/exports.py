"""What every backend hands on: as it is, or made of the backend's record.

Nothing of it is imported before it is asked for (PEP 562): who trains no network of sequences waits
for none. What a type checker sees is imported here, and what of it Python is told by PLACES and
MADE are the same names, which a test compares.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from d2lrnn.data.batches import BatchLoader, SeqDataLoader
    from d2lrnn.data.corpora import (
        DownloadError,
        read_builtin,
        read_text,
        read_time_machine,
        read_tiny_shakespeare,
    )
    from d2lrnn.data.datasets import load_digits, read_fra_eng, read_mnist
    from d2lrnn.data.generated import date_pairs, tagged_sentences
    from d2lrnn.data.loaders import load_corpus_time_machine
    from d2lrnn.data.signatures import DataIter, LoadData, LoadGrammar, LoadText
    from d2lrnn.data.text import Vocab, pad_sequences, texts_to_sequences, tokenize, words_of
    from d2lrnn.files.model_file import CheckpointError, LoadModel, save_model
    from d2lrnn.measure.gradient_flow import bptt_terms, gradient_norms, scale_recurrent
    from d2lrnn.measure.inside import look_inside
    from d2lrnn.nets import classifiers, concatenated, encoder_decoder, parameters
    from d2lrnn.nets.bleu import bleu
    from d2lrnn.nets.cells import Architecture, flip_update_gate
    from d2lrnn.nets.group import Group
    from d2lrnn.nets.language_model import ScratchModel, copy_params
    from d2lrnn.nets.ops import Ops
    from d2lrnn.nets.prediction import predict_ch8, predict_many
    from d2lrnn.teaching import show
    from d2lrnn.training.history import DivergenceError, History, Scores
    from d2lrnn.training.keeper import Interrupted
    from d2lrnn.training.language import make_step, train_ch8, train_epoch_ch8
    from d2lrnn.training.sequences import train_sequences

__all__ = [
    "BatchLoader",
    "CheckpointError",
    "DivergenceError",
    "DownloadError",
    "History",
    "Interrupted",
    "Scores",
    "Vocab",
    "bleu",
    "bptt_terms",
    "copy_params",
    "date_pairs",
    "flip_update_gate",
    "gradient_norms",
    "load_corpus_time_machine",
    "load_digits",
    "look_inside",
    "make_step",
    "pad_sequences",
    "predict_ch8",
    "predict_many",
    "read_builtin",
    "read_fra_eng",
    "read_mnist",
    "read_text",
    "read_time_machine",
    "read_tiny_shakespeare",
    "save_model",
    "scale_recurrent",
    "show",
    "tagged_sentences",
    "texts_to_sequences",
    "tokenize",
    "train_ch8",
    "train_epoch_ch8",
    "train_sequences",
    "words_of",
]


PLACES: Mapping[str, str] = MappingProxyType(
    {
        name: f"d2lrnn.{module}"
        for module, names in {
            "data.batches": "BatchLoader",
            "data.corpora": "DownloadError read_builtin read_text read_time_machine "
            "read_tiny_shakespeare",
            "data.datasets": "load_digits read_fra_eng read_mnist",
            "data.generated": "date_pairs tagged_sentences",
            "data.loaders": "load_corpus_time_machine",
            "data.text": "Vocab pad_sequences texts_to_sequences tokenize words_of",
            "files.model_file": "CheckpointError save_model",
            "measure.gradient_flow": "bptt_terms gradient_norms scale_recurrent",
            "measure.inside": "look_inside",
            "nets.bleu": "bleu",
            "nets.cells": "flip_update_gate",
            "nets.language_model": "copy_params",
            "nets.prediction": "predict_ch8 predict_many",
            "teaching": "show",
            "training.history": "DivergenceError History Scores",
            "training.keeper": "Interrupted",
            "training.language": "make_step train_ch8 train_epoch_ch8",
            "training.sequences": "train_sequences",
        }.items()
        for name in names.split()
    }
)


def __getattr__(name: str) -> Any:
    """Return what is handed on as it is, imported when it is first asked for."""
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(PLACES[name]), name)


class Exports(NamedTuple):
    """What is made of a backend's record, by the names that the backend hands on."""

    # The texts, yielding the backend's tensors
    SeqDataLoader: type[SeqDataLoader]
    seq_data_iter_random: DataIter
    seq_data_iter_sequential: DataIter
    load_data_time_machine: LoadData
    load_data_tiny_shakespeare: LoadData
    load_data_builtin: LoadData
    load_data_text: LoadText
    load_data_grammar: LoadGrammar
    # Parameters and first states
    get_mlp_params: parameters.GetMLPParams
    get_params: parameters.GetParams
    get_gru_params: parameters.GetParams
    get_gru_reset_after_params: parameters.GetParams
    get_lstm_params: parameters.GetParams
    init_rnn_state: parameters.InitState
    init_gru_state: parameters.InitState
    init_lstm_state: parameters.InitState
    concat_params: concatenated.Convert
    split_params: concatenated.Convert
    # Networks over sequences, and files
    SequenceClassifierScratch: type[classifiers.SequenceClassifierScratch]
    SequenceTaggerScratch: type[classifiers.SequenceTaggerScratch]
    EncoderScratch: type[encoder_decoder.EncoderScratch]
    DecoderScratch: type[encoder_decoder.DecoderScratch]
    EncoderDecoderScratch: type[encoder_decoder.EncoderDecoderScratch]
    load_model: LoadModel
    # Training in several processes
    processes: Callable[[], Group]


if TYPE_CHECKING:

    def of(ops: Ops, model: type[ScratchModel]) -> Exports:
        """Return what late hands on, one by one: this is for type checkers alone."""


def _loaders(ops: Ops, model: type[ScratchModel]) -> dict[str, Any]:
    from d2lrnn.data import loaders

    return loaders.of(ops.tensors.from_numpy)._asdict()


def _parameters(ops: Ops, model: type[ScratchModel]) -> dict[str, Any]:
    from d2lrnn.nets import parameters

    return parameters.of(ops)._asdict()


def _converters(ops: Ops, model: type[ScratchModel]) -> dict[str, Any]:
    from d2lrnn.nets import concatenated

    return concatenated.of(ops)._asdict()


def _sequence_nets(ops: Ops, model: type[ScratchModel]) -> dict[str, Any]:
    from d2lrnn.nets import encoder_decoder

    return encoder_decoder.of(ops)._asdict()


def _files(ops: Ops, model: type[ScratchModel]) -> dict[str, Any]:
    from d2lrnn.files import model_file
    from d2lrnn.nets import layers

    def new_net(
        architecture: Architecture, vocab_size: int, num_hiddens: int, **settings: Any
    ) -> ScratchModel:
        functions = layers.functions(ops, architecture)
        return model(vocab_size, num_hiddens, *functions, **settings)

    return {"load_model": model_file.loader(new_net)}


def _processes(ops: Ops, model: type[ScratchModel]) -> dict[str, Any]:
    def processes() -> Group:
        """Return the processes that train together, of which this is one: rank and size."""
        return ops.group

    return {"processes": processes}


MADE: Mapping[str, Callable[[Ops, type[ScratchModel]], dict[str, Any]]] = MappingProxyType(
    {
        name: make
        for make, names in {
            _loaders: "SeqDataLoader seq_data_iter_random seq_data_iter_sequential "
            "load_data_time_machine load_data_tiny_shakespeare load_data_builtin load_data_text "
            "load_data_grammar",
            _parameters: "get_mlp_params get_params get_gru_params get_gru_reset_after_params "
            "get_lstm_params init_rnn_state init_gru_state init_lstm_state",
            _converters: "concat_params split_params",
            _sequence_nets: "SequenceClassifierScratch SequenceTaggerScratch EncoderScratch "
            "DecoderScratch EncoderDecoderScratch",
            _files: "load_model",
            _processes: "processes",
        }.items()
        for name in names.split()
    }
)


def late(namespace: dict[str, Any], ops: Ops, model: type[ScratchModel]) -> Callable[[str], Any]:
    """Return a backend's __getattr__: what is asked for is, from then on, in its namespace.

    Args:
        namespace: the backend's globals().
        ops: its record.
        model: its RNNModelScratch.
    """

    def get(name: str) -> Any:
        if name in MADE:
            for made, value in MADE[name](ops, model).items():
                value.__module__, value.__qualname__ = namespace["__name__"], made  # for pickle
                namespace.setdefault(made, value)
        elif name in PLACES:
            namespace.setdefault(name, __getattr__(name))
        else:
            raise AttributeError(f"module {namespace['__name__']!r} has no attribute {name!r}")
        return namespace[name]

    return get
