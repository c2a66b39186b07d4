"""Time of one step against torch.optim (foreach), on two networks of about a million weights.

usage: bench_optimizers.py
"""
from functools import partial

from torch import optim

from wd_lab.optimizers import SGD, Adam, RMSprop, step_time_ratio

NETWORKS = {"3 layers": (784, 1024, 256, 10), "20 layers": (224,)*20 + (10,)}
PAIRS = {"SGD": (SGD, optim.SGD, {}), "SGD with momentum": (SGD, optim.SGD, dict(momentum=0.9)), "RMSprop": (RMSprop, optim.RMSprop, {}),
         "Adam": (Adam, optim.Adam, {}), "Adam with decay": (Adam, optim.AdamW, dict(weight_decay=0.1))}


def main():
    for network, widths in NETWORKS.items():
        for name, (ours, theirs, settings) in PAIRS.items():
            ratio = step_time_ratio(partial(ours, lr=1e-6, **settings), partial(theirs, lr=1e-6, foreach=True, **settings), widths)
            print(f"step of {name} over torch's, {network}: {ratio:.2f} (at most 1.5)")


if __name__ == "__main__": main()
