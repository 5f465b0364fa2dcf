"""One signature each, in every backend."""

import inspect

import pytest

from d2lrnn import interface


def shape_of(function):
    parameters = inspect.signature(function).parameters.values()
    return [(p.name, p.kind, p.default) for p in parameters]


@pytest.mark.parametrize("name", interface.contracts())
def test_a_function_has_the_signature_of_its_contract(rnn, name):
    assert shape_of(getattr(rnn, name)) == shape_of(interface.contracts()[name])


@pytest.mark.parametrize("name", interface.layer_contracts())
def test_layers_have_the_signature_of_their_contract(rnn, backend, name):
    if backend == "numpy":
        assert not hasattr(rnn, name)
    else:
        assert shape_of(getattr(rnn, name)) == shape_of(interface.layer_contracts()[name])


@pytest.mark.parametrize("name", interface.contracts())
def test_a_function_says_what_it_does(rnn, name):
    assert inspect.getdoc(getattr(rnn, name))


@pytest.mark.parametrize("name", [n for n in vars(interface.Net) if not n.startswith("_")])
def test_a_net_has_every_method_of_its_contract(rnn, name):
    contract = shape_of(getattr(interface.Net, name))
    found = shape_of(getattr(rnn.RNNModelScratch, name))
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert [p[1:] for p in found] == [p[1:] for p in contract]
    assert found[1:] == contract[1:]  # but for the name of self
    assert found[0][1] == positional


def test_a_net_has_every_attribute_of_its_contract(make_net):
    net = make_net()
    missing = [name for name in interface.Net.__annotations__ if not hasattr(net, name)]
    assert missing == []
