"""What a notebook cannot show: a sweep on a real Dask cluster, of which one worker is killed and another joins late; a process
pool that breaks; and how much memory the main process needs."""
import os, signal, subprocess, sys, threading, time
from concurrent.futures import BrokenExecutor, CancelledError, Future, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

from wd_lab.data import synthetic_ratings
from wd_lab.engines import CompiledEngine
from wd_lab.sweep import SweepConfig, sweep

CONFIG = SweepConfig(epochs=1, n_factors=8)
WDS = [0.001*k for k in range(1, 41)]


@pytest.fixture(scope="module")
def ratings(): return synthetic_ratings(n_ratings=3000)


@pytest.fixture
def start():
    "Starts a program of Dask's; what still runs at the end is killed"
    running = []
    def start(program, *arguments):
        command = [sys.executable, "-W", "ignore", "-m", f"distributed.cli.{program}", *map(str, arguments)]
        running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return running[-1]
    yield start
    for process in running: process.kill()
    for process in running: process.wait()


def slow_engine(folder):
    "Says in `folder` who trained; after ten runs it waits until somebody has joined"
    class Slow(CompiledEngine):
        def run(self, start, config, wd, lr):
            with open(f"{folder}/{os.getpid()}.runs", "a") as f: f.write(f"{wd}\n")
            while wd > 0.0105 and not os.path.exists(f"{folder}/joined"): time.sleep(0.05)
            return super().run(start, config, wd, lr)
    return Slow(1)


def wait_until(condition):
    for _ in range(3000):
        if condition(): return
        time.sleep(0.02)
    raise TimeoutError


def done(folder): return [line for file in folder.glob("*.runs") for line in file.read_text().split()]


def test_dask(tmp_path, ratings, start):
    "One worker is killed in the middle, one joins: not a bit differs from the sweep at home"
    distributed = pytest.importorskip("distributed")
    where = "--scheduler-file", tmp_path/"scheduler.json"
    worker = "--no-nanny", "--no-dashboard", "--nthreads", 1, "--local-directory", tmp_path
    start("dask_scheduler", *where, "--host", "127.0.0.1", "--port", 0, "--no-dashboard")
    first, _ = [start("dask_worker", *where, *worker) for _ in range(2)]
    with distributed.Client(scheduler_file=str(where[1]), timeout=60) as client:
        client.wait_for_workers(2, timeout=60)
        def trouble():
            try:
                wait_until(lambda: len(done(tmp_path)) >= 10)
                first.send_signal(signal.SIGKILL)
                late.append(start("dask_worker", *where, *worker, "--name", "late"))
                wait_until(lambda: "late" in [w["name"] for w in client.scheduler_info()["workers"].values()])
            finally: (tmp_path/"joined").touch()
        late, thread = [], threading.Thread(target=trouble)
        thread.start()
        there = sweep(WDS, ratings, CONFIG, engine=slow_engine(tmp_path), executor=client.get_executor(), path=tmp_path/"there")
        thread.join()
    assert first.wait() == -signal.SIGKILL
    assert (tmp_path/f"{late[0].pid}.runs").exists(), "the late one has trained"
    home = sweep(WDS, ratings, CONFIG, path=tmp_path/"home")
    assert there.records.tobytes() == home.records.tobytes()
    for name in ("runs.npy", "config.json", "ids.json"):
        assert (tmp_path/"there"/name).read_bytes() == (tmp_path/"home"/name).read_bytes()


class Deadly(CompiledEngine):
    "Kills its worker at a run"
    def run(self, start, config, wd, lr):
        if wd == 0.9: os.kill(os.getpid(), signal.SIGKILL)
        return super().run(start, config, wd, lr)


def test_pool_that_breaks(tmp_path, ratings):
    "What was finished is kept, and the error says how to go on"
    with ProcessPoolExecutor(1) as pool, pytest.raises(RuntimeError, match=r"BrokenProcessPool.*2 of 4 runs are finished and kept"):
        sweep([0.1, 0.2, 0.9, 0.3], ratings, CONFIG, engine=Deadly(1), executor=pool, path=tmp_path/"a")
    assert len(sweep([0.1, 0.2, 0.9, 0.3], ratings, CONFIG, path=tmp_path/"a")) == 4


class Losing(ThreadPoolExecutor):
    "Loses the worker at each of the first runs, as often as asked"
    def __init__(self, losses, error):
        super().__init__(1)
        self.losses, self.error = losses, error

    def submit(self, *task):
        if self.losses == 0: return super().submit(*task)
        self.losses -= 1
        future = Future()
        if self.error: future.set_exception(self.error)
        elif future.cancel(): future.set_running_or_notify_cancel()
        return future


@pytest.mark.parametrize("error", (None, CancelledError(), BrokenExecutor("gone")))
def test_runs_are_given_out_again(ratings, error):
    home = sweep(WDS[:2], ratings, CONFIG)
    assert sweep(WDS[:2], ratings, CONFIG, executor=Losing(2, error)).records.tobytes() == home.records.tobytes()
    with pytest.raises(RuntimeError, match="3 workers died of one run.*0 of 2 runs were finished, and are lost: with a path="):
        sweep(WDS[:2], ratings, CONFIG, executor=Losing(100, error))
