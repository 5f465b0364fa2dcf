"""The cells that are linear in their state equal those in the book's edition of 2026.

The classes are taken from the pages when the test runs, and called with the parameters of d2lrnn.
The edition has no minLSTM; its scan is compared with a sum of logarithms in test_linear.py.
"""

import importlib
import math
import re
import types
from pathlib import Path

import pytest

from d2lrnn.measure import agreement
from d2lrnn.nets import linear

PAGES = ("neu/chapter_recurrent-modern/ssm.md", "neu/chapter_recurrent-modern/mamba.md")
CELL = re.compile(r"```\{\.python [^\n]*\n%%tab pytorch\n(.*?)```", re.DOTALL)
CLASSES = (
    "def associative_scan",
    "class MinGRU",
    "class S4D(",
    "class SelectiveSSM",
    "class MambaBlock",
)


@pytest.fixture
def edition(book_pages):
    """The edition's classes for PyTorch, as a namespace."""
    torch = importlib.import_module("torch")

    class Module(torch.nn.Module):
        def save_hyperparameters(self):
            pass

    names = {"torch": torch, "nn": torch.nn, "F": torch.nn.functional, "math": math}
    names["d2l"] = types.SimpleNamespace(Module=Module)
    for page in PAGES:
        path = Path(book_pages) / "pages" / page
        for code in CELL.findall(path.read_text(encoding="utf-8")):
            if any(start in code for start in CLASSES) and "benchmark" not in code:
                exec(compile(code, str(path), "exec"), names)
    return types.SimpleNamespace(**names)


def mingru(edition, X, H, W_xz, b_z, W_xh, b_h):
    layer = edition.MinGRU(*W_xz.shape)
    given = {"W_xz.weight": W_xz.T, "W_xz.bias": b_z, "W_xh.weight": W_xh.T, "W_xh.bias": b_h}
    return called(edition, layer, given, X, H)[0]


def s4d(edition, X, Y, S, W_xu, b_u, log_a, log_dt, C, D):
    layer = edition.S4D(len(D), linear.N)
    given = {"log_a": log_a, "log_dt": log_dt[:, None], "C": C, "D": D}
    return called(edition, layer, given, X @ W_xu + b_u)


def mamba(edition, X, Y, U, S, *weights):
    p = linear.MAMBA.named(weights)
    layer, join = edition.MambaBlock(len(p["gain"]), linear.N), edition.torch.cat
    given = {
        "ln.weight": p["gain"],
        "ln.bias": p["shift"],
        "W_in.weight": join([p["W_u"], p["W_g"]], 1).T,
        "W_in.bias": join([p["b_u"], p["b_g"]]),
        "conv.weight": p["W_conv"].T[:, None],
        "conv.bias": p["b_conv"],
        "ssm.W_dt.0.weight": p["W_r"].T,
        "ssm.W_dt.0.bias": edition.torch.zeros_like(p["W_dt"][:, 0]),
        "ssm.W_dt.1.weight": p["W_dt"].T,
        "ssm.b_dt": p["b_dt"],
        "ssm.W_B.weight": p["W_B"].T,
        "ssm.W_C.weight": p["W_C"].T,
        "ssm.log_a": p["log_a"],
        "ssm.D": p["D"],
        "W_out.weight": p["W_o"].T,
        "W_out.bias": p["b_o"],
    }
    return called(edition, layer, given, X @ p["W_xe"] + p["b_e"])


def called(edition, layer, given, *inputs):
    """Call a layer with parameters in place of its own, which must be all of them."""
    assert given.keys() == dict(layer.named_parameters()).keys()
    return edition.torch.func.functional_call(layer, given, inputs)


LAYERS = {"mingru": mingru, "s4d": s4d, "mamba": mamba}


@pytest.mark.only("torch")
@pytest.mark.parametrize("form", ["", "_scan"])
@pytest.mark.parametrize("cell", LAYERS)
def test_a_cell_and_its_gradients_are_those_of_the_edition_of_2026(rnn, edition, cell, form):
    problem = agreement.make_problem(cell, num_steps=35, batch_size=3, num_hiddens=6)
    inputs, d_outputs = rnn.from_numpy(problem.inputs), rnn.from_numpy(problem.d_outputs)
    kept = 1 if cell == "mingru" else 0  # the other layers of the edition start from zeros
    state = tuple(kept * rnn.from_numpy(x) for x in problem.state)
    params = list(map(rnn.from_numpy, problem.params))

    def theirs(inputs, state, params):
        *weights, W_hq, b_q = params
        Hs = LAYERS[cell](edition, inputs, *state, *weights)
        return (Hs @ W_hq + b_q).flatten(0, 1), state

    def gradients(forward_fn):
        no_state = tuple(0 * x for x in state)
        d_inputs, _, d_params = rnn.vjp(forward_fn, inputs, state, params, d_outputs, no_state)
        return [forward_fn(inputs, state, params)[0], d_inputs, *d_params]

    found, expected = gradients(getattr(rnn, cell + form)), gradients(theirs)
    for place, (one, other) in enumerate(zip(found, expected, strict=True)):
        gap = agreement.difference(rnn.to_numpy(one), rnn.to_numpy(other))
        assert gap <= agreement.bound("gradients", "float64", 0), place
