"The command line as a shell sees it, what an import costs, and the memory of a sweep."
import os, signal, subprocess, sys, time
from pathlib import Path

from test_survival import finished

COMMAND = Path(sys.executable).parent/"wd_lab_sweep"
ENV = os.environ | {"WD_LAB_OFFLINE": "1"}


def run(*arguments, **kwargs): return subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True, env=ENV, timeout=300, **kwargs)


def test_ctrl_c_leaves_a_folder_to_resume(tmp_path):
    arguments = [COMMAND, "--epochs", "2", "--out", "out", "--no_gif", "--wds", ",".join(str(0.001*k) for k in range(1, 81))]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV, cwd=tmp_path,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))    # a shell's background jobs inherit that it is ignored
    while finished(tmp_path/"out") < 2: time.sleep(0.01); assert process.poll() is None, process.stderr.read()
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in errors and "the same command goes on" in errors
    done = finished(tmp_path/"out")
    assert 2 <= done < 80
    again = subprocess.run(arguments, capture_output=True, text=True, env=ENV, cwd=tmp_path, timeout=300)
    assert again.returncode == 0 and "best wd:" in again.stdout and finished(tmp_path/"out") == 80


def test_mistakes_take_one_line(tmp_path):
    (tmp_path/"full").mkdir()
    (tmp_path/"full"/"thesis.tex").touch()
    for arguments, words in ((["--wds", "-1"], "wds"), (["--factors", "0"], "n_factors"), (["--out", tmp_path/"full", "--wds", "0.1"], "thesis.tex")):
        done = run("--out", tmp_path/"x", *arguments)
        assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1) and words in done.stderr and "Traceback" not in done.stderr


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
