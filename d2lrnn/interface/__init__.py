"""The interface of every backend: each function with its signature, shapes, errors and an example.

The five backends implement these functions with the same signatures. ``help()`` shows the text of
this folder for each of them, and bad arguments raise ValueError with the same message everywhere.

In shapes, ``n`` is batch_size, ``T`` num_steps, ``V`` vocab_size, ``h`` num_hiddens, ``d`` the
number of inputs and ``q`` the number of outputs. A *tensor* is the framework's own type. Sections
and equations are those of *Dive into Deep Learning* 1.0.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from d2lrnn.interface.aliases import Array, Device, ForwardFn, Params, State, StrPath, Tensor
from d2lrnn.interface.concatenated import Concatenated
from d2lrnn.interface.custom import Custom
from d2lrnn.interface.files import Files
from d2lrnn.interface.fused import Fused
from d2lrnn.interface.gated import Gated
from d2lrnn.interface.layers import Layers, ScanLayers
from d2lrnn.interface.linear import Linear
from d2lrnn.interface.recurrent import Recurrent
from d2lrnn.interface.state_space import StateSpace
from d2lrnn.interface.tensors import Tensors
from d2lrnn.interface.training import Training

if TYPE_CHECKING:
    from d2lrnn.nets import classifiers, coders, encoder_decoder, language_model, regressor

__all__ = [
    "Array",
    "Backend",
    "BackendLike",
    "Device",
    "ForwardFn",
    "Layers",
    "Params",
    "ScanLayers",
    "State",
    "StrPath",
    "Tensor",
    "members",
]


# The last topic is the first base, since members() and the reference go from the last base upward.
class Backend(
    Files,
    Training,
    Concatenated,
    Custom,
    StateSpace,
    Linear,
    Fused,
    Gated,
    Recurrent,
    Tensors,
    Protocol,
):
    """The functions of a backend, such as ``from d2lrnn import torch as rnn``."""

    # Classes and functions that are documented where they are defined

    RNNModelScratch: type[language_model.RNNModelScratch]
    SequenceClassifierScratch: type[classifiers.SequenceClassifierScratch]
    SequenceTaggerScratch: type[classifiers.SequenceTaggerScratch]
    SequenceRegressorScratch: type[regressor.SequenceRegressorScratch]
    EncoderScratch: type[coders.EncoderScratch]
    DecoderScratch: type[coders.DecoderScratch]
    EncoderDecoderScratch: type[encoder_decoder.EncoderDecoderScratch]
    SeqDataLoader: Callable[..., Any]
    load_data_text: Callable[..., Any]
    load_data_time_machine: Callable[..., Any]
    make_step: Callable[..., Any]
    predict_ch8: Callable[..., Any]
    predict_many: Callable[..., Any]
    save_model: Callable[..., Any]
    train_ch8: Callable[..., Any]


BackendLike = Backend | ModuleType  # what ``from d2lrnn import torch as rnn`` is for a type checker


def members(protocol: type) -> dict[str, Any]:
    """Return the functions that a protocol documents, by name, in the order of topics."""
    names = (name for topic in reversed(protocol.__mro__) for name in vars(topic))
    return {name: getattr(protocol, name) for name in names if not name.startswith("_")}
