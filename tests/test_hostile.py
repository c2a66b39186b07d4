"""Hostile input: whatever a public function is given, it answers rightly or says in words what is wrong.

Every public name of every module has an entry in `CALLS`: arguments that are right. Hypothesis replaces one or two of them
by what nobody meant: other types, shapes and dtypes, nan, inf, empty, negative, huge, unknown words. Allowed is an answer, or a
`ValueError`, `TypeError` or another documented error that names an argument; not allowed are other errors, a hang, a crash of
compiled code, and more than a few warnings.

5,000 examples in `make test`; WD_LAB_EXAMPLES=100000 (make soak) for more.
"""
import importlib
import inspect
import math
import os
import pkgutil
import re
import signal
import time
import warnings
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache, partial
from io import StringIO
from pathlib import Path

import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from torch import nn

import wd_lab
from wd_lab import data as wd_data
from wd_lab.data import DataUnavailable, Images, synthetic_images, synthetic_ratings
from wd_lab.engines import CompiledEngine, DecayEngine, FastaiEngine, LazyEngine, SweepConfig, common_start
from wd_lab.sweep import sweep

EXAMPLES = int(os.environ.get("WD_LAB_EXAMPLES", 5000))
SECONDS = 30                                           # of work for one call; the first one compiles
MODULES = [m.name for m in pkgutil.iter_modules(wd_lab.__path__) if m.name != "_modidx"]
tried, wrong, rough = Counter(), Counter(), defaultdict(list)


# ---------------------------------------------------------------- what is right

CONFIG = SweepConfig(n_factors=2, epochs=2, bs=16)

@cache
def ratings(): return synthetic_ratings(20, 30, 120, rank=2)

@cache
def start(): return common_start(ratings(), CONFIG)

@cache
def result():
    wds = np.geomspace(1e-3, 0.9, 13)
    return sweep(wds, ratings(), CONFIG, seeds=2, progress=False)

@cache
def pictures():
    x, y = synthetic_images(60, size=8, channels=3, n_classes=3)
    return Images(x[:40], y[:40], x[40:], y[40:], ["a", "b", "c"], "made up")

@cache
def loaders():
    from wd_lab.images import image_dls
    return image_dls(pictures(), bs=20, valid_bs=20)

@cache
def collab_loaders():
    from wd_lab.collab import collab_dls
    return collab_dls(ratings(), bs=16)

def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))

def state(seed=0):
    torch.manual_seed(seed)
    model = net()
    with torch.no_grad():
        for p in model.parameters(): p.add_(torch.randn_like(p))
    return model.state_dict()

def batches():
    torch.manual_seed(0)
    return [(torch.randn(8, 3), torch.randint(2, (8,))) for _ in range(2)]

def weight(): return torch.ones(3, requires_grad=True)

def weight_with_gradient():
    w = weight()
    w.grad = torch.ones(3)
    return w

def build(seed=0):
    torch.manual_seed(seed)
    model = nn.Linear(3, 2)
    return dict(model=model, train_dl=batches(), valid_dl=batches(), loss_func=nn.CrossEntropyLoss())

def points(): return dict(x=torch.linspace(-1, 1, 5), y=torch.linspace(0, 1, 5))

def curve(): return pd.DataFrame(dict(alpha=[0., 0.5, 1.], train_loss=[1., 2., 1.], train_se=[.1]*3, valid_loss=[1., 3., 1.], valid_se=[.1]*3))

def descent():
    from wd_lab.surface import descend
    return descend(nn.MSELoss(), **points(), epochs=2)

def fashion():
    from wd_lab.optimizers import FashionTensors
    torch.manual_seed(0)
    return FashionTensors(torch.randn(8, 3), torch.randint(2, (8,)), torch.randn(4, 3), torch.randint(2, (4,)))

def torch_learner(): return dict(model_or_learner=nn.Linear(3, 2), train_dl=batches(), loss_fn=nn.CrossEntropyLoss(), num_it=5)

