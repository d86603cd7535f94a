"""Exported evaluations are what was computed, bit by bit; only what is as it was exported comes back."""

import io
from collections.abc import Callable
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.stress import voigt_6_to_full_3x3_stress

from qmfront.evaluate.entry import archived, read_entry, sound_members
from qmfront.evaluate.exchange import Choice, export_entries, import_entries
from qmfront.evaluate.inventory import contents, main
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.model_spec import ModelSpec

EMT_MODEL = ModelSpec("ase.calculators.emt.EMT")
# sizes, double spaces, quotes, backslashes and letters outside ASCII reach the header
LJ_MODEL = ModelSpec("ase.calculators.lj.LennardJones", {"sigma": 2.3, "label": 'a  "b" \\n\\ Å {x} [y]='})


def crystal(seed: int = 0) -> Atoms:
    atoms = bulk("Cu", cubic=True) * (2, 1, 1)
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.01 * np.random.default_rng(seed).normal(size=(3, 3))))
    atoms.rattle(0.1, seed=seed)
    return atoms


def column() -> Atoms:
    """Periodic along z alone, without a cell in the free directions; some numbers are zero, huge or tiny."""
    positions = np.random.default_rng(3).normal(size=(5, 3)) + 3.0 * np.arange(5)[:, None]
    positions[0] = [-0.0, 1e-17, 1 / 3]
    return Atoms("Cu4Al", positions, cell=[0, 0, 19], pbc=[0, 0, 1])


def dressed() -> Atoms:
    """Everything that a file of the user may bring."""
    atoms = crystal(7)
    atoms.set_initial_magnetic_moments(np.random.default_rng(1).normal(size=(8, 3)))
    atoms.set_initial_charges(np.linspace(-0.1, 0.1, 8))
    atoms.set_velocities(np.random.default_rng(2).normal(size=(8, 3)))
    atoms.set_tags(range(8))
    atoms.set_array("forces", np.ones((8, 3)))
    atoms.set_array("odd", np.ones((8, 2, 2), np.float32))
    atoms.set_array("words", np.array(["a b", "", *"cdefgh"]))
    atoms.info = {"charge": 1, "told": 'x="1"  \\'}
    return atoms


ASKED = [
    (crystal(), EMT_MODEL, True),
    (crystal(), EMT_MODEL, False),
    (column(), EMT_MODEL, False),
    (dressed(), EMT_MODEL, True),
    (crystal(4), LJ_MODEL, True),
]


def ask(folder: Path, *, may_compute: bool) -> tuple[list, Tally]:
    journal, tally = Journal(folder), Tally()
    found = []
    for atoms, model, stress in ASKED:
        calculator = (EMT() if model is EMT_MODEL else LennardJones(sigma=2.3)) if may_compute else None
        found.append(journal.evaluate(atoms, calculator, model, stress=stress, tally=tally))
    return found, tally


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled") / "journal"
    ask(folder, may_compute=True)
    return folder


@pytest.fixture
def exported(filled: Path, tmp_path: Path) -> Path:
    export_entries(filled, tmp_path / "all.extxyz")
    return tmp_path / "all.extxyz"


def entries(folder: Path) -> dict[str, dict[str, np.ndarray]]:
    return {path.stem: sound_members(path.stem, read_entry(path)) for path in folder.glob("??/*.npz")}


@pytest.mark.parametrize("prefix", ["", "REF_"])
def test_an_imported_journal_is_the_same_bit_by_bit_and_asks_for_nothing(
    filled: Path, tmp_path: Path, prefix: str
) -> None:
    done = export_entries(filled, tmp_path / "all.extxyz", prefix=prefix)
    assert (done.written, done.left_out, done.unsound) == (5, 0, ())
    taken = import_entries(tmp_path / "new", tmp_path / "all.extxyz")
    assert (taken.added, taken.known) == (5, 0)
    before, after = entries(filled), entries(tmp_path / "new")
    assert before.keys() == after.keys()
    for key, members in before.items():
        assert members.keys() == after[key].keys()
        for name, array in members.items():
            assert array.dtype == after[key][name].dtype, name
            assert array.shape == after[key][name].shape, name
            assert array.tobytes() == after[key][name].tobytes(), name
    first, _ = ask(filled, may_compute=False)
    second, tally = ask(tmp_path / "new", may_compute=False)
    assert (tally.computed, tally.cached) == (0, 5)
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.forces, other.forces)
        assert (one.energy, one.seconds) == (other.energy, other.seconds)
        assert one.origin == other.origin
    assert import_entries(tmp_path / "new", tmp_path / "all.extxyz").added == 0


