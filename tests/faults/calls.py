"""Calls of functions whose result is called in turn, or is compared only in part."""

import functools

import numpy as np
from anything import H, V

from d2lrnn import checks


def trained(rnn, params):
    """Return tensors as trainable parameters, each with its dtype."""
    arrays = list(map(rnn.to_numpy, params))
    return [rnn.trainable([array], dtype=array.dtype.name)[0] for array in arrays]


def gradients(rnn, network, loss, inputs, state, params, targets, weights):
    """Call the result of value_and_grad."""
    compute = rnn.value_and_grad(network, loss)
    value, last, grads = compute(trained(rnn, params), (inputs, state), targets, weights)
    return value, last, list(grads)


def updated(rnn, network, loss, inputs, state, params, targets, weights, **settings):
    """Call the result of make_update twice."""
    update = rnn.make_update(network, loss, **settings)
    _, _, params = update(trained(rnn, params), (inputs, state), targets, weights)
    return update(params, (inputs, state), targets, weights)


def stacked(rnn, cell, **settings):
    """Call the results of stack."""
    get_params, init_state, forward_fn = rnn.stack(cell, **settings)
    params, inputs = get_params(V, H, seed=0), rnn.from_numpy(np.ones((2, 3, V), "float32"))
    return forward_fn(inputs, init_state(3, H), params)


def loaded(rnn, path, cell=None):
    return rnn.load_model(path, cell=cell)[0]


def saved(rnn, path, net, vocab, settings):
    return rnn.save_model(path, net, vocab)


def batch_loader(rnn, arrays, **settings):
    return rnn.BatchLoader(*arrays, **settings)


def scored(rnn, train_iter, **settings):
    """Train on equal minibatches except for the last; the speed is not compared."""
    seen = rnn.train_sequences(train_iter=train_iter, progress=False, **settings)
    return len(seen.loss), len(seen.score)


def perplexities(rnn, **settings):
    return len(rnn.train_ch8(progress=False, **settings).perplexity)


def own_layer(rnn, kind, **settings):
    """Make a framework's own layer; for NumPy, only check the arguments."""
    if hasattr(rnn, kind):
        getattr(rnn, kind)(**settings)
        return None
    named = {"num_layers": 1, "seed": None, "dtype": "float32", **settings}
    checks.size(**{name: named[name] for name in ("num_inputs", "num_hiddens", "num_layers")})
    checks.seed(named["seed"])
    checks.floating(named["dtype"])
    return None


def own_model(rnn, rnn_layer, vocab_size, seed=None):
    """Make a model of a framework's own layer; for NumPy, an equivalent."""
    if hasattr(rnn, "RNNModel"):
        return rnn.RNNModel(rnn_layer, vocab_size, seed=seed)
    checks.size(vocab_size=vocab_size)
    checks.seed(seed)
    checks.same_vocab(rnn_layer.vocab_size, vocab_size)
    return rnn_layer


def layer_of(rnn, num_inputs):
    if hasattr(rnn, "RNN"):
        return rnn.RNN(num_inputs, H)
    return rnn.RNNModelScratch(num_inputs, H, rnn.get_params, rnn.init_rnn_state, rnn.rnn)


def written(rnn, **settings):
    """Generate text; randomly drawn text is not compared."""
    return rnn.predict_ch8(**settings)[:0]


def all_written(rnn, **settings):
    """Generate several texts; randomly drawn text is not compared."""
    return len(rnn.predict_many(**settings))


def carried(rnn, array, **settings):
    """Convert an array to a tensor and back."""
    return rnn.to_numpy(rnn.from_numpy(array, **settings))


CALLS = {
    "from_numpy": carried,
    "predict_ch8": written,
    "predict_many": all_written,
    "value_and_grad": gradients,
    "make_update": updated,
    "stack": stacked,
    "load_model": loaded,
    "save_model": saved,
    "BatchLoader": batch_loader,
    "train_sequences": scored,
    "train_ch8": perplexities,
    "train_epoch_ch8": lambda b, **settings: b.train_epoch_ch8(**settings)[0],
    "try_gpu": lambda b, i=0: bool(b.try_gpu(i)) or None,
    **{kind: functools.partial(own_layer, kind=kind) for kind in ("RNN", "GRU", "LSTM")},
    "RNNModel": own_model,
}
