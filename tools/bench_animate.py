"""Films of the 360-wd sweep: time, memory and size, against one artist for every line.

usage: bench_animate.py      (reads or trains the cached sweep first)
"""
import resource, tempfile, threading, time
from pathlib import Path

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation, PillowWriter
from PIL import Image

from wd_lab.animate import animate_losses, animate_weights
from wd_lab.data import movielens_100k
from wd_lab.lab import use_style
from wd_lab.sweep import cached_sweep, wd_grid

FRAMES = 12


def every_line_an_artist(result, path):
    "Wall and processor seconds for 12 frames, scaled to all"
    wds = result.runs.wd.to_numpy()
    with plt.style.context("default"):
        fig, ax = plt.subplots(figsize=(6.4, 4.8))
        lines = ax.plot(result.smooth_train_loss.T, color="C0", alpha=0)
    def show(i):
        for k, line in enumerate(lines): line.set_alpha(float(k == i))
        ax.set_title(f"wd {wds[i]}")
    film = FuncAnimation(fig, show, frames=range(0, len(wds), len(wds)//FRAMES), init_func=lambda: None)
    wall, cpu = time.perf_counter(), time.process_time()
    film.save(path, writer=PillowWriter(fps=12))
    spent = time.perf_counter() - wall, time.process_time() - cpu
    plt.close(fig)
    return [s*len(wds)/FRAMES for s in spent]


class Resident:
    "Largest growth of resident memory inside a with block, in MB"
    def __enter__(self):
        self.start, self.most, self.over = self.now(), 0, threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def watch(self):
        while not self.over.wait(0.01): self.most = max(self.most, self.now() - self.start)

    @staticmethod
    def now(): return int(Path("/proc/self/statm").read_text().split()[1])*resource.getpagesize()/1e6


def main():
    use_style()
    result = cached_sweep(wd_grid(), movielens_100k())
    result.smooth_train_loss
    with tempfile.TemporaryDirectory() as folder:
        films = (("training loss", animate_losses, dict(which="train")), ("validation loss", animate_losses, dict(which="valid")), ("weights", animate_weights, {}))
        for k, (name, film, kwargs) in enumerate(films):
            with Resident() as memory:
                wall, cpu = time.perf_counter(), time.process_time()
                path = film(result, f"{folder}/{k}.gif", **kwargs)
                wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            if k == 0: ours = wall, cpu
            with Image.open(path) as gif:
                frames = []
                for i in range(gif.n_frames):
                    gif.seek(i)
                    frames.append(hash(gif.convert("RGB").tobytes()))
            print(f"{name} GIF, seconds: {wall:.1f}, of the processor {cpu:.1f} (target < 8)")
            print(f"{name} GIF, resident memory on top: {memory.most:.0f} MB (target < 400)")
            print(f"{name} GIF, size: {path.stat().st_size/1e6:.2f} MB (target < 2.5)")
            print(f"{name} GIF, frames: {len(frames)}, equal neighbours: {sum(a == b for a, b in zip(frames, frames[1:]))} (target {len(np.unique(result.runs.wd))} and 0)")
        theirs = every_line_an_artist(result, f"{folder}/all.gif")
    print(f"every line an artist, {FRAMES} frames scaled to 360, seconds: {theirs[0]:.0f}, of the processor {theirs[1]:.0f}")
    print(f"times faster: {theirs[0]/ours[0]:.0f} on the clock, {theirs[1]/ours[1]:.0f} in processor time (target > 60)")


if __name__ == "__main__": main()
