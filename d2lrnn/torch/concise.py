"""PyTorch's own layers: torch.nn.RNN, GRU and LSTM (the book's sections 9.6, 10.1 and 10.2)."""

import contextlib
from types import MappingProxyType

import torch
import torch.nn.functional as F
from torch import nn

from d2lrnn import checks
from d2lrnn.nets import cells, optimizers
from d2lrnn.nets.concise import ConciseModel, Joined, flat_state, layer_functions, pair_state
from d2lrnn.torch.contexts import detached, recording, without_autocast
from d2lrnn.torch.model import OPS
from d2lrnn.torch.tensors import device_of, from_numpy, to_numpy


@contextlib.contextmanager
def seeded(seed):
    """Seed the CPU's generator within a block, unless seed is None, and restore it at the end."""
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.default_generator.manual_seed(seed)  # torch.manual_seed would also seed GPUs
        yield


LAYERS = {"rnn": nn.RNN, "gru_reset_after": nn.GRU, "lstm": nn.LSTM}


@torch.inference_mode(False)  # a layer made in inference mode could not be trained
def make_layer(cell, num_inputs, num_hiddens, num_layers, bidirectional, *, seed, dtype, device):
    """Return the layer, with weights drawn by PyTorch, from the seed unless it is None.

    The weights are drawn on the CPU: a GPU draws other numbers from the same seed.
    """
    settings = {"bidirectional": bidirectional, "dtype": getattr(torch, dtype)}
    with seeded(seed):
        layer = LAYERS[cell](num_inputs, num_hiddens, num_layers, **settings)
    return layer.to(device_of(device))


RNN, GRU, LSTM = layer_functions(make_layer)


def refuse_options(layer):
    """Raise ValueError for options with which a layer would not compute the same as our cells."""
    plain = {"batch_first": False, "bias": True, "dropout": 0.0, "proj_size": 0}
    plain |= {"nonlinearity": "tanh"} if isinstance(layer, nn.RNN) else {}
    for option, value in plain.items():
        if getattr(layer, option) != value:
            raise ValueError(
                f"the layer has {option}={getattr(layer, option)!r}; expected {value!r}; "
                "make it with RNN, GRU or LSTM"
            )


