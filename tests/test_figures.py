"Each figure of the chapters is in the notebook: readers on GitHub see what is stored"
import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent/"nbs").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_figures_are_stored(path):
    "A cell with `fig-alt` has a picture, or HTML that shows one, among its outputs"
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or "#| fig-alt:" not in source: continue
        kinds = {kind for out in cell["outputs"] for kind in out.get("data", {})}
        assert kinds & {"image/png", "image/svg+xml", "image/gif", "text/html"}, f"run {path.name}, cell {cell['id']}: no picture"
