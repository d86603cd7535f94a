"""What makes an error clear, as code: it names the key, shows the value shortened, says why, and says what to do."""

import re
from collections.abc import Iterable

from qmfront.config.errors import dotted_keys
from qmfront.config.study import Case, Configuration, Study

LONGEST = 900
"""Characters of one problem: its value is shortened, its list of keys is not."""
LONGEST_WORD = 120
MOST_PROBLEMS = 6
"""Of one change; a cut-off that is wrong touches several cases and figures."""
PYTHON = re.compile(
    r"\.(?:float|int|str|bool|list|dict)\b:|"
    r"Traceback|\w+Error\b|NoneType|<class|object at 0x|function-|tagged-union|dict\[|list\[|pydantic|constrained|"
    r"valid dictionary|valid tuple|after validation|\bJSON input|model_|__root__|\\U000|lax-or-strict|OrderedDict"
)
TODO = re.compile(
    r"\b(choose|correct|write|give|remove|did you mean|there is|meaning|should be|must|increase|decrease|move|keep|"
    r"list|save|name|need|needs|indent|draw|decide|put|take|compute|leave|subtract|is it|are|turn|expected)\b",
    re.IGNORECASE,
)
KEYS = {key.split(".")[-1] for model in (Case, Configuration, Study) for key in dotted_keys(model)}


def unclear(problems: Iterable[str], key: str) -> str:
    """What is unclear about the problems that one change caused; nothing if all is clear.

    key : what one of them must name, the key, a name, or the value; empty if any key or line will do
    """
    told = list(problems)
    if not told:
        return "no problem is told"
    if len(told) > MOST_PROBLEMS:
        return f"{len(told)} problems for one mistake"
    shown = repr(key)[1:-1][:50]
    if shown and not any(shown in problem for problem in told):
        return f"{shown!r} is not named"
    whole = re.compile(
        rf"(?<!\w){re.escape(shown)}(?!\w)"
    )  # 'igures' is no part of 'figures', which may be meant
    own = [whole.sub("it", problem) if shown else problem for problem in told]
    return next((reason for problem in own if (reason := _unclear(problem))), "")


def _unclear(problem: str) -> str:
    words = re.split(r"[^\w.]+", problem)
    if found := PYTHON.search(problem):
        return f"{found.group()!r} is a word of programmers"
    if len(problem) > LONGEST or max(map(len, problem.split())) > LONGEST_WORD:
        return f"a value is not shortened: {len(problem)} characters"
    if any(ord(character) < 32 for character in problem):
        return "it holds control characters"
    if not (
        re.search(r"study\.yaml(, line \d+)?:? ", problem)
        or KEYS & {part for word in words for part in word.split(".")}
    ):
        return "no key and no line is named"
    if not TODO.search(problem):
        return "it does not say what to do"
    return ""
