"""Machine code of the kernels, cached on disk under a key made of the text of all files in this folder.

Numba keys a cached function by the file that holds it alone. A kernel that calls functions of other files would keep
running their old code after an edit, in silence. Here an edit of any file beside this one starts a new cache.
"""

import hashlib
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numba

SOURCES = Path(__file__).resolve().parent


def compiled(function: Callable) -> Callable:
    """`numba.njit(cache=True)` with the cache in a folder of its own for each state of the sources.

    The folder lies in NUMBA_CACHE_DIR if that is set, else beside the sources, else in the cache of the user.
    """
    configured = numba.config.CACHE_DIR  # type: ignore[attr-defined]
    numba.config.CACHE_DIR = str(Path(configured or _home()) / f"numba-{fingerprint(SOURCES)}")  # type: ignore[attr-defined]
    try:
        return numba.njit(cache=True)(function)
    finally:
        numba.config.CACHE_DIR = configured  # type: ignore[attr-defined]


@lru_cache(maxsize=1)
def fingerprint(folder: Path) -> str:
    """16 hexadecimal digits of the SHA-256 of the names and contents of all Python files in a folder, at any depth."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}:{len(content)}:".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _home() -> Path:
    """Where caches lie unless the user says otherwise; `make clean` removes the first one."""
    if os.access(SOURCES, os.W_OK):
        return SOURCES / "__pycache__"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "qmfront"
