"""What a viewer reads is what was computed."""

from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms

from qmfront.storage.extxyz import REGIONS, VACUUM, drawn_box, write_extxyz

LINE = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.3, -0.2, 2.7]])  # a line that is not along an axis


def frame(n: int = 23, seed: int = 5) -> dict:
    rng = np.random.default_rng(seed)
    positions = rng.normal(scale=20.0, size=(n, 3))
    return {
        "atoms": Atoms(rng.choice([14, 74, 1], n), positions, cell=LINE, pbc=[False, False, True]),
        "region": np.arange(n) % 4,
        "arrays": {
            "eta": 10.0 ** rng.uniform(-14, 1, n),
            "displacement": rng.normal(size=(n, 3)) * 1e-7,
            "free": rng.random(n) < 0.5,
            "layer": rng.integers(-3, 3, n),
        },
    }


def test_ase_reads_back_every_digit(tmp_path: Path) -> None:
    given = frame()
    write_extxyz(tmp_path / "a.extxyz", **given)
    atoms = ase.io.read(tmp_path / "a.extxyz")
    assert np.array_equal(atoms.positions, given["atoms"].positions)
    assert np.array_equal(atoms.numbers, given["atoms"].numbers)
    assert np.array_equal(atoms.pbc, given["atoms"].pbc)
    assert [REGIONS.index(word) for word in atoms.arrays["region"]] == list(given["region"])
    for name, array in given["arrays"].items():
        assert np.array_equal(atoms.arrays[name], array)
        assert atoms.arrays[name].dtype.kind == array.dtype.kind
    assert list(tmp_path.iterdir()) == [tmp_path / "a.extxyz"]


def test_header_is_what_viewers_need(tmp_path: Path) -> None:
    write_extxyz(tmp_path / "a.extxyz", **frame())
    count, header, first = (tmp_path / "a.extxyz").read_text().splitlines()[:3]
    assert count == "23"
    columns = "species:S:1:pos:R:3:region:S:1:region_id:I:1:eta:R:1:displacement:R:3:free:L:1:layer:I:1"
    assert f" Properties={columns} " in header
    assert header.endswith('pbc="F F T"')
    assert len(first.split()) == sum(int(width) for width in columns.split(":")[2::3])


def test_ase_reads_back_what_the_header_tells(tmp_path: Path) -> None:
    """Also where the locale has no Å: texts of the header are ASCII."""
    told = 'a site has moved by 0.5 Å; "far"'
    given = {"eta": 1.2345678901234567e-12, "trusted": False, "reasons": told, "settled": True}
    write_extxyz(tmp_path / "a.extxyz", **frame(), info=given)
    assert (tmp_path / "a.extxyz").read_bytes().isascii()
    info = ase.io.read(tmp_path / "a.extxyz").info
    expected = given | {"reasons": "a site has moved by 0.5 A; 'far'"}
    assert {name: info[name] for name in given} == expected
    with pytest.raises(ValueError, match="not a finite number"):
        write_extxyz(tmp_path / "b.extxyz", **frame(), info={"eta": np.nan})
    with pytest.raises(ValueError, match="cannot be written"):
        write_extxyz(tmp_path / "b.extxyz", **frame(), info={"eta of it": 1.0})


@pytest.mark.parametrize("pbc", [(0, 0, 0), (0, 0, 1), (1, 0, 0), (1, 0, 1), (1, 1, 1)])
def test_box_holds_the_atoms_and_keeps_periodic_rows(pbc: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(6)
    positions, cell = rng.normal(scale=9.0, size=(40, 3)), rng.normal(size=(3, 3)) + 4 * np.eye(3)
    flags = np.array(pbc, bool)
    box, origin = drawn_box(positions, cell, flags)
    assert np.array_equal(box[flags], cell[flags])
    assert np.linalg.det(box) > 0
    assert np.allclose(box[~flags] @ cell[flags].T, 0, atol=1e-12)
    free = ((positions - origin) @ np.linalg.inv(box))[:, ~flags]
    margin = VACUUM / np.linalg.norm(box[~flags], axis=1)
    assert np.allclose(free.min(axis=0, initial=2), margin, rtol=1e-9)
    assert np.allclose(free.max(axis=0, initial=-1), 1 - margin, rtol=1e-9)


def test_box_of_a_straight_defect_is_along_the_axes() -> None:
    box, _ = drawn_box(frame()["atoms"].positions, np.diag([0.0, 0.0, 2.7]), np.array([False, False, True]))
    assert np.allclose(box, np.diag(np.diag(box)), atol=1e-12)
    assert np.all(np.diag(box) > 0)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"region": np.full(23, 4)}, r"region holds \[4\]; known are 0 to 3 .QM, buffer, MM, far_field"),
        ({"region": np.zeros(22, int)}, r"region is .* of shape \(22,\); 23 sites need"),
        ({"arrays": {"eta": np.full(23, np.nan)}}, "eta holds 23 numbers that are not finite"),
        ({"arrays": {"my eta": np.zeros(23)}}, "Column name 'my eta'"),
        ({"arrays": {"label": np.full(23, "far field")}}, "label holds words .* contain spaces"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path: Path, change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        write_extxyz(tmp_path / "a.extxyz", **(frame() | change))
    assert list(tmp_path.iterdir()) == []
