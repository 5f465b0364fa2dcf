"""What every backend hands on as it is, because no framework needs naming for it."""

from d2lrnn.cells import flip_update_gate
from d2lrnn.checkpoint import CheckpointError, save_model
from d2lrnn.corpora import (
    DownloadError,
    read_builtin,
    read_text,
    read_time_machine,
    read_tiny_shakespeare,
)
from d2lrnn.datasets import load_digits, read_fra_eng, read_mnist
from d2lrnn.fitting import BatchLoader, Scores, train_sequences
from d2lrnn.generated import date_pairs, tagged_sentences
from d2lrnn.gradient_flow import bptt_terms, gradient_norms, scale_recurrent
from d2lrnn.inside import look_inside
from d2lrnn.loaders import load_corpus_time_machine
from d2lrnn.model import copy_params
from d2lrnn.prediction import predict_ch8
from d2lrnn.resume import Interrupted
from d2lrnn.teaching import show
from d2lrnn.text import Vocab, pad_sequences, texts_to_sequences, tokenize, words_of
from d2lrnn.training import (
    DivergenceError,
    History,
    make_step,
    train_ch8,
    train_epoch_ch8,
)
from d2lrnn.translation import bleu

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
