"""Uses of JAX in the book's cells that newer versions of JAX refuse."""

import pytest


@pytest.mark.parametrize("shape", [(1,), (1, 1), (1, 1, 1)])
@pytest.mark.parametrize(("convert", "expected"), [(int, 2), (float, 2.0)])
def test_an_array_of_one_element_converts_to_a_number(d2l, flax, shape, convert, expected):
    number = convert(d2l.ones((1, 1, 3)).at[0, 0, 2].set(5).argmax(axis=2).reshape(shape))
    assert number == expected
    assert type(number) is convert


@pytest.mark.parametrize("convert", [int, float])
def test_an_array_of_several_elements_is_still_refused(d2l, flax, convert):
    with pytest.raises(TypeError, match="Only scalar arrays can be converted"):
        convert(d2l.ones((2,)))
