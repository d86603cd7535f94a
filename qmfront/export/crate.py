"""A finished study as an RO-Crate: one zip file with the study, its results, its QM calls, and what is known of each.

Every file is described with its size and SHA-256. The zip keeps the times of the files, so that the workflow finds
nothing to compute where it is unpacked; and since the journal is in it, what is computed again asks no QM call twice.
The profile is that of runs of a process (https://w3id.org/ro/wfrun/process/0.5).
"""

import hashlib
import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from qmfront.config.study import Study
from qmfront.export.bibtex import bibliography
from qmfront.storage.durable import gone_on_failure
from qmfront.storage.provenance import distribution_version, versions
from qmfront.storage.writing import created

PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
METADATA = "ro-crate-metadata.json"
REFERENCES = "references.bib"
FOLDERS = (".snakemake/code", ".snakemake/metadata", "config", "figures", "results", "work/journal")
"""What is taken of a folder, beside the study and the files that it names. The first two say what the results were made
with: hashes of the code, so that the same code may be installed later, and Snakemake's checksums of inputs."""
LEFT = (".partial", ".lock")
"""Ends of names of files that are of no use elsewhere."""
FORMATS = {
    ".yaml": "application/yaml",
    ".json": "application/json",
    ".csv": "text/csv",
    ".html": "text/html",
    ".png": "image/png",
    ".pdf": "application/pdf",
    ".extxyz": "chemical/x-xyz",
    ".bib": "application/x-bibtex",
}
BLOCK = 1 << 20


@dataclass(frozen=True)
class Packed:
    """Number of files in an archive, and their bytes."""

    files: int
    size: int


def write_crate(root: Path, file: str, study: Study, path: Path) -> Packed:
    """Write the archive of a study, which is whole or absent.

    Parameters
    ----------
    root : folder of the study
    file : of the study, relative to the folder or absolute
    path : of the archive

    Raises
    ------
    ValueError
        If a case is not finished, or the library rocrate is not installed.
    """
    open_cases = [case for case in study.cases if not (root / "results" / case / "convergence.csv").is_file()]
    if open_cases:
        raise ValueError(f"{', '.join(open_cases)}: not finished. Run the study to its end first")
    contents = dict(_contents(root, file, study))
    references = bibliography(root, study, study.cases).encode()
    described = {name: (source.stat().st_size, sha256(source)) for name, source in contents.items()}
    described[REFERENCES] = (len(references), hashlib.sha256(references).hexdigest())
    metadata = json.dumps(_metadata(root, file, study, described), indent=1, ensure_ascii=False)
    partial = path.with_name(path.name + ".partial")
    with gone_on_failure(partial):
        with created(partial) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(METADATA, metadata)
            archive.writestr(REFERENCES, references)
            for name, source in contents.items():
                archive.write(source, name)
        os.replace(partial, path)
    return Packed(len(described), sum(size for size, _ in described.values()))


def sha256(path: Path) -> str:
    """Of the content of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _contents(root: Path, file: str, study: Study) -> Iterator[tuple[str, Path]]:
    """Name in the archive -> file: those below FOLDERS, the study, and the files that it names."""
    for folder in FOLDERS:
        for source in sorted((root / folder).rglob("*")):
            if source.is_file() and not source.is_symlink() and not source.name.endswith(LEFT):
                yield str(source.relative_to(root)), source
    named = [file, *(path for material in study.materials.values() for path in material.input_files)]
    named += [case.defect.file for case in study.cases.values() if case.defect.kind == "file"]
    for name in named:
        if (root / name).is_file():
            yield _inside(root, name), root / name


def _inside(root: Path, file: str) -> str:
    """Name in the archive of a file that the study names; one that is elsewhere lies beside the study."""
    path, folder = (root / file).resolve(), root.resolve()
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else path.name


def _metadata(
    root: Path, file: str, study: Study, described: dict[str, tuple[int, str]]
) -> dict[str, object]:
    """The content of ro-crate-metadata.json."""
    try:
        from rocrate.model.contextentity import ContextEntity
        from rocrate.rocrate import ROCrate
    except ImportError:
        raise ValueError('the library rocrate is not installed: pip install "qmfront[crate]"') from None
    crate = ROCrate()
    crate.name = f"Study {root.resolve().name}: {', '.join(study.cases)}"
    crate.description = (
        "Adaptive QM/MM of crystalline defects: "
        + "; ".join(f"{name}: {case.title}" for name, case in study.cases.items())
        + f". Unpacked, qmfront run --study {file} finds nothing to compute."
    )
    entities = {
        name: crate.add_file(
            dest_path=name,
            properties={"contentSize": str(size), "sha256": digest}
            | ({"encodingFormat": FORMATS[Path(name).suffix]} if Path(name).suffix in FORMATS else {}),
        )
        for name, (size, digest) in described.items()
    }
    programs = versions() | {"snakemake": distribution_version("snakemake")}
    software = [
        crate.add(
            ContextEntity(
                crate,
                f"#{name}",
                properties={"@type": "SoftwareApplication", "name": name, "version": version},
            )
        )
        for name, version in programs.items()
    ]
    profile = crate.add(
        ContextEntity(
            crate,
            PROFILE,
            properties={"@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"},
        )
    )
    crate.root_dataset["conformsTo"] = profile
    results = [entity for name, entity in entities.items() if name.startswith(("results/", "figures/"))]
    run = crate.add_action(
        instrument=software[0],
        identifier="#run",
        object=[entities[_inside(root, file)]],
        result=results,
        properties={"@type": "CreateAction", "name": f"qmfront run --study {file}"},
    )
    crate.root_dataset["mentions"] = run
    return dict(crate.metadata.generate())
