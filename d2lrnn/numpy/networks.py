"""The way back through each network of d2lrnn.networks, by hand.

``trace(network, params, *inputs)`` returns the outputs, the last state and a function that turns
the gradient for the outputs into those for the parameters.
"""

import functools

import numpy as np

from d2lrnn import cells, networks
from d2lrnn.numpy import bptt
from d2lrnn.numpy.tensors import concat


@functools.singledispatch
def trace(network, params, *inputs):
    """Return outputs, last state and pull_back(d_outputs) -> d_params of a network."""
    raise TypeError(f"no way back is written for {type(network).__name__}")


@trace.register
def _(network: networks.Recurrent, params, inputs, state):
    architecture = cells.architecture_of(network.forward_fn)
    outputs, last, tape = bptt.forward(architecture, inputs, state, params)

    def pull_back(d_outputs):
        d_state = [np.zeros_like(s) for s in last]  # truncate BPTT at the minibatch
        return bptt.go_back(architecture, tape, params, d_outputs, d_state)[2]

    return outputs, last, pull_back


@trace.register
def _(network: networks.Masked, params, inputs, mask, state):
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


@trace.register
def _(network: networks.EncoderDecoder, params, source, mask, state, targets):
    architecture = network.architecture
    number = len(architecture.parameters) - 2
    encoder, decoder, (W_hq, b_q) = params[:number], params[number:-2], params[-2:]
    _, state, encoder_tape = bptt.run_layers(architecture, source, state, encoder, mask)
    (context,) = architecture.top(state)
    contexts = np.broadcast_to(context, (len(targets), *context.shape))
    inputs = concat([targets, contexts])
    Hs, last, decoder_tape = bptt.run_layers(architecture, inputs, state, decoder)

    def pull_back(d_outputs):
        dHs, *d_output_layer = output_layer_back(Hs, W_hq, d_outputs)
        zeros = [np.zeros_like(s) for s in last]
        d_inputs, d_state, d_decoder = bptt.layers_back(
            architecture, decoder_tape, decoder, dHs, zeros
        )
        d_state = list(d_state)  # the encoder's last state: where the decoder begins, and context
        put_on_top(architecture, d_state, [d_inputs[:, :, targets.shape[2] :].sum(0)])
        nothing = np.zeros((*source.shape[:2], context.shape[1]), source.dtype)
        _, _, d_encoder = bptt.layers_back(architecture, encoder_tape, encoder, nothing, d_state)
        return [*d_encoder, *d_decoder, *d_output_layer]

    return bptt.output_layer(Hs, W_hq, b_q), last, pull_back


@trace.register
def _(network: networks.Unshared, params, inputs, mask, state):
    *copies, W_hq, b_q = params
    size = len(copies) // len(inputs)
    weights = [copies[t * size : (t + 1) * size] for t in range(len(inputs))]
    tape = []
    for X, m, own in zip(inputs, mask, weights):
        state, kept = bptt.masked_step(bptt.STEPS[network.cell], X, m, state, own)
        tape.append(kept)
    features = state[0][None]

    def pull_back(d_outputs):
        d_features, *d_output_layer = output_layer_back(features, W_hq, d_outputs)
        d_state = (d_features[0], *(np.zeros_like(s) for s in state[1:]))
        d_copies = [[np.zeros_like(param) for param in own] for own in weights]
        for kept, m, own, grads in reversed(list(zip(tape, mask, weights, d_copies))):
            _, d_state = bptt.masked_back(network.cell, kept, m, own, d_state, grads)
        return [*(grad for grads in d_copies for grad in grads), *d_output_layer]

    return bptt.output_layer(features, W_hq, b_q), state, pull_back


def output_layer_back(Hs, W_hq, d_outputs):
    """Return the gradients of hidden states (T, n, h), W_hq and b_q."""
    flat = Hs.reshape(-1, len(W_hq))
    return (d_outputs @ W_hq.T).reshape(Hs.shape), flat.T @ d_outputs, d_outputs.sum(0)


def put_on_top(architecture, d_state, parts):
    """Add to the gradient of the last layer's H, of each direction, in a list of all layers'."""
    kinds = len(cells.CELLS[architecture.cell].states)
    first = len(d_state) - kinds * len(parts)
    for index, part in enumerate(parts):
        d_state[first + kinds * index] = d_state[first + kinds * index] + part
