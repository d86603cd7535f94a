"""Charts stand in the page as pictures whose letters are drawn, and show what is known."""

import base64

import numpy as np
import pytest

from qmfront.elasticity.certificate import Certificate
from qmfront.report.charts import convergence_chart, phonon_chart
from qmfront.report.results import PotentialResult
from qmfront.training.certificate_table import consistency_table
from tests.figures.test_certificate import TUNGSTEN, certificate
from tests.report.test_page import FITS, TABLE


def drawn(source: str) -> str:
    head, _, content = source.partition(",")
    assert head == "data:image/svg+xml;base64"
    return base64.b64decode(content).decode()


def test_a_measured_error_has_a_curve_of_its_own() -> None:
    both, alone = (convergence_chart(table) for table in (TABLE, TABLE.drop(columns="error")))
    assert drawn(both).count("<!-- measured error -->") == 1
    assert (
        drawn(both).count("<!-- estimated error -->") == drawn(alone).count("<!-- estimated error -->") == 1
    )
    assert "measured error" not in drawn(alone)
    for words in ("QM atoms", "error of the structure (Å)"):
        assert f"<!-- {words} -->" in drawn(alone)  # matplotlib writes what the paths of letters say
    assert "<text" not in drawn(both)


def test_phonons_name_both_models() -> None:
    found = Certificate.from_arrays(certificate())
    rows = consistency_table(found, TUNGSTEN)
    plain = FITS["p"]
    chart = phonon_chart(
        PotentialResult(plain.fit, plain.intervals, "", rows, np.asarray(found.ticks).tolist())
    )
    for words in ("QM", "potential", "frequency (THz)"):
        assert f"<!-- {words} -->" in drawn(chart)
    with pytest.raises(ValueError, match="no certificate"):
        phonon_chart(plain)
