"""The finished case is what it was, whatever the test before has done to its files."""

import filecmp
import os
from pathlib import Path

from tests.workflow.conftest import restore


def test_a_folder_is_what_its_copy_is(tmp_path: Path) -> None:
    """Edited, removed and new files, links and folders in the place of others; times as well."""
    copy, folder = tmp_path / "copy", tmp_path / "folder"
    for name in ("a/b/kept", "a/edited", "a/removed", "was_folder/x"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text(name)
        os.utime(copy / name, (1000, 1000))
    (copy / "link").symlink_to("a/edited")
    folder.mkdir()
    restore(folder, copy)
    (folder / "a/edited").write_text("A/EDITED")
    (folder / "a/removed").unlink()
    (folder / "a/new").mkdir()
    (folder / "a/new/file").write_text("1")
    (folder / "link").unlink()
    (folder / "link").mkdir()
    (folder / "was_folder/x").unlink()
    (folder / "was_folder").rmdir()
    (folder / "was_folder").symlink_to("a")
    restore(folder, copy)

    def found(root: Path) -> list[tuple[str, bool, int]]:
        paths = sorted(root.rglob("*"))
        return [
            (str(p.relative_to(root)), p.is_symlink(), p.lstat().st_mtime_ns)
            for p in paths
            if p.name != "link"
        ]

    assert found(folder) == found(copy)
    assert filecmp.cmpfiles(
        copy, folder, ["a/b/kept", "a/edited", "a/removed", "was_folder/x"], shallow=False
    )[0]
    assert os.readlink(folder / "link") == "a/edited"