class RNNModel(nn.Module, ConciseModel):
    """A language model: one of PyTorch's recurrent layers and a linear output layer."""

    ops = OPS
    orders = MappingProxyType({"rnn": "h", "gru_reset_after": "rzh", "lstm": "ifco"})

    __call__ = nn.Module.__call__  # explicit, for type checkers without PyTorch
    __repr__ = ConciseModel.__repr__

    @torch.inference_mode(False)
    def __init__(self, rnn_layer, vocab_size, *, seed=None, device=None):
        """Add the output layer to a layer made by RNN, GRU or LSTM."""
        super().__init__()
        checks.size(vocab_size=vocab_size)
        checks.seed(seed)
        checks.same_vocab(rnn_layer.input_size, vocab_size)
        refuse_options(rnn_layer)
        weight = rnn_layer.weight_hh_l0
        features = rnn_layer.hidden_size * (2 if rnn_layer.bidirectional else 1)
        self.vocab_size, self.num_hiddens = vocab_size, rnn_layer.hidden_size
        self.dtype = str(weight.dtype).removeprefix("torch.")
        self.device = device_of(weight.device if device is None else device)
        with seeded(seed):
            linear = nn.Linear(features, vocab_size, dtype=weight.dtype)
        self.rnn, self.linear = rnn_layer.to(self.device), linear.to(self.device)

    @property
    def architecture(self):
        """The cell, the layers and the directions."""
        cell = next(name for name, kind in LAYERS.items() if isinstance(self.rnn, kind))
        return cells.Architecture(cell, self.rnn.num_layers, self.rnn.bidirectional)

    @without_autocast
    def forward(self, X, state):
        """Return outputs (num_steps * batch_size, vocab_size) and the state after token ids X."""
        inputs, state, cell = self.inputs(X, state), self.as_tensors(state), self.architecture.cell
        if 0 in inputs.shape[:2]:
            return self.nothing(state)
        kinds = [torch.stack(kind) for kind in pair_state(state, cell)]  # (layers, n, h) each
        Hs, last = self.rnn(inputs, tuple(kinds) if cell == "lstm" else kinds[0])
        last = last if cell == "lstm" else (last,)
        return self.linear(Hs.flatten(0, 1)), flat_state(last)

    @torch.no_grad()
    def evaluate(self, X, state):
        """Return the outputs as a NumPy array and the new state, without recording a graph."""
        return super().evaluate(X, state)

    def loss(self, X, Y, state):
        """Return the mean cross-entropy of a minibatch, and the new state."""
        X, Y = to_numpy(X), to_numpy(Y)
        checks.minibatch(X, Y, self.vocab_size)
        targets = from_numpy(Y.T.reshape(-1), dtype="int64", device=self.device)  # time-major
        self.check_state(state, len(X))
        outputs, state = self(X, tuple(map(detached, self.as_tensors(state))))  # truncate BPTT here
        return F.cross_entropy(outputs, targets), state

    def framework_step(self, rule, theta, clip, *, scheduled):
        """Return a step with PyTorch's own optimizer, and the functions of its memory."""
        optimizer = framework_optimizer(rule, self.parameters())
        clip_ = {"norm": nn.utils.clip_grad_norm_, "value": nn.utils.clip_grad_value_}[clip]

        @recording
        def deferred(X, Y, state, lr):
            loss, state = self.loss(X, Y, state)
            if scheduled:
                optimizer.param_groups[0]["lr"] = lr  # load_state_dict makes new groups
            optimizer.zero_grad()
            loss.backward()
            clip_(self.parameters(), theta)
            optimizer.step()
            return loss.detach(), tuple(s.detach() for s in state)

        return deferred, *memory_functions(optimizer)

    @recording
    def gradients(self, X, Y, state):
        """Return the mean loss of a minibatch and its gradients, in the order of arrays()."""
        loss, _ = self.loss(X, Y, state)
        return loss.item(), self.separated_gradients(torch.autograd.grad(loss, self.params))

    def joined(self):
        """Return the parameters of each layer and direction, weights transposed."""
        suffixes = ["", "_reverse"][: self.architecture.num_directions]
        names = [f"l{i}{suffix}" for i in range(self.rnn.num_layers) for suffix in suffixes]
        kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        return [Joined(*(getattr(self.rnn, f"{k}_{name}") for k in kinds)) for name in names]

    def output(self):
        """Return the parameters of the output layer, the weight transposed."""
        return self.linear.weight, self.linear.bias

    def read(self, param):
        """Return a parameter, or the gradient of one, as a NumPy array (inputs, outputs)."""
        return to_numpy(param).T

    def write(self, param, array):
        """Set a parameter to the values of an array (inputs, outputs)."""
        with torch.no_grad():
            param.copy_(from_numpy(array.T))


def framework_optimizer(rule, params):
    """Return PyTorch's own optimizer that computes the same as a rule of this package."""
    if isinstance(rule, optimizers.Adagrad):
        return torch.optim.Adagrad(params, lr=rule.lr)
    if isinstance(rule, optimizers.SGD):
        options = {"momentum": rule.momentum, "weight_decay": rule.weight_decay}
        return torch.optim.SGD(params, lr=rule.lr, **options)
    if rule.weight_decay:
        return torch.optim.AdamW(params, lr=rule.lr, weight_decay=rule.weight_decay)
    return torch.optim.Adam(params, lr=rule.lr)


# The names of the arrays that an optimizer stores for each parameter
ADAM = ("step", "exp_avg", "exp_avg_sq")
MEMORY = {
    torch.optim.SGD: (),
    torch.optim.Adagrad: ("step", "sum"),
    torch.optim.Adam: ADAM,
    torch.optim.AdamW: ADAM,
}


def memory_functions(optimizer):
    """Return memory and load_memory of a step: the optimizer's state as NumPy arrays by name."""
    (group,) = optimizer.param_groups
    shapes = {
        f"{number}.{name}": () if name == "step" else tuple(param.shape)
        for number, param in enumerate(group["params"])
        for name in ("momentum_buffer",) * bool(group.get("momentum")) or MEMORY[type(optimizer)]
    }

    def read():
        state = optimizer.state_dict()["state"].items()
        return {
            f"{number}.{name}": to_numpy(value)
            for number, values in state
            for name, value in values.items()
            if value is not None
        }

    def load(arrays):
        is_new = not arrays and not isinstance(optimizer, torch.optim.Adagrad)
        optimizers.check_shapes(arrays, {} if is_new else shapes)
        state = {}
        for place, array in arrays.items():
            number, _, name = place.partition(".")
            state.setdefault(int(number), {})[name] = from_numpy(array)
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state})

    return read, load
