"""Commands that install or remove packages are detected in every form."""

import pytest

from d2lrnn.book import installs, notebook

INSTALLS = r"""
!pip install d2l==0.17.6
%pip install -U d2l
pip install d2l
!!pip install d2l
!python -m pip install d2l --no-deps
!pip install git+https://github.com/d2l-ai/d2l-en#egg=d2l
!{sys.executable} -m pip install d2l
!"{sys.executable}" -m pip -q install d2l
!python3 -X dev -m pip install d2l
!python -mpip install d2l
!py -3 -m pip install d2l
!pip -q --proxy http://proxy:8080 install d2l
!pip3.11 install d2l
!/usr/local/bin/pip3 install d2l
!C:\Python311\Scripts\pip.exe install d2l
!{pip} install d2l
!$PIP install d2l
!pip install -U mxnet-cu112
!pip install -r requirements.txt
!pip install -e .
!pip uninstall -y numpy
!pip install d2l > log.txt 2>&1
!pip install d2l | tail -n 1
!yes | pip uninstall d2l
!cat requirements.txt | xargs -n 1 pip install
!cd d2l-en && pip install .
!apt-get update && apt-get install -y graphviz
!PIP_NO_CACHE_DIR=1 pip install d2l
!env -i /usr/bin/env python3 -m pip install d2l
!sudo pip install d2l
!sudo -H -u root python3 -m pip install d2l
!bash -c "pip install d2l"
!nohup timeout 100 pip install d2l &
!source venv/bin/activate; pip install d2l
!if true; then pip install d2l; fi
!pip install 'd2l' # it's the book's
!conda install -y -c conda-forge d2l
%conda install d2l
conda install -y d2l
!conda env create -f environment.yml
!conda run -n base pip install d2l
!mamba install -y d2l
%mamba install d2l
!micromamba install -n base d2l
!uv pip install d2l
!uv add d2l
!poetry add d2l
!pipenv install d2l
!sudo apt-get -qq install -y graphviz
!apt install graphviz
!dpkg -i cuda.deb
!easy_install d2l
!python setup.py install
!python setup.py develop
!python -m ensurepip
!python get-pip.py
%run setup.py install
%run -m pip install d2l
%time !pip install d2l
%system pip install d2l
%sx pip install d2l
_ = !pip install d2l
os.system("pip install d2l")
os.system('pip install -U mxnet-cu112')
os.system(f"{sys.executable} -m pip install d2l")
os.system("{} -m pip install d2l".format(sys.executable))
os.system("%s -m pip install d2l" % sys.executable)
os.system(sys.executable + " -m pip install " + package)
_ = os.system("pip install d2l")
os.popen("pip install d2l").read()
os.spawnlp(os.P_WAIT, "pip", "pip", "install", "d2l")
subprocess.run(["pip", "install", "d2l"])
subprocess.run("pip install d2l", shell=True, check=True)
subprocess.run("pip install d2l".split())
subprocess.run(shlex.split("pip install d2l"))
subprocess.call(args=["pip", "install", "d2l"])
subprocess.check_call([sys.executable, "-m", "pip", "install", "d2l"])
subprocess.check_call([sys.executable, "-m", "pip", "install"] + packages)
subprocess.check_call([sys.executable, "-m", "pip", "install", *packages])
subprocess.check_output([pip_path, "install", "d2l"])
subprocess.getoutput("pip install d2l")
subprocess.Popen(["bash", "-c", "pip install d2l"]).wait()
print(subprocess.run(["pip", "install", "d2l"]))
[os.system(f"pip install {name}") for name in names]
await asyncio.create_subprocess_shell("pip install d2l")
get_ipython().system("pip install d2l")
get_ipython().getoutput("pip install d2l")
get_ipython().magic("pip install d2l")
get_ipython().run_line_magic("pip", "install d2l")
get_ipython().run_cell_magic("bash", "", "pip install d2l\n")
get_ipython().run_cell("!pip install d2l")
pip.main(["install", "d2l"])
pip._internal.main(["-q", "install", "d2l"])
pipmain(["install", "d2l"])
importlib.import_module("pip").main(["install", "d2l"])
ensurepip.bootstrap(upgrade=True)
!pip config set global.index-url URL
!pip config --user unset global.index-url
%pip config edit
!pip cache purge
!pip cache remove d2l
!uv cache clean
!conda config --add channels conda-forge
!conda clean --all
!conda init bash
!poetry config virtualenvs.create false
!poetry cache clear pypi --all
!pipx ensurepath
exec("import os; os.system('pip install d2l')")
!python -c "import pip; pip.main(['install', 'd2l'])"
""".strip().split("\n")

