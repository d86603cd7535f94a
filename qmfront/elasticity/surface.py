"""Free surfaces of a model: where a crystal parts, energy per area, relaxation of the first layer, phonons, from slabs.

    gamma = (E_slab - n W_cb) / (2 A)

for n periods of lattice planes with the composition of the crystal. The faces of such a slab are the two sides of one
cut; where they differ, gamma is their mean, and 2 gamma the energy that a crack has to pay. Slabs have one surface
cell: reconstructions that need more than one are out of reach.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import BaseCalculator
from ase.optimize import LBFGS

from qmfront.config.material import RelaxedSlab, SurfaceSlab
from qmfront.config.section import Plane
from qmfront.crystal.lattice import Crystal
from qmfront.crystal.slab import Slab, flat_slab
from qmfront.crystal.termination import Termination, termination_at, terminations
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.surface_phonons import slab_phonons, softest

MAX_STEPS = 500
"""Steps of the relaxation; a flat slab takes about 30."""
COLLAPSED = 0.3
"""Change of the first spacing over the mean one beyond which a slab has lost its face."""
ONE_LAYER = 0.01
"""Å; atoms whose heights in the flat slab differ by less are one layer."""
FAR = 2.0
"""Terminations whose unrelaxed energy is so many times the lowest one are not relaxed: no relaxation gains so much."""
IMAGES = 1e-6
"""Relative; terminations whose unrelaxed energies differ by less are images of each other by symmetry."""
UNSTABLE = -1e-3
"""eV/Å^2; an eigenvalue of a relaxed slab below this is no rounding."""
JOULE_PER_SQUARE_METRE = units.J / units.m**2
"""eV/Å^2 per J/m^2."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cleavage:
    """A crystal parted at one termination of a plane.

    cut : Termination
    flat : Slab
    relaxed : Slab or None
        None where the flat one is too expensive, or does not come to rest.
    energy, energy_unrelaxed : float, eV/Å^2
        Per area of one face; the first is infinite without a relaxed slab.
    """

    cut: Termination
    flat: Slab
    relaxed: Slab | None
    energy: float
    energy_unrelaxed: float

    @property
    def at_rest(self) -> Slab:
        """The relaxed slab of a termination that has one."""
        if self.relaxed is None:
            raise ValueError(f"The slab parted {self.cut} was not relaxed.")
        return self.relaxed


