"""Which files a script reaches, and hashes and stamps that change with what they do and with nothing else."""

import os
import sys
from pathlib import Path

import pytest

from qmfront.storage import reached_code
from qmfront.storage.reached_code import code_hash, code_stamp, reached_files

TREE = {
    "qmfront/__init__.py": "",
    "qmfront/units.py": "EV = 1.0\n",
    "qmfront/crystal/__init__.py": "",
    "qmfront/crystal/cells.py": "import numpy\nfrom .lattice import vectors\n",
    "qmfront/crystal/lattice.py": "from ..units import EV\n",
    "qmfront/crystal/unused.py": "",
    "qmfront/models/__init__.py": "",
    "qmfront/models/eam.py": 'DATA_FILES = ("data/w.alloy",)\n\ndef read():\n    import qmfront.crystal.cells\n',
    "qmfront/models/data/w.alloy": "1 2 3\n",
    "qmfront/estimate/__init__.py": "",
    "qmfront/estimate/loop.py": "from qmfront.estimate import back\n",
    "qmfront/estimate/back.py": "from qmfront.estimate import loop\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def reached(tree: Path, text: str, **options: tuple[str, ...]) -> set[str]:
    """Modules reached by a script of this text, without the __init__.py."""
    (tree / "script.py").write_text(text)
    paths = [
        Path(path).relative_to(tree).as_posix() for path in reached_files(tree / "script.py", tree, **options)
    ]
    assert paths == sorted(paths)
    return {path.removeprefix("qmfront/") for path in paths if not path.endswith("__init__.py")}


@pytest.mark.parametrize(
    "text, expected",
    [
        ("import numpy, os\n", set()),
        ("import qmfront\n", set()),
        ("import qmfront.units\n", {"units.py"}),
        ("import qmfront.units as u, json\n", {"units.py"}),
        ("from qmfront import units\n", {"units.py"}),
        ("from qmfront.units import EV\n", {"units.py"}),
        ("from qmfront.crystal import lattice\n", {"crystal/lattice.py", "units.py"}),
        ("from qmfront.crystal.cells import x\n", {"crystal/cells.py", "crystal/lattice.py", "units.py"}),
        ("def f():\n    if True:\n        from qmfront import units\n", {"units.py"}),
        ("from qmfront.estimate import loop\n", {"estimate/loop.py", "estimate/back.py"}),
        (
            "from qmfront.models.eam import EAM\n",
            {"models/eam.py", "models/data/w.alloy", "crystal/cells.py", "crystal/lattice.py", "units.py"},
        ),
    ],
)
def test_imports_of_every_form_are_followed(tree: Path, text: str, expected: set[str]) -> None:
    assert reached(tree, text) == expected


def test_packages_on_the_way_count(tree: Path) -> None:
    (tree / "script.py").write_text("import qmfront.crystal.unused\n")
    names = [Path(path).relative_to(tree).as_posix() for path in reached_files(tree / "script.py", tree)]
    assert names == ["qmfront/__init__.py", "qmfront/crystal/__init__.py", "qmfront/crystal/unused.py"]


def test_names_built_at_run_time_are_handed_over(tree: Path) -> None:
    also = ("qmfront.crystal.lattice.Class", "ase.calculators.emt.EMT")
    assert reached(tree, "", also=also) == {"crystal/lattice.py", "units.py"}


def test_edit_is_seen_in_the_same_process(tree: Path) -> None:
    assert reached(tree, "from qmfront.crystal import unused\n") == {"crystal/unused.py"}
    (tree / "qmfront/crystal/unused.py").write_text("import qmfront.units\n")
    assert reached(tree, "from qmfront.crystal import unused\n") == {"crystal/unused.py", "units.py"}


def test_missing_module_names_file_and_line(tree: Path) -> None:
    with pytest.raises(
        ValueError,
        match=r"script\.py, line 2: qmfront\.crystal\.nothing\.x is imported, but .* no module nothing",
    ):
        reached(tree, "import os\nfrom qmfront.crystal.nothing import x\n")


def test_this_package_can_be_followed() -> None:
    root = Path(__file__).parents[2]
    names = {Path(path).name for path in reached_files(None, root, also=("qmfront.evaluate.journal",))}
    assert {
        "journal.py",
        "evaluation.py",
        "lock.py",
        "calculator.py",
        "reached_code.py",
        "durable.py",
    } <= names
    assert "store.py" not in names


def test_a_new_array_of_the_residual_solves_nothing() -> None:
    """A solve depends on the layouts that it reads and writes, and on no other."""
    root = Path(__file__).parents[2]
    layouts = {
        script: {
            Path(path).stem for path in reached_files(root / "scripts" / script, root) if "layouts" in path
        }
        for script in ("solve.py", "adapt.py")
    }
    assert {"residual", "estimate"} <= layouts["adapt.py"]
    assert {"solution", "partition"} <= layouts["solve.py"]
    assert not {"residual", "estimate"} & layouts["solve.py"]


def test_code_hash_ignores_comments_and_sees_statements(tree: Path) -> None:
    def hashed(text: str) -> str:
        (tree / "qmfront/crystal/lattice.py").write_text(text)
        return code_hash("qmfront.crystal.cells", tree)

    first = hashed('"""Doc."""\n\ndef f(x):\n    """Doc."""\n    return 2 * x\n')
    assert first == hashed('"""Other."""\ndef f( x ):  # comment\n    return 2*x\n')
    assert first != hashed("def f(x):\n    return 3 * x\n")
    assert first != hashed('"""Doc."""\n\ndef f(x):\n    "a" + x\n    return 2 * x\n')
    eam = code_hash("qmfront.models.eam", tree)
    (tree / "qmfront/models/data/w.alloy").write_text("1 2 4\n")
    assert eam != code_hash("qmfront.models.eam", tree)


def test_the_interface_for_users_counts_as_empty(tree: Path) -> None:
    """It names all modules: followed, an edit of one would rerun every job and lose every finished QM evaluation."""
    script = "import qmfront\nfrom qmfront.units import EV\n"
    before = code_hash("qmfront.models.eam", tree)
    (tree / "qmfront/__init__.py").write_text("from qmfront.estimate.loop import step\n")
    assert code_hash("qmfront.models.eam", tree) == before
    assert reached(tree, script) == {"units.py"}
    with pytest.raises(ValueError, match=r"qmfront\.step is imported, but .* no module step"):
        reached(tree, "from qmfront import step\n")


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="syntax trees differ between versions of Python")
def test_finished_evaluations_keep_their_keys() -> None:
    """The keys of the journal on disk: a new one makes every evaluation of the model run again."""
    root = Path(__file__).parents[2]
    assert (
        code_hash("qmfront.models.eam", root)
        == "f2db386022d5fd382e5145d996817ae887b1d91199239521411ee55fca39cb2d"
    )
    assert (
        code_hash("qmfront.models.nrltb", root)
        == "9ac8ad1f5e6620afd63140d1a460d911f6b393a6d887e8a612900d6bbb5c9311"
    )


