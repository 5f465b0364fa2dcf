"""check_cell accepts a right function, and names the mistake in a wrong one."""

import functools
import pathlib
import re

import numpy as np
import pytest

from d2lrnn import backends
from d2lrnn.nets import cells

RNN = """
def my_rnn(inputs, state, params):
    W_xh, W_hh, b_h, W_hq, b_q = params
    (H,), outputs = state, []
    for X in inputs:
        H = tanh(X @ W_xh + H @ W_hh + b_h)
        outputs.append(H @ W_hq + b_q)
    return join(outputs), (H,)
"""
GRU = """
def my_gru(inputs, state, params):
    W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h, W_hq, b_q = params
    (H,), outputs = state, []
    for X in inputs:
        Z = sigmoid(X @ W_xz + H @ W_hz + b_z)
        R = sigmoid(X @ W_xr + H @ W_hr + b_r)
        H_tilde = tanh(X @ W_xh + (R * H) @ W_hh + b_h)
        H = Z * H + (1 - Z) * H_tilde
        outputs.append(H @ W_hq + b_q)
    return join(outputs), (H,)
"""
LSTM = """
def my_lstm(inputs, state, params):
    W_xi, W_hi, b_i, W_xf, W_hf, b_f, W_xo, W_ho, b_o, W_xc, W_hc, b_c, W_hq, b_q = params
    H, C = state
    outputs = []
    for X in inputs:
        I = sigmoid(X @ W_xi + H @ W_hi + b_i)
        F = sigmoid(X @ W_xf + H @ W_hf + b_f)
        O = sigmoid(X @ W_xo + H @ W_ho + b_o)
        C_tilde = tanh(X @ W_xc + H @ W_hc + b_c)
        C = F * C + I * C_tilde
        H = O * tanh(C)
        outputs.append(H @ W_hq + b_q)
    return join(outputs), (H, C)
"""


def written(rnn, source, *changes, **names):
    """The function of a source text in which some parts are replaced by others."""
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    join = functools.partial(rnn.RNNModelScratch.ops.tensors.concat, axis=0)
    namespace = {"tanh": rnn.tanh, "sigmoid": rnn.sigmoid, "join": join, "np": np, **names}
    exec(source, namespace)
    (name,) = (name for name in namespace if name.startswith("my_"))
    return namespace[name]


def reference_of(source):
    return source.partition("my_")[2].partition("(")[0]


def mistake(source, old, new, cause, quantity="outputs", place=None):
    return pytest.param(source, old, new, cause, quantity, place, id=cause.replace(" ", "-"))


