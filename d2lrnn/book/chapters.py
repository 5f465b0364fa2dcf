"""Which names of the book's package belong to chapters that are not ours."""

from __future__ import annotations

from typing import NoReturn

# Chapters of edition 1.0, and the names of its package, and of 0.17's, that they define.
ELSEWHERE = {
    "linear neural networks for classification": """
        FashionMNIST get_fashion_mnist_labels load_data_fashion_mnist show_images train_ch3
        train_epoch_ch3 predict_ch3 evaluate_accuracy get_dataloader_workers""",
    "multilayer perceptrons": """
        download_all KaggleHouse""",
    "convolutional neural networks": """
        corr2d init_cnn LeNet train_ch6 evaluate_accuracy_gpu TrainCallback""",
    "modern convolutional neural networks": """
        Residual ResNeXtBlock resnet18 train_batch_ch13 train_ch13""",
    "attention mechanisms and transformers": """
        show_heatmaps masked_softmax DotProductAttention AdditiveAttention AttentionDecoder
        MultiHeadAttention PositionalEncoding PositionWiseFFN AddNorm TransformerEncoderBlock
        TransformerEncoder EncoderBlock transpose_qkv transpose_output""",
    "optimization algorithms": """
        annotate train_2d show_trace_2d get_data_ch11 train_ch11 train_concise_ch11""",
    "computational performance": "Benchmark split_batch evaluate_accuracy_gpus",
    "computer vision": """
        box_corner_to_center box_center_to_corner bbox_to_rect multibox_prior show_bboxes box_iou
        assign_anchor_to_bbox offset_boxes multibox_target offset_inverse nms multibox_detection
        read_data_bananas BananasDataset load_data_bananas read_voc_images VOC_COLORMAP VOC_CLASSES
        voc_colormap2label voc_label_indices voc_rand_crop VOCSegDataset load_data_voc
        read_csv_labels copyfile reorg_train_valid reorg_test transforms torchvision""",
    "natural language processing: pretraining": """
        read_ptb subsample get_centers_and_contexts RandomGenerator get_negatives batchify
        load_data_ptb TokenEmbedding get_tokens_and_segments BERTEncoder MaskLM NextSentencePred
        BERTModel load_data_wiki""",
    "natural language processing: applications": """
        read_imdb load_data_imdb predict_sentiment read_snli SNLIDataset load_data_snli
        predict_snli split_batch_multi_inputs""",
    "reinforcement learning": """
        frozen_lake make_env show_value_function_progress show_Q_function_progress""",
    "Gaussian processes": "rbfkernel distance_matrix",
    "hyperparameter optimization": """
        HPOTrainer HPOSearcher RandomSearcher HPOScheduler BasicScheduler HPOTuner
        hpo_objective_lenet SuccessiveHalvingScheduler""",
    "generative adversarial networks": "update_D update_G",
    "recommender systems": """
        read_data_ml100k split_data_ml100k load_data_ml100k split_and_load_ml100k
        train_recsys_rating BPRLoss HingeLossbRec hit_and_auc evaluate_ranking train_ranking
        CTRDataset""",
}
CHAPTER_OF = {name: chapter for chapter, names in ELSEWHERE.items() for name in names.split()}


def absent(module: str, name: str) -> NoReturn:
    """Raise the AttributeError for a name that a module of the book's names does not have.

    It says which chapter the name belongs to, where it is one of the book's.

    Args:
        module: the module's ``__name__``.
        name: what was asked for.
    """
    if name not in CHAPTER_OF:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    raise AttributeError(
        f"{name} is not in {module}: it belongs to the book's chapter on {CHAPTER_OF[name]}, and "
        "only the recurrent chapters are here; its notebooks need the book's own package, d2l"
    )
