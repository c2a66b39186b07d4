"""The built pages in a real browser: links, pictures, narrow screens, accessibility.

WD_LAB_SITE names a built site; else the preview is built here. All pages are opened; axe takes seconds for each, so it sees
a few in the gate, and all of them, narrow and wide, dark and light, where WD_LAB_SITE is set (make soak)."""
import importlib, json, os, re, subprocess, sys, time
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from browser import browser, served

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT/"nbs").glob("[0-9]*.ipynb"))
PAPERS = re.compile(r"\]\((https?://(?:arxiv\.org/abs|doi\.org|jmlr\.org|proceedings\.|papers\.)(?:[^()\s]|\([^()\s]*\))+)\)")

SEEN = ("index", "explorer"), ("ledger", "sweep_in_hand")    # by axe in the gate: dark and narrow, light and wide


@pytest.fixture(scope="session")
def site(tmp_path_factory, measured):
    "The folder of pages"
    if os.environ.get("WD_LAB_SITE"): return Path(os.environ["WD_LAB_SITE"])
    pytest.importorskip("pypandoc", reason="no preview: the package pypandoc_binary is missing")
    from shutil import copy, copytree, ignore_patterns
    folder = tmp_path_factory.mktemp("site")
    for name in ("nbs", "wd_lab"): copytree(ROOT/name, folder/name, ignore=ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    for name in ("settings.ini", "setup.py", "pyproject.toml", "README.md"): copy(ROOT/name, folder/name)
    python = [sys.executable, "-W", "ignore"]
    here = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}
    subprocess.run([*python, ROOT/"tools"/"pages.py", "_proc"], cwd=folder, env=here, check=True)
    start = time.perf_counter()
    subprocess.run([*python, ROOT/"tools"/"preview.py", "_proc", "_docs"], cwd=folder, env=here, check=True)
    measured(f"preview built from processed notebooks in {time.perf_counter() - start:.0f} s (under 60)")
    return folder/"_docs"


class Page(HTMLParser):
    "Anchors, links, pictures without alternative, mathematics"
    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.bare, self.sources, self.math = [], [], [], [], 0
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if "id" in attributes and tag != "link": self.ids.append(attributes["id"])
        if tag == "a" and attributes.get("href"): self.links.append(attributes["href"])
        if tag == "img" and not (attributes.get("alt") or "").strip(): self.bare.append(attributes.get("src", "")[:80])
        if tag in ("img", "script", "link") and (source := attributes.get("src") or attributes.get("href")): self.sources.append(source)
        self.math += tag == "math"


def test_links_pictures_and_anchors(site):
    "Each leads somewhere; ids are unique on each page; no page needs another host; every picture has a text"
    pages, wrong = {path.name: Page(path) for path in site.glob("*.html")}, []
    assert len(pages) > 20
    for name, page in pages.items():
        wrong += [f"{name}: picture without text {src}" for src in page.bare]
        wrong += [f"{name}: {n} times the id {anchor}" for anchor, n in Counter(page.ids).items() if n > 1]
        for link in page.links:
            target = urlsplit(link)
            if target.scheme or "=" in target.fragment: continue
            file = unquote(target.path) or name
            if file not in pages and not (site/file).is_file(): wrong.append(f"{name}: no page {link}")
            elif target.fragment and file in pages and unquote(target.fragment) not in pages[file].ids: wrong.append(f"{name}: no anchor {link}")
        for source in page.sources:
            if urlsplit(source).scheme not in ("", "data"): wrong.append(f"{name}: asks another host, {source}")
            elif not source.startswith("data:") and not (site/urlsplit(source).path).is_file(): wrong.append(f"{name}: no file {source}")
    assert not wrong, "\n".join(wrong)
    assert sum(page.math for page in pages.values()) > 100
    assert not re.search(r"\$(GIT|SITE)_URL", "".join(p.read_text(encoding="utf-8") for p in site.glob("*.html")))


def text_of(path): return " ".join(re.sub(r"<[^>]+>", " ", path.read_text(encoding="utf-8")).split())


LOADED = "performance.getEntriesByType('resource').map(e => new URL(e.name).pathname.slice(1))"


