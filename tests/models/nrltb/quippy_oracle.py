"""QUIP's NRL tight binding (quippy-ase from PyPI) as an independent code for the same parameter files.

    python tests/models/nrltb/quippy_oracle.py

in an environment that has quippy-ase besides the package writes quippy_reference.json anew. QUIP differentiates the
band energy at fixed N, not the free energy, so forces agree where kT is small against the gap: there both are the same.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

REFERENCE = Path(__file__).with_name("quippy_reference.json")
HAMILTONIAN_ORDER = ("ss_sigma", "sp_sigma", "pp_sigma", "pp_pi")
NUMBERS = {"Si": 14, "Ge": 32}
COLD = 0.002  # eV


def calculator(content: dict[str, Any], *, kT: float, points: np.ndarray, weights: np.ndarray) -> Any:
    """A quippy calculator of a parsed parameter file, for electrons of a temperature (eV) at k-points."""
    from quippy.potential import Potential

    rows = "".join(
        f'<point weight="{w!r}"> {x!r} {y!r} {z!r} </point>\n'
        for w, (x, y, z) in zip(weights.tolist(), points.tolist(), strict=True)
    )
    kpoints = f'<KPoints N="{len(weights)}">\n{rows}</KPoints>\n'
    text = f"<quip_params>\n{kpoints}{_model(content, kT)}</quip_params>\n"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "params.xml"
        path.write_text(text, encoding="utf-8")
        return Potential("TB NRL-TB", param_filename=str(path))


def cases() -> dict[str, tuple[dict[str, Any], Atoms, tuple[int, int, int], float]]:
    """Name: parameter file, atoms, k-point divisions, kT."""
    from tests.models.nrltb.structures import cluster, sheared, silicon_content, two_species_content

    silicon, mixed = silicon_content(), two_species_content()
    alloy = sheared(seed=11, rattle=0.05)
    alloy.numbers[[0, 2, 3, 7]] = 32
    boxed = cluster()
    boxed.set_cell(np.eye(3) * 30.0)
    boxed.pbc = True
    return {
        "cold": (silicon, sheared(rattle=0.06), (2, 2, 2), COLD),
        "warm": (silicon, sheared(), (3, 2, 1), 0.1),
        "hot": (silicon, sheared(), (1, 1, 1), 1.0),
        "cluster": (silicon, boxed, (1, 1, 1), 0.1),
        "alloy": (mixed, alloy, (2, 1, 2), COLD),
        "hot alloy": (mixed, alloy, (2, 1, 2), 0.7),
    }


def main() -> None:
    """All cases into the reference file."""
    from qmfront.models.nrltb.kpoints import monkhorst_pack

    out = {}
    for name, (content, atoms, divisions, kT) in cases().items():
        grid = monkhorst_pack(divisions)
        atoms.calc = calculator(content, kT=kT, points=grid.points, weights=grid.weights)
        out[name] = {
            "energy": atoms.get_potential_energy(),
            "forces": atoms.get_forces().tolist(),
            "stress": atoms.get_stress().tolist(),
        }
    REFERENCE.write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")


def _model(content: dict[str, Any], kT: float) -> str:
    symbols = sorted(content["species"], key=NUMBERS.__getitem__)
    lines = [
        '<NRL_TB_params header_str="NN00001" label="test">',
        f'<defaults fermi_T="{kT!r}"/>',
        '<header is_orthogonal="F" is_magnetic="F" has_pair_repulsion="F" overlap_zero_limit="T" '
        'force_harrison_signs="F"/>',
        f'<n_types v="{len(symbols)}"/>',
        f'<cutoff v="{content["cutoff"]!r}"/>',
    ]
    for index, symbol in enumerate(symbols, start=1):
        entry = content["species"][symbol]
        lines.append(
            f'<per_type_data type="{index}" atomic_num="{NUMBERS[symbol]}" atomic_mass="28.0" n_orbs="4" '
            f'n_elecs="{entry["electrons"]}" n_orb_sets="2" lambda_sq="{entry["density_decay"]!r}">'
            "<orb_set_type>1 2 </orb_set_type></per_type_data>"
        )
    for i, first in enumerate(symbols, start=1):
        for j, second in enumerate(symbols, start=1):
            lines += _pair(content, (i, first), (j, second))
    return "\n".join([*lines, "</NRL_TB_params>\n"])


def _pair(content: dict[str, Any], first: tuple[int, str], second: tuple[int, str]) -> list[str]:
    """QUIP's entry of an ordered pair: what `first` does to the levels of `second`, and <s of first|p of second>."""
    (i, by), (j, of) = first, second
    turned = f"{by}-{of}" not in content["pairs"]
    pair = content["pairs"][f"{of}-{by}" if turned else f"{by}-{of}"]
    free = [content["species"][of][level] if i == j else 0.0 for level in "sp"]
    levels = [[a, *content["environment"][of][by][level]] for a, level in zip(free, "sp", strict=True)]
    matrices = []
    for part in ("hopping", "overlap"):
        rows = []
        for name in HAMILTONIAN_ORDER:
            key = "ps_sigma" if name == "sp_sigma" and turned else name
            row = pair[part][key]
            rows.append(row[1:] if part == "overlap" and i == j else row)
        matrices.append(rows + [[0.0, 0.0, 0.0, 1.0]] * 6)
    return [
        f'<per_pair_data type1="{i}" type2="{j}" r_cut="{content["cutoff"]!r}" screen_l="{content["screening"]!r}">',
        f"<abcd> {_numbers([*levels, [10.0, 0.0, 0.0, 0.0]])} </abcd>",
        f"<H_coeff> {_numbers(matrices[0])} </H_coeff>",
        f"<S_coeff> {_numbers(matrices[1])} </S_coeff>",
        "</per_pair_data>",
    ]


def _numbers(rows: list[list[float]]) -> str:
    return "\n".join(" ".join(repr(float(value)) for value in row) for row in rows)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[3]))
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
