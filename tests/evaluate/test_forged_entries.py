"""Entries of the journal come from outside: what does not answer the question is moved aside and computed again."""

import io
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.emt import EMT

from qmfront.evaluate import inventory
from qmfront.evaluate.entry import Question, packed, unpacked
from qmfront.evaluate.evaluation import Evaluation
from qmfront.evaluate.journal import Journal
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.storage.provenance import content_hash

SPEC = ModelSpec("ase.calculators.emt.EMT")
PROPERTIES = ("energy", "forces")
RIGHT = Evaluation(-1.0, np.ones((5, 3)), None, 1.0, 1.0, cached=False)
Forgery = Callable[[Path, str, Question], bytes | None]


def cluster() -> Atoms:
    rng = np.random.default_rng(1)
    return Atoms(
        "Cu4Al", rng.normal(size=(5, 3)) + 3.0 * np.arange(5)[:, None], cell=[9, 8, 7], pbc=[0, 0, 1]
    )


def answering(**changes: Any) -> Forgery:
    """The right question with another answer, and a checksum that is right."""
    return lambda path, key, question: packed(key, question, replace(RIGHT, **changes))


def asking(**changes: Any) -> Forgery:
    """Another question under the key of this one, and a checksum that is right."""

    def forged(path: Path, key: str, question: Question) -> bytes:
        model = changes.get("model", question.model)
        arrays = {**question.arrays, **changes}
        kept = {name: value for name, value in arrays.items() if isinstance(value, np.ndarray)}
        return packed(key, replace(question, model=model, arrays=kept), RIGHT)

    return forged


def holding(**members: np.ndarray) -> Forgery:
    """An archive of such members, checksum included."""

    def forged(path: Path, key: str, question: Question) -> bytes:
        with np.load(io.BytesIO(packed(key, question, RIGHT))) as archive:
            known = {name: archive[name] for name in archive.files if name != "checksum"} | members
        stream = io.BytesIO()
        np.savez(stream, checksum=np.array(content_hash([key, known])), **known)
        return stream.getvalue()

    return forged


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("touch made",)


def pickled(path: Path, key: str, question: Question) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, energy=np.array([Evil()], dtype=object), numbers=np.ones(5, int), checksum=np.array("x"))
    return stream.getvalue()


def compressed(path: Path, key: str, question: Question) -> bytes:
    """A few bytes that unpack to many."""
    stream = io.BytesIO()
    np.savez_compressed(stream, forces=np.zeros(10**7), checksum=np.array("x"))
    return stream.getvalue()


def promising(path: Path, key: str, question: Question) -> bytes:
    """A header of 1e11 numbers before none."""
    stream, head = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": (10**11,)})
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("forces.npy", head.getvalue())
    return stream.getvalue()


def folder(path: Path, key: str, question: Question) -> None:
    path.mkdir()
    (path / "inside").touch()


def link(path: Path, key: str, question: Question) -> None:
    path.symlink_to("/etc/passwd")


def link_to_nothing(path: Path, key: str, question: Question) -> None:
    path.symlink_to("nothing")


def endless(path: Path, key: str, question: Question) -> None:
    path.symlink_to("/dev/zero")


def pipe(path: Path, key: str, question: Question) -> None:
    os.mkfifo(path)


FORGERIES: dict[str, Forgery] = {
    "forces of 7 atoms": answering(forces=np.ones((7, 3))),
    "forces as integers": answering(forces=np.ones((5, 3), int)),
    "NaN": answering(forces=np.full((5, 3), np.nan)),
    "infinite energy": answering(energy=np.inf),
    "energy of every atom": holding(energy=np.ones(5)),
    "negative time": answering(seconds=-1.0),
    "a stress that nobody asked for": answering(stress=np.ones(6)),
    "other positions": asking(positions=cluster().positions + 5.0),
    "other species": asking(numbers=np.full(5, 29)),
    "another cell": asking(cell=2.0 * cluster().cell.array),
    "other periodic directions": asking(pbc=np.array([True, True, True])),
    "another model": asking(model={"calculator": "ase.calculators.lj.LennardJones"}),
    "moments that nobody asked about": asking(initial_magmoms=np.ones(5)),
    "no positions": asking(positions=None),
    "a pickle": pickled,
    "a bomb": compressed,
    "a header of 1e11 numbers": promising,
    "text": lambda path, key, question: b"energy: 1",
    "a folder": folder,
    "a link to a text": link,
    "a link to nothing": link_to_nothing,
    "a link to a device": endless,
    "a pipe": pipe,
}


