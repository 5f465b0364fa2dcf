"""The names of edition 0.17 that are the same in every framework."""

from d2lrnn.book.counting import Accumulator, Timer
from d2lrnn.data.text import tokenize

from .animator import Animator
from .downloads import DATA_HUB, DATA_URL, download_extract
from .figures import (
    plot,
    plt,
    set_axes,
    set_figsize,
    show_heatmaps,
    show_list_len_pair_hist,
    use_svg_display,
)
from .hub import download, download_all
from .pairs import (
    bleu,
    build_array_nmt,
    load_data_nmt,
    preprocess_nmt,
    read_data_nmt,
    tokenize_nmt,
    truncate_pad,
)
from .text import (
    SeqDataLoader,
    Vocab,
    count_corpus,
    load_corpus_time_machine,
    load_data_time_machine,
    read_time_machine,
    seq_data_iter_random,
    seq_data_iter_sequential,
)

__all__ = [name for name in dir() if not name.startswith("_")]
