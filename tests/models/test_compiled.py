"""Compiled kernels never outlive the text they were made from, nor that of the functions they call."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import qmfront.models.compiled as module
from qmfront.models.compiled import fingerprint

OUTER = "from {decorator}\nfrom inner import inner\n\n@decorate\ndef outer(x):\n    return 10.0 * inner(x)\n"
INNER = "from {decorator}\n\n@decorate\ndef inner(x):\n    return x + {constant}\n"
OURS = "compiled import compiled as decorate"
PLAIN = "plain import decorate"


def value(folder: Path) -> float:
    """outer(1.0) in a fresh process."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("NUMBA_CACHE_DIR", None)
    code = "from outer import outer; print(outer(1.0))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    return float(done.stdout)


@pytest.fixture
def kernels(tmp_path: Path) -> Path:
    shutil.copy(module.__file__, tmp_path)
    (tmp_path / "plain.py").write_text("import numba\ndecorate = numba.njit(cache=True)\n")
    return tmp_path


def write(folder: Path, decorator: str, *, constant: float) -> None:
    (folder / "outer.py").write_text(OUTER.format(decorator=decorator))
    (folder / "inner.py").write_text(INNER.format(decorator=decorator, constant=constant))


def machine_code(folder: Path) -> dict[str, int]:
    """When each cached function was written."""
    return {
        path.name.split("-")[0]: path.stat().st_mtime_ns
        for path in folder.glob("__pycache__/numba-*/*/*.nbc")
    }


def test_code_is_cached_until_a_called_function_is_edited(kernels: Path) -> None:
    write(kernels, OURS, constant=1.0)
    assert value(kernels) == 20.0
    made = machine_code(kernels)
    assert set(made) == {"outer.outer", "inner.inner"}
    assert value(kernels) == 20.0
    assert machine_code(kernels) == made
    write(kernels, OURS, constant=2.0)
    assert value(kernels) == 30.0


@pytest.mark.slow
def test_with_the_key_of_numba_old_code_lives_on(kernels: Path) -> None:
    """Why there is such a module. When this fails, Numba has learnt it, and the module can go."""
    write(kernels, PLAIN, constant=1.0)
    assert value(kernels) == 20.0
    write(kernels, PLAIN, constant=2.0)
    assert value(kernels) == 20.0


def test_the_fingerprint_follows_names_and_contents_at_any_depth(tmp_path: Path) -> None:
    seen = set()
    for name, text in (("a.py", "1"), ("a.py", "2"), ("b/c.py", "2"), ("b/d.py", ""), ("b/d.py", "3")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        seen.add(fingerprint.__wrapped__(tmp_path))
    assert len(seen) == 5
    (tmp_path / "notes.txt").write_text("no code")
    assert fingerprint.__wrapped__(tmp_path) in seen
