"What newcomers stumbled over: each test failed on the code they had in hand."
import contextlib, io, warnings

import numpy as np
import pandas as pd
import pytest
import torch

from wd_lab.cli import advice, best_table, main
from wd_lab.data import synthetic_ratings
from wd_lab.lr_range import lr_range_test
from wd_lab.recipe import find_wd
from wd_lab.sweep import SweepConfig, SweepResult, sweep, wd_grid
from wd_lab.trends import best_wd

SMALL = SweepConfig(epochs=2, n_factors=4)


@pytest.fixture(scope="module")
def data(): return synthetic_ratings(n_users=60, n_movies=80, n_ratings=1000)


@pytest.fixture(scope="module")
def flat(data): return sweep(wd_grid(1e-4, 1, 3), data, SMALL, seeds=5, progress=False)


def command(folder, *arguments):
    said, code = io.StringIO(), 0
    with contextlib.chdir(folder), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), warnings.catch_warnings():
        try: main([str(a) for a in arguments])
        except SystemExit as e: code = e.code
    return code, said.getvalue()


def test_few_steps_are_told(data, flat):
    steps = flat.train_loss.shape[1]
    assert f"a run has {steps} steps, too few for decay to show: try epochs=100" in best_wd(flat).note
    assert any(f"a run has {steps} steps" in line and "--epochs 100" in line for line in advice(flat))
    long = sweep([0.01, 0.1], data, SweepConfig(epochs=100, n_factors=4), progress=False)
    assert "steps" not in best_wd(long).note and not any("steps" in line for line in advice(long))


def test_a_flat_low_edge_is_told(flat):
    curve = flat.runs.groupby("wd").valid_loss.mean()
    assert abs(curve[0.01]/curve[1e-4] - 1) < 0.002                        # the setting: nothing happens below 0.01
    runs = flat.runs.assign(valid_loss=flat.runs.valid_loss.where(flat.runs.wd > 1e-4, flat.runs.valid_loss - 1e-5))
    runs.loc[runs.wd > 0.05, "valid_loss"] += 1
    assert "wd 0.0001 is the smallest of the grid; up to wd 0.04 decay changes next to nothing" in best_wd(runs).note
    rising = runs.assign(valid_loss=runs.valid_loss + runs.wd**0.1)
    assert "next to nothing" not in best_wd(rising).note and "wd 0.0001 is the smallest of the grid" in best_wd(rising).note


def build(seed):
    dice = torch.Generator().manual_seed(seed)
    x = torch.randn(40, 3, generator=dice)
    batches = [(x[k:k + 10], x[k:k + 10].sum(1, keepdim=True)) for k in range(0, 40, 10)]
    return torch.nn.Linear(3, 1), torch.nn.functional.mse_loss, batches[:3], batches[3:], torch.optim.SGD


def large_targets(seed):
    model, loss, *parts, kind = build(seed)
    return model, loss, *[[(x, 1000*y) for x, y in part] for part in parts], kind


def test_find_wd_recommends_no_run_that_diverged():
    "Its losses were numbers, of the order of 1e23"
    with np.errstate(all="ignore"): wild = find_wd(build, lr=1e3, wds=[0., 0.01], epochs=2, repeats=2, progress=False)
    assert wild.best is None and "diverged: lower the learning rate" in wild.verdict
    assert find_wd(large_targets, lr=0.05, wds=[0., 0.01], epochs=2, repeats=2, progress=False).best is not None


def test_smallest_of_those_with_all_seeds(tmp_path, data):
    wds = [0.001, 0.01, 0.1, 0.5]
    sweep(wds, data, SMALL, path=tmp_path/"a", progress=False)
    sweep(wds[1:], data, SMALL, seeds=3, path=tmp_path/"a", progress=False)
    result = SweepResult.load(tmp_path/"a")
    runs = result.runs.assign(valid_loss=result.runs.valid_loss + result.runs.wd)      # the smaller, the better
    assert "wd 0.01 is the smallest of those with all seeds" in best_wd(runs).note
    result._runs = runs
    words = [line for line in advice(result) if line.startswith("wd 0.01")]
    assert words and ("of those with all seeds" in words[0] or "next to nothing" in words[0]) and "0.01 is the smallest tried, the best" not in words[0]