def test_ase_reads_what_was_computed(filled: Path, exported: Path) -> None:
    frames = ase.io.read(exported, ":")
    known = entries(filled)
    assert len(frames) == 5
    for atoms in frames:
        members = known[atoms.info["qmfront"]["key"]]
        assert np.array_equal(atoms.positions, members["positions"])
        assert np.array_equal(atoms.numbers, members["numbers"])
        assert np.array_equal(atoms.pbc, members["pbc"])
        assert np.array_equal(atoms.get_forces(), members["forces"])
        assert atoms.get_potential_energy() == members["energy"]
        assert atoms.cell.rank == 3, "codes for fits invert the cell"
        assert np.array_equal(atoms.cell.array[members["pbc"]], members["cell"][members["pbc"]])
        assert atoms.info["model"] == atoms.info["qmfront"]["calculator"]["calculator"]
        if "stress" in members:
            full = voigt_6_to_full_3x3_stress(members["stress"])
            assert np.array_equal(atoms.get_stress(), members["stress"])
            assert atoms.info["virial"] == pytest.approx(-atoms.get_volume() * full, rel=1e-14)
    assert sum("initial_magmoms" in atoms.arrays for atoms in frames) == 1


def test_the_virial_is_minus_the_derivative_of_the_energy(exported: Path) -> None:
    """W = -dE/dstrain, in eV, as ACEpotentials and GAP fit it."""
    frames = [a for a in ase.io.read(exported, ":") if "virial" in a.info and a.info["model"].endswith("EMT")]
    atoms = frames[0]
    energies = []
    for strain in (1e-5, -1e-5):
        moved = Atoms(atoms.symbols, cell=atoms.cell, pbc=True, positions=atoms.positions)
        deformation = np.eye(3)
        deformation[0, 1] = deformation[1, 0] = strain / 2
        moved.set_cell(moved.cell.array @ deformation, scale_atoms=True)
        moved.calc = EMT()
        energies.append(moved.get_potential_energy())
    assert atoms.info["virial"][0, 1] == pytest.approx((energies[1] - energies[0]) / 2e-5, rel=1e-6)


def test_mace_finds_its_own_names(filled: Path, tmp_path: Path) -> None:
    export_entries(filled, tmp_path / "train.xyz", Choice("emt", (8, 8)), prefix="REF_")
    frames = ase.io.read(tmp_path / "train.xyz", ":")
    assert len(frames) == 3
    for atoms in frames:
        assert atoms.calc is None, "nothing hides in a calculator"
        assert atoms.arrays["REF_forces"].shape == (8, 3)
        assert isinstance(atoms.info["REF_energy"], float)
    assert {"REF_stress" in atoms.info for atoms in frames} == {True, False}


@pytest.mark.parametrize(
    "choice, count",
    [
        (Choice("EMT"), 4),
        (Choice("lennard"), 1),
        (Choice(atoms=(5, 5)), 1),
        (Choice(atoms=(6, 10**9)), 4),
        (Choice("emt", (8, 9)), 3),
    ],
)
def test_a_choice_by_model_and_number_of_atoms(
    filled: Path, tmp_path: Path, choice: Choice, count: int
) -> None:
    done = export_entries(filled, tmp_path / "some.xyz", choice)
    assert (done.written, done.left_out) == (count, 5 - count)
    assert len(ase.io.read(tmp_path / "some.xyz", ":")) == count


def test_nothing_to_write_is_an_error_and_leaves_no_file(filled: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="5 are not those that were asked for, and 0 are damaged"):
        export_entries(filled, tmp_path / "none.xyz", Choice("gpaw"))
    assert not list(tmp_path.iterdir())