SAME_ARRAY = (
    "all time steps hold the output of the last one: the same array was appended in each time "
    "step; append a new array or a copy"
)
IN_OUTPUTS = [
    mistake(
        GRU,
        "(R * H) @ W_hh",
        "R * (H @ W_hh)",
        "the reset gate is applied after the product with W_hh instead of before it",
        place=(0, 0, 0),
    ),
    mistake(GRU, "(R * H) @ W_hh", "H @ W_hh", "the reset gate has no effect on the candidate"),
    mistake(
        GRU,
        "Z * H + (1 - Z) * H_tilde",
        "(1 - Z) * H + Z * H_tilde",
        "the update gate is reversed: 1 - Z takes the place of Z",
        place=(0, 0, 0),
    ),
    mistake(GRU, "W_xz, W_hz, b_z, W_xr", "W_xr, W_hz, b_z, W_xz", "W_xz and W_xr are exchanged"),
    mistake(
        GRU,
        "W_xz, W_hz, b_z, W_xr, W_hr, b_r",
        "W_xr, W_hr, b_r, W_xz, W_hz, b_z",
        "the parameters of the update gate and the reset gate are exchanged",
    ),
    mistake(GRU, "H @ W_hr + b_r", "H @ W_hr", "b_r is not used"),
    mistake(GRU, "H @ W_hr + b_r", "H @ W_hr + b_z", "b_z is used in place of b_r"),
    mistake(GRU, "(R * H) @ W_hh", "(R * H) @ W_hh.T", "W_hh is transposed"),
    mistake(
        GRU, "R = sigmoid", "R = tanh", "the reset gate has the activation tanh instead of sigmoid"
    ),
    mistake(
        GRU,
        "H_tilde = tanh",
        "H_tilde = sigmoid",
        "the candidate has the activation sigmoid instead of tanh",
    ),
    mistake(
        LSTM,
        "F = sigmoid",
        "F = tanh",
        "the forget gate has the activation tanh instead of sigmoid",
    ),
    mistake(
        LSTM,
        "H = O * tanh(C)",
        "H = O * C",
        "the memory cell in the hidden state has no activation instead of tanh",
    ),
    mistake(
        LSTM,
        "        C = F * C + I * C_tilde\n        H = O * tanh(C)\n",
        "        H = O * tanh(C)\n        C = F * C + I * C_tilde\n",
        "the hidden state is computed from the memory cell before its update",
    ),
    mistake(
        LSTM,
        "W_xi, W_hi, b_i, W_xf, W_hf, b_f, W_xo",
        "W_xf, W_hf, b_f, W_xi, W_hi, b_i, W_xo",
        "the parameters of the input gate and the forget gate are exchanged",
    ),
    mistake(LSTM, "H, C = state", "C, H = state", "the states H and C are exchanged"),
    mistake(RNN, " + b_q", "", "b_q is not used"),
    mistake(RNN, "= tanh(", "= (", "the hidden state has no activation instead of tanh"),
    mistake(RNN, "X @ W_xh + H", "X @ W_xh - H", "W_hh has the wrong sign"),
    mistake(
        RNN,
        "+ H @ W_hh",
        "+ state[0] @ W_hh",
        "each time step starts from the initial state: the new state is not carried to the next "
        "time step",
        place=(1, 0, 0),
    ),
    mistake(
        RNN,
        "(H,), outputs = state, []",
        "H, outputs = 0 * state[0], []",
        "the state that the function receives is not used: it starts from zeros",
    ),
    mistake(
        RNN,
        "        H = tanh(X @ W_xh + H @ W_hh + b_h)\n        outputs.append(H @ W_hq + b_q)\n",
        "        outputs.append(H @ W_hq + b_q)\n        H = tanh(X @ W_xh + H @ W_hh + b_h)\n",
        "each output comes one time step too late: it is computed before the state is updated",
    ),
    mistake(
        RNN,
        "for X in inputs:",
        "for X in inputs[::-1]:",
        "the time steps are processed in reverse order",
    ),
    mistake(
        RNN,
        "join(outputs), (H,)",
        "np.stack(outputs, 1).reshape(-1, len(b_q)), (H,)",
        "the rows of the outputs are ordered by batch row; expected by time step",
        place=(0, 1, 0),
    ),
    mistake(
        RNN,
        "inputs, state, params):",
        "inputs, state, params):\n    inputs = inputs[:, :1] + 0 * inputs",
        "all rows of the batch get the inputs of row 0",
        place=(0, 1, 0),
    ),
]
IN_OUTPUTS += [
    mistake(
        GRU,
        "for X in inputs:",
        "for X in [0 * inputs[0], *inputs[:-1]]:",
        "each time step gets the input of the time step before it",
    ),
    mistake(
        RNN,
        "for X in inputs:",
        "for X in [*inputs[1:], inputs[0]]:",
        "each time step gets the input of the time step after it",
    ),
    mistake(
        RNN,
        "for X in inputs:",
        "for X in inputs.swapaxes(0, 1).reshape(inputs.shape):",
        "the inputs are reshaped, which mixes rows and time steps",
        place=(0, 1, 0),
    ),
    mistake(GRU, "(R * H)", "(Z * H)", "the update gate is used in place of the reset gate"),
    mistake(
        LSTM,
        "outputs = []",
        "outputs, C = [], 0 * C",
        "the state C that the function receives is not used: it starts from zeros",
    ),
]
IN_OUTPUTS += [
    mistake(
        RNN,
        "outputs.append(H @ W_hq + b_q)",
        "outputs[:] = [H @ W_hq + b_q] * len(inputs)",
        SAME_ARRAY,
        place=(0, 0, 0),
    ),
    mistake(LSTM, "append(H @", "append(C @", "the outputs are computed from C instead of H"),
    mistake(
        LSTM,
        "append(H @ W_hq + b_q)",
        "append(C @ W_hq)",
        "the outputs are computed from C instead of H, and without b_q",
    ),
]
IN_STATES = [
    mistake(
        GRU,
        "(H,)\n",
        "state\n",
        "the function returns the state H that it received, not the one that follows",
        "last state H",
    ),
    mistake(
        RNN,
        "(H,)\n",
        "(tanh(inputs[0] @ W_xh + state[0] @ W_hh + b_h),)\n",
        "the function returns the state H after time step 0, not after the last one, 5",
        "last state H",
    ),
    mistake(
        LSTM,
        "(H, C)\n",
        "(C, H)\n",
        "the function returns C in place of H; check the order of the states",
        "last state H",
    ),
    mistake(
        RNN, "(H,)\n", "(0 * H,)\n", "the function returns zeros as the state H", "last state H"
    ),
]


