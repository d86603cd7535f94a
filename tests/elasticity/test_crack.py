"""Near-tip field of a mode I crack: equilibrium, free faces, decay, the isotropic limit, the Griffith load."""

import numpy as np
import pytest
from ase import units
from matscipy.fracture_mechanics.crack import CubicCrystalCrack

from qmfront.crystal.disc import straight_line_cell
from qmfront.crystal.faces import crossing
from qmfront.crystal.lattice import cubic_crystal
from qmfront.crystal.neighbours import pairs_within
from qmfront.elasticity.crack import CrackField
from qmfront.elasticity.internal import relaxed_shifts
from qmfront.elasticity.moduli import cubic_moduli, rotated_moduli, to_voigt
from qmfront.elasticity.straight_crack import StraightCrack, crack_defect
from tests.silicon import SURFACE_ENERGY, silicon, stillinger_weber, sw_forces
from tests.silicon import crack as silicon_crack

FRAMES = {
    "W (110)[001]": ((1, 1, 0), (0, 0, 1)),
    "W (010)[001]": ((0, 1, 0), (0, 0, 1)),
    "(111)[1-10]": ((1, 1, 1), (1, -1, 0)),
}
TUNGSTEN = (522.55, 204.22, 160.76)
MODULI = dict.fromkeys(FRAMES, TUNGSTEN) | {"(111)[1-10]": (165.0, 64.0, 79.5)}
"""C11, C12, C44 in GPa; the last are those of silicon, far from isotropic."""


def field_of(name: str) -> CrackField:
    plane, front = FRAMES[name]
    frame = straight_line_cell(cubic_crystal("W", "bcc", 3.165), front, plane).frame
    return CrackField(rotated_moduli(cubic_moduli(*MODULI[name]) * units.GPa, frame))


def isotropic(shear: float, poisson: float) -> np.ndarray:
    c12 = 2 * shear * poisson / (1 - 2 * poisson)
    return cubic_moduli(c12 + 2 * shear, c12, shear)


def points(count: int = 60) -> np.ndarray:
    rng = np.random.default_rng(2)
    angle, radius = rng.uniform(-3.0, 3.0, count), rng.uniform(2.0, 30.0, count)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def gradient(field: CrackField, x: np.ndarray, *, step: float = 1e-3) -> np.ndarray:
    """du_i/dx_j (n, 3, 3) by fourth-order differences."""
    result = np.zeros((len(x), 3, 3))
    for axis in range(2):
        shift = step * np.eye(2)[axis]
        u = [field.displacement(x + w * shift, 1.0) for w in (-2, -1, 1, 2)]
        result[:, :, axis] = (u[0] - 8 * u[1] + 8 * u[2] - u[3]) / (12 * step)
    return result


def stress(field: CrackField, x: np.ndarray) -> np.ndarray:
    return np.einsum("ijkl,nkl->nij", field.moduli, gradient(field, x))


def test_griffith_load_of_tungsten_matches_the_known_one():
    """0.938 eV/Å^2.5 = 1.50 MPa sqrt(m) for 2.54 J/m^2 and the moduli of this potential."""
    load = field_of("W (110)[001]").griffith(2.54 * 1e-20 / 1.602176634e-19)
    assert load == pytest.approx(0.938, abs=1e-3)
    assert load / (units.GPa * 1e-3 * np.sqrt(1e10)) == pytest.approx(1.50, abs=0.01)


@pytest.mark.parametrize("name", FRAMES)
def test_stress_is_in_balance(name):
    """div sigma = 0 by differences of the stress, against the size of its terms."""
    field, x, h = field_of(name), points(), 0.02
    change = [(stress(field, x + h * e) - stress(field, x - h * e)) / (2 * h) for e in np.eye(2)]
    divergence = change[0][:, :, 0] + change[1][:, :, 1]
    size = np.abs(change[0]).max(axis=(1, 2)) + np.abs(change[1]).max(axis=(1, 2))
    assert np.all(np.abs(divergence).max(axis=1) < 1e-4 * size)


@pytest.mark.parametrize("name", FRAMES)
def test_faces_are_free_of_traction(name):
    """sigma e2 vanishes on both faces behind the tip, and is K / sqrt(2 pi r) e2 ahead of it."""
    field, r = field_of(name), np.array([2.0, 5.0, 20.0])
    for side in (1e-6, -1e-6):
        behind = np.column_stack([-r, np.full(3, side)])
        # one-sided: the differences must not cross the faces
        pull = _one_sided_stress(field, behind, np.sign(side))[:, :, 1]
        assert np.abs(pull).max() < 1e-5
    ahead = stress(field, np.column_stack([r, np.zeros(3)]))[:, :, 1]
    assert ahead[:, 1] == pytest.approx(1 / np.sqrt(2 * np.pi * r), rel=1e-6)
    assert np.abs(ahead[:, [0, 2]]).max() < 1e-8


