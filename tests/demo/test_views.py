"""The views Inside, Gradients, Identity and Agreement, in a browser."""

import itertools

import pytest
from looking import button, legend, models, wait_for

from d2lrnn import backends

LETTERS = ".coloured span"


def colours(page):
    return page.locator(LETTERS).evaluate_all("all => all.map((s) => s.style.backgroundColor)")


# Inside


@pytest.fixture
def inside(visit):
    def inside(**query):
        page = visit("inside", **{"text": "the cat", "cell": "rnn", **query})
        page.locator(LETTERS).first.wait_for()
        return page

    return inside


def test_every_character_has_the_colour_of_the_unit(inside):
    page = inside(unit=3)
    assert page.locator(LETTERS).count() == 7
    assert "".join(page.locator(LETTERS).all_text_contents()) == "the␣cat"
    page.get_by_text("the network is training").wait_for(state="hidden")
    before = colours(page)
    slider = page.get_by_role("slider").first
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**unit=4**")
    wait_for(lambda: colours(page) != before, lambda: "unit 4 has the colours of unit 3")
    assert page.locator(LETTERS).count() == 7


@pytest.mark.parametrize("mode", ["greedy", "sampled"])
def test_the_network_continues_character_by_character(inside, mode):
    page = inside(mode=mode)
    button(page, "Next character").click()
    page.locator(LETTERS).nth(7).wait_for()
    button(page, "20 more").click()
    page.locator(LETTERS).nth(27).wait_for()
    assert page.locator(LETTERS).count() == 28
    button(page, "Back").click()
    page.locator(LETTERS).nth(7).wait_for(state="detached")
    assert page.locator(LETTERS).count() == 7


def test_the_next_character_has_its_probabilities_at_each_position(inside):
    page = inside(position=2)
    title = "next after “th”"
    assert title in models(page, "Title", "text")
    factors = [found for found in models(page, "FactorRange", "factors") if found]
    assert len(factors[0]) == 12


def test_gates_colour_the_text_of_a_gru_but_not_of_an_rnn(inside):
    page = inside(cell="gru", what="Z")
    page.get_by_text("blue is 0, red is 1").wait_for()
    page.get_by_label("Cell").select_option("RNN")
    page.get_by_role("alert").filter(has_text="This cell has only H; H is shown.").wait_for()


def test_an_empty_text_shows_a_message(inside):
    page = inside()
    page.get_by_label("Text", exact=True).fill("")
    page.get_by_label("Text", exact=True).blur()
    page.get_by_role("alert").filter(has_text="Expected 1 to 300 characters").wait_for()


def test_the_network_of_the_train_view_can_be_inspected(visit):
    page = visit("inside", source="train", text="the cat")
    page.get_by_text("No run exists yet; start one in the view Train.").wait_for()
    button(page, "Train").click()
    page.get_by_label("Hidden units").fill("8")
    button(page, "Step").click()
    page.locator(".quiet", has_text="perplexity").wait_for()
    page.locator("pre.sample", has_text="Listen, ").wait_for()
    button(page, "Inside").click()
    page.locator(LETTERS).nth(6).wait_for()
    wait_for(lambda: 8.5 in models(page, "Range1d", "end"), lambda: "the map has no 8 units")


# Gradients


@pytest.mark.parametrize(("radius", "verdict"), [("0.5", "vanishes"), ("3", "explodes")])
def test_gradients_vanish_or_explode_with_the_radius(visit, read, radius, verdict):
    page = visit("gradients", cell="rnn", radius=radius, steps=30)
    read_verdict = read(page)
    page.locator(".quiet", has_text="gradient over time").wait_for()
    assert read_verdict.number("gradient over time") == verdict
    before, after = (float(read_verdict.number(n)) for n in ("norm of all", "after clipping"))
    assert after == min(before, 1.0)


def test_curves_are_stored_for_comparison(visit):
    page = visit("gradients", cell="rnn", radius=1, steps=10)
    page.locator(".quiet", has_text="gradient over time").wait_for()
    button(page, "Keep to compare").click()
    page.get_by_label("Cell").select_option("LSTM")
    both = ["lstm, radius 1, bias 5, numpy", "rnn, radius 1, numpy"]
    wait_for(lambda: legend(page) == both, lambda: f"the legend is {legend(page)}")


