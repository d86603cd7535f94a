"""A small potential fitted to the lattice and to small slabs, built once."""

import pytest

from qmfront.elasticity.surface import Surface, SurfaceSettings, surface_of
from qmfront.models.ace.basis import Basis, build_basis
from qmfront.training.fit import Fit, FitSettings, fit_potential
from qmfront.training.observations import Observations, training_arrays
from qmfront.training.observe.slabs import SurfaceSampling
from qmfront.training.regression import Prior, RelevanceSettings

STRAIN_STEP = 2.5e-3


@pytest.fixture(scope="session")
def sampling() -> SurfaceSampling:
    return SurfaceSampling(
        planes=((1, 1, 0),),
        layers=6,
        vacuum=9.0,
        max_force=1e-6,
        face_weight=30.0,
        flat={"count": 3, "shift": 0.02, "strain": 0.02},
        rattled={"count": 6, "amplitudes": (0.01, 0.05), "repeat": (2, 2)},
        seed=0,
    )


@pytest.fixture(scope="session")
def surface_settings() -> SurfaceSettings:
    return SurfaceSettings(layers=8, vacuum=9.0, max_force=1e-5, phonon_cells=2, displacement=1e-3)


@pytest.fixture(scope="session")
def reference_surface(tungsten, eam, surface_settings) -> Surface:
    return surface_of(tungsten, eam, (1, 1, 0), surface_settings)


@pytest.fixture(scope="session")
def small_basis() -> Basis:
    return build_basis(["W"], cutoff=5.5, max_degree=(12, 10, 6), l_weight=1.5, decay=0.1)


@pytest.fixture(scope="session")
def observed(tungsten, eam, sampling) -> Observations:
    return training_arrays(
        tungsten, eam, matching=1, strain_step=STRAIN_STEP, reach=eam.force_range, surfaces=sampling
    )


@pytest.fixture(scope="session")
def fit_with(observed, tungsten, small_basis):
    """fit_with(surface_energy=1.0): the small potential, with some weights changed."""

    def fit(**changed: float) -> Fit:
        weights = {"energy": 1.0, "stress": 1.0, "force_constants": 10.0, "third_derivative": 1.0}
        weights |= {"surface_energy": 1e-2, "surface_forces": 1e-3} | changed
        settings = FitSettings(1, weights, "ridge", Prior(1e-8, 0.0), RelevanceSettings())
        return fit_potential(observed, tungsten, small_basis, settings, strain_step=STRAIN_STEP)

    return fit


@pytest.fixture(scope="session")
def small_fit(fit_with) -> Fit:
    return fit_with()
