"""minGRU as a layer of Flax, computed with jax.lax.associative_scan."""

import jax
import jax.numpy as jnp
from flax import nnx


def compose(first, second):
    """Return the affine map h -> a h + b that is the first map and then the second."""
    (a_1, b_1), (a_2, b_2) = first, second
    return a_2 * a_1, a_2 * b_1 + b_2


class MinGRULayer(nnx.Module):
    """A minGRU that is called in the same way as nnx.RNN, time-major."""

    def __init__(self, num_inputs, num_hiddens, **settings):
        """Draw the weights of the update gate and the candidate, side by side."""
        self.in_features, self.hidden_features = num_inputs, num_hiddens
        self.param_dtype = settings["param_dtype"]
        self.dense_i = nnx.Linear(num_inputs, 2 * num_hiddens, **settings)

    @property
    def cell(self):
        """The module that holds the parameters, as in nnx.RNN."""
        return self

    def __call__(
        self, inputs, *, initial_carry, reverse=False, return_carry=True, keep_order=True, **unused
    ):
        """Return the last state and the states (T, n, h) of inputs (T, n, d)."""
        A_z, A_h = jnp.split(self.dense_i(inputs), 2, axis=-1)
        Z = jax.nn.sigmoid(A_z)  # update gate
        a, b = 1 - Z, Z * jnp.tanh(A_h)
        if len(inputs) == 0:
            return initial_carry, b
        first = -1 if reverse else 0  # the time step that the state before enters
        b = b.at[first].add(a[first] * initial_carry)
        _, Hs = jax.lax.associative_scan(compose, (a, b), reverse=reverse)
        return Hs[0 if reverse else -1], Hs