def weight(path, loaded):
    "Bytes of a page with all it shows, films apart: what the browser has asked for, and pictures that it would ask for later"
    html, folder = path.read_text(encoding="utf-8"), path.parent
    names = {unquote(name) for name in loaded} | {urlsplit(s).path for s in Page(path).sources if not s.startswith("data:")}
    files = {(folder/name).resolve() for name in names if not name.endswith((".gif", ".html"))}
    films = sum(map(len, re.findall(r"data:image/gif;base64,[\w+/=]+", html)))
    return len(html.encode()) - films + sum(file.stat().st_size for file in files if file.is_file())


def test_each_chapter_has_its_head_and_its_end(site):
    "Colab, download, needs and minutes; what was reproduced before the questions; a page of its own for each notebook"
    links, timed = {}, json.loads((ROOT/"nbs"/"seconds.json").read_text(encoding="utf-8"))
    for page in site.glob("*.html"):
        for name in re.findall(r"blob/main/nbs/(\w+)\.ipynb", page.read_text(encoding="utf-8")): links[name] = page
    assert set(links) == {path.stem for path in (ROOT/"nbs").glob("*.ipynb")}
    for path in CHAPTERS:
        html, text = links[path.stem].read_text(encoding="utf-8"), text_of(links[path.stem])
        assert "colab.research.google.com" in html and f"raw/main/nbs/{path.name}" in html, path.name
        assert path.name in timed and re.search(r"\d+ min to read ?, \d+ to run", text) and "Needs" in text, path.name
        if re.search(r'^ *"chapter_ledger\(', path.read_text(encoding="utf-8"), re.M) and path.stem[:2] not in ("00", "21"):
            order = [html.index(f'id="{anchor}') for anchor in ("what-we-reproduced", "what-you-have-now", "questions", "further-reading")]
            assert order == sorted(order) and 'id="the-ledger"' not in html, path.name


def test_papers_are_cited_from_one_bibliography(site):
    "Each paper that a chapter links to is in references.bib, each of these is cited, and citations are resolved"
    sys.path.insert(0, str(ROOT/"tools"))
    known = importlib.import_module("lesson").papers(ROOT/"nbs"/"references.bib")
    texts = {path.name: "".join("".join(c["source"]) for c in json.loads(path.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "markdown")
             for path in (ROOT/"nbs").glob("*.ipynb")}
    missing = [(name, url) for name, text in texts.items() for url in PAPERS.findall(text) if url not in known]
    assert not missing, missing
    assert not [url for url in known if not any(f"]({url})" in text for text in texts.values())]
    for page in site.glob("*.html"): assert not re.search(r"\[@\w+\]|citeproc-not-found", page.read_text(encoding="utf-8")), page.name
    assert (site/"papers.html").read_text(encoding="utf-8").count("csl-entry\"") == len(known)


def test_every_public_name_is_in_the_table(site):
    "On one page, with a meaning and a link; and in the search where there is one"
    table, search = (site/"reference.html").read_text(encoding="utf-8"), site/"search.json"
    names = {name for file in (ROOT/"wd_lab").glob("[a-z]*.py") for name in getattr(importlib.import_module(f"wd_lab.{file.stem}"), "__all__", [])}
    rows = dict(re.findall(r"<td[^>]*><a href=\"[\w.#-]+\"><code>([\w.]+)</code></a></td>\s*<td[^>]*>(.*?)</td>", table, re.S))
    assert len(names) > 150 and not names - set(rows), sorted(names - set(rows))
    assert not [name for name, meaning in rows.items() if not meaning.strip()]
    if search.exists():
        found = "".join(entry["text"] for entry in json.loads(search.read_text(encoding="utf-8")) if entry["href"].startswith("reference.html"))
        assert not [name for name in names if name not in found]


def test_search_and_themes(site):
    "Quarto's site: search finds Nesterov and every name, and the reader's scheme decides on dark or light"
    if not (site/"search.json").exists(): pytest.skip("the preview has no search: only Quarto's site")
    with browser() as chromium, served(site) as address:
        for scheme in ("light", "dark"):
            page = chromium.new_page(viewport=dict(width=1280, height=900), color_scheme=scheme)
            page.goto(f"{address}/index.html")
            assert page.locator("body").get_attribute("class").count(f"quarto-{scheme}") == 1
            red = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]")
            assert (int(red) > 128) == (scheme == "light")
            for word in ("Nesterov", "decay_audit"):
                page.goto(f"{address}/index.html")
                page.locator("#quarto-search button").click()
                page.locator(".aa-Input").fill(word)
                page.locator(".aa-Item").first.wait_for(timeout=20_000)
                assert word.lower() in page.locator(".aa-Panel").inner_text().lower()
            page.close()


