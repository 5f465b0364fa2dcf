"""All forms from the textbook to the fused network compute the same; times are not tested."""

import numpy as np
import pytest
from bounds import AGREED, UPDATED
from matplotlib import pyplot

from d2lrnn import plot
from d2lrnn.measure import speed
from d2lrnn.measure.forms import all_forms, speed_ups
from d2lrnn.nets import first_values


def test_all_forms_have_the_textbooks_outputs_and_gradients(rnn):
    rng, (V, h, n, T) = np.random.default_rng(0), (5, 8, 3, 6)
    X, Y = rng.integers(V, size=(2, n, T))
    arrays = [30 * array for array in first_values.draw([(V, h), (h, h), (h,), (h, V), (V,)], 0)]
    found = {}
    for form in all_forms(rnn):
        functions = rnn.get_params, rnn.init_rnn_state, form.forward_fn
        net = rnn.RNNModelScratch(V, h, *functions, dtype="float64")
        net.load_arrays(arrays)
        step = net.make_step(1.0, theta=1e9)
        outputs, state = net.evaluate(X, net.begin_state(n))
        loss, _ = step(X, Y, net.begin_state(n))
        found[form.name] = [outputs, rnn.to_numpy(state[0]), np.array(loss), *net.arrays()]
    reference = found.pop("output once")
    assert found
    for name, values in found.items():
        for value, expected in zip(values, reference, strict=True):
            np.testing.assert_allclose(value, expected, rtol=UPDATED, atol=AGREED, err_msg=name)


def test_each_form_names_its_change_and_the_last_is_the_fused_cell(rnn):
    forms = all_forms(rnn)
    assert len({form.change for form in forms}) == len({form.name for form in forms}) == len(forms)
    assert len(forms) == (5 if hasattr(rnn, "RNNModel") else 3)
    assert forms[-1].forward_fn is rnn.rnn_fused
    assert [getattr(form.forward_fn, "takes_ids", False) for form in forms][-2:] == (
        [True, True] if hasattr(rnn, "RNNModel") else [False, True]
    )


def test_speed_ups_are_ratios_to_the_first_form_and_are_drawn(rnn):
    rounds = []
    found = speed_ups(rnn, size="tiny", rounds=2, progress=lambda: rounds.append(1))
    assert list(found) == [form.name for form in all_forms(rnn)]
    assert next(iter(found.values())) == 1
    assert all(ratio > 0 for ratio in found.values())
    assert len(rounds) == 2
    ax = plot.speed_ups({"here": found})
    assert list(ax.lines[0].get_ydata()) == list(found.values())
    pyplot.close(ax.figure)


def test_a_value_that_is_not_a_size_is_refused(rnn):
    with pytest.raises(
        ValueError, match=f"size is 'huge'; expected one of '{next(iter(speed.SIZES))}'"
    ):
        speed_ups(rnn, size="huge")