@dataclass(frozen=True)
class Surface:
    """A relaxed surface and the slab that it was measured on.

    plane : (3,) int
        Miller indices.
    cuts : tuple of Termination
        All places where the plane parts the crystal that were compared, its own first.
    cut_energies, cut_energies_unrelaxed : (t,) float, eV/Å^2
        Of their surfaces, per area of one face; the first ones are infinite where the slab was not relaxed, being too
        expensive, or did not come to rest.
    relaxation : float
        Change of the first spacing of layers over their mean spacing in the bulk; negative inwards. Mean of both faces.
    slab : Slab
        Relaxed.
    face_atoms : (int, int)
        How many of its first and of its last atoms make its lower and its upper face.
    path : (w,) float, 1/Å
        Wave numbers along the first reciprocal vector of the surface cell.
    omega2 : (w, 3 n) float, eV/Å^2
        Eigenvalues of the slab's dynamical matrix without masses, see `slab_phonons`.
    """

    plane: np.ndarray
    cuts: tuple[Termination, ...]
    cut_energies: np.ndarray
    cut_energies_unrelaxed: np.ndarray
    relaxation: float
    slab: Slab
    face_atoms: tuple[int, int]
    path: np.ndarray
    omega2: np.ndarray

    @property
    def energy(self) -> float:
        """Per area of one face, eV/Å^2."""
        return float(self.cut_energies[0])

    @property
    def energy_unrelaxed(self) -> float:
        """Of the flat surface."""
        return float(self.cut_energies_unrelaxed[0])

    @property
    def termination(self) -> float:
        """Height of the cut over the period of lattice planes, as the key `termination`."""
        return self.cuts[0].middle

    def __str__(self) -> str:
        """The plane, where it parts the crystal, and at what price."""
        symbols, (first, last) = self.slab.to_atoms().get_chemical_symbols(), self.face_atoms
        below, above = ("".join(sorted(set(side))) for side in (symbols[-last:], symbols[:first]))
        told = [
            f"{cut} {_shown(energy)}" + (f" ({_shown(flat)} unrelaxed)" if np.isinf(energy) else "")
            for cut, energy, flat in zip(
                self.cuts, self.cut_energies, self.cut_energies_unrelaxed, strict=True
            )
        ]
        next_ones = f"; next: {', '.join(told[1:])}" if told[1:] else ""
        return f"surface {tuple(self.plane.tolist())} ({below} below, {above} above) {told[0]}{next_ones}"

    def arrays(self) -> dict[str, np.ndarray | float]:
        """Arrays of a store of kind "surface"."""
        return {
            "plane": self.plane,
            "cuts": np.array([[cut.lower, cut.upper] for cut in self.cuts]),
            "cut_energy": self.cut_energies,
            "cut_energy_unrelaxed": self.cut_energies_unrelaxed,
            "relaxation": self.relaxation,
            "cell": self.slab.cell,
            "positions": self.slab.positions,
            "numbers": self.slab.numbers,
            "face_atoms": np.array(self.face_atoms),
            "path": self.path,
            "omega2": self.omega2,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Surface":
        """The inverse of `arrays`."""
        slab = Slab(arrays["cell"], arrays["positions"], arrays["numbers"])
        first, last = (int(count) for count in arrays["face_atoms"])
        return cls(
            plane=arrays["plane"],
            cuts=tuple(Termination(float(lower), float(upper)) for lower, upper in arrays["cuts"]),
            cut_energies=arrays["cut_energy"],
            cut_energies_unrelaxed=arrays["cut_energy_unrelaxed"],
            relaxation=float(arrays["relaxation"]),
            slab=slab,
            face_atoms=(first, last),
            path=arrays["path"],
            omega2=arrays["omega2"],
        )


def surface_of(
    bulk: Bulk,
    calculator: BaseCalculator,
    plane: Plane,
    settings: SurfaceSlab,
    *,
    displacement: float,
    termination: float | None = None,
) -> Surface:
    """Relax slabs and compare their energies with that of the same model's bulk; the cheapest one is the surface.

    Parameters
    ----------
    bulk : Bulk
        Its crystal must be at rest in this model.
    calculator : ASE calculator
        Energy and forces; the free energy, where it has one, is what its forces belong to.
    plane : (3,) int
        Miller indices.
    settings : SurfaceSlab
    displacement : float, Å
        Step of the central differences of the phonons.
    termination : float, optional
        Height of the cut over the period of lattice planes; the cheapest if left out.

    Raises
    ------
    RuntimeError
        If no slab comes to rest, or the cheapest one collapses.
    """
    found = cleavages(
        bulk.crystal, calculator, plane, settings, layers=settings.layers, termination=termination
    )
    best = found[0]
    count = np.bincount(_layers(best.flat))
    path, omega2 = slab_phonons(best.at_rest, calculator, cells=settings.phonon_cells, step=displacement)
    if softest(omega2) < UNSTABLE:
        logger.warning(
            "The relaxed surface %s is unstable (eigenvalue %.1e eV/Å^2): in larger cells it would reconstruct, and "
            "the faces of a crack stay as they are cut.",
            tuple(plane),
            softest(omega2),
        )
    return Surface(
        plane=np.array(plane, int),
        cuts=tuple(each.cut for each in found),
        cut_energies=np.array([each.energy for each in found]),
        cut_energies_unrelaxed=np.array([each.energy_unrelaxed for each in found]),
        relaxation=first_layer_relaxation(best.flat, best.at_rest),
        slab=best.at_rest,
        face_atoms=(int(count[0]), int(count[-1])),
        path=path,
        omega2=omega2,
    )


def cleavages(
    crystal: Crystal,
    calculator: BaseCalculator,
    plane: Plane,
    slab: RelaxedSlab,
    *,
    layers: int,
    termination: float | None = None,
) -> list[Cleavage]:
    """The crystal parted at every termination of a plane, the cheapest relaxed one first; or at one of them alone.

    Parameters
    ----------
    crystal : Crystal
        At rest in the model.
    layers : int
        Of every slab, at least.
    termination : float, optional
        Height over the period of lattice planes of the only cut that is wanted.

    Raises
    ------
    RuntimeError
        If none of the slabs comes to rest.
    ValueError
        If the termination that is wanted is a layer.
    """
    cuts = terminations(crystal, crystal.plane_normal(plane))
    if termination is not None:
        cuts = (termination_at(cuts, termination),)
    per_atom = energy_of(crystal.to_atoms(), calculator) / len(crystal.numbers)
    flat = [flat_slab(crystal, plane, layers=layers, vacuum=slab.vacuum, cut=cut) for cut in cuts]
    unrelaxed = [_surface_energy(each, calculator, per_atom) for each in flat]
    found: list[Cleavage] = []
    problems: list[str] = []
    for number in np.argsort(np.round(unrelaxed, 9), kind="stable"):
        price, relaxed, energy = unrelaxed[number], None, np.inf
        images = [each.energy for each in found if abs(each.energy_unrelaxed - price) < IMAGES * abs(price)]
        if images:
            energy = images[0]
        elif price <= FAR * unrelaxed[int(np.argmin(unrelaxed))] or all(
            each.relaxed is None for each in found
        ):
            try:
                relaxed = _uncollapsed(plane, flat[number], calculator, max_force=slab.max_force)
                energy = _surface_energy(relaxed, calculator, per_atom)
            except RuntimeError as error:
                problems.append(f"Parted {cuts[number]}: {error}" if len(cuts) > 1 else str(error))
        found.append(Cleavage(cuts[number], flat[number], relaxed, energy, price))
    if all(each.relaxed is None for each in found):
        raise RuntimeError(" ".join(problems))
    for problem in problems:
        logger.warning("%s Another termination is taken.", problem)
    return sorted(found, key=lambda each: (each.relaxed is None, each.energy))


def unrelaxed_energy(
    bulk: Bulk, calculator: BaseCalculator, plane: Plane, settings: SurfaceSlab, cut: Termination
) -> float:
    """Energy per area (eV/Å^2) of the flat surface, defined even for a model whose surface collapses."""
    crystal = bulk.crystal
    flat = flat_slab(crystal, plane, layers=settings.layers, vacuum=settings.vacuum, cut=cut)
    per_atom = energy_of(crystal.to_atoms(), calculator) / len(crystal.numbers)
    return _surface_energy(flat, calculator, per_atom)


def relaxed_slab(slab: Slab, calculator: BaseCalculator, *, max_force: float) -> Slab:
    """The slab with its atoms at rest, cell kept.

    Raises
    ------
    RuntimeError
        If a force (eV/Å) above max_force is left.
    """
    atoms = slab.to_atoms()
    atoms.calc = calculator
    quiet = LBFGS(atoms, logfile=None)  # type: ignore[arg-type]
    converged = quiet.run(fmax=max_force, steps=MAX_STEPS)
    if not converged:
        left = np.linalg.norm(atoms.get_forces(), axis=1).max()
        raise RuntimeError(
            f"A slab of {len(atoms)} atoms keeps a force of {left:.1e} eV/Å after {MAX_STEPS} steps "
            f"(max_force = {max_force:g}). Raise max_force if the forces are noisy; else the surface is unstable."
        )
    return slab.moved(atoms.positions - slab.positions)


def excess_energy(slab: Slab, calculator: BaseCalculator, per_atom: float) -> float:
    """E_slab - n W_cb, eV, for a slab with the composition of the crystal; per_atom is W_cb per atom."""
    return energy_of(slab.to_atoms(), calculator) - len(slab.numbers) * per_atom


def first_layer_relaxation(flat: Slab, relaxed: Slab) -> float:
    """Change of the first spacing of layers over their mean spacing in the flat slab, mean of both faces.

    The layers are those of the flat slab, their heights the means of their atoms.
    """
    layer = _layers(flat)
    before, after = (
        np.diff(np.bincount(layer, slab.positions[:, 2]) / np.bincount(layer)) for slab in (flat, relaxed)
    )
    change = after - before
    return float(0.5 * (change[0] + change[-1]) / before.mean())


def _layers(flat: Slab) -> np.ndarray:
    """The layer (n,) of each atom of a flat slab, whose atoms stand in the order of their heights."""
    return np.cumsum(np.diff(flat.positions[:, 2], prepend=flat.positions[0, 2]) > ONE_LAYER)


def energy_of(atoms: Atoms, calculator: BaseCalculator) -> float:
    """The energy that the calculator's forces belong to, eV: its free energy if it has one."""
    atoms.calc = calculator
    has_free_energy = "free_energy" in getattr(calculator, "implemented_properties", ())
    return float(atoms.get_potential_energy(force_consistent=has_free_energy))


def _surface_energy(slab: Slab, calculator: BaseCalculator, per_atom: float) -> float:
    """gamma, eV/Å^2."""
    return excess_energy(slab, calculator, per_atom) / (2 * slab.area)


def _uncollapsed(plane: Plane, flat: Slab, calculator: BaseCalculator, *, max_force: float) -> Slab:
    """The slab at rest, its faces where they were."""
    relaxed = relaxed_slab(flat, calculator, max_force=max_force)
    change = first_layer_relaxation(flat, relaxed)
    if abs(change) > COLLAPSED:
        raise RuntimeError(
            f"The {tuple(plane)} slab collapsed: its first spacing changed by {100 * change:.0f} % of the mean one. "
            "The model has no such surface; fit it to surfaces, or choose another plane."
        )
    return relaxed


def _shown(energy: float) -> str:
    """In J/m^2."""
    return f"{energy / JOULE_PER_SQUARE_METRE:.3f} J/m^2" if np.isfinite(energy) else "not relaxed"
