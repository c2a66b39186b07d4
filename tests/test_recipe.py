"What the chapter on the recipe cannot show: killed processes, pools, damaged folders, whole Learners, odd arguments."
import json, os, random, signal, subprocess, sys, time
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from wd_lab.recipe import Recipe, find_momentum, find_wd, half_decades, range_of, train_once

SEARCH = dict(lr=0.1, momentum=0.9, wds=[0.01, 0.1, 1.], epochs=2, repeats=2)


def build(seed):
    dice = torch.Generator().manual_seed(seed)
    x = torch.randn(60, 8, generator=dice)
    y = x@torch.ones(8, 1) + torch.randn(60, 1, generator=dice)
    time.sleep(float(os.environ.get("SLOW", 0)))
    return torch.nn.Linear(8, 1), F.mse_loss, [(x[:40], y[:40])]*20, [(x[40:], y[40:])], torch.optim.SGD


PROGRAM = """
import sys
sys.path.insert(0, {tests!r})
from test_recipe import *
{what}
"""
A_SEARCH = "find_wd(build, **SEARCH, path=sys.argv[1])"
A_RECIPE = "Recipe(build, sys.argv[1], **RECIPE).run()"
RECIPE = dict(epochs=2, short=1, lr=0.1, wds=[0.01, 0.1], momenta=[0.9, (0.95, 0.85)], repeats=2)


def started(folder, what=A_SEARCH):
    program = PROGRAM.format(tests=os.path.dirname(__file__), what=what)
    return subprocess.Popen([sys.executable, "-W", "ignore", "-c", program, str(folder)], env=os.environ | {"SLOW": "0.2"},
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(process, folder, n, files="run_*.json"):
    while len(list(folder.rglob(files))) < n and process.poll() is None: time.sleep(0.01)


def killed(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def stub(seed):
    "Trains by itself: the loss depends on the settings alone"
    return lambda lr, momentum, wd, epochs, stop: [5 - wd + seed*0.01]*epochs


def other(seed): return stub(seed)


def test_killed_and_resumed(tmp_path):
    "No finished run is lost, nothing half written is left, and the end is the same to the bit"
    for target in (2, 5):
        process = started(tmp_path)
        wait_for(process, tmp_path, target)
        killed(process)
        assert len(list(tmp_path.glob("run_*.json"))) >= target
        for file in tmp_path.glob("*.json"): json.loads(file.read_text())
    resumed, whole = find_wd(build, **SEARCH, path=tmp_path), find_wd(build, **SEARCH)
    assert resumed.values == whole.values and np.array_equal(resumed.losses, whole.losses)


def test_one_search_in_a_folder(tmp_path):
    process = started(tmp_path)
    wait_for(process, tmp_path, 1)
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


def test_recipe_killed_and_resumed(tmp_path):
    "In a short run, and between the weights and training.json"
    folder, whole = tmp_path/"a", Recipe(build, tmp_path/"whole", **RECIPE)
    whole.run()
    for n, files in ((2, "run_*.json"), (1, "model.safetensors")):
        process = started(folder, A_RECIPE)
        wait_for(process, folder, n, files)
        killed(process)
    (folder/"training.json").unlink(missing_ok=True)
    (folder/"recipe.1.part").write_text("{")
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("run_*.json")}
    resumed = Recipe(build, folder, **RECIPE)
    model, *_ = resumed.run()
    assert resumed.chosen == whole.chosen and np.array_equal(resumed.losses, whole.losses)
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("run_*.json")} == before
    again, *_ = Recipe(build, folder, **RECIPE).train()
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), again.state_dict().values()))


def test_killed_in_the_range_test(tmp_path):
    "The range test is kept whole or not at all"
    process = started(tmp_path, "Recipe(build, sys.argv[1]).range_test()")
    wait_for(process, tmp_path, 1, "recipe.json")
    killed(process)
    for file in tmp_path.glob("*.json"): json.loads(file.read_text())
    first = Recipe(build, tmp_path).range_test()
    assert np.array_equal(first.losses, Recipe(build, tmp_path).range_test().losses, equal_nan=True)


def test_half_written_settings_are_no_hindrance(tmp_path):
    for name in ("a", "b"):
        (tmp_path/name).mkdir()
        for left in ("search.12.part", ".DS_Store", "recipe.12.part"): (tmp_path/name/left).write_text("{")
    find_wd(stub, 0.1, wds=[1.], refine=0, epochs=1, repeats=1, path=tmp_path/"a")
    Recipe(stub, tmp_path/"b", lr=1.)
    (tmp_path/"b"/"mine.txt").write_text("mine")
    (tmp_path/"b"/"recipe.json").unlink()
    with pytest.raises(ValueError, match="other files"): Recipe(stub, tmp_path/"b", lr=1.)


