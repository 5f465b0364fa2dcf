"""Several processes give the numbers of one."""

import numpy as np
import pytest
from worker import CASES, PRODUCT, name_of

BOUND = 1e-12  # float64, 100 updates; sums in another order differ by about 1e-16 a time
ALSO = {2: ["segments", "regularized", "tagger"], 4: ["regularized", "tagger"]}
SOME = {2: CASES, 4: CASES[:2]}  # of how many processes; all of PRODUCT with --product


def pytest_generate_tests(metafunc):
    if "case" in metafunc.fixturenames:
        cases = dict.fromkeys(SOME, PRODUCT) if metafunc.config.option.product else SOME
        pairs = [
            (size, name) for size in SOME for name in [*map(name_of, cases[size]), *ALSO[size]]
        ]
        metafunc.parametrize(("size", "case"), pairs)


def params(trained, size, case):
    _, arrays = trained(size)
    found = [array for name, array in arrays.items() if name.partition(":")[0] == case]
    assert found
    return found


def test_parameters_equal_those_of_one_process(trained, size, case):
    for found, expected in zip(params(trained, size, case), params(trained, 1, case), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=BOUND)


def test_the_reported_numbers_include_all_rows(trained, size, case):
    found, expected = (trained(k)[0]["seen"][case] for k in (size, 1))
    np.testing.assert_allclose(found, expected, rtol=1e-11)


def test_float32_stays_float32(trained):
    told, _ = trained(2)
    assert told["dtypes"] == ["float32"]
    np.testing.assert_allclose(told["seen"]["float32"], trained(1)[0]["seen"]["float32"], rtol=1e-3)


@pytest.mark.parametrize("size", [1, 2, 4])
def test_a_process_knows_its_rank_and_how_many_there_are(trained, size):
    told, _ = trained(size)
    assert (told["rank"], told["size"]) == (0, size)


@pytest.mark.parametrize(
    ("what", "named"),
    [
        ("seed", "generator of the minibatches is"),
        ("text", "corpus is"),
        ("version", "NumPy is 1.0 on rank 0, 1.1 on rank 1"),
        ("checkpoint", "checkpoint is"),
    ],
)
def test_processes_with_different_arguments_are_refused(trained, what, named):
    message = trained(2)[0]["refused"][what]
    assert message.startswith("rank 1 differs from rank 0:")
    assert named in message
    assert "start every process with the same command" in message


def test_fewer_rows_than_processes_are_refused(trained):
    assert trained(2)[0]["refused"]["rows"] == (
        "the minibatch has 1 rows for 2 processes; expected one or more for each; "
        "take a larger batch_size or fewer processes"
    )


def test_all_processes_save_after_a_minute_on_the_clock_of_rank_0(trained):
    first, second = trained(2)[0]["saves"]
    assert first == second
    assert [60 < number < 65 for number in first] == [True, False]  # the other is the end
