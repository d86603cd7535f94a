"""What is exported of the finished minimal study, read by the programs that it is for."""

import hashlib
import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import ase.io
import numpy as np
import pytest
import xarray

from qmfront.analysis.structure import FinishedIteration, finished_iteration
from qmfront.command.main import main
from qmfront.models.ace.calculator import ACE
from qmfront.models.eam import EAM
from tests.export.lammps_run import has_pair_style, run

STUDY = ("--study", "config/studies/minimal.yaml")


def last(finished: Any, case: str = "minimal", k: int = 2) -> FinishedIteration:
    return finished_iteration(finished.folder / "results" / case, k)


def exported(finished: Any, *words: str) -> Path:
    assert main(["-C", str(finished.folder), "export", *words, *STUDY]) == 0
    return finished.folder / "export"


def test_extended_xyz_has_region_eta_residual_and_trust(finished: Any) -> None:
    """Those of the workflow are the same."""
    atoms, found = ase.io.read(exported(finished, "minimal") / "minimal.extxyz"), last(finished)
    assert np.array_equal(atoms.arrays["region_id"], found.region) and len(set(found.region)) == 4
    assert np.array_equal(atoms.arrays["eta"], found.eta)
    assert np.array_equal(atoms.arrays["residual"], found.residual)
    numbers = json.loads(finished.text("results/minimal/2/estimate.json"))
    assert found.eta.sum() == pytest.approx(numbers["eta"])
    told = {name: atoms.info[name] for name in ("eta", "trusted", "reasons")}
    assert told["trusted"] == numbers["trusted"] and told["eta"] == pytest.approx(numbers["eta"])
    relaxed = ase.io.read(finished.folder / "results/minimal/relaxed.extxyz")
    assert relaxed.info.keys() == atoms.info.keys() and "error" in atoms.info
    assert all(np.all(relaxed.info[name] == value) for name, value in atoms.info.items())
    assert np.array_equal(relaxed.positions, atoms.positions)


@pytest.mark.filterwarnings("ignore")
def test_ovito_finds_the_dislocation(finished: Any) -> None:
    """Its Burgers vector is a [100] of the crystal, along e1, and its line that of the domain; arrays are read."""
    ovito = pytest.importorskip("ovito.io", reason="OVITO's Python module, which pip installs, is not there")
    from ovito.modifiers import DislocationAnalysisModifier, ReplicateModifier

    found, periods = last(finished), 6
    pipeline = ovito.import_file(str(exported(finished, "minimal") / "minimal.extxyz"))
    read = pipeline.compute()
    assert np.array_equal(read.particles["region_id"], found.region)
    for name, ours in (("eta", found.eta), ("residual", found.residual)):
        np.testing.assert_allclose(read.particles[name], ours, rtol=1e-14, atol=1e-20)
    assert read.attributes["trusted"] == found.told["trusted"]
    pipeline.modifiers.append(
        ReplicateModifier(num_z=periods)
    )  # one is thinner than what the analysis looks at
    bcc = DislocationAnalysisModifier.Lattice.BCC
    pipeline.modifiers.append(DislocationAnalysisModifier(input_crystal_structure=bcc))
    (line,) = pipeline.compute().dislocations.lines
    height = found.atoms.cell.array[2, 2]
    assert np.array_equal(np.abs(line.true_burgers_vector), [1.0, 0.0, 0.0])
    np.testing.assert_allclose(np.abs(line.spatial_burgers_vector), [height, 0.0, 0.0], atol=5e-3)
    assert line.length == pytest.approx(periods * height, rel=1e-3)


def test_lammps_has_our_groups_estimates_and_qm_forces(finished: Any) -> None:
    folder, found = exported(finished, "lammps", "minimal") / "minimal.lammps", last(finished)
    read = run(folder, "qm")
    assert list(read.groups.values()) == np.bincount(found.region, minlength=4).tolist()
    assert list(read.groups) == ["qm", "buffer", "mm", "clamp"] and min(read.groups.values()) > 0
    assert np.array_equal(read.eta, found.eta) and found.eta.max() > 0
    np.testing.assert_allclose(read.residual, np.linalg.norm(found.residual, axis=1), rtol=1e-14)
    compare(read.forces, found, EAM("W_zhou"))
    dumped = ase.io.read(folder / "forces.dump", format="lammps-dump-text")
    np.testing.assert_array_equal(dumped.positions, found.atoms.positions)


def test_lammps_has_the_forces_of_the_potential(finished: Any) -> None:
    """Where it has pair_style pace (a plugin of it counts: LAMMPS_PLUGIN_PATH)."""
    if not has_pair_style("pace"):
        pytest.skip("this LAMMPS has no pair_style pace")
    for case in ("minimal", "minimal_crack"):
        folder = exported(finished, "lammps", case) / f"{case}.lammps"
        found = last(finished, case, max(map(int, _iterations(finished, case))))
        name = {"minimal": "minimal", "minimal_crack": "minimal_surface"}[case]
        potential = ACE.load(finished.folder / f"results/potentials/{name}/potential.json")
        # rounding in the tables of PACE grows with the coefficients: 3e4 eV for the crack
        largest = np.abs(potential.potential.coefficients).max()
        compare(run(folder, "mm").forces, found, potential, tolerance=max(1e-8, 1e-12 * largest))


def _iterations(finished: Any, case: str) -> list[str]:
    return [path.parent.name for path in (finished.folder / "results" / case).glob("[0-9]*/estimate.zarr")]


