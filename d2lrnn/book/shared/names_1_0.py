"""The names of edition 1.0 that are the same in every framework.

Notebooks also use the modules that the book's package imports, as d2l.math, so they are here too.
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

__all__ = [name for name in dir() if not name.startswith("_")]
