"""What every backend hands on: as it is, or, by of, made of the backend's record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from d2lrnn.data import loaders
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
from d2lrnn.files import model_file
from d2lrnn.files.model_file import CheckpointError, save_model
from d2lrnn.measure.gradient_flow import bptt_terms, gradient_norms, scale_recurrent
from d2lrnn.measure.inside import look_inside
from d2lrnn.nets import classifiers, concatenated, encoder_decoder, layers, parameters
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


class Exports(NamedTuple):
    """What of returns. A backend takes each field by its name, never by its place."""

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
    load_model: model_file.LoadModel
    # Training in several processes
    processes: Callable[[], Group]


def of(ops: Ops, model: type[ScratchModel]) -> Exports:
    """Return what a backend has of the shared modules, computed with its tensors.

    Args:
        ops: the backend's record.
        model: its RNNModelScratch.
    """

    def new_net(
        architecture: Architecture, vocab_size: int, num_hiddens: int, **settings: Any
    ) -> ScratchModel:
        functions = layers.functions(ops, architecture)
        return model(vocab_size, num_hiddens, *functions, **settings)

    parts = (
        loaders.of(ops.tensors.from_numpy),
        parameters.of(ops),
        concatenated.of(ops),
        encoder_decoder.of(ops),
    )
    fields = {name: value for part in parts for name, value in part._asdict().items()}

    def processes() -> Group:
        """Return the processes that train together, of which this is one: rank and size."""
        return ops.group

    return Exports(**fields, load_model=model_file.loader(new_net), processes=processes)
