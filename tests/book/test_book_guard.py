"""A notebook's cells cannot change the environment in which d2lrnn runs."""

import hashlib
import json
import os
import site
import subprocess
import venv
import zipfile
from pathlib import Path

import nbformat
import pytest

import d2lrnn
from d2lrnn.book import environment, guard

INSTALL, UNINSTALL = "'inst' + 'all'", "'uninst' + 'all'"  # not to be found by reading the cell

# Cells that reach pip by ways which only running them shows.
CELLS = [
    "os.system(f'pip {install} {wheel}')",
    "os.system(f'pip3 {uninstall} -y victim')",
    "command = [sys.executable, '-m', 'pip', install, wheel]\nsubprocess.check_call(command)",
    "subprocess.run([sys.executable, '-I', '-m', 'pip', install, wheel], check=True)",
    "subprocess.run([sys.executable, '-m', 'pip', uninstall, '-y', 'victim'], env={})",
    "subprocess.run([env + '/bin/pip', uninstall, '-y', 'victim'], check=True)",
    "subprocess.run([env + '/bin/python', '-m', 'pip', install, wheel], check=True)",
    "from pip._internal.cli.main import main as run\nassert run([install, wheel]) == 0",
    "from pip._internal.commands import create_command\ncreate_command(install).main([wheel])",
    "sys.argv = ['pip', install, wheel]\n"
    "try:\n    runpy.run_module('pip', run_name='__main__')\nexcept SystemExit:\n    pass",
    "open('script.sh', 'w').write(f'pip {install} {wheel}\\n')\n!bash script.sh",
    "%%bash\ncat <<END | sh\npython -m pip install x\nEND",
    "out = !pip install {wheel}\nprint(out)",
    "subprocess.run([sys.executable, 'setup.py', install], check=True)",
    "import ensurepip\nensurepip.bootstrap(upgrade=True)\nassert 'PIP_PYTHON' in os.environ",
    "subprocess.run([env + '/bin/python', '-I', '-m', 'pip', uninstall, '-y', 'victim'])",
    "subprocess.run(['env', '-i', env + '/bin/pip', uninstall, '-y', 'victim'])",
    "subprocess.run([env + '/bin/pip', '--python', env, install, wheel])",
    "import pip\npip.main(['--python', env, install, wheel])",
    "os.system(f'env -i {env}/bin/pip {uninstall} -y victim')",
    "!env -i {env}/bin/pip {uninstall} -y victim",
    "import pty\npty.spawn([env + '/bin/pip', '--isolated', uninstall, '-y', 'victim'])",
    "os.posix_spawn(env + '/bin/pip', ['pip', uninstall, '-y', 'victim'], {})\nos.wait()",
    "import multiprocessing\n"
    "context = multiprocessing.get_context('spawn')\n"
    "with context.Pool(1) as pool:\n"
    "    pool.map(os.system, [f'env -i {env}/bin/pip {uninstall} -y victim'])",
    "!pip install {wheel}",
    "%pip uninstall -y victim",
    "!{sys.executable} -m pip install {wheel}",
    "subprocess.run([env + '/bin/pip', uninstall, '-y', 'victim'], env={}, check=True)",
    '%%bash\nENV/bin/python -I -c \'import pip; pip.main(["uninstall", "-y", "victim"])\'',
    "%%bash\ncat <<END | ENV/bin/python -E -s -\n"
    "import pip\npip.main(['uninstall', '-y', 'victim'])\nEND",
    "%%bash\nenv -i ENV/bin/python -m p''ip unin''stall -y victim",
    "program = open('program.py', 'w')\n"
    'program.write(f\'import pip; pip.main([{uninstall!r}, "-y", "victim"])\')\n'
    "program.close()\n!env -i {env}/bin/python program.py",
    "subprocess.run([env + '/bin/python', 'program.py'], env={}, check=True)",
    "subprocess.run([(env + '/bin/python').encode(), b'program.py'], env={}, check=True)",
    "subprocess.run([env + '/bin/python', 'program.py'], executable=env + '/bin/python', env={})",
    "child = os.fork()\nif child == 0:\n"
    "    os.execv(env + '/bin/python', ['python', '-m', 'pip', 'uninstall', '-y', 'victim'])\n"
    "assert os.waitpid(child, 0) == (child, 0)",
    "def become(*command):\n    os.execvp(command[0], command)\n"
    "child = os.fork()\nif child == 0:\n    become('pip', uninstall, '-y', 'victim')\n"
    "assert os.waitpid(child, 0) == (child, 0)",
    "os.execvp('pip', ['pip', 'uninstall', '-y', 'victim'])\nassert env",
    "!python -m venv {env}",
    "%%bash\nENV/bin/python -I -m venv ENV",
    "import venv\nvenv.create(env)",
    "config = 'con' + 'fig'\nos.system(f'pip {config} set global.index-url http://127.0.0.1/x')",
    "!pip config set global.index-url http://127.0.0.1/x",
    "subprocess.run([sys.executable, '-m', 'pip', 'cache', 'purge'], check=True)",
    "import pip\npip.main(['config', 'set', 'global.index-url', 'http://127.0.0.1/x'])",
]
READING = ["!pip --version", "%pip list", "!pip show victim", "import pip\npip.main(['list'])"]
SHOWN = ["pip 2", "victim", "Name: victim", "victim"]


