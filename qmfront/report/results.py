"""What a page tells of cases and potentials, read from their files, and its tables."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from qmfront.config.study import Case
from qmfront.elasticity.certificate import Certificate
from qmfront.storage import store
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.potential import POTENTIAL
from qmfront.training.certificate_table import consistency_table
from qmfront.training.verdict import mismatch_verdict

COST_PARTS = ("solve", "exact", "cauchy_born", "paper", "estimate", "refine")
"""Columns cpu_* of convergence.csv."""


@dataclass(frozen=True)
class CaseResult:
    """What is told of a case.

    title : one line that says what the case shows
    table : its convergence.csv
    reference : root attributes of its reference store (qm_calls, qm_seconds), empty without one
    potential : name of its MM potential
    far_field : what its far_field.zarr says about dW, empty if it was not asked
    ended : why its loop stopped, in words; empty if nobody knows
    folder : results/{case}, whose stores have its structures; None where there are none to be shown
    """

    title: str
    table: pd.DataFrame
    reference: Mapping[str, float]
    potential: str
    far_field: str = ""
    ended: str = ""
    folder: Path | None = None

    @classmethod
    def read(
        cls, title: str, potential: str, table: Path, *, reference: Path | None, far_field: Path | None
    ) -> "CaseResult":
        """From convergence.csv, and the stores of a case that asks for them."""
        measured = {} if reference is None else store.attributes(reference)
        told = {} if far_field is None else store.attributes(far_field)
        rows, folder = pd.read_csv(table), table.parent
        decision = folder / str(rows["k"].iloc[-1]) / "decision.json"
        ended = json.loads(decision.read_text(encoding="utf-8"))["reason"] if decision.is_file() else ""
        shown = folder if (folder / "structure.zarr").is_dir() else None
        return cls(title, rows, measured, potential, told.get("verdict", ""), ended, shown)

    @classmethod
    def of(cls, case: Case, folder: Path) -> "CaseResult":
        """Of a case whose results stand in a folder."""
        reference, far_field = (
            folder / f"{stage}.zarr" if stage in case.asked_stages else None
            for stage in ("reference", "far_field")
        )
        table = folder / "convergence.csv"
        return cls.read(case.title, case.potential, table, reference=reference, far_field=far_field)

    @property
    def last(self) -> pd.Series:
        """Its last iteration, a row of the table."""
        return self.table.iloc[-1]

    @property
    def verdict(self) -> bool | None:
        """Whether its last estimate is trusted; None where nobody judged."""
        judged = self.last.get("trusted")
        return None if pd.isna(judged) else bool(judged)

    @property
    def told(self) -> str:
        """What speaks against its last estimate, and what that does not certify; empty if nothing is said."""
        said = self.last.get("reasons")
        return "" if pd.isna(said) else str(said)

    @property
    def error(self) -> float | None:
        """Its distance to the QM solution, Å; None without a reference."""
        measured = self.last.get("error")
        return None if measured is None or pd.isna(measured) else float(measured)


@dataclass(frozen=True)
class PotentialResult:
    """What is told of a potential.

    fit : its fit.csv
    intervals : its intervals.csv
    verdict : what its certificate says about dW
    certificate : rows of `consistency_table`; None where they are not known
    ticks : of the corners of its phonon path, 1/Å
    strained : |P^MM - P^QM| / |P^QM|, stresses of the perfect crystal at the strain samples; NaN where not known
    """

    fit: pd.DataFrame
    intervals: pd.DataFrame
    verdict: str
    certificate: pd.DataFrame | None = None
    ticks: Sequence[float] = ()
    strained: float = float("nan")

    @classmethod
    def read(cls, folder: Path, bulk: Path) -> "PotentialResult":
        """From results/potentials/{potential}, and the store of the perfect crystal that it was fitted to.

        Raises
        ------
        FileNotFoundError or StoreError if a file is missing.
        """
        fit, intervals = (pd.read_csv(folder / name) for name in ("fit.csv", "intervals.csv"))
        found = Certificate.from_arrays(store.load(folder / "certificate.zarr", POTENTIAL))
        rows = consistency_table(found, store.load(bulk, BULK)["numbers"])
        return cls(fit, intervals, mismatch_verdict(found), rows, found.ticks.tolist(), found.mismatch_size)


def resources_table(folder: Path) -> pd.DataFrame:
    """What every job took, as Snakemake measured it: columns job, seconds, processor_seconds, memory_mb (its peak).

    A job that ended before the first look at it has no processor seconds and no memory; one that ran again tells of
    its last run, in which evaluations may have come from the journal.

    Parameters
    ----------
    folder : results/benchmarks; job is the path below it, such as edge_T4/3/solve
    """
    files = sorted(folder.rglob("*.tsv"))
    rows = pd.DataFrame(
        [pd.read_csv(file, sep="\t").iloc[0] for file in files], columns=["s", "cpu_time", "max_rss"]
    )
    rows = rows.apply(pd.to_numeric, errors="coerce").reset_index(drop=True)
    rows.columns = ["seconds", "processor_seconds", "memory_mb"]
    rows.insert(0, "job", [file.relative_to(folder).with_suffix("").as_posix() for file in files])
    return rows


def cost_table(cases: Mapping[str, CaseResult]) -> pd.DataFrame:
    """QM calls and processor seconds of every case: all iterations together, by part, and the reference beside them."""
    rows = []
    for name, case in cases.items():
        row = {"case": name, "iterations": len(case.table), "QM calls": int(case.table["qm_calls"].sum())}
        for part in COST_PARTS:
            row[part] = float(case.table.get(f"cpu_{part}", pd.Series(dtype=float)).sum())
        row["reference: QM calls"] = case.reference.get("qm_calls")
        row["reference: QM seconds"] = case.reference.get("qm_seconds")
        rows.append(row)
    return pd.DataFrame(rows)


def far_field_table(
    cases: Mapping[str, CaseResult], potentials: Mapping[str, PotentialResult]
) -> pd.DataFrame:
    """What the certificate of the potential of every case says about dW, and what the case's own strains say."""
    rows = [
        {
            "case": name,
            "potential": case.potential,
            "certificate": potentials[case.potential].verdict if case.potential in potentials else "-",
            "far field": case.far_field or "Not asked (estimate.far_field_samples: 0).",
        }
        for name, case in cases.items()
    ]
    return pd.DataFrame(rows)
