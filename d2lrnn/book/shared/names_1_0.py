"""What every framework's module of the book's names hands on as it is.

The book's package lends its notebooks the modules that it imports itself; so does this.
"""

import collections
import hashlib
import inspect
import math
import os
import random
import re
import shutil
import sys
import tarfile
import time
import zipfile
from collections import defaultdict

import numpy as np

from d2lrnn.book.counting import Accumulator, Timer
from d2lrnn.book.objects import HyperParameters, add_to_class, check_len, check_shape
from d2lrnn.data.text import tokenize

from .animator import Animator
from .board import ProgressBoard
from .downloads import DATA_HUB, DATA_URL, download, download_extract, extract
from .figures import (
    plot,
    plt,
    set_axes,
    set_figsize,
    show_heatmaps,
    show_list_len_pair_hist,
    use_svg_display,
)
from .texts import Vocab, bleu

__all__ = [
    "DATA_HUB",
    "DATA_URL",
    "Accumulator",
    "Animator",
    "HyperParameters",
    "ProgressBoard",
    "Timer",
    "Vocab",
    "add_to_class",
    "bleu",
    "check_len",
    "check_shape",
    "collections",
    "defaultdict",
    "download",
    "download_extract",
    "extract",
    "hashlib",
    "inspect",
    "math",
    "np",
    "os",
    "plot",
    "plt",
    "random",
    "re",
    "set_axes",
    "set_figsize",
    "show_heatmaps",
    "show_list_len_pair_hist",
    "shutil",
    "sys",
    "tarfile",
    "time",
    "tokenize",
    "use_svg_display",
    "zipfile",
]
