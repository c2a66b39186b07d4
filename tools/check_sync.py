"""Check, on a copy, that the library is what the notebooks export, that notebooks are clean, and that the README is up to date.

usage: check_sync.py FOLDER      (for the copy; made anew)
"""
import filecmp, shutil, subprocess, sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REMEDY = "run nbdev_export, nbdev_clean and tools/readme.py, and commit what they change"


def main(copy):
    copy = Path(copy)
    shutil.rmtree(copy, ignore_errors=True)
    for name in ("nbs", "wd_lab"):
        shutil.copytree(ROOT/name, copy/name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"), symlinks=True)
    for name in ("settings.ini", "setup.py", "pyproject.toml", "README.md"): shutil.copy(ROOT/name, copy/name)
    bin = Path(sys.executable).parent
    for command in ([bin/"nbdev_export"], [bin/"nbdev_clean"], [sys.executable, ROOT/"tools"/"readme.py"]): subprocess.run(command, cwd=copy, check=True)
    files = [p for folder in ("nbs", "wd_lab") for p in (copy/folder).rglob("*") if p.suffix in (".ipynb", ".py")] + [copy/"README.md"]
    stale = [str(p.relative_to(copy)) for p in files if not filecmp.cmp(p, ROOT/p.relative_to(copy), shallow=False)]
    if stale: sys.exit(f"out of step: {', '.join(sorted(stale))}; {REMEDY}")
    print(f"{len(files)} files in step")


if __name__ == "__main__": main(sys.argv[1])
