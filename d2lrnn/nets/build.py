"""Functions that build a backend's models: from scratch or around the framework's own layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from d2lrnn import backends
from d2lrnn.nets import embedding, layers
from d2lrnn.nets.cells import Architecture

if TYPE_CHECKING:
    from d2lrnn.interface import BackendLike, Layers
    from d2lrnn.nets.language_model import RNNModelScratch
    from d2lrnn.nets.model import Model

# The name of each cell's fast form, for the command, which lists them before it loads a backend
FUSED = {
    **{cell: f"{cell}_fused" for cell in ("rnn", "gru", "lstm", "gru_reset_after")},
    **{cell: f"{cell}_scan" for cell in ("mingru", "minlstm", "s4d", "mamba")},
}
LAYERS = ("rnn", "gru_reset_after", "lstm")  # the cells for which frameworks have layers


def new_net(
    backend: BackendLike,
    architecture: Architecture | layers.Triple,
    vocab_size: int,
    num_hiddens: int,
    *,
    fused: bool = False,
    **settings: Any,
) -> RNNModelScratch:
    """Return a backend's RNNModelScratch of an architecture, its forward function fused or not.

    The three functions of a net may take the place of the architecture.
    """
    model = backend.RNNModelScratch
    if isinstance(architecture, tuple):
        return model(vocab_size, num_hiddens, *architecture, **settings)
    functions = embedding.functions(model.ops, architecture, fused=fused)
    return model(vocab_size, num_hiddens, *functions, **settings)


def concise_net(
    backend: BackendLike,
    architecture: Architecture,
    vocab_size: int,
    num_hiddens: int,
    **settings: Any,
) -> Model:
    """Return a model around the framework's own layer, or a scratch model if it has no layers.

    Raises:
        ValueError: the framework has layers, but not one that computes the cell.
    """
    if not backend.RNNModelScratch.ops.has_layers:
        return new_net(backend, architecture, vocab_size, num_hiddens, **settings)
    framework = cast("Layers", backend)
    names = {"rnn": "RNN", "gru_reset_after": "GRU", "lstm": "LSTM", "mingru": "MinGRU"}
    make = getattr(framework, names.get(architecture.cell, ""), None)
    if make is None:
        title = backends.BACKENDS[backend.RNNModelScratch.ops.name].title
        raise ValueError(
            f"{title} does not have a layer that computes {architecture.cell}; use "
            "RNNModelScratch, or d2lrnn train without --concise"
        )
    numbers = architecture.num_layers, architecture.bidirectional
    layer = make(vocab_size, num_hiddens, *numbers, **settings)
    seed, device = settings.get("seed"), settings.get("device")
    return framework.RNNModel(layer, vocab_size, seed=seed, device=device)
