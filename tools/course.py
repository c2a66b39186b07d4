"""Run every notebook top to bottom in a build folder, and build the site from the fresh outputs: by Quarto, else as a plain preview.

usage: course.py FOLDER      (made anew; the committed notebooks stay as they are)
       course.py --site      (the site alone, into _docs, from the notebooks as they are)
"""
import json, os, shutil, subprocess, sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IGNORE = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
QUARTO = "quarto-cli==1.10.18"   # of PyPI, as in deploy.yml; it fetches Quarto's release while it is being installed


def quarto():
    "The Quarto on the PATH, or one installed now beside this Python; None where there is none to be had"
    ours = Path(sys.executable).with_name("quarto")
    if found := shutil.which("quarto") or (ours.exists() and str(ours)): return found
    print(f"No Quarto on the PATH: trying {QUARTO} ...", flush=True)
    try: done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", QUARTO], capture_output=True, text=True, timeout=600)
    except subprocess.TimeoutExpired: return print("... which did not end within ten minutes.")
    if done.returncode or not ours.exists():
        said = [line for line in done.stderr.splitlines() if line.strip()]
        return print(f"... which cannot be installed here ({said[-1][:120] if said else 'no reason given'}).")
    works = subprocess.run([ours, "--version"], capture_output=True).returncode == 0
    return str(ours) if works else print("... which is installed, but does not run here.")


def site(folder):
    "Process the notebooks in `folder` and build pages from them; where they are"
    here = os.environ | {"QUARTO_PYTHON": sys.executable, "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}
    def tool(name, *arguments): subprocess.run([sys.executable, "-W", "ignore", ROOT/"tools"/name, *arguments], cwd=folder, env=here, check=True)
    tool("pages.py", "_proc")
    shutil.rmtree(folder/"_docs", ignore_errors=True)
    if found := quarto():
        if subprocess.run([found, "render", "--no-cache"], cwd=folder/"_proc", env=here).returncode == 0:
            shutil.move(folder/"_proc"/"_docs", folder/"_docs")
            tool("slim.py", "_docs")
            return folder/"_docs"
        print("Quarto did not build the site.")
    print("A plain preview is built in its place.", flush=True)
    tool("preview.py", "_proc", "_docs")
    return folder/"_docs"


def main(build):
    if build == "--site": return print(f"\nThe site is in {Path(site(ROOT))/'index.html'}")
    import run_notebooks
    build = Path(build)
    shutil.rmtree(build, ignore_errors=True)
    for name in ("nbs", "wd_lab"): shutil.copytree(ROOT/name, build/name, ignore=IGNORE, symlinks=True)
    for name in ("settings.ini", "setup.py", "pyproject.toml", "_quarto.yml", "README.md", "LICENSE"): shutil.copy(ROOT/name, build/name)
    os.environ.setdefault("OMP_NUM_THREADS", "1")     # as the tests and the committed outputs: more threads round differently
    taken = run_notebooks.main(sorted((build/"nbs").glob("*.ipynb")))
    failed = [name for name in taken if taken[name] is None]
    seconds = build/"nbs"/"seconds.json"                                              # pages.py tells the reader
    seconds.write_text(json.dumps(json.loads(seconds.read_text()) | {name: s for name, s in taken.items() if s is not None}), encoding="utf-8")
    folder = site(build)
    print(f"\nThe course is in {Path(folder)/'index.html'}. To read it with its search and its explorer:\n"
          f"  {sys.executable} -m http.server --directory {folder} 8000      and then http://localhost:8000")
    if failed: sys.exit(f"\nFailed, see above: {', '.join(failed)}. Their pages show the committed outputs.")


if __name__ == "__main__": main(sys.argv[1])
