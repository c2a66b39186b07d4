"Rates and decays up to a thousand: runs that diverge are marked, the others are unharmed, and pictures are still drawn."
import warnings

import numpy as np
import pytest

import matplotlib.pyplot as plt
from wd_lab.animate import animate_losses, animate_weights, contact_sheet
from wd_lab.data import synthetic_ratings
from wd_lab.sweep import SweepConfig, sweep
from wd_lab.trends import best_wd, plot_trend, summarize

WDS, LRS = [0., 0.01, 0.1, 0.5, 300., 1000.], [0.005, 1., 1000.]


@pytest.fixture(scope="module", params=[(0, 5.5), None], ids=["range", "no range"])
def results(request):
    data, config = synthetic_ratings(n_users=60, n_movies=80, n_ratings=1000), SweepConfig(epochs=2, n_factors=8, y_range=request.param)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")                                    # 1 - lr*wd is below 0: yes
        wild = sweep(WDS, data, config, lrs=LRS, seeds=2, progress=False)
    return wild, sweep(WDS[:4], data, config, seeds=2, progress=False)


def test_marked_and_the_rest_unharmed(results):
    wild, calm = results
    assert wild.sel(lr=0.005, wd=WDS[:4]).records.tobytes() == calm.records.tobytes()
    runs = wild.runs
    assert not runs.diverged[(runs.lr == 0.005) & (runs.wd < 1)].any()
    finite = np.isfinite(wild.train_loss).all(1) & np.isfinite(wild.valid_loss).all(1)
    assert runs.diverged[~finite].all()
    if wild.config.y_range is None:                                        # numbers, but of the order of 1e20
        assert runs.diverged[runs.valid_loss > 10*wild.train_loss[:, 0]].all() and runs.diverged[runs.lr == 1000].all()
    assert runs.valid_loss[~runs.diverged].max() < 1000
    assert not summarize(wild)["valid_loss"].gt(1000).any()
    assert best_wd(wild).lr == wild.best().runs.lr[0] and wild.best().runs.valid_loss[0] < 5


def test_pictures_are_drawn(results, tmp_path):
    wild, _ = results
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = plot_trend(wild)
        ax.figure.canvas.draw()
        assert ax.get_ylim()[1] < 1000
        for lr in LRS:
            part = wild.sel(lr=lr)
            if part.runs.diverged.all():
                with pytest.raises(ValueError, match="did not diverge"): animate_losses(part, tmp_path/"x.gif")
                continue
            for name, draw in dict(train=animate_losses, weights=animate_weights).items():
                assert draw(part, tmp_path/f"{name}{lr}.gif").stat().st_size > 1000
        repr(wild), wild._repr_html_()
    plt.close("all")