def test_look_at_reads_the_searches_back(tmp_path):
    "A fresh object says what the one that did the work says, and how to follow the advice"
    plan = dict(lr=1., wds=[1., 2.], momentum=0.9, repeats=2)
    Recipe(stub, tmp_path/"a", **plan).run()
    sentences = Recipe(stub, tmp_path/"a", **plan).look_at()
    assert any("is the largest" in s and "in a new path, and give lr=1 and momentum=0.9" in s for s in sentences)
    further = Recipe(stub, tmp_path/"b", **plan | dict(wds=[1., 2., 4.]))
    assert max(further.find_wd().values) > 4
    lowest = Recipe(lambda seed: lambda lr, momentum, wd, epochs, stop: [momentum]*epochs, tmp_path/"c", lr=1., wd=0.1,
                    momenta=[0.85, 0.9, 0.95], repeats=2).look_at()
    assert any("momentum 0.85 is the smallest" in s and "Extend momenta" in s for s in lowest)
    zero = Recipe(lambda seed: lambda lr, momentum, wd, epochs, stop: [1 + wd]*epochs, tmp_path/"d", lr=1., momentum=0.9,
                  wds=[0., 1.], repeats=2)
    assert not any("may lie beyond" in s for s in zero.look_at()) and zero.find_wd().values == (0., 1.)


def test_another_build_is_noticed(tmp_path):
    short = dict(lr=0.1, wds=[0.1, 0.2], refine=0, epochs=1, repeats=1, path=tmp_path/"a")
    find_wd(partial(build), **short | dict(path=tmp_path/"b"))
    find_wd(stub, **short)
    with pytest.raises(ValueError, match="build is 'stub' there and 'other' here"): find_wd(other, **short)
    Recipe(partial(stub), tmp_path/"c", lr=1.)
    Recipe(partial(stub), tmp_path/"c", lr=1.)
    with pytest.raises(ValueError, match="holds another recipe: build"): Recipe(partial(other), tmp_path/"c", lr=1.)


class Odd(Executor):
    "Does all at once; the run with this decay fails"
    def submit(self, f, build, seed, settings):
        future = Future()
        if settings["wd"] == 0.1: future.set_exception(OSError("the machine is gone"))
        else: future.set_result(f(build, seed, settings))
        return future


def test_what_is_done_is_kept_when_a_run_fails(tmp_path):
    short = dict(lr=0.1, wds=[0.1, 0.2, 0.3], refine=0, epochs=1, repeats=2)
    with pytest.raises(OSError, match="the machine is gone"): find_wd(stub, **short, executor=Odd(), path=tmp_path)
    assert len(list(tmp_path.glob("run_*.json"))) == 4
    assert find_wd(stub, **short, path=tmp_path).final.shape == (3, 2)
    assert find_wd(stub, **short | dict(wds=[0.2]), executor=Odd()).best == 0.2


def bad_executor(seed): raise KeyError(seed)


def test_a_run_that_fails_in_a_process(tmp_path):
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        with pytest.raises(KeyError): find_wd(bad_executor, 0.1, wds=[1.], refine=0, epochs=1, repeats=1, executor=pool)


def learner(seed):
    "A Learner with batch norm, whose running statistics are no parameters"
    from fastai.data.core import DataLoaders
    from fastai.data.load import DataLoader
    from fastai.learner import Learner
    dice = torch.Generator().manual_seed(seed)
    x = torch.randn(60, 8, generator=dice)
    pairs = list(zip(x, x@torch.ones(8, 1)))
    dls = DataLoaders(*(DataLoader(part, bs=10, shuffle=s, device="cpu", num_workers=0)
                        for part, s in ((pairs[:40], True), (pairs[40:], False))))
    model = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 1))
    return Learner(dls, model, loss_func=F.mse_loss)


def test_a_learner_through_the_recipe(tmp_path):
    plan = dict(epochs=2, short=1, lr=0.01, wds=[0.01, 0.1], momenta=[0.9, (0.95, 0.85)], repeats=2)
    trained = Recipe(learner, tmp_path, **plan).run()
    again = Recipe(learner, tmp_path, **plan)
    loaded = again.train()
    assert int(trained.model[1].num_batches_tracked) == 8
    for name, value in trained.model.state_dict().items(): assert torch.equal(value, loaded.model.state_dict()[name]), name
    assert np.isclose(trained.validate()[0], again.losses[-1]) and trained.validate() == loaded.validate()
    assert isinstance(Recipe(learner, tmp_path/"range", momentum=0.9, wd=0.1).range_test().verdict, str)


