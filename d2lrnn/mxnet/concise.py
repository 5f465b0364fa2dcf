"""MXNet's own layers: gluon.rnn.RNN, GRU and LSTM (the book's sections 9.6, 10.1 and 10.2)."""

from types import MappingProxyType

import numpy as onp

from d2lrnn import checks
from d2lrnn.mxnet.framework import autograd, follow_numpy, mxnet, np, npx
from d2lrnn.mxnet.gradients import grad_clipping
from d2lrnn.mxnet.model import OPS
from d2lrnn.mxnet.tensors import device_of, from_numpy, to_numpy, unrecorded
from d2lrnn.nets import cells, optimizers
from d2lrnn.nets.concise import ConciseModel, Joined, flat_state, layer_functions, pair_state

gluon = mxnet.gluon
OPTIMIZERS = {optimizers.SGD: "sgd", optimizers.Adagrad: "adagrad", optimizers.Adam: "adam"}
LAYERS = {"rnn": gluon.rnn.RNN, "gru_reset_after": gluon.rnn.GRU, "lstm": gluon.rnn.LSTM}


def make_layer(cell, num_inputs, num_hiddens, num_layers, bidirectional, *, seed, dtype, device):
    """Return the layer, with weights drawn by MXNet; a seed sets MXNet's own generator.

    A deep layer in float64 is a list of single layers, because MXNet 1.9.1 computes wrong gradients
    for all layers but the last, for any cell (in one case, wrong by a factor of 4,000 in a GRU).
    """
    settings = {"activation": "tanh"} if cell == "rnn" else {}
    if dtype == "float64" and num_layers > 1:
        deeper = num_hiddens * (2 if bidirectional else 1)
        sizes = [(num_inputs, seed)] + [(deeper, None)] * (num_layers - 1)
        return [
            make_layer(
                cell, size, num_hiddens, 1, bidirectional, seed=s, dtype=dtype, device=device
            )
            for size, s in sizes
        ]
    layer = LAYERS[cell](
        num_hiddens, num_layers, bidirectional=bidirectional, input_size=num_inputs, **settings
    )
    return initialized(layer, seed, dtype, device)


def initialized(block, seed, dtype, device):
    """Draw the parameters of a block in a dtype on a device, and return the block."""
    if seed is not None:
        mxnet.random.seed(seed)
    block.initialize(ctx=device_of(device) or npx.cpu())
    block.cast(dtype)
    return block


RNN, GRU, LSTM = layer_functions(make_layer)


