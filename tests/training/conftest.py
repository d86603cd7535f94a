"""A small potential fitted to the lattice and to small slabs, built once."""

import pytest

from qmfront.config.material import RelaxedSlab, SurfaceSlab
from qmfront.config.potential import FlatSlabs, RattledSlabs, Surfaces, Training
from qmfront.elasticity.surface import Surface, surface_of
from qmfront.models.ace.basis import Basis, build_basis
from qmfront.training.fit import Fit, fit_potential
from qmfront.training.observations import Observations, observations_of
from tests.settings import fitting, steps


@pytest.fixture(scope="session")
def surfaces() -> Surfaces:
    return Surfaces(
        planes=((1, 1, 0),),
        layers=6,
        face_weight=30.0,
        flat=FlatSlabs(count=3, shift=0.02, strain=0.02),
        rattled=RattledSlabs(count=6, amplitudes=(0.01, 0.05), repeat=(2, 2)),
        seed=0,
    )


@pytest.fixture(scope="session")
def slab() -> RelaxedSlab:
    return RelaxedSlab(vacuum=9.0, max_force=1e-6)


@pytest.fixture(scope="session")
def surface_slab() -> SurfaceSlab:
    return SurfaceSlab(layers=8, vacuum=9.0, max_force=1e-5, phonon_cells=2)


@pytest.fixture(scope="session")
def reference_surface(tungsten, eam, surface_slab) -> Surface:
    return surface_of(tungsten, eam, (1, 1, 0), surface_slab, displacement=1e-3)


@pytest.fixture(scope="session")
def small_basis() -> Basis:
    return build_basis(["W"], cutoff=5.5, max_degree=(12, 10, 6), l_weight=1.5, decay=0.1)


@pytest.fixture(scope="session")
def observed(tungsten, eam, surfaces, slab) -> Observations:
    return observations_of(tungsten, eam, Training(surfaces=surfaces), steps(eam.force_range), slab=slab)


@pytest.fixture(scope="session")
def fit_with(observed, tungsten, small_basis):
    """fit_with(surface_energy=1.0): the small potential, with some weights changed."""

    def fit(**changed: float) -> Fit:
        weights = {"force_constants": 10.0, "surface_energy": 1e-2, "surface_forces": 1e-3} | changed
        return fit_potential(observed, tungsten, small_basis, fitting(**weights))

    return fit


@pytest.fixture(scope="session")
def small_fit(fit_with) -> Fit:
    return fit_with()