def wheel(folder, name):
    """Write a wheel with one empty module and return its path."""
    path, info = folder / f"{name}-1.0-py3-none-any.whl", f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for file, content in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(file, content)
    return path


class Bed:
    """An environment with pip and a package named victim, which cells try to remove."""

    def __init__(self, folder):
        self.folder, self.env = folder, folder / "env"
        venv.create(self.env, with_pip=False, symlinks=True)
        (packages,) = self.env.glob("lib/python*/site-packages")
        places = [str(Path(d2lrnn.__file__).parents[1]), *site.getsitepackages()]
        lines = "".join(f"import site; site.addsitedir({place!r})\n" for place in places)
        (packages / "others.pth").write_text(lines)
        self.python = str(self.env / "bin" / "python")
        self.pip("install", str(wheel(folder, "victim")))
        script = (
            f"#!{self.python}\nfrom pip._internal.cli.main import main\nraise SystemExit(main())\n"
        )
        (self.env / "bin" / "pip").write_text(script)
        (self.env / "bin" / "pip").chmod(0o755)
        self.wheel = wheel(folder, "harmless")

    def pip(self, *words):
        line = [self.python, "-m", "pip", "-q", *words]
        return subprocess.run(line, check=True, capture_output=True, text=True).stdout

    def files(self):
        """Every file of the environment with a hash of its content."""
        files = [path for path in self.env.rglob("*") if path.is_file()]
        files = [path for path in files if "__pycache__" not in path.parts]
        return {path: hashlib.sha256(path.read_bytes()).digest() for path in files}

    def run(self, *cells, options=()):
        """Run a notebook with the command, in the environment, and return both."""
        book = nbformat.v4.new_notebook()
        book.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
        path = self.folder / "n.ipynb"
        nbformat.write(book, path)
        variables = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
        variables |= {"HOME": str(self.folder / "home")}  # of which pip changes files
        variables |= {"PYTHONWARNINGS": "ignore", "PATH": f"{self.env}/bin:{os.environ['PATH']}"}
        line = [self.python, "-m", "d2lrnn", "book", str(path), *options]
        done = subprocess.run(line, capture_output=True, text=True, env=variables, timeout=300)
        return done, json.loads(path.with_suffix(".executed.ipynb").read_text())["cells"]


def outputs(cell):
    """Return all text output of a cell, including displayed text of pip when called in Python."""
    texts = [output.get("text") or output["data"]["text/plain"] for output in cell["outputs"]]
    return "".join("".join(text) for text in texts)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    """The output of the command for a notebook of all cells above, its cells, and the changes."""
    bed = Bed(tmp_path_factory.mktemp("bed"))
    first = (
        "import os, runpy, subprocess, sys\n"
        f"install, uninstall = {INSTALL}, {UNINSTALL}\n"
        f"wheel, env = {str(bed.wheel)!r}, {str(bed.env)!r}"
    )
    before = bed.files()
    cells = [cell.replace("ENV/", f"{bed.env}/").replace(" ENV", f" {bed.env}") for cell in CELLS]
    done, cells = bed.run(first, *cells, *READING)
    after = bed.files()
    changed = [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)]
    return done, cells, changed


def test_no_cell_changes_the_environment(attacked):
    done, _, changed = attacked
    assert done.returncode == 0, done.stdout + done.stderr
    assert changed == []


