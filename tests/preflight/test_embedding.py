"""Tables of F(rho) that are coarse where the crystal sits, or end before it: named by their density."""

import json
import re
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk

from qmfront.config.material import ForceConstantSteps, Preflight
from qmfront.crystal.lattice import Crystal, cubic_crystal
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.models.eam import EAM, energy_forces, load_eam
from qmfront.models.eam_file import EAMTables, read_eam_file
from qmfront.models.eam_table import tabulated
from qmfront.preflight.embedding import (
    densities,
    embedding_warnings,
    warnings_of_crystal,
    warnings_of_solution,
)
from qmfront.preflight.examination import Findings, examine
from qmfront.preflight.page import page
from qmfront.preflight.report import Report, refuse
from qmfront.preflight.subject import RefusedError, Subject
from tests.models.lammps_oracle import write_setfl

SPACINGS = {"fine": 0.02, "coarse": 1.0}


def tables(spacing: float, *, last: float = 20.0) -> EAMTables:
    """F = -1.2 sqrt(rho) + 0.01 rho, f and phi of a soft metal; rho is 2.0 in fcc at 4.05 Å."""
    rho, r = np.arange(0.0, last + spacing, spacing), np.linspace(0.0, 6.0, 2001)
    end = (1.0 - r / 6.0) ** 4
    f = 9.0 * np.exp(-1.6 * (r - 2.0)) * end
    pair = r * (1.5 * np.exp(-3.2 * (r - 2.5)) - 0.5 * np.exp(-1.6 * (r - 2.5))) * end
    return EAMTables(
        species=np.array([13]),
        embedding=(-1.2 * np.sqrt(rho) + 0.01 * rho)[None],
        density=f[None, None],
        pair=pair[None, None],
        rho_spacing=spacing,
        r_spacing=float(r[1]),
        cutoff=6.0,
    )


def calculator(spacing: float, *, last: float = 20.0, interpolation: str = "quintic") -> EAM:
    """Our EAM with these tables."""
    made = EAM()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.model = tabulated(tables(spacing, last=last), interpolation=interpolation)
    made.cutoff = 6.0
    made.force_range = 12.0
    return made


def aluminium() -> Crystal:
    return cubic_crystal("Al", "fcc", 4.05)


def test_densities_are_those_of_the_energy() -> None:
    """F(rho) + the pair terms is the energy per atom."""
    model = calculator(SPACINGS["fine"]).model
    atoms = bulk("Al", cubic=True, a=4.05)
    rho = densities(model, atoms)
    energies = energy_forces(model, atoms.positions, atoms.cell.array, atoms.pbc, atoms.numbers).energies
    alone = calculator(SPACINGS["fine"]).model
    object.__setattr__(alone, "embedding_coefficients", 0.0 * alone.embedding_coefficients)
    pairs = energy_forces(alone, atoms.positions, atoms.cell.array, atoms.pbc, atoms.numbers).energies
    assert energies - pairs == pytest.approx(model.embedding(np.zeros(4, int), rho)[0], rel=1e-12)
    assert 1.9 < rho[0] < 2.2


def test_a_coarse_table_is_named_by_its_density() -> None:
    found = embedding_warnings(calculator(SPACINGS["coarse"]), aluminium(), rattle=0.05)
    assert len(found) == 1
    assert "does not resolve F(rho) where this crystal uses it (rho = 2.0" in found[0]
    assert "points 1 apart" in found[0] and "{interpolation: lammps}" in found[0]
    assert "forces differ by 3" in found[0] and "of Al" in found[0]


def test_nothing_to_say_of_a_fine_table_of_lammps_and_of_other_models() -> None:
    assert embedding_warnings(calculator(SPACINGS["fine"]), aluminium(), rattle=0.05) == []
    other = calculator(SPACINGS["coarse"], interpolation="lammps")
    assert embedding_warnings(other, aluminium(), rattle=0.05) == []
    assert embedding_warnings(EAM(), cubic_crystal("W", "bcc", 3.165), rattle=0.05) == []
    assert embedding_warnings(object(), aluminium(), rattle=0.05) == []


def test_densities_beyond_the_table() -> None:
    found = embedding_warnings(calculator(SPACINGS["fine"], last=2.2), aluminium(), rattle=0.05)
    assert "beyond the last point of the EAM table, rho = 2.2" in found[0]