@pytest.mark.parametrize(
    ("source", "old", "new", "cause", "quantity", "place"), IN_OUTPUTS + IN_STATES
)
def test_the_report_names_the_mistake(reference, source, old, new, cause, quantity, place):
    report = reference.check_cell(written(reference, source, (old, new)), reference_of(source))
    assert not report
    assert (report.cause, report.first.quantity) == (cause, quantity)
    if place is not None:
        assert (report.first.time_step, report.first.row, report.first.unit) == place


@pytest.mark.parametrize("source", [RNN, GRU, LSTM], ids=reference_of)
def test_a_right_function_agrees_with_its_reference(reference, source):
    report = reference.check_cell(written(reference, source), reference_of(source))
    assert report.ok
    assert report.first is None
    assert report.differences == ()


def test_the_report_is_the_same_in_every_backend(rnn, backend):
    function = written(rnn, GRU, ("(R * H) @ W_hh", "R * (H @ W_hh)"))
    assert str(rnn.check_cell(function, rnn.gru)) == (
        f"my_gru ({backend}) differs from gru\n"
        "first difference: outputs at time step 0, row 0, hidden unit 0: 0.681987, expected "
        "0.67768 (float64)\n"
        "probable cause: the reset gate is applied after the product with W_hh instead of before "
        "it\n"
        "different: outputs, last state H\n"
        "the gradients were not compared, because of this difference"
    )


def test_a_right_function_agrees_in_every_backend(rnn, backend):
    report = rnn.check_cell(written(rnn, RNN), rnn.rnn)
    start = f"my_rnn ({backend}) agrees with rnn: outputs, last state H, 7 gradients, in float64"
    assert str(report).startswith(f"{start} and float32; the largest difference is ")


def test_without_a_reference_gradients_agree_with_finite_differences(rnn, backend):
    report = rnn.check_cell(written(rnn, RNN), cell="rnn")
    assert report.ok
    assert str(report).startswith(f"my_rnn ({backend}) agrees with finite differences: ")
    assert len([one for one in report.comparisons if one.dtype == "float64"]) == 7


NAMES = [
    *cells.CELLS,
    *("rnn_fused", "gru_fused", "lstm_fused", "concat_rnn", "concat_gru", "concat_lstm"),
    *("mingru_scan", "minlstm_scan", "s4d_scan", "mamba_scan"),
]


@pytest.mark.parametrize("name", NAMES)
def test_each_function_of_the_package_agrees_with_its_name(reference, name):
    own = getattr(reference, name)

    def forward(inputs, state, params):
        return own(inputs, state, params)

    assert reference.check_cell(forward, name).ok
    assert reference.check_cell(forward, own).ok


@pytest.mark.parametrize("cell", ["mingru", "s4d", "mamba"])
def test_each_cell_agrees_with_finite_differences(reference, cell):
    assert reference.check_cell(cell).ok


def test_a_state_that_is_changed_in_place_and_appended_is_found(reference):
    def my_rnn(inputs, state, params):
        W_xh, W_hh, b_h, W_hq, b_q = params
        H, Hs = state[0].copy(), []
        for X in inputs:
            H[:] = np.tanh(X @ W_xh + H @ W_hh + b_h)
            Hs.append(H)
        return np.concatenate(Hs) @ W_hq + b_q, (H,)

    assert reference.check_cell(my_rnn, "rnn").cause == SAME_ARRAY


