"""The backward pass of each network of d2lrnn.nets.networks, written by hand.

``trace(network, params, *inputs)`` returns the outputs, the last state and a function that computes
the gradients of the parameters from the gradient of the outputs.
"""

import functools

import numpy as np

from d2lrnn.nets import embedding, forward, networks
from d2lrnn.numpy import bptt, fused, tracing
from d2lrnn.numpy.tensors import concat


def trace(network, params, *inputs):
    """Return outputs, last state and pull_back(d_outputs) -> d_params of a network.

    A network of cells without a backward pass in bptt is recorded on a tape.
    """
    architecture = getattr(network, "architecture", network)
    has_back = getattr(architecture, "cell", "rnn") in bptt.BACK
    return (by_hand if has_back else recorded)(network, params, *inputs)


def recorded(network, params, *inputs):
    """Return the same as trace, with gradients computed from a tape of the operations."""
    (outputs, *last), back = tracing.trace(lambda params: network(params, *inputs), list(params))

    def pull_back(d_outputs):
        return back([d_outputs])  # without a gradient of the last state: truncate BPTT here

    return outputs, tuple(last), pull_back


by_hand = functools.singledispatch(recorded)


@by_hand.register
def _(network: networks.Recurrent, params, inputs, state):
    outputs, last, back = trace_cell(network.forward_fn, inputs, state, params)
    forward.check_results(network.forward_fn, network.width, inputs, state, outputs, last)

    def pull_back(d_outputs):
        d_state = [np.zeros_like(s) for s in last]  # truncate BPTT at the minibatch
        return back(d_outputs, d_state)[2]

    return outputs, last, pull_back


def trace_cell(forward_fn, inputs, state, params):
    """Return outputs, last state and back(d_outputs, d_state) -> (d_inputs, d_state, d_params).

    A function with a ``trace``, such as rnn_fused, has its own backward pass; the cells of bptt and
    their stacks use the backward pass of bptt; scans, such as mingru_scan, and custom functions are
    recorded on a tape.
    """
    if isinstance(forward_fn, networks.Perturbed) and forward_fn.architecture.cell in bptt.BACK:
        return trace_perturbed(forward_fn, inputs, state, params)
    if isinstance(getattr(forward_fn, "function", None), embedding.Embedded):
        return trace_embedded(forward_fn.function, inputs, state, params)
    if isinstance(forward_fn, forward.ForwardFunction) and forward_fn.trace:
        return forward_fn.trace(inputs, state, params)
    is_custom = forward.is_custom(forward_fn) or forward_fn.architecture.cell not in bptt.BACK
    if is_custom or forward_fn.takes_ids:
        return trace_custom(forward_fn, inputs, state, params)
    architecture = forward.architecture_of(forward_fn)
    architecture.check(inputs, state, params)
    outputs, last, tape = bptt.forward(architecture, inputs, state, params)

    def back(d_outputs, d_state):
        return bptt.go_back(architecture, tape, params, d_outputs, d_state)

    return outputs, last, back


def trace_embedded(embedded, inputs, state, params):
    """Return the same as trace_cell for X = (one-hot rows or ids) W_xe, with dX from the cell.

    dW_xe is the sum over the tokens of dX: for each id, the sum of its rows.
    """
    embedded.check(inputs, params)
    table, *others = params
    X = fused.input_product(inputs, table, 0)
    outputs, last, cell_back = trace_cell(embedded.forward_fn, X, state, others)

    def back(d_outputs, d_state):
        dX, d_first, d_params = cell_back(d_outputs, d_state)
        d_inputs, d_table, _ = fused.input_product_back(inputs, table, dX)
        return d_inputs, d_first, [d_table, *d_params]

    return outputs, last, back


def trace_custom(forward_fn, inputs, state, params):
    """Return the same as trace_cell for a custom forward function."""
    arguments = inputs, tuple(state), list(params)
    (outputs, *last), tape_back = tracing.trace(
        functools.partial(forward.call, forward_fn), *arguments
    )

    def back(d_outputs, d_state):
        d_inputs, *grads = tape_back([d_outputs, *d_state])
        given = [inputs, *state]
        d_inputs, *d_first = (
            np.zeros_like(tensor) if d is None else d
            for tensor, d in zip(given, [d_inputs, *grads])
        )
        return d_inputs, tuple(d_first), grads[len(state) :]

    return outputs, tuple(last), back


def trace_perturbed(network, inputs, state, params):
    """Return the same as trace_cell; the gradient of E_t is dL/dH_t, the total gradient of H_t."""
    *weights, W_hq, b_q = params
    step, rows = bptt.STEP_FUNCTIONS[network.architecture.cell], inputs[:, :, : network.num_inputs]

    def perturbed_step(XE, state, params):
        (H, *others), cache = step(XE[:, : network.num_inputs], state, params)
        return (H + XE[:, network.num_inputs :], *others), cache

    Hs, last, (_, _, tape) = bptt.run(perturbed_step, inputs, state, weights)

    def back(d_outputs, d_state):
        dHs, *d_output_layer = output_layer_back(Hs, W_hq, d_outputs)
        cache = rows, None, tape
        dX, d_first, d_weights, dE = bptt.run_back(
            network.architecture.cell, cache, weights, dHs, d_state
        )
        return np.concatenate([dX, dE], 2), d_first, [*d_weights, *d_output_layer]

    return bptt.output_layer(Hs, W_hq, b_q), last, back


