"""EAM files whose text LAMMPS reads: the same tables by a copy in plain text."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from qmfront.config.eam_text import COPIES, plain_text, readable_copy
from qmfront.config.material import QuantumModel
from qmfront.models.eam_file import EAMTables, read_eam_file


def table(elements: str = "1 Cu", comment: str = "c1", end: str = "") -> str:
    """A file of one element; F, f and r phi are straight lines."""
    rows = [f"{0.1 * n:.3f}" for n in range(12)]
    return (
        "\n".join([comment, "c2", "c3", elements, "12 0.05 12 0.13 1.5", "29 63.55 3.6 fcc", *rows * 3])
        + "\n"
        + end
    )


def same(one: EAMTables, other: EAMTables) -> bool:
    return np.array_equal(one.embedding, other.embedding) and np.array_equal(one.pair, other.pair)


@pytest.mark.parametrize(
    "text",
    [
        table(end="\x1a"),
        table(end="\x1a\n"),
        table(comment="c1 \x0c of a printer"),
        table(comment="c1 \u2028 of a web page"),
        table(comment="c1 \x0b\x85"),
        table("1 CU"),
        table("1 Cu1"),
    ],
    ids=["dos end", "dos end and line", "form feed", "line separator", "vertical tab", "capitals", "label"],
)
def test_text_that_lammps_reads(text: str, tmp_path: Path) -> None:
    path, plain = tmp_path / "own.eam.alloy", tmp_path / "plain.eam.alloy"
    path.write_bytes(text.encode())
    plain.write_bytes(table().encode())
    with pytest.raises(ValueError, match="Bad EAM file"):
        read_eam_file(path)
    copy = readable_copy(path, tmp_path)
    assert copy.parent == tmp_path / COPIES
    assert same(read_eam_file(copy), read_eam_file(plain)) and read_eam_file(copy).species.tolist() == [29]
    assert readable_copy(path, tmp_path) == copy


@pytest.mark.parametrize(
    "change", [lambda text: text, lambda text: text.replace("\n", "\r\n"), lambda text: text + "left over\n"]
)
def test_a_file_that_is_read_as_it_is_or_wrong_is_left_alone(
    change: Callable[[str], str], tmp_path: Path
) -> None:
    path = tmp_path / "own.eam.alloy"
    path.write_bytes(change(table()).encode())
    assert readable_copy(path, tmp_path) == path
    assert not (tmp_path / COPIES).exists()


def test_names_that_would_become_one_stay() -> None:
    assert plain_text(table("2 Cu1 Cu2")) == table("2 Cu1 Cu2")
    assert plain_text(table("1 Xx")) == table("1 Xx")
    assert plain_text("short") == "short"


def test_the_calculator_gets_the_copy(tmp_path: Path) -> None:
    (tmp_path / "own.eam.alloy").write_text(table("1 CU"), encoding="utf-8")
    files = {"potential": "own.eam.alloy"}
    ours = QuantumModel(calculator="qmfront.models.eam.EAM", files=files, cutoff=1.5)
    theirs = QuantumModel(calculator="ase.calculators.eam.EAM", files=files, cutoff=1.5)
    assert Path(ours.arguments(tmp_path)["potential"]).parent == tmp_path / COPIES
    assert theirs.arguments(tmp_path)["potential"] == str(tmp_path / "own.eam.alloy")