def test_two_mistakes_are_named(reference):
    changes = ("(R * H) @ W_hh", "R * (H @ W_hh)"), (" + b_z", "")
    assert reference.check_cell(written(reference, GRU, *changes), "gru").cause == (
        "there are two mistakes: b_z is not used, and the reset gate is applied after the product "
        "with W_hh instead of before it"
    )


def test_two_mistakes_are_named_only_if_they_explain_all_time_steps(reference):
    change = "        outputs.append(H @", "        outputs.append(H_tilde @"
    report = reference.check_cell(written(reference, GRU, change), "gru")
    assert report.cause == "both functions agree if W_hq = 0; look there"


def test_several_mistakes_are_located_by_the_parameters_that_hide_them(reference):
    function = written(
        reference, GRU, ("R = sigmoid(", "R = sigmoid(X[:, :1] * ("), ("+ b_r)", "+ b_r))")
    )
    cause = "both functions agree if W_hh = 0, or if all parameters of the reset gate are 0"
    assert reference.check_cell(function, "gru").cause == f"{cause}; look there"


def test_a_mistake_of_a_concatenated_cell_is_named(reference):
    def forward(inputs, state, params):
        W_z, b_z, *others = params
        return reference.concat_gru(inputs, state, [-W_z, -b_z, *others])

    cause = "the update gate is reversed: 1 - Z takes the place of Z"
    assert reference.check_cell(forward, reference.concat_gru).cause == cause


def test_another_function_than_the_named_one_differs(reference):
    def forward(inputs, state, params):
        return reference.gru_reset_after(inputs, state, [*params[:9], 0 * params[8], *params[9:]])

    assert not reference.check_cell(forward, "gru")


# Gradients

LOST = "look for detach, stop_gradient, to_numpy or similar"


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("+ H @ W_hh", "+ H.detach() @ W_hh", "the state is detached in the loop"),
        ("@ W_hq + b_q)\n", "@ W_hq + b_q)\n        H = H.detach()\n", "detached in the loop"),
        ("outputs), (H,)", "outputs), (H.detach(),)", "it is detached before it is returned"),
        ("= state, []", "= (state[0].detach(),), []", "to the initial state H"),
        ("for X in inputs", "for X in inputs.detach()", "no gradient flows to the inputs"),
        ("+ b_h", "+ b_h.detach()", "no gradient reaches b_h"),
        ("join(outputs), (H,)", "join(outputs).detach(), (H.detach(),)", "reaches any parameter"),
    ],
)
def test_a_lost_gradient_is_found_although_the_outputs_agree(pytorch, old, new, cause):
    report = pytorch.check_cell(written(pytorch, RNN, (old, new)), "rnn")
    assert not report.ok
    assert report.first.quantity.startswith("gradient of ")
    assert cause in report.cause
    assert report.cause.endswith(LOST)


def test_the_gate_that_no_gradient_reaches_is_named(pytorch):
    change = (
        "R = sigmoid(X @ W_xr + H @ W_hr + b_r)",
        "R = sigmoid(X @ W_xr + H @ W_hr + b_r).detach()",
    )
    report = pytorch.check_cell(written(pytorch, GRU, change), "gru")
    assert report.cause == (
        f"no gradient reaches W_xr, W_hr, b_r, the parameters of the reset gate; {LOST}"
    )


@pytest.mark.only("tensorflow", "jax", "mxnet")
def test_a_lost_gradient_is_found_in_other_frameworks(rnn, backend):
    stop = {
        "tensorflow": lambda: __import__("tensorflow").stop_gradient,
        "jax": lambda: __import__("jax").lax.stop_gradient,
        "mxnet": lambda: lambda tensor: tensor.detach(),
    }[backend]()
    report = rnn.check_cell(written(rnn, RNN, ("+ b_h", "+ stop(b_h)"), stop=stop), "rnn")
    assert report.cause == f"no gradient reaches b_h; {LOST}"


def test_a_wrong_gradient_is_found_by_finite_differences(pytorch):
    function = written(pytorch, RNN, ("+ H @ W_hh", "+ H.detach() @ W_hh"))
    report = pytorch.check_cell(function, cell="rnn")
    assert not report
    assert report.first.quantity == "gradient of inputs"
    assert str(report).startswith("my_rnn (torch) differs from finite differences\n")