NARROW = "main :is(.ledger, .arguments) table, main table[id^=T_ledger]"     # each row a card
SIDEWAYS = """selector => [...document.querySelectorAll(selector)].filter(e => e.clientWidth && [e, e.parentElement].some(
  box => box.scrollWidth > box.clientWidth + 1)).map(e => e.innerText.slice(0, 60))"""


def test_pages_in_a_browser(site, measured):
    "No message in the console, no request that fails or leaves, nothing wider than 360 px, nor a line of code than its box, under 1.5 MB, no serious finding of axe"
    Axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is missing").Axe
    wrong, axe, whole, weights, opened, checked = [], Axe(), "WD_LAB_SITE" in os.environ, {}, 0, 0
    with browser() as chromium, served(site) as address:
        for turn, (width, scheme) in enumerate(((360, "dark"), (1280, "light"))):
            page = chromium.new_page(viewport=dict(width=width, height=800), color_scheme=scheme)
            now = {}
            page.on("console", lambda m: wrong.append(f"{now['page']}: {m.text}") if m.type in ("error", "warning") else None)
            page.on("pageerror", lambda e: wrong.append(f"{now['page']}: {e}"))
            page.on("requestfailed", lambda r: None if "ABORTED" in r.failure else wrong.append(f"{now['page']}: {r.failure} {r.url}"))  # not: we went on
            page.on("response", lambda r: wrong.append(f"{now['page']}: {r.status} {r.url}") if r.status >= 400 else None)
            page.on("request", lambda r: None if r.url.startswith((address, "data:")) else wrong.append(f"{now['page']}: asks {r.url}"))
            for path in sorted(site.glob("*.html")):
                if not whole and turn and path.stem not in SEEN[turn]: continue
                now["page"] = f"{path.name} at {width} px"
                page.goto(f"{address}/{path.name}")
                weights[path.name], opened = max(weights.get(path.name, 0), weight(path, page.evaluate(LOADED))), opened + 1
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                if wide > 0: wrong.append(f"{now['page']}: {wide} px wider than the screen")
                boxes = page.evaluate(SIDEWAYS, "main pre" if turn else NARROW)
                wrong += [f"{now['page']}: scrolls in a box: {said!r}" for said in boxes]
                if not whole and path.stem not in SEEN[turn]: continue
                checked += 1
                found = axe.run(page, options={"resultTypes": ["violations"]}).response["violations"]
                wrong += [f"{now['page']}: {v['id']} ({v['impact']}): {v['nodes'][0]['html'][:160]}" for v in found if v["impact"] in ("serious", "critical")]
            page.close()
    heaviest = max(weights, key=weights.get)
    measured(f"{opened} pages opened, {checked} of them checked by axe; console errors, requests to other hosts, failed requests, sideways scroll, serious findings: {len(wrong)}")
    measured(f"heaviest page, films apart: {heaviest}, {weights[heaviest]/1e6:.2f} MB (under 1.5)")
    assert not wrong, "\n".join(wrong)
    assert weights[heaviest] < 1.5e6


def test_ledger_is_filtered(site):
    "By document and verdict; each row can be cited and leads to its cell"
    with browser() as chromium, served(site) as address:
        page = chromium.new_page()
        page.goto(f"{address}/ledger.html")
        shown = lambda: page.locator(".ledger tbody tr:visible").count()
        everything = shown()
        assert everything == page.locator(".ledger tbody tr th a").count() > 100
        page.locator("select").first.select_option("smith")
        of_smith = shown()
        page.locator("select").nth(1).select_option("corrected")
        assert everything > of_smith > shown() > 0
        assert page.locator("output").inner_text() == f"{shown()} of {everything} rows"
        assert page.locator("#row-M08 a").get_attribute("href").endswith("sweep.html#M08")