def test_damaged_folders(tmp_path):
    "A sentence that names the file and what to do"
    short = dict(lr=0.1, wds=[0.1, 0.2], refine=0, epochs=2, repeats=2, path=tmp_path/"a")
    find_wd(stub, **short)
    file = next((tmp_path/"a").glob("run_*.json"))
    run = json.loads(file.read_text())
    file.write_text(json.dumps(run | dict(valid_loss=run["valid_loss"][:1])))
    with pytest.raises(ValueError, match="does not match its checksum; remove it, or give repair=True"): find_wd(stub, **short)
    run.pop("sha256")                                           # as older versions wrote it
    file.write_text(json.dumps(run | dict(valid_loss=run["valid_loss"][:1])))
    with pytest.raises(ValueError, match="1 losses of 2; remove it"): find_wd(stub, **short)
    plan = dict(lr=0.1, wd=0.1, momentum=0.9, epochs=1)
    def begun(): return Recipe(build, tmp_path/"b", **plan)
    begun().run()
    weights, training = tmp_path/"b"/"model.safetensors", tmp_path/"b"/"training.json"
    kept = weights.read_bytes()
    weights.write_bytes(kept[:100])
    with pytest.raises(ValueError, match="model.safetensors is damaged"): begun().train()
    weights.unlink()
    with pytest.raises(ValueError, match="model.safetensors is missing: remove training.json"): begun().train()
    weights.write_bytes(kept)
    training.write_text("{}")
    with pytest.raises(ValueError, match="training.json is damaged"): begun().losses
    training.unlink()
    assert np.isfinite(begun().losses).all()
    Recipe(build, tmp_path/"c").range_test()
    (tmp_path/"c"/"range_test.json").write_text("{}")
    with pytest.raises(ValueError, match="range_test.json is damaged"): Recipe(build, tmp_path/"c").range_test()


def test_numbers_of_numpy(tmp_path):
    "Are numbers, and what is written down is plain"
    grid = np.logspace(-3, 0, 4, dtype="float32")
    odd = dict(epochs=np.int64(2), stop=np.int64(1), repeats=np.int64(2))
    assert find_wd(stub, np.float32(0.1), np.float32(0.9), grid, path=tmp_path/"a", **odd).losses.shape == (6, 2, 1)
    assert find_momentum(stub, 0.1, momenta=np.array([0.8, 0.9], "float32"), path=tmp_path/"b", **odd).best
    recipe = Recipe(stub, tmp_path/"c", epochs=np.int64(2), short=np.int64(1), lr=np.float32(1), momenta=0.9, wds=0.1,
                    repeats=[np.int64(3)], seed=np.int64(1))
    recipe.run()
    assert recipe.plan["momenta"] == [0.9] and recipe.plan["wds"] == [0.1] and type(recipe.plan["seed"]) is int


@pytest.mark.parametrize("search, wrong, message", [
    (find_wd, dict(wds=[0.1234567, 0.1234568]), "wds must be distinct, in six digits, got 0.123457 twice"),
    (find_momentum, dict(momenta=[0.9, (0.9, 0.9)]), "momenta must be distinct"),
    (find_momentum, dict(momenta=(0.95, 0.85)), r"one pair goes in a list too, \[\(0.95, 0.85\)\]"),
    (find_wd, dict(repeats=[1, 1]), "repeats must be distinct"), (find_wd, dict(path=3), "path must be a folder"),
    (find_wd, dict(stop=0), "stop must"), (find_wd, dict(stop=len), "stop must")])
def test_grids_that_cannot_be(search, wrong, message):
    with pytest.raises((TypeError, ValueError), match=message): search(stub, 0.1, **wrong)


def test_arguments_of_the_pieces():
    for wrong in (0., -1.):
        with pytest.raises(ValueError, match="wd must"): half_decades(wrong)
    for wrong, message in ((dict(seed="x"), "seed must"), (dict(wd=-1), "wd must"), (dict(momentum=2), "momentum must")):
        with pytest.raises((TypeError, ValueError), match=message): range_of(build, **wrong)
    with pytest.raises(TypeError): range_of(build, valid_dl=[])
    assert len(range_of(build, num_it=20, start_lr=1e-4).rates) <= 20


def test_report_without_searches(tmp_path):
    recipe = Recipe(stub, tmp_path, lr=1., wd=0.1, momentum=0.9)
    recipe.run()
    assert "short run" not in (tmp_path/"report.html").read_text()


def test_seconds_are_those_of_the_training(tmp_path):
    def slow(seed):
        def train(lr, momentum, wd, epochs, stop):
            time.sleep(0.2 if epochs == 1 else 0.)
            return [1. + wd]*epochs
        return train
    Recipe(slow, tmp_path, epochs=2, short=1, lr=1., wds=[1., 2.], momentum=0.9, repeats=2).run()
    assert json.loads((tmp_path/"training.json").read_text())["seconds"] < 0.4


def test_your_random_numbers_go_on():
    for sow in (torch.manual_seed, np.random.seed, random.seed): sow(3)
    gpu = torch.cuda.is_available()
    def draw():
        devices = ["cpu", "cuda"][:1 + gpu]
        return [torch.rand(1, device=d).item() for d in devices] + [np.random.rand(), random.random()]
    draw()
    kept = torch.get_rng_state(), np.random.get_state(), random.getstate()
    cuda = torch.cuda.get_rng_state() if gpu else None
    expected = draw()
    torch.set_rng_state(kept[0]); np.random.set_state(kept[1]); random.setstate(kept[2])
    if gpu: torch.cuda.set_rng_state(cuda)
    train_once(build, 7, 0.1, 0.9, 0.1, epochs=1)
    with pytest.raises(KeyError): train_once(bad_executor, 7, 0.1, 0.9, 0.1, epochs=1)
    assert draw() == expected