def test_no_cell_changes_the_settings_of_pip(attacked, tmp_path_factory):
    assert list(tmp_path_factory.getbasetemp().glob("bed*/home/**/pip.conf")) == []


@pytest.mark.parametrize("number", range(len(CELLS)))
def test_each_command_that_is_not_run_is_reported(attacked, number):
    done, _, _ = attacked
    assert f"\ncell {number + 2}: skipped " in "\n" + done.stdout, CELLS[number]


@pytest.mark.parametrize("number", range(len(READING)))
def test_a_command_that_only_reads_runs(attacked, number):
    done, cells, _ = attacked
    place = 1 + len(CELLS) + number
    assert SHOWN[number] in outputs(cells[place])
    assert f"cell {place + 1}: skipped" not in done.stdout


def test_cells_install_packages_if_allowed_but_never_d2l(tmp_path):
    bed = Bed(tmp_path)
    mine = wheel(tmp_path, "d2l")
    done, _ = bed.run(
        f"!pip install --no-index {bed.wheel}",
        f"!pip install --no-index {mine}",
        "%pip uninstall -y victim",
        options=["--allow-install"],
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"cell 2: skipped !pip install --no-index {mine}"[:100] in done.stdout
    names = {line.split("==")[0].split(" @")[0] for line in bed.pip("freeze").splitlines()}
    assert "harmless" in names
    assert not {"victim", "d2l"} & names


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """A function that runs a command with conda and sudo replaced by scripts that print."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("conda", "sudo"):
        (tools / name).write_text(f"#!/bin/sh\necho really {name} $*\n")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)
    _, variables = environment.make(tmp_path / "e")

    def run(command):
        line = ["sh", "-c", command]
        return subprocess.run(line, capture_output=True, text=True, env=variables).stdout

    return run


@pytest.mark.parametrize(
    "command", ["conda list", "conda env list", "sudo ls", "conda install --help"]
)
def test_other_tools_run_commands_that_do_not_install(shell, command):
    assert shell(command).startswith("really")


@pytest.mark.parametrize(
    "command", ["conda install -y x", "sudo pip install x", "sudo -E python -m pip install x"]
)
def test_other_tools_do_not_install_packages(shell, tmp_path, command):
    assert shell(command).startswith(guard.HINT)
    assert environment.skipped(tmp_path / "e") == [command]


def test_a_skipped_command_is_reported_once(shell, tmp_path):
    shell("pip install x; pip install y")
    assert environment.skipped(tmp_path / "e") == ["pip install x", "pip install y"]
    assert environment.skipped(tmp_path / "e") == []


def test_the_temporary_environment_has_the_packages_of_this_one(tmp_path):
    python, _ = environment.make(tmp_path / "e")
    line = [python, "-c", "import nbformat, sys; print(nbformat.__file__, sys.prefix)"]
    printed = subprocess.run(line, check=True, capture_output=True, text=True).stdout.split()
    assert printed == [nbformat.__file__, str(tmp_path / "e")]


def test_an_environment_in_another_folder_can_be_made(tmp_path):
    python, variables = environment.make(tmp_path / "e")
    line = [python, "-m", "venv", "--without-pip", str(tmp_path / "mine")]
    subprocess.run(line, check=True, env=variables)
    assert (tmp_path / "mine" / "pyvenv.cfg").exists()


@pytest.mark.parametrize("call", ["run(command).args", "Popen(command).args"])
def test_a_skipped_command_appears_to_its_cell_to_have_succeeded(tmp_path, call):
    python, variables = environment.make(tmp_path / "e")
    code = f"import subprocess\ncommand = ['pip', 'inst' + 'all', 'x']\nprint(subprocess.{call})"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, env=variables)
    assert "['pip', 'install', 'x']\n" in done.stdout


def test_an_environment_that_cannot_be_made_is_an_error_of_one_line(tmp_path):
    (tmp_path / "e").write_text("")
    with pytest.raises(OSError, match="add --allow-install to do without"):
        environment.make(tmp_path / "e")


@pytest.mark.parametrize(
    "code", ["print('pip install x')", "pip = install = 1\nprint(2 if not pip else install)"]
)
def test_a_program_that_only_mentions_pip_runs(tmp_path, code):
    python, variables = environment.make(tmp_path / "e")
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, env=variables)
    assert done.stdout in ("pip install x\n", "1\n")
