"""References of a study, parsed by another program."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from qmfront.config.load import load
from qmfront.config.reading import read_yaml
from qmfront.export.bibtex import ALWAYS, CALCULATORS, DEFECTS, WORKS, bibliography, works
from qmfront.models.ace.io import save_potential
from qmfront.models.ace.potential import Repulsion
from tests.export.test_yace import POTENTIALS

ROOT = Path(__file__).parents[2]
bibtexparser = pytest.importorskip("bibtexparser", minversion="2.0")


def test_all_works_are_read_by_another_program() -> None:
    """Each has what a list of references needs, and those that the code names are there."""
    read = bibtexparser.parse_file(str(WORKS))
    assert not read.failed_blocks and set(read.entries_dict) == set(works())
    named = {*ALWAYS, *CALCULATORS.values(), *(key for key, _ in DEFECTS.values())}
    assert named <= set(works())
    for entry in read.entries:
        assert {"author", "title", "year"} <= set(entry.fields_dict)
        assert "doi" in entry.fields_dict or "url" in entry.fields_dict or entry.entry_type == "book"


def test_a_file_that_tells_its_source_and_a_model_without_a_paper(tmp_path: Path) -> None:
    """LAMMPS behind ASE with a file of Stillinger and Weber; a potential with repulsion; then any calculator."""
    written = read_yaml(ROOT / "config/studies/own_lammps.yaml", shown="own_lammps.yaml")
    study = load(written, ROOT, library=ROOT)
    (tmp_path / "config/potentials").mkdir(parents=True)
    shutil.copy(ROOT / "config/potentials/Si.sw", tmp_path / "config/potentials/Si.sw")
    folder = tmp_path / "results/potentials/silicon_sw"
    folder.mkdir(parents=True)
    save_potential(
        replace(POTENTIALS["one species"], repulsion=Repulsion(1.0, 2.0)), folder / "potential.json"
    )
    entries = bibtexparser.parse_string(bibliography(tmp_path, study, ["own_lammps"])).entries_dict
    assert (
        "Phys. Rev. B 31, 5262 (1985)" in entries["Si_sw"]["note"]
        and "element 1" not in entries["Si_sw"]["note"]
    )
    assert {"thompson2022", "ziegler1985"} <= set(entries)
    assert not {"swinburne2025", "stroh1958", "daw1984"} & set(entries)
    qm = study.materials["silicon_sw"].qm.model_copy(
        update={"calculator": "my.Own", "kwargs": {}, "files": {}}
    )
    material = study.materials["silicon_sw"].model_copy(update={"qm": qm})
    other = study.model_copy(update={"materials": {**study.materials, "silicon_sw": material}})
    text = bibliography(tmp_path, other, ["own_lammps"])
    assert "% The QM model is my.Own: cite what its authors ask for." in text
    assert "thompson2022" not in text and not bibtexparser.parse_string(text).failed_blocks
