"""Run notebooks top to bottom in Jupyter kernels and keep their outputs.

usage: run_notebooks.py NOTEBOOK...      (in place; the last step of writing a chapter)

One that fails says why and stays as it was; the others go on, and the exit status is 1.
"""
import os, re, sys, time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbdev.clean import nbdev_clean

SKIP = re.compile(r"^#\|\s*eval:\s*false|nbdev_export\(", re.M)  # as nbdev_test skips them


def run(path):
    nb = nbformat.read(path, as_version=4)
    client = NotebookClient(nb, timeout=3600, kernel_name="python3", coalesce_streams=True, extra_arguments=["--log-level=ERROR"],
                            resources={"metadata": {"path": str(path.parent)}})
    with client.setup_kernel():
        for i, cell in enumerate(nb.cells):
            if cell.cell_type == "code" and not SKIP.search(cell.source): client.execute_cell(cell, i)
    nbformat.write(nb, path)
    nbdev_clean(fname=str(path))


def main(paths):
    "Seconds that each notebook took; None for one that failed"
    os.environ |= {"TQDM_DISABLE": "1", "PYTHONWARNINGS": "ignore::FutureWarning,ignore::UserWarning"}  # ended bars and fastai's own warnings are no output
    taken = {}
    for path in map(Path, paths):
        print(f"{path.name:32}", end="", flush=True)
        start = time.perf_counter()
        try:
            run(path)
            taken[path.name] = time.perf_counter() - start
            print(f"{taken[path.name]:6.0f} s", flush=True)
        except CellExecutionError as e:
            taken[path.name] = None
            print("failed\n" + re.sub(r"\x1b\[[\d;]*m", "", str(e))[-3000:], flush=True)
    return taken


if __name__ == "__main__": sys.exit(None in main(sys.argv[1:]).values())
