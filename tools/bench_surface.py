"""How much sooner one batched loss map is there than a loop over its points (chapter 02), and whether they agree."""
import time

import numpy as np, torch
from torch import nn

from wd_lab.surface import loss_map, toy_points


def loop_map(loss, x, y, lo=-5., hi=8., n=101):
    x, y, side = torch.tensor(x), torch.tensor(y), [lo + (hi - lo)*i/(n - 1) for i in range(n)]
    return np.array([[loss(w*x + b, y).item() for b in side] for w in side])


def best_seconds(run, repeats):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = run()
        times.append(time.perf_counter() - start)
    return min(times), result


def main():
    torch.set_num_threads(1)
    x, y = toy_points()
    for loss in (nn.MSELoss(), nn.L1Loss(), nn.HuberLoss(), nn.SmoothL1Loss()):
        slow, by_loop = best_seconds(lambda: loop_map(loss, x, y), 3)
        fast, at_once = best_seconds(lambda: loss_map(loss, x, y), 50)
        name = type(loss).__name__
        print(f"loss_map against a double loop, {name}: {slow/fast:.0f} times faster (at least 200)")
        print(f"loss_map against a double loop, {name}, largest relative difference: {np.abs(at_once/by_loop - 1).max():.1e} (at most 1e-6)")


if __name__ == "__main__": main()
