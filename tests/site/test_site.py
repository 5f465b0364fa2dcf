"""The pages of the site."""

import configparser
import re

from conftest import PAGES, ROOT

import d2lrnn
from d2lrnn import interface

ENDS = ("/index.html", "/changelog.html")
SETTINGS = configparser.ConfigParser()
SETTINGS.read(ROOT / "setup.cfg", encoding="utf-8")


def test_every_page_of_the_site_is_checked(site):
    built = {str(path.relative_to(site)) for path in site.rglob("*.html")}
    assert built - {"404.html"} == set(PAGES)


def test_the_reference_shows_every_function_in_the_order_of_topics(site):
    html = (site / "reference" / "backend.html").read_text(encoding="utf-8")
    shown = re.findall(r'<h2 id="d2lrnn\.interface\.Backend\.(\w+)"', html)
    assert shown == [*interface.members(interface.Backend)]


def test_every_formula_is_rendered_without_errors(page):
    formulas = page.locator(".arithmatex")
    if formulas.count():
        page.wait_for_function("window.MathJax?.startup?.promise")  # until the script has begun
    page.evaluate("window.MathJax?.startup?.promise")
    assert page.trouble == []
    assert page.locator("mjx-container").count() == formulas.count()
    assert page.locator(".arithmatex mjx-merror, .arithmatex [data-mjx-error]").count() == 0
    assert not [text for text in formulas.all_text_contents() if text.startswith("\\")]


CUT = """() => [...document.querySelectorAll("details")].map((each) => (each.open = true)) &&
    [...document.querySelectorAll(".md-content pre > code")]
        .filter((code) => code.scrollWidth > code.clientWidth)
        .map((code) => code.textContent)"""


def test_code_fits_on_the_screen_of_a_laptop(page):
    assert page.evaluate(CUT) == []


def test_a_page_links_to_the_next_and_the_previous_page(page):
    at_an_end = page.url.endswith(ENDS) and page.url.count("/") == 3
    assert page.locator(".md-footer__link").count() == (1 if at_an_end else 2)


def test_a_page_shows_the_version_and_links_to_the_source(page):
    assert page.locator(".md-header .md-source__fact--version").inner_text() == d2lrnn.__version__
    assert (
        page.locator(".md-header .md-source").get_attribute("href") == SETTINGS["metadata"]["url"]
    )
