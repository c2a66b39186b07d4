"The explorer in a real browser: its numbers are the library's, and its sliders, start and address work."
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from browser import browser, served
from wd_lab import optimizers
from wd_lab.surface import descend, toy_points

NBS = Path(__file__).resolve().parents[1]/"nbs"
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Explorer</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/explorer/explorer.css">
<main><div class="explorer" data-page="explorer"></div></main><script type="module" src="/explorer/explorer.js"></script></html>"""
WALK = """async ({settings, shared}) => {
  const {surface, walk} = await import("/explorer/walk.js");
  return walk(surface(shared), settings, shared);
}"""


@pytest.fixture(scope="module")
def page():
    with browser() as chromium, served(NBS) as address:
        page = chromium.new_page(viewport=dict(width=1280, height=900))
        page.problems = []
        page.on("pageerror", lambda e: page.problems.append(str(e)))
        page.on("console", lambda m: page.problems.append(m.text) if m.type == "error" else None)
        page.route("**/bare.html", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
        page.home = f"{address}/bare.html"
        page.goto(page.home)
        yield page


def draw(rng):
    "Settings as the page could have them, for an optimizer and for the ground"
    kind = str(rng.choice(["sgd", "sgd", "rmsprop", "adam"]))
    momentum = float(rng.choice([0, rng.uniform(0, 0.95)])) if kind != "adam" else 0.
    nesterov = bool(kind == "sgd" and momentum and rng.random() < 0.5)
    settings = dict(optimizer=kind, lr=10**rng.uniform(-3, -0.3), momentum=momentum, nesterov=nesterov,
                    dampening=0. if nesterov or not momentum or kind != "sgd" else rng.uniform(0, 0.9),
                    wd=float(rng.choice([0, rng.uniform(0, 3)])), decoupled=bool(rng.random() < 0.5), alpha=rng.uniform(0.5, 0.999),
                    beta1=rng.uniform(0, 0.95), beta2=rng.uniform(0.5, 0.999), eps=10**rng.uniform(-8, -1))
    surface = str(rng.choice(["mse", "l1", "huber", "smoothl1", "valley"]))
    if surface == "valley" and kind == "sgd": settings["lr"] /= 50
    shared = dict(surface=surface, knee=rng.uniform(0.2, 3), condition=rng.uniform(1, 200), angle=rng.uniform(0, 180),
                  start=[rng.uniform(-6, 6), rng.uniform(-6, 6)], batch=int(rng.choice([50, 25, 10, 7, 1])), seed=int(rng.integers(21)), steps=100)
    return settings, shared


def in_python(settings, shared):
    "The same walk by the library, in float64"
    x, y = (v.astype(float) for v in toy_points())
    functional, turn = torch.nn.functional, math.radians(shared["angle"])
    losses = dict(mse=functional.mse_loss, l1=functional.l1_loss, huber=torch.nn.HuberLoss(delta=shared["knee"]),
                  smoothl1=torch.nn.SmoothL1Loss(beta=shared["knee"]))

    def valley(prediction, target):                                  # of the two points at 1 and 0
        bias, weight = prediction[1], prediction[0] - prediction[1]
        along, across = bias*math.cos(turn) + weight*math.sin(turn), weight*math.cos(turn) - bias*math.sin(turn)
        return (along**2 + shared["condition"]*across**2)/2

    class Walker(dict(sgd=optimizers.SGD, rmsprop=optimizers.RMSprop, adam=optimizers.Adam)[settings["optimizer"]]):
        def __init__(self, params, lr):
            own = dict(sgd=("momentum", "dampening", "nesterov"), rmsprop=("alpha", "eps", "momentum"), adam=("eps",))[settings["optimizer"]]
            betas = dict(betas=(settings["beta1"], settings["beta2"])) if settings["optimizer"] == "adam" else {}
            super().__init__(params, lr, weight_decay=settings["wd"], decoupled=settings["decoupled"], **betas, **{k: settings[k] for k in own})

    alone = shared["surface"] == "valley"
    if alone: x, y = np.array([1., 0.]), np.zeros(2)
    loss = valley if alone else losses[shared["surface"]]
    batch = None if alone or shared["batch"] == 50 else shared["batch"]
    epochs = math.ceil(shared["steps"]/math.ceil(50/batch)) if batch else shared["steps"]
    run = descend(loss, x, y, lr=settings["lr"], epochs=epochs, start=shared["start"], optimizer=Walker, batch_size=batch, seed=shared["seed"])
    return run.path, run.losses


def test_forty_walks_are_the_librarys(page, measured):
    "Each position and each loss, as long as no weight is beyond 1e3"
    rng, worst, seen = np.random.default_rng(20261122), 0., set()
    for case in range(44):
        settings, shared = draw(rng)
        got = page.evaluate(WALK, dict(settings=settings, shared=shared))
        path, losses = (np.array(got[k]) for k in ("path", "losses"))
        want, want_losses = in_python(settings, shared)
        near = np.abs(want[:len(path)]).max(1) <= 1e3
        assert len(path) == 101 or not near.all(), (case, settings, shared)
        size = np.maximum.accumulate(np.abs(want[:len(path)]).max(1, keepdims=True))[near]    # of the walk so far
        off = np.abs(path[near] - want[:len(path)][near])/size
        kept = near[:len(losses)]
        off_losses = np.abs(losses[kept]/want_losses[:len(losses)][kept] - 1) if shared["surface"] != "valley" else np.zeros(1)
        worst = max(worst, off.max(), off_losses.max())
        assert off.max() < 1e-6 and off_losses.max() < 1e-6, (case, settings, shared, off.max(), off_losses.max())
        seen.add((settings["optimizer"], shared["surface"]))
    assert len(seen) >= 12
    measured(f"explorer against the library, 44 walks: largest relative difference {worst:.1e} (at most 1e-6)")


def test_points_and_orders_are_the_librarys(page):
    "The fifty points, and NumPy's order of them for a seed"
    points = np.array(page.evaluate("async () => (await import('/explorer/points.js')).POINTS"))
    np.testing.assert_array_equal(points, np.stack(toy_points(), 1).astype(float))
    for seed in (0, 1, 20):
        rng = np.random.default_rng(seed)
        got = page.evaluate("async seed => { const {order} = await import('/explorer/walk.js'); return [0, 1, 2, 30].map(e => order(seed, e)); }", seed)
        want = [rng.permutation(50).tolist() for _ in range(31)]
        assert got == [want[e] for e in (0, 1, 2, 30)]


def trail(page, side=0): return page.locator(".map svg path:nth-of-type(2)").nth(side).get_attribute("d")


def frame(page): page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_sliders_start_and_address(page):
    "A slider moves the path, the start follows keys and pointer, the address brings everything back, presets fit their sentences"
    page.goto("about:blank")
    page.goto(page.home)
    before = trail(page)
    slider = page.locator("#knob-a-lr")
    slider.focus()
    slider.press("ArrowRight")
    frame(page)
    faster = trail(page)
    assert faster != before
    start = page.locator(".start").first
    start.focus()
    start.press("Shift+ArrowUp")
    start.press("ArrowLeft")
    frame(page)
    assert "weight 7, bias -3.1" in start.get_attribute("aria-label")
    box = page.locator(".map").nth(1).bounding_box()
    page.mouse.click(box["x"] + box["width"]/2, box["y"] + box["height"]/4)
    frame(page)
    assert "weight 4.7" in start.get_attribute("aria-label") or "weight 4.8" in start.get_attribute("aria-label")
    handle = start.bounding_box()
    page.mouse.move(handle["x"] + 15, handle["y"] + 15)
    page.mouse.down()
    page.mouse.move(handle["x"] + 65, handle["y"] + 65, steps=4)
    page.mouse.up()
    page.wait_for_timeout(300)                                       # the address is written when the reader pauses
    shared, moved = page.url, trail(page)
    assert "a.lr=" in shared and "weight=" in shared
    page.goto("about:blank")
    page.goto(shared)
    assert trail(page) == moved
    page.goto("about:blank")
    page.goto(page.home + "#surface=nonsense&a.lr=x&steps=1e9&b.optimizer=constructor&seed=")
    assert page.locator("#knob-steps").input_value() == "400"
    paths = set()
    for preset in page.locator(".presets button").all():
        preset.click()
        frame(page)
        assert preset.get_attribute("aria-pressed") == "true"
        paths.add(trail(page) + trail(page, 1))
        assert "NaN" not in page.content()
    assert len(paths) == page.locator(".presets button").count() >= 8
    assert not page.problems


def test_small_ones_in_a_chapter(page):
    "Two on a page: each with its own settings and controls, without presets; the link brings them to the whole page"
    small = '<div class="explorer" data-page="explorer" data-settings="{}"></div>'
    both = small.format("surface=valley&amp;steps=60") + small.format("a.wd=2&amp;b.wd=2&amp;b.decoupled=1")
    body = PAGE.replace('<div class="explorer" data-page="explorer"></div>', both)
    page.route("**/chapter.html", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto(page.home.replace("bare.html", "chapter.html"))
    assert page.locator(".map").count() == 4 and page.locator(".presets").count() == 0
    ids = page.locator("[id]").evaluate_all("all => all.map(e => e.id)")
    assert len(ids) == len(set(ids))
    first = trail(page)
    page.locator(".explorer").nth(1).locator("input[type=range]").first.press("ArrowLeft")
    frame(page)
    assert trail(page) == first
    assert "a.lr=" in page.locator(".explorer a").nth(1).get_attribute("href")
    assert page.url.endswith("chapter.html") and not page.problems


def test_a_frame_is_quick(page, measured):
    "Script time after a slider moves: the least of thirty, for other processes take the rest"
    page.goto("about:blank")
    page.goto(page.home + "#steps=400&batch=5&a.optimizer=adam&surface=huber")
    times = {}
    for knob in ("a-lr", "knee"):
        slider, seen = page.locator(f"#knob-{knob}"), []
        slider.focus()
        for _ in range(30):
            slider.press("ArrowRight" if len(seen) % 2 else "ArrowLeft")
            frame(page)
            seen.append(float(page.locator(".explorer").get_attribute("data-milliseconds")))
        times[knob] = min(seen)
    measured(f"explorer, script time of a frame: {max(times.values()):.1f} ms (under 16)")
    assert max(times.values()) < 16


def test_weight(measured):
    "Less than 60 kB, and no other host in it"
    files = list((NBS/"explorer").glob("*.js")) + list((NBS/"explorer").glob("*.css"))
    size = sum(f.stat().st_size for f in files)
    measured(f"explorer: {size/1e3:.0f} kB (under 60); the sweep's data {(NBS/'sweep'/'data.js').stat().st_size/1e3:.0f} kB (under 300)")
    assert size < 60_000
    for f in files: assert "http" not in f.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")


SWEEP = PAGE.replace('data-page="explorer"', 'data-page="sweep"').replace("/explorer/explorer.js", "/sweep/sweep.js")


def test_sweep_in_the_hand(page, measured):
    "360 runs in under 300 kB; the slider moves all four charts, the best is where it rests, a frame is quick"
    data = NBS/"sweep"/"data.js"
    assert data.stat().st_size < 300_000
    page.route("**/sweep.html", lambda route: route.fulfill(body=SWEEP, content_type="text/html"))
    page.goto(page.home.replace("bare.html", "sweep.html"))
    slider, box = page.locator("#sweep-wd"), page.locator(".explorer")
    assert "lowest of all" in page.locator(".said").inner_text()
    best = slider.input_value()
    drawn = lambda: page.locator(".chart path:not(.frame)").evaluate_all("all => all.map(p => p.getAttribute('d'))")
    at_best, times = drawn(), []
    slider.press("Home")
    frame(page)
    assert sum(a == b for a, b in zip(at_best, drawn())) == 2                    # the two curves over all weight decays
    for _ in range(15):
        slider.press("ArrowRight")
        frame(page)
        times.append(float(box.get_attribute("data-milliseconds")))
    measured(f"sweep in the hand, script time of a frame: {min(times):.1f} ms (under 16)")
    assert min(times) < 16
    page.get_by_role("button", name="play").click()
    page.wait_for_timeout(500)
    page.get_by_role("button", name="stop").click()
    assert int(slider.input_value()) > 15
    page.get_by_role("button", name="to the best").click()
    page.wait_for_timeout(300)
    assert slider.input_value() == best and "#wd=" in page.url
    assert not page.problems
