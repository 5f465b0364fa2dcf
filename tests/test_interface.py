"""One signature each, in every backend."""

import inspect

import pytest
from contracts import BACKEND, LAYERS, NET

from d2lrnn import exports
from d2lrnn.nets.language_model import Model


def shape_of(function):
    parameters = inspect.signature(function).parameters.values()
    return [(p.name, p.kind, p.default) for p in parameters]


@pytest.mark.parametrize("name", BACKEND)
def test_a_function_has_the_signature_of_its_contract(rnn, name):
    assert shape_of(getattr(rnn, name)) == shape_of(BACKEND[name])


@pytest.mark.frameworks
@pytest.mark.parametrize("name", LAYERS)
def test_layers_have_the_signature_of_their_contract(rnn, name):
    assert shape_of(getattr(rnn, name)) == shape_of(LAYERS[name])


def test_numpy_has_no_layers_of_its_own(reference):
    assert [name for name in LAYERS if hasattr(reference, name)] == []


def test_every_public_name_is_the_function_of_that_name(rnn):
    named = {name: getattr(rnn, name).__name__ for name in rnn.__all__}
    assert {name: found for name, found in named.items() if found != name} == {}


def test_the_public_names_are_those_of_the_contract(rnn, backend):
    own = set() if backend == "numpy" else set(LAYERS)
    errors = {name for name in exports.__all__ if name.endswith("Error")}
    assert set(rnn.__all__) == {*BACKEND, *own, *errors}
    assert dir(rnn) == sorted(rnn.__all__)


def test_what_is_imported_late_is_what_a_type_checker_sees():
    assert set(exports.PLACES) == set(exports.__all__)
    assert set(exports.MADE) == set(exports.Exports._fields)


def test_a_name_that_is_imported_late_is_the_same_ever_after(rnn):
    for name in (*exports.MADE, *exports.PLACES):
        assert getattr(rnn, name) is vars(rnn)[name]
    assert rnn.Vocab is exports.Vocab


def test_a_name_that_there_is_not_says_so(rnn):
    with pytest.raises(AttributeError, match=f"module '{rnn.__name__}' has no attribute 'gur'"):
        getattr(rnn, "gur")  # noqa: B009
    with pytest.raises(AttributeError, match=r"module 'd2lrnn\.exports' has no attribute 'gur'"):
        getattr(exports, "gur")  # noqa: B009


@pytest.mark.parametrize("name", BACKEND)
def test_a_function_says_what_it_does(rnn, name):
    assert inspect.getdoc(getattr(rnn, name))


@pytest.mark.parametrize("name", NET)
def test_a_net_has_every_method_of_its_contract(rnn, name):
    contract = shape_of(NET[name])
    found = shape_of(getattr(rnn.RNNModelScratch, name))
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert [p[1:] for p in found] == [p[1:] for p in contract]
    assert found[1:] == contract[1:]  # but for the name of self
    assert found[0][1] == positional


def test_a_net_has_every_attribute_of_its_contract(make_net):
    net = make_net()
    missing = [name for name in Model.__annotations__ if not hasattr(net, name)]
    assert missing == []
