"""A backend's nets of an architecture, from scratch or around the framework's own layer."""

from __future__ import annotations

from typing import Any

from d2lrnn.nets.cells import CELLS, Architecture

FUSED = ("rnn", "gru", "lstm")


def functions(
    backend: Any, architecture: Architecture, *, fused: bool = False
) -> tuple[Any, Any, Any]:
    """Return a backend's get_params, init_state and forward function for an architecture.

    Raises:
        ValueError: the fused forward function is asked for, and there is none.
    """
    if fused:
        if not (architecture.plain and architecture.cell in FUSED):
            raise ValueError(
                "only one layer in one direction of rnn, gru or lstm has a fused form; "
                f"this is {architecture}"
            )
        made_of = functions(backend, architecture)[:2]
        return (*made_of, getattr(backend, f"{architecture.cell}_fused"))
    if architecture.plain:
        cell = CELLS[architecture.cell]
        get_params, init_state = (getattr(backend, n) for n in (cell.get_params, cell.init_state))
        return get_params, init_state, getattr(backend, cell.name)
    get_params, init_state, forward_fn = backend.stack(
        architecture.cell, architecture.num_layers, architecture.bidirectional
    )
    return get_params, init_state, forward_fn


def new_net(
    backend: Any,
    architecture: Architecture,
    vocab_size: int,
    num_hiddens: int,
    *,
    fused: bool = False,
    **settings: Any,
) -> Any:
    """Return a backend's RNNModelScratch of an architecture, its forward function fused or not."""
    made_of = functions(backend, architecture, fused=fused)
    return backend.RNNModelScratch(vocab_size, num_hiddens, *made_of, **settings)


# The frameworks' own layers, by the name of the function that makes them.
LAYERS = {"rnn": "RNN", "gru_reset_after": "GRU", "lstm": "LSTM"}


def concise_net(
    backend: Any, architecture: Architecture, vocab_size: int, num_hiddens: int, **settings: Any
) -> Any:
    """Return a model around a framework's own layer, or a scratch model where there is none."""
    if not hasattr(backend, "RNNModel"):
        return new_net(backend, architecture, vocab_size, num_hiddens, **settings)
    make = getattr(backend, LAYERS[architecture.cell])
    layers = architecture.num_layers, architecture.bidirectional
    layer = make(vocab_size, num_hiddens, *layers, **settings)
    seed, device = settings.get("seed"), settings.get("device")
    return backend.RNNModel(layer, vocab_size, seed=seed, device=device)
