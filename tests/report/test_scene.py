"""What the page shows of a structure: the atoms nearest to the QM region, their values to three digits, few bytes."""

import base64
import json
from dataclasses import replace

import numpy as np
import pytest

from qmfront.report.scene import (
    BUDGET,
    FEWEST_ATOMS,
    KEPT_DECADES,
    MOST_ATOMS,
    MOST_FRAMES,
    STEPS,
    Frame,
    Scene,
    height_of,
    nearest,
    share_out,
)

PAGE = 5_000_000
"""Bytes that a page may have."""
OTHERS = 2_000_000
"""Of them for 3Dmol.js, two dozen charts and the tables."""


def scene(n: int = 50, frames: int = 2) -> Scene:
    rng = np.random.default_rng(1)
    made = [
        Frame(
            k=3 * k,
            eta=0.1 / (1 + k),
            positions=rng.uniform(-40.0, 60.0, (n, 3)),
            region=rng.integers(0, 4, n),
            counts=np.array([7, 8, 9, 10]),
            values={
                "eta": np.where(rng.random(n) < 0.2, 0.0, 10.0 ** rng.uniform(-9, -2, n)),
                "displacement": 10.0 ** rng.uniform(-4, 0, n),
                "residual": np.zeros(n),
            },
        )
        for k in range(frames)
    ]
    return Scene(
        index=np.arange(n) * 5,
        numbers=rng.choice([28, 13], n),
        total=6 * n,
        iterations=9,
        frames=made,
        cut=3.0,
        r0=2.5,
        dimension=2,
        displaced_from="the elastic prediction",
    )


def unpacked(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), kind)


def test_numbers_are_read_back_as_the_browser_does() -> None:
    shown = scene()
    content = json.loads(json.dumps(shown.content()))
    assert unpacked(content["index"], "<u4").tolist() == shown.index.tolist()
    species = np.array(content["species"])[unpacked(content["element"], "u1")]
    assert species.tolist() == ["Ni" if number == 28 else "Al" for number in shown.numbers]
    corner = np.min([frame.positions.min(axis=0) for frame in shown.frames], axis=0)
    assert content["cut"] == shown.cut - corner[2]
    for frame, written in zip(shown.frames, content["frames"], strict=True):
        places = unpacked(written["position"], "<u2").reshape(-1, 3) * content["step"]
        np.testing.assert_allclose(places, frame.positions - corner, atol=content["step"])
        assert unpacked(written["region"], "u1").tolist() == frame.region.tolist()
        assert (
            written["k"] == frame.k
            and written["counts"] == [7, 8, 9, 10]
            and written["estimate"] == frame.eta
        )
        for name, values in frame.values.items():
            code = unpacked(written[name], "<u2").astype(float)
            depth = KEPT_DECADES * (1 - (code - 1) / (STEPS - 1))
            read = np.where(code == 0, 0.0, 10.0 ** (content["quantities"][name]["top"] - depth))
            np.testing.assert_allclose(read, values, rtol=1e-3, err_msg=name)


def test_every_quantity_has_a_unit_and_says_what_it_starts_from() -> None:
    told = scene().content()["quantities"]
    assert isinstance(told, dict)
    units = {name: quantity["unit"] for name, quantity in told.items()}
    assert units == {"eta": "Å", "displacement": "Å", "residual": "eV/Å"}
    assert told["displacement"]["label"] == "displacement from the elastic prediction"


def test_atoms_nearest_to_the_qm_region_are_kept() -> None:
    sites = np.column_stack([np.arange(30.0), np.zeros(30), np.zeros(30)])
    is_qm = np.isin(np.arange(30), [4, 20])
    assert nearest(sites, is_qm, 6).tolist() == [3, 4, 5, 19, 20, 21]
    assert nearest(sites, is_qm, 40).tolist() == list(range(30))


@pytest.mark.parametrize("middle", [0.3, 5.0, 9.7])
def test_the_cut_goes_through_a_defect_wherever_it_lies_along_the_line(middle: float) -> None:
    """Displacements that decay from a point, in a cell that repeats after 10 Å; the point may be at its border."""
    rng = np.random.default_rng(2)
    positions = rng.uniform(0.0, 10.0, (4000, 3))
    away = (positions[:, 2] - middle + 5.0) % 10.0 - 5.0
    known = scene(n=4000).frames[0]
    values = known.values | {"displacement": np.exp(-np.abs(away))}
    found = height_of(replace(known, positions=positions, values=values), 10.0)
    assert (found - middle + 5.0) % 10.0 - 5.0 == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("n_cases", [1, 3, 40])
@pytest.mark.parametrize("n_atoms", [1, 255, 5654, 1_000_000])
@pytest.mark.parametrize("n_iterations", [1, 4, 200])
def test_no_study_makes_a_page_too_large(n_cases: int, n_atoms: int, n_iterations: int) -> None:
    """17.3 bytes for an atom of a frame; what does not fit is left out, iterations before atoms."""
    share = BUDGET // n_cases
    atoms, frames = share_out(share, n_atoms, n_iterations)
    assert 1 <= atoms <= min(n_atoms, MOST_ATOMS) and 1 <= frames <= min(n_iterations, MOST_FRAMES)
    assert n_cases * atoms * (17.4 * frames + 8) < PAGE - OTHERS
    if frames < min(n_iterations, MOST_FRAMES):
        assert frames >= 2
    if share >= 2 * FEWEST_ATOMS:
        assert atoms >= min(n_atoms, FEWEST_ATOMS) / 1.25
    written = len(json.dumps(scene(n=2000, frames=3).content()))
    assert written < 2000 * (17.4 * 3 + 8) + 2000
