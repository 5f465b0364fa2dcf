"""A training step as one CUDA graph: recorded once, replayed without Python between its kernels.

A step is some hundred small kernels, and to launch one from Python takes longer than to run it. Its
shapes are the same for every minibatch, so its kernels are too: recorded as a graph, they are
launched by one call. What a graph computes with lies at fixed addresses: a minibatch is copied
there before a replay, loss and state are copied from there after it, and the parameters and the
optimizer's memory are changed where they lie. Source: PyTorch's notes on CUDA, "CUDA Graphs".
"""

import collections
import functools
import warnings

import torch

from d2lrnn.nets import forward, networks

WARM_UP = 3  # steps from Python before one is recorded: libraries set themselves up in them
MOST = 8  # graphs that a step keeps, one for each shape: each holds memory of its own


class Recorder:
    """What records and replays on one CUDA device."""

    def __init__(self, device):
        """Take a stream: nothing can be recorded on the one that all else is on."""
        self.device, self.stream = device, torch.cuda.Stream(device)

    def aside(self, function):
        """Return function(), run on the stream that will be recorded."""
        current = torch.cuda.current_stream(self.device)
        self.stream.wait_stream(current)
        with torch.cuda.stream(self.stream):
            results = function()
        current.wait_stream(self.stream)
        return results

    def record(self, function):
        """Return replay() and the results of function(), which hold nothing before a replay."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(self.device), torch.cuda.graph(graph, stream=self.stream):
            results = function()
        return graph.replay, results


@functools.cache
def recorder_for(device):
    """Return what records on a device, or None where steps are called from Python."""
    return Recorder(device) if device.type == "cuda" else None


def is_ours(network):
    """Return whether a network does the same at every call: a custom function may not."""
    if isinstance(network, networks.Recurrent):
        return not forward.is_custom(network.forward_fn)
    return type(network).__module__ == networks.__name__


class Step:
    """A step that is recorded, once for each shape of a minibatch, and replayed.

    compute is what value_and_grad makes, change(params, grads, kept) clips and changes the
    parameters where they lie, and returns what the optimizer, whose memory this is, remembers.
    """

    def __init__(self, compute, change, memory):
        """Begin with nothing recorded."""
        self.compute, self.change, self.memory = compute, change, memory
        self.params, self.kept, self.graphs = [], None, {}
        self.times = collections.Counter()

    def __call__(self, recorder, params, *given):
        """Return the mean loss and the last state after one update.

        given are inputs, targets and weights: tensors, tuples of them, and None.
        """
        self.settle(params)
        shapes = mapped(lambda tensor: (tensor.shape, tensor.dtype), given)
        self.times[shapes] += 1
        if self.times[shapes] > WARM_UP and shapes not in self.graphs and len(self.graphs) < MOST:
            self.graphs[shapes] = self.recorded(recorder, given)
        graph = self.graphs.get(shapes)
        if graph is None:
            return recorder.aside(lambda: self.run(*given))
        return graph(*given)

    @torch.no_grad()
    def settle(self, params):
        """Forget what was recorded for other parameters; keep the memory where it lies."""
        if addresses(params) != addresses(self.params):
            self.params, self.kept = list(params), None
            self.graphs.clear()
            self.times.clear()
        before = self.memory.before(params)
        if self.kept is None:
            self.kept = before
        elif self.kept is not before:  # it was loaded
            copy(before, self.kept)
        self.memory.kept = self.kept

    def run(self, inputs, targets, weights):
        """Take a step and change parameters and memory where they lie."""
        leaves = [param.detach().requires_grad_() for param in self.params]  # of this stream
        value, state, grads = self.compute(leaves, inputs, targets, weights)
        with torch.no_grad():
            copy(self.change(self.params, grads, self.kept), self.kept)
        return value, mapped(torch.Tensor.detach, tuple(state))

    def recorded(self, recorder, given):
        """Return a graph of a step, or None where there can be none."""
        try:
            return Graph(recorder, self.run, given)
        except RuntimeError as error:
            why = f"{error}".partition("\n")[0]
            warnings.warn(
                f"the step could not be recorded as a CUDA graph ({why}); "
                "it goes on, each kernel launched from Python",
                stacklevel=5,
            )
            return None


class Graph:
    """A recorded function of tensors of one shape each."""

    def __init__(self, recorder, function, given):
        """Record; nothing is computed."""
        self.given = mapped(copied, given)
        self.replay, self.results = recorder.record(lambda: function(*self.given))

    @torch.no_grad()
    def __call__(self, *given):
        """Return copies of the results: the next replay writes over them."""
        copy(given, self.given)
        self.replay()
        return mapped(copied, self.results)


def mapped(function, tree):
    """Return tuples and lists of tensors, and None, with a function applied to each tensor."""
    if isinstance(tree, (tuple, list)):
        return tuple(mapped(function, part) for part in tree)
    return None if tree is None else function(tree)


def copied(tensor):
    """Return a copy of a tensor, cut off from what it was computed of."""
    return tensor.detach().clone()


def copy(source, target):
    """Copy tensors, in tuples and lists, to where others lie."""
    if isinstance(target, (tuple, list)):
        for one, other in zip(source, target, strict=True):
            copy(one, other)
    elif target is not None:
        target.copy_(source)


def addresses(params):
    """Return where parameters lie."""
    return [param.data_ptr() for param in params]
