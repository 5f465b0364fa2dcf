"""The network that ``d2lrnn train`` trains: its cell, its layers and how they are computed."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from d2lrnn import checks
from d2lrnn.cli import own_cells
from d2lrnn.cli.recipe import TrainOptions
from d2lrnn.nets import build, cells, describe

if TYPE_CHECKING:
    from d2lrnn.interface import Backend

FORWARD = {**{cell: cell for cell in cells.CELLS}, **{f: cell for cell, f in build.FUSED.items()}}


def _forms(cell: str) -> list[str]:
    """Return the values of --forward that are for a cell."""
    return [form for form, of_cell in FORWARD.items() if of_cell == cell]


def _is_fused(architecture: cells.Architecture, forward: str | None) -> bool:
    """Return whether the fused forward function is to be used: where there is one, by default."""
    if forward is None:
        is_ours = architecture.custom is None
        return is_ours and architecture.plain and architecture.cell in build.FUSED
    cell = FORWARD[forward]
    if not architecture.plain:
        raise ValueError(
            f"--forward {forward} is for a single layer in one direction, not for "
            f"{describe.in_words(architecture)}; leave out --forward"
        )
    if architecture.custom is not None:
        raise ValueError(
            f"--forward {forward} is not for the custom cell {architecture.cell}, which has one "
            "form; leave out --forward"
        )
    if cell != architecture.cell:
        raise ValueError(
            f"--forward {forward} is not for the cell {architecture.cell}; choose --cell {cell}, "
            f"or --forward {' or '.join(_forms(architecture.cell))}"
        )
    return forward != cell


def _architecture(rnn: Backend, options: TrainOptions) -> cells.Architecture:
    """Return the cell, the layers, the directions and the embedding that the options name."""
    is_custom = own_cells.is_custom(options.cell)
    cell: Any = own_cells.load(options.cell).cell(rnn) if is_custom else options.cell
    numbers = options.layers, options.bidirectional
    return cells.Architecture(cell, *numbers, embedding=options.embedding)


def make(rnn: Backend, vocab_size: int, options: TrainOptions) -> Any:
    """Return a new net of the cell, the layers and the form that the options name."""
    architecture = _architecture(rnn, options)
    sizes, settings = (vocab_size, options.hiddens), options.net_settings(rnn)
    checks.memory(
        architecture.num_weights(*sizes), options.dtype, "take fewer --layers or --hiddens"
    )
    if not options.concise:
        fused = _is_fused(architecture, options.forward)
        return build.new_net(rnn, architecture, *sizes, fused=fused, **settings)
    if options.forward:
        raise ValueError("--concise and --forward are both given; choose one")
    if not rnn.RNNModelScratch.ops.has_layers:
        raise ValueError(
            "--concise: NumPy does not have recurrent layers; choose another --backend"
        )
    if architecture.embedding is not None:
        raise ValueError(
            "--concise and --embedding are both given, and a framework's own layer takes one-hot "
            "rows; choose one"
        )
    if architecture.cell == "gru":  # the frameworks' own is the other kind
        architecture = dataclasses.replace(architecture, cell="gru_reset_after")
    if architecture.custom is not None or architecture.cell not in build.LAYERS:
        raise ValueError(
            f"--concise: the frameworks do not have a layer of the cell {architecture.cell}; "
            "choose --cell rnn, gru or lstm, or leave out --concise"
        )
    return build.concise_net(rnn, architecture, *sizes, **settings)
