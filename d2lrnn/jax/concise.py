"""Flax's own layers: nnx.SimpleCell, GRUCell and OptimizedLSTMCell in nnx.RNN.

Flax's GRU does not have the bias b_hh within the reset gate. A deep network is a list of layers.
"""

import secrets
from types import MappingProxyType

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from d2lrnn import checks
from d2lrnn.jax.gradients import softmax_loss
from d2lrnn.jax.model import OPS
from d2lrnn.jax.scan_layer import MinGRULayer
from d2lrnn.jax.tensors import device_of, from_numpy, has_values, to_numpy
from d2lrnn.nets import cells, optimizers
from d2lrnn.nets.concise import ConciseModel, Joined, layer_functions

CELLS = {
    "rnn": nnx.SimpleCell,
    "gru_reset_after": nnx.GRUCell,
    "lstm": nnx.OptimizedLSTMCell,
    "mingru": MinGRULayer,
}


def make_layer(cell, num_inputs, num_hiddens, num_layers, bidirectional, *, seed, dtype, device):
    """Return the layer, or a list of num_layers layers, with weights drawn by Flax."""
    from_numpy([], dtype=dtype)  # raises an error for float64 if JAX's 64-bit mode is off
    rngs = nnx.Rngs(fresh(seed))
    settings = {"dtype": dtype, "param_dtype": dtype, "rngs": rngs}
    with jax.default_device(device_of(device)):
        layers = []
        for _ in range(num_layers):
            parts = [
                single(cell, num_inputs, num_hiddens, **settings)
                for _ in range(2 if bidirectional else 1)
            ]
            both = nnx.Bidirectional(*parts, time_major=True) if bidirectional else parts[0]
            layers.append(both)
            num_inputs = num_hiddens * len(parts)
    return layers if num_layers > 1 else layers[0]


def single(cell, num_inputs, num_hiddens, **settings):
    """Return one layer in one direction."""
    layer = CELLS[cell](num_inputs, num_hiddens, **settings)
    return layer if cell == "mingru" else nnx.RNN(layer, time_major=True)


def fresh(seed):
    """Return the seed, or one from the operating system if the seed is None."""
    return secrets.randbits(31) if seed is None else seed


RNN, GRU, LSTM, MinGRU = layer_functions(make_layer, scan=True)


class Network(nnx.Module):
    """The parameters: recurrent layers and a linear output layer."""

    def __init__(self, layers, linear):
        """Store the layers as attributes that Flax recognizes."""
        self.layers, self.linear = nnx.List(layers), linear

    def __call__(self, inputs, state):
        """Return the outputs of inputs (T, n, V), and the state."""
        Hs, last, kinds = inputs, [], len(state) // len(self.layers)
        for number, layer in enumerate(self.layers):
            before = state[number * kinds : (number + 1) * kinds]
            Hs, after = run(layer, Hs, before)
            last += after
        return self.linear(Hs).reshape(-1, self.linear.out_features), tuple(last)


def forward(graph, params, inputs, state):
    """Return a network's outputs and state; a pure function, which jit and vmap can transform."""
    return nnx.merge(graph, params)(inputs, state)


def run(layer, inputs, state):
    """Run a layer; return the hidden states and the last state.

    Flax stores the state of an LSTM as (C, H), and needs one state for each direction.
    """
    size = len(state) // len(directions(layer))
    carries = [tuple(state[i : i + size])[::-1] for i in range(0, len(state), size)]
    carries = [carry if size == 2 else carry[0] for carry in carries]
    both = isinstance(layer, nnx.Bidirectional)
    initial = tuple(carries) if both else carries[0]
    last, Hs = layer(inputs, initial_carry=initial, return_carry=True)
    last = last if both else (last,)
    return Hs, [H for carry in last for H in (carry[::-1] if size == 2 else (carry,))]


def directions(layer):
    """Return the one or two nnx.RNN that a layer consists of."""
    both = isinstance(layer, nnx.Bidirectional)
    return [layer.forward_rnn, layer.backward_rnn] if both else [layer]


