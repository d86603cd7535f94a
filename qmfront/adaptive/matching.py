"""The two models of a crystal: the QM model measured, and the MM potential that is fitted to it, Section 2."""

import logging
from dataclasses import dataclass, field
from pathlib import Path

from qmfront.config.material import Crystal, Material, QuantumModel
from qmfront.config.potential import Potential
from qmfront.config.section import Section
from qmfront.crystal.lattice import crystal_of
from qmfront.elasticity.bulk import Bulk, bulk_of
from qmfront.elasticity.certificate import Certificate
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.journaled import Journaled
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.models.ace.calculator import ACE
from qmfront.preflight.embedding import warnings_of_crystal
from qmfront.training.certificate import certificate_of
from qmfront.training.defect_certificate import DefectCertificate
from qmfront.training.observations import observations_of
from qmfront.training.recipe import fit_by_recipe

logger = logging.getLogger(__name__)

UNNAMED = "unnamed"
"""What a case calls its material and potential here, where no file names them."""


@dataclass(frozen=True)
class MeasuredMaterial:
    """A crystal and its QM model, measured.

    material : Material
    bulk : Bulk
        Rest state, moduli, force constants and strained lattices of the QM model.
    journal : Journal
        Of all its evaluations.
    tally : Tally
        Counts them: `calls`, `computed`.
    """

    material: Material
    bulk: Bulk
    journal: Journal
    tally: Tally = field(default_factory=Tally)

    @property
    def spec(self) -> ModelSpec:
        """The QM model as the journal knows it."""
        qm = self.material.qm
        return ModelSpec(**qm.spec(Path()))


@dataclass(frozen=True)
class FittedPotential:
    """An MM potential and how it differs from the QM model on the perfect crystal.

    settings : Potential
    calculator : ACE
        An ASE calculator; `save` writes it.
    certificate : Certificate
    defects : DefectCertificate or None
        Faults, vacancy and distorted cells beside those of the QM model, with the recipe robust.
    """

    settings: Potential
    calculator: ACE
    certificate: Certificate
    defects: DefectCertificate | None = None


def measure(
    crystal: Crystal, qm: QuantumModel, *, journal: Path | str = "work/journal", **measurements: Section
) -> MeasuredMaterial:
    """Rest state, moduli and force constants of a QM model.

    Parameters
    ----------
    crystal : Crystal
    qm : QuantumModel
        Any ASE calculator, by its dotted path.
    journal : folder of the finished QM evaluations
    measurements : sections of a material, such as force_constants=ForceConstantSteps(reach=12.0)
    """
    material = Material.model_validate({"crystal": crystal, "qm": qm, **measurements})
    guess = crystal_of(crystal)
    book, tally = Journal(journal), Tally()
    spec = ModelSpec(**qm.spec(Path()))
    bulk = bulk_of(guess, Journaled(spec, book, tally), material)
    for warning in warnings_of_crystal(spec, bulk.crystal, rattle=material.preflight.rattle):
        logger.warning("%s", warning)
    return MeasuredMaterial(material, bulk, book, tally)


def fit(measured: MeasuredMaterial, potential: Potential | None = None) -> FittedPotential:
    """Observe the QM model and fit an ACE potential to it, (2.12), (4.5).

    Parameters
    ----------
    potential : Potential, optional
        What is observed, basis and regression; left out, the recipe robust, as far as the noise of the model allows.
    """
    settings = Potential(material=UNNAMED) if potential is None else potential
    material, bulk = measured.material, measured.bulk
    calculator = Journaled(measured.spec, measured.journal, measured.tally)
    observed = observations_of(bulk, calculator, settings, material.force_constants, slab=material.surface)
    fitted = fit_by_recipe(observed, bulk, settings.basis, settings)
    certificate = certificate_of(bulk, fitted, material.force_constants)
    return FittedPotential(settings, ACE(fitted.potential), certificate, fitted.defects)
