"""The language model made of three functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from d2lrnn import checks
from d2lrnn.nets import (
    averaging,
    cells,
    forward,
    function_layout,
    kinds,
    losses,
    optimizers,
    remedies,
    schedules,
)
from d2lrnn.nets import dropout as dropouts
from d2lrnn.nets import embedding as embeddings
from d2lrnn.nets.model import Array, Model, State
from d2lrnn.nets.schedules import Schedule
from d2lrnn.nets.steps import TrainingStep, counted, memory_functions

if TYPE_CHECKING:
    from d2lrnn.nets import networks


class RNNModelScratch(Model):
    """A language model made of three functions, such as get_params, init_rnn_state and rnn.

    Each of the three may be a custom function.

    Args:
        vocab_size: V, 1 or above.
        num_hiddens: h, 1 or above.
        get_params: called with (V, h) and, if it has parameters of these names, with seed, dtype
            and device; the tensors or arrays that it returns become trainable parameters of the
            dtype. Without a parameter seed, it is not affected by the seed.
        init_state: called with (batch_size, h) and, in the same way, with dtype and device; returns
            a tuple of tensors.
        forward_fn: called with (inputs (T, n, V), state, params); returns the outputs
            (T * n, V), ordered by time step, and the new state. It must use every parameter,
            with the framework's own operations: training raises an error if a parameter
            receives no gradient. JAX and TensorFlow compile it when it is first called, and again
            when an attribute or a variable that its code names has changed between two calls.
        seed: an integer for the same weights in every backend, or None for new ones.
        dtype: "float32" or "float64".
        device: where to store the parameters; None is the framework's default.
        embedding: None for one-hot rows (T, n, V) as inputs of forward_fn; or a size e, 1 or above:
            its inputs are the rows (T, n, e) of a table W_xe (V, e), which is the first of the
            parameters, and is trained. It is drawn from N(0, 1), and get_params and forward_fn are
            those of one cell of this package, of stack or of new_cell.

    ``net(X, state)`` takes token ids (n, T) and returns scores (T * n, V) and the new state. See
    d2lrnn.nets.model.Model for the methods.

    Raises:
        ValueError: a size or the dtype is not valid; or forward_fn is a cell of this package, and
            the parameters or states do not have the number or the shapes that it needs.

    Source: section 9.5.

    Examples:
        >>> net = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
        >>> outputs, state = net(rnn.from_numpy([[0, 1, 2]]), net.begin_state(1))
        >>> tuple(outputs.shape)  # of the token after each of the three
        (3, 5)
    """

    @remedies.explained(remedies.DEVICE)
    def __init__(
        self,
        vocab_size: int,
        num_hiddens: int,
        get_params: Callable[..., list[Any]],
        init_state: Callable[..., State],
        forward_fn: Callable[..., Any],
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Any = None,
        embedding: int | None = None,
    ) -> None:
        """Check the arguments, and make the parameters with get_params."""
        remedies.functions_of_a_net(get_params, init_state, forward_fn)
        if embedding is not None:
            functions = get_params, init_state, forward_fn
            get_params, init_state, forward_fn = embeddings.embed(self.ops, functions, embedding)
        self.vocab_size, self.num_hiddens = vocab_size, num_hiddens
        self.dtype, self.device = checks.floating(dtype), device
        self.init_state, self.forward_fn = init_state, forward_fn
        settings = {"dtype": self.dtype, "device": device}
        sizes = vocab_size, num_hiddens
        params = remedies.called("get_params", get_params, *sizes, seed=seed, **settings)
        self.params = self._own_params(params)
        if not self.is_custom:
            names, shapes = self.architecture.parameters, self.architecture.shapes(*sizes)
            checks.num_params(len(self.params), names)
            checks.parameters(self.params, names, shapes)
            checks.first_state(self.begin_state(1), self.architecture.state_shapes(num_hiddens))

    def _own_params(self, params: Any) -> list[Any]:
        """Return what get_params returned as trainable parameters of the dtype of the net."""
        if not isinstance(params, (list, tuple)) or not params:
            raise ValueError(
                f"get_params returns {forward.described(params)}; expected a list of parameters"
            )
        is_trainable = self.tensors.is_trainable
        if all(is_trainable(param) and checks.dtype_of(param) == self.dtype for param in params):
            return list(params)
        arrays = [self.tensors.to_numpy(param) for param in params]
        return list(self.tensors.trainable(arrays, dtype=self.dtype, device=self.device))

    def __call__(self, X: Any, state: State) -> tuple[Any, State]:
        """Return outputs (T * n, V) and the new state for token ids X (n, T)."""
        arguments = self.inputs(X, state), self.as_tensors(state), self.params
        outputs, state = forward.run(self.forward_fn, self.vocab_size, *arguments)
        return outputs, state

    def check_state(self, state: State, batch_size: int) -> None:
        """Check that a state is a tuple of tensors of the right shapes and dtype."""
        if self.is_custom:  # the shapes are those that init_state returns
            super().check_state(state, batch_size)
            return
        checks.state(state, batch_size, self.architecture.state_shapes(self.num_hiddens))
        kinds.alike_or_numpy(self.params[0], state=state)
        checks.same_dtype(self.params[0], state=state)

    @property
    def takes_ids(self) -> bool:
        """Whether forward_fn accepts token ids, as the fused functions do."""
        return isinstance(self.forward_fn, forward.ForwardFunction) and self.forward_fn.takes_ids

    @property
    def bidirectional(self) -> bool:
        """Whether the layers run in both directions; False for a custom forward function."""
        return not self.is_custom and self.architecture.bidirectional

    @property
    def architecture(self) -> cells.Architecture:
        """The cell, the layers and the directions of the forward function.

        Raises:
            AttributeError: a ValueError too; the forward function is a custom function.
        """
        return forward.architecture_of(self.forward_fn)

    @property
    def layout(self) -> cells.Architecture | function_layout.FunctionLayout:
        """What a model file stores: the architecture, or the shapes of custom functions."""
        if not self.is_custom:
            return self.architecture
        return function_layout.of_params(forward.name_of(self.forward_fn), self.params)

    @remedies.explained(remedies.NET_S_DEVICE)
    def begin_state(self, batch_size: int) -> State:
        """Return the state before the first time step: zeros (batch_size, num_hiddens)."""
        sizes, settings = (batch_size, self.num_hiddens), {"dtype": self.dtype}
        state = remedies.called(
            "init_state", self.init_state, *sizes, **settings, device=self.device
        )
        if not isinstance(state, (tuple, list)):
            raise ValueError(
                f"init_state returns {forward.described(state)}; expected a tuple of tensors, such "
                "as (H,)"
            )
        return tuple(self._of_dtype(tensor) for tensor in state)

    def _of_dtype(self, tensor: Any) -> Any:
        """Return a part of a custom function's state as a tensor of the net's dtype."""
        if self.tensors.is_tensor(tensor) and checks.dtype_of(tensor) == self.dtype:
            return tensor
        return self.tensor(self.tensors.to_numpy(tensor))

    @property
    def is_custom(self) -> bool:
        """Whether forward_fn is a custom function, not a cell or a stack of this package."""
        return forward.is_custom(self.forward_fn)

    @property
    def speaker(self) -> networks.Masked | networks.Embedded:
        """The plain network, used to generate one token at a time.

        A fused function would not be faster for a single step.
        """
        from d2lrnn.nets import networks  # imported here, so that importing d2lrnn stays fast

        speaker: networks.Masked | networks.Embedded = networks.after_embedding(
            self.ops, self.architecture, networks.Masked
        )
        return speaker

    def next_scores(self, index: Array, state: State) -> tuple[Array, State]:
        """Return the scores (n, vocab_size) of the tokens after ids (n,), and the state."""
        if self.is_custom:
            return super().next_scores(index, state)
        from d2lrnn.nets import networks

        ids, settings = index[None], {"dtype": self.dtype, "device": self.device}
        rows = self.tensors.one_hot(ids, self.vocab_size, **settings)  # (1, n, vocab_size)
        speaker = networks.repeated(self.speaker)
        outputs, state = speaker(self.params, rows, None, self.as_tensors(state))
        return self.tensors.to_numpy(outputs), state

    def make_step(
        self,
        lr: float,
        theta: float = 1.0,
        *,
        optimizer: str = "sgd",
        clip: str = "norm",
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        schedule: Schedule | None = None,
        dropout: float = 0.0,
        seed: int | None = None,
    ) -> TrainingStep:
        """Return the function that trains on one minibatch, with the optimizers of this package."""
        from d2lrnn.nets import networks

        self.check_call()
        network: Any = networks.Recurrent(self.forward_fn, self.vocab_size)
        rule = optimizers.make(optimizer, lr, momentum=momentum, weight_decay=weight_decay)
        rate, masks = schedules.Rate(rule.lr, schedule), None
        if dropouts.check(dropout):
            masks = dropouts.Dropout(self, dropout, seed)
            if masks.between:
                network = networks.after_embedding(self.ops, self.architecture, networks.Dropped)
        settings = self.ops, network, "softmax", lr, theta
        update = averaging.make_update(*settings, optimizer=rule, clip=clip)

        def deferred(X: Any, Y: Any, state: State) -> tuple[Any, State]:
            targets = self.targets(X, Y)
            if masks is None:
                inputs: Any = self.inputs(X, state), self.as_tensors(state)
            else:
                inputs = masks.inputs(X, state, rate.number)
            loss, state, self.params = update(self.params, inputs, targets, lr=rate())
            return loss, state

        step = TrainingStep(deferred, *memory_functions(update.memory, self))
        return counted(step, rate, masks)

    def targets(self, X: Any, Y: Any) -> Any:
        """Return the ids of Y (n, T) as a tensor (T * n,), in the order of the outputs."""
        X, Y = self.tensors.to_numpy(X), self.tensors.to_numpy(Y)
        checks.minibatch(X, Y, self.vocab_size)
        ids = Y.T.reshape(-1)
        targets = self.tensors.from_numpy(ids, dtype="int64", device=self.device)
        checks.values(self.tensors.has_values(targets))  # before the parameters change
        return targets

    def tensor(self, array: Array) -> Any:
        """Return an array as a tensor of the parameters' dtype, on their device."""
        return self.tensors.from_numpy(array, dtype=self.dtype, device=self.device)

    def gradients(self, X: Any, Y: Any, state: State) -> tuple[float, list[Array]]:
        """Return the mean loss of a minibatch and its gradients, in the order of params."""
        self.check_call()
        loss, d_outputs = self.loss_and_d_outputs(X, Y, state)
        ends = d_outputs, self.begin_state(len(X))
        _, _, d_params = self.ops.gradients.vjp(
            self.forward_fn, self.rows(X, state), state, self.params, *ends
        )
        return loss, [self.tensors.to_numpy(gradient) for gradient in d_params]

    def check_call(self) -> None:
        """Check that a subclass does not override __call__, which training does not use.

        Raises:
            ValueError: the subclass overrides it.
        """
        if not type(self).__call__.__module__.startswith("d2lrnn."):
            raise ValueError(
                f"{type(self).__name__} overrides __call__, which training does not use: it "
                "differentiates forward_fn; give the computation as forward_fn(inputs, state, "
                "params), the fifth argument of RNNModelScratch"
            )

    def loss_and_d_outputs(
        self, X: Any, Y: Any, state: State, *, last_only: bool = False
    ) -> tuple[float, Any]:
        """Return the mean loss, and its gradient with respect to the outputs.

        The mean is over all time steps, or over the last one if last_only is true.
        """
        X, Y = self.tensors.to_numpy(X), self.tensors.to_numpy(Y)
        checks.minibatch(X, Y, self.vocab_size)
        outputs, _ = self.evaluate(X, state)
        first = len(outputs) - len(Y) if last_only else 0
        loss, d_counted = losses.softmax(outputs[first:], Y.T.reshape(-1)[first:])  # time-major
        d_outputs = np.zeros_like(outputs)
        d_outputs[first:] = d_counted
        return loss, self.tensors.from_numpy(d_outputs, dtype=self.dtype, device=self.device)

    def load_arrays(self, arrays: Sequence[Array]) -> None:
        """Set the parameters to NumPy arrays, in the order of arrays()."""
        arrays = checks.same_shapes(arrays, self.arrays())
        self.params = self.tensors.trainable(arrays, dtype=self.dtype, device=self.device)

    def arrays(self) -> list[Array]:
        """Return copies of the parameters as NumPy arrays."""
        return [self.tensors.to_numpy(param) for param in self.params]