def plane():
    from wd_lab.interpolate import LossPlane
    return LossPlane(np.arange(3.), np.arange(3.), np.ones((3, 3)), np.zeros((3, 2)), np.zeros((0, 3)))

def audit():
    from wd_lab.audit import decay_audit
    model = net()
    return decay_audit(torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1), model)

def pair(): # a model and its optimizer
    model = net()
    return dict(optimizer=torch.optim.AdamW(model.parameters(), lr=0.1), model=model)

def sgd(): return torch.optim.SGD([weight()], lr=0.1, momentum=0.9)

def lrs_and(name): return {"lrs": np.geomspace(1e-3, 1, 30), name: np.linspace(2, 1, 30)**2}

def folder():
    "A new folder for each call, in pytest's own"
    folder.n += 1
    return folder.root/f"{folder.n}"
folder.n = 0


# ---------------------------------------------------------------- every public name

def call(make=dict, share=1., also=(), patient=(), only=None, says=()):
    """`make()` are the right arguments. `share`: examples, times those of a cheap function; `also`: more errors that are
    documented; `patient`: arguments of which much is a long work, which is no hang; `only`: arguments that change;
    `says`: more words that a message may have for what is meant"""
    return dict(make=make, share=share, also=tuple(also), patient=set(patient), only=only, says=says)

TRAIN = dict(share=0.08, patient={"epochs", "repeats", "num_it", "stop", "refine", "seeds", "wds", "lrs", "momenta"})
PLOT = dict(share=0.15)
VALUES = {"engines.DECAYS", "engines.ENGINES", "images.CIFAR_MEAN", "images.CIFAR_STD", "images.SCHEDULES", "recipe.MOMENTA", "shrinkage.LAWS",
          "sweep.GROUPS"}
RECORDS = {"audit.Verdict", "audit.DecayAudit", "data.DataUnavailable", "data.Images", "engines.Start", "engines.Run", "engines.BatchOrder", "engines.Indexed",
           "animate.Film", "surface.Descent", "interpolate.LossPlane", "lr_range.RangeRun", "lr_range.LRRange", "recipe.Search",
           "sweep.SweepResult", "optimizers.FashionTensors", "trends.BestWD", "folder.Contents", "workers.Work"}          # made by the library, not by its users
def given_result(**more): return lambda: dict(result=result(), **more)

