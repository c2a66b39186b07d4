"""What a disk, a careless copy or a bad cable does to a result folder: every damage is named, with the file and the run,
`repair=True` trains again what is damaged and only that, and no number is ever wrong in silence."""
import pickle, shutil, warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from wd_lab.data import synthetic_ratings
from wd_lab.engines import CompiledEngine
from wd_lab.lab import recorded
from wd_lab.recipe import Recipe, find_wd
from wd_lab.sweep import SweepConfig, SweepResult, sweep

WDS, CONFIG, FILES = [0.01, 0.02, 0.1, 0.5], SweepConfig(epochs=1, n_factors=4, hist_bins=20), ("config.json", "ids.json", "runs.npy")


@pytest.fixture(scope="module")
def ratings(): return synthetic_ratings(n_users=60, n_movies=70, n_ratings=900)


class Counting(CompiledEngine):
    "The compiled engine; tells which decays it trained"
    trained = []
    def run(self, start, config, wd, lr):
        self.trained.append(wd)
        return super().run(start, config, wd, lr)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, ratings):
    "A finished sweep, to be copied; beside it another one of the same shape"
    root = tmp_path_factory.mktemp("damage")
    sweep(WDS, ratings, CONFIG, path=root/"whole")
    sweep(WDS, ratings, SweepConfig(**CONFIG.to_dict() | dict(seed=7)), path=root/"other")
    return root


def content(path): return {name: (path/name).read_bytes() for name in FILES if (path/name).exists()}


def whole_records(folder):
    "The records as they should be"
    return {r.tobytes().hex() for r in SweepResult.load(folder/"whole").records}


def records_in(path):
    "What lies where a record should"
    kind = SweepResult.load(path.parent/"whole").records.dtype
    raw = (path/"runs.npy").read_bytes() if (path/"runs.npy").exists() else b""
    start = len((path.parent/"whole"/"runs.npy").read_bytes()) - len(WDS)*kind.itemsize
    n = max(len(raw) - start, 0)//kind.itemsize
    return np.frombuffer(raw, kind, n, start) if n else []