def test_a_stamp_changes_with_statements_alone(tree: Path) -> None:
    """A new one is as old as the youngest file; comments and times leave it so, a statement makes it young."""
    folder, files = (
        tree / "stamps",
        {"qmfront/units.py", "qmfront/models/data/w.alloy", "qmfront/models/eam.py"},
    )
    (tree / "script.py").write_text("import qmfront.units\nimport qmfront.models.eam\n")
    for path in tree.rglob("qmfront/**/*.*"):
        os.utime(path, (1000, 1000))
    os.utime(tree / "qmfront/models/data/w.alloy", (1001, 1001))

    def look() -> tuple[str, float]:
        (stamp,) = code_stamp(folder / "solve.py.txt", tree, script=tree / "script.py")
        return Path(stamp).read_text(), Path(stamp).stat().st_mtime

    text, time = look()
    assert time == 1001 and files <= {line.split()[1] for line in text.splitlines()}
    (tree / "qmfront/units.py").write_text('"""Units."""\n\n# of energy\nEV = 1.0\n')
    assert look() == (text, 1001)
    (tree / "qmfront/units.py").write_text("EV = 2.0\n")
    changed, later = look()
    assert changed != text and later > 1e9
    (tree / "qmfront/models/data/w.alloy").write_text("1 2 4\n")
    assert look()[0] != changed
    assert {path.name for path in folder.iterdir()} == {"solve.py.txt", "sources.json"}


def test_what_was_parsed_is_remembered_as_long_as_it_holds(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process parses nothing again, but what was edited, and everything where the memory is damaged."""
    (tree / "script.py").write_text("from qmfront.models.eam import read\n")
    memory, parsed = tree / "stamps/sources.json", []
    monkeypatch.setattr(
        reached_code, "_statements", lambda path, name: parsed.append(path.name) or path.read_bytes()
    )

    def parsed_by_a_new_process() -> set[str]:
        parsed.clear()
        monkeypatch.setattr(reached_code, "_SOURCES", {})
        monkeypatch.setattr(reached_code, "_written", {})
        code_stamp(tree / "stamps/solve.py.txt", tree, script=tree / "script.py")
        return set(parsed)

    assert {"eam.py", "w.alloy", "cells.py", "lattice.py"} <= parsed_by_a_new_process()
    assert parsed_by_a_new_process() == set()
    (tree / "qmfront/crystal/lattice.py").write_text("import qmfront.crystal.unused\n")
    assert parsed_by_a_new_process() == {"lattice.py", "unused.py"}
    for damage in ("{", "[[1]]", '[["qmfront/units.py", 1, 2, [3], [], ""]]'):
        memory.write_text(damage)
        assert parsed_by_a_new_process() >= {"eam.py", "lattice.py", "unused.py"}
