"""Types that the signatures of all backends name."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

Tensor = Any
Device = Any
Array = np.ndarray[Any, Any]
State = tuple[Tensor, ...]
Params = list[Tensor]
ForwardFn = Callable[[Tensor, State, Params], tuple[Tensor, State]]
StrPath = str | os.PathLike[str]