def _one_sided_stress(field: CrackField, x: np.ndarray, side: float, h: float = 1e-3) -> np.ndarray:
    along = [field.displacement(x + w * h * np.array([1.0, 0.0]), 1.0) for w in (-1, 1)]
    away = [field.displacement(x + w * h * side * np.array([0.0, 1.0]), 1.0) for w in (0, 1, 2)]
    slope = np.zeros((len(x), 3, 3))
    slope[:, :, 0] = (along[1] - along[0]) / (2 * h)
    slope[:, :, 1] = side * (-1.5 * away[0] + 2 * away[1] - 0.5 * away[2]) / h
    return np.einsum("ijkl,nkl->nij", field.moduli, slope)


@pytest.mark.parametrize("name", FRAMES)
def test_gradient_decays_with_the_root_of_the_distance(name):
    field, x = field_of(name), points(20)
    assert gradient(field, 4 * x) == pytest.approx(gradient(field, x) / 2, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", FRAMES)
def test_energy_release_rate_at_the_griffith_load_is_twice_the_surface_energy(name):
    """Irwin's closure integral: G = lim 1/(2 d) int_0^d sigma_22(x) [u_2](d - x) dx, from the field itself."""
    field, gamma = field_of(name), 0.15
    load = field.griffith(gamma)
    t = (np.arange(4000) + 0.5) / 4000 * np.pi / 2
    x = np.sin(t) ** 2  # weights remove both root singularities
    tension = load / np.sqrt(2 * np.pi * x)
    zero = np.zeros_like(x)
    open_by = field.displacement(np.column_stack([x - 1, zero + 1e-12]), load) - field.displacement(
        np.column_stack([x - 1, zero - 1e-12]), load
    )
    release = 0.5 * np.sum(tension * open_by[:, 1] * np.sin(2 * t)) * (t[1] - t[0])
    assert release == pytest.approx(2 * gamma, rel=1e-5)


def test_agrees_with_the_crystal_crack_of_matscipy():
    plane, front = FRAMES["W (110)[001]"]
    other = CubicCrystalCrack(plane, front, *(np.array(MODULI["W (110)[001]"]) * units.GPa))
    x = points()
    u, v = other.displacements(x[:, 0], x[:, 1], 0.0, 0.0, 0.7)
    assert field_of("W (110)[001]").displacement(x, 0.7)[:, :2] == pytest.approx(
        np.column_stack([u, v]), abs=1e-12
    )


def test_isotropic_medium_has_the_closed_form_and_is_the_limit():
    """u = K/(2 mu) sqrt(r/2pi) (cos(t/2) (kappa - 1 + 2 sin^2), sin(t/2) (kappa + 1 - 2 cos^2)), kappa = 3 - 4 nu."""
    shear, poisson, x = 0.9, 0.28, points()
    r, t = np.hypot(*x.T), np.arctan2(x[:, 1], x[:, 0])
    size, kappa = 0.7 / (2 * shear) * np.sqrt(r / (2 * np.pi)), 3 - 4 * poisson
    u = size * np.cos(t / 2) * (kappa - 1 + 2 * np.sin(t / 2) ** 2)
    v = size * np.sin(t / 2) * (kappa + 1 - 2 * np.cos(t / 2) ** 2)
    exact = np.column_stack([u, v, np.zeros_like(u)])
    field = CrackField(isotropic(shear, poisson))
    assert field.displacement(x, 0.7) == pytest.approx(exact, abs=1e-12)
    assert field.griffith(0.15) == pytest.approx(np.sqrt(4 * 0.15 * shear / (1 - poisson)))
    errors = []
    for anisotropy in (1e-2, 1e-3, 1e-4, 1e-5):
        near = isotropic(shear, poisson)
        c11, c12 = near[0, 0, 0, 0], near[0, 0, 1, 1]
        almost = CrackField(cubic_moduli(c11, c12, shear * (1 + anisotropy)))
        errors.append(np.abs(almost.displacement(x, 0.7) - exact).max())
    assert np.all(np.array(errors[1:]) < 0.2 * np.array(errors[:-1])) and errors[0] > 1e-3


@pytest.mark.parametrize("name", [*FRAMES, "isotropic"])
def test_gradient_is_that_of_the_displacement(name):
    field, x = CrackField(isotropic(0.9, 0.28)) if name == "isotropic" else field_of(name), points()
    exact = field.gradient(x, 1.0)
    assert np.abs(exact[:, :2, :2]).max() > 0.1 and np.all(exact[:, 2] == 0) and np.all(exact[:, :, 2] == 0)
    assert exact == pytest.approx(gradient(field, x), abs=1e-10)


def test_front_without_mirror_plane_is_refused():
    frame = straight_line_cell(cubic_crystal("W", "bcc", 3.165), (1, 1, 1), (1, -1, 0)).frame
    with pytest.raises(ValueError, match="Choose a front along a two-fold axis"):
        CrackField(rotated_moduli(cubic_moduli(165.0, 64.0, 79.5), frame))


def test_site_on_the_crack_is_refused():
    with pytest.raises(ValueError, match="1 sites lie on the crack"):
        field_of("W (110)[001]").displacement(np.array([[-3.0, 0.0], [3.0, 0.0]]), 1.0)


def test_predictor_of_a_case_is_the_field(crack, tungsten):
    """Sites, load and frame as the case says; the faces open symmetrically by 8 K / E' sqrt(r / 2 pi) far behind."""
    field = CrackField(rotated_moduli(tungsten.moduli, crack.frame))
    load = 0.86 * field.griffith(0.15855)
    assert crack.predictor == pytest.approx(field.displacement(crack.sites, load))
    faces = crack.face_sites() & (crack.sites[:, 0] < -15)
    upper, lower = (faces & (s * crack.sites[:, 1] > 0) for s in (1, -1))
    assert (
        upper.sum() > 3 and crack.predictor[upper, 1].min() > 1.0 and crack.predictor[lower, 1].max() < -1.0
    )


def matscipy_crack() -> tuple[CubicCrystalCrack, float]:
    """The crack of `tests.silicon.crack` by matscipy, which rotates the moduli itself, and its K_I, eV/Å^(5/2)."""
    moduli = to_voigt(silicon().moduli)
    other = CubicCrystalCrack((1, 1, 1), (1, -1, 0), *(moduli[entry] for entry in ((0, 0), (0, 1), (3, 3))))
    return other, 0.9 * other.k1g(SURFACE_ENERGY)


def test_predictor_of_silicon_is_the_field_of_matscipy_and_the_shifts_of_the_sublattices():
    """At every site u of matscipy, and beside it a shift: that which relaxed cells have in the strain of matscipy.

    The predictor has the shift to first order, so that what is left falls as the square of the strain, with K_I.
    """
    defect, (other, load) = silicon_crack(), matscipy_crack()
    x, y, _ = defect.sites.T
    u, v = other.displacements(x, y, 0.0, 0.0, load)
    shift = defect.predictor - np.column_stack([u, v, np.zeros_like(u)])
    assert np.abs(shift).max() > 0.05 and np.abs(shift[:, 2]).max() < 1e-6  # the front is normal to a mirror
    errors = []
    far = np.flatnonzero(np.hypot(x, y) > 10.0)[::80]
    gradient = other.deformation_gradient(x[far], y[far], 0.0, 0.0, load).transpose(0, 2, 1) - np.eye(2)
    for part in (0.2, 0.1):
        F = np.tile(np.eye(3), (len(far), 1, 1))
        F[:, :2, :2] += part * gradient
        in_crystal = defect.frame.T @ F @ defect.frame
        exact = relaxed_shifts(silicon().crystal, stillinger_weber(), in_crystal).shifts @ defect.frame.T
        own = exact[np.arange(len(far)), defect.basis_index[far]]
        errors.append(np.abs(own - part * shift[far]).max())
    assert len(far) > 5 and errors[0] < 0.05 * 0.2 * np.abs(shift[far]).max()
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.1)


