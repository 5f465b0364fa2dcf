"""What every backend hands on as it is, because no framework needs naming for it."""

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
from d2lrnn.data.text import Vocab, pad_sequences, texts_to_sequences, tokenize, words_of
from d2lrnn.files.model_file import CheckpointError, save_model
from d2lrnn.measure.gradient_flow import bptt_terms, gradient_norms, scale_recurrent
from d2lrnn.measure.inside import look_inside
from d2lrnn.nets.cells import flip_update_gate
from d2lrnn.nets.encoder_decoder import bleu
from d2lrnn.nets.language_model import copy_params
from d2lrnn.nets.prediction import predict_ch8
from d2lrnn.teaching import show
from d2lrnn.training.language import DivergenceError, History, make_step, train_ch8, train_epoch_ch8
from d2lrnn.training.run_file import Interrupted
from d2lrnn.training.sequences import BatchLoader, Scores, train_sequences

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
