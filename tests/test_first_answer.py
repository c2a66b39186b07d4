"""What one process compiled and drew, the next one loads, and gets the same numbers; whatever is wrong with the kept files,
it does without them."""
import hashlib, os, subprocess, sys

import pytest

PROGRAM = """
import hashlib, sys
from wd_lab import engines
from wd_lab.data import synthetic_ratings
from wd_lab.sweep import SweepConfig, sweep
result = sweep([0.1, 0.2], synthetic_ratings(n_ratings=3000), SweepConfig(epochs=1, n_factors=8))
functions = [f for f in vars(engines).values() if hasattr(f, "stats")]
hits, misses = (sum(sum(getattr(f.stats, k).values()) for f in functions) for k in ("cache_hits", "cache_misses"))
print(hashlib.sha256(result.records.tobytes()).hexdigest(), hits, misses, "torch" in sys.modules)
"""


def first_answer(cache, **env):
    "Digest of all numbers, functions loaded and compiled, was torch needed, what was said besides"
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True,
                          env=os.environ | dict(WD_LAB_CACHE=str(cache), PYTHONWARNINGS="default::UserWarning") | env)
    digest, hits, misses, torch = done.stdout.split()
    return digest, int(hits), int(misses), torch == "True", done.stderr


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    "A cache that one process has filled, and what it got"
    cache = tmp_path_factory.mktemp("cache")
    digest, hits, misses, torch, _ = first_answer(cache)
    assert hits == 0 and misses and torch
    return cache, digest


def test_second_process_compiles_nothing(kept):
    cache, digest = kept
    assert first_answer(cache)[:4] == (digest, 2, 0, False)


def test_damaged_and_foreign_files(kept):
    "Half a file, a flipped bit, and whole files whose content is another's: made again, with the same numbers"
    cache, digest = kept
    own = cache/"own"
    files = {p.name.partition("-")[0]: p for p in own.iterdir()}
    files["fit"].write_bytes(hashlib.sha256(b"foreign").digest() + b"foreign")
    files["split"].write_bytes(files["split"].read_bytes()[:100])
    weights = bytearray(files["weights"].read_bytes())
    weights[300] ^= 1
    files["weights"].write_bytes(weights)
    again = first_answer(cache)
    assert again[0] == digest and again[2] and again[3]
    assert first_answer(cache)[:4] == (digest, 2, 0, False)


def test_folder_that_others_can_write_to(kept):
    cache, digest = kept
    (cache/"own").chmod(0o777)
    before = {p.name: p.stat().st_mtime_ns for p in (cache/"own").iterdir()}
    *numbers, said = first_answer(cache)
    assert numbers[0] == digest and numbers[1] == 0 and numbers[2] and said.count(f"{cache}/own is not used") == 1
    assert before == {p.name: p.stat().st_mtime_ns for p in (cache/"own").iterdir()}
    (cache/"own").chmod(0o700)
