"""TensorFlow's own layers: Keras 3 SimpleRNN, GRU and LSTM (sections 9.6, 10.1 and 10.2).

Keras runs a layer over (batch_size, num_steps, features); Keras 3 does not have time-major layers.
A deep network is a list of layers.
"""

from types import MappingProxyType

import keras
import tensorflow as tf

from d2lrnn import checks
from d2lrnn.nets import cells, optimizers
from d2lrnn.nets.concise import ConciseModel, Joined, layer_functions
from d2lrnn.tensorflow import contexts
from d2lrnn.tensorflow.model import OPS
from d2lrnn.tensorflow.scan_layer import MinGRULayer
from d2lrnn.tensorflow.tensors import device_of, from_numpy, has_values, to_numpy

LAYERS = {
    "rnn": keras.layers.SimpleRNN,
    "gru_reset_after": keras.layers.GRU,
    "lstm": keras.layers.LSTM,
    "mingru": MinGRULayer,
}


def make_layer(cell, num_inputs, num_hiddens, num_layers, bidirectional, *, seed, dtype, device):
    """Return the layer, or a list of num_layers layers, with weights drawn by Keras."""
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"Keras computes with {keras.backend.backend()}; set the environment variable "
            "KERAS_BACKEND to tensorflow before anything imports Keras"
        )
    check_policy(keras.config.dtype_policy())
    contexts.check_alone()
    layers = []
    with tf.device(device_of(device)):
        for number in range(num_layers):
            first = None if seed is None else seed + 2 * number
            layer = single(cell, num_hiddens, first, dtype)
            if bidirectional:
                other = None if seed is None else seed + 2 * number + 1
                second = single(cell, num_hiddens, other, dtype, go_backwards=True)
                layer = keras.layers.Bidirectional(layer, backward_layer=second, dtype=dtype)
            layer.build((None, None, num_inputs))
            num_inputs = num_hiddens * (2 if bidirectional else 1)
            layers.append(layer)
    return layers if num_layers > 1 else layers[0]


def check_policy(policy):
    """Check that a dtype policy of Keras computes in the dtype of the parameters."""
    if policy.compute_dtype != policy.variable_dtype or "float16" in policy.compute_dtype:
        raise ValueError(
            f"the dtype policy of Keras is {policy.name!r}; expected one that computes in the "
            "dtype of the parameters, float32 or float64; call "
            "keras.config.set_dtype_policy('float32') before the layers are made"
        )


def single(cell, num_hiddens, seed, dtype, **settings):
    """Return one layer in one direction."""
    if seed is not None:
        settings["kernel_initializer"] = keras.initializers.GlorotUniform(seed=seed)
        settings["recurrent_initializer"] = keras.initializers.Orthogonal(seed=seed)
    return LAYERS[cell](
        num_hiddens, return_sequences=True, return_state=True, dtype=dtype, **settings
    )


def cell_of(layer):
    """Return the object that holds the parameters of a layer: the layer itself for a minGRU."""
    return getattr(layer, "cell", layer)


RNN, GRU, LSTM, MinGRU = layer_functions(make_layer, scan=True)


