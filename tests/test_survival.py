"""What a notebook cannot show: killed and interrupted processes, two processes in one folder, a full disk, a process
pool, a folder that an older version wrote."""
import os, resource, shutil, signal, subprocess, sys, time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wd_lab.data import synthetic_ratings
from wd_lab.sweep import SweepConfig, SweepResult, sweep

WDS = [0.001*k for k in range(1, 25)]
CONFIG = SweepConfig(epochs=4)
PROGRAM = """
import sys
from wd_lab.data import synthetic_ratings
from wd_lab.sweep import SweepConfig, sweep
wds = [0.001*k for k in range(1, 25)]
if __name__ == "__main__": sweep(wds, synthetic_ratings(n_ratings=20_000), SweepConfig(epochs=4), path=sys.argv[1])
"""


@pytest.fixture(scope="module")
def ratings(): return synthetic_ratings(n_ratings=20_000)


def started(folder, program=PROGRAM, **kwargs):
    return subprocess.Popen([sys.executable, "-W", "ignore", "-c", program, str(folder)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, **kwargs)


def finished(folder):
    try: return int(np.load(folder/"runs.npy", mmap_mode="r")["finished"].sum())
    except (FileNotFoundError, ValueError): return 0


def wait_for_runs(process, folder, n):
    while finished(folder) < n and process.poll() is None: time.sleep(0.005)


def test_killed_at_any_moment(tmp_path, ratings):
    "Killed again and again, the sweep loses no finished run, and the end is the same to the bit"
    last, kills = 0, 0
    for target in (1, 6, 13):
        process = started(tmp_path/"killed")
        wait_for_runs(process, tmp_path/"killed", target)
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
        assert finished(tmp_path/"killed") >= last
        last = finished(tmp_path/"killed")
    assert kills, "the sweep was too fast to be killed"
    sweep(WDS, ratings, CONFIG, path=tmp_path/"killed")
    sweep(WDS, ratings, CONFIG, path=tmp_path/"whole")
    for name in ("runs.npy", "config.json", "ids.json"):
        assert (tmp_path/"killed"/name).read_bytes() == (tmp_path/"whole"/name).read_bytes()


def test_one_sweep_in_a_folder(tmp_path, ratings):
    process = started(tmp_path/"a")
    wait_for_runs(process, tmp_path/"a", 1)
    process.send_signal(signal.SIGSTOP)          # asleep, it holds its lock: it can't finish before we have asked
    with pytest.raises(RuntimeError, match="in use by another sweep"): sweep(WDS, ratings, CONFIG, path=tmp_path/"a")
    process.kill()
    process.wait()
    assert len(sweep(WDS, ratings, CONFIG, path=tmp_path/"a")) == len(WDS)       # a dead process holds no lock


def test_disk_full_in_the_middle(tmp_path, ratings):
    "A write that fails for lack of room is told in words and leaves a folder that can be resumed"
    sweep(WDS[:4], ratings, CONFIG, path=tmp_path/"a")
    record = SweepResult.load(tmp_path/"a").records.itemsize
    limited = ("import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (%d, %d))\n"
               "import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n")
    process = started(tmp_path/"b", PROGRAM)
    wait_for_runs(process, tmp_path/"b", 2)
    process.kill()
    process.wait()
    done = finished(tmp_path/"b")
    process = started(tmp_path/"b", limited % (3*record, resource.RLIM_INFINITY) + PROGRAM)
    _, errors = process.communicate(timeout=120)
    assert process.returncode and "no room on the disk" in errors and "finished runs are kept" in errors
    assert finished(tmp_path/"b") >= done
    sweep(WDS, ratings, CONFIG, path=tmp_path/"b")
    sweep(WDS, ratings, CONFIG, path=tmp_path/"c")
    assert (tmp_path/"b"/"runs.npy").read_bytes() == (tmp_path/"c"/"runs.npy").read_bytes()


def test_process_pool(ratings):
    with ProcessPoolExecutor(2) as pool: there = sweep(WDS[:4], ratings, CONFIG, executor=pool)
    assert there.records.tobytes() == sweep(WDS[:4], ratings, CONFIG).records.tobytes()


SLOW = """
import sys, time
from wd_lab.data import synthetic_ratings
from wd_lab.engines import CompiledEngine
from wd_lab.sweep import SweepConfig, sweep

class Slow(CompiledEngine):
    "Three quick runs; the others outlast anybody's patience"
    def run(self, start, config, wd, lr):
        if wd > 0.0035: time.sleep(100)
        return super().run(start, config, wd, lr)

ratings, wds = synthetic_ratings(n_ratings=20_000), [0.001*k for k in range(1, 25)]
try: sweep(wds, ratings, SweepConfig(epochs=4), path=sys.argv[1], engine=Slow(2))
except KeyboardInterrupt as e: print(time.monotonic(), e, flush=True)
"""


def shell_signals(): signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore Ctrl-C


@pytest.mark.parametrize("presses", (1, 2))
def test_ctrl_c(tmp_path, ratings, presses):
    "It ends at once though runs are under way, keeps what is finished, says how to go on, and the same call does"
    process = started(tmp_path/"a", SLOW, preexec_fn=shell_signals)
    wait_for_runs(process, tmp_path/"a", 3)
    begin = time.monotonic()
    for _ in range(presses): process.send_signal(signal.SIGINT)
    said, errors = process.communicate(timeout=60)
    if presses == 1:
        at, words = said.strip().split(" ", 1)
        assert float(at) - begin < 1
        assert words == f"3 of 24 runs are finished and kept in {tmp_path/'a'}: the same call goes on with the rest"
    assert "threading" not in errors and finished(tmp_path/"a") == 3
    sweep(WDS, ratings, CONFIG, path=tmp_path/"a")
    sweep(WDS, ratings, CONFIG, path=tmp_path/"b")
    assert (tmp_path/"a"/"runs.npy").read_bytes() == (tmp_path/"b"/"runs.npy").read_bytes()


def test_killed_while_it_grows(tmp_path, ratings):
    "A sweep that is killed while it is extended loses no run, and the end is that of one asked for at once"
    sweep(WDS[5:9], ratings, CONFIG, path=tmp_path/"killed")
    process = started(tmp_path/"killed")
    wait_for_runs(process, tmp_path/"killed", 8)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert finished(tmp_path/"killed") >= 8
    sweep(WDS, ratings, CONFIG, path=tmp_path/"killed")
    sweep(WDS, ratings, CONFIG, path=tmp_path/"whole")
    for name in ("runs.npy", "config.json", "ids.json"):
        assert (tmp_path/"killed"/name).read_bytes() == (tmp_path/"whole"/name).read_bytes()


def test_first_edition(tmp_path):
    "A folder that wd_lab 0.1.0 wrote loads, is read without a change, goes on, and grows"
    data = pd.DataFrame(dict(user=np.arange(300) % 7, movie=np.arange(300) % 11, rating=1. + np.arange(300) % 5))
    config, old, one = SweepConfig(epochs=1, n_factors=2, seed=3), tmp_path/"old", tmp_path/"one"
    for folder in (old, one): shutil.copytree(Path(__file__).parent/"first_edition", folder)
    files = lambda: {p.name: p.read_bytes() for p in old.iterdir() if p.name != ".lock"}
    before, loaded = files(), SweepResult.load(old)
    assert loaded.config == config and loaded.runs[["wd", "seed"]].values.tolist() == [[w, s] for s in (3, 4) for w in (0.25, 0.5)]
    with pytest.raises(ValueError, match="wd_lab 0.1.0, which wrote this sweep, kept no ids"): loaded.predict(1, 1)
    assert SweepResult.load(old, data=data).sizes == (8, 12)
    with pytest.raises(ValueError, match="must be the ratings of this sweep"): SweepResult.load(old, data=data[1:])
    kept = sweep([0.25, 0.5], data, config, seeds=2, path=old)
    assert kept.records.tobytes() == loaded.records.tobytes() and files() == before
    assert kept.predict([1, 2], 3).shape == (2,)
    with pytest.raises(ValueError, match="epochs is 1 there and 2 here"):
        sweep([0.25], data, SweepConfig(epochs=2, n_factors=2, seed=3), path=old)
    with pytest.raises(ValueError, match="content is"): sweep([0.25], data.assign(rating=3.), config, path=old)
    assert files() == before

    whole = (one/"runs.npy").read_bytes()                        # the last run as if it was not done
    (one/"runs.npy").write_bytes(whole[:-4] + bytes(4))
    with pytest.raises(ValueError, match="1 of 4 runs are missing"): SweepResult.load(one)
    again = sweep([0.25, 0.5], data, config, seeds=2, path=one)
    assert np.allclose(again.weights, loaded.weights, atol=1e-6) and (one/"config.json").read_bytes() == before["config.json"]

    grown = sweep([0.1, 0.25, 0.5], data, config, seeds=[3, 4, 5], path=old)
    assert np.array_equal(grown.sel(wd=[0.25, 0.5], seed=[3, 4]).weights, loaded.weights)
    assert len(SweepResult.load(old)) == 9 and SweepResult.load(old).users.tolist() == list(range(7))
