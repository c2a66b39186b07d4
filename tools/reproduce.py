"""Run the recorded runs again, at full size and from nothing, and print old against new.

usage: reproduce.py FOLDER [CHAPTER...]     (FOLDER is made anew; all chapters that keep records, or those named, such as 12_trends)

The new records are in FOLDER/nbs/runs, the committed ones stay as they are.
"""
import json, os, re, shutil, sys
from pathlib import Path

import run_notebooks

ROOT = Path(__file__).resolve().parent.parent
NUMBER = re.compile(r"(?<![\w.])-?\d+\.?\d*(?:e[-+]?\d+)?(?![\w.])")


def figures(record): return [float(x) for x in NUMBER.findall(record["result"] if isinstance(record["result"], str) else json.dumps(record["result"]))]


def compare(old, new):
    "One line: seconds then and now, how many figures, how far the farthest moved"
    a, b = figures(old), figures(new)
    moved = f"{len(a)} figures, {len(b)} now" if len(a) != len(b) else f"{len(a)} figures, largest change {max((abs(x - y) for x, y in zip(a, b)), default=0):.2g}"
    return f"{new['name']:24} {old['date']} at {old['commit']}: {old['seconds']:.0f} s   {new['date']} at {new['commit']}: {new['seconds']:.0f} s   {moved}"


def main(folder, *chapters):
    folder = Path(folder).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT/"nbs", folder/"nbs", ignore=shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__"), symlinks=True)
    keeping = [p for p in sorted((folder/"nbs").glob("*.ipynb")) if re.search(r"from wd_lab\.lab import .*\brecorded\b", p.read_text(encoding="utf-8"))]
    if unknown := set(chapters) - {p.stem for p in keeping}: sys.exit(f"{', '.join(sorted(unknown))} must be among the chapters that keep records: {', '.join(p.stem for p in keeping)}")
    os.environ |= {"WD_LAB_SIZE": "full", "WD_LAB_RUNS": str(folder/"nbs"/"runs"), "WD_LAB_CACHE": str(folder/"cache")}
    taken = run_notebooks.main(p for p in keeping if not chapters or p.stem in chapters)
    for old in sorted((ROOT/"nbs"/"runs").glob("*.json")):
        new = folder/"nbs"/"runs"/old.name
        if new.stat().st_mtime_ns != old.stat().st_mtime_ns: print(compare(*[json.loads(path.read_text(encoding="utf-8")) for path in (old, new)]))    # not those only copied
    if None in taken.values(): sys.exit("Not every notebook ran to its end, see above.")


if __name__ == "__main__": main(*sys.argv[1:])
