"""Files of defects at the dry run: what cannot be used is refused before any job, with the key and what is missing."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from ase import Atoms
from ase.build import bulk
from ase.io import write

from qmfront.config.errors import ConfigError
from qmfront.config.load import load
from qmfront.plan.dry_run import problems_of_files, refuse_before_jobs

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
        return tuple(problems_of_files(load(config, ROOT), ROOT))
    except ConfigError as error:
        return error.problems


def test_a_supercell_that_can_be_used(tmp_path: Path) -> None:
    """The guess of the lattice constant is a per cent off, and says nothing against the file."""
    atoms = vacancy(6)
    atoms.set_cell(1.01 * atoms.cell, scale_atoms=True)
    write(tmp_path / "own.extxyz", atoms)
    assert problems(study(tmp_path / "own.extxyz")) == ()
    atoms.set_array("site", atoms.positions)
    write(tmp_path / "own.extxyz", atoms)
    config = study(tmp_path / "own.extxyz", embedding={"kind": "box", "subtract_lattice": True})
    config["cases"]["own"]["defect"]["lattice"] = "site"
    config["figures"] = {"front": {"kind": "front", "case": "own", "iteration": 0}}
    found = problems(config)
    assert (
        len(found) == 2 and "would not relax at all. Set it to false" in found[0] and "no figure" in found[1]
    )


def test_a_supercell_of_usual_size_can_be_used(tmp_path: Path) -> None:
    """499 atoms: the first QM region, which nobody asked for, shrinks until MM atoms are left around its buffer."""
    write(tmp_path / "own.extxyz", vacancy(5))
    wide = {"buffer": {"width": 9.2}}
    assert problems(study(tmp_path / "own.extxyz", **wide)) == ()
    (found,) = problems(study(tmp_path / "own.extxyz", initial_region={"radius_r0": 3.3}, **wide))
    assert "No MM site is left" in found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda a: a.numbers.__setitem__(range(20, 40), 28),
            "20 of the 107 atoms of the file are Ni, which the crystal (Cu) does not have",
        ),
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


def test_solutes_of_a_file_need_a_potential_that_knows_them(tmp_path: Path) -> None:
    """On a site, beside it, and two of them."""
    atoms = vacancy(6)
    atoms.numbers[0] = 28
    atoms.append("H")
    atoms.positions[-1] = [-1.8, 0.0, 0.0]
    write(tmp_path / "own.extxyz", atoms)
    on_site, between = problems(study(tmp_path / "own.extxyz"))
    assert on_site.startswith("cases.own.defect.file: Ni is no element of the crystal (Cu)")
    assert "Write potentials.copper.solutes: [Ni]" in on_site
    assert "H is no element" in between and "potentials.copper.interstitial_solutes: [H]" in between
    config = study(tmp_path / "own.extxyz")
    known = {"recipe": "robust", "solutes": ["Ni"], "interstitial_solutes": ["H"]}
    config["potentials"]["copper"] = {"material": "copper", **known}
    assert problems(config) == ()
    atoms.numbers[1] = 28
    write(tmp_path / "own.extxyz", atoms)
    config["potentials"]["copper"]["robust"] = {"solute_shells": 0}
    (pairs,) = problems(config)
    assert pairs.startswith("cases.own.defect.file: 2 solutes interact, and potentials.copper.robust")


def test_jobs_do_not_read_the_file_again(tmp_path: Path) -> None:
    write(tmp_path / "own.extxyz", bulk("Cu", cubic=True, a=3.6))
    own = load(study(tmp_path / "own.extxyz"), ROOT)
    with pytest.raises(ConfigError, match="perfect crystal"):
        refuse_before_jobs(own, ROOT, ["--cores", "2"], is_main=True)
    refuse_before_jobs(own, ROOT, ["--cores", "2"], is_main=False)
