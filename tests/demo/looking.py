"""Functions that read a page of the demo and wait for its content."""

import time


def wait_for(condition, message, seconds=90):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, message()
        time.sleep(0.1)


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def models(page, kind, attribute):
    """The attribute of every Bokeh model of a kind."""
    return page.evaluate(MODELS, [kind, attribute])


MODELS = """([kind, attribute]) => Bokeh.documents.flatMap((document) =>
    document._roots.flatMap((root) => [...root.references()])
        .filter((model) => model.type == kind)
        .map((model) => attribute.split(".").reduce((value, name) => value?.[name], model)))"""


def legend(page):
    """The names of the curves, in order of the alphabet."""
    return sorted(models(page, "LegendItem", "label.value"))


class Reader:
    """What a page shows."""

    def __init__(self, page):
        self.page = page

    def number(self, name):
        """The text below a name in the row of numbers."""
        label = self.page.locator(".quiet", has_text=name).first
        return label.evaluate("node => node.nextElementSibling.textContent")

    def until(self, name, holds):
        """Wait until the text below a name is as it should be, and return it."""
        found = []

        def there():
            found[:] = [self.number(name)]
            return holds(found[0])

        wait_for(there, lambda: f"{name} stays {found}")
        return found[0]
