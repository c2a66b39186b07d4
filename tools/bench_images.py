"""A training step of ResNet-56 as `image_learner` sets it up, against plain float32, in turns; and batches from arrays.

usage: bench_images.py [TURNS]     (8 by default)
"""
import os, sys, time

import torch

from wd_lab.data import cifar100
from wd_lab.images import image_dls, image_learner, native_bf16


def seconds(step):
    start = time.perf_counter()
    step()
    if torch.cuda.is_available(): torch.cuda.synchronize()
    return time.perf_counter() - start


def main(turns=8):
    dls = image_dls(cifar100(), bs=256, n=5_120, n_valid=500)
    x, y = dls.one_batch()
    learners = {"chosen": image_learner(dls, seed=0), "plain": image_learner(dls, seed=0, bf16=False, channels_last=False)}
    took = {name: [] for name in learners}
    for _ in range(turns + 1):
        for name, learn in learners.items():
            opt = torch.optim.AdamW(learn.model.parameters(), lr=1e-3)
            def step():
                learn.loss_func(learn.model(x), y).backward()
                opt.step()
            took[name].append(seconds(step))
    chosen, plain = (min(took[name][1:]) for name in ("chosen", "plain"))
    batch = min(seconds(lambda: [None for _ in dls.train]) for _ in range(3))/len(dls.train)
    target = "at least 2, bfloat16 is native here" if native_bf16(dls.device) else "at least 1"
    print(f"precision: {learners['chosen'].precision}")
    print(f"ResNet-56, 50,000 pictures, {os.cpu_count()} cores: {chosen*50_000/256:.0f} s an epoch, {plain*50_000/256:.0f} s in plain float32")
    print(f"times faster than plain float32: {plain/chosen:.2f} ({target})")
    print(f"batch of 256 augmented pictures: {1e3*batch:.1f} ms, {batch/chosen:.1%} of a step (under 5%)")


if __name__ == "__main__": main(*map(int, sys.argv[1:]))
