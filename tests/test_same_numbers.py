"""The same seed gives the same numbers, whatever the number of threads, the order of the weight decays, resuming or
extending; and a change of the code moves none unawares. Renew the golden file: python tests/test_same_numbers.py"""
import json, random
from pathlib import Path

import numpy as np
import pytest

from wd_lab.data import synthetic_ratings
from wd_lab.engines import CompiledEngine, DecayEngine
from wd_lab.sweep import SweepConfig, sweep

GOLDEN = Path(__file__).with_name("golden.json")
SMALL = dict(epochs=2, n_factors=8)
CONFIGS = {  # twelve ways to train: name -> configuration, engine, rate
    "defaults": (dict(), "compiled"), "no range": (dict(y_range=None), "compiled"), "center": (dict(center=True), "compiled"),
    "test ratings": (dict(test_pct=0.2), "compiled"), "batch of 33": (dict(bs=33, drop_last=False), "compiled"),
    "one factor": (dict(n_factors=1), "compiled"), "a rate for each group": (dict(wd_scale=(1, 0, 0, 0.5), lr_scale=(1, 2, 1, 1)), "compiled"),
    "another seed": (dict(seed=7), "compiled"), "l2": (dict(), "l2"), "ridge": (dict(), "ridge"), "batch": (dict(), "batch"),
    "lazy": (dict(), "lazy")}


def ratings(): return synthetic_ratings(n_users=80, n_movies=120, n_ratings=2000)


def final_losses(name, data):
    "Final training and validation loss and mean absolute weight at three weight decays"
    settings, engine = CONFIGS[name]
    if engine not in ("compiled", "lazy"): engine = DecayEngine(engine)
    runs = sweep([0., 0.05, 0.5], data, SweepConfig(**SMALL | settings), engine=engine, progress=False).runs
    return runs[["train_loss", "valid_loss", "mean_abs"]].to_numpy().round(7).tolist()


@pytest.fixture(scope="module")
def data(): return ratings()


@pytest.mark.parametrize("name", CONFIGS)
def test_golden(name, data):
    golden = json.loads(GOLDEN.read_text())
    there, here = np.array(golden[name]), np.array(final_losses(name, data))
    assert np.allclose(there, here, rtol=0, atol=1e-5), f"{name} moved by {abs(there - here).max():.1e}: if it should, run this file"


def test_order_threads_resuming_extending(tmp_path, data):
    "Each run is what it is, to the bit"
    wds, config = [0.001*k for k in range(1, 13)], SweepConfig(**SMALL)
    whole = sweep(wds, data, config, seeds=2, engine=CompiledEngine(1))
    bits = lambda result: {(r["wd"].item(), r["seed"].item()): r.tobytes() for r in result.records}
    expected = bits(whole)
    for threads in (2, 5): assert bits(sweep(wds, data, config, seeds=2, engine=CompiledEngine(threads))) == expected
    mixed = wds[:]
    random.Random(0).shuffle(mixed)
    assert bits(sweep(mixed, data, config, seeds=[43, 42])) == expected
    for k in range(0, 12, 4): sweep(mixed[:k + 4], data, config, seeds=1 + k//8, path=tmp_path/"grown")   # grows both ways
    assert bits(sweep(wds, data, config, seeds=2, path=tmp_path/"grown")) == expected
    alone = sweep([0.005], data, config, seeds=[43])
    assert alone.records[0].tobytes() == expected[0.005, 43]


if __name__ == "__main__":
    data = ratings()
    GOLDEN.write_text(json.dumps({name: final_losses(name, data) for name in CONFIGS}, indent=1) + "\n")