CALLS = {
    "animate.animate_losses": call(lambda: dict(result=result(), path=folder()/"a.gif", every=9, size=(160, 120)), 0.03, [OSError]),
    "animate.animate_weights": call(lambda: dict(result=result(), path=folder()/"a.gif", every=9, size=(160, 120)), 0.03, [OSError]),
    "animate.contact_sheet": call(given_result(), 0.05),
    "audit.decay_audit": call(pair, 0.03, [RuntimeError], {"steps"}),
    "audit.GroupedOptim": call(lambda: dict(params=[[weight()]], opt=torch.optim.SGD, lr=0.1), 0.3),
    "cli.read_ratings": call(lambda: dict(path="none.csv"), 1, [OSError]),
    "cli.fitting_range": call(lambda: dict(rating=np.arange(1., 6)), 1),
    "cli.best_table": call(given_result(), 0.3),
    "cli.advice": call(given_result(), 0.3), "cli.one_rate": call(given_result(), 0.3),
    "cli.draw": call(lambda: dict(result=result(), folder=folder.root, films=False), 0.02, [OSError]),
    "cli.run_sweep": call(lambda: dict(wds="0.1", lrs="5e-3", seeds=1, epochs=1, factors=2, data="none.csv", columns={},
                                       limits=None, out="out", engine="auto", films=False, weights=False), 0.3, [OSError, KeyError]),
    "cli.report": call(lambda: dict(result=result(), out=folder.root, films=False), 0.02, [OSError]),
    "cli.wd_lab_sweep": call(lambda: dict(data="none.csv", out=str(folder()), wds="0.1", epochs=1, factors=2, no_gif=True), 0.5,
                             [SystemExit], {"epochs", "seeds", "factors"}),      # without data, offline: one run on 100,000 made-up ratings
    "cli.main": call(lambda: dict(argv=["--data", "none.csv"]), 0.5, [SystemExit]),
    "collab.collab_dls": call(lambda: dict(ratings=ratings()), 0.1),
    "collab.item_column": call(lambda: dict(ratings=ratings())),
    "collab.baseline_learner": call(lambda: dict(dls=collab_loaders(), n_factors=2), 0.1),
    "collab.mean_level": call(lambda: dict(ratings=np.arange(1., 5))),
    "collab.smooth_losses": call(lambda: dict(losses=np.ones(5))),
    "collab.plot_losses": call(lambda: dict(train_loss=np.ones(9), valid_loss=np.ones(2)), **PLOT),
    "collab.plot_weights": call(lambda: dict(model=dict(w=np.ones(4))), 0.05),
    "data.data_dir": call(), "data.movielens_100k": call(), "data.movielens_1m": call(), "data.fashion_mnist": call(),
    "data.cifar100": call(), "data.smith_logs": call(),
    "data.synthetic_ratings": call(lambda: dict(n_users=8, n_movies=9, n_ratings=12, rank=2), 0.5),
    "data.synthetic_images": call(lambda: dict(n=4, size=5)),
    "data.synthetic_logs": call(share=0.02),
    "decay.l2_penalty": call(lambda: dict(params=[weight()], wd=0.1)),
    "decay.add_l2_gradient": call(lambda: dict(params=[weight_with_gradient()], wd=0.1)),
    "decay.decay_factor": call(lambda: dict(lr=0.1, wd=0.1)),
    "decay.momentum_decay_factor": call(lambda: dict(lr=0.1, wd=0.1, momentum=0.9)),
    "decay.half_life": call(lambda: dict(factor=0.9)),
    "decay.parameter_kinds": call(lambda: dict(model=net())),
    "decay.decay_groups": call(lambda: dict(model=net(), wd=0.1)),
    "engines.SweepConfig": call(lambda: dict(n_factors=2)),
    "engines.common_start": call(lambda: dict(data=ratings(), config=CONFIG), 0.3),
    "engines.numbered": call(lambda: dict(column=ratings().user)),
    "engines.FastaiEngine": call(), "engines.CompiledEngine": call(), "engines.DecayEngine": call(), "engines.LazyEngine": call(),
    "hooks.gradient_summary": call(lambda: dict(g=torch.randn(5))),
    "hooks.octave_counts": call(lambda: dict(g=torch.randn(5))),
    "hooks.GradientStats": call(lambda: dict(model_or_modules=net()), 0.3),
    "hooks.overhead": call(lambda: dict(step=lambda: None, watch=None, turns=2), 0.3, [], {"turns"}),
    "hooks.GradientStatsCallback": call(share=0.2),
    "images.balanced_subset": call(lambda: dict(y=np.arange(6) % 3, n=3)),
    "images.flip_and_shift": call(lambda: dict(x=torch.zeros(2, 8, 8, 3))),
    "images.image_dls": call(lambda: dict(data=pictures(), bs=20), 0.2),
    "images.ResidualBlock": call(lambda: dict(c_in=2, c_out=4), 0.3),
    "images.MeanAndMax": call(), "images.resnet_head": call(lambda: dict(kind="concat", n_classes=3)),
    "images.ResNet": call(), "images.resnet_cifar": call(lambda: dict(depth=8, n_classes=3), 0.1),
    "images.native_bf16": call(), "images.choose_precision": call(lambda: dict(model=nn.Flatten(), dls=loaders(), loss_func=nn.CrossEntropyLoss(), bf16=False)),
    "images.image_learner": call(lambda: dict(dls=loaders(), depth=8, bf16=False), 0.05),
    "images.evaluate_images": call(lambda: dict(model=nn.Linear(3, 2), dl=batches())),
    "images.Story": call(), "images.checkpoint_of": call(lambda: dict(settings=dict(lr=0.1))),
    "images.train_cifar": call(lambda: dict(lr=-1.), 0.1), "images.cifar_runs": call(lambda: dict(name="none", settings=[dict(lr=-1.)]), 0.1, says=["lr"]),
    "interpolate.SaveWeights": call(lambda: dict(epochs=[0])),
    "interpolate.interpolate": call(lambda: dict(a=state(0), b=state(1), alpha=0.5)),
    "interpolate.recompute_batch_norm": call(lambda: dict(model=net(), batches=batches())),
    "interpolate.on_device": call(lambda: dict(batch=batches()[0], device="cpu")),
    "interpolate.interpolation_curve": call(lambda: dict(model=net(), a=state(0), b=state(1), alphas=[0, 1], train_dl=batches(), valid_dl=batches(), progress=False), 0.2),
    "interpolate.barrier": call(lambda: dict(curve=curve())),
    "interpolate.plot_curve": call(lambda: dict(curve=curve()), **PLOT),
    "interpolate.loss_plane": call(lambda: dict(model=net(), a=state(0), b=state(1), c=state(2), train_dl=batches(), valid_dl=batches(), n=2, progress=False), 0.2),
    "lab.size": call(), "lab.announce_stand_in": call(lambda: dict(what="made up")), "lab.package_dir": call(), "lab.runs_dir": call(),
    "lab.cache_dir": call(), "lab.recorded": call(lambda: dict(name="hostile", run=lambda: 1), 0.2),
    "lab.reproduced": call(lambda: dict(row="M01", ours=1, ok=True), 1, [AssertionError]),
    "lab.claimed": call(lambda: dict(ok=True, claim="it holds"), 1, [AssertionError]),
    "lab.chapter_ledger": call(share=0.2), "lab.use_style": call(),
    "lab.number_array": call(lambda: dict(name="name", values=[1.]), only=("values",)),
    "lab.real_number": call(lambda: dict(name="name", value=1.), only=("value",)),
    "lab.whole_number": call(lambda: dict(name="name", value=1), only=("value",)),
    "lab.truth": call(lambda: dict(name="name", value=True), only=("value",)),
    "lab.of_kind": call(lambda: dict(name="name", value=1, kind=int, what="a number"), only=("value",)),
    "lab.one_of": call(lambda: dict(name="name", value="a", known=("a", "b")), only=("value",)),
    "lab.iterable": call(lambda: dict(value=[1])), "lab.torch_device": call(lambda: dict(device="cpu")),
    "lab.float_tensor": call(lambda: dict(name="name", value=torch.ones(2)), only=("value",)),
    "lab.axes_for": call(dict, **PLOT), "lab.json_value": call(lambda: dict(name="name", value=[1]), only=("value",)),
    "lab.list_if_several": call(lambda: dict(values=[1])), "lab.folder_path": call(lambda: dict(path="a"), only=("path",)),
    "lab.progress_bar": call(lambda: dict(total=3, progress=False)),
    "lr_range.range_rates": call(lambda: dict(num_it=5), patient={"num_it"}),
    "lr_range.rate_ratios": call(lambda: dict(rates=[0.1, 0.2])),
    "lr_range.lr_range_test": call(torch_learner, **TRAIN),
    "lr_range.steep": call(partial(lrs_and, "losses")), "lr_range.minimum": call(partial(lrs_and, "losses")),
    "lr_range.valley": call(partial(lrs_and, "losses")), "lr_range.slide": call(partial(lrs_and, "losses")),
    "lr_range.smith": call(partial(lrs_and, "accuracies")),
    "optimizers.TwoStepOptimizer": call(lambda: dict(params=[weight()], lr=0.1, weight_decay=0., decoupled=True)),
    "optimizers.SGD": call(lambda: dict(params=[weight()], lr=0.1)), "optimizers.RMSprop": call(lambda: dict(params=[weight()], lr=0.1)),
    "optimizers.Adam": call(lambda: dict(params=[weight()], lr=0.1)), "optimizers.AbsAdam": call(lambda: dict(params=[weight()], lr=0.1)),
    "optimizers.running_sum": call(lambda: dict(state={}, g=torch.ones(2), momentum=0.9)),
    "optimizers.running_mean": call(lambda: dict(state={}, name="avg", x=torch.ones(2), beta=0.9)),
    "optimizers.running_mean_square": call(lambda: dict(state={}, g=torch.ones(2), beta=0.9)),
    "optimizers.fashion_tensors": call(), "optimizers.ShiftedLeakyReLU": call(), "optimizers.fashion_net": call(share=0.3),
    "optimizers.evaluate": call(lambda: dict(model=nn.Linear(3, 2), x=torch.randn(4, 3), y=torch.tensor([0, 1, 0, 1]))),
    "optimizers.train": call(lambda: dict(model=(m := nn.Linear(3, 2)), opt=torch.optim.SGD(m.parameters(), lr=0.1), data=fashion(), batch_size=4), 0.3, patient={"epochs"}),
    "optimizers.step_time_ratio": call(lambda: dict(ours=lambda p: torch.optim.SGD(p, lr=0.1), theirs=lambda p: torch.optim.SGD(p, lr=0.1), widths=(2, 3), turns=2), 0.3, patient={"turns", "widths"}),
    "recipe.train_once": call(lambda: dict(build=build, seed=0, lr=0.1, momentum=0.9, wd=0.01, epochs=1), **TRAIN),
    "recipe.half_widths": call(lambda: dict(losses=np.ones((3, 2)))),
    "recipe.find_momentum": call(lambda: dict(build=build, lr=0.1, momenta=[0.9, 0.8], epochs=1, repeats=2, progress=False), **TRAIN),
    "recipe.half_decades": call(lambda: dict(wd=0.1)),
    "recipe.find_wd": call(lambda: dict(build=build, lr=0.1, wds=[0., 0.1], refine=0, epochs=1, repeats=2, progress=False), **TRAIN),
    "recipe.range_of": call(lambda: dict(build=build, num_it=4), **TRAIN),
    "recipe.Recipe": call(lambda: dict(build=build, path=folder()), share=0.3, also=[OSError]),
    "schedules.linear": call(lambda: dict(pct=0.5, start=0., end=1.)), "schedules.cosine": call(lambda: dict(pct=0.5, start=0., end=1.)),
    "schedules.up_and_down": call(lambda: dict(pct=0.5, start=0., peak=1., end=0.)),
    "schedules.one_cycle": call(lambda: dict(pct=0.5, lr_max=1.)), "schedules.step_decay": call(lambda: dict(pct=0.5, lr_max=1.)),
    "schedules.warmup_stable_decay": call(lambda: dict(pct=0.5, lr_max=1.)),
    "schedules.triangular": call(lambda: dict(pct=0.5, lr_min=0.1, lr_max=1.)),
    "schedules.StepSchedule": call(lambda: dict(optimizer=sgd(), settings={}), also=[NotImplementedError]),
    "schedules.OneCycle": call(lambda: dict(optimizer=sgd(), lr_max=0.1, total_steps=10)),
    "schedules.CyclicalLR": call(lambda: dict(optimizer=sgd(), lr_min=0.1, lr_max=1.)),
    "shrinkage.fit_shrinkage": call(given_result(), 0.02),
    "shrinkage.singular_values": call(given_result(), 0.2),
    "shrinkage.effective_rank": call(lambda: dict(singular_values=[1., 2.])),
    "surface.toy_points": call(lambda: dict(n=5)), "surface.loss_map": call(lambda: dict(loss=nn.MSELoss(), n=3, **points()), 0.3),
    "surface.plot_map": call(lambda: dict(loss=nn.MSELoss(), n=3, **points()), 0.05),
    "surface.lowest_point": call(lambda: dict(loss=nn.MSELoss(), **points()), 0.1),
    "surface.descend": call(lambda: dict(loss=nn.MSELoss(), epochs=2, **points()), 0.5, patient={"epochs"}),
    "surface.plot_path": call(lambda: dict(run=descent()), **PLOT),
    "surface.plot_descent": call(lambda: dict(run=descent(), loss=nn.MSELoss(), **points()), 0.03),
    "surface.plot_descents": call(lambda: dict(epochs=2, losses=[nn.MSELoss()], **points()), 0.03, patient={"epochs"}),
    "surface.decayed_minimum": call(lambda: dict(wd=0.1, **points())),
    "sweep.wd_grid": call(), "sweep.sweep": call(lambda: dict(wds=[0.1], data=ratings(), config=CONFIG, progress=False), 0.6, [OSError], {"wds", "lrs", "seeds"}),
    "sweep.cached_sweep": call(lambda: dict(wds=[0.1], data=ratings(), config=CONFIG), 0.2, [OSError], {"wds", "lrs", "seeds"}),
    "trends.run_table": call(given_result(), 0.3), "trends.parameter_groups": call(given_result(), 0.5),
    "trends.summarize": call(given_result(), 0.3), "trends.plot_trend": call(given_result(), **PLOT), "trends.best_wd": call(given_result(), 0.3),
    "trends.few_steps": call(given_result(wd=0.1)), "trends.flat_until": call(lambda: dict(curve=pd.Series([1., 2.], [0.1, 1.]))),
}


