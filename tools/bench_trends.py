"""Time the sweep behind chapter 12: 5 seeds x 360 weight decays, 1800 models, trained afresh on all cores.

usage: bench_trends.py [RUNS]     (1800 by default; fewer are scaled up and said to be)
"""
import os, sys, time

from wd_lab.data import movielens_100k
from wd_lab.sweep import sweep, wd_grid

SEEDS, ratings, grid = 5, movielens_100k(), wd_grid()
asked = int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS*len(grid)
wds = grid[::max(1, SEEDS*len(grid)//asked)]
sweep(grid[:1], ratings, progress=False)      # compiled before the clock starts

start = time.perf_counter()
result = sweep(wds, ratings, seeds=SEEDS, keep_weights=False, progress=False)
seconds = time.perf_counter() - start
whole = seconds*SEEDS*len(grid)/len(result)
scaled = "" if len(result) == SEEDS*len(grid) else f", scaled up from {len(result)} models"
print(f"5 seeds x 360 wds: {whole/60:.1f} minutes on {os.cpu_count()} cores{scaled} (under 7)")