def test_densities_beyond_the_table_at_the_end_of_a_solve(tmp_path: Path) -> None:
    path = write_setfl(tmp_path / "W.eam.alloy", load_eam("W_zhou"), n_r=1001, n_rho=1001)
    spec = ModelSpec("qmfront.models.eam.EAM", {"potential": str(path)})
    atoms = bulk("W", cubic=True, a=3.165) * (2, 2, 2)
    free = np.ones(16, bool)
    assert warnings_of_solution(spec, atoms, free) == []
    atoms.set_cell(0.6 * atoms.cell, scale_atoms=True)
    (told,) = warnings_of_solution(spec, atoms, free)
    assert told.startswith("16 of 16 atoms have a density rho up to")
    assert warnings_of_solution(replace(spec, kwargs={"potential": "W_zhou"}), atoms, free) == []
    assert warnings_of_solution(ModelSpec("gpaw.GPAW"), atoms, free) == []


def test_a_coarse_table_at_the_end_of_a_solve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named by the density of the atom with the largest difference; held atoms do not count, the crystal neither."""
    made = calculator(SPACINGS["coarse"])
    monkeypatch.setattr(ModelSpec, "build", lambda spec: made)
    spec = ModelSpec("qmfront.models.eam.EAM")
    atoms = bulk("Al", cubic=True, a=4.05) * (3, 3, 3)
    free = np.ones(len(atoms), bool)
    assert warnings_of_solution(spec, atoms, free) == []
    atoms.positions[5] += (0.4, 0.1, 0.0)
    (told,) = warnings_of_solution(spec, atoms, free)
    assert "does not resolve F(rho) at this solution" in told and "{interpolation: lammps}" in told
    assert re.search(r"forces differ by up to 0\.\d+ eV/Å, on \d+ of 108 free atoms", told)
    assert warnings_of_solution(spec, atoms, np.linalg.norm(atoms.positions, axis=1) > 1e3) == []
    made.model = calculator(SPACINGS["fine"]).model
    assert warnings_of_solution(spec, atoms, free) == []
    assert warnings_of_crystal(spec, aluminium(), rattle=0.05) == []
    made.model = calculator(SPACINGS["coarse"]).model
    assert "where this crystal uses it" in warnings_of_crystal(spec, aluminium(), rattle=0.05)[0]


def test_the_page_keeps_the_warning_and_a_report_without_one_is_read(tmp_path: Path) -> None:
    """A warning does not stop a run; reports of before have none."""
    findings = Findings([], None, None, None, 0, 0.0, ["The table is coarse."])
    found = Report("aluminium", "own.EAM", findings, None)
    assert "**Passed.**" in page(found) and "- Warning: The table is coarse." in page(found)
    path = tmp_path / "aluminium.json"
    path.write_text(found.json(), encoding="utf-8")
    assert Report.read(path).findings.warnings == ["The table is coarse."]
    content = json.loads(found.json())
    del content["warnings"]
    path.write_text(json.dumps(content), encoding="utf-8")
    assert Report.read(path).findings.warnings == []


@pytest.mark.parametrize(("stress_error", "passed"), [(0.5, True), (1e-3, False)])
def test_an_examination_warns(stress_error: float, passed: bool, tmp_path: Path) -> None:
    """Tungsten, F with 2 meV from point to point: the warning is there whether or not a check refuses the model."""
    path = write_setfl(tmp_path / "W.eam.alloy", load_eam("W_zhou"), n_r=1001, n_rho=121)
    read = read_eam_file(path)
    rough = replace(read, embedding=read.embedding + 2e-3 * (-1.0) ** np.arange(121))

    def make() -> EAM:
        made = EAM(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made.model = tabulated(rough)
        return made

    settings = Preflight(atoms=16, seconds=0.1, clusters=False, stress_error=stress_error)
    steps = ForceConstantSteps(displacement=2e-3)
    found = examine(Subject(make, "own.EAM"), cubic_crystal("W", "bcc", 3.165), settings, steps)
    assert found.passed == passed, found.problems
    assert len(found.warnings) == 1 and "between our interpolation and that of LAMMPS" in found.warnings[0]
    told = Report("tungsten", "own.EAM", found, None)
    assert "- Warning: The EAM table does not resolve" in page(told)
    if not passed:
        with pytest.raises(RefusedError, match="Besides: The EAM table does not resolve"):
            refuse(told, strictly=True)
