"""The text of a configuration: plain values or one clear error, within two seconds, and nothing is run."""

import json
import time
from pathlib import Path

import pytest

from qmfront.config.errors import ConfigError
from qmfront.config.reading import DEEPEST, MOST_BYTES, read_yaml

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 3000))


def told(tmp_path: Path, content: str | bytes, name: str = "study.yaml") -> str:
    """The one problem of a file, in less than two seconds."""
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    before = time.process_time()
    with pytest.raises(ConfigError) as caught:
        read_yaml(path, shown=name)
    assert time.process_time() - before < 2.0
    (problem,) = caught.value.problems
    assert problem.startswith(name)
    assert len(problem) < 400
    return problem


@pytest.mark.parametrize(
    ("content", "pieces"),
    [
        ("a: {b: 1}\na: {c: 2}\n", ["line 2: the key 'a' occurs twice"]),
        ("a: {b: 1, c: [{d: 1, d: 2}]}\n", ["the key 'd' occurs twice"]),
        ('{"a": {"b": 1, "b": 2}}', ["the key 'b' occurs twice"]),
        ("a: 1\nb:\n\tc: 2\n", ["line 3: the line is indented with a tab. Indent with blanks"]),
        ("a: {b: 1\n", ["is not valid YAML, line 2", "Correct what stands there"]),
        ("a: 'b\n", ["is not valid YAML", "quote"]),
        ("title: \xc5\n".encode("latin-1"), ["is not text in UTF-8 (byte 7)"]),
        ("a: 1\x00\n", ["is not valid YAML"]),
        (b"\xff\xfea\x00:\x001\x00", ["is not text in UTF-8 (byte 0)"]),
        ("a: &a {b: *a}\n", ["line 1: an anchor (&) holds an alias (*) of itself"]),
        ("a: *b\n", ["undefined alias"]),
        ("a: " + "[" * 5000 + "]" * 5000, [f"nested more than {DEEPEST} deep"]),
        ('{"a": ' * 40 + "1" + "}" * 40, [f"nested more than {DEEPEST} deep"]),
        ('{"a": ' * 5000 + "1" + "}" * 5000, [f"nested more than {DEEPEST} deep"]),
        (CHAIN, [f"nested more than {DEEPEST} deep"]),
        (BOMB, ["more than 20000 values, those of aliases counted"]),
        ("a: [" + "1, " * 100_000 + "1]", ["more than 20000 values"]),
        ('{"a": [' + "1, " * 100_000 + "1]}", ["more than 20000 values"]),
        ("a: " + "x" * MOST_BYTES, [f"larger than {MOST_BYTES} bytes"]),
        ("a: " + "9" * 5000, ["a whole number of 5000 digits ('9999", "no setting needs more than 18"]),
        ('{"a": ' + "9" * 5000 + "}", ["a whole number of 5000 digits"]),
        ("a: 0" + "7" * 9000, ["a whole number of 9001 digits"]),
        ("a: 1:30\n", ["1:30 means 90 in YAML 1.1: write 90"]),
        ("a: 060\n", ["060 means 48 in YAML 1.1"]),
        ("a: 1:30.5\n", ["to the base of 60"]),
        ("a: no\n", ["no means false in YAML 1.1: write false, or 'no' for a text"]),
        ("a: 2024-01-01\n", ["2024-01-01 is a date in YAML 1.1"]),
        ("1: a\n", ["the key '1' is no text for YAML, but int. Write it in quotes"]),
        ("on: a\n", ["the key 'on' is no text for YAML, but bool"]),
        ("? [a, b]\n: 1\n", ["the key that is a list or a group is no text"]),
        ("a: !!binary aGk=\n", ["the tag 'tag:yaml.org,2002:binary' asks for an object"]),
        ("a: !mine 1\n", ["the tag '!mine' asks for an object"]),
        ("a: <<\n", ["<< is no value"]),
        ("a: 1\n---\nb: 2\n", ["expected a single document"]),
        ("[1, 2]\n", ["holds a list; it should hold keys with values"]),
        ("__use_yte__: true\na: ?1/0\n", ["__use_yte__ asks Snakemake to run", "runs no code"]),
    ],
)  # fmt: skip
def test_one_clear_error(content: str | bytes, pieces: list[str], tmp_path: Path) -> None:
    problem = told(tmp_path, content)
    assert [piece for piece in pieces if piece not in problem] == [], problem


@pytest.mark.parametrize(
    "tag", ["python/object/apply:os.system", "python/name:os.system", "python/object/new:subprocess.Popen"]
)
def test_python_tags_run_nothing(tag: str, tmp_path: Path) -> None:
    made = tmp_path / "made"
    assert "asks for an object" in told(tmp_path, f"a: !!{tag} ['touch {made}']\n")
    assert not made.exists()


def test_what_can_be_no_file(tmp_path: Path) -> None:
    for path, piece in (
        (tmp_path, "cannot be read (Is a directory)"),
        (tmp_path / "no", "there is no such file"),
    ):
        with pytest.raises(ConfigError, match="^The configuration has a problem") as caught:
            read_yaml(path, shown="it")
        assert piece in str(caught.value)


def test_values_are_those_that_are_written(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("a: &a {x: 1, y: [true, null, '060', 1.5e-3]}\nb: {<<: *a, x: 2}\nc: *a\n'<<': d\n")
    first = {"x": 1, "y": [True, None, "060", 1.5e-3]}
    assert read_yaml(path, shown="it") == {"a": first, "b": first | {"x": 2}, "c": first, "<<": "d"}
    path.write_text(json.dumps(first, indent="\t").replace("0.0015", "15e-4"))
    assert read_yaml(path, shown="it") == first
    path.write_text("\ufeff# nothing\n")
    assert read_yaml(path, shown="it") == {}