ROUGH = {}                      # name -> why it may answer in Python's own words instead of saying which argument is meant


def public():
    for module in MODULES:
        for name in getattr(importlib.import_module(f"wd_lab.{module}"), "__all__", []): yield f"{module}.{name}"


def test_every_public_name_is_here():
    "A new public name needs an entry in CALLS"
    names = set(public())
    assert not names - CALLS.keys() - VALUES - RECORDS, "no strategy for these: add them to CALLS"
    assert not (CALLS.keys() | VALUES | RECORDS) - names, "these are gone: take them out"
    assert not CALLS.keys() & (VALUES | RECORDS)


# ---------------------------------------------------------------- what nobody meant

class Odd:
    "Is nothing that anybody knows"
    def __repr__(self): return "Odd()"

def frames():
    "Tables that are ratings, nearly"
    df = ratings()
    yield df.iloc[:0]
    yield df[df.user > 10]                                       # filtered: its index has gaps
    yield pd.concat([df, df])                                    # and here each label twice
    yield df.set_index("user")
    yield df.drop(columns="rating")
    yield df.assign(user=df.user.astype(str), title=df.title.astype("category"))
    yield df.assign(rating=df.rating.astype(str))
    yield df.assign(rating=np.nan)
    yield df.assign(rating=np.inf)
    yield df.assign(rating=1e30)
    yield df.assign(rating=pd.Timestamp("2026-01-01"))
    yield df.assign(user=pd.Timestamp("2026-01-01") + pd.to_timedelta(df.user, "D"))
    yield df.assign(user=df.user.where(df.user > 3))             # gaps
    yield df.assign(user=[1, "a"]*60)
    yield df.assign(user=-df.user.astype("int64")*2**40)
    yield df.assign(user=df.user.astype("Int64"), rating=df.rating.astype("Float64"))
    yield df.set_axis(["user", "user", "rating", "timestamp", "title"], axis=1)
    yield df.set_axis(pd.MultiIndex.from_product([["a"], df.columns]), axis=1)
    yield df.head(3)
    yield df.assign(rating=True)
    yield df.assign(rating=df.rating + 1j)