def compare(forces: np.ndarray, found: FinishedIteration, calc: Any, *, tolerance: float = 1e-8) -> None:
    """On all atoms that are not clamped; those have none."""
    atoms, free = found.atoms.copy(), found.region < 3
    atoms.calc = calc
    ours = atoms.get_forces()
    assert np.abs(ours[free]).max() > 1e-4
    np.testing.assert_allclose(forces[free], ours[free], rtol=0, atol=tolerance)
    assert not forces[~free].any() and not free.all()


def test_what_cannot_be_exported(finished: Any, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["-C", str(finished.folder), "export"]
    assert main([*where, "lammps", "nowhere", *STUDY]) == 1
    assert "no iteration of nowhere is solved" in capsys.readouterr().err
    assert main([*where, "lammps", "minimal", "-k", "7", *STUDY]) == 1
    assert "iteration 7 is not solved. Choose one of 0, 1, 2" in capsys.readouterr().err
    assert main([*where, "lammps", "minimal"]) == 3
    assert "there is no study study.yaml" in capsys.readouterr().err
    assert main([*where, "xyz", "minimal", "-k", "0", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["kind"] == "xyz" and said["refused"] == {} and Path(said["files"]["minimal"][0]).is_file()


def test_the_references_are_those_of_what_ran(finished: Any) -> None:
    """Read by another program: a dislocation and a crack, EAM, no tight binding, and the version of ASE that ran."""
    bibtexparser = pytest.importorskip("bibtexparser", minversion="2.0")
    path = exported(finished, "bibtex") / "references.bib"
    read = bibtexparser.parse_file(str(path))
    assert not read.failed_blocks
    entries = read.entries_dict
    assert {"qmfront", "wang2024", "drautz2019", "sethian1996", "larsen2017", "moelder2021"} <= set(entries)
    assert {"stroh1958", "sih1965", "daw1984", "zhou2004", "swinburne2025"} <= set(entries)
    assert not {"bernstein2000", "mortensen2024", "thompson2022", "ziegler1985"} & set(entries)
    run = json.loads(finished.text("results/minimal/2/estimate.zarr/run.json"))
    assert entries["larsen2017"]["note"] == f"version {run['versions']['ase']}"
    assert all({"author", "title"} <= set(entry.fields_dict) for entry in entries.values())
    exported(finished, "bibtex", "minimal")
    alone = bibtexparser.parse_file(str(path)).entries_dict
    assert "sih1965" not in alone and "stroh1958" in alone


def test_xarray_opens_every_store(finished: Any) -> None:
    """With the unit of every array that is declared."""
    stores = sorted(path for path in (finished.folder / "results").rglob("*.zarr") if path.is_dir())
    kinds = set()
    for path in stores:
        with xarray.open_zarr(path) as opened:
            kinds.add(opened.attrs["kind"])
            assert all("unit" in array.attrs for array in opened.variables.values()), path
            assert all(np.shape(array.values) == array.shape for array in opened.variables.values())
    assert {"bulk", "structure", "solution", "residual", "estimate", "partition", "operators"} <= kinds


def test_a_crate_is_read_and_goes_on_elsewhere(finished: Any, tmp_path: Path) -> None:
    """Every file has its checksum, a dry run finds nothing to compute, and the QM calls are there."""
    rocrate = pytest.importorskip("rocrate.rocrate")
    unpack(exported(finished, "crate") / "study.crate.zip", tmp_path)
    crate = rocrate.ROCrate(str(tmp_path))
    files = {unquote(entity.id): entity for entity in crate.get_by_type("File")}
    assert "results/minimal/2/estimate.zarr/zarr.json" in files and "references.bib" in files
    present = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert present - set(files) == {"ro-crate-metadata.json"} and set(files) <= present
    for name, entity in files.items():
        content = (tmp_path / name).read_bytes()
        assert entity["sha256"] == hashlib.sha256(content).hexdigest(), name
        assert int(entity["contentSize"]) == len(content)
    (run,) = crate.get_by_type("CreateAction")
    assert run["instrument"]["name"] == "qmfront" and len(run["result"]) > 100
    assert [entity.id for entity in run["object"]] == ["config/studies/minimal.yaml"]
    done = subprocess.run(
        [sys.executable, "-m", "qmfront.command", "-C", str(tmp_path), "run", "-n", *STUDY],
        cwd=finished.folder,
        check=False,
        capture_output=True,
        text=True,
    )
    assert "Nothing to be done" in done.stdout + done.stderr, done.stdout + done.stderr
    journal = list(tmp_path.glob("work/journal/??/*.npz"))
    assert len(journal) == len(list(finished.folder.glob("work/journal/??/*.npz"))) > 10


def unpack(path: Path, folder: Path) -> None:
    """As unzip does: with the times of the files, in steps of two seconds."""
    with zipfile.ZipFile(path) as archive:
        for each in archive.infolist():
            when = time.mktime((*each.date_time, 0, 0, -1))
            os.utime(archive.extract(each, folder), (when, when))


def test_an_unfinished_study_is_no_crate(finished: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (finished.folder / "results/minimal_crack/convergence.csv").unlink()
    assert main(["-C", str(finished.folder), "export", "crate", *STUDY]) == 1
    assert "minimal_crack: not finished" in capsys.readouterr().err
    assert not (finished.folder / "export/study.crate.zip").exists()
