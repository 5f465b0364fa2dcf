"""The contract of a backend: functions and classes by name, with their required signatures."""

from d2lrnn import exports, interface
from d2lrnn.data import batches, grammar, loaders
from d2lrnn.nets import encoder_decoder
from d2lrnn.nets.language_model import RNNModelScratch
from d2lrnn.nets.model import Model

# Documented where they are written; every backend exports them.
SHARED = {
    **{name: getattr(exports, name) for name in exports.PLACES if not name.endswith("Error")},
    **{
        name: getattr(module, name)
        for module in (batches, grammar, loaders)
        for name in exports.BUILT
        if hasattr(module, name)
    },
    **{net.__name__: net for net in encoder_decoder.NETS},
    "RNNModelScratch": RNNModelScratch,
}

# What users do with a language model.
METHODS = (
    "__call__",
    "inputs",
    "begin_state",
    "evaluate",
    "make_step",
    "gradients",
    "arrays",
    "load_arrays",
    "own_arrays",
    "load_exactly",
)
NET = {name: getattr(Model, name) for name in METHODS}


LAYERS = interface.members(interface.Layers)
SCAN_LAYERS = interface.members(interface.ScanLayers)


def layers_of(backend):
    """The frameworks' own layers that a backend has."""
    if backend == "numpy":
        return {}
    return {**LAYERS, **(SCAN_LAYERS if backend in ("tensorflow", "jax") else {})}


BACKEND = {**interface.members(interface.Backend), **SHARED}