@pytest.mark.parametrize("kind", FORGERIES)
def test_forged_entries_are_not_believed(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Twice, so that what was moved aside is in the way of nothing."""
    monkeypatch.chdir(tmp_path)
    journal, true = Journal(tmp_path / "journal"), cluster()
    true.calc = EMT()
    question = journal._question(cluster(), SPEC, PROPERTIES)
    key = question.key
    path = journal._path(key)
    path.parent.mkdir()
    for _ in range(2):
        path.unlink(missing_ok=True)
        forged = FORGERIES[kind](path, key, question)
        if forged is not None:
            path.write_bytes(forged)
        found = journal.evaluate(cluster(), EMT(), SPEC)
        assert not found.cached
        assert found.forces == pytest.approx(true.get_forces(), abs=1e-12)
        assert "does not answer what it is asked, it is damaged or forged" in caplog.text
    assert journal.evaluate(cluster(), None, SPEC).cached
    assert list(path.parent.glob("*.damaged*"))
    assert not Path("made").exists()
    assert Path("/etc/passwd").stat().st_size > 0


def test_an_unsound_entry_is_not_counted_as_sound(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    journal = Journal(tmp_path)
    journal.evaluate(cluster(), EMT(), SPEC)
    key = content_hash({"other": 1})
    path = journal._path(key)
    path.parent.mkdir()
    path.write_bytes(
        packed(key, journal._question(cluster(), SPEC, PROPERTIES), replace(RIGHT, energy=np.nan))
    )
    assert inventory.main([str(tmp_path), "--check"]) == 1
    assert "1 entries are sound" in capsys.readouterr().out


def test_entries_of_earlier_versions_are_served(tmp_path: Path) -> None:
    """They are the same archive without an origin."""
    journal = Journal(tmp_path)
    question = journal._question(cluster(), SPEC, PROPERTIES)
    key = question.key
    with np.load(io.BytesIO(packed(key, question, RIGHT))) as archive:
        members = {name: archive[name] for name in archive.files if name not in ("checksum", "origin")}
    stream = io.BytesIO()
    np.savez(stream, **members, checksum=np.array(content_hash([key, members])))
    journal._path(key).parent.mkdir()
    journal._path(key).write_bytes(stream.getvalue())
    found = journal.evaluate(cluster(), None, SPEC)
    assert (found.cached, found.energy, found.origin) == (True, -1.0, "")


def test_clones_share_a_journal_by_a_link(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    for clone in ("one", "two"):
        (tmp_path / clone).mkdir()
        (tmp_path / clone / "journal").symlink_to(shared)
    first = Journal(tmp_path / "one/journal").evaluate(cluster(), EMT(), SPEC)
    second = Journal(tmp_path / "two/journal").evaluate(cluster(), None, SPEC)
    assert second.cached and np.array_equal(first.forces, second.forces)
    assert first.origin == second.origin and first.origin.endswith(str(shared))


def test_a_copied_entry_says_where_it_is_from(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture
) -> None:
    caplog.set_level("INFO")
    Journal(tmp_path / "theirs").evaluate(cluster(), EMT(), SPEC)
    os.rename(tmp_path / "theirs", tmp_path / "ours")
    found = Journal(tmp_path / "ours").evaluate(cluster(), None, SPEC)
    assert found.origin.endswith(f":{tmp_path}/theirs")
    assert f"(cached, computed for '{found.origin}')" in caplog.text
    assert inventory.main([str(tmp_path / "ours"), "--check"]) == 0
    assert f"1 were computed for {found.origin}" in capsys.readouterr().out


def test_a_journal_that_cannot_be_one(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    (tmp_path / "file").touch()
    for name in ("link", "file"):
        with pytest.raises(NotADirectoryError, match="is no folder, nor a link to one that exists"):
            Journal(tmp_path / name)
    (tmp_path / "gone").mkdir()
    Journal(tmp_path / "link").evaluate(cluster(), EMT(), SPEC)
    assert inventory.main([str(tmp_path / "link"), "--delete"]) == 1
    assert "is a link to" in capsys.readouterr().err
    assert inventory.summary(tmp_path / "link").count == 1


def test_a_right_entry_is_right() -> None:
    question = Question({}, (), {"positions": np.ones((5, 3)), "numbers": np.ones(5, np.int64)})
    assert unpacked("key", packed("key", question, RIGHT)).forces.shape == (5, 3)