def test_a_wrong_number_of_steps_shows_a_message(visit):
    page = visit("gradients")
    page.get_by_label("Time steps").fill("1")
    page.get_by_role("alert").filter(has_text="Expected a whole number from 2 to 200").wait_for()


def test_the_first_picture_shows_what_gates_are_for(visit, read):
    page = visit("gradients")
    page.locator(".quiet", has_text="RNN: first / last step").wait_for()
    told = [read(page).number(f"{cell}: first / last step") for cell in ("RNN", "GRU", "LSTM")]
    assert [words.split()[-1] for words in told] == ["vanishes", "persists", "persists"]
    assert len(legend(page)) == 3


def test_without_a_bias_the_gates_lose_more_than_the_rnn(visit, read):
    page = visit("gradients", bias=0, radius=1)
    page.locator(".quiet", has_text="RNN: first / last step").wait_for()
    rnn, gru, lstm = (
        float(read(page).number(f"{cell}: first / last step").partition(",")[0])
        for cell in ("RNN", "GRU", "LSTM")
    )
    assert max(gru, lstm) < 1e-6 * rnn


# Identity


@pytest.mark.parametrize(("gate", "letter"), [("rnn-h", "h"), ("gru-z", "z"), ("lstm-c", "c")])
def test_the_matrices_have_the_names_of_the_drawing(visit, gate, letter):
    page = visit("identity", gate=gate)
    for name in (f"W_x{letter}", f"W_h{letter}"):
        page.get_by_label(name, exact=True).wait_for()


@pytest.mark.parametrize(
    "gate", ["rnn-h", "gru-z", "gru-r", "lstm-i", "lstm-f", "lstm-o", "lstm-c"]
)
def test_both_sides_of_the_identity_are_equal_for_every_gate(visit, read, gate):
    page = visit("identity", gate=gate)
    page.locator(".quiet", has_text="largest difference").wait_for()
    assert page.locator("table").count() == 8
    cell = gate.split("-")[0].upper()
    for name in ("largest difference", f"whole {cell} cell"):
        assert float(read(page).number(name)) < 1e-14
    cells_of = page.locator("table").evaluate_all("all => all.map((t) => t.innerText)")
    assert cells_of[2] == cells_of[-1]


def test_a_number_that_is_changed_changes_the_product(visit):
    page = visit("identity")
    page.locator("table").nth(7).wait_for()
    field = page.get_by_label("X: inputs")
    field.fill("10 0\n0 10")
    field.blur()
    page.locator("table").first.get_by_text("10", exact=True).first.wait_for()
    product = page.locator("table").nth(2).locator("td").all_text_contents()
    assert product[0] == "5.68"  # 10 * 0.5 + 0.2 * 0.1 - 0.4 * -0.6 + 0.6 * 0.7


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("X: inputs", "1 x", "Expected numbers; “x” is not a number."),
        ("X: inputs", "1 2\n3", "Expected 2 numbers in every row, as in the first; row 2 has 1."),
        ("W_hh", "1 2\n3 4", "Expected 3 rows and 3 columns: those of H; this is 2 by 2."),
    ],
)
def test_a_wrong_matrix_shows_a_message(visit, field, text, message):
    page = visit("identity")
    page.get_by_label(field, exact=True).fill(text)
    page.get_by_label(field, exact=True).blur()
    page.get_by_role("alert").filter(has_text=message).first.wait_for()


# Agreement


def test_all_backends_agree_within_the_bound(visit, read):
    page = visit("agreement", steps=10)
    button(page, "Compare").click()
    installed = len(backends.available())
    done = f"{installed} of {installed}"
    reader = read(page)
    reader.until("backends", lambda text: text == done)
    if installed > 1:
        assert float(reader.number("difference from numpy")) <= 1e-9
    assert page.get_by_role("alert").count() == 0
    speeds = [data for data in models(page, "ColumnDataSource", "data.speed") if data]
    found = list(itertools.chain.from_iterable(speeds))
    assert len(found) == installed
    assert min(found) > 0