@cache
def tables(): return list(frames())

ODD = [None, True, False, math.nan, math.inf, -math.inf, 0, -1, 1, 0.5, -0.0, 1e-300, 1e300, 10**30, -10**30, 2**63, "", "x", "0.1", "ä\x00\n", b"x",
       [], (), {}, set(), [[]], [None], ["a", 1], [math.nan], [1, 1], {"a": 1}, range(3), object, Odd(), Odd, len, 1j, np.float32(0.1), np.int8(-1),
       np.datetime64("2026-01-01"), pd.Timestamp("2026-01-01"), pd.NaT, pd.NA, np.array(None), np.array("x"), np.zeros(0), np.zeros((0, 3)), np.ones((2, 2, 2)),
       np.array([1, "a"], object), np.array([math.nan, 1.]), np.arange(5), np.arange(5)*1j, np.ma.masked, torch.tensor(0.1), torch.zeros(0), torch.zeros(2, 3),
       torch.tensor(math.nan), torch.tensor([1, 2]), torch.zeros(3, dtype=torch.complex64), torch.zeros(2, 2).to_sparse(), torch.zeros(2, dtype=torch.bool),
       nn.Linear(2, 2), nn.Identity(), pd.Series([1, 2], index=[7, 7]), pd.Series(["a", "b"], dtype="category"), pd.DataFrame(), "2026-01-01", Path("/none/such")]
