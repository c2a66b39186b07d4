"""What a range test costs: 100 steps of `lr_range_test` against 100 plain training steps, in turns within one process.

usage: bench_lr_range.py [turns]
"""
import sys
import time

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

from wd_lab.lr_range import lr_range_test
from wd_lab.optimizers import fashion_net

STEPS = 100


def seconds(f):
    start = time.process_time()
    f()
    return time.process_time() - start


def ratio(one, other, turns):
    "The fastest of each: what slows the others is the machine"
    pairs = [(seconds(one), seconds(other)) for _ in range(turns)]
    return min(a for a, _ in pairs)/min(b for _, b in pairs)


def against_a_plain_loop(turns, opt_class, **settings):
    x, y = torch.randn(STEPS*128, 1, 28, 28), torch.randint(10, (STEPS*128,))
    net = fashion_net()
    opt, dl = opt_class(net.parameters(), lr=1e-7, **settings), DataLoader(TensorDataset(x, y), 128, shuffle=True)

    def plain():
        net.train()
        for xb, yb in dl:
            loss = F.cross_entropy(net(xb), yb)
            loss.backward()
            opt.step()
            opt.zero_grad()
            loss.item()

    return ratio(lambda: lr_range_test(net, dl, F.cross_entropy, opt, num_it=STEPS, stop_div=False), plain, turns)


def against_a_learner(turns):
    import fastai.callback.all                                  # gives a Learner its `no_bar`
    from fastai.callback.core import Callback, CancelValidException
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    x, y = torch.randn(STEPS*64, 1, 28, 28), torch.randint(10, (STEPS*64,))
    pairs = list(zip(x, y))
    learn = Learner(DataLoaders.from_dsets(pairs, pairs[:64], bs=64, device="cpu"), fashion_net(), loss_func=F.cross_entropy)

    class NoValidation(Callback):
        def before_validate(self): raise CancelValidException

    def plain(): learn.fit(1, 1e-7, cbs=NoValidation())
    with learn.no_bar(), learn.no_logging():
        return ratio(lambda: lr_range_test(learn, num_it=STEPS, stop_div=False), plain, turns)


def main(turns=5):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    sgd, adam = against_a_plain_loop(turns, torch.optim.SGD, momentum=0.9), against_a_plain_loop(turns, torch.optim.AdamW)
    print(f"range test over 100 plain steps, fashion_net, batch 128, SGD: {sgd:.2f} (at most 1.1)")
    print(f"range test over 100 plain steps, fashion_net, batch 128, AdamW: {adam:.2f} (at most 1.1)")
    print(f"range test of a Learner over 100 of its steps, batch 64: {against_a_learner(turns):.2f} (at most 1.1)")


if __name__ == "__main__": main(*map(int, sys.argv[1:]))
