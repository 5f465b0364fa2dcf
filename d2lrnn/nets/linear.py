"""Cells that are linear in their state, so that a scan computes all time steps at once.

Sources: the book's edition of 2026, sections "Linear Recurrence and State Space Models" and
"Selective State Space Models"; minGRU and minLSTM: Feng et al., 2024 (arXiv 2410.01201); S4D: Gu et
al., 2022 (arXiv 2206.11893); Mamba: Gu and Dao, 2023 (arXiv 2312.00752).

The state of s4d and mamba begins with the output Y, as the state of every cell does, although the
next time step does not use it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from d2lrnn.nets.cell import Axes, Cell

if TYPE_CHECKING:
    from d2lrnn.nets.first_values import Array, Shape

N = 4  # states for each unit
WIDTH = 4  # inputs that the convolution of mamba adds up
FASTEST, SLOWEST = 0.1, 0.001  # the range of the first time steps dt


def fan_in(shape: Shape, rng: np.random.Generator) -> Array:
    """Return numbers from N(0, 1 / rows), so that a product has the variance of its inputs."""
    return rng.standard_normal(shape) / math.sqrt(shape[0])


def embedding(shape: Shape, rng: np.random.Generator) -> Array:
    """Return the identity for a square matrix, as in layers after the first, otherwise N(0, 1)."""
    return np.eye(shape[0]) if shape[0] == shape[1] else rng.standard_normal(shape)


def ones(shape: Shape, rng: np.random.Generator) -> Array:
    """Return ones."""
    return np.ones(shape)


def log_a(shape: Shape, rng: np.random.Generator) -> Array:
    """Return log 1 ... log N for each unit: the decay rates of a unit's states differ."""
    return np.broadcast_to(np.log(np.arange(1, shape[1] + 1)), shape).copy()


def log_dt(shape: Shape, rng: np.random.Generator) -> Array:
    """Return logarithms of time steps, uniform between those of SLOWEST and FASTEST."""
    return rng.uniform(math.log(SLOWEST), math.log(FASTEST), shape)


def b_dt(shape: Shape, rng: np.random.Generator) -> Array:
    """Return numbers whose softplus is a time step from the range of log_dt."""
    values: Array = np.log(np.expm1(np.exp(log_dt(shape, rng))))
    return values


def output_matrix(shape: Shape, rng: np.random.Generator) -> Array:
    """Return numbers from N(0, 1 / N) for C."""
    return rng.standard_normal(shape) / math.sqrt(shape[1])


def _gates(letters: str) -> dict[str, Axes]:
    """Return the axes of gates that do not depend on the state: W_x (d, h) and b (h,)."""
    return {
        name: axes
        for letter in letters
        for name, axes in ((f"W_x{letter}", ("d", "h")), (f"b_{letter}", ("h",)))
    }


MINGRU = Cell("mingru", _gates("zh"), {"H": ("h",)}, "get_mingru_params", "init_mingru_state")
MINLSTM = Cell("minlstm", _gates("fih"), {"H": ("h",)}, "get_minlstm_params", "init_minlstm_state")
S4D = Cell(
    "s4d",
    {
        "W_xu": ("d", "h"),
        "b_u": ("h",),
        "log_a": ("h", N),
        "log_dt": ("h",),
        "C": ("h", N),
        "D": ("h",),
    },
    {"Y": ("h",), "S": ("h", N)},
    "get_s4d_params",
    "init_s4d_state",
    first={"W_xu": fan_in, "log_a": log_a, "log_dt": log_dt, "C": output_matrix, "D": ones},
    separate_output=True,
)
MAMBA = Cell(
    "mamba",
    {
        "W_xe": ("d", "h"),
        "b_e": ("h",),
        "gain": ("h",),
        "shift": ("h",),
        "W_u": ("h", "2h"),
        "b_u": ("2h",),
        "W_g": ("h", "2h"),
        "b_g": ("2h",),
        "W_conv": (WIDTH, "2h"),
        "b_conv": ("2h",),
        "W_r": ("2h", "r"),
        "W_dt": ("r", "2h"),
        "b_dt": ("2h",),
        "W_B": ("2h", N),
        "W_C": ("2h", N),
        "log_a": ("2h", N),
        "D": ("2h",),
        "W_o": ("2h", "h"),
        "b_o": ("h",),
    },
    {"Y": ("h",), "U": (WIDTH - 1, "2h"), "S": ("2h", N)},
    "get_mamba_params",
    "init_mamba_state",
    first={
        "W_xe": embedding,
        "gain": ones,
        **dict.fromkeys(["W_u", "W_g", "W_conv", "W_r", "W_dt", "W_B", "W_C", "W_o"], fan_in),
        "b_dt": b_dt,
        "log_a": log_a,
        "D": ones,
    },
    separate_output=True,
)
CELLS = (MINGRU, MINLSTM, S4D, MAMBA)
