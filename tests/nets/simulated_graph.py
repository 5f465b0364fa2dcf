"""What records steps of PyTorch on a CPU, as torch.cuda.graph does on a GPU.

While a function is recorded each of its operations is noted; what it did to memory that was there
before is undone, and its results are spoiled, since recording computes nothing. A replay does the
noted operations once more on the same memory. Python does not run again, so that whatever it would
have decided or counted is as it was. What a GPU would have to wait for is refused.
"""

import torch
from torch.utils import _pytree
from torch.utils._python_dispatch import TorchDispatchMode

WAITING = {"aten::_local_scalar_dense", "aten::lift_fresh", "aten::is_nonzero", "aten::nonzero"}


class Simulated:
    """A recorder; ``recorded`` and ``replayed`` count, ``fails`` makes recording impossible."""

    def __init__(self):
        self.recorded = self.replayed = self.aside_ = 0
        self.fails = False

    def aside(self, function):
        self.aside_ += 1
        return function()

    def record(self, function):
        tape = Tape()
        with tape:
            results = function()
        tape.undo()
        if self.fails:
            raise RuntimeError("operation not permitted when stream is capturing\nmore of it")
        for result in _pytree.tree_leaves(results):
            result.detach().fill_(float("nan"))
        self.recorded += 1

        def replay():
            self.replayed += 1
            tape.replay()

        return replay, results


class Tape(TorchDispatchMode):
    """Notes operations on tensors."""

    def __init__(self):
        super().__init__()
        self.notes, self.made, self.before = [], {}, []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if operation._schema.name in WAITING:
            raise RuntimeError(f"a GPU would be waited for: {operation}")
        for tensor in written(operation, args, kwargs):
            self.keep(tensor)
        results = operation(*args, **kwargs)
        given = {address(t) for t in tensors((args, kwargs))}
        for tensor in tensors(results):
            if address(tensor) not in given:
                self.made[address(tensor)] = tensor  # kept, so that no other has its address
        self.notes.append((operation, args, kwargs, results))
        return results

    def keep(self, tensor):
        if address(tensor) not in self.made:
            self.before.append((tensor, tensor.detach().clone()))

    @torch.no_grad()
    def undo(self):
        for tensor, value in reversed(self.before):
            tensor.copy_(value)

    @torch.no_grad()
    def replay(self):
        for operation, args, kwargs, results in self.notes:
            again = operation(*args, **kwargs)
            if written(operation, args, kwargs):
                continue
            for place, tensor in zip(tensors(results), tensors(again), strict=True):
                if address(place) != address(tensor):  # no view, which is there already
                    place.copy_(tensor)


def written(operation, args, kwargs):
    """Return the tensors that an operation changes."""
    arguments = operation._schema.arguments
    named = {a.name: value for a, value in zip(arguments, args)} | kwargs
    changed = [a.name for a in arguments if a.alias_info is not None and a.alias_info.is_write]
    return tensors([named[name] for name in changed if name in named])


def tensors(tree):
    return [leaf for leaf in _pytree.tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def address(tensor):
    return tensor.untyped_storage().data_ptr()
