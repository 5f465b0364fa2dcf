"""TensorFlow's cells need Keras 2, and its absence is one clear error in both editions."""

import os
import subprocess
import sys

import nbformat
import pytest

PACKAGES = {"classic": "d2lrnn.book.classic.tensorflow", "1.0": "d2lrnn.book.tensorflow"}
NEEDED = "the book's TensorFlow cells need Keras 2, and tf-keras is not installed; run: pip install"
# A sitecustomize.py, so that it holds in the command's kernel, too.
HIDDEN = """
import sys

class Hide:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "tf_keras":
            raise ModuleNotFoundError("No module named 'tf_keras'", name=name)

sys.meta_path.insert(0, Hide)
"""


@pytest.fixture
def without_tf_keras(keras, tmp_path):
    """Environment variables for a process that cannot import tf-keras."""
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "sitecustomize.py").write_text(HIDDEN)
    path = [str(tmp_path / "hidden"), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))}


@pytest.mark.parametrize("edition", PACKAGES)
def test_the_import_without_tf_keras_says_how_to_install_it(without_tf_keras, edition):
    line = [sys.executable, "-c", f"import {PACKAGES[edition]}"]
    done = subprocess.run(line, capture_output=True, text=True, env=without_tf_keras)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"ImportError: {NEEDED}")
    assert "keras" in done.stderr.splitlines()[-1].partition("run: ")[2]


@pytest.mark.parametrize("edition", PACKAGES)
def test_the_command_without_tf_keras_ends_with_the_same_error(without_tf_keras, tmp_path, edition):
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_code_cell("from d2l import tensorflow as d2l\nlr = 1")]
    nbformat.write(book, tmp_path / "chapter.ipynb")
    line = [sys.executable, "-m", "d2lrnn", "book", str(tmp_path / "chapter.ipynb")]
    line += ["--edition", edition]
    done = subprocess.run(line, capture_output=True, text=True, env=without_tf_keras)
    assert done.returncode == 1
    assert NEEDED in done.stderr.splitlines()[-1]
    assert "passed" not in done.stdout


@pytest.mark.parametrize("edition", PACKAGES)
def test_the_error_for_keras_3_names_the_module_to_import_first(keras, edition):
    program = f"import tensorflow as tf; tf.keras.layers; import {PACKAGES[edition]}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    message = done.stderr.splitlines()[-1]
    assert message.startswith("ImportError: tf.keras is Keras 3 in this process")
    names = " or ".join(PACKAGES[edition] for edition in ("1.0", "classic"))
    assert f"import {names} before anything uses tf.keras" in message
