"""Install the wheel as a user does, with the newest of everything, and use it: part of make soak. It takes the network and minutes.

usage: installed.py [PYTHON]      (default: the one that runs this)
"""
import os, shutil, subprocess, sys, tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

WITHOUT_FASTAI = """
import importlib, pkgutil, sys, wd_lab
for m in pkgutil.iter_modules(wd_lab.__path__): importlib.import_module(f"wd_lab.{m.name}")
loaded = [name for name in ("fastai", "torchvision", "IPython", "timm", "transformers") if name in sys.modules]
assert not loaded, loaded
print("every module, without fastai")
"""

TEN_LINES = """
from wd_lab.data import synthetic_ratings
from wd_lab.sweep import sweep, SweepConfig
from wd_lab.trends import best_wd
ratings = synthetic_ratings(n_users=100, n_movies=150, n_ratings=2000)
config = SweepConfig(n_factors=8, epochs=2)
result = sweep([0.01, 0.1, 0.5], ratings, config, seeds=2, path="mine", progress=False)
print(result)
print("best wd", best_wd(result).wd, "and fastai agrees:",
      abs(sweep([0.1], ratings, config, engine="fastai", progress=False).valid_loss
          - sweep([0.1], ratings, config, progress=False).valid_loss).max() < 1e-4)
"""


def main(python=sys.executable):
    os.environ.pop("PYTHONPATH", None)       # or the checkout's own wd_lab might answer for the wheel's
    def run(*command, **kwargs):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **kwargs)
        if done.returncode: sys.exit(f"{' '.join(map(str, command))[:200]}\n{done.stdout[-2000:]}{done.stderr[-3000:]}")
        return done.stdout.strip()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        away = shutil.ignore_patterns(".git", ".venv", "build", "*.egg-info", "__pycache__", "_docs", "_proc")
        source = shutil.copytree(ROOT, folder/"source", ignore=away)
        run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, source)       # the wheel out of the sdist
        wheel, = folder.glob("*.whl")
        run(python, "-m", "venv", folder/"venv")
        bin, empty = folder/"venv"/"bin", folder/"empty"
        empty.mkdir()
        run(bin/"pip", "install", "--quiet", "--upgrade", "--upgrade-strategy", "eager", wheel)
        wanted = "fastai|fastcore|torch|numpy|pandas|numba"
        versions = run(bin/"pip", "list", "--format=freeze")
        print(*[line for line in versions.splitlines() if line.split("==")[0] in wanted.split("|")])
        python = bin/"python"
        print(run(python, "-W", "error::SyntaxWarning", "-c", WITHOUT_FASTAI, cwd=empty))
        print(run(python, "-W", "ignore", "-c", TEN_LINES, cwd=empty))
        told = run(bin/"wd_lab_sweep", "--offline", "--wds", "0.01,0.1,0.3", "--epochs", "1", "--no_gif", "--out", "sweep", cwd=empty,
                   env={"PATH": str(bin), "WD_LAB_DATA": str(empty/"none"), "HOME": str(folder)})
        print(*told.splitlines()[-4:], sep="\n")
        run(bin/"pip", "check")
    print("installed and used")


if __name__ == "__main__": main(*sys.argv[1:])
