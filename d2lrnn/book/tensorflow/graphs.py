"""Training steps at the speed of TensorFlow's graphs, where nobody can tell the difference.

A reader's methods are Python that TensorFlow runs line by line. Compiled into a graph, they run
once, and their side effects with them: what prints, or keeps values for later, is therefore left
as it is; so is what cannot be compiled.
"""

import dis
import types

from d2lrnn.book.tensorflow.framework import tf

OURS = ("d2lrnn.", "tf_keras.", "keras.", "tensorflow.")
UNUSED = ("__init__", "init_params", "build", "configure_optimizers", "predict", "predict_step")
KEEPING = ("STORE_ATTR", "STORE_GLOBAL", "DELETE_ATTR", "DELETE_GLOBAL")
GROWING = ("append", "extend", "add", "update", "insert")


class Compiled:
    """A function that runs as a graph from its second call on, unless that cannot be.

    The first call runs line by line, so that layers and optimizers can make their variables.

    Args:
        function: takes and returns tensors.
        allowed: whether to make a graph of it at all.
        autograph: whether conditions on tensors are to become part of the graph.
    """

    def __init__(self, function, *, allowed=True, autograph=False):
        """Nothing is compiled yet."""
        self.plain = self.run = function
        self.graph = tf.function(function, autograph=autograph) if allowed else None

    def __call__(self, *tensors):
        """Return what the function returns."""
        if self.graph is None:
            return self.plain(*tensors)
        graph, self.graph = self.graph, None  # None again if it fails
        if self.run is self.plain:  # the first call
            result, self.run = self.plain(*tensors), graph
        else:
            try:
                result = graph(*tensors)
            except Exception:  # whatever is wrong, running it line by line will say it better
                return self.plain(*tensors)
        self.graph = graph
        return result


def can_be_compiled(model):
    """Return whether no method that a model, or a layer in it, trains with has side effects.

    What TensorFlow, Keras and this package define has none; what a reader defines is looked at.
    """
    classes = {cls for layer in (model, *model.submodules) for cls in type(layer).__mro__}
    named = (named for cls in classes for named in vars(cls).items())
    methods = (x for name, x in named if isinstance(x, types.FunctionType) and name not in UNUSED)
    return all(map(runs_once_as_well, methods))


def runs_once_as_well(method):
    """Return whether nobody can tell if a method runs at each step or once, for a graph of it."""
    ours = f"{method.__module__}.".startswith(OURS)
    return ours or not has_side_effects(method.__code__)


def has_side_effects(code):
    """Return whether code prints, sets an attribute, or adds to a list that is not its own."""
    before = None
    for line in dis.get_instructions(code):
        if line.opname in KEEPING or line.argval == "print":
            return True
        if line.opname == "STORE_DEREF" and line.argval in code.co_freevars:  # nonlocal
            return True
        if line.argval in GROWING and before.opname not in ("LOAD_FAST", "LOAD_FAST_BORROW"):
            return True
        before = line
    inner = (const for const in code.co_consts if isinstance(const, types.CodeType))
    return any(map(has_side_effects, inner))


class Steps:
    """A tensor in a graph that can be looped over along its first axis, as one outside can be."""

    def __init__(self, tensor):
        """Take the tensor, whose first axis has a known length."""
        self.tensor = tensor

    def __iter__(self):
        """Yield the parts."""
        return iter(tf.unstack(self.tensor))

    def __len__(self):
        """Return how many parts there are."""
        return self.tensor.shape[0]

    def __getitem__(self, index):
        """Return a part."""
        return self.tensor[index]

    def __getattr__(self, name):
        """Return what the tensor has."""
        return getattr(self.tensor, name)

    def __tf_tensor__(self, dtype=None, name=None):
        """Return the tensor, for whatever computes with it."""
        return tf.convert_to_tensor(self.tensor, dtype, name)


def loops_over_its_input(method):
    """Return whether a method says ``for ... in`` its first argument."""
    code = method.__code__
    first = code.co_varnames[1] if code.co_argcount > 1 else None
    before = None
    for line in dis.get_instructions(code):
        if line.opname == "GET_ITER" and before is not None and before.argval == first:
            return True
        before = line
    return False