def test_shifts_of_the_sublattices_leave_little_force_far_from_tip_and_faces():
    """Without them the forces of the predictor are linear in the strain; with them small, and of second order."""
    defect, (other, load) = silicon_crack(), matscipy_crack()
    x, y, _ = defect.sites.T
    away = defect.free & (np.hypot(x, y) > 12.0) & (np.abs(y) > 8.0)
    plain = np.column_stack([*other.displacements(x, y, 0.0, 0.0, load), np.zeros_like(x)])
    atoms = defect.body.atoms(np.zeros_like(plain))

    def largest_force(field: np.ndarray) -> float:
        atoms.positions = defect.sites + field
        return float(np.linalg.norm(sw_forces(atoms)[away], axis=1).max())

    without, shifted = (
        np.array([largest_force(part * field) for part in (1.0, 0.5)]) for field in (plain, defect.predictor)
    )
    assert away.sum() > 100 and without[0] > 0.5 and np.all(shifted < [0.2, 0.1] * without)
    assert without[0] / without[1] == pytest.approx(2.0, rel=0.1)
    assert shifted[0] / shifted[1] == pytest.approx(4.0, rel=0.1)


def test_crack_of_silicon_runs_where_it_is_told():
    """Shuffle cuts bonds along the normal, one per site of a face; glide would cut three."""
    defect = silicon_crack()
    height = defect.sites[:, 1]
    spacing = silicon().crystal.lattice_constant / np.sqrt(3)
    assert (
        height[height > 0].min() == pytest.approx(0.375 * spacing) == pytest.approx(-height[height < 0].max())
    )
    near = pairs_within(defect.sites, defect.cell, defect.pbc, 1.1 * defect.r0)
    lost = np.bincount(near.first[crossing(defect.sites, near, defect.crack_tip)], minlength=defect.n_sites)
    assert set(lost[defect.face_sites()]) == {1}
    assert np.all(np.abs(height[defect.face_sites()]) < 0.4 * spacing)
    glide = StraightCrack((1, -1, 0), (1, 1, 1), 0.9, (0.0, 0.0), 10.0, 7.55, 0.9)
    with_three = crack_defect(silicon(), glide, surface_energy=SURFACE_ENERGY)
    near = pairs_within(with_three.sites, with_three.cell, with_three.pbc, 1.1 * defect.r0)
    cut = crossing(with_three.sites, near, with_three.crack_tip)
    lost = np.bincount(near.first[cut], minlength=with_three.n_sites)
    assert np.median(lost[with_three.face_sites()]) == 3