HUGE = {id(v) for v in ODD if isinstance(v, (int, float)) and not isinstance(v, bool) and v == v and abs(v) > 1e6}

@cache                                                          # making strategies costs more than drawing from them
def values(patient=False):
    few = [v for v in ODD if not (patient and id(v) in HUGE)]
    small = st.integers(-3, 12)
    return st.one_of(
        st.sampled_from(few), st.sampled_from(few), small, st.floats(-10, 10), st.floats(allow_nan=True) if not patient else small.map(float),
        st.text(max_size=4), st.lists(st.floats(-2, 2), max_size=4), st.lists(small, max_size=3).map(tuple), st.lists(small, max_size=4).map(np.array),
        st.lists(st.floats(width=32), max_size=4).map(torch.tensor), st.deferred(lambda: st.sampled_from(tables())),
        st.dictionaries(st.text(max_size=3), small, max_size=2), st.datetimes().map(pd.Timestamp))


SELDOM = st.integers(0, 30)

@cache
def one_or_two(names): return st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)

@st.composite
def arguments(draw, entry, parameters):
    "Right arguments but for one or two, and now and then one that is not known, or lacks"
    right = dict(entry["make"]())
    names = [n for n in entry["only"] or parameters]
    if not names: return right, ()
    changed = draw(one_or_two(tuple(names)))
    for name in changed: right[name] = draw(values(name in entry["patient"]))
    if draw(SELDOM) == 0: right[draw(st.sampled_from(["unknown", "self_", "wd_"]))] = 1
    if draw(SELDOM) == 0: right.pop(changed[0], None)
    return right, changed


