"""Gradients and updates of parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from d2lrnn.interface.aliases import ForwardFn, Params, State, Tensor

if TYPE_CHECKING:
    from d2lrnn.nets.model import Model as Net


class Training(Protocol):
    """Gradients and updates of parameters."""

    @staticmethod
    def vjp(
        forward_fn: ForwardFn,
        inputs: Tensor,
        state: State,
        params: Params,
        d_outputs: Tensor,
        d_state: State,
    ) -> tuple[Tensor, State, Params]:
        """Compute the vector-Jacobian product of a forward function.

        This is the gradient of <d_outputs, outputs> + <d_state, new state>, computed by the
        framework's own differentiation and by hand in NumPy.

        Args:
            forward_fn: a function such as rnn.
            inputs: (T, n, d).
            state: the state before the first step.
            params: the parameters of forward_fn.
            d_outputs: a tensor of the shape of the outputs, (T * n, q).
            d_state: tensors of the shapes of the state.

        Returns:
            (d_inputs, d_state, d_params), with the shapes of inputs, state and params.

        Raises:
            ValueError: one of the parameters receives no gradient although the inputs are not
                empty, or a shape or a dtype does not fit.

        Source: section 9.7, Backpropagation Through Time.

        Examples:
            >>> X, state = rnn.one_hot([[0], [2]], 3), rnn.init_rnn_state(1, 4)
            >>> params = rnn.get_params(3, 4, seed=0)
            >>> ones = rnn.from_numpy([[1, 1, 1], [1, 1, 1]], dtype="float32")
            >>> d_X, d_state, d_params = rnn.vjp(rnn.rnn, X, state, params, ones, state)
            >>> rnn.to_numpy(d_params[-1]).tolist()  # of b_q, which is added at both steps
            [2.0, 2.0, 2.0]
        """

    @staticmethod
    def grad_clipping(
        grads: Sequence[Tensor], theta: float, *, clip: str = "norm"
    ) -> tuple[list[Tensor], Tensor]:
        """Multiply gradients by min(1, theta / norm), where norm is their joint norm.

        Args:
            grads: the gradients of all parameters; they are not changed.
            theta: the largest joint Euclidean norm that is not reduced, above 0.
            clip: "norm", or "value" to limit each element to -theta..theta instead.

        Returns:
            The new gradients, and the norm before clipping.

        Raises:
            ValueError: there are no gradients, they are not floats of one dtype, or theta is not
                above 0.

        Source: section 9.5, Gradient Clipping (equation 9.5.3).

        Examples:
            >>> grads = [rnn.from_numpy([3, 4], dtype="float32")]
            >>> clipped, norm = rnn.grad_clipping(grads, theta=1)
            >>> [f"{value:.2f}" for value in rnn.to_numpy(clipped[0])], float(norm)
            (['0.60', '0.80'], 5.0)
        """

    @staticmethod
    def sgd_step(
        net: Net, X: Tensor, Y: Tensor, state: State, lr: float, theta: float = 1.0
    ) -> tuple[Any, State]:
        """Train a language model on one minibatch, with short code that is written for reading.

        The file step.py of each backend shows the forward pass, the loss, the backward pass, the
        clipping and the update in the framework's own operations. make_step returns a function that
        computes the same numbers faster, has more optimizers, and checks in every backend that each
        parameter receives a gradient.

        Args:
            net: an RNNModelScratch; its params change.
            X: token ids (n, T).
            Y: the ids of the tokens that follow, (n, T).
            state: the state before the first step, of n rows.
            lr: the learning rate, above 0.
            theta: the largest norm of the gradients; see grad_clipping.

        Returns:
            The mean cross-entropy, a scalar of the framework, and the new state.

        Raises:
            ValueError: the net is not an RNNModelScratch, the minibatch is empty or not valid, the
                state does not fit, or lr or theta is not positive.

        Source: section 9.5, Training.

        Examples:
            >>> net = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
            >>> X, Y = rnn.from_numpy([[0, 1, 2]]), rnn.from_numpy([[1, 2, 3]])
            >>> for _ in range(3):
            ...     loss, _ = rnn.sgd_step(net, X, Y, net.begin_state(1), lr=0.5)
            ...     print(f"{float(loss):.2f}")
            1.61
            1.55
            1.49
        """

    @staticmethod
    def value_and_grad(network: Callable[..., Any], loss: str) -> Callable[..., Any]:
        """Return a function that computes a loss and its gradients.

        Args:
            network: one of d2lrnn.nets.networks; network(params, *inputs) returns
                (outputs, last state).
            loss: "softmax" for targets that are ids (m,), "sigmoid" for targets (m, q) in 0..1, or
                "squared" for any targets (m, q).

        Returns:
            compute(params, inputs, targets, weights=None), which returns
            (loss, last state, gradients). The loss is the mean over the rows of the outputs (m, q),
            or, with weights (m,) that add up to 1, the weighted sum.

        Raises:
            ValueError: compute finds a parameter that receives no gradient although the inputs are
                not empty.

        Examples:
            >>> from d2lrnn.nets.networks import Recurrent
            >>> compute = rnn.value_and_grad(Recurrent(rnn.rnn), "softmax")
            >>> inputs = rnn.one_hot([[0], [2]], 3), rnn.init_rnn_state(1, 4)
            >>> params, targets = rnn.get_params(3, 4, seed=0), rnn.from_numpy([2, 1])
            >>> loss, state, grads = compute(params, inputs, targets)
            >>> f"{float(loss):.2f}", len(grads)  # a guess at random: ln 3
            ('1.10', 5)
        """

    @staticmethod
    def make_update(
        network: Callable[..., Any],
        loss: str,
        lr: float,
        theta: float,
        *,
        optimizer: str = "sgd",
        clip: str = "norm",
    ) -> Callable[..., Any]:
        """Return a function that updates parameters once: loss, gradients, clipping, update.

        Frameworks that compile code compile all of it together.

        Args:
            network: one of d2lrnn.nets.networks; network(params, *inputs) returns
                (outputs, last state).
            loss: "softmax" for targets that are ids (m,), "sigmoid" for targets (m, q) in 0..1, or
                "squared" for any targets (m, q).
            lr: the learning rate, above 0.
            theta: the largest norm of the gradients; see grad_clipping.
            optimizer: "sgd", "adagrad", "adam" or "adamw".
            clip: "norm" or "value"; see grad_clipping.

        Returns:
            update(params, inputs, targets, weights=None, *, lr=None), which returns
            (loss, last state, new parameters); a number lr replaces the learning rate once. The
            loss is a scalar on its device; float(loss) waits for it. ``update.memory`` is the state
            of the optimizer.

        Examples:
            >>> from d2lrnn.nets.networks import Recurrent
            >>> update = rnn.make_update(Recurrent(rnn.rnn), "softmax", lr=1.0, theta=1.0)
            >>> inputs = rnn.one_hot([[0], [2]], 3), rnn.init_rnn_state(1, 4)
            >>> params = rnn.get_params(3, 4, seed=0)
            >>> for _ in range(3):
            ...     loss, state, params = update(params, inputs, rnn.from_numpy([2, 1]))
            ...     print(f"{float(loss):.2f}")
            1.10
            0.96
            0.89
        """
