"""Functions behind `recorded` run only at full size: a name that they lack would show months later."""
import json
import re
from pathlib import Path

import pytest
from pyflakes.api import check
from pyflakes.messages import UndefinedName

CHAPTERS = sorted((Path(__file__).parents[1]/"nbs").glob("*.ipynb"))


class Undefined:
    "Collects what pyflakes finds"
    def __init__(self): self.found = []
    def flake(self, message):
        if isinstance(message, UndefinedName): self.found.append(str(message))
    def unexpectedError(self, filename, message): self.found.append(str(message))
    def syntaxError(self, filename, message, *where): self.found.append(f"{message} {where}")


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda p: p.stem)
def test_every_name_is_defined(chapter):
    cells = json.loads(chapter.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    code = re.sub(r"^(\s*)[!%].*", r"\1pass", code, flags=re.M)
    seen = Undefined()
    check(code, chapter.name, seen)
    assert not seen.found
