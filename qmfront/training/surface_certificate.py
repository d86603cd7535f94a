"""Whether a fitted potential has the surfaces of the reference model: energy, relaxation, stability.

A fit to one or two slabs gives the right energy and a face that collapses; what counts is what the relaxed slab does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qmfront.config.material import SurfaceSlab
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.surface import JOULE_PER_SQUARE_METRE, Surface, surface_of, unrelaxed_energy
from qmfront.elasticity.surface_phonons import lowest_eigenvalue, softest
from qmfront.models.ace.calculator import ACE
from qmfront.storage.layout import Declared
from qmfront.training.fit import Fit

ENERGY = 0.01 * JOULE_PER_SQUARE_METRE
"""eV/Å^2; the largest difference of surface energies, 0.4 % of that of tungsten: K_G is right to 0.2 %."""
RELAXATION = 5e-3
"""Largest difference of the changes of the first spacing over the mean one."""
ADVICE = (
    "Raise weights.surface_energy and weights.surface_forces, surfaces.face_weight or surfaces.rattled.count, "
    "or enlarge the basis (max_degree)"
)

DECLARED = {
    "surface_plane": Declared("surface component", "i", "1", "Miller indices of the surface"),
    "surface_energy_qm": Declared("surface", "f", "eV/Å^2", "energy of the relaxed surface, QM"),
    "surface_energy_mm": Declared("surface", "f", "eV/Å^2", "energy of the relaxed surface, MM"),
    "flat_energy_qm": Declared("surface", "f", "eV/Å^2", "energy of the unrelaxed surface, QM"),
    "flat_energy_mm": Declared("surface", "f", "eV/Å^2", "energy of the unrelaxed surface, MM"),
    "flat_energy_untrained": Declared(
        "surface", "f", "eV/Å^2", "energy of the unrelaxed surface, MM fitted to the lattice alone"
    ),
    "surface_relaxation_qm": Declared(
        "surface", "f", "1", "change of the first spacing over the mean one, QM"
    ),
    "surface_relaxation_mm": Declared(
        "surface", "f", "1", "change of the first spacing over the mean one, MM"
    ),
    "surface_eigenvalue_qm": Declared(
        "surface", "f", "eV/Å^2", "lowest zone-centre eigenvalue of the slab, QM"
    ),
    "surface_eigenvalue_mm": Declared(
        "surface", "f", "eV/Å^2", "lowest zone-centre eigenvalue of the slab, MM"
    ),
    "surface_path": Declared("surface surface_wave", "f", "1/Å", "wave numbers of the slab's phonons"),
    "surface_omega2_qm": Declared(
        "surface surface_wave surface_branch", "f", "eV/Å^2", "eigenvalues of the slab's dynamical matrix, QM"
    ),
    "surface_omega2_mm": Declared(
        "surface surface_wave surface_branch", "f", "eV/Å^2", "eigenvalues of the slab's dynamical matrix, MM"
    ),
}


@dataclass(frozen=True)
class SurfaceComparison:
    """Surfaces of both models, plane by plane.

    qm, mm : tuple of Surface
    untrained : tuple of float, eV/Å^2
        Unrelaxed surface energies of a fit to the lattice alone.
    """

    qm: tuple[Surface, ...]
    mm: tuple[Surface, ...]
    untrained: tuple[float, ...]

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays of the certificate, see DECLARED; empty without surfaces."""
        if not self.qm:
            return {}
        arrays = {
            "surface_plane": np.array([surface.plane for surface in self.qm]),
            "surface_path": np.array([surface.path for surface in self.qm]),
            "flat_energy_untrained": np.array(self.untrained),
        }
        for model, surfaces in (("qm", self.qm), ("mm", self.mm)):
            arrays |= {
                f"surface_energy_{model}": np.array([surface.energy for surface in surfaces]),
                f"flat_energy_{model}": np.array([surface.energy_unrelaxed for surface in surfaces]),
                f"surface_relaxation_{model}": np.array([surface.relaxation for surface in surfaces]),
                f"surface_eigenvalue_{model}": np.array([lowest_eigenvalue(s.omega2) for s in surfaces]),
                f"surface_omega2_{model}": np.array([surface.omega2 for surface in surfaces]),
            }
        return arrays

    def declared(self) -> dict[str, Declared]:
        """Declarations of `arrays`."""
        return DECLARED if self.qm else {}

    def errors(self) -> dict[str, float]:
        """Relative errors of surface energy and lowest eigenvalue, and the error of the relaxation, by name."""
        errors: dict[str, float] = {}
        for qm, mm in zip(self.qm, self.mm, strict=True):
            name = plane_name(qm.plane)
            eigenvalues = lowest_eigenvalue(qm.omega2), lowest_eigenvalue(mm.omega2)
            errors |= {
                f"surface_energy_{name}": abs(mm.energy / qm.energy - 1.0),
                f"surface_relaxation_{name}": abs(mm.relaxation - qm.relaxation),
                f"surface_eigenvalue_{name}": abs(eigenvalues[1] / eigenvalues[0] - 1.0),
            }
        return errors


def compare_surfaces(
    bulk: Bulk, fit: Fit, reference: Sequence[Surface], settings: SurfaceSlab, *, displacement: float
) -> SurfaceComparison:
    """Surfaces of the fitted model, measured as those of the reference were (settings, displacement), and accepted.

    Raises
    ------
    RuntimeError
        If a slab does not relax, its first spacing or its energy differs from the reference's, or it is unstable: all
        that is wrong, with the numbers.
    """
    model, found, untrained, problems = ACE(fit.potential), [], [], []
    for surface in reference:
        x, y, z = (int(index) for index in surface.plane)
        plane = (x, y, z)
        try:
            found.append(
                surface_of(
                    bulk,
                    model,
                    plane,
                    settings,
                    displacement=displacement,
                    termination=surface.termination,
                )
            )
        except (RuntimeError, ValueError) as error:  # ValueError: atoms fell onto each other
            problems.append(f"{plane}: {error}")
            continue
        problems += [f"{plane}: {problem}" for problem in surface_problems(found[-1], surface)]
        if fit.lattice_only is not None:
            untrained.append(unrelaxed_energy(bulk, ACE(fit.lattice_only), plane, settings, surface.cuts[0]))
    if problems:
        raise RuntimeError(f"The fit has poor surfaces. {'; '.join(problems)}. {ADVICE}.")
    return SurfaceComparison(tuple(reference), tuple(found), tuple(untrained))


def surface_problems(fitted: Surface, reference: Surface) -> list[str]:
    """What is wrong with a fitted surface, in words; an empty list if it is accepted."""
    problems = []
    difference = fitted.energy - reference.energy
    if not abs(difference) <= ENERGY:
        problems.append(
            f"surface energy {fitted.energy / JOULE_PER_SQUARE_METRE:.3f} instead of "
            f"{reference.energy / JOULE_PER_SQUARE_METRE:.3f} J/m^2"
        )
    if not abs(fitted.relaxation - reference.relaxation) <= RELAXATION:
        problems.append(
            f"the first spacing changes by {100 * fitted.relaxation:.2f} instead of "
            f"{100 * reference.relaxation:.2f} %"
        )
    lowest, own = softest(fitted.omega2), softest(reference.omega2)
    if not lowest > min(0.0, own - abs(own)):  # a reference that would reconstruct may be as soft again
        problems.append(f"the relaxed slab is unstable, lowest eigenvalue {lowest:.2e} eV/Å^2")
    return problems


def plane_name(plane: np.ndarray) -> str:
    """1_-1_0, as in the name of the store."""
    return "_".join(str(int(index)) for index in plane)
