"""A small tungsten edge dislocation before its first iteration, and iterations that may be finished."""

from dataclasses import asdict
from typing import Any

import pytest

from qmfront.crystal.lattice import cubic_crystal
from qmfront.plan.plan import Prospect, prospect_of
from qmfront.preflight.cost import Cost

COST = Cost(base=0.0, factor=1e-3, exponent=2.0, memory_base=200.0, memory_factor=0.5, largest=400)
ADVICE = {"bulk_calls": 60, "supercell": 432, "bulk_hours": 0.1}


def case(**changes: Any) -> dict[str, Any]:
    return {
        "defect": {
            "kind": "dislocation",
            "line": [0, 1, 0],
            "burgers": [1.0, 0.0, 0.0],
            "plane": [0, 0, 1],
            "core_offset": [0.0, 0.0],
            "core_map_radius_r0": 3.0,
        },
        "domain": {"kind": "disc", "radius_r0": 25.0, "clamp_width": 15.0},
        "initial_region": {"radius_r0": 3.3, "centre_r0": [0.0, 0.0]},
        "estimate": {
            "face_layer": 11.0,
            "layer_r0": 2.0,
            "far_field_samples": 0,
            "norm": "force_constants",
            "hessian": {"model": "mm", "steps": 4},
        },
        "buffer": {"width": 10.8, "residual_factor": 2.0},
        "embedding": {"kind": "cluster", "minimum_cells": 1, "shape": "cube", "subtract_lattice": False},
        "refine": {
            "method": "fast_marching",
            "t_new": 4.0,
            "t_buf": 3.0,
            "mesh": 0.4,
            "normalisation": "mean",
            "minimum_growth": 0.1,
            "circle": {"centre_r0": [0.0, 0.0], "growth": 2.0},
        },
        "solve": {"descent_force": None},
        "reference": {"compute": False, "stability": {"vectors": 20, "one_sided": False}},
        "locality": {"widths": [], "alternatives": {}},
        "energy": {"compute": False},
        "adapt": {"tolerance": 5e-3, "max_iterations": 12, "max_qm_atoms": 1000},
        **changes,
    }


def prospect(
    monkeypatch: pytest.MonkeyPatch, held_out: dict | None = None, field_samples: int = 0, **changes: Any
) -> Prospect:
    monkeypatch.setattr("qmfront.plan.plan.cost_of_clusters", lambda *args, **kwargs: COST)
    preflight = {
        "material": "tungsten",
        "rest": {"scale": 1.0},
        "cost": asdict(COST),
        "recommendation": ADVICE,
    }
    potential = {
        "matching": 1,
        "basis": {"cutoff": 5.5},
        "strain_step": 2.5e-3,
        "rattled": None,
        "held_out": held_out,
        "field_samples": field_samples,
        "surfaces": None,
    }
    study = {
        "case": case(**changes),
        "potential": potential,
        "residuals": ["cauchy_born"],
        "seconds": 1.0,
        "reach": 5.0,
    }
    spec = {"calculator": "qmfront.models.eam.EAM", "kwargs": {"potential": "W_zhou"}}
    return prospect_of(cubic_crystal("W", "bcc", 3.165), preflight, spec, study)


def finished(count: int, *, calls: int = 8, seconds: float = 100.0) -> list[dict]:
    """Iterations whose eta falls as N^-2 and whose calls take twice what COST says."""
    rows = []
    for k, n_qm in enumerate([56, 123, 254][:count]):
        cluster = 2 * n_qm + 150
        rows.append(
            {
                "k": k,
                "n_qm": n_qm,
                "cluster": cluster,
                "eta": 0.1 * (n_qm / 56) ** -2,
                "qm_calls": 20 if k == 0 else calls,
                "residual_calls": 1,
                "answer_calls": 0,
                "solve_seconds": 2 * float(COST.seconds(cluster)) * (20 if k == 0 else calls) + 1.0,
                "qm_seconds": 2 * float(COST.seconds(cluster)) * (20 if k == 0 else calls),
                "residual_seconds": seconds,
                "rest_seconds": 1.0,
            }
        )
    return rows
