"""The built pages in a real browser: links, pictures, narrow screens, accessibility.

WD_LAB_SITE names a built site; else the preview is built here. All pages are opened; axe takes seconds for each, so it sees
a few in the gate, and all of them, narrow and wide, dark and light, where WD_LAB_SITE is set (make soak)."""
import os, re, subprocess, sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from browser import browser, served

ROOT = Path(__file__).resolve().parents[1]


SEEN = ("index", "explorer"), ("ledger", "sweep_in_hand")    # by axe in the gate: dark and narrow, light and wide


@pytest.fixture(scope="session")
def site(tmp_path_factory):
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
    subprocess.run([*python, ROOT/"tools"/"preview.py", "_proc", "_docs"], cwd=folder, env=here, check=True)
    return folder/"_docs"


class Page(HTMLParser):
    "Anchors, links, pictures without alternative, mathematics"
    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.bare, self.sources, self.math = [], [], [], [], 0
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if "id" in attributes: self.ids.append(attributes["id"])
        if tag == "a" and attributes.get("href"): self.links.append(attributes["href"])
        if tag == "img" and not (attributes.get("alt") or "").strip(): self.bare.append(attributes.get("src", "")[:80])
        if tag in ("img", "script", "link") and (source := attributes.get("src") or attributes.get("href")): self.sources.append(source)
        self.math += tag == "math"


def test_links_pictures_and_anchors(site):
    "Each leads somewhere; no page needs another host; every picture has a text"
    pages, wrong = {path.name: Page(path) for path in site.glob("*.html")}, []
    assert len(pages) > 20
    for name, page in pages.items():
        wrong += [f"{name}: picture without text {src}" for src in page.bare]
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


def test_weight_of_pages(site):
    "Films apart, under 1.5 MB"
    for path in site.glob("*.html"):
        files = {urlsplit(s).path for s in Page(path).sources if not s.startswith("data:") and not s.endswith(".gif")}
        weight = path.stat().st_size + sum((site/f).stat().st_size for f in files)
        assert weight < 1.5e6, (path.name, weight)


def test_pages_in_a_browser(site):
    "No message in the console, no request that fails or leaves, nothing wider than 360 px, no serious finding of axe"
    Axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is missing").Axe
    wrong, axe, whole = [], Axe(), "WD_LAB_SITE" in os.environ
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
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                if wide > 0: wrong.append(f"{now['page']}: {wide} px wider than the screen")
                if not whole and path.stem not in SEEN[turn]: continue
                found = axe.run(page, options={"resultTypes": ["violations"]}).response["violations"]
                wrong += [f"{now['page']}: {v['id']} ({v['impact']}): {v['nodes'][0]['html'][:160]}" for v in found if v["impact"] in ("serious", "critical")]
            page.close()
    assert not wrong, "\n".join(wrong)


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
        assert page.locator("#row-M08 a").get_attribute("href") == "sweep.html#M08"