class RNNModel(ConciseModel):
    """A language model: one or more of Flax's recurrent layers and a linear output layer."""

    ops = OPS
    orders = MappingProxyType(
        {"rnn": "h", "gru_reset_after": "rzh", "lstm": "ifco", "mingru": "zh"}
    )

    def __init__(self, rnn_layer, vocab_size, *, seed=None, device=None):
        """Add the output layer to the layer or layers that RNN, GRU or LSTM returned."""
        checks.size(vocab_size=vocab_size)
        checks.seed(seed)
        layers = list(rnn_layer) if isinstance(rnn_layer, (list, tuple)) else [rnn_layer]
        cell = directions(layers[0])[0].cell
        checks.same_vocab(cell.in_features, vocab_size)
        self.vocab_size, self.num_hiddens = vocab_size, cell.hidden_features
        self.dtype, self.device = jnp.dtype(cell.param_dtype).name, device
        features = self.num_hiddens * len(directions(layers[0]))
        settings = {"dtype": self.dtype, "param_dtype": self.dtype}
        rngs = nnx.Rngs(fresh(seed))
        with jax.default_device(device_of(device)):
            linear = nnx.Linear(features, vocab_size, rngs=rngs, **settings)
        self.network = Network(layers, linear)
        if device is not None:  # commit the parameters to the device
            placed = jax.device_put(nnx.state(self.network), device_of(device))
            nnx.update(self.network, placed)
        self.forward = jax.jit(forward, static_argnums=0)

    def __reduce__(self):
        """Pickle the parameters: the compiled functions in Flax's layers cannot be pickled."""
        settings = {"dtype": self.dtype, "device": self.device}
        sizes = self.architecture, self.vocab_size, self.num_hiddens
        return restored, (*sizes, settings, self.arrays(), self.own_arrays())

    @property
    def architecture(self):
        """The cell, the layers and the directions."""
        parts = directions(self.network.layers[0])
        cell = next(name for name, kind in CELLS.items() if isinstance(parts[0].cell, kind))
        return cells.Architecture(cell, len(self.network.layers), len(parts) == 2)

    def __call__(self, X, state):
        """Return outputs (num_steps * batch_size, vocab_size) and the state after token ids X."""
        return self.forward(*nnx.split(self.network), self.inputs(X, state), self.as_tensors(state))

    def prepared(self, X, Y, state):
        """Check a minibatch; return its inputs and targets, time-major."""
        X, Y = to_numpy(X), to_numpy(Y)
        checks.minibatch(X, Y, self.vocab_size)
        targets = from_numpy(Y.T.reshape(-1), dtype="int32", device=self.device)
        checks.values(has_values(targets))  # before the parameters change
        return self.inputs(X, state), targets

    def framework_step(self, rule, theta, clip, *, scheduled):
        """Return a step with Optax's optimizer, and the functions of its memory."""
        clipping = optax.clip_by_global_norm if clip == "norm" else optax.clip
        parts = [clipping(theta), *framework_optimizer(rule, 1.0 if scheduled else rule.lr)]
        parts += [BY_RATE] if scheduled else []
        optimizer = nnx.Optimizer(self.network, optax.chain(*parts), wrt=nnx.Param)

        @nnx.jit
        def update(network, optimizer, inputs, targets, state, options):
            (loss, state), grads = loss_and_gradients(network, inputs, targets, state)
            optimizer.update(network, grads, **options)
            return loss, state

        def deferred(X, Y, state, lr):
            inputs, targets = self.prepared(X, Y, state)
            options = {"rate": lr} if scheduled else {}
            return update(self.network, optimizer, inputs, targets, self.as_tensors(state), options)

        return deferred, *memory_functions(optimizer)

    def gradients(self, X, Y, state):
        """Return the mean loss of a minibatch and its gradients, in the order of arrays()."""
        minibatch = self.prepared(X, Y, state)
        (loss, _), grads = loss_and_gradients(self.network, *minibatch, self.as_tensors(state))
        paths = {id(variable): path for path, variable in nnx.iter_graph(self.network)}
        by_path = dict(nnx.to_flat_state(grads))
        return float(loss), self.separated_gradients([by_path[paths[id(p)]] for p in self.params])

    def joined(self):
        """Return the parameters of each layer and direction."""
        parts = [part.cell for layer in self.network.layers for part in directions(layer)]
        return [
            Joined(
                cell.dense_i.kernel,
                None if isinstance(cell, MinGRULayer) else cell.dense_h.kernel,
                (cell.dense_h if self.architecture.cell == "lstm" else cell.dense_i).bias,
                None,
            )
            for cell in parts
        ]

    def output(self):
        """Return the parameters of the output layer."""
        return self.network.linear.kernel, self.network.linear.bias

    def read(self, param):
        """Return a parameter, or the gradient of one, as a NumPy array."""
        return to_numpy(param[...])

    def write(self, param, array):
        """Set a parameter to the values of an array."""
        param[...] = from_numpy(array, dtype=self.dtype, device=self.device)


def framework_optimizer(rule, lr):
    """Return Optax's transformations that compute the same as a rule, for a learning rate."""
    if isinstance(rule, optimizers.Adagrad):
        return [optax.adagrad(lr)]
    if isinstance(rule, optimizers.SGD):
        decay = [optax.add_decayed_weights(rule.weight_decay)] if rule.weight_decay else []
        return [*decay, optax.sgd(lr, momentum=rule.momentum or None)]
    if rule.weight_decay:
        return [optax.adamw(lr, weight_decay=rule.weight_decay)]
    return [optax.adam(lr)]


def by_rate(updates, state, params=None, *, rate):
    """Return the updates times the learning rate of a step, an input of the compiled step."""
    return jax.tree.map(lambda update: rate * update, updates), state


BY_RATE = optax.GradientTransformationExtraArgs(lambda params: optax.EmptyState(), by_rate)


def restored(architecture, vocab_size, num_hiddens, settings, arrays, own_arrays):
    """Return a model of new layers with the given parameters."""
    kind = architecture.cell, vocab_size, num_hiddens, architecture.num_layers
    layer = make_layer(*kind, architecture.bidirectional, seed=0, **settings)
    net = RNNModel(layer, vocab_size, seed=0, device=settings["device"])
    net.load_exactly(arrays, own_arrays)
    return net


def loss_and_gradients(network, inputs, targets, state):
    """Return ((mean cross-entropy, new state), gradients) of a network."""

    def loss_fn(network):
        outputs, last = network(inputs, tuple(state))
        return softmax_loss(outputs, targets).mean(), last

    return nnx.value_and_grad(loss_fn, has_aux=True)(network)


def memory_functions(optimizer):
    """Return memory and load_memory of a step: the optimizer's state as NumPy arrays by number."""

    def read():
        return {str(i): to_numpy(leaf) for i, leaf in enumerate(jax.tree.leaves(state()))}

    def load(arrays):
        leaves, structure = jax.tree.flatten(state())
        shapes = {str(i): tuple(value.shape) for i, value in enumerate(leaves)}
        optimizers.check_shapes(arrays, shapes)
        values = [arrays[name] for name in shapes]
        nnx.update(
            optimizer, jax.tree.unflatten(structure, [from_numpy(array) for array in values])
        )

    def state():
        return nnx.state(optimizer)

    return read, load
