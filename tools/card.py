"""Draw the card that other sites show with a link to the course: nbs/images/card.png, from the sweep that the pages hold.

usage: card.py      (in the project's root)
"""
import base64, json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np


def main():
    text = Path("nbs/sweep/data.js").read_text(encoding="utf-8")
    data = json.loads(text[text.index("{"):text.rindex(";")])
    part = data["parts"]["valid"]
    values = np.frombuffer(base64.b64decode(part["data"]), "<u2").reshape(-1, part["width"])/65535*(part["high"] - part["low"]) + part["low"]
    epochs, colours = np.arange(1, part["width"] + 1), plt.get_cmap("cividis")(np.linspace(0.15, 1, len(values)))
    with plt.rc_context({"font.size": 17, "text.color": "w", "axes.labelcolor": "w", "xtick.color": "w", "ytick.color": "w", "axes.edgecolor": "#7f93a8"}):
        fig, ax = plt.subplots(figsize=(12, 6.3), dpi=100, facecolor="#0b2239")
        fig.subplots_adjust(left=0.5, right=0.96, top=0.92, bottom=0.14)
        ax.set_facecolor("#0b2239")
        for row, colour in list(zip(values, colours))[::4]: ax.plot(epochs, row, color=colour, lw=1)
        ax.plot(epochs, values[data["best"]], color="w", lw=4)
        ax.annotate(f"best: wd {data['wds'][data['best']]:.2g}", (epochs[-1], values[data["best"], -1]), xytext=(-10, -14), textcoords="offset points", ha="right", va="top")
        ax.set(xlabel="epoch", ylabel="validation loss (stars²)", xticks=epochs, ylim=(0.79, 1.06))
        ax.spines[["top", "right"]].set_visible(False)
        fig.text(0.04, 0.76, "wd_lab", fontsize=54, weight="bold")
        fig.text(0.04, 0.42, "Learn, see and use\nweight decay, and the\ntraining settings\naround it", fontsize=23, linespacing=1.35)
        fig.text(0.04, 0.13, "360 models, one for each\nweight decay", fontsize=18, color="#a8c4de")
        fig.savefig("nbs/images/card.png")
    print(f"{Path('nbs/images/card.png').stat().st_size/1e3:.0f} kB")


if __name__ == "__main__": main()
