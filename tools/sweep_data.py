"""Pack the course's sweep for the page where a slider goes over it: nbs/sweep/data.js, under 300 kB.

usage: sweep_data.py      (in the project's root; the sweep of chapter 10 is read from the cache, or run now)
"""
import base64, json
from pathlib import Path

import numpy as np

from wd_lab.data import movielens_100k
from wd_lab.shrinkage import singular_values
from wd_lab.sweep import cached_sweep, wd_grid

STEPS, BINS = 50, 5     # points kept of a training curve, and the sweep's bins put together


def packed(values, low, high):
    "Numbers as 16 bits between `low` and `high`, little end first"
    part = (np.clip(np.nan_to_num(values, nan=high), low, high) - low)/(high - low)
    return base64.b64encode(np.round(part*65535).astype("<u2").tobytes()).decode()


def main():
    result = cached_sweep(wd_grid(), movielens_100k())
    train = result.smooth_train_loss
    steps = np.unique(np.linspace(4, train.shape[1] - 1, STEPS).round().astype(int))
    hist, edges = result.weight_hist[:, 1:-1].astype(float), result.hist_edges[1:-1]
    many = hist.shape[1]//BINS*BINS
    hist, edges = hist[:, :many].reshape(len(hist), -1, BINS).sum(2), edges[:many + 1:BINS]
    ends = result.runs
    data = {
        "wds": [float(f"{wd:.6g}") for wd in ends.wd], "mean_abs": [float(f"{v:.4g}") for v in ends.mean_abs],
        "steps": [float(f"{5*(s + 1)/train.shape[1]:.4g}") for s in steps], "edges": [float(edges[0]), float(edges[-1])],
        "best": int(np.argmin(result.valid_loss[:, -1])),
        "parts": {name: {"width": values.shape[1], "low": float(values.min()), "high": float(values.max()), "data": packed(values, values.min(), values.max())}
                  for name, values in dict(train=train[:, steps], valid=result.valid_loss, hist=np.log10(hist + 0.5), singular=singular_values(result)).items()},
    }
    text = "// Made by tools/sweep_data.py from the sweep of chapter 10: 360 weight decays on MovieLens 100k\nexport default " + json.dumps(data) + ";\n"
    Path("nbs/sweep/data.js").write_text(text, encoding="utf-8")
    print(f"{len(ends)} runs in {len(text)/1e3:.0f} kB; best at wd {ends.wd[data['best']]:g}")


if __name__ == "__main__": main()
