"""Too long for each change (`make soak`): processes killed at random moments, Ctrl-C at random moments, every file of a
folder damaged at hundreds of places. In the end every number is what it would have been."""
import json, os, random, shutil, signal, time


import numpy as np
import pytest
import torch

from test_damage import check_damage, damages
from test_damage import folder, ratings                             # noqa: F401 (fixtures)
from test_survival import CONFIG, PROGRAM, WDS, finished, started
from wd_lab.data import synthetic_ratings
from wd_lab.lab import recorded
from wd_lab.recipe import Recipe, find_wd
from wd_lab.sweep import sweep

pytestmark = pytest.mark.soak
FILES = "config.json", "ids.json", "runs.npy"


def forked(work):
    "A process that does `work`, everything compiled already; its id"
    pid = os.fork()
    if pid: return pid
    try:
        for f in (0, 1, 2): os.dup2(os.open(os.devnull, os.O_RDWR), f)
        work()
    finally: os._exit(0)


def killed(pid, seconds):
    "Kill a process after so many seconds; False if it was done before"
    time.sleep(seconds)
    try: os.kill(pid, signal.SIGKILL)
    except ProcessLookupError: pass
    return os.waitpid(pid, 0)[1] == signal.SIGKILL


def survive(times, moment, check):
    "`moment(k)` says if it killed something; try until it has, then check what was left"
    survived = 0
    for k in range(times):
        while not moment(k): pass
        survived += check(k)
    return survived


def test_sweeps_killed_at_forty_moments(tmp_path, capsys):
    data, dice = synthetic_ratings(n_ratings=20_000), random.Random(int(os.environ.get("WD_LAB_SOAK_SEED", 0)))
    again = lambda path, wds=WDS: sweep(wds, data, CONFIG, path=path, progress=False)
    again(tmp_path/"compiled", WDS[:1])
    begin = time.monotonic()
    again(tmp_path/"whole")
    seconds, path, stages = time.monotonic() - begin, tmp_path/"killed", []

    def moment(k):
        shutil.rmtree(path, ignore_errors=True)
        stage = ("start and compilation", "writes", "last record", "extending")[k % 4]
        if stage == "start and compilation":
            process = started(path, PROGRAM, env=os.environ | {"NUMBA_DISABLE_CACHING": "1", "WD_LAB_NO_CACHE": "1"})
            time.sleep(dice.uniform(0, 6))
            process.kill()
            done = process.wait() == -signal.SIGKILL
        else:
            if stage == "extending": again(path, WDS[5:11])
            pid = forked(lambda: again(path))
            if stage == "last record":
                while finished(path) < len(WDS) - 1 and not os.waitpid(pid, os.WNOHANG)[0]: time.sleep(0.001)
            try: done = killed(pid, dice.uniform(0, 0.01 if stage == "last record" else seconds))
            except ChildProcessError: done = False                   # it was done, and has been waited for
        if done: stages.append((stage, finished(path)))
        return done

    def check(k):
        again(path)
        return all((path/name).read_bytes() == (tmp_path/"whole"/name).read_bytes() for name in FILES)

    survived = survive(40, moment, check)
    with capsys.disabled(): print(f"\nsweeps killed and resumed, the same to the bit: {survived} of 40, with {sorted(n for _, n in stages)} of {len(WDS)} runs done")
    assert survived == 40


def linear(seed):
    "Parts of a small training"
    dice = torch.Generator().manual_seed(seed)
    x = torch.randn(400, 20, generator=dice)
    y = x@torch.randn(20, 1, generator=dice) + torch.randn(400, 1, generator=dice)
    batches = list(zip(x.split(8), y.split(8)))
    torch.manual_seed(seed)
    return torch.nn.Linear(20, 1), torch.nn.functional.mse_loss, batches[:40], batches[40:]


def numbers_in(path):
    "All that a recipe's folder says but seconds, and the weights"
    said = {str(p.relative_to(path)): json.loads(p.read_text()) for p in sorted(path.rglob("*.json"))}
    for content in said.values():
        for key in ("seconds", "sha256"): content.pop(key, None)
    return said, (path/"model.safetensors").read_bytes() if (path/"model.safetensors").exists() else b""


@pytest.mark.parametrize("name, times", [("find_wd", 8), ("Recipe", 8)])
def test_searches_and_recipes_killed(tmp_path, capsys, name, times):
    dice = random.Random(1)
    plan = dict(lr=0.05, epochs=2, short=1, wds=[0.01, 0.1], momenta=[0.9, 0.95], repeats=2, progress=False)
    def work(path):
        if name == "find_wd": find_wd(linear, 0.05, wds=[0.01, 0.1], epochs=1, repeats=4, path=path, progress=False)
        else: Recipe(linear, path, **plan).run()
    work(tmp_path/"warm")
    begin = time.monotonic()
    work(tmp_path/"whole")
    seconds, path = time.monotonic() - begin, tmp_path/"killed"
    def moment(k):
        shutil.rmtree(path, ignore_errors=True)
        return killed(forked(lambda: work(path)), dice.uniform(0, seconds))
    def check(k):
        work(path)
        return numbers_in(path) == numbers_in(tmp_path/"whole")
    survived = survive(times, moment, check)
    with capsys.disabled(): print(f"\n{name} killed and resumed, the same to the bit: {survived} of {times}")
    assert survived == times


def sums(n): return [float(np.random.default_rng(n).normal(size=200_000).cumsum()[k]) for k in range(0, 200_000, 20_000)]


def test_recorded_runs_killed(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("WD_LAB_SIZE", "full")
    dice, settings = random.Random(2), [dict(n=n) for n in range(20)]
    def work(cache):
        os.environ |= {"WD_LAB_CACHE": str(cache), "WD_LAB_RUNS": str(cache/"records")}
        return recorded("sums", sums, settings)["result"]
    before = {k: os.environ.get(k) for k in ("WD_LAB_CACHE", "WD_LAB_RUNS")}
    try:
        work(tmp_path/"warm")
        begin = time.monotonic()
        expected = work(tmp_path/"whole")
        seconds, path = time.monotonic() - begin, tmp_path/"killed"
        def moment(k):
            shutil.rmtree(path, ignore_errors=True)
            return killed(forked(lambda: work(path)), dice.uniform(0, seconds))
        survived = survive(8, moment, lambda k: work(path) == expected)
    finally:
        for k, v in before.items(): os.environ.pop(k, None) if v is None else os.environ.update({k: v})
    with capsys.disabled(): print(f"\nrecorded runs killed and resumed, the same to the bit: {survived} of 8")
    assert survived == 8


def test_ctrl_c_at_random_moments(tmp_path, capsys):
    "Importing, compiling, training: it is over within five seconds"
    dice, taken = random.Random(3), []
    for k in range(8):
        process = started(tmp_path/str(k), preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
        time.sleep(dice.uniform(1, 8))
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        taken.append(time.monotonic() - begin)
    with capsys.disabled(): print(f"\nseconds from Ctrl-C to the end: {', '.join(f'{t:.1f}' for t in taken)}")
    assert max(taken) < 5


def test_damage_at_two_hundred_places_of_each_file(folder, ratings, capsys):
    cases = list(damages(folder, 200, np.random.default_rng(1)))
    done = [check_damage(folder, ratings, name, new) for name, _, new in cases]
    assert len(done) == len(cases) and done.count("caught") > 0.9*len(done)
    with capsys.disabled():
        print(f"\n{done.count('caught')} damaged files, all caught, named and repaired; "
              f"{done.count('harmless')} damages of no consequence")
