"""What a reader sees fits the page, and a cell holds one idea.

A cell of more than 25 lines says why: `#| long its arguments take twelve lines`. nbdev drops that line.
An alt text that needs more than a line goes on in lines that begin with a word and a colon: nbdev drops others.
"""
import csv
import html
import json
import re
from pathlib import Path

import pytest
import yaml
from nbdev.process import extract_directives
from nbformat import from_dict

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted((ROOT/"nbs").glob("*.ipynb"))
MODULES = [path for path in sorted((ROOT/"wd_lab").glob("*.py")) if path.name != "_modidx.py"]
UNSEEN = {"hide", "export", "exporti"}                     # on the site; `exports` and plain cells are seen
RICHER = ("image/", "text/html", "text/markdown")          # shown instead of text/plain


def text(lines): return "".join(lines)


def code_cells(path):
    "Source and outputs of each, and its directives"
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code": continue
        source = text(cell["source"])
        directives = dict(re.findall(r"^#\| *([\w-]+):? *(.*)", source, re.M))
        yield cell, source, directives


def printed(outputs):
    "The lines of text that a page shows below a cell"
    for out in outputs:
        data = out.get("data", {})
        yield from text(out.get("text", "")).splitlines()
        if not any(kind.startswith(RICHER) for kind in data): yield from text(data.get("text/plain", "")).splitlines()


def too_long(lines, most): return [f"{len(line)}: {line}" for line in lines if len(line) > most]


every_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)


@every_chapter
def test_lines_fit_the_page(path):
    "Code that is seen, and what cells print: 95 characters"
    seen = [(cell, source) for cell, source, directives in code_cells(path) if not UNSEEN & directives.keys()]
    assert not too_long([line for _, source in seen for line in source.splitlines()], 95)
    assert not too_long([line for cell, _ in seen for line in printed(cell["outputs"])], 95)


@every_chapter
def test_cells_are_short_or_say_why(path):
    for cell, source, directives in code_cells(path):
        n = sum(bool(line.strip()) and not line.startswith("#|") for line in source.splitlines())
        assert n <= 25 or directives.get("long"), f"{path.name}, cell {cell['id']}: {n} lines. Cut it, or say why: #| long ..."


@every_chapter
def test_alt_texts_survive_nbdev(path):
    "Quarto reads a cell's options as YAML, from what nbdev leaves of them"
    def options(source):
        return yaml.safe_load("\n".join(line[3:] for line in source.splitlines() if re.match(r"#\| +[\w-]+:", line)))
    for cell, source, directives in code_cells(path):
        if "fig-alt" not in directives: continue
        left = from_dict(cell | dict(source=source))
        extract_directives(left)
        written = source[source.index("fig-alt:"):].split('"')[1]
        assert options(left.source)["fig-alt"] == re.sub(r"\n#\| +", " ", written), source[:300]


def of_rows(path):
    "Each row of the ledger that a chapter prints, and each that it shows in a table: id, and its line or its cells"
    for cell, _, _ in code_cells(path):
        for out in cell["outputs"]:
            for row, line in re.findall(r"^([A-Z]\d\d) (.*(?:\n    .*)*)", text(out.get("text", "")), re.M): yield row, " ".join(line.split())
            for line in re.findall(r"<tr.*?</tr>", text(out.get("data", {}).get("text/html", "")), re.S):
                cells = [html.unescape(re.sub(r"<.*?>", "", one)).strip() for one in re.findall(r"<t[hd].*?</t[hd]>", line, re.S)]
                if len(cells) > 3 and re.fullmatch(r"[A-Z]\d\d", cells[0]): yield cells[0], cells


def test_verdicts_agree():
    "What a chapter prints of its rows, its table, chapter 21's, and the files that keep the verdicts"
    with open(ROOT/"wd_lab/ledger.csv", encoding="utf-8", newline="") as file: rows = {row["id"]: row for row in csv.DictReader(file)}
    kept = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (ROOT/"nbs/runs/ledger").glob("*.json")}
    assert set(kept) == set(rows)
    seen = {"printed": [], "chapter's table": [], "table of 21": []}
    for path in CHAPTERS:
        if path.stem[:2] in ("00", "co"): continue              # 00 shows how it is done, with rows of chapter 10
        for row, shown in of_rows(path):
            if row not in rows: continue
            verdict, says = kept[row]["verdict"], ": ".join(filter(None, (rows[row]["says"], rows[row]["figure"])))
            place = "printed" if isinstance(shown, str) else "table of 21" if path.stem[:2] == "21" else "chapter's table"
            seen[place].append(row)
            assert place == "table of 21" or path.stem[:2] == rows[row]["chapter"], (path.name, row)
            if place == "printed": assert shown == " ".join(f"{verdict}: {kept[row]['ours']}".split()), (path.name, row)
            else: assert shown[3] == verdict and shown[1] == says, (path.name, row)
    for place, found in seen.items(): assert sorted(found) == sorted(rows), (place, set(rows) ^ set(found))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_module_lines_fit(path):
    "But for the list of names, which nbdev writes"
    source = re.sub(r"^__all__ = .*?\]$", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    assert not too_long(source.splitlines(), 120)
