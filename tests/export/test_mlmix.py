"""A deck for ML-MIX: LAMMPS reads its properties, and its commands have the form that ML-MIX documents."""

import re
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from scipy.spatial import cKDTree

from qmfront.analysis.structure import FinishedIteration
from qmfront.export.lammps_models import NoPairStyle, PairStyle, Part, mm_pair_style
from qmfront.export.mlmix import mixed_commands, mlmix_files
from qmfront.models.ace.calculator import ACE
from qmfront.models.ace.potential import Repulsion
from tests.export.lammps_run import has_pair_style, run, started
from tests.export.test_lammps import finished, written
from tests.export.test_yace import POTENTIALS

STYLES = {"pace": "", "lepton": r"[\d.]+", "sw": ""}
"""Pair styles and their settings."""
MM = replace(POTENTIALS["one species"], repulsion=Repulsion(1.3, 2.1))
SW = PairStyle((Part("sw", "", (("* *", "W.sw W"),)),), {"W.sw": ""}, ("W",))


def block() -> FinishedIteration:
    """A block of atoms with a ball of QM atoms, a shell of buffer, and a clamp beyond."""
    atoms: Atoms = bulk("W", a=3.2, cubic=True).repeat(8)
    atoms.positions += 0.1 * np.random.default_rng(2).normal(size=atoms.positions.shape)
    away = np.linalg.norm(atoms.positions - atoms.positions.mean(axis=0), axis=1)
    return replace(finished(atoms), region=np.digitize(away, [6.0, 9.0, 14.0]))


def test_commands_have_the_documented_form() -> None:
    """pair_style hybrid/overlay/mlml styles; pair_coeff types style 1|2 [number, if it occurs several times] ..."""
    pace = replace(mm_pair_style(POTENTIALS["one species"], ("W",), file="qm.yace"))
    for qm in (SW, pace):
        first, *others = mixed_commands(qm, mm_pair_style(MM, ("W",)))
        expected = " ".join(rf"{name} ?{STYLES[name]}" for name in (*qm.styles, "pace", "lepton"))
        assert re.fullmatch(rf"pair_style hybrid/overlay/mlml {expected}", first.replace("  ", " ")), first
        named = [re.fullmatch(r"pair_coeff (\S+ \S+) (\S+) ([12])( \d)? (.+)", line) for line in others]
        assert all(named) and [m[2] for m in named if m] == [*qm.styles, "pace", "lepton"]
        assert [m[3] for m in named if m] == ["1", "2", "2"]
        numbers = [m[4] for m in named if m]
        assert numbers == ([" 1", " 2", None] if qm is pace else [None, None, None])


def test_lammps_reads_what_is_evaluated_where(tmp_path: Path) -> None:
    """The mixed style is left out, since this LAMMPS has no ML-MIX; the rest of the script runs."""
    found = block()
    models = {"qm": SW, "mm": mm_pair_style(MM, ("W",))}
    written(tmp_path, mlmix_files(found, models, title="block", cutoffs=(4.0, 4.6)))
    script = (tmp_path / "in.lammps").read_text()
    assert "include mlmix.pair" in script and "tested: sw, lepton" in script
    (tmp_path / "mlmix.pair").write_text("pair_style zero 5.0\npair_coeff * *\n")
    lmp = started()
    try:
        with chdir(tmp_path):
            lmp.file("in.lammps")
        n = lmp.get_natoms()
        order = np.argsort(lmp.numpy.extract_atom("id")[:n])
        evaluated, weights = (
            np.array(lmp.numpy.extract_atom(name))[:n][order] for name in ("i2_potential", "d2_eval")
        )
    finally:
        lmp.close()
    is_qm = found.region == 0
    assert np.array_equal(weights[:, 0], is_qm) and np.array_equal(weights.sum(axis=1), np.ones(n))
    edge = found.atoms.cell.lengths()
    positions = found.atoms.positions % edge
    for number, (own, cutoff) in enumerate(((is_qm, 4.0), (~is_qm, 4.6))):
        away, _ = cKDTree(positions[own], boxsize=edge).query(positions)
        assert np.array_equal(evaluated[:, number], away < cutoff)
        assert own.sum() < evaluated[:, number].sum() < n


def test_mixed_forces_are_those_of_the_regions(tmp_path: Path) -> None:
    """Where LAMMPS has both (plugins count: LAMMPS_PLUGIN_PATH)."""
    if not (has_pair_style("pace") and has_pair_style("hybrid/overlay/mlml")):
        pytest.skip("this LAMMPS has no pair styles pace and hybrid/overlay/mlml")
    found, qm = block(), POTENTIALS["four factors"]
    models = {"qm": mm_pair_style(qm, ("W",), file="qm.yace"), "mm": mm_pair_style(MM, ("W",))}
    written(tmp_path, mlmix_files(found, models, title="block", cutoffs=(4.6, 4.6)))
    read, atoms = run(tmp_path, "qm"), found.atoms
    forces = []
    for potential in (qm, MM):
        atoms.calc = ACE(potential)
        forces.append(atoms.get_forces())
    mixed, free = np.where((found.region == 0)[:, None], *forces), found.region < 3
    assert np.abs(np.subtract(*forces)).max() > 0.1
    np.testing.assert_allclose(read.forces[free], mixed[free], rtol=0, atol=1e-9)


@pytest.mark.parametrize("style", ["eam/alloy", "eam/fs", "meam"])
def test_styles_that_communicate_are_refused(style: str) -> None:
    qm = PairStyle((Part(style, "", (("* *", "W.eam.alloy W"),)),), {}, ("W",))
    with pytest.raises(ValueError, match="ML-MIX cannot mix e?[am]"):
        mlmix_files(block(), {"qm": qm, "mm": mm_pair_style(MM, ("W",))}, title="", cutoffs=(5.0, 4.6))
    none = {"qm": NoPairStyle("it has no pair style"), "mm": mm_pair_style(MM, ("W",))}
    with pytest.raises(ValueError, match="it has no pair style"):
        mlmix_files(block(), none, title="", cutoffs=(5.0, 4.6))
