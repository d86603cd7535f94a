"""Docstrings as the site shows them: `# ASSUME` and `# PAPER` begin a remark there, not a heading."""

import re
from typing import Any

import griffe


class Remarks(griffe.Extension):
    """Marks of docs/estimator.md in bold type."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = re.sub(r"(?m)^(\s*)# ([A-Z]+) ", r"\1**\2** ", obj.docstring.value)
