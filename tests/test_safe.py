"""Nothing runs that should not, and nothing comes from where it should not: a look at every line of the package.

Exceptions are named here, each with its reason. What the downloads do with a hostile archive or address is tested in chapter 03.
"""
import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT/"wd_lab").glob("*.py"))
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "shutil.unpack_archive", "tarfile.extractall",
                   "extractall", "extract", "torch.load", "load_objects", "yaml.load", "marshal.loads", "read_pickle", "to_pickle"}
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib", "telnetlib", "ftplib", "torchvision", "requests"}
FORBIDDEN_SETTINGS = {("shell", True), ("allow_pickle", True), ("weights_only", False)}
ALLOWED = {("engines", "pickle")}    # numba's compiled code, read only from a folder that nobody else can write to
HOSTS = {"files.grouplens.org", "raw.githubusercontent.com", "s3.amazonaws.com"}


def name_of(node):
    "a.b.c of a call"
    if isinstance(node, ast.Attribute): return f"{name_of(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_nothing_forbidden(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        where = f"{path.name}, line {getattr(node, 'lineno', '?')}"
        if isinstance(node, ast.Import): imported = {a.name.split(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom): imported = {(node.module or "").split(".")[0]}
        else: imported = set()
        assert not {m for m in imported & FORBIDDEN_MODULES if (path.stem, m) not in ALLOWED}, where
        if not isinstance(node, ast.Call): continue
        name = name_of(node.func)
        assert name not in FORBIDDEN_CALLS and name.rpartition(".")[2] not in {"extractall", "unpack_archive", "read_pickle", "to_pickle"}, where
        settings = {(k.arg, k.value.value) for k in node.keywords if isinstance(k.value, ast.Constant)}
        assert not settings & FORBIDDEN_SETTINGS, where
        if name == "np.load": assert ("allow_pickle", False) in settings, where


@pytest.mark.parametrize("folder", ["nbs", "tools", "tests"])
def test_nothing_forbidden_around_the_package(folder):
    """Chapters and scripts, by words; this file names them, chapter 06 pickles a model of its own to show that hooks survive it,
    and chapter 09 is where `engines` comes from"""
    words = re.compile(r"allow_pickle *= *True|weights_only *= *False|shell *= *True|\bpickle\.loads?\(|(?<![\w.])(?:eval|exec)\(")
    for path in (ROOT/folder).rglob("*"):
        if path.suffix not in (".py", ".ipynb") or path.name in ("test_safe.py", "06_gradient_hooks.ipynb", "09_engines.ipynb") or ".ipynb_checkpoints" in path.parts: continue
        found = [m.group() for line in path.read_text(encoding="utf-8").splitlines() if "image/png" not in line
                 for m in words.finditer(line)]
        assert not found, f"{path}: {found}"


def test_addresses():
    "Data come from three hosts by https; other addresses in the package are for readers"
    urls = {m for path in MODULES for m in re.findall(r"""["'(](https?://[^\s"')]+)""", path.read_text(encoding="utf-8"))
            if path.name != "_modidx.py"}
    assert all(url.startswith("https://") for url in urls), urls
    assert {url.split("/")[2] for url in urls} <= HOSTS | {"wd-lab.github.io"}, urls
    network = re.compile(r"urlopen|urlretrieve|build_opener|untar_data|download_url|http\.client|import socket")
    users = {path.name for path in MODULES if network.search(path.read_text(encoding="utf-8"))}
    assert users == {"data.py"}, users


@pytest.mark.parametrize("loader", ["movielens_100k", "movielens_1m", "fashion_mnist", "cifar100", "smith_logs"])
def test_no_network_is_one_line(loader, tmp_path):
    "As a script sees it: a short traceback of this package alone, and the message is its last line"
    code = ("import wd_lab.data as d\n"
            "def refused(*_): raise OSError('no route to host')\n"
            "d.build_opener = lambda *_: type('Opener', (), dict(open=refused))()\n"
            f"d.{loader}()")
    away = {k: v for k, v in os.environ.items() if k != "WD_LAB_OFFLINE"} | {"WD_LAB_DATA": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=away, cwd=tmp_path,
                          timeout=120)
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 1 and len(lines) <= 16, done.stderr
    assert lines[-1].startswith("wd_lab.data.DataUnavailable: ") and "The download failed" in lines[-1]
    assert "During handling" not in done.stderr and "direct cause" not in done.stderr
    assert not list(tmp_path.rglob("*"))
