"""Ratings as they come, and starts as nobody should make them: the same numbers, or words; and compiled code stays in its arrays."""
import os
import warnings
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from wd_lab.data import synthetic_ratings
from wd_lab.engines import CompiledEngine, DecayEngine, LazyEngine, Start, SweepConfig, common_start
from wd_lab.sweep import sweep

MANY = int(os.environ.get("WD_LAB_EXAMPLES", 5000))//5000
CONFIG = SweepConfig(n_factors=2, epochs=2, bs=16, test_pct=0.1)
RATINGS = synthetic_ratings(20, 30, 120, rank=2)
tried = Counter()
quick = settings(deadline=None, database=None, derandomize=True, max_examples=40*MANY or 5, phases=[Phase.generate], suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True, scope="module")
def count(measured):
    yield
    measured(f"hostile ratings and starts: {sum(tried.values()):,} examples of {len(tried)} kinds")


def losses(data, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = sweep([0.01, 0.3], data, CONFIG, progress=False, **settings)
    return np.concatenate([np.ravel(result.train_loss), np.ravel(result.valid_loss), np.ravel(result.test_loss)])


indices = st.sampled_from([
    lambda df: df.set_axis(range(7, 7 + len(df))), lambda df: df.set_axis([0]*len(df)), lambda df: df.set_axis([f"r{i}" for i in range(len(df))]),
    lambda df: df.set_axis(pd.date_range("2020", periods=len(df))), lambda df: df.set_index(["user", "movie"], drop=False, append=True).rename_axis([None]*3),
    lambda df: df.set_axis(np.arange(len(df))[::-1]), lambda df: df])
users = st.sampled_from([   # other names for the same users, in the same order
    lambda u: u, lambda u: u.astype("category"), lambda u: u.map("u{:04d}".format), lambda u: u.map("u{:04d}".format).astype("category"),
    lambda u: u.astype("Int64"), lambda u: u.astype("float32"), lambda u: u*2**40, lambda u: u - 1000, lambda u: u.astype("uint8"),
    lambda u: pd.Timestamp("2020-01-01") + pd.to_timedelta(u, "D"), lambda u: u.map("u{:04d}".format).astype("string"), lambda u: u.astype(object)])
stars = st.sampled_from([lambda r: r, lambda r: r.astype("float32"), lambda r: r.astype("Int64"), lambda r: r.astype("uint8"), lambda r: r.astype("Float64"),
                         lambda r: r.astype(object)])
orders = st.sampled_from([lambda df: df, lambda df: df[["title", "rating", "user", "movie"]], lambda df: df.assign(extra=1).drop(columns="timestamp")])


@quick
@given(indices, users, stars, orders)
def test_the_same_ratings_give_the_same_numbers(index, user, star, order):
    "Whatever index, dtype, names that sort alike, order of columns"
    tried["the same ratings"] += 1
    data = order(index(RATINGS.assign(user=user(RATINGS.user), rating=star(RATINGS.rating))))
    assert np.array_equal(losses(data), expected())

def expected(kept=[]):
    if not kept: kept.append(losses(RATINGS))
    return kept[0]


@quick
@given(st.lists(st.booleans(), min_size=len(RATINGS), max_size=len(RATINGS)))
def test_filtered_as_if_new(chosen):
    "A part of a table, unused categories and all, is as good as a new table of these rows"
    tried["parts of a table"] += 1
    data = RATINGS.assign(user=RATINGS.user.astype("category"))
    part = data[np.array(chosen) | (np.arange(len(data)) < 60)]
    fresh = pd.DataFrame(dict(user=part.user.to_numpy(), title=part.title.to_list(), rating=part.rating.to_list()))
    assert np.array_equal(losses(part), losses(fresh))


def start():
    s = common_start(RATINGS, CONFIG)
    return s._replace(order=np.stack(list(s.order)))     # as a user's own may be; the library's draws it as it goes

STEPS = [
    lambda a: a[:-1], lambda a: np.append(a, a[:1]), lambda a: a + 10**6, lambda a: a - 10**6, lambda a: a*0 - 1, lambda a: np.zeros(0, a.dtype), lambda a: a[None],
    lambda a: a.reshape(-1)[:1], lambda a: a.astype(complex), lambda a: a.astype(str), lambda a: a.astype(object), lambda a: None, lambda a: 0, lambda a: "x",
    lambda a: a.astype(bool), lambda a: a.tolist(), lambda a: np.full(a.shape, 2**31 - 1, np.int32), lambda a: np.full(a.shape, np.nan)]
STRANGE = st.sampled_from(STEPS)
st_sizes = [lambda n: int(n[0]) - 1, lambda n: int(n[0]) + 1, lambda n: -int(n[0]), lambda n: 0, lambda n: float(n[0]) + 0.5, lambda n: None, lambda n: "x", lambda n: np.ones(3)]
FIELDS = [*Start._fields, *[f"{part}.{k}" for part in ("valid", "test", "sizes") for k in range(3)]]

@settings(quick, max_examples=150*MANY or 20)
@given(st.sampled_from(FIELDS), STRANGE, st.sampled_from([CompiledEngine(1), LazyEngine(1), DecayEngine("ridge", 1), DecayEngine("batch", 1)]))
def test_compiled_code_stays_in_its_arrays(field, strange, engine):
    "A start with one part that does not fit is refused before a compiled loop sees it; or it does no harm"
    tried["starts"] += 1
    s, (name, _, k) = start(), field.partition(".")
    old = getattr(s, name)
    if k:
        if int(k) >= len(old): return
        if name == "sizes": strange = st_sizes[STEPS.index(strange) % len(st_sizes)]
        new = (*old[:int(k)], strange(np.atleast_1d(old[int(k)])), *old[int(k) + 1:])
    else:
        if isinstance(old, tuple): return
        new = strange(old)
    try: run = engine.run(s._replace(**{name: new}), CONFIG, 0.1, 5e-3)
    except (ValueError, TypeError) as e: assert "start must" in str(e), e
    else:                                              # another kind of number, another batch: nothing to refuse
        assert name in ("rating", "weights", "order", "valid", "test") and run.train_loss.shape[0] == CONFIG.epochs*CONFIG.n_steps(len(s.rating))


@pytest.mark.parametrize("setting", [dict(n_factors=10**9), dict(epochs=10**9)])
def test_too_large_for_memory_is_said(setting):
    with pytest.raises(ValueError, match="must fit into memory"): common_start(RATINGS, SweepConfig(**setting))
    with pytest.raises(ValueError, match="must fit into memory"): sweep([0.1], RATINGS, SweepConfig(**setting), progress=False)
