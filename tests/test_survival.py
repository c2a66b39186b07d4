"What a notebook cannot show: killed processes, two processes in one folder, a full disk, a process pool."
import json, os, resource, signal, subprocess, sys, time
from concurrent.futures import ProcessPoolExecutor

import numpy as np
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
    return subprocess.Popen([sys.executable, "-W", "ignore", "-c", program, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs)


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
    for name in ("runs.npy", "config.json"): assert (tmp_path/"killed"/name).read_bytes() == (tmp_path/"whole"/name).read_bytes()


def test_one_sweep_in_a_folder(tmp_path, ratings):
    process = started(tmp_path/"a")
    wait_for_runs(process, tmp_path/"a", 1)
    with pytest.raises(RuntimeError, match="in use by another sweep"): sweep(WDS, ratings, CONFIG, path=tmp_path/"a")
    process.kill()
    process.wait()
    assert len(sweep(WDS, ratings, CONFIG, path=tmp_path/"a")) == len(WDS)       # a dead process holds no lock


def test_disk_full_in_the_middle(tmp_path, ratings):
    "A write that fails for lack of room is told in words and leaves a folder that can be resumed"
    sweep(WDS[:4], ratings, CONFIG, path=tmp_path/"a")
    record = SweepResult.load(tmp_path/"a").records.itemsize
    limited = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (%d, %d))\nimport signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
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
