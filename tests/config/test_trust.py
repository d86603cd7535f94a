"""No code but that of trusted packages is in a configuration that is accepted; nothing is imported to find out."""

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from qmfront.config.errors import ConfigError
from qmfront.config.load import load
from qmfront.config.trust import TRUSTED, is_trusted
from qmfront.models.calculator import build
from tests.config.conftest import EDGE

ROOT = Path(__file__).parents[2]
REMOTE = "qmfront.models.remote.Remote"


def study(qm: dict[str, Any], *, trust: list[str] | None = None, **case: Any) -> dict[str, Any]:
    material = {
        "crystal": {"structure": "bcc", "symbol": "W", "lattice_constant_guess": 3.16},
        "qm": {"cutoff": 5.4, **qm},
    }
    return {
        "cases": {"mine": {**EDGE, "material": "mine", "potential": "mine", **case}},
        "materials": {"mine": material},
        "potentials": {"mine": {"material": "mine"}},
        **({} if trust is None else {"trust": trust}),
    }


def problems(config: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        load(config, ROOT)
    return str(caught.value)


@pytest.mark.parametrize(
    ("qm", "case", "named"),
    [
        ({"calculator": "antigravity.X"}, {}, "materials.mine.qm.calculator = 'antigravity.X'"),
        ({"calculator": "ase.calculators.vasp.Vasp", "kwargs": {"command": "touch made"}}, {}, "ase.calculators.vasp"),
        ({"calculator": REMOTE, "kwargs": {"launch": "touch made", "model": {}}}, {}, "qmfront.models.remote"),
        ({"calculator": "ase.calculators.emt.EMT", "kwargs": {"a": [{"calculator": "os.system"}]}}, {},
         "materials.mine.qm.kwargs.a.0.calculator = 'os.system'"),
        ({"calculator": "ase.calculators.emt.EMT"}, {"qm_kwargs": {"model": {"calculator": "gpaw.GPAW"}}},
         "case mine: qm_kwargs.model.calculator = 'gpaw.GPAW'"),
        ({"calculator": "ase.calculators.emt.EMT"}, {"locality": {"alternatives": {"b": {"calculator": "x.Y"}}}},
         "case mine: locality.alternatives.b.calculator = 'x.Y'"),
        ({"calculator": "ase.calculators.emtx.EMT"}, {}, "no module 'ase.calculators.emtx'"),
        ({"calculator": "asel.EMT"}, {}, "no module 'asel'"),
    ],
)  # fmt: skip
def test_code_that_is_not_trusted(qm: dict[str, Any], case: dict[str, Any], named: str) -> None:
    told = problems(study(qm, **case))
    assert named in told
    assert "no module" in told or (
        "is code that would run with your rights" in told and "write trust: [" in told
    )
    assert "antigravity" not in sys.modules
    assert not Path("made").exists()


@pytest.mark.parametrize("odd", ["\u200d", "\u200b", "\u0435", "\u00b2", "\n"])
def test_paths_of_calculators_are_ascii(odd: str) -> None:
    """Joiners that nobody sees and letters that look like others are refused, in the key where they stand."""
    assert "materials.mine.qm.calculator: " in problems(
        study({"calculator": f"ase.calculators.emt.EMT{odd}"})
    )
    assert "trust.0: " in problems(study({"calculator": "ase.calculators.emt.EMT"}, trust=[f"ase{odd}"]))


@pytest.mark.parametrize("odd", ["\u200d", "\u200b", "\u0435", "\u00b2", "\n", " "])
@pytest.mark.parametrize("kind", ["object", "calculator"])
def test_paths_among_the_arguments_are_ascii(kind: str, odd: str) -> None:
    """They are code as well: held to the same letters at loading, also below a package that is trusted."""
    path = f"mine.profiles.Profile{odd}"
    kwargs = {"profile": [{kind: path}]}
    found = problems(study({"calculator": "ase.calculators.emt.EMT", "kwargs": kwargs}, trust=["mine"]))
    assert f"materials.mine.qm.kwargs.profile.0.{kind} = {path!a} is no dotted path" in found


def test_a_limit_below_a_millisecond_is_refused() -> None:
    """It would be rounded to none: the limit is handed on in whole milliseconds."""
    emt = "ase.calculators.emt.EMT"
    assert "materials.mine.qm.time_limit" in problems(study({"calculator": emt, "time_limit": 1e-300}))
    assert load(study({"calculator": emt, "time_limit": 1e-3}), ROOT)


def test_what_is_trusted_is_accepted() -> None:
    """By package, by module, or as a whole; a package is not one whose name begins alike."""
    nested = {"calculator": REMOTE, "kwargs": {"launch": "true", "model": {"calculator": "xml.dom.Y"}}}
    for trust in (["qmfront", "xml"], ["qmfront.models.remote", "xml.dom"], [REMOTE, "xml.dom.Y"]):
        assert load(study(nested, trust=trust), ROOT).trust == tuple(trust)
    assert "'xml.dom.Y' is code" in problems(study(nested, trust=["qmfront", "xm", "xml.do"]))
    assert "trust.0: 'a b' is refused" in problems(study(nested, trust=["a b"]))


@pytest.mark.parametrize("file", sorted((ROOT / "config/studies").glob("*.yaml")), ids=lambda file: file.stem)
def test_shipped_studies_trust_what_they_call(file: Path) -> None:
    try:
        load(yaml.safe_load(file.read_text(encoding="utf-8")), ROOT)
    except ConfigError as error:
        told = [problem for problem in error.problems if "no module 'gpaw'" not in problem]
        assert told == []


def test_what_is_trusted_by_default_starts_no_program() -> None:
    """It names modules of ours and of ASE whose calculators read numbers and files alone."""
    assert not any(
        is_trusted(name, ()) for name in ("ase", "qmfront", "ase.calculators.lammpslib.LAMMPSlib", REMOTE)
    )
    for package in TRUSTED:
        text = "".join(path.read_text(encoding="utf-8") for path in _sources(package))
        assert "subprocess" not in text and "os.system" not in text and "popen" not in text.lower(), package
    with pytest.raises(ValueError, match="not an ASE calculator"):
        build({"calculator": "ase.calculators.eam.np.loadtxt", "kwargs": {}})


def _sources(package: str) -> list[Path]:
    from importlib.util import find_spec

    spec = find_spec(package)
    assert spec is not None and spec.origin is not None
    origin = Path(spec.origin)
    return sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]
