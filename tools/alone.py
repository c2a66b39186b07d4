"""Run notebooks as a reader on Colab has them: alone in an empty folder, with the built wheel and no checkout, at small size.

usage: alone.py [NOTEBOOK...]      (all by default; each has ten minutes; part of make soak)

Seconds are those of the clock or of the processor, whichever are fewer: where other programs run, the clock says nothing.
They go into nbs/seconds.json, from where the pages tell a reader how long each notebook takes to run.
"""
import json, os, resource, shutil, subprocess, sys, tempfile, time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError

ROOT = Path(__file__).resolve().parent.parent
MINUTES = 10


def wheel_in(folder):
    "The wheel of this checkout, built from a copy and unpacked in `folder`"
    away = shutil.ignore_patterns(".git", ".venv", "build", "*.egg-info", "__pycache__", "_docs", "_proc")
    source = shutil.copytree(ROOT, folder/"source", ignore=away)
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, source], check=True, capture_output=True)
    wheel, = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder/"wheel", wheel], check=True)
    shutil.rmtree(source)
    return folder/"wheel"


def run(notebook, wheel, folder):
    "Seconds, and what went wrong"
    folder.mkdir()
    os.environ["WD_LAB_CACHE"] = str(folder/"cache")
    nb = nbformat.read(notebook, as_version=4)
    nb.cells = [c for c in nb.cells if "pip install -qU wd_lab" not in c.source and "eval: false" not in c.source and "nbdev_export" not in c.source]
    first = nbformat.v4.new_code_cell(f"import wd_lab; assert wd_lab.__file__.startswith({str(wheel)!r}), wd_lab.__file__")
    nb.cells.insert(0, first)
    client = NotebookClient(nb, timeout=180*MINUTES, kernel_name="python3", extra_arguments=["--log-level=ERROR"],
                            resources={"metadata": {"path": str(folder)}})
    start, before = time.perf_counter(), used()
    try: client.execute()
    except (CellExecutionError, CellTimeoutError) as e: return time.perf_counter() - start, str(e)[-1500:]
    seconds = min(time.perf_counter() - start, used() - before)
    return seconds, f"more than {MINUTES} minutes" if seconds > 60*MINUTES else ""


def used():
    "Seconds that ended processes of ours have had of a processor"
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def timed(name, seconds):
    "Keep what the notebook took, for its page"
    file = ROOT/"nbs"/"seconds.json"
    kept = json.loads(file.read_text(encoding="utf-8")) | {name: round(seconds)}
    file.write_text(json.dumps(kept, indent=0, sort_keys=True) + "\n", encoding="utf-8")


def main(notebooks):
    notebooks = [Path(n).resolve() for n in notebooks] or sorted((ROOT/"nbs").glob("*.ipynb"))
    with tempfile.TemporaryDirectory() as folder:
        folder, failed = Path(folder), []
        wheel = wheel_in(folder)
        for name in ("WD_LAB_SIZE", "WD_LAB_RUNS"): os.environ.pop(name, None)
        os.environ |= {"PYTHONPATH": str(wheel), "TQDM_DISABLE": "1", "PYTHONWARNINGS": "ignore"}
        for notebook in notebooks:
            seconds, wrong = run(notebook, wheel, folder/notebook.stem)
            print(f"{notebook.name:32}{seconds:6.0f} s {'FAILED' if wrong else ''}", flush=True)
            if wrong: failed.append(f"{notebook.name}: {wrong}")
            else: timed(notebook.name, seconds)
    sys.exit("\n".join(failed) if failed else 0)


if __name__ == "__main__": main(sys.argv[1:])
