"""Deep and bidirectional networks, and custom cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from d2lrnn.interface.aliases import ForwardFn, Params, State, Tensor

if TYPE_CHECKING:
    from d2lrnn.measure.cell_check import CellReport
    from d2lrnn.nets.custom import CustomCell


class Custom(Protocol):
    """Deep and bidirectional networks, and custom cells."""

    @staticmethod
    def stack(
        cell: Any, num_layers: int = 1, bidirectional: bool = False
    ) -> tuple[Callable[..., Params], Callable[..., State], ForwardFn]:
        """Return the three functions of a deep or bidirectional network.

        Args:
            cell: "rnn", "gru", "gru_reset_after", "lstm", "mingru", "minlstm", "s4d" or "mamba"; or
                a custom cell from new_cell.
            num_layers: 1 or above; the hidden states of each layer are the inputs of the next.
            bidirectional: whether each layer also runs from the last step to the first, with its
                own parameters; its hidden states are those of both directions, side by side.

        Returns:
            (get_params, init_state, forward_fn), for RNNModelScratch. Parameters are ordered by
            layer, then by direction, with the output layer last; so is the state, with H or
            (H, C) for each.

        Raises:
            ValueError: the cell is not known, or num_layers is not a positive integer.

        Source: sections 10.3 and 10.4.

        Examples:
            >>> net = rnn.RNNModelScratch(5, 4, *rnn.stack("lstm", num_layers=2), seed=0)
            >>> [tuple(part.shape) for part in net.begin_state(3)]  # H and C of each layer
            [(3, 4), (3, 4), (3, 4), (3, 4)]
        """

    @staticmethod
    def new_cell(
        step: Callable[..., Any],
        params: Mapping[str, Sequence[str | int]],
        states: Sequence[str] | Mapping[str, Sequence[str | int]] = ("H",),
        *,
        name: str | None = None,
        output: str | None = None,
        init: Mapping[str, Any] | None = None,
    ) -> CustomCell:
        """Return a custom cell, made from the function that computes one time step.

        The cell can be used like a built-in one: with RNNModelScratch, stack, networks over
        sequences, training, checkpoints, model files, gradient_norms and look_inside. An axis is
        "d" (inputs), "h" (hidden units) or an integer.

        Args:
            step: called as step(X, *states, p) with the input X (n, d), the states before, and the
                parameters p by name, such as p.W_xh; returns the new states, one tensor for each.
                It computes with the framework's own operations, and must use every parameter.
            params: the axes of each parameter by its name. W_hq and b_q, the parameters of the
                output layer, are added.
            states: the names of the states, each (n, h), or their axes by name, without the batch
                axis. The first state is the output of the cell, and has the axes ("h",).
            name: the name of the cell, an identifier; None takes the name of the step.
            output: None, or a name for an output that is not a state; step then returns the output
                (n, h) first, followed by the states, which may have any axes.
            init: initial values by name. For a parameter, a number, or a function (shape, rng) that
                returns an array; for a state, a number. By default, parameters with one axis and
                states are 0, and other parameters are drawn from N(0, 0.01²).

        Returns:
            A CustomCell: (get_params, init_state, forward), which are also its attributes.

        Raises:
            ValueError: a name is not an identifier or is used twice, an axis is not known, or step
                cannot be called with these arguments; later, step returns something else than
                tensors of the right shapes, or a parameter receives no gradient.

        Examples:
            >>> def mgu(X, H, p):  # a minimal gated unit
            ...     F = rnn.sigmoid(X @ p.W_xf + H @ p.W_hf + p.b_f)
            ...     H_tilde = rnn.tanh(X @ p.W_xh + (F * H) @ p.W_hh + p.b_h)
            ...     return (1 - F) * H + F * H_tilde
            >>> gate = {"W_xf": ("d", "h"), "W_hf": ("h", "h"), "b_f": ("h",)}
            >>> candidate = {"W_xh": ("d", "h"), "W_hh": ("h", "h"), "b_h": ("h",)}
            >>> cell = rnn.new_cell(mgu, params={**gate, **candidate}, init={"b_f": 1.0})
            >>> net = rnn.RNNModelScratch(5, 4, *cell, seed=0)
            >>> net.architecture.parameters[:3], len(net.begin_state(2))
            (['W_xf', 'W_hf', 'b_f'], 1)
        """

    @staticmethod
    def check_cell(
        forward: Any,
        reference: Any = None,
        *,
        cell: Any = None,
        reference_backend: str | None = None,
        gradients: bool = True,
        num_steps: int = 6,
        batch_size: int = 3,
        num_inputs: int = 5,
        num_hiddens: int = 4,
        seed: int = 0,
    ) -> CellReport:
        """Compare your own forward function with a reference, and report the first difference.

        Outputs, last state and the gradients of inputs, state and parameters are compared in
        float64 and float32, for random numbers. A difference is an error if rounding cannot explain
        it. Without a reference, the gradients are compared with finite differences.

        Args:
            forward: the function to check, forward(inputs (T, n, d), state, params), which returns
                the outputs (T * n, q) and the last state; or a cell of new_cell; or three functions
                (get_params, init_state, forward).
            reference: the same, or a function of this package such as rnn.gru, or its name, "gru";
                None for finite differences.
            cell: a cell whose parameters and states both functions have, such as "gru"; necessary
                only if neither determines them: a plain function does so if it unpacks
                parameters and states with the names of the book, as in (H,) = state.
            reference_backend: the name of the backend that computes the reference; by default, the
                one that the reference belongs to.
            gradients: whether to compare the gradients too; without a reference, True.
            num_steps: T, 1 or above.
            batch_size: n, 1 or above.
            num_inputs: d, 1 or above, also the number of outputs q.
            num_hiddens: h, 1 or above.
            seed: the seed of the random numbers, 0 or above.

        Returns:
            A CellReport. It is true if all quantities agree, and its text names the first
            difference (time step, row of the batch, unit) and, if it is known, the mistake.

        Raises:
            ValueError: a function cannot be called with these arguments, raises an error, returns
                something else than outputs and state, or a number that is not finite; it belongs
                to another backend; its parameters or states are not known, or differ from those of
                the reference in number or shape; no reference is given, and gradients is False or
                reference_backend is given; or float64, which finite differences need, is not
                available.

        Examples:
            >>> def my_rnn(inputs, state, params):
            ...     W_xh, W_hh, b_h, W_hq, b_q = params
            ...     return rnn.rnn(inputs, state, [W_xh, W_hh, 0 * b_h, W_hq, b_q])
            >>> report = rnn.check_cell(my_rnn, reference=rnn.rnn)
            >>> report.ok, report.first.time_step, report.cause
            (False, 0, 'b_h is not used')
            >>> bool(rnn.check_cell(rnn.concat_gru, reference="concat_gru"))
            True
        """

    @staticmethod
    def sigmoid(X: Tensor) -> Tensor:
        """Return 1 / (1 + exp(-X)) of each element, without overflow, for custom cells.

        Args:
            X: a tensor of floats.

        Returns:
            A tensor of the same shape and dtype.

        Examples:
            >>> rnn.to_numpy(rnn.sigmoid(rnn.from_numpy([0.0, 1000.0]))).round(6).tolist()
            [0.5, 1.0]
        """

    @staticmethod
    def tanh(X: Tensor) -> Tensor:
        """Return tanh(X) of each element, for custom cells.

        Args:
            X: a tensor of floats.

        Returns:
            A tensor of the same shape and dtype.

        Examples:
            >>> rnn.to_numpy(rnn.tanh(rnn.from_numpy([0.0, 1000.0]))).round(6).tolist()
            [0.0, 1.0]
        """
