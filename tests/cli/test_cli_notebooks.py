"""The command that copies the notebooks."""

import json
import pathlib
import shutil

from click.testing import CliRunner

from d2lrnn import cli

ROOT = pathlib.Path(__file__).parents[2]


def copied(folder, *options):
    """The output of the command, and the cells of each notebook by name."""
    result = CliRunner().invoke(cli.main, ["notebooks", str(folder), *options])
    assert result.exit_code == 0, result.output
    files = sorted(folder.glob("*.ipynb"))
    return result.output, {f.stem: json.loads(f.read_text("utf-8"))["cells"] for f in files}


def code(cells):
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def test_a_teachers_copy_has_solutions_and_outputs(tmp_path):
    said, notebooks = copied(tmp_path / "new")
    assert f"copied {len(notebooks)} notebooks for torch to {tmp_path / 'new'}" in said
    assert f"jupyter lab {tmp_path / 'new'}" in said
    assert all("### BEGIN SOLUTION" in code(cells) for cells in notebooks.values())
    assert all(any(cell.get("outputs") for cell in cells) for cells in notebooks.values())


def test_a_students_copy_has_blanks_and_the_chosen_backend(tmp_path):
    _, notebooks = copied(tmp_path, "--student", "--backend", "numpy")
    assert "04-rnn-concise" not in notebooks  # NumPy has no layers of its own
    for cells in notebooks.values():
        assert "SOLUTION" not in code(cells)
        assert "...  # your" in code(cells)
        assert "from d2lrnn import numpy as rnn" in code(cells)
        assert not any(cell.get("outputs") for cell in cells)


def test_an_existing_notebook_is_not_overwritten(tmp_path):
    (tmp_path / "07-lstm.ipynb").write_text("my own answers", encoding="utf-8")
    result = CliRunner().invoke(cli.main, ["notebooks", str(tmp_path)])
    assert "07-lstm.ipynb already exists; choose another folder" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["07-lstm.ipynb"]


def test_the_error_for_missing_notebooks_names_the_searched_folders(tmp_path, monkeypatch):
    places = {"CHECKOUT": tmp_path / "a", "sys.prefix": "b", "site.getuserbase": lambda: "c"}
    for name, place in places.items():
        monkeypatch.setattr(f"d2lrnn.cli.notebooks.{name}", place)
    result = CliRunner().invoke(cli.main, ["notebooks", str(tmp_path / "new")])
    looked = f"{tmp_path / 'a'}, b/share/d2lrnn, c/share/d2lrnn"
    assert result.output.startswith(f"Error: the notebooks are in none of {looked}; install d2lrnn")
    assert not (tmp_path / "new").exists()


def test_the_notebooks_that_pip_has_installed_are_found(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "notebooks", tmp_path / "share" / "d2lrnn" / "notebooks")
    monkeypatch.setattr("d2lrnn.cli.notebooks.CHECKOUT", tmp_path / "a")
    monkeypatch.setattr("d2lrnn.cli.notebooks.sys.prefix", str(tmp_path))
    result = CliRunner().invoke(cli.main, ["notebooks", str(tmp_path / "new")])
    assert result.exit_code == 0, result.output
    assert len(list((tmp_path / "new").glob("*.ipynb"))) > 12