def damages(folder, n_flips, dice):
    "(file, what was done, new content or None for none) for every file"
    for name in FILES:
        whole = (folder/"whole"/name).read_bytes()
        for n in (0, 1, len(whole)//2, len(whole) - 1): yield name, f"cut to {n} bytes", whole[:n]
        yield name, "a byte more", whole + b"\0"
        yield name, "gone", None
        yield name, "another sweep's", (folder/"other"/name).read_bytes()
        yield name, "a pickle", pickle.dumps(dict(os=1))
        yield name, "an archive", b"PK\x03\x04" + whole
        starts = dice.integers(0, min(len(whole), 300), n_flips//4).tolist()         # the header is small and matters
        for place in starts + dice.integers(0, len(whole), n_flips - len(starts)).tolist():
            flipped = bytearray(whole)
            flipped[place] ^= 1 << int(dice.integers(8))
            yield name, f"bit flipped at {place}", bytes(flipped)


def told(action, path, name):
    "Is the damage refused, in words that name the file, or the run where one can be named?"
    try: result = action()
    except ValueError as e:
        words = str(e)
        assert str(path) in words and (name in words or "runs.npy" in words or "another sweep" in words), words
        assert ("checksum (" in words) == ("(wd" in words) and "Traceback" not in words, words
        return True
    whole = SweepResult.load(path.parent/"whole")
    assert result.records.tobytes() == whole.records.tobytes() and result.identity == whole.identity and result.ids == whole.ids
    return False


def check_damage(folder, ratings, name, new):
    """Name the file, repair it. "caught", or "harmless" where everything that is read is as it was (a space in JSON)"""
    path = folder/"damaged"
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(folder/"whole", path)
    good = content(path)
    if new is None: (path/name).unlink()
    else: (path/name).write_bytes(new)
    if content(path) == good: return "harmless"                  # the other sweep's ids are the same
    again = lambda **kwargs: sweep(WDS, ratings, CONFIG, path=path, progress=False, **kwargs)
    if not [told(action, path, name) for action in (again, lambda: SweepResult.load(path))][1]: return "harmless"
    sound = sum(run.tobytes().hex() in whole_records(folder) for run in records_in(path))
    Counting.trained = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        again(repair=True, engine=Counting(1))
    assert any(str(path) in str(w.message) and "was damaged" in str(w.message) for w in caught)
    assert content(path) == good and len(SweepResult.load(path)) == len(WDS)
    assert len(Counting.trained) == len(WDS) - sound, (name, Counting.trained, sound)
    return "caught"


def test_every_file_every_damage(folder, ratings):
    done = [(name, what, check_damage(folder, ratings, name, new)) for name, what, new in damages(folder, 12, np.random.default_rng(0))]
    caught, harmless = [[d for d in done if d[2] == word] for word in ("caught", "harmless")]
    assert len(caught) > 0.8*len(done), harmless
    print(f"{len(caught)} damaged files, all caught, named and repaired; {len(harmless)} damages of no consequence")


def test_a_run_over_another(tmp_path, folder, ratings):
    "A record copied over another's has a right checksum, and would count twice in every mean"
    shutil.copytree(folder/"whole", tmp_path/"whole")
    shutil.copytree(folder/"whole", tmp_path/"a")
    size, raw = SweepResult.load(tmp_path/"a").records.itemsize, bytearray((tmp_path/"a"/"runs.npy").read_bytes())
    raw[-size:] = raw[-2*size:-size]
    (tmp_path/"a"/"runs.npy").write_bytes(raw)
    assert told(lambda: SweepResult.load(tmp_path/"a"), tmp_path/"a", "runs.npy")
    with pytest.warns(UserWarning, match="1 of 4 runs are damaged"): sweep(WDS, ratings, CONFIG, path=tmp_path/"a", repair=True)
    assert content(tmp_path/"a") == content(folder/"whole")


def test_damage_to_a_run_that_is_not_done(tmp_path, folder, ratings):
    "Its weight decay is changed before it is trained: noticed too, and nothing waits for a run that nobody asked for"
    class Stopped(CompiledEngine):
        def run(self, start, config, wd, lr):
            if wd > 0.05: raise KeyboardInterrupt
            return super().run(start, config, wd, lr)
    with pytest.raises(KeyboardInterrupt): sweep(WDS, ratings, CONFIG, path=tmp_path/"a", engine=Stopped(1))
    size, raw = SweepResult.load(folder/"whole").records.itemsize, bytearray((tmp_path/"a"/"runs.npy").read_bytes())
    raw[-size + 5] ^= 4
    (tmp_path/"a"/"runs.npy").write_bytes(raw)
    with pytest.raises(ValueError, match=r"run 3 does not match its checksum \(wd"): sweep(WDS, ratings, CONFIG, path=tmp_path/"a")
    (tmp_path/"a"/"config.json").write_bytes(b"")                                       # and the description is lost too
    with pytest.warns(UserWarning, match="was damaged"): sweep(WDS, ratings, CONFIG, path=tmp_path/"a", repair=True)
    assert content(tmp_path/"a") == content(folder/"whole")


def test_repair_of_what_is_sound_changes_nothing(tmp_path, folder, ratings):
    shutil.copytree(folder/"whole", tmp_path/"a")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sweep(WDS, ratings, CONFIG, path=tmp_path/"a", repair=True)
        sweep(WDS, ratings, CONFIG, path=tmp_path/"new", repair=True)
    assert content(tmp_path/"a") == content(tmp_path/"new") == content(folder/"whole")
    with pytest.raises(ValueError, match="seed is 42 there and 5 here"):                # no licence to write over another sweep
        sweep(WDS, ratings, SweepConfig(**CONFIG.to_dict() | dict(seed=5)), path=tmp_path/"a", repair=True)
    assert content(tmp_path/"a") == content(folder/"whole")


def test_repair_of_a_folder_of_the_first_edition(tmp_path):
    data = pd.DataFrame(dict(user=np.arange(300) % 7, movie=np.arange(300) % 11, rating=1. + np.arange(300) % 5))
    config = SweepConfig(epochs=1, n_factors=2, seed=3)
    shutil.copytree(Path(__file__).parent/"first_edition", tmp_path/"old")
    before = SweepResult.load(tmp_path/"old").records.copy()
    raw = bytearray((tmp_path/"old"/"runs.npy").read_bytes())
    raw[-100] ^= 1
    (tmp_path/"old"/"runs.npy").write_bytes(raw)
    with pytest.warns(UserWarning, match="1 of 4 runs are damaged"):
        after = sweep([0.25, 0.5], data, config, seeds=2, path=tmp_path/"old", repair=True).records
    assert after[:3].tobytes() == before[:3].tobytes() and np.allclose(after["weights"], before["weights"], atol=1e-6)
    assert len(SweepResult.load(tmp_path/"old")) == 4


def flips(whole, n, dice):
    "The content cut, emptied, of another kind, and with one bit flipped at n places"
    yield from (whole[:len(whole)//2], b"", pickle.dumps([1]), b"[1]", b"{}")
    for place in dice.integers(0, len(whole), n).tolist():
        flipped = bytearray(whole)
        flipped[place] ^= 1 << int(dice.integers(8))
        yield bytes(flipped)


def build(seed):
    x = torch.randn(40, 3, generator=torch.Generator().manual_seed(seed))
    torch.manual_seed(seed)
    batches = [(x[k:k + 10], x[k:k + 10].sum(1, keepdim=True)) for k in range(0, 40, 10)]
    return torch.nn.Linear(3, 1), torch.nn.functional.mse_loss, batches[:3], batches[3:]


def check_files(path, work, same, n, dice):
    "Every JSON file and the weights, damaged in turn: refused by name and repaired, or of no consequence. How many were caught"
    files = [p for p in sorted(path.rglob("*")) if p.suffix in (".json", ".safetensors") and p.name != "chosen.json"]
    expected, caught = work(), 0
    for file in files:
        whole = file.read_bytes()
        for new in flips(whole, n, dice):
            if new == whole: continue
            file.write_bytes(new)
            try: result = work()
            except ValueError as e:
                assert file.name in str(e) or "holds another" in str(e), (file, e)
                if "holds another" not in str(e):
                    with warnings.catch_warnings(record=True) as said:
                        warnings.simplefilter("always")
                        assert same(work(repair=True), expected), file
                    assert any(file.name in str(w.message) and ".damaged" in str(w.message) for w in said), (file, [str(w.message) for w in said])
                caught += 1
            else: assert same(result, expected), (file, new[:200])
            file.write_bytes(whole)
    return caught


def test_damaged_searches(tmp_path):
    def work(**kwargs): return find_wd(build, 0.1, wds=[0.01, 0.1], refine=0, epochs=1, repeats=2, path=tmp_path, progress=False, **kwargs)
    work()
    same = lambda a, b: np.array_equal(a.losses, b.losses) and a.values == b.values
    caught = check_files(tmp_path, work, same, 10, np.random.default_rng(0))
    assert caught > 5*10
    other = tmp_path/"other"
    find_wd(build, 0.2, wds=[0.01, 0.1], refine=0, epochs=1, repeats=2, path=other, progress=False)
    one = "run_0.1_seed_0.json"
    (tmp_path/one).write_bytes((other/one).read_bytes())                               # of another search, whole in itself
    with pytest.raises(ValueError, match=f"{one} is damaged: it does not match its checksum"): work()


def test_damaged_recipes(tmp_path):
    plan = dict(epochs=2, short=1, lr=0.1, wds=[0.01, 0.1], momentum=0.9, repeats=1, progress=False)
    def work(**kwargs):
        recipe = Recipe(build, tmp_path/"a", **plan, **kwargs)
        return recipe.train()[0].weight.detach().numpy().copy(), recipe.losses, recipe.chosen
    same = lambda a, b: np.array_equal(a[0], b[0]) and np.array_equal(a[1], b[1]) and a[2] == b[2]
    work()
    assert check_files(tmp_path/"a", work, same, 6, np.random.default_rng(1)) > 30


def test_damaged_records(tmp_path, monkeypatch, capsys):
    "A damaged run in the cache is run again, and says so; a damaged record is refused by name"
    for name, value in dict(WD_LAB_SIZE="full", WD_LAB_CACHE=tmp_path/"cache", WD_LAB_RUNS=tmp_path/"runs").items(): monkeypatch.setenv(name, str(value))
    count, settings = [], [dict(lr=0.1), dict(lr=0.2)]
    def one(lr): count.append(lr); return dict(loss=lr**2)
    expected = recorded("thing", one, settings)["result"]
    file = next((tmp_path/"cache"/"runs"/"thing").glob("*.json"))
    whole = file.read_bytes()
    for new in flips(whole, 10, np.random.default_rng(2)):
        file.write_bytes(new)
        before, _ = len(count), capsys.readouterr()
        assert recorded("thing", one, settings)["result"] == expected
        if len(count) > before: assert len(count) == before + 1 and (f"{file} is damaged" in capsys.readouterr().out or new == b"{}")
    assert len(count) > 10
    monkeypatch.setenv("WD_LAB_SIZE", "small")
    record = tmp_path/"runs"/"thing.json"
    for new in (record.read_bytes()[:50], record.read_bytes().replace(b"0.01", b"0.02", 1)):
        before = record.read_bytes()
        record.write_bytes(new)
        with pytest.raises(ValueError, match="thing.json is damaged: .*run it again with WD_LAB_SIZE=full"): recorded("thing", one, settings)
        record.write_bytes(before)
