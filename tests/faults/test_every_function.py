"""Every function, called with arbitrary values, has the same result or error in all backends."""

import inspect

import pytest
from anything import assert_same_answer, drive, of
from arguments import BESIDE, COMMON, ELSEWHERE, EXTRA, FUNCTIONS, Argument
from calls import CALLS
from contracts import BACKEND, LAYERS
from hypothesis import settings
from hypothesis import strategies as st

CONTRACTS = {**BACKEND, **LAYERS}


@pytest.fixture
def many(faults):
    return settings(max_examples=faults(10, 200))


@st.composite
def arguments(draw, name):
    """Draw arguments, one of them odd or none; those that have a default may be absent."""
    strategies, given = {**EXTRA.get(name, {})}, {}
    for parameter in inspect.signature(CONTRACTS[name]).parameters.values():
        if parameter.name in BESIDE:
            continue
        if parameter.default is parameter.empty or draw(st.booleans()):
            strategies[parameter.name] = {**COMMON, **FUNCTIONS[name]}[parameter.name]
    odd = draw(st.sampled_from([None, *strategies]))
    for argument, values in strategies.items():
        if isinstance(values, Argument):
            values = values.odd if argument == odd else values.right
        given[argument] = draw(values)
    return given


def call(rnn, name, given):
    """Call a backend's function with arguments that it makes of what was drawn."""
    made = {argument: of(rnn, value) for argument, value in given.items()}
    return CALLS[name](rnn, **made) if name in CALLS else getattr(rnn, name)(**made)


def test_every_function_has_arbitrary_arguments():
    assert set(FUNCTIONS) | ELSEWHERE == set(CONTRACTS)
    assert not set(FUNCTIONS) & ELSEWHERE


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_is_called_with_arbitrary_values(rnn, many, name):
    def check(given):
        assert_same_answer(rnn, lambda b: call(b, name, given))

    drive(many, {"given": arguments(name)}, check)