def replaced(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


def one_bit(text: str) -> str:
    """The last digit of the first position."""
    lines = text.split("\n")
    words = lines[2].split()
    moved = np.nextafter(float(words[1]), 99.0)
    lines[2] = " ".join([words[0], f"{moved:.16e}", *words[2:]])
    return "\n".join(lines)


def rounded(text: str) -> str:
    """What another program makes of it."""
    stream = io.StringIO()
    ase.io.write(stream, ase.io.read(io.StringIO(text), ":", format="extxyz"), format="extxyz")
    return stream.getvalue()


def without_a_column(text: str) -> str:
    lines = text.split("\n")
    return "\n".join([*lines[:2], lines[2].rpartition(" ")[0], *lines[3:]])


def foreign(text: str) -> str:
    atoms = crystal()
    atoms.calc = EMT()
    atoms.get_stress()
    stream = io.StringIO()
    ase.io.write(stream, atoms, format="extxyz")
    return stream.getvalue()


@pytest.mark.parametrize(
    "change, message",
    [
        (one_bit, r"frame 1 \(line 1\) is not as it was exported \(its checksum is wrong\)"),
        (rounded, r"frame 1 \(line 1\) is not as it was exported"),
        (without_a_column, r"atom 1 has \d+ columns in place of \d+"),
        (replaced('pbc="', 'pbc="T '), "frame . .* is not as it was exported"),
        (replaced(" energy=", " energy=9.0 old="), "checksum is wrong"),
        (replaced('\\"seconds\\": ', '\\"seconds\\": 1'), "checksum is wrong"),
        (replaced("\\", ""), "damaged header|not as it was exported"),
        (replaced('\\"version\\": 1', '\\"version\\": 2'), "is of version 2, this program reads 1"),
        (replaced("\n", "\n\n"), "is not as it was exported|no entry qmfront"),
        (lambda text: text[:-100], r"frame 5 .* (ends after|not as it was exported)"),
        (lambda text: "\n" + text, "has no frames|empty line"),
        (lambda text: text + "\n\n5\n", "empty line after frame 5"),
        (lambda text: "", "has no frames"),
        (lambda text: "PK\x03\x04 \xff\xfe", "no text in ASCII"),
        (lambda text: "a table\n1 2 3\n", "begins with 'a table', not with its number of atoms"),
        (foreign, "has no entry qmfront: it does not come from an export of a journal"),
        (lambda text: text + foreign(text), "frame 6 .* has no entry qmfront"),
    ],
)
def test_a_damaged_or_foreign_file_is_refused_as_a_whole(
    exported: Path, tmp_path: Path, change: Callable[[str], str], message: str
) -> None:
    exported.write_text(change(exported.read_text()), encoding="latin-1")
    with pytest.raises(ValueError, match=message):
        import_entries(tmp_path / "new", exported)
    assert not (tmp_path / "new").exists()


def test_a_key_cannot_name_another_place(filled: Path, exported: Path, tmp_path: Path) -> None:
    key = sorted(entries(filled))[0]
    exported.write_text(exported.read_text().replace(key, "../../../" + key[9:]))
    with pytest.raises(ValueError, match="not as it was exported"):
        import_entries(tmp_path / "new", exported)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none.xyz cannot be read \(No such file"):
        import_entries(tmp_path / "new", tmp_path / "none.xyz")


def test_a_damaged_entry_is_replaced_and_a_sound_one_stays(exported: Path, tmp_path: Path) -> None:
    import_entries(tmp_path / "new", exported)
    first, second, *_ = sorted((tmp_path / "new").glob("??/*.npz"))
    first.write_bytes(first.read_bytes()[:-30])
    before = second.stat().st_mtime_ns
    taken = import_entries(tmp_path / "new", exported)
    assert (taken.added, taken.known) == (1, 4)
    assert second.stat().st_mtime_ns == before
    assert not contents(tmp_path / "new").unsound
    assert first.with_suffix(".damaged").exists()


def test_damaged_entries_are_not_exported(exported: Path, tmp_path: Path) -> None:
    import_entries(tmp_path / "new", exported)
    damaged = sorted((tmp_path / "new").glob("??/*.npz"))[2]
    damaged.write_bytes(b"PK")
    done = export_entries(tmp_path / "new", tmp_path / "rest.xyz")
    assert (done.written, done.unsound) == (4, (damaged,))


def test_evaluations_tell_where_they_come_from(filled: Path, exported: Path, tmp_path: Path) -> None:
    import_entries(tmp_path / "new", exported)
    (origin,) = contents(tmp_path / "new").origins
    assert origin.endswith(f":{filled.resolve()}")


def test_an_entry_of_an_earlier_version_tells_the_file(filled: Path, tmp_path: Path) -> None:
    key, members = next(iter(entries(filled).items()))
    del members["origin"]
    old = tmp_path / "old" / key[:2] / f"{key}.npz"
    old.parent.mkdir(parents=True)
    old.write_bytes(archived(key, members))
    export_entries(tmp_path / "old", tmp_path / "old.xyz")
    import_entries(tmp_path / "new", tmp_path / "old.xyz")
    assert list(contents(tmp_path / "new").origins) == [f"imported:{tmp_path / 'old.xyz'}"]


def test_the_command(filled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "some.xyz")
    assert main([str(filled), "export", file, "--model", "emt", "--atoms", "6-", "--ref"]) == 0
    assert f"3 evaluations are in {file}; 2 were not asked for" in capsys.readouterr().out
    assert main([str(tmp_path / "new"), "import", file]) == 0
    assert "3 evaluations of" in capsys.readouterr().out
    assert main([str(filled), "export", file, "--atoms", "many"]) == 1
    assert "--atoms many: give a number of atoms" in capsys.readouterr().err
    assert main([str(tmp_path / "missing"), "export", file]) == 1
    assert "missing is not a folder" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([str(filled), "export"])
    assert "export needs a FILE" in capsys.readouterr().err