class RNNModel(ConciseModel):
    """A language model: one or more of Keras' recurrent layers and a dense output layer."""

    ops = OPS
    orders = MappingProxyType(
        {"rnn": "h", "gru_reset_after": "zrh", "lstm": "ifco", "mingru": "zh"}
    )

    def __init__(self, rnn_layer, vocab_size, *, seed=None, device=None):
        """Add the output layer to the layer or layers that RNN, GRU or LSTM returned."""
        checks.size(vocab_size=vocab_size)
        checks.seed(seed)
        self.rnn = list(rnn_layer) if isinstance(rnn_layer, (list, tuple)) else [rnn_layer]
        for layer in self.rnn:
            for part in self.directions(layer):
                check_policy(part.dtype_policy)
        first = self.directions(self.rnn[0])
        checks.same_vocab(cell_of(first[0]).kernel.shape[0], vocab_size)
        self.vocab_size, self.num_hiddens = vocab_size, first[0].units
        self.dtype, self.device = first[0].variable_dtype, device
        self.dense = keras.layers.Dense(
            vocab_size,
            dtype=self.dtype,
            kernel_initializer=keras.initializers.GlorotUniform(seed=seed),
        )
        with tf.device(device_of(device)):
            self.dense.build((None, self.num_hiddens * len(first)))

    @staticmethod
    def directions(layer):
        """Return the one or two layers that a layer consists of."""
        both = isinstance(layer, keras.layers.Bidirectional)
        return [layer.forward_layer, layer.backward_layer] if both else [layer]

    @property
    def architecture(self):
        """The cell, the layers and the directions."""
        parts = self.directions(self.rnn[0])
        cell = next(name for name, kind in LAYERS.items() if isinstance(parts[0], kind))
        return cells.Architecture(cell, len(self.rnn), len(parts) == 2)

    def __call__(self, X, state):
        """Return outputs (num_steps * batch_size, vocab_size) and the state after token ids X."""
        contexts.check_graph(*self.params)
        inputs = self.inputs(X, state)
        return (
            self.nothing(state)
            if 0 in inputs.shape[:2]
            else self.run(inputs, self.as_tensors(state))
        )

    def run(self, inputs, state):
        """Return the outputs of inputs (T, n, V), and the state."""
        Hs, last = tf.transpose(inputs, (1, 0, 2)), []
        per_layer = len(state) // len(self.rnn)
        for number, layer in enumerate(self.rnn):
            before = list(state[number * per_layer : (number + 1) * per_layer])
            Hs, *after = layer(Hs, initial_state=before)
            last += after
        outputs = self.dense(tf.transpose(Hs, (1, 0, 2)))  # (T, n, V)
        return tf.reshape(outputs, (-1, self.vocab_size)), tuple(last)

    def loss_and_gradients(self, inputs, targets, state):
        """Return the mean cross-entropy, the new state and the gradients of params."""
        with contexts.tape() as tape:
            outputs, state = self.run(inputs, state)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, outputs)
            loss = tf.reduce_mean(losses)
        return loss, state, tape.gradient(loss, self.params)

    def prepared(self, X, Y, state):
        """Check a minibatch; return its inputs and targets, time-major."""
        X, Y = to_numpy(X), to_numpy(Y)
        checks.minibatch(X, Y, self.vocab_size)
        targets = from_numpy(Y.T.reshape(-1), dtype="int64", device=self.device)
        checks.values(has_values(targets))  # before the parameters change
        return self.inputs(X, state), targets

    momentum_excludes = ("schedule", "weight_decay")

    def framework_step(self, rule, theta, clip, *, scheduled):
        """Return a step with Keras' own optimizer, and the functions of its memory."""
        clipping = {"global_clipnorm" if clip == "norm" else "clipvalue": theta}
        optimizer = framework_optimizer(rule, learning_rate=rule.lr, **clipping)
        optimizer.build(self.params)

        @contexts.unrecorded
        def update(inputs, targets, state):
            loss, state, grads = self.loss_and_gradients(inputs, targets, state)
            optimizer.apply_gradients(zip(grads, self.params))
            return loss, state

        def deferred(X, Y, state, lr):
            contexts.check_graph(*self.params)
            contexts.check_alone(self.params)
            if scheduled:
                optimizer.learning_rate.assign(lr)
            return update(*self.prepared(X, Y, state), self.as_tensors(state))

        return deferred, *memory_functions(optimizer)

    def gradients(self, X, Y, state):
        """Return the mean loss of a minibatch and its gradients, in the order of arrays()."""
        loss, _, grads = self.loss_and_gradients(
            *self.prepared(X, Y, state), self.as_tensors(state)
        )
        return float(loss), self.separated_gradients(grads)

    def joined(self):
        """Return the parameters of each layer and direction; a GRU's bias has two rows."""
        cells = [cell_of(part) for layer in self.rnn for part in self.directions(layer)]
        return [Joined(c.kernel, c.recurrent_kernel, c.bias, None) for c in cells]

    def output(self):
        """Return the parameters of the output layer."""
        return self.dense.kernel, self.dense.bias

    def read(self, param):
        """Return a parameter, or the gradient of one, as a NumPy array."""
        return to_numpy(param)

    def write(self, param, array):
        """Set a parameter to the values of an array."""
        param.assign(array)


def framework_optimizer(rule, **settings):
    """Return Keras' own optimizer that computes the same as a rule of this package."""
    kinds, decay = keras.optimizers, getattr(rule, "weight_decay", 0.0) or None
    if isinstance(rule, optimizers.Adagrad):
        return kinds.Adagrad(**settings)
    if isinstance(rule, optimizers.SGD):
        return kinds.SGD(momentum=rule.momentum, weight_decay=decay, **settings)
    return kinds.AdamW(weight_decay=decay, **settings) if decay else kinds.Adam(**settings)


def memory_functions(optimizer):
    """Return memory and load_memory of a step: the optimizer's state as NumPy arrays by number."""

    def read():
        return {str(i): to_numpy(variable) for i, variable in enumerate(optimizer.variables)}

    def load(arrays):
        shapes = {str(i): tuple(value.shape) for i, value in enumerate(optimizer.variables)}
        optimizers.check_shapes(arrays, shapes)
        values = [arrays[name] for name in shapes]
        for variable, array in zip(optimizer.variables, values):
            variable.assign(array)

    return read, load
