"""Structure files of strangers: atoms, or one clear error within two seconds, and nothing is run."""

import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import write

from qmfront.crystal.structure_reading import read_structure

PERIODIC = (False, False, True)
HEAD = b'Properties=species:S:1:pos:R:3 pbc="F F T"\n'
FRAME = b'1\nLattice="1 0 0 0 1 0 0 0 1" pbc="F F T"\nCu 0 0 0\n'


def told(path: Path, file_format: str | None = None) -> str:
    """The error of a file, in less than two seconds."""
    before = time.process_time()
    with pytest.raises(ValueError) as caught:
        read_structure(path, file_format=file_format, pbc=PERIODIC)
    assert time.process_time() - before < 2.0
    assert path.name in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "file_format", "message"),
    [
        (b"99999999999\n" + HEAD + b"Cu 0 0 0\n", None, "announces 99999999999 atoms in its first lines and is 64"),
        (b"999999\n" + HEAD + b"#" * 10**6, None, "announces 999999 atoms"),
        (b"x\n1.0\n3 0 0\n0 3 0\n0 0 3\nCu\n99999999999\nDirect\n0 0 0\n", "vasp", "announces 99999999999 atoms"),
        (b"x\n\n99999999999 atoms\n1 atom types\n0 3 xlo xhi\n", "lammps-data", "announces 99999999999 atoms"),
        (b"1\nProperties=species:S:1:pos:R:3:a:R:9999999999\nCu 0 0 0\n", None, "a column of 9999999999 values"),
        (FRAME * 10_001, None, "holds 10001 configurations. Write the last alone"),
        (b"5\n" + HEAD + b"Cu 0 0 0\nCu 0 0 2\nCu 0 0", None, "cannot be read"),
        (b"1\n" + HEAD + b"Cu 0 zero 0\n", None, "cannot be read (ValueError"),
        (b"no structure", None, "cannot be read"),
        (b"", None, "cannot be read"),
        (b"[" * 100_000, None, "cannot be read"),
        (b"0\n" + HEAD, None, "own.extxyz"),
    ],
)  # fmt: skip
def test_texts_that_are_no_structure(
    content: bytes, file_format: str | None, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "own.extxyz"
    path.write_bytes(content)
    assert message in told(path, file_format)


def test_numbers_in_free_text_are_no_number_of_atoms(tmp_path: Path) -> None:
    """LAMMPS writes the step of a run into the first line of its data files."""
    atoms = bulk("Cu", cubic=True)
    path = tmp_path / "own.data"
    write(path, atoms, format="lammps-data", masses=True)
    text = path.read_text().split("\n", 1)[1]
    path.write_text(f"LAMMPS data file via write_data, version 29 Sep 2021, timestep = 5000000\n{text}")
    assert len(read_structure(path, file_format="lammps-data", pbc=PERIODIC)) == len(atoms)
    path.write_text(f"5000000\n{text}")
    assert "announces 5000000 atoms" in told(path, "lammps-data")


def test_a_reader_that_repeats_the_file_is_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "own.extxyz"
    path.write_bytes(b"\0" * 10**6)
    assert len(told(path)) < 1000


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything."""
    path = tmp_path / "own.extxyz"
    write(path, bulk("Cu", cubic=True))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "may not be read by you" in told(path)


def moved(index: int, where: Any) -> Callable[[Atoms], None]:
    def change(atoms: Atoms) -> None:
        atoms.positions[index] = where

    return change


def scaled(factor: float) -> Callable[[Atoms], None]:
    def change(atoms: Atoms) -> None:
        atoms.positions *= factor

    return change


def of_height(height: float) -> Callable[[Atoms], None]:
    def change(atoms: Atoms) -> None:
        atoms.cell[2] = [0.0, 0.0, height]

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (moved(7, np.nan), "1 atoms of .* have a position that is no finite number, the first is atom 7"),
        (moved(7, 1e300), r"Atom 7 of .* is 1e\+300 Å from the middle of the others"),
        (moved(7, [1e4, 0.0, 0.0]), "Atom 7 of .* Correct its position, or leave it out"),
        (scaled(0.0), "Å\\^3 of space for each of its 500 atoms"),
        (scaled(1e-3), "Å\\^3 of space for each of its 500 atoms"),
        (scaled(1e3), "Å\\^3 of space for each of its 500 atoms"),
        (of_height(1e9), "Å\\^3 of space for each of its 500 atoms"),
        (of_height(np.nan), "The cell of .* is no finite number"),
    ],
)
def test_atoms_that_are_no_structure(change: Callable[[Atoms], None], message: str, tmp_path: Path) -> None:
    """A search for neighbours would not return."""
    atoms = bulk("Cu", cubic=True).repeat((5, 5, 5))
    atoms.pbc = PERIODIC
    change(atoms)
    path = tmp_path / "own.extxyz"
    write(path, atoms)
    with pytest.raises(ValueError, match=message):
        read_structure(path, file_format=None, pbc=None)
    assert told(path)


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("touch made",)


@pytest.mark.parametrize("name", ["own.traj", "own.json", "own.gpw", "own.db", "own.pickle", "own"])
def test_pickles_are_not_opened(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after the signature of the trajectories that ASE once wrote as pickles."""
    monkeypatch.chdir(tmp_path)
    for head in (b"", b"PickleTrajectory", b"- of UlmASE-Trajectory"):
        Path(name).write_bytes(head + pickle.dumps({"positions": Evil(), "constraints_string": Evil()}))
        assert "cannot be read" in told(tmp_path / name)
    assert not Path("made").exists()


def test_names_of_files_are_names(tmp_path: Path) -> None:
    """Neither an index after @, nor a database, nor an archive that unpacks to gigabytes."""
    atoms = bulk("Cu", cubic=True)
    atoms.pbc = PERIODIC
    for name in ("own@1.extxyz", "$(touch made).extxyz", "own; touch made.extxyz"):
        write(tmp_path / "own.extxyz", atoms)
        (tmp_path / "own.extxyz").rename(tmp_path / name)
        assert len(read_structure(tmp_path / name, file_format=None, pbc=None)) == 4
    (tmp_path / "own.extxyz.gz").write_bytes(b"")
    assert "is compressed. Unpack it" in told(tmp_path / "own.extxyz.gz")
    assert "There is no file" in told(tmp_path / "mysql:own")