def test_a_parameter_that_is_not_used_is_found_without_a_reference(pytorch):
    report = pytorch.check_cell(written(pytorch, RNN, (" + b_h", "")), cell="rnn")
    assert report.first.remark == "no gradient reaches b_h"
    assert report.cause == (
        "b_h is not used: the results do not depend on it; use it, or remove it from the parameters"
    )


@pytest.mark.only("numpy", "tensorflow", "jax", "mxnet")
def test_parameters_that_are_not_used_are_found_in_other_frameworks(rnn):
    function = written(rnn, RNN, ("+ H @ W_hh + b_h", ""), ("= state, []", "= (0 * state[0],), []"))
    assert rnn.check_cell(function, cell="rnn", num_steps=2).cause == (
        "W_hh, b_h are not used: the results do not depend on them; use them, or remove them from "
        "the parameters"
    )


def test_parameters_that_are_not_used_are_distinguished_from_detached_ones(pytorch):
    changes = (" + b_h", ""), ("+ b_q", "+ b_q.detach()")
    assert pytorch.check_cell(written(pytorch, RNN, *changes), cell="rnn").cause == (
        "b_h is not used: the results do not depend on it; use it, or remove it from the "
        f"parameters; no gradient reaches b_q; {LOST}"
    )


def test_gradients_can_be_left_out(pytorch):
    function = written(pytorch, RNN, ("+ b_h", "+ b_h.detach()"))
    assert pytorch.check_cell(function, "rnn", gradients=False).ok


def test_a_function_without_gradients_is_not_accepted(reference):
    change = "join(outputs), (H,)", "np.array([o for o in outputs]).reshape(-1, len(b_q)), (H,)"
    report = reference.check_cell(written(reference, RNN, change), "rnn")
    assert report.first.quantity == "the gradients"
    assert report.cause.startswith("the gradients cannot be computed: ValueError: a custom forward")


# Dtypes and changes in place


ROUNDS = "and the function rounds to float32: a constant or a new tensor in it has this dtype"


@pytest.mark.parametrize(
    ("source", "old", "new"),
    [
        (GRU, "R = sigmoid(X @ W_xr + H @ W_hr + b_r)", "R = rounded(sigmoid(X @ W_xr + b_r))"),
        (
            RNN,
            "H = tanh(X @ W_xh + H @ W_hh + b_h)",
            "H = rounded(tanh(X @ W_xh + H @ W_hh + b_h))",
        ),
        (RNN, "join(outputs)", "rounded(join(outputs))"),
        (LSTM, "F * C +", "F * rounded(C) +"),
    ],
    ids=["a gate", "the state", "the outputs", "the memory cell"],
)
def test_a_tensor_that_is_rounded_to_float32_is_found(reference, source, old, new):
    new = new.replace("X @ W_xr + b_r", "X @ W_xr + H @ W_hr + b_r")

    def rounded(array):
        return array.astype("float32").astype(array.dtype)

    function = written(reference, source, (old, new), rounded=rounded)
    report = reference.check_cell(function, reference_of(source))
    assert report.first.dtype == "float64"
    assert ROUNDS in report.cause


@pytest.mark.parametrize(
    ("old", "new"),
    [("+ b_h)", "+ b_h) / (1 + 1e-8)"), ("+ b_h)", "+ b_h + 1e-7)"), ("@ W_hq", "@ W_hq * ONE")],
    ids=["divided", "added", "rounded constant"],
)
def test_a_small_difference_is_said_to_be_one_of_float32_only_if_it_is(reference, old, new):
    function = written(reference, RNN, (old, new), ONE=10 * float(np.float32(0.1)))
    report = reference.check_cell(function, "rnn")
    assert report.first.dtype == "float64"
    size = f"{max(one.difference for one in report.differences):.2g}"
    start = f"the difference is small, {size} of the largest element, but larger than rounding "
    assert report.cause.startswith(start)
    value, expected = re.search(r": (\S+), expected (\S+) ", str(report.first)).groups()
    assert value != expected


RANDOM = "two calls with the same arguments give different results"