def test_a_second_call_draws_all_that_is_there(tmp_path, data):
    data.to_csv(tmp_path/"r.csv", index=False)
    own = "--data", "r.csv", "--epochs", "1", "--factors", "4", "--out", "out"
    command(tmp_path, *own, "--wds", "0.01,0.1,0.2,0.5")
    picture = (tmp_path/"out"/"trends.png").read_bytes()
    code, said = command(tmp_path, *own, "--wds", "0.1", "--no-gif")
    assert code == 0 and "with those of earlier calls 4 runs" in said and "best wd" in said
    assert (tmp_path/"out"/"trends.png").read_bytes() == picture
    assert "train_loss.gif, valid_loss.gif, weights.gif show an earlier call" in said
    code, said = command(tmp_path, *own, "--wds", "0.1,0.9", "--seeds", "2")            # not every wd has every seed
    assert code == 0 and "earlier call\n" not in said, said


def test_the_repr_tells_means(data, flat):
    means = flat.runs.groupby("wd").valid_loss.mean()
    assert f"lowest mean final valid loss {means.min():.4f} over 5 seeds at wd {means.idxmin():g}" in repr(flat)
    assert f"{means.min():.4f}" in flat._repr_html_() and "seeds" in flat._repr_html_()
    one = flat.sel(seed=42)
    assert f"best final valid loss {one.runs.valid_loss.min():.4f} at wd" in repr(one)


def test_tables_that_are_none(tmp_path, data):
    with pytest.raises(ValueError, match="data must hold ratings, got a table without rows"): sweep([0.1], data[:0])
    with pytest.raises(TypeError, match=r"got a dict: pd.DataFrame\(data\)"): sweep([0.1], dict(user=[1]))
    with pytest.raises(TypeError, match=r"got a ndarray: pd.DataFrame\(data, columns="): sweep([0.1], np.zeros((3, 3)))
    with pytest.raises(ValueError, match="nan or infinity in 1 of 1000"):
        sweep([0.1], data.assign(rating=data.rating.where(data.index > 0)))
    (tmp_path/"r.csv").write_text("user,movie,rating\n")
    code, said = command(tmp_path, "--data", "r.csv", "--out", "out")
    assert code == 2 and "--data must hold ratings, got a table without rows" in said and "nan" not in said, said


def test_too_few_ratings(tmp_path, data):
    with pytest.raises(ValueError, match=r"56 of them train, a batch is 64: SweepConfig\(bs=32\)"): sweep([0.1], data[:70])
    data[:70].to_csv(tmp_path/"r.csv", index=False)
    code, said = command(tmp_path, "--data", "r.csv", "--out", "out")
    assert code == 2 and "a batch is 64: --bs 32" in said, said
    assert command(tmp_path, "--data", "r.csv", "--out", "out", "--bs", "32", "--wds", "0.1,0.2", "--no-gif")[0] == 0


def test_top_five_differ_on_a_fine_grid(data):
    fine = sweep(wd_grid(1e-2, 1, 90), data, SMALL, progress=False)
    listed = best_table(fine).wd.to_numpy()
    assert len(listed) == 5 and all(max(a, b)/min(a, b) >= 1.24 for i, a in enumerate(listed) for b in listed[:i])
    assert best_table(fine, 1).wd.iloc[0] == fine.best().runs.wd[0]
    assert len(best_table(fine.sel(wd=[0.1, 0.11, 0.12]))) == 3


def test_resuming_a_lazy_folder(tmp_path, data):
    sweep([0.1], data, SMALL, path=tmp_path/"a", engine="lazy", progress=False)
    grown = sweep([0.1, 0.2], data, SMALL, path=tmp_path/"a", progress=False)      # auto: what began it
    assert grown.identity["engine"].startswith("lazy")
    with pytest.raises(ValueError, match="or take engine='lazy', which began it"):
        sweep([0.1], data, SMALL, path=tmp_path/"a", engine="compiled")


def test_a_range_test_prints_its_answer():
    torch.manual_seed(0)
    model, loss, train, valid, kind = build(0)
    test = lr_range_test(model, train*20, loss, kind(model.parameters(), lr=0.1), num_it=60)
    assert repr(test).endswith(test.verdict) and "rate" in repr(test)


def test_words(data):
    one = sweep([0.1], data, SMALL, progress=False)
    with pytest.raises(ValueError, match=r"\[result.recommend\(u\) for u in users\]"): one.recommend([1, 2])
    with pytest.warns(UserWarning, match="ratings are of an item by a user"): sweep([0.1], pd.concat([data, data]), SMALL, progress=False)
    def given(seed): model, *rest = build(seed); return model, *rest[:3], torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(TypeError, match="optimizer class .*got a SGD: torch.optim.SGD, without the parentheses"):
        find_wd(given, lr=0.1, wds=[0.1], repeats=1, progress=False)