class RNNModel(ConciseModel):
    """A language model: one of MXNet's recurrent layers and a dense output layer."""

    ops = OPS
    orders = MappingProxyType({"rnn": "h", "gru_reset_after": "rzh", "lstm": "ifco"})

    def __init__(self, rnn_layer, vocab_size, *, seed=None, device=None):
        """Add the output layer to a layer made by RNN, GRU or LSTM."""
        checks.size(vocab_size=vocab_size)
        checks.seed(seed)
        self.rnn = list(rnn_layer) if isinstance(rnn_layer, (list, tuple)) else [rnn_layer]
        first = self.rnn[0]
        weight = first.l0_h2h_weight
        checks.same_vocab(first._input_size, vocab_size)
        self.vocab_size, self.num_hiddens = vocab_size, first._hidden_size
        self.dtype = onp.dtype(weight.dtype).name
        self.device = device_of(device) or weight.list_ctx()[0]
        for layer in self.rnn:
            layer.collect_params().reset_ctx(self.device)
        dense = gluon.nn.Dense(vocab_size, in_units=first._hidden_size * first._dir)
        self.dense = initialized(dense, seed, self.dtype, self.device)

    def __setstate__(self, state):
        """Attach gradients to the parameters again: MXNet does not pickle or copy them."""
        vars(self).update(state)
        for param in self.params:
            param.grad_req = "null"
            param.grad_req = "write"

    @property
    def architecture(self):
        """The cell, the layers and the directions."""
        first = self.rnn[0]
        cell = next(name for name, kind in LAYERS.items() if isinstance(first, kind))
        num_layers = sum(layer._num_layers for layer in self.rnn)
        return cells.Architecture(cell, num_layers, first._dir == 2)

    def __call__(self, X, state):
        """Return outputs (num_steps * batch_size, vocab_size) and the state after token ids X."""
        Hs, state, last = self.inputs(X, state), self.as_tensors(state), ()
        if 0 in Hs.shape[:2]:
            return self.nothing(state)
        size = len(state) // len(self.rnn)
        for number, layer in enumerate(self.rnn):
            before = state[number * size : (number + 1) * size]
            kinds = [np.stack(kind) for kind in pair_state(before, self.architecture.cell)]
            Hs, after = layer(Hs, kinds)  # kinds: (layers, n, h) each
            last += flat_state(after)
        return self.dense(Hs.reshape(-1, Hs.shape[-1])), last

    def loss(self, X, Y, state):
        """Return the mean cross-entropy of a minibatch, with its graph, and the new state."""
        X, Y = to_numpy(X), to_numpy(Y)
        checks.minibatch(X, Y, self.vocab_size)
        targets = from_numpy(Y.T.reshape(-1), dtype="int64", device=self.device)  # time-major
        self.check_state(state, len(X))
        state = tuple(s.detach() for s in self.as_tensors(state))  # truncate BPTT at the minibatch
        with autograd.record():
            outputs, state = self(X, state)
            return -npx.pick(npx.log_softmax(outputs), targets).mean(), state

    momentum_excludes, has_adamw = ("schedule",), False

    def framework_step(self, rule, theta, clip, *, scheduled):
        """Return a step with MXNet's own optimizer, and the functions of its memory."""
        follow_numpy()  # must come before an optimizer is made
        name = OPTIMIZERS[type(rule)]
        options = {"learning_rate": rule.lr, "wd": getattr(rule, "weight_decay", 0.0)}
        options |= {"momentum": rule.momentum} if name == "sgd" else {}
        trainer = gluon.Trainer(self.params, name, options)

        @unrecorded
        def deferred(X, Y, state, lr):
            if scheduled:
                trainer.set_learning_rate(lr)
            loss, state = self.loss(X, Y, state)
            loss.backward()
            # gluon's own clipping does not accept mx.np arrays.
            clipped, _ = grad_clipping(self.grads(), theta, clip=clip)
            for grad, smaller in zip(self.grads(), clipped):
                grad[:] = smaller
            trainer.step(1)
            return loss, tuple(s.detach() for s in state)

        return deferred, *memory_functions(trainer, self.params)

    def grads(self):
        """Return the gradients of params, as the arrays that MXNet stores them in."""
        return [param.grad(self.device) for param in self.params]

    def gradients(self, X, Y, state):
        """Return the mean loss of a minibatch and its gradients, in the order of arrays()."""
        loss, _ = self.loss(X, Y, state)
        loss.backward()
        return loss.item(), self.separated_gradients(self.grads())

    def joined(self):
        """Return the parameters of each layer and direction, weights transposed."""
        kinds = ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias")
        return [
            Joined(*(getattr(layer, f"{side}{number}_{kind}") for kind in kinds))
            for layer in self.rnn
            for number in range(layer._num_layers)
            for side in ["l", "r"][: layer._dir]
        ]

    def output(self):
        """Return the parameters of the output layer, the weight transposed."""
        return self.dense.weight, self.dense.bias

    def read(self, param):
        """Return a parameter, or the gradient of one, as a NumPy array (inputs, outputs)."""
        return to_numpy(param.data() if isinstance(param, gluon.Parameter) else param).T

    def write(self, param, array):
        """Set a parameter to the values of an array (inputs, outputs)."""
        param.set_data(from_numpy(array.T, dtype=self.dtype))


def memory_functions(trainer, params):
    """Return memory and load_memory of a step: a gluon.Trainer's state as NumPy arrays by name.

    The trainer's updater has one entry per parameter, which consists of up to two arrays, and MXNet
    counts the updates of each parameter. The trainer's own method for saving writes a pickle.
    """
    (updater,) = trainer._updaters
    rule = updater.optimizer

    def read():
        counts = rule._index_update_count
        arrays = {f"{i}.count": onp.array(count) for i, count in counts.items()}
        for i, state in updater.states.items():
            arrays |= {f"{i}.{j}": tensor.asnumpy() for j, tensor in enumerate(as_list(state))}
        return arrays

    def load(arrays):
        states = begin() if arrays else {}
        shapes = {f"{i}.count": () for i in states}
        for i, state in states.items():
            shapes |= {f"{i}.{j}": tuple(tensor.shape) for j, tensor in enumerate(as_list(state))}
        optimizers.check_shapes(arrays, shapes)
        rule._index_update_count.clear()
        rule._index_update_count.update({i: int(arrays[f"{i}.count"]) for i in states})
        rule.num_update = max(rule._index_update_count.values(), default=0)
        updater.states, updater.states_synced = states, dict.fromkeys(states, True)
        for i, state in states.items():
            for j, tensor in enumerate(as_list(state)):
                tensor[:] = arrays[f"{i}.{j}"]

    def begin():
        weights = [param.data().as_nd_ndarray() for param in params]
        return {i: rule.create_state_multi_precision(i, w) for i, w in enumerate(weights)}

    return read, load


def as_list(state):
    """Return an updater's state of one parameter as a list."""
    if isinstance(state, (list, tuple)):
        return list(state)
    return [] if state is None else [state]
