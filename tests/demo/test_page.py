"""The page around the views: links, themes, screenshots, the keyboard, loading time."""

import struct

import pytest
from looking import button, wait_for

VIEWS = ["train", "inside", "gradients", "identity", "agreement"]


def background(page):
    return page.evaluate(
        "getComputedStyle(document.querySelector('[data-root-id]').firstElementChild)"
        ".backgroundColor"
    )


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_opens_by_its_link_and_by_its_button(visit, view):
    page = visit("train" if view != "train" else "inside")
    button(page, view.capitalize()).click()
    page.wait_for_url(f"**view={view}**")
    again = visit(view)
    active = again.locator("button.bk-active")
    assert active.all_text_contents() == [view.capitalize()]


def test_a_link_holds_the_state_of_a_view(visit):
    page = visit()
    page.get_by_label("Cell").select_option("GRU")
    page.get_by_label("Hidden units").fill("77")
    page.get_by_label("Hidden units").blur()
    page.wait_for_url("**cell=gru&hiddens=77")
    again = visit()
    again.goto(page.url)
    again.get_by_label("Hidden units").wait_for()
    assert again.get_by_label("Hidden units").input_value() == "77"
    assert again.get_by_label("Cell").input_value() == "GRU"


def test_a_link_with_invalid_values_shows_messages_and_uses_defaults(visit):
    page = visit("train", cell="<b>no", hiddens="x" * 100, theme="pink", projector="maybe")
    page.get_by_role("alert").filter(has_text="Expected one of rnn, gru, lstm").wait_for()
    assert page.locator("[role=alert] b").count() == 0
    assert background(page) == "rgb(255, 255, 255)"


def test_the_page_can_be_dark_and_large(visit):
    page = visit()
    assert background(page) == "rgb(255, 255, 255)"
    size = button(page, "Reset").evaluate("node => parseFloat(getComputedStyle(node).fontSize)")
    button(page, "Dark").click()
    button(page, "Light").wait_for()
    assert background(page) == "rgb(20, 22, 26)"
    button(page, "Projector").click()
    button(page, "Desk").wait_for()
    large = button(page, "Reset").evaluate("node => parseFloat(getComputedStyle(node).fontSize)")
    assert large >= 1.4 * size
    page.wait_for_url("**theme=dark&projector=1")


@pytest.mark.parametrize("view", VIEWS)
def test_every_page_fits_on_the_screen_of_a_laptop_and_a_phone(visit, view):
    page = visit(view)
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    page.set_viewport_size({"width": 360, "height": 720})
    wait_for(
        lambda: page.evaluate("document.documentElement.scrollWidth") <= 360,
        lambda: f"{page.evaluate('document.documentElement.scrollWidth')} pixels wide",
    )


SCREENS = [(1280, 800), (1920, 1080), (3840, 2160)]
FIRST = {"train": "Step", "agreement": "Compare"}  # what makes the first picture


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("view", ["train", "inside", "gradients", "agreement"])
def test_pictures_fill_the_window_of_every_screen(visit, view, theme):
    page = visit(view, theme=theme, steps=5) if view == "agreement" else visit(view, theme=theme)
    if view in FIRST:
        button(page, FIRST[view]).click()
    figures = page.locator(".bk-Figure:visible")
    figures.first.wait_for()
    for width, height in SCREENS:
        page.set_viewport_size({"width": width, "height": height})
        wait_for(
            lambda w=width, h=height: fills(page, figures, w, h),
            lambda: f"{[box for box in boxes(figures)]} in {page.viewport_size}",
        )


def boxes(figures):
    return [figures.nth(index).bounding_box() for index in range(figures.count())]


def fills(page, figures, width, height):
    """Return whether figures fill the window without scrolling."""
    found = boxes(figures)
    right = max(box["x"] + box["width"] for box in found)
    low = max(box["y"] + box["height"] for box in found)
    size = page.evaluate("document.documentElement.scrollHeight")
    return 0.97 * width < right <= width and 0.95 * height < low <= height and size <= height


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_explains_what_to_see_and_what_to_try(visit, view):
    intro = visit(view).locator(".intro").text_content()
    assert len(intro.partition("Try:")[0]) > 80
    assert len(intro.partition("Try:")[2]) > 40


@pytest.mark.parametrize("view", VIEWS)
def test_a_screenshot_of_each_view_is_saved(visit, view, tmp_path):
    page = visit(view)
    with page.expect_download() as download:
        button(page, "Save picture").click()
    assert download.value.suggested_filename == f"d2lrnn-{view}.png"
    download.value.save_as(tmp_path / "view.png")
    content = (tmp_path / "view.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", content[16:24])
    assert width >= 1280
    assert height >= 700
    assert len(content) > 20_000  # not a blank page


def test_everything_can_be_reached_with_the_keyboard(visit, read):
    page = visit(hiddens=8)
    page.keyboard.press("Tab")
    reached = []
    for _ in range(30):
        reached.append(focused(page))
        if reached[-1] == "Step":
            break
        page.keyboard.press("Tab")
    for name in ("Train", "Dark", "Projector", "Save picture", "Start", "Step"):
        assert name in reached
    page.keyboard.press("Enter")
    read(page).until("perplexity", lambda text: text != "-")


def focused(page):
    """Return the text of the focused element, through all shadow roots."""
    return page.evaluate(
        """() => { let node = document.activeElement
        while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement
        return (node?.textContent || node?.name || node?.tagName || "").trim() }"""
    )


def test_the_first_paint_comes_within_three_seconds(visit):
    """Take the best of three times, because other programs may use the machine."""
    paints = [
        visit().evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        for _ in range(3)
    ]
    assert min(paints) < 3000
