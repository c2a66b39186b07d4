"""Run every notebook top to bottom in a build folder, and build the site from the fresh outputs where Quarto is at hand.

usage: course.py FOLDER      (made anew; the committed notebooks stay as they are)
"""
import os, shutil, subprocess, sys
from pathlib import Path

import run_notebooks

ROOT = Path(__file__).resolve().parent.parent
IGNORE = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")


def main(build):
    build = Path(build)
    shutil.rmtree(build, ignore_errors=True)
    for name in ("nbs", "wd_lab"): shutil.copytree(ROOT/name, build/name, ignore=IGNORE, symlinks=True)
    for name in ("settings.ini", "setup.py", "pyproject.toml", "_quarto.yml", "README.md", "LICENSE"): shutil.copy(ROOT/name, build/name)
    notebooks = sorted((build/"nbs").glob("*.ipynb"))
    run_notebooks.main(notebooks)
    if not shutil.which("quarto"):
        return print(f"\n{len(notebooks)} notebooks, with their fresh outputs, are in {build/'nbs'}\n"
                     "For the site, install Quarto (https://quarto.org/docs/get-started, or: nbdev_install_quarto) and run make course again.")
    subprocess.run([Path(sys.executable).parent/"nbdev_docs"], cwd=build, check=True, env=os.environ | {"QUARTO_PYTHON": sys.executable})
    print(f"\nThe course is in {build/'_docs'/'index.html'}")


if __name__ == "__main__": main(sys.argv[1])
