"""A journal never repeats, mixes up or invents an evaluation."""

import io
import logging
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms

from qmfront.evaluate.evaluation import EvaluationError
from qmfront.evaluate.forces import journaled_forces
from qmfront.evaluate.inventory import contents, main, summary
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.evaluate.retry import Patience

SPEC = ModelSpec("ase.calculators.emt.EMT")


def cluster(seed: int = 1) -> Atoms:
    rng = np.random.default_rng(seed)
    return Atoms(
        "Cu4Al", rng.normal(size=(5, 3)) + 3.0 * np.arange(5)[:, None], cell=[9, 8, 7], pbc=[0, 0, 1]
    )


class Given(Calculator):
    """Returns what it was given and counts how often it was asked."""

    implemented_properties = ("energy", "free_energy", "forces", "stress")

    def __init__(self, **results: object) -> None:
        super().__init__()
        self.given = {
            "energy": 1.0,
            "free_energy": -2.0,
            "forces": np.ones((5, 3)),
            "stress": np.arange(6.0),
        } | results
        self.times = 0

    def calculate(
        self, atoms: Atoms | None = None, properties: object = (), changes: object = all_changes
    ) -> None:
        self.times += 1
        self.results = self.given


def test_second_time_comes_from_the_journal_and_is_equal(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    atoms, tally = cluster(), Tally()
    before = atoms.copy()
    first = Journal(tmp_path).evaluate(atoms, EMT(), SPEC, stress=True, tally=tally)
    second = Journal(tmp_path).evaluate(atoms, None, SPEC, stress=True, tally=tally)
    direct = atoms.copy()
    direct.calc = EMT()
    # to rounding, since the calculator is asked about atoms that were moved into their cell
    assert first.forces == pytest.approx(direct.get_forces(), abs=1e-12)
    assert first.energy == pytest.approx(direct.get_potential_energy(), abs=1e-12)
    assert first.stress == pytest.approx(direct.get_stress(), abs=1e-12)
    for name in ("energy", "forces", "stress", "seconds", "cpu_seconds"):
        assert np.array_equal(getattr(first, name), getattr(second, name))
    assert (first.cached, second.cached) == (False, True)
    assert (tally.calls, tally.computed, tally.cached, tally.seconds) == (2, 1, 1, 2 * first.seconds)
    assert atoms == before
    assert atoms.calc is None
    calls = [record.getMessage() for record in caplog.records if "QM call" in record.getMessage()]
    assert calls[0].startswith("QM call 1: 5 atoms, 0.")
    assert calls[1].startswith("QM call 2: 5 atoms, ")
    assert calls[1].endswith("eV/Å (cached)")


def test_energy_is_the_one_that_forces_differentiate(tmp_path: Path) -> None:
    found = Journal(tmp_path).evaluate(cluster(), Given(), SPEC)
    assert found.energy == -2.0
    assert found.stress is None


def test_a_full_stress_is_taken_by_its_six_components(tmp_path: Path) -> None:
    full = np.array([[1.0, 6.0, 5.0], [6.0, 2.0, 4.0], [5.0, 4.0, 3.0]])
    found = Journal(tmp_path).evaluate(cluster(), Given(stress=full.astype(np.float32)), SPEC, stress=True)
    assert np.array_equal(found.stress, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])


def test_calculator_that_forgets_its_atoms_is_asked_once(tmp_path: Path) -> None:
    calculator = Given()  # never sets self.atoms, so ASE would let it compute again for every property
    Journal(tmp_path).evaluate(cluster(), calculator, SPEC, stress=True)
    assert calculator.times == 1


def test_constraints_do_not_blank_forces(tmp_path: Path) -> None:
    atoms = cluster()
    atoms.set_constraint(FixAtoms([0, 1]))
    assert np.all(Journal(tmp_path).evaluate(atoms, Given(), SPEC).forces == 1.0)


def changed(atoms: Atoms, what: str) -> Atoms:
    atoms = atoms.copy()
    if what == "position":
        atoms.positions[3, 1] = np.nextafter(atoms.positions[3, 1], 99.0)
    elif what == "species":
        atoms.numbers[[0, 4]] = atoms.numbers[[4, 0]]
    elif what == "periodic row":
        atoms.cell[2, 2] += 1e-12
    elif what == "vacuum":
        atoms.cell[0, 0] += 1.0
    elif what == "pbc":
        atoms.pbc = [0, 1, 1]
    elif what == "order":
        atoms = atoms[[1, 0, 2, 3, 4]]
    elif what == "moments":
        atoms.set_initial_magnetic_moments(np.ones(5))
    return atoms


