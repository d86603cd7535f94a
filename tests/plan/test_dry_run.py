"""Files of defects at the dry run: what cannot be used is refused before any job, with the key and what is missing."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from ase import Atoms
from ase.build import bulk
from ase.io import write

from qmfront.config.errors import ConfigError
from qmfront.plan.dry_run import study_of

ROOT = Path(__file__).parents[2]


def vacancy(repeats: int) -> Atoms:
    atoms = bulk("Cu", cubic=True, a=3.6).repeat(repeats)
    del atoms[0]
    return atoms


def study(path: Path, **case: Any) -> dict[str, Any]:
    """The example of the tutorial with another file."""
    config = yaml.safe_load((ROOT / "config/studies/own.yaml").read_text(encoding="utf-8"))
    own = config["cases"]["own"]
    own |= {"defect": {"kind": "file", "file": str(path)}, "buffer": {"width": 6.0}, **case}
    return config


def problems(config: dict[str, Any]) -> tuple[str, ...]:
    try:
        study_of(config, ROOT)
    except ConfigError as error:
        return error.problems
    return ()


def test_a_supercell_that_can_be_used(tmp_path: Path) -> None:
    """The guess of the lattice constant is a per cent off, and says nothing against the file."""
    atoms = vacancy(6)
    atoms.set_cell(1.01 * atoms.cell, scale_atoms=True)
    write(tmp_path / "own.extxyz", atoms)
    assert problems(study(tmp_path / "own.extxyz")) == ()
    box = {"embedding": {"kind": "box", "subtract_lattice": True}}
    figures = {"front": {"kind": "front", "case": "own", "iteration": 0}}
    found = problems(study(tmp_path / "own.extxyz", **box) | {"figures": figures})
    assert (
        len(found) == 2 and "would not relax at all. Set it to false" in found[0] and "no figure" in found[1]
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.numbers.__setitem__(5, 28), "cases.own.defect: The file holds atomic numbers [28]"),
        (
            lambda a: a.set_cell(1.06 * a.cell, scale_atoms=True),
            "Give defect.lattice_constant: 3.816, so that",
        ),
        (lambda a: a.set_pbc((True, True, False)), "films and clusters have surfaces"),
        (lambda a: None, "sites fill the domain. Enlarge it (domain.radius_r0, domain.cells or the file)"),
    ],
)
def test_what_is_missing(change: Any, message: str, tmp_path: Path) -> None:
    atoms = vacancy(3)
    change(atoms)
    write(tmp_path / "own.extxyz", atoms)
    (found,) = problems(study(tmp_path / "own.extxyz"))
    assert message in found


def test_jobs_do_not_read_the_file_again(tmp_path: Path) -> None:
    write(tmp_path / "own.extxyz", bulk("Cu", cubic=True, a=3.6))
    assert "perfect crystal" in problems(study(tmp_path / "own.extxyz"))[0]
    assert study_of(study(tmp_path / "own.extxyz"), ROOT, deep=False).cases
