"""The example of the page of energies: a barrier inside its bar, journaled, the same from both ends."""

from dataclasses import replace
from pathlib import Path

import pytest

from qmfront import EAM, Crossing, Solve
from qmfront.coupling.band import saddle_from
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.reference import relax_reference
from qmfront.evaluate.forces import calculator_energy, calculator_forces

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "barrier.py"


def full_barrier(found: Crossing) -> float:
    """Of the QM model on the whole domain, from the same states."""
    forces = calculator_forces(EAM("W_zhou"))
    alone = replace(found.start.hybrid, models=Models(forces, forces))
    force, riesz, body = alone.qm_forces(), alone.riesz, alone.defect.body
    begin = found.solutions[0].displacement
    start = relax_reference(force, riesz, start=begin, max_force=1e-5, settings=Solve()).displacement
    climb = (found.saddle.displacement, found.saddle.mode.softest)
    top = saddle_from(force, riesz, *climb, accuracy=1e-8, settings=Solve())
    energy = calculator_energy(EAM("W_zhou"))
    return energy(body.atoms(top.displacement)) - energy(body.atoms(start))


@pytest.mark.slow
def test_the_barrier_of_a_vacancy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    code = EXAMPLE.read_text(encoding="utf-8")
    assert len(code.split('"""\n\n')[1].splitlines()) <= 10
    exec(code, names)
    found, tally = names["found"], names["tungsten"].tally
    truth = full_barrier(found)
    for one in (found.forward, found.backward):
        assert abs(one.value - truth) < one.bar < 5e-3
    assert found.n_qm <= 150 and found.saddle.curvature < 0.0
    before = tally.computed
    exec(code.splitlines()[-2], names)
    assert tally.computed == before and names["found"].forward == found.forward
