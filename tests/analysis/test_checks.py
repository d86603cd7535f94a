"""What pytest tells of the finished results, in words, and the way back from the file."""

import pytest

from qmfront.analysis.checks import LONGEST, Checks

REPORT = """<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest">
<testcase name="test_elastic_moduli_match[own]"><failure message="AssertionError: &#10;Not equal to tolerance
rtol=0.001&#10;&#10;Mismatched elements: 1 / 3">trace</failure></testcase>
<testcase name="test_the_error_falls[edge]"><error message="failed on setup with &quot;KeyError: 'error'&quot;"/>
</testcase>
<testcase name="test_both_lattices_are_stable[own]"/>
<testcase name="test_surface_phonons_match[own]"><skipped message="no surface"/></testcase>
<testcase name="test_studies"><failure message=""/></testcase>
</testsuite></testsuites>"""


def test_failures_in_words() -> None:
    found = Checks.of_junit(REPORT)
    assert found.line == "3 failed, 1 passed, 1 skipped"
    moduli, error, studies = found.failures
    assert moduli.startswith("own: elastic moduli match – failed: Not equal to tolerance")
    assert moduli.endswith("; Mismatched elements: 1 / 3")
    assert error == "edge: the error falls – failed: failed on setup with \"KeyError: 'error'\""
    assert studies == "studies – failed: no reason given"
    assert Checks.of_text(found.text()) == found
    with pytest.raises(RuntimeError, match="fail 3 of their checks .* own: elastic moduli match"):
        found.refuse_failures()


def test_all_passed() -> None:
    found = Checks.of_text("16 passed, 2 skipped\n")
    assert found == Checks("16 passed, 2 skipped")
    found.refuse_failures()


def test_a_long_reason_is_cut() -> None:
    found = Checks.of_junit(REPORT.replace("no reason", "").replace('message=""', f'message="{"x" * 999}"'))
    assert len(found.failures[-1]) < LONGEST + 40
