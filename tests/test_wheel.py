"The sdist, and the wheel built from it, installed apart from the checkout: everything it needs is in it."
import os, shutil, subprocess, sys, tarfile, zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_wheel(tmp_path):
    away = shutil.ignore_patterns(".git", ".venv", "build", "*.egg-info", "__pycache__")
    source = shutil.copytree(ROOT, tmp_path/"source", ignore=away)                    # setuptools writes where it builds
    subprocess.run([sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path, source], check=True, capture_output=True)
    wheel, = tmp_path.glob("wd_lab-*.whl")                                            # built from the sdist: that is whole, too
    sdist, = tmp_path.glob("wd_lab-*.tar.gz")
    inside = {n.split("/", 1)[-1] for n in tarfile.open(sdist).getnames()}
    assert {"settings.ini", "setup.py", "LICENSE", "README.md", "SECURITY.md", "wd_lab/py.typed", "wd_lab/sweep.py", "nbs/runs/seeds_40.json"} <= inside
    assert not [n for n in inside if n.startswith((".git", "tests/data", "build", "_docs")) or "__pycache__" in n]
    names = zipfile.ZipFile(wheel).namelist()
    assert {"wd_lab/ledger.csv", "wd_lab/smith_logs.csv", "wd_lab/course.mplstyle", "wd_lab/py.typed", "wd_lab/sweep.py", "wd_lab/runs/seeds_40.json", "wd_lab/runs/ledger/M08.json"} <= set(names)
    assert not [n for n in names if not n.startswith(("wd_lab/", "wd_lab-"))]
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", tmp_path/"site", wheel], check=True)
    free = ("import importlib, pkgutil, sys, wd_lab; [importlib.import_module(f'wd_lab.{m.name}') for m in pkgutil.iter_modules(wd_lab.__path__)]; "
            "print([m for m in ('fastai', 'torchvision', 'IPython') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", free], capture_output=True, text=True, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path/"site")})
    assert done.stdout.strip() == "[]", done.stdout + done.stderr                     # fastai only where it is needed
    code = ("import wd_lab; from wd_lab.data import synthetic_ratings; from wd_lab.lab import chapter_ledger, recorded, use_style; from wd_lab.sweep import sweep, SweepConfig; "
            "use_style(); assert 'open' not in set(chapter_ledger().data.verdict); print(wd_lab.__file__); recorded('seeds_40', None); "
            "print(len(sweep([0.1, 0.2], synthetic_ratings(n_ratings=2000), SweepConfig(epochs=1))))")
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path/"site")})
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert (lines[0], lines[-1]) == (str(tmp_path/"site"/"wd_lab"/"__init__.py"), "2")
    assert lines[1].startswith("seeds_40: run of ")        # a record that travelled in the wheel
