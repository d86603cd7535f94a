"""What it costs to put solutes into a relaxed defect: the energy of one step beside that of its host."""

import logging

from qmfront.adaptive.matching import MeasuredMaterial
from qmfront.adaptive.step import Step
from qmfront.estimate.residual import ResidualSettings
from qmfront.estimate.substitution import HostState, SubstitutionEnergy, substitution_energy
from qmfront.estimate.trust import verdict_words
from qmfront.evaluate.forces import calculator_energy
from qmfront.evaluate.journaled import Journaled

logger = logging.getLogger(__name__)


def substitution(measured: MeasuredMaterial, step: Step, host: Step | None = None) -> SubstitutionEnergy:
    """E(with solute) - E(without), both relaxed, eV: `substitution_energy` of a step of `adapt`.

    The binding energy of a solute to a defect is the difference of two of them: `beyond`.

    Parameters
    ----------
    step : Step
        Of a defect with solutes; best the last one, of a loop with start=host.
    host : Step, optional
        Of the same defect without them, in a domain as high or lower; left out, the perfect crystal.

    A step that is not trusted is named in the log: no bar holds for a state that may be another one.
    """
    for untrusted in (one for one in (step, host) if one is not None and not one.trusted):
        verdict = verdict_words(trusted=False, told=untrusted.trust.told)
        logger.warning("iteration %d is %s. The bar of an energy of it need not hold.", untrusted.k, verdict)
    defect, case = step.defect, step.case
    state = (
        HostState.perfect(defect, measured.bulk.crystal.numbers)
        if host is None
        else HostState.repeated(defect, host.defect, host.state)
    )
    journaled = Journaled(measured.spec, measured.journal, measured.tally)
    settings = ResidualSettings((), case.estimate, case.buffer)
    return substitution_energy(
        step.hybrid, step.state, state, step.difference, calculator_energy(journaled), settings=settings
    )
