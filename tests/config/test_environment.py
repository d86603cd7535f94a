"""The environment files agree with each other, and cleaning keeps what was expensive."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

LOCKS = ("requirements.lock", "requirements-dev.lock", "installer.lock")
CONDA_NAMES = {"snakemake-minimal": "snakemake", "matplotlib-base": "matplotlib"}


def locked(text: str) -> dict[str, str]:
    """Version by package of a lock file."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


def lock(root: Path, name: str = "requirements.lock") -> str:
    return (root / "envs" / name).read_text(encoding="utf-8")


def names_in(requirements: list[str]) -> set[str]:
    return {re.split(r"[><=!~\[]", requirement)[0] for requirement in requirements}


def test_conda_mirror_has_the_same_versions(root: Path) -> None:
    environment = yaml.safe_load((root / "envs" / "environment.yaml").read_text(encoding="utf-8"))
    pinned = dict(
        item.split("=", 1) for item in environment["dependencies"] if not item.startswith("python>")
    )
    versions = locked(lock(root))
    mirrored = {CONDA_NAMES.get(name, name): version for name, version in pinned.items()}
    assert mirrored == {name: versions[name] for name in mirrored}
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(mirrored) == names_in(project["dependencies"])
    assert f"python{project['requires-python']}" in environment["dependencies"]


def test_development_contains_the_run_environment(root: Path) -> None:
    run, dev = locked(lock(root)), locked(lock(root, "requirements-dev.lock"))
    assert len(run) > 60
    assert {name: dev.get(name) for name in run} == run
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert names_in(project["optional-dependencies"]["dev"]) <= set(dev)


@pytest.mark.parametrize("name", LOCKS)
def test_locks_are_hashed_and_hold_no_addresses(name: str, root: Path) -> None:
    text = lock(root, name)
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert re.match(r"[\w.-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry
    assert not re.search(r"://|--(find-links|(extra-)?index-url)|/(opt|home|root|tmp|work)/", text)


def test_clean_keeps_the_journal_and_says_how_to_delete_it(root: Path, tmp_path: Path) -> None:
    if shutil.which("make") is None:
        pytest.skip("needs make")
    shutil.copy(root / "Makefile", tmp_path)
    for folder in ("work/journal", "results", "figures", ".snakemake"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "file").write_text("x", encoding="utf-8")
    done = subprocess.run(["make", "clean"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "make journal ARGS=--delete" in done.stdout
    assert (tmp_path / "work" / "journal" / "file").exists()
    assert not any((tmp_path / folder).exists() for folder in ("results", "figures", ".snakemake"))
