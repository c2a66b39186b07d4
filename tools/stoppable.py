"""Run a command that Ctrl-C ends within seconds, whatever it has started.

usage: stoppable.py COMMAND...

nbdev_test, for one, answers Ctrl-C by failing the notebooks under way and going on with the others.
"""
import os, signal, subprocess, sys

PATIENCE = 2 # seconds between Ctrl-C and the end of what has not ended


def main(command):
    process = subprocess.Popen(command, start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
    for which in (signal.SIGINT, signal.SIGTERM): signal.signal(which, stop)
    try: return process.wait()
    except KeyboardInterrupt:
        for which in (signal.SIGINT, signal.SIGTERM): signal.signal(which, signal.SIG_IGN)
        os.killpg(process.pid, signal.SIGINT)
        try: process.wait(PATIENCE)
        except subprocess.TimeoutExpired: pass
        try: os.killpg(process.pid, signal.SIGKILL)             # the process may be gone, what it started not
        except ProcessLookupError: pass
        return 130


def stop(*_): raise KeyboardInterrupt


if __name__ == "__main__": sys.exit(main(sys.argv[1:]))
