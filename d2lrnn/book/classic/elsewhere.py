"""The names that are not here: those of other chapters say so, modules come when asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

CHAPTERS = {
    "linear networks": "synthetic_data linreg squared_loss get_fashion_mnist_labels show_images "
    "get_dataloader_workers load_data_fashion_mnist train_epoch_ch3 train_ch3 predict_ch3",
    "convolutional networks": "corr2d evaluate_accuracy_gpu train_ch6 TrainCallback Residual",
    "attention mechanisms": "show_heatmaps masked_softmax AdditiveAttention DotProductAttention "
    "AttentionDecoder MultiHeadAttention transpose_qkv transpose_output PositionalEncoding "
    "PositionWiseFFN AddNorm EncoderBlock TransformerEncoder",
    "optimization algorithms": "annotate train_2d show_trace_2d get_data_ch11 train_ch11 "
    "train_concise_ch11",
    "computational performance": "Benchmark split_batch resnet18 evaluate_accuracy_gpus",
    "computer vision": "train_batch_ch13 train_ch13 box_corner_to_center box_center_to_corner "
    "bbox_to_rect multibox_prior show_bboxes box_iou assign_anchor_to_bbox offset_boxes "
    "multibox_target offset_inverse nms multibox_detection read_data_bananas BananasDataset "
    "load_data_bananas read_voc_images VOC_COLORMAP VOC_CLASSES voc_colormap2label "
    "voc_label_indices voc_rand_crop VOCSegDataset load_data_voc read_csv_labels copyfile "
    "reorg_train_valid reorg_test",
    "natural language processing": "read_ptb subsample get_centers_and_contexts RandomGenerator "
    "get_negatives batchify load_data_ptb TokenEmbedding get_tokens_and_segments BERTEncoder "
    "MaskLM NextSentencePred BERTModel load_data_wiki read_imdb load_data_imdb "
    "predict_sentiment read_snli SNLIDataset load_data_snli predict_snli split_batch_multi_inputs",
    "recommender systems": "read_data_ml100k split_data_ml100k load_data_ml100k "
    "split_and_load_ml100k train_recsys_rating BPRLoss HingeLossbRec hit_and_auc "
    "evaluate_ranking train_ranking CTRDataset",
    "generative adversarial networks": "update_D update_G",
}
CHAPTER_OF = {name: chapter for chapter, names in CHAPTERS.items() for name in names.split()}

# Modules that d2l's own modules import, and that cells therefore reach through d2l.
MODULES = {
    **{name: name for name in ("collections", "hashlib", "math", "os", "random", "re", "shutil")},
    **{name: name for name in ("sys", "tarfile", "time", "zipfile")},
    "display": "IPython.display",
    "pd": "pandas",
    "requests": "requests",
}


def names_of(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a framework's module: a module, or why a name is absent."""

    def __getattr__(name: str) -> Any:
        if module := {**MODULES, **modules}.get(name):
            return importlib.import_module(module)
        if chapter := CHAPTER_OF.get(name):
            raise AttributeError(
                f"d2l.{name} belongs to another chapter of the book, on {chapter}; {package} has "
                "the names of the chapters on recurrent networks; define it in a cell, as the "
                "book does, or install d2l"
            )
        raise AttributeError(f"module {package!r} has no attribute {name!r}; nor has d2l 0.17")

    return __getattr__