class Slow(Exception): "It did not come back in time"

@contextmanager
def within(seconds):
    "So many seconds of work, or ten times as many of waiting: a busy machine is no hang"
    def late(*_): raise Slow(f"no answer in {seconds} s")
    timers = ((signal.ITIMER_PROF, signal.SIGPROF, seconds), (signal.ITIMER_REAL, signal.SIGALRM, 10*seconds))
    before = [signal.signal(number, late) for _, number, _ in timers]
    for timer, _, most in timers: signal.setitimer(timer, most)
    try: yield
    finally:
        for (timer, number, _), handler in zip(timers, before):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


OUR_ERRORS = ValueError, TypeError, DataUnavailable
PYTHONS_OWN = AttributeError, LookupError, RuntimeError, OverflowError, MemoryError, ZeroDivisionError

def said(error, function, parameters):
    "Does the message tell which argument is meant, or is it Python's own word on a call that does not fit?"
    text = str(error)
    words = {*parameters, "argument", "keyword", "Unknown option", *SAYS}
    return any(re.search(rf"(?<!\w){re.escape(w)}(?!\w)", text) for w in words)

SAYS = {"head", "losses", "parameter list", "wds", "lrs", "data", "path", "result", "ratings", "model", "states", "batch", "batches", "each of",
        "loss"}   # what helpers call it