@pytest.mark.only("numpy", "torch")
@pytest.mark.parametrize("reference_name", [None, "rnn"])
def test_random_results_are_found(rnn, reference_name):
    noise = np.random.default_rng(0)
    change = "+ b_h)", "+ b_h) * float(noise.random() < 0.5)"
    function = written(rnn, RNN, change, noise=noise)
    report = rnn.check_cell(function, reference_name, cell="rnn")
    assert not report
    assert report.cause == report.first.remark == RANDOM


def test_a_reference_with_random_results_is_found(reference):
    noise = np.random.default_rng(0)
    other = written(reference, RNN, ("+ b_h)", "+ b_h) * noise.random()"), noise=noise)
    report = reference.check_cell("rnn", other)
    assert report.cause == (
        "two calls of the reference my_rnn with the same arguments give different results"
    )


def test_a_function_that_fails_in_float64_only_is_found(pytorch):
    zeros = "(torch.zeros(3, 4),), []"
    function = written(pytorch, RNN, ("= state, []", f"= {zeros}"), torch=__import__("torch"))
    report = pytorch.check_cell(function, "rnn")
    assert report.cause.startswith(
        "the function works in float32 and fails in float64: RuntimeError"
    )


def test_outputs_of_another_dtype_are_found(reference):
    function = written(reference, RNN, ("join(outputs)", "join(outputs).astype('float64')"))
    report = reference.check_cell(function, "rnn")
    assert report.cause == (
        "the function returns outputs float64 for inputs of float32; convert constants and new "
        "tensors to the dtype of the inputs"
    )


@pytest.mark.only("numpy", "torch", "mxnet")
@pytest.mark.parametrize(
    ("line", "name"), [("inputs[0] *= 0.5", "inputs"), ("state[0][:] = 1", "the state H")]
)
def test_a_change_of_an_argument_in_place_is_found(rnn, line, name):
    function = written(rnn, RNN, ("    (H,)", f"    {line}\n    (H,)"))
    report = rnn.check_cell(function, "rnn")
    assert report.first.quantity == "the arguments"
    assert report.cause == f"the function changes {name} in place; compute a new tensor instead"


@pytest.mark.only("jax")
def test_without_float64_only_float32_is_compared(rnn):
    import jax

    jax.config.update("jax_enable_x64", False)
    try:
        right = rnn.check_cell(written(rnn, RNN), rnn.rnn)
        wrong = rnn.check_cell(written(rnn, RNN, (" + b_h", "")), rnn.rnn)
        with pytest.raises(
            ValueError, match=r"^without a reference, float64 is .* True\), or give"
        ):
            rnn.check_cell(rnn.rnn)
    finally:
        jax.config.update("jax_enable_x64", True)
    assert right.ok
    assert right.notes[0].startswith("float64 was not compared: ")
    assert right.notes[0].endswith('run jax.config.update("jax_enable_x64", True)')
    assert wrong.cause == "b_h is not used"


# Other forms of a cell


def mgu(rnn, names=("f", "h"), change=lambda F: F):
    def step(X, H, p):
        F = change(rnn.sigmoid(X @ p.W_xf + H @ p.W_hf + p.b_f))
        return (1 - F) * H + F * rnn.tanh(X @ p.W_xh + (F * H) @ p.W_hh + p.b_h)

    shapes = {"W_x": ("d", "h"), "W_h": ("h", "h"), "b_": ("h",)}
    return rnn.new_cell(
        step, {kind + gate: shape for gate in names for kind, shape in shapes.items()}, name="mgu"
    )


def test_a_cell_of_new_cell_agrees_with_that_of_another_backend(reference, pytorch):
    report = pytorch.check_cell(mgu(pytorch), mgu(reference))
    assert report.ok
    assert str(report).startswith("mgu (torch) agrees with mgu (numpy): ")


def test_parameters_in_another_order_are_matched_by_name(reference):
    assert reference.check_cell(mgu(reference, names=("h", "f")), mgu(reference)).ok


def test_two_cells_of_new_cell_can_differ(reference):
    report = reference.check_cell(mgu(reference, change=lambda F: F * F), mgu(reference))
    assert report.first.quantity == "outputs"
    assert not report.ok


def three_functions(rnn, source=GRU, *changes):
    return rnn.get_gru_params, rnn.init_gru_state, written(rnn, source, *changes)


