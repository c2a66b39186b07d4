"""The sweep against fastai, in one process: speed, equality, memory, import time. Numbers as `name: value (target)`."""
import os, resource, subprocess, sys, tempfile, time, warnings

import numpy as np

warnings.filterwarnings("ignore")
start = time.perf_counter()
import wd_lab.sweep
import_seconds, fastai_loaded = time.perf_counter() - start, "fastai" in sys.modules

from wd_lab.data import movielens_100k
from wd_lab.engines import CompiledEngine, FastaiEngine, LazyEngine, SweepConfig, common_start
from wd_lab.sweep import sweep, wd_grid


def seconds(f, *args):
    begin = time.perf_counter()
    out = f(*args)
    return time.perf_counter() - begin, out


def main():
    ratings, config, wds = movielens_100k(), SweepConfig(), wd_grid()
    print(f"data: {ratings.attrs['source']}")
    print(f"import wd_lab.sweep: {import_seconds:.2f} s, fastai {'loaded' if fastai_loaded else 'not loaded'} (under 1.5 s, not loaded)")
    shared = common_start(ratings, config)
    one_core, ours, results = {}, {}, {}
    for name, engine in dict(compiled=CompiledEngine(), lazy=LazyEngine()).items():
        engine.run(shared, config, 0.1, config.lr)  # compiles
        one_core[name] = min(seconds(engine.run, shared, config, 0.1, config.lr)[0] for _ in range(3))
        with tempfile.TemporaryDirectory() as folder:
            ours[name], results[name] = seconds(lambda: sweep(wds, ratings, config, path=folder, engine=engine))
    result = results["compiled"]
    best, peak = result.runs.loc[result.runs.valid_loss.idxmin()], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/1e6   # before fastai trains anything
    theirs = {wd: seconds(FastaiEngine().run, shared, config, wd, config.lr) for wd in (1e-4, 0.1, 0.9)}
    fastai = len(wds)*np.mean([t for t, _ in theirs.values()])
    print(f"360 wds, fastai: {fastai:.0f} s, from {len(theirs)} runs of {fastai/len(wds):.1f} s")
    for name, result in results.items():
        weights = max(np.abs(result.sel(wd=wd).weights[0] - run.weights).max() for wd, (_, run) in theirs.items())
        valid = max(abs(float(result.sel(wd=wd).valid_loss[0, -1] - run.valid_loss[-1])) for wd, (_, run) in theirs.items())
        print(f"360 wds, {name}: {ours[name]:.0f} s on {os.cpu_count()} cores (under 90 s); {one_core[name]:.2f} s a model on one core")
        print(f"ratio, {name}: {fastai/ours[name]:.0f} times faster ({dict(compiled=100, lazy=250)[name]})")
        print(f"largest difference in final weights, {name}: {weights:.1e} (1e-4)")
        print(f"difference in final validation loss, {name}: {valid:.1e} (1e-5)")
    print(f"best wd: {best.wd:g}, validation loss {best.valid_loss:.4f} (between 0.1 and 0.3)")
    print(f"peak memory: {peak:.2f} GB resident, weights kept (under 1.5)")


if __name__ == "__main__": main()