def shape_of(function):
    "The names of its parameters"
    try: parameters = inspect.signature(function).parameters.values()
    except ValueError: return []
    return [p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]


def bounds(entry): return max(3, round(entry["share"]*EXAMPLES/CHEAP))
def the(name): return getattr(importlib.import_module("wd_lab." + name.partition(".")[0]), name.partition(".")[2])
CHEAP = sum(e["share"] for name, e in CALLS.items() if shape_of(the(name)))      # without arguments one is all


@pytest.fixture(autouse=True, scope="module")
def place(tmp_path_factory, measured):
    "No network, no data, a folder of its own"
    folder.root = tmp_path_factory.mktemp("hostile")
    begin, kept, opener, cwd = time.perf_counter(), dict(os.environ), wd_data.build_opener, os.getcwd()
    def refused(*_, **__): raise OSError("no network")
    wd_data.build_opener = refused
    os.environ |= dict(WD_LAB_DATA=str(folder.root/"data"), WD_LAB_RUNS=str(folder.root/"runs"), WD_LAB_CACHE=str(folder.root/"cache"), TQDM_DISABLE="1")
    os.environ.pop("WD_LAB_OFFLINE", None)
    os.chdir(folder.root)
    for warm in (ratings, start, result, pictures, loaders, collab_loaders): warm()
    yield
    os.chdir(cwd)
    os.environ.clear()
    os.environ |= kept
    wd_data.build_opener = opener
    wd_lab.lab._stand_ins.clear()                               # what `announce_stand_in` was told here
    measured(f"hostile input: {sum(tried.values()):,} examples of {len(tried)} functions in {time.perf_counter() - begin:.0f} s; "
             f"crashes, hangs, storms and other errors: {sum(wrong.values())}; "
             f"answers in Python's own words: {sum(map(len, rough.values()))}, of {sum(map(bool, rough.values()))} functions")


def attack(name, function, entry, kwargs):
    "One call. What is wrong with how it went, or None"
    parameters = [*shape_of(function), *entry["says"]]
    os.environ.pop("WD_LAB_OFFLINE", None)                      # `offline=True` of an earlier call
    with warnings.catch_warnings(record=True) as seen, redirect_stdout(StringIO()), redirect_stderr(StringIO()), within(SECONDS):
        warnings.simplefilter("always")
        try: function(**kwargs)
        except entry["also"]: pass
        except OUR_ERRORS as e:
            if not said(e, function, parameters): return "rough", f"{type(e).__name__} names no argument: {str(e)[:150]}"
        except PYTHONS_OWN as e:
            if "unexpected keyword argument" not in str(e): return "rough", f"{type(e).__name__}: {str(e)[:150]}"
        except Exception as e: return "wrong", f"{type(e).__name__}: {str(e)[:150]}"
        finally: plt.close("all")
    ours = [w for w in seen if issubclass(w.category, (UserWarning, RuntimeWarning))]
    if len(ours) > 5: return "wrong", f"{len(ours)} warnings, such as {ours[0].message}"
    return "right", ""


@pytest.mark.parametrize("name", CALLS)
def test_hostile(name):
    function, entry = the(name), CALLS[name]
    parameters = shape_of(function)
    @settings(max_examples=bounds(entry), deadline=None, database=None, derandomize=True, report_multiple_bugs=False, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(arguments(entry, parameters))
    def tries(drawn):
        kwargs, changed = drawn
        tried[name] += 1
        verdict, what = attack(name, function, entry, kwargs)
        if verdict == "right": return
        what = f"{name}: {what}; changed: {({k: kwargs.get(k) for k in changed})!r:.300}"
        wrong[name] += verdict == "wrong"
        assert verdict != "wrong", what
        if verdict == "rough": rough[name].append(what)
    tries()
    assert name in ROUGH or not rough[name], rough[name][0]
