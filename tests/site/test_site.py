"""What a reader of the site sees, page by page."""

import pytest
from conftest import ROOT

NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
WRITTEN = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [
    *(f"notebooks/{name}.html" for name in ["index", *NOTEBOOKS]),
    *(str(path.relative_to(ROOT / "docs").with_suffix(".html")) for path in WRITTEN),
    "contributing.html",
    "changelog.html",
]


def test_no_page_of_the_site_is_left_out(site):
    built = {str(path.relative_to(site)) for path in site.rglob("*.html")}
    assert built - {"404.html"} == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_every_formula_is_rendered(read, name):
    page = read(name)
    formulas = page.locator(".arithmatex")
    assert page.locator("mjx-container").count() == formulas.count()
    assert page.locator(".arithmatex mjx-merror, .arithmatex [data-mjx-error]").count() == 0
    raw = formulas.evaluate_all(
        "all => all.map(one => one.textContent).filter(t => /^\\\\/.test(t))"
    )
    assert raw == []
