"""Options of d2lrnn generate and d2lrnn train that control how tokens are drawn."""

import pytest
from click.testing import CliRunner

from d2lrnn import cli
from d2lrnn import numpy as rnn

SMALL = ["--steps", 5, "--batch-size", 4, "--max-tokens", 400, "--hiddens", 8]


def d2lrnn(*arguments):
    return CliRunner().invoke(cli.main, [*map(str, arguments)])


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.safetensors"
    assert d2lrnn("train", *SMALL, "--epochs", 1, "--out", path).exit_code == 0
    return path


@pytest.mark.parametrize(
    "draw",
    [
        {"top_k": 3},
        {"top_p": 0.5},
        {"min_p": 0.8, "temperature": 2.0},
        {"temperature": 1.0, "stop": "e"},
        {"temperature": 1.0, "stop": ["e", " "]},
    ],
)
def test_generate_draws_as_predict_ch8_does(model, draw):
    words = [
        word
        for name, value in draw.items()
        for item in (value if isinstance(value, list) else [value])
        for word in (f"--{name.replace('_', '-')}", item)
    ]
    result = d2lrnn("generate", model, "--prefix", "The ", "--seed", 1, "--length", 50, *words)
    net, vocab = rnn.load_model(model)
    expected = rnn.predict_ch8("The ", 50, net, vocab, seed=1, **draw)
    assert result.exit_code == 0, result.output
    assert result.output.rstrip("\n") == expected.rstrip("\n")


def test_train_draws_its_samples_with_the_options(tmp_path):
    greedy, drawn = (
        d2lrnn("train", *SMALL, "--epochs", 1, "--prefix", "The ", *more).output
        for more in ([], ["--top-k", 5, "--temperature", 2])
    )
    samples = [
        text.partition("epoch 1, perplexity ")[2].splitlines()[0] for text in (greedy, drawn)
    ]
    assert samples[0] != samples[1]
    assert greedy.splitlines()[-2:] == drawn.splitlines()[-2:]  # the same training


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--top-p", 1.5], "1.5 is not in the range 0<x<=1"),
        (["--top-k", 0], "0 is not in the range x>=1"),
        (["--stop", "xyz"], "stop is 'xyz', which is not a token of the vocabulary"),
    ],
)
def test_a_wrong_option_of_generate_is_refused(model, words, message):
    result = d2lrnn("generate", model, *words)
    assert result.exit_code != 0
    assert message in result.output


def test_the_recipe_refuses_the_options_of_sampling():
    result = d2lrnn("train", "--recipe", "min-char", "--top-p", 0.5)
    assert "--recipe fixes --top-p; leave out one or the other" in result.output