@pytest.mark.parametrize("what", ["position", "species", "periodic row", "vacuum", "pbc", "order", "moments"])
def test_whatever_can_change_values_is_another_evaluation(tmp_path: Path, what: str) -> None:
    journal, calculator = Journal(tmp_path), Given()
    journal.evaluate(cluster(), calculator, SPEC)
    assert not journal.evaluate(changed(cluster(), what), calculator, SPEC).cached


def test_other_settings_and_properties_are_other_evaluations(tmp_path: Path) -> None:
    journal, calculator = Journal(tmp_path), Given()
    assert not journal.evaluate(cluster(), calculator, SPEC).cached
    assert not journal.evaluate(cluster(), calculator, replace(SPEC, kwargs={"fixed_cutoff": True})).cached
    assert not journal.evaluate(cluster(), calculator, SPEC, stress=True).cached
    assert journal.evaluate(cluster(), calculator, ModelSpec(SPEC.calculator, {})).cached
    tagged = cluster()
    tagged.set_tags(1)
    tagged.set_velocities(np.ones((5, 3)))
    tagged.info["charge"] = 1
    assert not journal.evaluate(tagged, calculator, SPEC).cached, "a model may read all of it"
    assert journal.evaluate(tagged, calculator, SPEC).cached


@pytest.mark.parametrize(
    "results, message",
    [
        ({"forces": np.full((5, 3), np.nan)}, "returned 15 of 15 numbers of forces as NaN or infinity"),
        ({"forces": np.where(np.eye(5, 3), np.inf, 0.0)}, "returned 3 of 15 numbers of forces"),
        ({"forces": np.zeros((4, 3))}, r"returned forces of shape \(4, 3\) in place of \(5, 3\)"),
        ({"forces": np.full((5, 3), "0.1")}, "as forces, and not real numbers alone"),
        ({"forces": np.zeros((5, 3), complex)}, "as forces, and not real numbers alone"),
        ({"forces": np.zeros((5, 3), bool)}, "as forces, and not real numbers alone"),
        ({"forces": np.ma.masked_less(np.zeros((5, 3)), 1.0)}, "as forces, and not real numbers alone"),
        ({"forces": None}, "failed to give forces|returned None|forces of shape"),
        ({"free_energy": np.nan}, "1 of 1 numbers of energy"),
        ({"stress": np.zeros((3, 2))}, r"stress of shape \(3, 2\) in place of \(6,\)"),
        ({"stress": np.eye(3) + np.eye(3, k=1)}, "a stress that is not symmetric, by 1.0e\\+00"),
        ({"stress": np.diag([1.0, np.nan, 1.0])}, "1 of 6 numbers of stress"),
    ],
)
def test_unsound_answers_raise_and_are_not_journaled(tmp_path: Path, results: dict, message: str) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(EvaluationError, match=message):
        journal.evaluate(cluster(), Given(**results), SPEC, stress=True)
    assert summary(tmp_path).count == 0
    assert not list((tmp_path / "locks").iterdir())
    assert not journal.evaluate(cluster(), Given(), SPEC, stress=True).cached


def test_failing_calculator_says_what_failed(tmp_path: Path) -> None:
    with pytest.raises(
        EvaluationError, match=r"emt\.EMT failed to give forces of 2 atoms .* nothing was journaled"
    ):
        Journal(tmp_path).evaluate(Atoms("Si2", [[0, 0, 0], [0, 0, 2]]), EMT(), SPEC)
    assert summary(tmp_path).count == 0