def test_three_functions_agree_with_three_functions_of_another_backend(reference, pytorch):
    report = pytorch.check_cell(three_functions(pytorch), three_functions(reference))
    assert report.ok
    assert str(report).startswith("my_gru (torch) agrees with my_gru (numpy): ")


def test_a_plain_function_is_compared_with_one_of_another_backend(reference, pytorch):
    other = written(reference, GRU)
    settings = {"cell": "gru", "reference_backend": "numpy"}
    assert pytorch.check_cell(written(pytorch, GRU), other, **settings).ok
    wrong = written(pytorch, GRU, (" + b_z", ""))
    assert pytorch.check_cell(wrong, other, **settings).cause == "b_z is not used"


def test_a_mistake_in_the_equations_is_named_only_for_a_cell_of_the_package(reference):
    relu = written(reference, RNN, ("= tanh(", "= np.maximum(0, "))
    assert reference.check_cell(relu, "rnn").cause.startswith("the hidden state has the activation")
    other = written(reference, RNN, ("= tanh(", "= np.sin("))
    report = reference.check_cell(relu, other, cell="rnn")
    assert report.cause == (
        "both functions agree if all parameters of the hidden state are 0; look there"
    )


def test_names_of_the_book_in_a_function_determine_its_parameters(reference):
    def my_gru(inputs, state, params):
        W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h, W_hq, b_q = params
        (H,) = state
        weights = [W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h]
        return reference.gru(inputs, (H,), [*weights, W_hq, b_q])

    assert reference.check_cell(my_gru).ok


def test_a_deep_network_agrees_with_itself(reference):
    deep = reference.stack("gru", num_layers=2)
    report = reference.check_cell(deep, deep)
    assert str(report).startswith(
        "gru (numpy) agrees with gru: outputs, last state 0, last state 1"
    )


# Errors


def broken(rnn, new):
    return written(rnn, RNN, ("join(outputs), (H,)", new))


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ("None", "^the forward function my_rnn returns a NoneType; expected .outputs, state."),
        ("join(outputs)", "^the forward function my_rnn returns a ndarray; expected .outputs"),
        (
            "join(outputs), H",
            "returns a ndarray as the state; expected .outputs, state., the state",
        ),
        ("outputs, (H,)", "returns a list of 6 as outputs; expected a tensor"),
        ("np.stack(outputs), (H,)", r"returns a ndarray of shape \(6, 3, 5\) as outputs; expected"),
        ("outputs[-1], (H,)", r"of shape \(3, 5\) as outputs; expected a tensor .* \(18, 5\)$"),
        ("join(outputs), (H.T,)", r"returns state\[0\] of shape \(4, 3\); expected \(3, 4\)"),
        ("join(outputs) * np.nan, (H,)", "returns nan as outputs at time step 0, row 0, output 0"),
        ("join(outputs), (H + np.inf,)", r"returns inf as the state H at index \(0, 0\); expected"),
        (
            "undefined",
            "^my_rnn fails in line 8: NameError: name 'undefined' .*; it was called in float64",
        ),
    ],
)
def test_results_of_the_wrong_form_are_one_error(reference, new, message):
    with pytest.raises(ValueError, match=message):
        reference.check_cell(broken(reference, new), "rnn")


def test_tensors_of_another_framework_are_an_error(pytorch):
    with pytest.raises(
        ValueError, match=r"returns a ndarray as outputs; expected a tensor of torch"
    ):
        pytorch.check_cell(broken(pytorch, "join(outputs).numpy(), (H,)"), "rnn")


def test_a_function_of_another_backend_is_an_error(reference, pytorch):
    for other in (reference.gru, mgu(reference)):
        with pytest.raises(
            ValueError, match=r"^forward is a function of d2lrnn\.numpy, and torch "
        ):
            pytorch.check_cell(other)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3,), "^forward is an int; expected a function forward.inputs, state, params."),
        (((1, 2, 3),), "^forward is a tuple of 3; expected a function"),
        (("gur",), "^forward is 'gur'; expected one of rnn, gru, "),
        (("rnn", "gur"), "^reference is 'gur'; expected one of rnn, gru, "),
        (
            (lambda X, H: X, "rnn"),
            r"^<lambda>\(X, H\) cannot be called with .inputs, state, params.",
        ),
        ((lambda a, b, c: (a, b),), "^the parameters of <lambda> are not known; give cell="),
        (
            ("gru", "lstm"),
            "^the parameters of gru have the shapes .*; lstm has .* expected the same",
        ),
    ],
)
def test_bad_arguments_are_one_error(reference, arguments, message):
    with pytest.raises(ValueError, match=message):
        reference.check_cell(*arguments)


