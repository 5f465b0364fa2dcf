"""The growth of time and memory: what is measured and printed; values are not tested."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib import pyplot

from d2lrnn import cli, plot
from d2lrnn.measure import growth

CURVE = growth.Curve(
    "numpy", "rnn", "num_steps", [10, 100, 1000], [1.0, 2.0, 20.0], [0.0, 0.0, 5.0]
)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    pyplot.close("all")


def test_the_slope_is_the_power_of_the_larger_sizes():
    assert growth.slope([1, 10, 100], [7.0, 3.0, 300.0]) == pytest.approx(2)
    assert CURVE.slopes == pytest.approx((1, 0))
    assert growth.slope([5000, 28_000, 50_000], [1.0, 70.0, 10.0]) == pytest.approx(1)  # noise
    assert growth.slope([5000, 20_000], [1.0, 4.0]) == pytest.approx(1)
    assert growth.slope([5000, 19_999], [1.0, 4.0]) == 0  # too near each other to tell


def test_one_size_has_no_slope():
    assert growth.slope([10], [3.0]) == 0


def test_the_table_shows_the_expected_slope_beside_the_measured_one():
    lines = growth.table([CURVE]).splitlines()
    assert lines[1].split() == ["numpy", "rnn", "num_steps", "10", "1.0000", "0.0"]
    assert lines[-1].split() == ["numpy", "rnn", "num_steps", "slope", "1.00", "(1)", "0.00", "(1)"]


def test_the_picture_has_logarithmic_axes_and_the_slope_beside_each_line():
    axes = plot.growth([CURVE])
    assert axes.shape == (1, 2)
    assert {ax.get_xscale() for ax in axes.flat} == {ax.get_yscale() for ax in axes.flat} == {"log"}
    (words,) = axes[0, 0].get_legend().get_texts()
    assert words.get_text() == "numpy rnn, slope 1.00"
    time, memory = (ax.get_lines()[0].get_ydata() for ax in axes.flat)
    assert list(time) == CURVE.seconds
    assert np.isnan(memory).tolist() == [True, True, False]  # 0 is nowhere on such an axis
    assert axes[0, 0].get_xlim() == axes[0, 1].get_xlim()


def test_memory_that_did_not_grow_is_not_drawn():
    curve = growth.Curve("numpy", "rnn", "num_steps", [10, 100], [1.0, 2.0], [0.0, 0.0])
    axes = plot.growth([curve])
    axes[0, 0].figure.canvas.draw()
    assert axes[0, 1].get_yscale() == "linear"


def test_an_axis_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="axis is 'width'; expected one of"):
        growth.survey("numpy", "rnn", {"width": [1]})


@pytest.mark.parametrize("axis", growth.WORK)
def test_each_axis_is_measured(backend, axis):
    seconds, mebibytes = growth.measure(backend, "lstm", axis, growth.QUICK[axis][0])
    assert seconds > 0
    assert mebibytes >= 0


def test_the_timed_steps_train_the_network(rnn):
    run = growth.train(rnn, "rnn", **growth.SMALL)
    assert run() > run()  # it learns


def test_the_command_measures_and_draws_in_processes_of_their_own(tmp_path):
    file, picture = tmp_path / "growth.json", tmp_path / "growth.svg"
    command = ["bench", "growth", "--quick", "--cell", "rnn", "--json", file, "--plot", picture]
    for _ in range(2):  # measurements may be written over
        result = CliRunner().invoke(cli.main, [str(word) for word in command])
        assert result.exit_code == 0, result.output
    curves = json.loads(file.read_text())
    assert [curve["axis"] for curve in curves] == list(growth.WORK)
    assert picture.read_text().startswith("<?xml")