@by_hand.register
def _(network: networks.Masked, params, inputs, mask, state):
    if network.scan:
        return recorded(network, params, inputs, mask, state)
    *weights, W_hq, b_q = params
    architecture = network.architecture
    Hs, last, tape = bptt.run_layers(architecture, inputs, state, weights, mask)
    features = concat(architecture.top(last))[None] if network.last_only else Hs

    def pull_back(d_outputs):
        d_features, *d_output_layer = output_layer_back(features, W_hq, d_outputs)
        dHs, d_state = np.zeros_like(Hs), [np.zeros_like(s) for s in last]
        if network.last_only:
            parts = np.split(d_features[0], architecture.num_directions, axis=1)
            put_on_top(architecture, d_state, parts)
        else:
            dHs += d_features
        _, _, d_weights = bptt.layers_back(architecture, tape, weights, dHs, d_state)
        return [*d_weights, *d_output_layer]

    return bptt.output_layer(features, W_hq, b_q), last, pull_back


@by_hand.register
def _(network: networks.Decoder, params, before, context, state):
    outputs, last, pull_back = trace_decoder(network.architecture, params, before, context, state)
    return outputs, last, lambda d_outputs: pull_back(d_outputs)[2]


def trace_decoder(architecture, params, before, context, state):
    """Return the same as trace, but pull_back also returns d_context and d_state."""
    *weights, W_hq, b_q = params
    contexts = np.broadcast_to(context, (len(before), *context.shape))  # the same at every step
    inputs = concat([before, contexts])
    Hs, last, tape = bptt.run_layers(architecture, inputs, state, weights)

    def pull_back(d_outputs):
        dHs, *d_output_layer = output_layer_back(Hs, W_hq, d_outputs)
        d_last = [np.zeros_like(s) for s in last]
        d_inputs, d_state, d_weights = bptt.layers_back(architecture, tape, weights, dHs, d_last)
        d_context = d_inputs[:, :, before.shape[2] :].sum(0)
        return d_context, d_state, [*d_weights, *d_output_layer]

    return bptt.output_layer(Hs, W_hq, b_q), last, pull_back


@by_hand.register
def _(network: networks.EncoderDecoder, params, source, mask, state, before):
    architecture = network.architecture
    weights, decoder_params = architecture.split(params)
    Hs, state, tape = bptt.run_layers(architecture, source, state, weights, mask)
    outputs, last, decoder_back = trace_decoder(
        architecture, decoder_params, before, architecture.top(state)[0], state
    )

    def pull_back(d_outputs):
        d_context, d_state, d_decoder = decoder_back(d_outputs)
        d_state = list(d_state)  # of the encoder's last state, the decoder's first state
        put_on_top(architecture, d_state, [d_context])
        dHs = np.zeros_like(Hs)
        _, _, d_encoder = bptt.layers_back(architecture, tape, weights, dHs, d_state)
        return [*d_encoder, *d_decoder]

    return outputs, last, pull_back


@by_hand.register
def _(network: networks.Unshared, params, inputs, mask, state):
    *copies, W_hq, b_q = params
    weights = network.architecture.runs(copies)
    tape = []
    for X, m, copy in zip(inputs, mask, weights):
        state, cache = bptt.masked_step(
            bptt.STEP_FUNCTIONS[network.architecture.cell], X, m, state, copy
        )
        tape.append(cache)
    features = state[0][None]

    def pull_back(d_outputs):
        d_features, *d_output_layer = output_layer_back(features, W_hq, d_outputs)
        d_state = (d_features[0], *(np.zeros_like(s) for s in state[1:]))
        d_copies = [[np.zeros_like(param) for param in copy] for copy in weights]
        for cache, m, copy, grads in reversed(list(zip(tape, mask, weights, d_copies))):
            _, d_state = bptt.masked_back(network.architecture.cell, cache, m, copy, d_state, grads)
        return [*(grad for grads in d_copies for grad in grads), *d_output_layer]

    return bptt.output_layer(features, W_hq, b_q), state, pull_back


def output_layer_back(Hs, W_hq, d_outputs):
    """Return the gradients of hidden states (T, n, h), W_hq and b_q."""
    rows = Hs.reshape(-1, len(W_hq))
    return (d_outputs @ W_hq.T).reshape(Hs.shape), rows.T @ d_outputs, d_outputs.sum(0)


def put_on_top(architecture, d_state, parts):
    """Add parts, one for each direction, to the last layer's dH in the list d_state."""
    kinds = len(architecture.kind.states)
    first = len(d_state) - kinds * len(parts)
    for index, part in enumerate(parts):
        d_state[first + kinds * index] = d_state[first + kinds * index] + part
