"Every public name is documented, with each of its arguments and its errors; annotations agree with the code"
import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import wd_lab

ROOT = Path(__file__).resolve().parent.parent
MODULES = [m.name for m in pkgutil.iter_modules(wd_lab.__path__) if m.name != "_modidx"]
CLEAR = {"self", "cls", "args", "kwargs", "ax", "seed", "_"}     # everywhere the same


def public():
    "Module and name, function or class, of the library's public functions, classes and their public methods"
    for module in MODULES:
        home = importlib.import_module(f"wd_lab.{module}")
        for name in home.__all__:
            thing = getattr(home, name)
            if not callable(thing) or not str(getattr(thing, "__module__", "")).startswith("wd_lab"): continue
            yield f"{module}.{name}", thing
            if inspect.isclass(thing):
                for method, f in vars(thing).items():
                    if not method.startswith("_") and inspect.isfunction(f) and f.__module__.startswith("wd_lab"):
                        yield f"{module}.{name}.{method}", f


ALL = dict(public())
INNER = {"opt_step", "gradient_size", "forward", "at", "get_lr", "after_loss", "after_batch", "before_train", "before_validate", "after_train", "check",
         "reg_step"}         # called by fastai, torch or a base class, which document them


MADE = {"audit.DecayAudit", "sweep.SweepResult"}     # by a function, for the user to read


def of_its_own(name): return name.rpartition(".")[2] not in INNER


@pytest.mark.parametrize("name", filter(of_its_own, ALL))
def test_docstring(name):
    assert (ALL[name].__doc__ or "").strip(), f"{name} needs a docstring"


def signature_of(thing):
    "The arguments of a function, or of a class's `__init__`, and the lines of its source"
    f = vars(thing).get("__init__") if inspect.isclass(thing) else thing
    f = inspect.unwrap(f) if f is not None else None
    if not inspect.isfunction(f) or not f.__module__.startswith("wd_lab"): return [], []
    try: source = textwrap.dedent(inspect.getsource(f))
    except OSError: return [], []                                   # written by `dataclass`
    a = ast.parse(source).body[0].args
    return [x for x in [*a.posonlyargs, *a.args, a.vararg, *a.kwonlyargs, a.kwarg] if x], source.splitlines()


def explained(argument, lines, words):
    "By a comment on its line, or on a line of its own below it; by the docstring; by a type of this library"
    at = argument.lineno - 1
    below = lines[at + 1].strip() if at + 1 < len(lines) else ""
    kind = ast.unparse(argument.annotation) if argument.annotation else ""
    return ("#" in lines[at] or below.startswith("#") or f"`{argument.arg}`" in words
            or kind in {"SweepConfig", "Start", "SweepResult", "StepSchedule"})


@pytest.mark.parametrize("name", filter(of_its_own, ALL))
def test_arguments(name):
    "Meaning, unit or shape of each, in a comment beside it"
    thing = ALL[name]
    if name in MADE: return
    arguments, lines = signature_of(thing)
    words = f"{thing.__doc__} {getattr(getattr(thing, '__init__', None), '__doc__', '')}"
    lacking = [a.arg for a in arguments if a.arg not in CLEAR and not a.arg.startswith("_") and not explained(a, lines, words)]
    assert not lacking, f"{name}: say what {', '.join(lacking)} {'is' if len(lacking) == 1 else 'are'}"


def raised(thing):
    "Errors that the body raises by name"
    try: tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    except (OSError, TypeError, SyntaxError): return set()
    nodes = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.exc is not None]
    return {n.func.id if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) else getattr(n, "id", "") for n in nodes} & {"ValueError", "TypeError", "DataUnavailable", "RuntimeError"}


@pytest.mark.parametrize("name", [n for n, thing in ALL.items() if not isinstance(thing, type)])
def test_errors(name):
    "An error that the body raises is in the docstring: callers plan for it"
    said = ALL[name].__doc__ or ""
    lacking = {e for e in raised(ALL[name]) if e not in said}
    if lacking == {"TypeError"} and "ValueError" in said: return           # the same mistake in another type
    assert not lacking, f"{name} raises {', '.join(sorted(lacking))}: say for what"


def test_annotations(tmp_path):
    "By mypy, with the settings of pyproject.toml"
    done = subprocess.run([sys.executable, "-m", "mypy", "--cache-dir", tmp_path], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_marked_as_typed(): assert (ROOT/"wd_lab"/"py.typed").is_file()