def with_wrong_shape(rnn):
    def get_params(vocab_size, num_hiddens):
        W_xh, _, *others = rnn.get_params(vocab_size, num_hiddens)
        return [W_xh, W_xh, *others]

    return get_params


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_three_functions_of_one_cell_of_the_package_agree_with_it(reference, cell):
    functions = (
        getattr(reference, f"get_{cell}_params" if cell != "rnn" else "get_params"),
        getattr(reference, f"init_{cell}_state"),
        getattr(reference, cell),
    )
    assert reference.check_cell(functions, cell).ok


@pytest.mark.parametrize("own", [False, True], ids=["built-in", "own"])
@pytest.mark.parametrize(
    ("get_params", "init_state", "cell", "message"),
    [
        ("get_params", "init_gru_state", "gru", "but their number is 5 instead of 11$"),
        ("get_gru_params", "init_lstm_state", "gru", "but their number is 2 instead of 1$"),
        ("get_lstm_params", "init_gru_state", "lstm", "but their number is 1 instead of 2$"),
        ("wrong shape", "init_rnn_state", "rnn", r"W_hh has the shape .5, 4. instead of .4, 4.$"),
    ],
)
def test_three_functions_that_do_not_fit_the_reference_are_an_error(
    reference, get_params, init_state, cell, message, own
):
    make = getattr(reference, get_params, with_wrong_shape(reference))
    sources = {"rnn": RNN, "gru": GRU, "lstm": LSTM}
    forward = written(reference, sources[cell]) if own else getattr(reference, cell)
    with pytest.raises(ValueError, match=message):
        reference.check_cell((make, getattr(reference, init_state), forward), cell)


def test_a_check_that_compares_nothing_is_an_error(reference):
    with pytest.raises(ValueError, match=r"^nothing can be compared: without a reference, only "):
        reference.check_cell("rnn", gradients=False)


def test_a_backend_without_a_reference_is_an_error(reference):
    message = "^the backend of the reference is 'numpy', but no reference is given; give a "
    with pytest.raises(ValueError, match=message):
        reference.check_cell("rnn", reference_backend="numpy")


def test_a_negative_seed_of_a_check_is_an_error(reference):
    with pytest.raises(ValueError, match=r"^seed is -1; expected None or an integer, 0 or above$"):
        reference.check_cell("rnn", seed=-1)


def test_parameters_that_do_not_fit_are_named(reference):
    message = r"^my_rnn fails in line 3: .*too many values to unpack .* W_xz \(5, 4\), "
    with pytest.raises(ValueError, match=message):
        reference.check_cell(written(reference, RNN), "gru")


def test_an_unknown_backend_of_the_reference_is_an_error(reference):
    with pytest.raises(
        ValueError, match=f"^backend is 'caffe'; expected one of {', '.join(backends.BACKENDS)}"
    ):
        reference.check_cell("rnn", "rnn", reference_backend="caffe")


@pytest.mark.parametrize("size", ["num_steps", "batch_size", "num_inputs", "num_hiddens"])
def test_a_size_of_one_is_allowed_and_zero_is_not(reference, size):
    assert reference.check_cell("lstm", "lstm", **{size: 1}).ok
    with pytest.raises(ValueError, match=f"^{size} is 0; "):
        reference.check_cell("lstm", "lstm", **{size: 0})


PAGE = pathlib.Path(__file__).parents[2] / "docs" / "how-to" / "own-cell.md"


def test_the_page_about_cells_shows_the_report(reference, capsys):
    """The snippet of the section on check_cell, and the text below it."""
    section = PAGE.read_text(encoding="utf-8").partition("## Check it")[2]
    snippet, shown = re.findall(
        r"^```(?:python|text)\n(.*?)^```", section, re.DOTALL | re.MULTILINE
    )[:2]
    exec(snippet, {})
    assert capsys.readouterr().out == shown
