"""A training step as one CUDA graph: recorded once, replayed without Python between its kernels.

A step consists of some hundred small kernels, and launching one from Python takes longer than
running it. The shapes are the same for every minibatch, so the kernels are too: recorded as a
graph, they are launched with one call. A graph computes with tensors at fixed addresses: a
minibatch is copied there before a replay, the loss and the state are copied from there after it,
and the parameters and the state of the optimizer are updated in place. Source: PyTorch's notes on
CUDA, "CUDA Graphs".
"""

import collections
import functools
import warnings

import torch

WARM_UP = 3  # steps from Python before one is recorded, in which libraries initialize themselves
MOST = 8  # the largest number of graphs of a step, one for each shape: each has its own memory


class Recorder:
    """Records graphs on one CUDA device."""

    def __init__(self, device):
        """Make a stream for recording: it is not possible on the default stream."""
        self.device, self.stream = device, torch.cuda.Stream(device)

    def aside(self, function):
        """Return function(), run on the stream for recording."""
        current = torch.cuda.current_stream(self.device)
        self.stream.wait_stream(current)
        with torch.cuda.stream(self.stream):
            results = function()
        current.wait_stream(self.stream)
        return results

    def record(self, function):
        """Record function(); return replay() and the results, which are filled by a replay."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(self.device), torch.cuda.graph(graph, stream=self.stream):
            results = function()
        return graph.replay, results


@functools.cache
def recorder_for(device):
    """Return the Recorder of a device, or None if the device is not a CUDA device."""
    return Recorder(device) if device.type == "cuda" else None


class Step:
    """A training step that is recorded once for each shape of a minibatch, and replayed.

    compute is the result of value_and_grad. change(params, grads, state, lr) clips the gradients,
    updates the parameters in place, and returns the new state of the optimizer.
    """

    def __init__(self, compute, change, optimizer_state):
        """Begin without recorded graphs."""
        self.compute, self.change, self.optimizer_state = compute, change, optimizer_state
        self.params, self.current, self.graphs = [], None, {}
        self.times = collections.Counter()

    def __call__(self, recorder, params, *given):
        """Return the mean loss and the last state after one update.

        given consists of inputs, targets, weights and the learning rate: tensors, tuples of
        tensors, or None.
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
        """Discard graphs of other parameters; leave the optimizer's state at its address."""
        if addresses(params) != addresses(self.params):
            self.params, self.current = list(params), None
            self.graphs.clear()
            self.times.clear()
        before = self.optimizer_state.before(params)
        if self.current is None:
            self.current = before
        elif self.current is not before:  # the state was loaded
            copy(before, self.current)
        self.optimizer_state.tensors = self.current

    def run(self, inputs, targets, weights, lr):
        """Take a step, and update the parameters and the optimizer's state in place."""
        leaves = [param.detach().requires_grad_() for param in self.params]  # on this stream
        value, state, grads = self.compute(leaves, inputs, targets, weights)
        with torch.no_grad():
            copy(self.change(self.params, grads, self.current, lr), self.current)
        return value, mapped(torch.Tensor.detach, tuple(state))

    def recorded(self, recorder, given):
        """Return a graph of a step, or None if it cannot be recorded."""
        try:
            return Graph(recorder, self.run, given)
        except RuntimeError as error:
            why = f"{error}".partition("\n")[0]
            warnings.warn(
                f"the step could not be recorded as a CUDA graph ({why}); "
                "training continues, with each kernel launched from Python",
                stacklevel=5,
            )
            return None


class Graph:
    """A recorded function whose arguments have fixed shapes."""

    def __init__(self, recorder, function, given):
        """Record the function, without computing it."""
        self.given = mapped(copied, given)
        self.replay, self.results = recorder.record(lambda: function(*self.given))

    @torch.no_grad()
    def __call__(self, *given):
        """Replay, and return copies of the results, which the next replay overwrites."""
        copy(given, self.given)
        self.replay()
        return mapped(copied, self.results)


def mapped(function, tree):
    """Apply a function to each tensor in nested tuples and lists; return nested tuples."""
    if isinstance(tree, (tuple, list)):
        return tuple(mapped(function, part) for part in tree)
    return None if tree is None else function(tree)


def copied(tensor):
    """Return a copy of a tensor, detached from the graph."""
    return tensor.detach().clone()


def copy(source, target):
    """Copy the values of tensors, in nested tuples and lists, into other tensors."""
    if isinstance(target, (tuple, list)):
        for one, other in zip(source, target, strict=True):
            copy(one, other)
    elif target is not None:
        target.copy_(source)


def addresses(params):
    """Return the memory addresses of parameters."""
    return [param.data_ptr() for param in params]
