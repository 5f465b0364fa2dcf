"""The view Train, in a browser."""

import functools
import random
import re

import numpy as np
from looking import button, legend, models, wait_for

from d2lrnn import numpy as rnn


def is_number(text):
    return text not in ("", "-")


def perplexity(text):
    return float(text) if is_number(text) else np.inf


def test_the_perplexity_falls_and_text_is_generated(visit, read):
    page = visit(hiddens=32)
    button(page, "Step").click()
    first = perplexity(read(page).until("perplexity", is_number))
    button(page, "Continue").click()
    read(page).until("perplexity", lambda text: perplexity(text) < 0.3 * first)
    page.locator("pre.sample", has_text="Listen, ").wait_for()
    assert float(read(page).number("gradient norm")) > 0
    assert float(read(page).number("tokens / s").replace(",", "")) > 0


def test_a_run_can_be_paused_continued_and_reset(visit, read):
    page = visit(hiddens=16)
    button(page, "Start").click()
    read(page).until("perplexity", is_number)
    button(page, "Pause").click()
    button(page, "Continue").wait_for()
    read(page).until("state", lambda text: text == "paused")
    before = read(page).number("epoch")
    button(page, "Continue").click()
    read(page).until("epoch", lambda text: float(text) > float(before))
    button(page, "Reset").click()
    read(page).until("epoch", lambda text: text == "-")
    button(page, "Start").wait_for()


def test_a_step_is_one_minibatch(visit, read):
    page = visit(hiddens=16)
    button(page, "Step").click()
    read(page).until("state", lambda text: text == "paused")
    one = perplexity(read(page).until("perplexity", is_number))
    assert 30 < one < 70  # nearly a guess at random among the 55 characters
    assert read(page).number("epoch") == "0.1"  # one of eight
    button(page, "Step").click()
    read(page).until("epoch", lambda text: text == "0.2")


def test_a_wrong_number_shows_a_message_at_its_field_and_starts_no_run(visit, read):
    page = visit()
    field = page.get_by_label("Hidden units")
    field.fill("many")
    expected = "Expected a whole number from 1 to 512; this is “many”."
    message = page.get_by_role("alert").filter(has_text=expected).first
    message.wait_for()
    place, mark = field.bounding_box(), message.bounding_box()
    assert 0 <= mark["y"] - (place["y"] + place["height"]) < 30
    button(page, "Start").click()
    page.get_by_text("Correct the field first.").wait_for()
    assert read(page).number("state") == "ready"
    field.fill("24")
    button(page, "Start").click()
    read(page).until("perplexity", is_number)


def test_numbers_out_of_range_show_messages(visit):
    page = visit(hiddens="0", lr="-1", clip="inf")
    for expected in ("“0”", "“-1”", "“inf”"):
        page.get_by_role("alert").filter(has_text=expected).wait_for()


def test_the_lowest_perplexity_of_the_grammar_is_drawn(visit, read):
    page = visit(corpus="grammar", hiddens=16)
    button(page, "Step").click()
    read(page).until("perplexity", is_number)
    wait_for(lambda: "floor 1.22" in models(page, "Label", "text"), lambda: "no floor")
    assert sorted(models(page, "Label", "visible")) == [False, True]  # no overfitting yet


def test_two_runs_are_compared_on_one_chart(visit, read):
    page = visit(hiddens=8)
    button(page, "Step").click()
    read(page).until("perplexity", is_number)
    button(page, "Keep to compare").click()
    page.get_by_label("Cell").select_option("GRU")
    button(page, "Step").click()
    read(page).until("state", lambda text: text == "paused")
    both = [f"{cell} 8, lr 1, clip 1, builtin, numpy" for cell in ("gru", "rnn")]
    wait_for(lambda: legend(page) == both, lambda: f"the legend is {legend(page)}")


def test_a_run_is_saved_as_a_model_file_that_loads(visit, read, tmp_path):
    page = visit(hiddens=8, cell="lstm")
    button(page, "Step").click()
    read(page).until("perplexity", is_number)
    with page.expect_download() as download:
        page.get_by_text("Save the model").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.name == "run.safetensors"
    net, vocab = rnn.load_model(path)
    assert net.architecture.cell == "lstm"
    assert rnn.predict_ch8("Listen, ", 5, net, vocab).startswith("Listen, ")


# Words in a random order: the network can learn the training part by heart, and nothing else
OVERFITTED = " ".join(random.Random(0).choices(["red", "green", "blue", "black", "white"], k=100))
PASTED = "seven small seals see <b>six</b> silver ships & sail.\n" * 8


def test_a_pasted_text_is_trained_on_and_not_interpreted_as_html(visit, read):
    page = visit(corpus="pasted", hiddens=16)
    page.get_by_label("Paste a text here").fill(PASTED)
    button(page, "Start").click()
    read(page).until("perplexity", lambda text: perplexity(text) < 5)
    page.locator("pre.sample", has_text="seven small").wait_for()
    assert "seals" not in page.url
    assert page.locator("pre.sample b").count() == 0


def test_a_pasted_text_that_is_too_short_or_too_long_is_refused(visit):
    page = visit(corpus="pasted")
    page.get_by_label("Paste a text here").fill("short")
    page.get_by_role("alert").filter(has_text="Expected 200 characters or more").wait_for()
    page.get_by_label("Paste a text here").fill("x" * 20_001)
    alert = page.get_by_role("alert").filter(has_text="Expected up to 20,000 characters")
    alert.first.wait_for()
    button(page, "Start").click()
    page.get_by_text("Correct the field first.").wait_for()


