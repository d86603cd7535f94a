"""What an iteration writes for decisions and tables."""

import json

import numpy as np

from qmfront.config.stages import Estimate
from qmfront.estimate.estimator import Estimates
from qmfront.estimate.numbers import iteration_numbers
from qmfront.estimate.trust import Trust

PARTS = {"mismatch": 0.09, "buffer": 0.0, "algebra": 0.01}


def test_the_file_has_all_numbers():
    found = Estimates(
        np.zeros((5, 3)), np.zeros(5), np.zeros(5), np.zeros(5), 0.1, {"hessian/exact": 0.1}, PARTS
    )
    region = np.array([0, 0, 1, 2, 3])
    trust = Trust(("saddle",), (), settled=True, lowest_eigenvalue=np.nan)
    settings = Estimate()
    numbers = iteration_numbers(found, region, settings, trust, algebraic=1e-3, qm_calls=7)
    content = json.loads(numbers.text())
    assert [content[name] for name in ("n_qm", "n_buf", "n_mm", "qm_calls")] == [2, 1, 1, 7]
    assert [content[f"eta_{name}"] for name in PARTS] == list(PARTS.values())
    assert (content["norm"], content["residual"]) == (settings.norm, settings.residual)
    assert content["lowest_eigenvalue"] is None and content["trusted"] is False
    assert content["reasons"] == ["saddle"] and "proof_calls" not in content
