"make course without Quarto: what it says, and that it goes on."
import subprocess, sys
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
