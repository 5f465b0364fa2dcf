"""minGRU as a layer of Keras, computed with keras.ops.associative_scan.

XLA cannot compile that function for most numbers of time steps from 4 (Keras 3.15 with TensorFlow
2.21), so nets with this layer are compiled without XLA, as all nets of Keras' layers are here.
"""

import keras
from keras import ops


def compose(first, second):
    """Return the affine map h -> a h + b that is the first map and then the second."""
    (a_1, b_1), (a_2, b_2) = first, second
    return a_2 * a_1, a_2 * b_1 + b_2


@keras.saving.register_keras_serializable(package="d2lrnn")
class MinGRULayer(keras.layers.Layer):
    """A minGRU that is called in the same way as keras.layers.GRU."""

    return_sequences, return_state, stateful = True, True, False
    recurrent_kernel, states = None, ()

    def __init__(self, units, *, kernel_initializer="glorot_uniform", go_backwards=False, **kwargs):
        """Set the number of hidden units; build draws the weights."""
        kwargs = {name: kwargs[name] for name in kwargs if name not in UNUSED}
        super().__init__(**kwargs)
        self.units, self.go_backwards = units, go_backwards
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        """Draw the weights of the update gate and the candidate, side by side."""
        self.kernel = self.add_weight(
            shape=(input_shape[-1], 2 * self.units),
            initializer=self.kernel_initializer,
            name="kernel",
        )
        self.bias = self.add_weight(shape=(2 * self.units,), initializer="zeros", name="bias")

    def call(self, sequences, initial_state):
        """Return the states (n, T, h) of sequences (n, T, d), and the last state."""
        A = ops.matmul(sequences, self.kernel) + self.bias
        A_z, A_h = ops.split(ops.flip(A, axis=1) if self.go_backwards else A, 2, axis=-1)
        Z = ops.sigmoid(A_z)  # update gate
        a, b = 1 - Z, Z * ops.tanh(A_h)
        first = b[:, :1] + a[:, :1] * initial_state[0][:, None]  # the state before enters here
        b = ops.concatenate([first, b[:, 1:]], axis=1)
        _, Hs = ops.associative_scan(compose, (a, b), axis=1)
        return Hs, Hs[:, -1]

    def get_config(self):
        """Return the arguments of the layer, from which Keras makes a copy."""
        initializer = keras.initializers.serialize(self.kernel_initializer)
        config = {"units": self.units, "go_backwards": self.go_backwards}
        return {**super().get_config(), **config, "kernel_initializer": initializer}


UNUSED = {"return_sequences", "return_state", "recurrent_initializer"}  # of Keras' own layers
