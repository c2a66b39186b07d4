"A real browser for the tests of pages: Debian's Chromium (or another), headless, by Playwright; without one they are skipped, and say so."
import functools, http.server, os, shutil, threading
from contextlib import contextmanager

import pytest

NAMES = "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"


@contextmanager
def browser():
    "A running browser"
    playwright = pytest.importorskip("playwright.sync_api", reason="no browser test: the package playwright is missing")
    found = os.environ.get("WD_LAB_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found: pytest.skip("no browser test: no Chromium here (Debian: apt install chromium; else name one in WD_LAB_BROWSER)")
    with playwright.sync_playwright() as p:
        running = p.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield running
        running.close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args): pass


@contextmanager
def served(folder):
    "A folder on an address of this machine"
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
