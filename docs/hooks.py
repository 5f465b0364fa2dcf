"""What mkdocs does beside: notebooks and the files of the root as pages, MathJax as a local file.

Whatever ``notebooks/[0-9]*.ipynb`` there are become pages, with the outputs that they hold, and
enter the navigation. CONTRIBUTING.md, CHANGELOG.md and notebooks/README.md are
pages too. MathJax comes from the package
sphinx-mathjax-offline when the site is built, so that no reader's browser asks another host.
"""

from __future__ import annotations

import base64
import configparser
import html
import itertools
import re
from importlib import metadata
from pathlib import Path

import nbformat
from mkdocs.structure.files import File

ROOT = Path(__file__).parent.parent
SECTION = "Notebooks"
MADE = {  # pages of the site, by the file that each is made of
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "notebooks/README.md": "notebooks/index.md",
}
# All of TeX's extensions in one file; tex-svg.js would ask for \boldsymbol's, which is not there.
MATHJAX = "sphinx-mathjax-offline/static/mathjax/tex-svg-full.js"
# The richest form of an output that a page can show, in this order.
PICTURES = {"image/svg+xml": "svg", "image/png": "png", "image/jpeg": "jpg"}
ANSI = re.compile(r"\x1b\[[0-9;]*m")
BADGE = re.compile(r"\[!\[([^]]*)\]\([^)]*\)\]")  # a picture from another host, as a link
SOLUTION = "### BEGIN SOLUTION"


def notebooks():
    """Return the paths of the notebooks, in the order of their numbers."""
    return sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))


def on_config(config):
    """Put the notebooks into the navigation, behind the first page; add address and version."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    config.repo_url = settings["metadata"]["url"]
    source = (ROOT / "d2lrnn" / "__init__.py").read_text(encoding="utf-8")
    config.extra["release"] = re.search(r'^__version__ = "(.*)"$', source, re.MULTILINE)[1]
    pages = [{title_of(path): f"notebooks/{path.stem}.md"} for path in notebooks()]
    config.nav.insert(1, {SECTION: ["notebooks/index.md", *pages]})
    return config


def title_of(path):
    """Return the first heading of a notebook."""
    cells = nbformat.read(path, as_version=4).cells
    lines = (line for cell in cells for line in cell.source.splitlines())
    return next(line.removeprefix("# ") for line in lines if line.startswith("# "))


def on_files(files, config):
    """Add the pages and files that are not in docs/."""
    mathjax = metadata.distribution("sphinx-mathjax-offline").locate_file(MATHJAX)
    files.append(File.generated(config, "assets/mathjax.js", abs_src_path=str(mathjax)))
    for name, page in MADE.items():
        content = at_home_in_docs((ROOT / name).read_text(encoding="utf-8"))
        files.append(File.generated(config, page, content=content))
    for path in sorted((ROOT / "notebooks" / "pictures").glob("*.*")):
        if path.suffix in (".png", ".svg"):
            place = f"pictures/{path.name}"
            files.append(File.generated(config, place, abs_src_path=str(path)))
    for path in notebooks():
        text, pictures = page_of(path)
        files.append(File.generated(config, f"notebooks/{path.stem}.md", content=text))
        for name, content in pictures.items():
            files.append(File.generated(config, f"notebooks/{name}", content=content))
    return files


def on_page_markdown(markdown, page, config, files):
    """Point to the pictures where the site has them."""
    markdown = markdown.replace("](../notebooks/pictures/", "](pictures/")
    return markdown.replace('"../notebooks/pictures/', '"pictures/')  # in HTML


def at_home_in_docs(text):
    """Return a page of the root with its links as docs/ has them."""
    text = text.replace("](docs/", "](").replace("](../docs/", "](../")
    text = text.replace("](CONTRIBUTING.md", "](contributing.md")
    return text.replace("](CHANGELOG.md", "](changelog.md")


def page_of(path):
    """Return a notebook as Markdown, and its pictures by name."""
    notebook, parts, pictures = nbformat.read(path, as_version=4), [], {}
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            parts.append(BADGE.sub(r"[\1]", cell.source))
        elif cell.cell_type == "code" and cell.source.strip():
            code = fenced(cell.source, "python")
            parts.append(folded(code) if SOLUTION in cell.source else code)
            shown = (
                output_of(output, f"{path.stem}-{number}-{index}", pictures)
                for index, output in enumerate(joined(cell.outputs))
            )
            parts += [framed(part) for part in shown if part]
    return "\n\n".join(parts), pictures


def joined(outputs):
    """Yield outputs, what was printed piece by piece as one."""
    for kind, group in itertools.groupby(outputs, lambda output: output.output_type):
        if kind == "stream":
            text = "".join(output.text for output in group)
            yield nbformat.v4.new_output("stream", text=text)
        else:
            yield from group


def output_of(output, name, pictures):
    """Return one output of a cell as Markdown; put its picture, if it is one, among pictures."""
    if output.output_type == "stream":
        return fenced(ANSI.sub("", output.text), "text")
    if output.output_type == "error":
        raise ValueError(f"{name} holds an error, {output.ename}; run the notebook again")
    data = output.data
    for kind, suffix in PICTURES.items():
        if kind in data:
            content = data[kind]
            pictures[f"{name}.{suffix}"] = content if suffix == "svg" else base64.b64decode(content)
            description = html.escape(data.get("text/plain", "").strip("<>") or "figure")
            return f'<img src="{name}.{suffix}" alt="{description}">'
    if "text/html" in data:
        return without_blank_lines(data["text/html"])
    if "text/markdown" in data:
        return data["text/markdown"]
    return fenced(data["text/plain"], "text") if "text/plain" in data else ""


def framed(text):
    """Return an output within the element that sets it apart."""
    return f'<div class="nb-output" markdown="1">\n\n{text}\n\n</div>'


def folded(text):
    """Return a solution as what a reader unfolds."""
    return f'<details markdown="1"><summary>A solution</summary>\n\n{text}\n\n</details>'


def fenced(text, language):
    """Return text as a block of code, whatever backticks it holds."""
    fence = "`" * (max([2, *(len(run) for run in re.findall("`+", text))]) + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def without_blank_lines(text):
    """Return HTML in one piece, since a blank line would end it for Markdown."""
    return re.sub(r"\n\s*\n", "\n&#8203;\n", text)