def test_damaged_entries_are_moved_aside_and_computed_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal, calculator = Journal(tmp_path), Given()
    journal.evaluate(cluster(), calculator, SPEC)
    path = next(tmp_path.glob("??/*.npz"))
    whole = path.read_bytes()
    cuts = [b"", whole[:10], whole[: len(whole) // 2], whole[:-1]]
    for damaged in cuts:
        path.write_bytes(damaged)
        assert not journal.evaluate(cluster(), calculator, SPEC).cached
        assert path.with_suffix(".damaged").read_bytes() == damaged
    assert "is damaged" in caplog.text
    assert summary(tmp_path).damaged == 1
    assert journal.evaluate(cluster(), calculator, SPEC).cached


def test_no_flipped_bit_changes_a_value(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.evaluate(cluster(), Given(), SPEC)
    path = next(tmp_path.glob("??/*.npz"))
    whole = path.read_bytes()
    caught = 0
    for place in np.random.default_rng(3).choice(len(whole), 60, replace=False):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        found = journal.evaluate(cluster(), Given(), SPEC)
        caught += not found.cached
        assert found.energy == -2.0
        assert np.all(found.forces == 1.0)
    assert caught > 30  # the other flips hit dates and padding of the archive, which carry no value


def test_entry_of_another_key_is_not_believed(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.evaluate(cluster(1), Given(), SPEC)
    first = next(tmp_path.glob("??/*.npz"))
    journal.evaluate(cluster(2), Given(), SPEC)
    second = next(path for path in tmp_path.glob("??/*.npz") if path != first)
    second.write_bytes(first.read_bytes())
    assert not journal.evaluate(cluster(2), Given(), SPEC).cached


def test_entry_holds_the_atoms(tmp_path: Path) -> None:
    Journal(tmp_path).evaluate(cluster(), Given(), SPEC)
    with np.load(next(tmp_path.glob("??/*.npz"))) as entry:
        assert np.array_equal(entry["positions"], cluster().positions)
        assert np.array_equal(entry["numbers"], cluster().numbers)
        assert b"ase.calculators.emt.EMT" in entry["calculator"].tobytes()


def test_summary_counts_and_prints(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    journal = Journal(tmp_path / "journal")
    for seed in range(3):
        journal.evaluate(cluster(seed), Given(), SPEC)
    held = summary(journal.folder)
    sizes = [path.stat().st_size for path in journal.folder.glob("??/*.npz")]
    assert (held.count, held.size, held.damaged) == (3, sum(sizes), 0)
    assert held.oldest <= held.newest <= time.time() + 1
    assert main([str(journal.folder)]) == 0
    assert capsys.readouterr().out.startswith("3 evaluations, ")
    assert main([str(tmp_path / "absent")]) == 1
    assert "is not a folder" in capsys.readouterr().err


def test_inventory_reads_and_doubts_every_entry(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    journal = Journal(tmp_path / "journal")
    for seed in range(3):
        journal.evaluate(cluster(seed), Given(), SPEC)
    assert main([str(journal.folder), "--check"]) == 0
    assert "3 entries are sound" in capsys.readouterr().out
    path = next(journal.folder.glob("??/*.npz"))
    path.write_bytes(path.read_bytes()[:-5])
    assert main([str(journal.folder), "--check"]) == 1
    assert f"{path} is not as it was written" in capsys.readouterr().out
    assert contents(journal.folder).atoms == {5: 2}
    assert path.exists()


@pytest.mark.parametrize(("answer", "kept"), [("yes\n", False), ("y\n", True), ("", True)])
def test_a_journal_is_deleted_only_after_a_yes(
    answer: str, kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    journal = Journal(tmp_path / "journal")
    journal.evaluate(cluster(), Given(), SPEC)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert main([str(journal.folder), "--delete"]) == int(kept)
    assert journal.folder.exists() == kept
    assert "1 QM evaluations would have to be computed again" in capsys.readouterr().out


class Warm(Given):
    """Keeps a density, as a self-consistent model does: only another cell or other atoms make it start from scratch."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[list[str]] = []

    def calculate(
        self, atoms: Atoms | None = None, properties: object = (), changes: object = all_changes
    ) -> None:
        Calculator.calculate(self, atoms, properties, changes)
        self.changes.append(list(changes))
        super().calculate(atoms, properties, changes)


def test_a_moved_structure_meets_the_calculator_that_it_left(tmp_path, monkeypatch):
    """What a model remembers of the last answer serves the next one, through journal and patience."""
    model = Warm()
    monkeypatch.setattr("qmfront.evaluate.model_spec.build", lambda entry: model)
    forces = journaled_forces(SPEC, Journal(tmp_path, Patience(60.0, 1)), Tally())
    atoms = cluster()
    for step in (0.0, 1e-3, 1e-3, 2e-3):
        moved = atoms.copy()
        moved.positions[0] += step
        forces(moved)
    assert [sorted(changes) for changes in model.changes[1:]] == [["positions"], ["positions"]]
    larger = atoms.copy()
    larger.set_cell(1.1 * atoms.cell)
    forces(larger)
    assert "cell" in model.changes[-1]
