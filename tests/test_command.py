"The command line as a shell sees it, what an import costs, and the memory of a sweep."
import os, signal, subprocess, sys, time
from pathlib import Path

import pytest

from test_survival import finished

COMMAND = Path(sys.executable).parent/"wd_lab_sweep"
ENV = os.environ | {"WD_LAB_OFFLINE": "1"}


def run(*arguments, **kwargs):
    return subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True, env=ENV, timeout=300, **kwargs)


def interrupted(arguments, folder, n, presses=1):
    "Start the command, press Ctrl-C once n runs are there; its exit code, its words, and the seconds it took to end"
    process = subprocess.Popen([COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV, cwd=folder,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
    while finished(folder/"out") < n or not (folder/"out"/"runs.npy").exists():
        time.sleep(0.01)
        assert process.poll() is None, process.stderr.read()
    begin = time.monotonic()
    for _ in range(presses): process.send_signal(signal.SIGINT)
    errors = process.communicate(timeout=60)[1]
    return process.returncode, errors, time.monotonic() - begin


def test_ctrl_c_leaves_a_folder_to_resume(tmp_path):
    arguments = ["--epochs", "2", "--out", "out", "--no_gif", "--wds", ",".join(str(0.001*k) for k in range(1, 81))]
    code, errors, _ = interrupted(arguments, tmp_path, 2)
    done = finished(tmp_path/"out")
    assert code == 130 and "Traceback" not in errors and "the same command goes on with the rest" in errors
    assert 2 <= done < 80 and f"{done} of 80 runs are finished and kept in out" in errors
    again = run(*arguments, cwd=tmp_path)
    assert again.returncode == 0 and "best wd:" in again.stdout and finished(tmp_path/"out") == 80
    assert f"{done} found and {80 - done} trained" in again.stdout


@pytest.mark.parametrize("presses", (1, 2))
def test_ctrl_c_waits_for_no_run(tmp_path, presses):
    "Runs of a minute or more are under way: the command ends at once, also when Ctrl-C is pressed twice"
    arguments = ["--factors", "1000", "--epochs", "40", "--out", "out", "--no_gif", "--wds", "0.01,0.1,0.2", "--no_weights"]
    code, errors, seconds = interrupted(arguments, tmp_path, 0, presses)
    assert code == 130 and seconds < 5 and "Traceback" not in errors and "the same command goes on" in errors


STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(100)"])
print(child.pid, flush=True)
time.sleep(100)
"""


def test_ctrl_c_ends_make_test():
    "Its steps run under tools/stoppable.py, which ends what ignores Ctrl-C, and what that has started"
    root = Path(__file__).parent.parent
    assert (root/"Makefile").read_text().count("$(STOPPABLE) ") == 2
    process = subprocess.Popen([sys.executable, root/"tools"/"stoppable.py", sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, text=True,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
    child, begin = int(process.stdout.readline()), time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130 and time.monotonic() - begin < 5
    state = Path(f"/proc/{child}/stat")
    assert not state.exists() or state.read_text().split()[2] == "Z"
    assert subprocess.run([sys.executable, root/"tools"/"stoppable.py", sys.executable, "-c", "import sys; sys.exit(3)"]).returncode == 3


def test_mistakes_take_one_line(tmp_path):
    (tmp_path/"full").mkdir()
    (tmp_path/"full"/"thesis.tex").touch()
    for arguments, words in ((["--wds", "-1"], "--wds"), (["--factors", "0"], "--factors"),
                             (["--out", tmp_path/"full", "--wds", "0.1"], "thesis.tex")):
        done = run("--out", tmp_path/"x", *arguments)
        assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1) and words in done.stderr


def test_wrong_data(tmp_path):
    "A file that is not the original: what is wrong and what to do, exit code 2"
    (tmp_path/"ml-100k").mkdir()
    for name in ("u.data", "u.item"): (tmp_path/"ml-100k"/name).write_text("1\t1\t5\t0\n")
    done = subprocess.run([COMMAND, "--out", tmp_path/"x"], capture_output=True, text=True, env=os.environ | {"WD_LAB_DATA": str(tmp_path)}, timeout=120)
    assert done.returncode == 2 and "is truncated" in done.stderr and "get the original again" in done.stderr and "Traceback" not in done.stderr


def test_import_is_light():
    code = "import wd_lab.sweep, sys; print([m for m in ('fastai', 'torch', 'matplotlib') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_no_owner_but_in_settings():
    "settings.ini is the one place that names the repository's owner; only the README's address is made from it"
    root = Path(__file__).parent.parent
    tracked = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True).stdout.split()
    named = [f for f in tracked if Path(f).suffix not in (".gif", ".png") and "github.com/wd-lab" in (root/f).read_text(encoding="utf-8", errors="ignore")]
    assert set(named) <= {"README.md", "tests/test_command.py", "wd_lab/_modidx.py"}
