"""One signature each, in every backend."""

import inspect
import pydoc
import re

import pytest
from contracts import BACKEND, LAYERS, NET, SCAN_LAYERS, layers_of

from d2lrnn import exports
from d2lrnn.nets.model import Model

ERRORS = [name for name in exports.__all__ if name.endswith("Error")]


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


@pytest.mark.only("tensorflow", "jax")
@pytest.mark.parametrize("name", SCAN_LAYERS)
def test_layers_with_a_scan_have_the_signature_and_text_of_their_contract(rnn, name):
    assert shape_of(getattr(rnn, name)) == shape_of(SCAN_LAYERS[name])
    assert_documented(getattr(rnn, name), name)


def test_numpy_does_not_have_framework_layers(reference):
    assert [name for name in (*LAYERS, *SCAN_LAYERS) if hasattr(reference, name)] == []


def test_every_public_name_is_the_function_of_that_name(rnn):
    named = {name: getattr(rnn, name).__name__ for name in rnn.__all__}
    assert {name: found for name, found in named.items() if found != name} == {}


def test_the_public_names_are_those_of_the_contract(rnn, backend):
    assert set(rnn.__all__) == {*BACKEND, *layers_of(backend), *ERRORS}
    assert dir(rnn) == sorted(rnn.__all__)


def test_a_name_that_is_imported_late_does_not_change_afterwards(rnn):
    for name in (*exports.BUILT, *exports.PLACES):
        assert getattr(rnn, name) is vars(rnn)[name]
    assert rnn.Vocab is exports.Vocab


def test_the_error_for_an_unknown_name_says_so(rnn):
    with pytest.raises(AttributeError, match=f"module '{rnn.__name__}' has no attribute 'gur'"):
        getattr(rnn, "gur")  # noqa: B009
    with pytest.raises(AttributeError, match=r"module 'd2lrnn\.exports' has no attribute 'gur'"):
        getattr(exports, "gur")  # noqa: B009


@pytest.mark.parametrize("name", [*BACKEND, *ERRORS])
def test_help_at_a_function_shows_its_full_documentation(rnn, name):
    assert_documented(getattr(rnn, name), name)


@pytest.mark.frameworks
@pytest.mark.parametrize("name", LAYERS)
def test_help_at_a_layer_shows_its_full_documentation(rnn, name):
    assert_documented(getattr(rnn, name), name)


def assert_documented(thing, name):
    """The docstring has arguments, results and an example, as help() shows them."""
    text = inspect.getdoc(thing)
    takes_a_message = name in ERRORS and "__init__" not in vars(thing)
    parameters = {} if takes_a_message else inspect.signature(thing).parameters
    assert "Args:" in text or not parameters
    assert "Returns:" in text or inspect.isclass(thing)
    assert re.search(rf">>> .*\b{name}\b", text) or re.search(rf"\.\.\. .*\b{name}\b", text)
    missing = [one for one in parameters if not re.search(rf"^    \*?{one}: ", text, re.MULTILINE)]
    assert missing == []
    shown = pydoc.render_doc(thing, renderer=pydoc.plaintext)
    assert re.sub(r"[\s|]+", " ", text) in re.sub(r"[\s|]+", " ", shown)  # whatever its margin


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
