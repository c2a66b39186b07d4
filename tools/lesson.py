"""What stands around a chapter on its page: needs and minutes under the title, "What we reproduced", references.

pages.py calls these. The notebooks themselves stay plain: links to papers become citations by their addresses in nbs/references.bib.
"""
import re
from pathlib import Path

from execnb.nbio import mk_cell

LEDGER = re.compile(r'chapter_ledger\("\d\d"\)\s*')
LINK = re.compile(r"\[[^\]]*\]\((https?://(?:[^()\s]|\([^()\s]*\))+)\)")


def minutes(nb, seconds):
    "To read, at 200 words and 15 lines of code a minute, and to run, as measured in the last run"
    words = sum(len(c.source.split()) for c in nb.cells if c.cell_type == "markdown")
    lines = sum(c.source.count("\n") + 1 for c in nb.cells if c.cell_type == "code" and "code-fold: true" not in c.source)
    return max(1, round(words/200 + lines/15)), seconds and max(1, round(seconds/60))


def told(read, run, more=""):
    "In minutes; what takes two hours or more to read, in hours"
    read, unit = (f"{round(read/30)/2:g} h", " min") if read >= 120 else (f"{read} min", "")
    return f"{read} to read" + (f", {more}{run}{unit} to run" if run else "")


def head(nb, name, url, took, needs):
    "Under the title: run it, have it, what it needs and how long it takes"
    notebook = f"{url}/blob/main/nbs/{name}"
    colab = notebook.replace("https://github.com", "https://colab.research.google.com/github")
    said = f"[Open in Colab]({colab}) · [Download notebook]({notebook.replace('/blob/', '/raw/')}) · {told(*took)}"
    if needs: said += f"\n\n**Needs** {needs}"
    at = next((i for i, c in enumerate(nb.cells) if c.cell_type != "raw"), 0)
    nb.cells.insert(at, mk_cell(f"::: {{.chapter-links}}\n{said}\n:::", cell_type="markdown"))


def reproduced_first(nb):
    "The chapter's rows of the ledger, from the notebook's end to where the lesson ends: before what the reader has now"
    at = next((i for i, c in enumerate(nb.cells) if c.cell_type == "code" and LEDGER.fullmatch(c.source)), None)
    end = next((i for i, c in enumerate(nb.cells) if c.cell_type == "markdown" and re.search(r"^## What you have now", c.source, re.M)), None)
    if at is None or end is None: return
    rows = nb.cells.pop(at)
    before = nb.cells[at - 1]
    before.source = re.sub(r"\n*^## The ledger\s*\Z", "", before.source, flags=re.M)
    lesson, has_now = re.split(r"^(?=## What you have now)", nb.cells[end].source, maxsplit=1, flags=re.M)
    parts = [lesson, "## What we reproduced", rows, has_now]
    nb.cells[end:end + 1] = [p if p is rows else mk_cell(p, cell_type="markdown") for p in parts if p is rows or p.strip()]
    for i, cell in enumerate(nb.cells): cell.idx_ = i


def papers(bib):
    "Key of each address in the bibliography"
    entries = re.findall(r"@\w+\{([\w:-]+),(.*?)\n\}", Path(bib).read_text(encoding="utf-8"), re.S)
    return {re.search(r"\burl = \{(.*?)\}", fields)[1]: key for key, fields in entries}


def cited(nb, known):
    "A citation behind each link to a paper, and the list of them at the end; keys of those cited"
    found = []
    def cite(match):
        if match[1] not in known: return match[0]
        found.append(known[match[1]])
        return f"{match[0]} [@{known[match[1]]}]"
    for cell in nb.cells:
        if cell.cell_type == "markdown": cell.source = LINK.sub(cite, cell.source)
    if found: nb.cells.append(mk_cell("## References {.unnumbered}\n\n::: {#refs}\n:::", cell_type="markdown"))
    return found
