"""What a relaxed point defect costs over the perfect crystal, from the last step of its loop."""

import logging
from collections.abc import Mapping

from ase.data import atomic_numbers

from qmfront.adaptive.matching import MeasuredMaterial
from qmfront.adaptive.step import Step
from qmfront.config.defect import Box, Point
from qmfront.elasticity.defects import perfect_box
from qmfront.estimate.formation import FormationEnergy, formation_energy
from qmfront.estimate.residual import ResidualSettings
from qmfront.estimate.trust import verdict_words
from qmfront.evaluate.forces import calculator_energy
from qmfront.evaluate.journaled import Journaled

logger = logging.getLogger(__name__)


def formation(
    measured: MeasuredMaterial, step: Step, chemical_potentials: Mapping[str, float] | None = None
) -> FormationEnergy:
    """E_f of a point defect, eV: `formation_energy` of a step of `adapt`, best the last one.

    Parameters
    ----------
    step : Step
        Of a Point in a Box.
    chemical_potentials : eV by symbol, optional
        Of what was put in or taken out. That of a crystal of one element is known: its energy per atom.

    Raises
    ------
    ValueError
        If the defect is no point defect, or a chemical potential is missing.
    """
    case = step.case
    if not (isinstance(case.defect, Point) and isinstance(case.domain, Box)):
        raise ValueError(
            f"A formation energy is one of a point defect in a box, and this is a {case.defect.kind}. For the energy "
            "of its relaxation take energy.compute."
        )
    if not step.trusted:
        verdict = verdict_words(trusted=False, told=step.trust.told)
        logger.warning("iteration %d is %s. The bar of its energy need not hold.", step.k, verdict)
    energy = calculator_energy(Journaled(measured.spec, measured.journal, measured.tally))
    crystal = measured.bulk.crystal
    potentials = {atomic_numbers[symbol]: mu for symbol, mu in (chemical_potentials or {}).items()}
    if len(crystal.species) == 1:
        own = energy(crystal.to_atoms()) / len(crystal.numbers)
        potentials = {int(crystal.numbers[0]): own} | potentials
    return formation_energy(
        step.hybrid,
        step.state,
        perfect_box(crystal, case.defect, case.domain),
        step.difference,
        (energy, potentials),
        settings=ResidualSettings((), case.estimate, case.buffer),
    )
