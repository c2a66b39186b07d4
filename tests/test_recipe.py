"What the chapter on the recipe cannot show: a killed process, a process pool, two processes in one folder."
import json, os, signal, subprocess, sys, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from wd_lab.recipe import Recipe, find_wd

SEARCH = dict(lr=0.1, momentum=0.9, wds=[0.01, 0.1, 1.], epochs=2, repeats=2)


def build(seed, slow=0.):
    dice = torch.Generator().manual_seed(seed)
    x = torch.randn(60, 8, generator=dice)
    y = x@torch.ones(8, 1) + torch.randn(60, 1, generator=dice)
    time.sleep(slow)
    return torch.nn.Linear(8, 1), F.mse_loss, [(x[:40], y[:40])]*20, [(x[40:], y[40:])], torch.optim.SGD


PROGRAM = """
import sys
from functools import partial
sys.path.insert(0, {tests!r})
from test_recipe import SEARCH, build
from wd_lab.recipe import find_wd
find_wd(partial(build, slow=0.2), **SEARCH, path=sys.argv[1])
"""


def started(folder):
    return subprocess.Popen([sys.executable, "-W", "ignore", "-c", PROGRAM.format(tests=os.path.dirname(__file__)), str(folder)],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_runs(process, folder, n):
    while len(list(folder.glob("run_*.json"))) < n and process.poll() is None: time.sleep(0.01)


def test_killed_and_resumed(tmp_path):
    "No finished run is lost, nothing half written is left, and the end is the same to the bit"
    for target in (2, 5):
        process = started(tmp_path)
        wait_for_runs(process, tmp_path, target)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert len(list(tmp_path.glob("run_*.json"))) >= target
        for file in tmp_path.glob("*.json"): json.loads(file.read_text())
    resumed, whole = find_wd(build, **SEARCH, path=tmp_path), find_wd(build, **SEARCH)
    assert resumed.values == whole.values and np.array_equal(resumed.losses, whole.losses)


def test_one_search_in_a_folder(tmp_path):
    process = started(tmp_path)
    wait_for_runs(process, tmp_path, 1)
    with pytest.raises(RuntimeError, match="in use by another search"): find_wd(build, **SEARCH, path=tmp_path)
    process.kill()
    process.wait()
    assert len(find_wd(build, **SEARCH, path=tmp_path).values) == 5


def test_process_pool(tmp_path):
    "The same bits, wherever a run is done"
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        apart = find_wd(build, **SEARCH, executor=pool, path=tmp_path/"a")
        recipe = Recipe(build, tmp_path/"b", epochs=2, short=1, lr=0.1, wds=[0.01, 0.1], executor=pool)
        recipe.run()
    assert np.array_equal(apart.losses, find_wd(build, **SEARCH).losses)
    again = Recipe(build, tmp_path/"c", epochs=2, short=1, lr=0.1, wds=[0.01, 0.1])
    again.run()
    assert again.chosen == recipe.chosen and np.array_equal(again.losses, recipe.losses)
