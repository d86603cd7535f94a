"""What the tests of the finished results found, in words: results/checks.txt."""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET

LONGEST = 240
"""Characters of a reason; the whole of it is in logs/check.log."""


@dataclass(frozen=True)
class Checks:
    """The tests of the finished results, all of them run.

    line : how many passed, failed and were skipped
    failures : "case: what was expected – failed: why", one each; none if all passed
    """

    line: str
    failures: tuple[str, ...] = ()

    @classmethod
    def of_junit(cls, text: str) -> "Checks":
        """From the report that `pytest --junitxml` writes.

        Raises
        ------
        xml.etree.ElementTree.ParseError if it is no XML.
        """
        tests = list(ET.fromstring(text).iter("testcase"))
        failures = tuple(found for test in tests for found in _failures(test))
        skipped = sum(test.find("skipped") is not None for test in tests)
        counts = {"failed": len(failures), "passed": len(tests) - skipped - len(failures), "skipped": skipped}
        told = [f"{count} {what}" for what, count in counts.items() if count or what == "passed"]
        return cls(", ".join(told), failures)

    @classmethod
    def of_text(cls, text: str) -> "Checks":
        """From the text of results/checks.txt."""
        *failures, line = text.strip().splitlines()
        return cls(line, tuple(failures))

    def text(self) -> str:
        """Content of results/checks.txt: a line for each failure, and how many there are of each."""
        return "\n".join((*self.failures, self.line, ""))

    def refuse_failures(self) -> None:
        """Nothing if all passed.

        Raises
        ------
        RuntimeError that names every case and check that failed.
        """
        if self.failures:
            listed = "; ".join(self.failures)
            raise RuntimeError(
                f"The finished results fail {len(self.failures)} of their checks (results/checks.txt; each is "
                "explained where it stands in tests/results). All else is finished, results/summary.html too. Look at "
                f"these cases before you use them. {listed}"
            )


def _failures(test: ET.Element) -> Iterator[str]:
    """The failure of a test, if it has one; an error before or after it counts as well, once."""
    found = next((part for kind in ("failure", "error") for part in test.iter(kind)), None)
    if found is None:
        return
    name, _, subject = test.get("name", "").partition("[")
    check = name.removeprefix("test_").replace("_", " ")
    told = f"{subject.removesuffix(']')}: {check}" if subject else check
    yield f"{told} – failed: {_reason(found.get('message', ''))}"


def _reason(message: str) -> str:
    """The message of an exception in one line, without the name of the exception where that says nothing."""
    lines = [" ".join(line.split()) for line in message.removeprefix("AssertionError:").splitlines()]
    told = "; ".join(line for line in lines if line) or "no reason given"
    return told if len(told) <= LONGEST else f"{told[:LONGEST]} ..."
