"""Moments and whatever atoms carry reach the model in every call, stand in the journal's key, and come back."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write

from qmfront.adaptive.matching import measure
from qmfront.config.material import Crystal, ForceConstantSteps, QuantumModel
from qmfront.config.stages import Embedding
from qmfront.coupling.embedding import embedded_forces
from qmfront.crystal.atom_state import AtomState
from qmfront.crystal.cluster import cluster_around
from qmfront.crystal.defect import Defect
from qmfront.evaluate.forces import journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.storage import store
from qmfront.storage.extxyz import write_extxyz
from qmfront.storage.layouts.structure import STRUCTURE
from tests.points import point

NAME = f"{__name__}.Recording"
SEEN: list[dict[str, np.ndarray]] = []


class Recording(EMT):
    """EMT that keeps what it is given."""

    def calculate(self, atoms: Atoms | None = None, *args: object, **kwargs: object) -> None:
        assert atoms is not None
        SEEN.append(
            {"symbols": np.array(atoms.get_chemical_symbols()), **atoms.arrays, "info": dict(atoms.info)}
        )
        super().calculate(atoms, *args, **kwargs)


@pytest.fixture(autouse=True)
def nothing_seen() -> None:
    SEEN.clear()


def test_every_call_of_a_crystal_has_the_moments_of_its_elements(tmp_path: Path) -> None:
    """Rest state, moduli, force constants and strained cells."""
    crystal = Crystal(structure="fcc", symbol="Ni", lattice_constant_guess=3.49)
    qm = QuantumModel(calculator=NAME, cutoff=5.0, moments={"Ni": 0.6})
    measured = measure(
        crystal, qm, journal=tmp_path, force_constants=ForceConstantSteps(reach=3.0, displacement=1e-2)
    )
    assert len(SEEN) > 40 and measured.tally.calls > 40
    assert all(np.all(call["initial_magmoms"] == 0.6) for call in SEEN)


@pytest.mark.parametrize("kind", ["cluster", "box"])
def test_clusters_and_boxes_take_the_state_of_their_sites(kind: str, tmp_path: Path) -> None:
    """In the order of the sites; atoms that bring moments keep them."""
    defect = point("vacancy", 4)
    mark = np.arange(defect.n_sites)
    state = AtomState(
        {"tags": mark, "initial_magmoms": mark / 100, "mine": np.ones((len(mark), 2))}, {"charge": -1}
    )
    body = replace(defect, state=state, numbers=np.full(len(mark), 13)).body
    inner = np.linalg.norm(defect.sites - defect.core, axis=1) < 3.0
    cluster = cluster_around(inner, np.linalg.norm(defect.sites - defect.core, axis=1) < 5.0)
    qm = journaled_forces(ModelSpec(NAME, moments={"Al": 9.0}), tmp_path, Tally())
    embedded_forces(body, cluster, qm, Embedding(kind=kind, minimum_cells=3))(0 * defect.sites)
    (call,) = SEEN
    assert len(call["tags"]) < len(mark) or kind == "box"
    assert set(cluster.sites) <= set(call["tags"])
    assert np.all(call["initial_magmoms"] == call["tags"] / 100)
    assert call["mine"].shape == (len(call["tags"]), 2) and call["info"] == {"charge": -1}


def test_the_key_knows_the_state(tmp_path: Path) -> None:
    """Each difference is another question; no state is the question that it always was."""
    atoms = Atoms("Cu2", [[0, 0, 0], [2.5, 0, 0]], cell=[9, 9, 9])
    marked, told, tagged = atoms.copy(), atoms.copy(), atoms.copy()
    marked.set_array("mine", np.array([1.0, 2.0]))
    told.info["charge"] = 1
    tagged.set_tags([1, 2])
    for each, spec in (
        *((each, ModelSpec(NAME)) for each in (atoms, marked, told, tagged)),
        (atoms, ModelSpec(NAME, moments={"Cu": 1.0})),
        (atoms, ModelSpec(NAME, moments={"Cu": 2.0})),
        (atoms, ModelSpec(NAME, charges={"Cu": 1.0})),
    ):
        for _ in range(2):
            Journal(tmp_path).evaluate(each, Recording(), spec)
    assert len(SEEN) == 7
    with pytest.raises(ValueError, match="mine, which qmfront.models.remote.Remote does not send"):
        Journal(tmp_path).evaluate(marked, None, ModelSpec("qmfront.models.remote.Remote"))


def test_state_survives_the_store(tmp_path: Path) -> None:
    state = AtomState(
        {"tags": np.arange(3), "flags": np.array([True, False, True]), "momenta": np.ones((3, 3))},
        {"charge": -1, "name": "mine", "field": [0.0, 0.1]},
    )
    kept = AtomState.from_stored(state.stored())
    assert kept.info == state.info and set(kept.arrays) == set(state.arrays)
    defect = replace(point("vacancy", 3), origin=np.array([1.0, 2.0, 3.0]))
    defect = replace(defect, state=AtomState({"tags": np.arange(defect.n_sites)}, {"charge": 2}))
    region = np.zeros(defect.n_sites, int)
    kind = STRUCTURE.including(defect.state.declared())
    store.save(tmp_path / "a.zarr", kind, {**defect.arrays(), "region": region}, config={})
    again = Defect.from_arrays(store.load(tmp_path / "a.zarr", STRUCTURE))
    assert np.array_equal(again.state.arrays["tags"], np.arange(defect.n_sites))
    assert again.state.info == {"charge": 2} and again.origin.tolist() == [1.0, 2.0, 3.0]


def test_what_cannot_be_carried_is_refused_by_name(tmp_path: Path) -> None:
    atoms = Atoms("Cu2", [[0, 0, 0], [2.5, 0, 0]])
    atoms.set_initial_magnetic_moments([1.0, -1.0])
    atoms.calc = SinglePointCalculator(atoms, energy=1.0, forces=np.zeros((2, 3)))
    write(tmp_path / "a.xyz", atoms, format="extxyz")
    state = AtomState.of(read(tmp_path / "a.xyz"))
    assert list(state.arrays) == ["initial_magmoms"] and not state.info, "results are no state"
    atoms.set_array("words", np.array(["a", "b"]))
    with pytest.raises(ValueError, match="the array 'words'"):
        AtomState.of(atoms)
    for name, value in (("thing", object()), ("no-name", 1.0), ("far", np.inf)):
        with pytest.raises(ValueError, match=f"the entry '{name}'"):
            AtomState.of(Atoms("Cu", info={name: value}))
    unknown = Atoms("Cu2", [[0, 0, 0], [2.5, 0, 0]])
    unknown.set_array("mine", np.array([np.nan, 0.0]))
    with pytest.raises(ValueError, match="the array 'mine'"):
        AtomState.of(unknown)


INFO: dict[str, Any] = {
    "charge": 1, "field": [0, 1], "matrix": [[1.5, 2.0], [0.0, 1.0]], "kinds": ["1/2<111> screw"], "of": {"a": 1}
}  # fmt: skip


def test_state_is_written_as_it_was_read(tmp_path: Path) -> None:
    """Through the file that a case ends with: moments, tags, flags and info come back by ASE."""
    atoms = Atoms("Cu2", [[0, 0, 0], [2.5, 0, 0]], cell=[9, 9, 9], pbc=True, info=INFO)
    atoms.set_initial_magnetic_moments([1.0, -1.0])
    atoms.set_tags([3, 4])
    atoms.set_array("flag", np.array([True, False]))
    state = AtomState.of(atoms)
    region = np.zeros(2, int)
    write_extxyz(tmp_path / "a.extxyz", atoms, region=region, arrays=state.arrays, info=state.header())
    again = AtomState.of(read(tmp_path / "a.extxyz"), without=("region",))
    assert set(again.arrays) == {"initial_magmoms", "tags", "flag"} and again.info == INFO
    assert all(np.array_equal(again.arrays[name], state.arrays[name]) for name in state.arrays)