def test_a_huge_text_is_refused_in_the_page(visit, read):
    """400,000 Chinese characters are more than the server takes in one message."""
    page = visit(corpus="pasted", hiddens=8)
    page.get_by_label("Paste a text here").focus()
    page.keyboard.insert_text("\u7f51" * 400_000)  # as pasting does
    alert = page.get_by_role("alert").filter(has_text="Expected up to 20,000 characters")
    alert.first.wait_for()
    assert "or more. Paste less." in alert.first.text_content()
    page.get_by_label("Paste a text here").fill(PASTED)
    button(page, "Step").click()  # the page still answers
    read(page).until("perplexity", is_number)


def test_before_the_start_there_are_words_and_no_empty_chart(visit, read):
    page = visit()
    page.locator(".card", has_text="Start trains it").wait_for()
    assert page.locator(".bk-Figure:visible").count() == 0
    button(page, "Step").click()
    page.locator(".bk-Figure:visible").nth(1).wait_for()
    assert page.locator(".card").count() == 0


def test_several_runs_are_stored_under_different_names(visit, read):
    page = visit(hiddens=8)
    button(page, "Step").click()
    read(page).until("perplexity", is_number)
    own, kept = "rnn 8, lr 1, clip 1, builtin, numpy", []
    for given, name in [("mine", "mine"), ("mine", "mine (2)"), ("yours", "yours")]:
        page.get_by_label("Name of the run").fill(given)
        button(page, "Keep to compare").click()
        kept.append(name)
        wait_for(lambda: legend(page) == sorted([own, *kept]), lambda: legend(page))
    button(page, "Forget kept").click()
    wait_for(lambda: legend(page) == [own], lambda: f"the legend is {legend(page)}")


def test_a_changed_learning_rate_takes_effect_in_the_running_training(visit, read):
    page = visit(hiddens=8)
    button(page, "Step").click()
    read(page).until("perplexity", is_number)
    field = page.get_by_label("Learning rate")
    field.fill("2")
    field.blur()
    button(page, "Continue").wait_for()  # and is not begun anew
    button(page, "Step").click()
    read(page).until("epoch", lambda text: text == "0.2")
    told = "rnn 8, lr 1, clip 1, builtin, numpy; from epoch 0.1 lr 2, clip 1"
    wait_for(lambda: legend(page) == [told], lambda: f"the legend is {legend(page)}")


def test_a_run_that_diverges_shows_the_error_message(visit, read):
    page = visit(hiddens=16, lr=50, clip=1000)
    button(page, "Start").click()
    page.get_by_role("alert").filter(
        has_text="training diverged; try a smaller learning rate (lr)"
    ).wait_for()
    assert read(page).number("state") == "ended"
    button(page, "Start").wait_for()  # for another run


def test_a_run_whose_browser_was_closed_pauses_at_once(visit, read):
    """Three that train and leave take nothing from the one who stays."""
    for _ in range(3):
        page = visit(hiddens=256, cell="lstm")
        button(page, "Start").click()
        read(page).until("state", lambda text: text != "ready")
        page.close()
    page = visit(hiddens=8)
    button(page, "Start").click()
    read(page).until("epoch", lambda text: is_number(text) and float(text) > 1)
    wait_for(
        lambda: "shared with other viewers" not in page.content(), lambda: "others still compute"
    )


def test_each_session_has_its_own_run_and_text(visit, read):
    one, other = visit(corpus="pasted", hiddens=8), visit(corpus="pasted", hiddens=8)
    one.get_by_label("Paste a text here").fill(PASTED)
    button(one, "Step").click()
    read(one).until("perplexity", is_number)
    assert read(other).number("state") == "ready"
    assert other.get_by_label("Paste a text here").input_value() == ""
    assert "seals" not in other.content()


def test_the_onset_of_overfitting_is_marked_at_the_lowest_validation_perplexity(visit, read):
    page = visit(corpus="pasted", cell="gru", hiddens=64, lr=4, validation=0.3)
    page.get_by_label("Paste a text here").fill(OVERFITTED)
    button(page, "Start").click()

    def marks():
        labels = zip(models(page, "Label", "text"), models(page, "Label", "visible"), strict=True)
        return [text for text, visible in labels if visible]

    wait_for(marks, lambda: read(page).number("validation"))
    button(page, "Pause").click()
    button(page, "Continue").wait_for()
    words = r"epoch (\d+): lowest validation, ([\d.]+); from here on, the network overfits"
    epoch, lowest = re.fullmatch(words, marks()[0]).groups()
    assert int(epoch) in models(page, "Span", "location")
    assert float(lowest) <= perplexity(read(page).number("validation"))


def test_without_a_validation_part_there_is_no_curve_of_it(visit, read):
    page = visit(hiddens=8, validation=0)
    button(page, "Step").click()
    read(page).until("perplexity", is_number)
    assert read(page).number("validation") == "-"
    # The title arrives in another message than the numbers.
    titles = functools.partial(models, page, "Title", "text")
    wait_for(lambda: "solid: training" in titles(), titles)
    assert "solid: training; dotted: validation" not in titles()
