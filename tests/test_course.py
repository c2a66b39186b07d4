"make course without Quarto: what it says, and that it goes on."
import json, subprocess, sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]/"tools"))
import course


def test_quarto_of_the_path_is_used(tmp_path, monkeypatch):
    own = tmp_path/"quarto"
    own.write_text("#!/bin/sh\nexit 0\n")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert course.quarto() == str(own)


@pytest.mark.parametrize("end, word", [(SimpleNamespace(returncode=1, stderr="...\nno release for this platform\n"), "no release for this platform"),
                                       (SimpleNamespace(returncode=0, stderr=""), "no reason given"),
                                       (subprocess.TimeoutExpired("pip", 600), "did not end within ten minutes")])
def test_no_quarto_is_announced(tmp_path, monkeypatch, capsys, end, word):
    "Neither on the PATH nor from PyPI: a line with the reason, and None, so that the preview is built"
    def run(*args, **kwargs):
        if isinstance(end, Exception): raise end
        return end
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(course.sys, "executable", str(tmp_path/"python"))
    monkeypatch.setattr(course.subprocess, "run", run)
    assert course.quarto() is None
    said = capsys.readouterr().out
    assert word in said and course.QUARTO in said


def test_a_chapter_that_fails_costs_its_own_page_alone(tmp_path, monkeypatch, capsys):
    "The others are run, the site is built, the failed one keeps what it showed and how long it took; the status says so"
    import nbformat
    root, build = tmp_path/"root", tmp_path/"build"
    for folder in ("nbs", "wd_lab"): (root/folder).mkdir(parents=True)
    for name in ("settings.ini", "setup.py", "pyproject.toml", "_quarto.yml", "README.md", "LICENSE"): (root/name).touch()
    for name, code in {"00_bad": "print('new')\n1/0", "01_good": "print('new')"}.items():
        cell = nbformat.v4.new_code_cell(code, outputs=[nbformat.v4.new_output("stream", text="old")])
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), root/"nbs"/f"{name}.ipynb")
    (root/"nbs"/"seconds.json").write_text('{"00_bad.ipynb": 7, "01_good.ipynb": 7000}')
    monkeypatch.setattr(course, "ROOT", root)
    monkeypatch.setattr(course, "site", lambda folder: folder/"_docs")
    with pytest.raises(SystemExit, match="00_bad.ipynb. Their pages show the committed outputs"): course.main(build)
    said = capsys.readouterr().out
    assert "division by zero" in said and f"The course is in {build/'_docs'}" in said
    outputs = {p.stem: nbformat.read(p, 4).cells[0].outputs[0].text.strip() for p in (build/"nbs").glob("*.ipynb")}
    assert outputs == {"00_bad": "old", "01_good": "new"}
    seconds = json.loads((build/"nbs"/"seconds.json").read_text())
    assert seconds["00_bad.ipynb"] == 7 and seconds["01_good.ipynb"] < 7000


def test_style_sheets_are_slimmed(tmp_path):
    "What a page or a script names stays, with what has no class and with rules around rules; the rest goes"
    import slim
    sheet = tmp_path/"site_libs"/"bootstrap"/"bootstrap.min.css"
    sheet.parent.mkdir(parents=True)
    sheet.write_text("@charset \"UTF-8\";:root{--a:1}body,.gone{color:red}.kept,.gone{top:0}.gone a{top:1px}.tip-end{left:0}.w-2\\.5{width:1px}"
                     "@media print{.gone{top:2px}.kept:not(.gone){top:3px}}@media screen{.gone{top:4px}}@font-face{font-family:x}@keyframes k{to{top:0}}")
    (tmp_path/"page.html").write_text("<p class='kept w-2.5'>")
    (tmp_path/"page.js").write_text("e.className = `tip-${side}`")
    slim.main(tmp_path)
    assert sheet.read_text() == ("@charset \"UTF-8\";:root{--a:1}body{color:red}.kept{top:0}.tip-end{left:0}.w-2\\.5{width:1px}"
                                 "@media print{.kept:not(.gone){top:3px}}@font-face{font-family:x}@keyframes k{to{top:0}}")