CELLS = [
    "%%bash\npip install d2l",
    "%%sh\n\n  pip install d2l\n",
    "%%script bash\npip install d2l",
    '%%bash\n/env/bin/python -I -c \'import pip; pip.main(["install", "x"])\'',
    "%%system\npip install d2l",
    "%%!\npip install d2l",
    "%%capture\n!pip install d2l",
    "%%capture output\n%pip install d2l\n",
    "%%time\nsubprocess.run(['pip', 'install', 'd2l'])",
    "!pip install \\\n  d2l",
    "subprocess.check_call([\n    sys.executable, '-m', 'pip',\n    'install', 'd2l',\n])",
]

HARMLESS = r"""
!pip --version
!pip list
%pip list
!pip show d2l
!pip freeze | grep d2l
!pip install --help
!pip help install
!pip download d2l
!pip cache list
!pip config list
!pip config get global.index-url
!conda config --show channels
!poetry config --list
!python -m pip list
!conda list
!conda env list
!uv pip list
!uv run train.py
!apt list --installed
!which pip
!echo pip install d2l
!echo "run: pip install d2l"
!git commit -m "pip install d2l"
!grep -r "pip install" .
!npm install
!python -c "print('pip install d2l')"
eval("install")
!python train.py --install
!head -n 3 pip-install.txt
print("pip install d2l")
text = "!pip install d2l"
# !pip install d2l
raise ImportError("run: pip install d2l")
assert d2l, "pip install d2l"
logging.info("pip install %s", "d2l")
install("pip install d2l")
pip = install
x = 5 % pip
subprocess.run(["pip", "list"])
subprocess.run(["git", "commit", "-m", "pip install d2l"])
trainer.run("install")
main(["--help"])
""".strip().split("\n")

HARMLESS_CELLS = [
    'print("""\npip install d2l\n!pip install d2l\n""")',
    '"""\n%pip install d2l\n"""',
    "%%writefile setup.sh\npip install d2l",
    "%%html\n<p>pip install d2l</p>",
    '%%bash\necho "pip install d2l"',
    '%%bash\necho "\npip install d2l\n"',
    "%%bash\n# pip install d2l\nls",
]


@pytest.mark.parametrize("source", [*INSTALLS, *CELLS])
def test_an_install_command_is_removed_from_a_cell_completely(source):
    assert notebook.without_pip(source).strip() == ""


@pytest.mark.parametrize("source", [*INSTALLS, *CELLS])
def test_skipped_commands_are_reported(source):
    (line,) = installs.skip_installs(source)[1]
    assert line in source


@pytest.mark.parametrize("source", [*INSTALLS, *CELLS])
def test_the_rest_of_a_cell_with_an_install_command_is_kept(source):
    if source.startswith("%%"):
        source += "\necho 1" if "pip install d2l" in source.split("\n") else "\nb = 2"
        assert notebook.without_pip(source).split("\n")[-1] == source.split("\n")[-1]
    else:
        assert notebook.without_pip(f"a = 1\n{source}\nb = 2") == "a = 1\nb = 2"


@pytest.mark.parametrize("source", [*HARMLESS, *HARMLESS_CELLS])
def test_commands_that_do_not_install_are_kept(source):
    assert installs.skip_installs(source) == (source, [])


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("if colab:\n    !pip install d2l", "if colab:\n    pass"),
        ("if colab:\n    !pip install d2l\n    import d2l", "if colab:\n    pass\n    import d2l"),
        ("with x:\n\t%pip install d2l", "with x:\n\tpass"),
        ("if colab: os.system('pip install d2l')", "if colab: pass"),
        ("import os; os.system('pip install d2l'); x = 1", "import os; pass; x = 1"),
        ("é = 1; os.system('pip install d2l')", "é = 1; pass"),
        ("  !pip install d2l\n  x = 1", "  x = 1"),
        ("os.system(\n  'pip install d2l'\n)\n\nx", "\nx"),
        ("\ud800 = 3\n!pip install d2l", "\ud800 = 3"),
        ("!pip install d2l\nprint 3", "print 3"),
        ("!pip install d2l\nx?", "x?"),
        ("%%bash\nif true; then\n  pip install d2l\nfi", "%%bash\nif true; then\n:\nfi"),
        ("%%capture\n!pip install d2l\nimport d2l", "%%capture\nimport d2l"),
    ],
)
def test_a_cell_without_its_install_command_is_valid_python(source, kept):
    assert notebook.without_pip(source) == kept


def test_an_install_command_whose_output_is_used_is_kept():
    source = "out = !pip install d2l\nprint(out)"
    assert installs.skip_installs(source) == (source, [])


@pytest.mark.parametrize(
    ("source", "kept"),
    [("!pip install pandas", "!pip install pandas"), ("!pip install pandas d2l", "")],
)
def test_with_allow_install_only_commands_that_install_d2l_are_skipped(source, kept):
    assert installs.skip_installs(source, d2l_only=True)[0] == kept
