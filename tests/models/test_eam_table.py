"""Tabulated embedded-atom potentials: accuracy and smoothness of the interpolation, species, bad files."""

import numpy as np
import pytest
from ase import Atoms

from qmfront.models.bonds import Bonds
from qmfront.models.eam import EAM, energy_forces, load_eam
from qmfront.models.eam_file import EAMTables, read_eam_file
from qmfront.models.eam_table import tabulated
from tests.models.lammps_oracle import write_setfl


@pytest.fixture(scope="module")
def analytic_file(tmp_path_factory):
    """The analytic tungsten potential on 1001 points (spacing 5.4e-3 Å)."""
    return write_setfl(
        tmp_path_factory.mktemp("eam") / "W.eam.alloy", load_eam("W_zhou"), n_r=1001, n_rho=1001
    )


def smooth_tables(seed: int = 0, *, n: int = 401) -> EAMTables:
    """Three species with smooth random functions, all different; densities not symmetric (Finnis-Sinclair)."""
    rng = np.random.default_rng(seed)
    r, rho = np.linspace(0.0, 4.0, n), np.linspace(0.0, 60.0, n)
    end = (1.0 - r / 4.0) ** 4
    rate = rng.uniform(0.5, 1.5, size=(3, 3, 1))
    pair = rng.uniform(1.0, 3.0, size=(3, 3, 1)) * r * np.exp(-r) * end
    return EAMTables(
        species=np.array([13, 26, 74]),
        embedding=-rng.uniform(0.5, 1.0, size=(3, 1)) * np.sqrt(rho + 1.0),
        density=5.0 * np.exp(-rate * r) * end,
        pair=pair + pair.transpose(1, 0, 2),
        rho_spacing=rho[1],
        r_spacing=r[1],
        cutoff=4.0,
    )


def radial(model, r: np.ndarray) -> np.ndarray:
    """The six radial functions of species 0 at the distances r."""
    none = np.zeros(len(r), int)
    return model.bond_terms(none, Bonds(none, none, np.zeros((len(r), 3)), r))


def test_quintic_polynomials_join_with_four_continuous_derivatives(analytic_file):
    powers = np.arange(6)
    jumps = {}
    for interpolation in ("quintic", "lammps"):
        c = tabulated(read_eam_file(analytic_file), interpolation=interpolation).pair_coefficients[0, 0, 300:]
        jumps[interpolation] = []
        for order in range(5):
            factor = np.array([np.prod(np.arange(k, k - order, -1.0)) for k in powers])
            derivative_at_end = (c[:-1] * factor)[:, order:].sum(axis=1)
            derivative_at_start = (c[1:] * factor)[:, order]
            scale = max(np.abs(derivative_at_start).max(), 1e-6)
            jumps[interpolation].append(np.abs(derivative_at_end - derivative_at_start).max() / scale)
    assert np.all(np.array(jumps["quintic"]) < 1e-4), jumps  # rounding of differences of values near 1
    assert np.all(np.array(jumps["lammps"][:2]) < 1e-12), jumps
    assert jumps["lammps"][2] > 1e-7, jumps
    assert jumps["lammps"][3] > 1e-3, jumps


def test_table_of_the_analytic_form_returns_its_third_derivative(analytic_file):
    exact, table = load_eam("W_zhou"), load_eam(analytic_file)
    r = np.linspace(2.2, 5.3, 4001)
    for column in (1, 5):
        third = [np.gradient(np.gradient(radial(m, r)[:, column], r), r)[5:-5] for m in (exact, table)]
        assert np.abs(third[1] - third[0]).max() < 2e-3 * np.abs(third[0]).max()
        slopes = [radial(m, r)[:, column] for m in (exact, table)]
        assert np.abs(slopes[1] - slopes[0]).max() < 1e-8 * np.abs(slopes[0]).max()


@pytest.mark.parametrize("interpolation", ["quintic", "lammps"])
def test_alloy_forces_and_virial_are_derivatives(interpolation):
    model = tabulated(smooth_tables(), interpolation=interpolation)
    rng = np.random.default_rng(4)
    numbers = rng.choice([74, 13, 26], size=12)
    cell = np.diag([4.5, 5.0, 5.5]) + 0.3 * rng.normal(size=(3, 3))
    positions = rng.uniform(size=(12, 3)) @ cell
    arguments = {"pbc": (True, False, True), "numbers": numbers, "minimum_distance": 0.05}
    result = energy_forces(model, positions, cell, **arguments)
    shift, strain = rng.normal(size=(12, 3)), rng.normal(size=(3, 3))
    errors = []
    for h in 10.0 ** np.arange(-3.0, -5.6, -0.5):
        moved, strained = [], []
        for sign in (1, -1):
            moved.append(energy_forces(model, positions + sign * h * shift, cell, **arguments).energy)
            deform = np.eye(3) + sign * h * strain.T
            strained.append(energy_forces(model, positions @ deform, cell @ deform, **arguments).energy)
        errors.append(
            [
                (moved[0] - moved[1]) / (2 * h) / -np.sum(result.forces * shift) - 1.0,
                (strained[0] - strained[1]) / (2 * h) / np.sum(result.virial * strain) - 1.0,
            ]
        )
    errors = np.abs(np.array(errors)).max(axis=1)
    assert np.any((errors[:-1] < 1e-7) & (errors[1:] < 1e-7)), errors
    assert errors[0] > 10 * errors.min()


def test_density_comes_from_the_neighbour_and_depends_on_the_receiver():
    tables = smooth_tables()
    model = tabulated(tables)
    atoms = Atoms("AlFe", positions=[[0, 0, 0], [0, 0, 2.0]])
    result = energy_forces(model, atoms.positions, atoms.cell, atoms.pbc, atoms.numbers)
    for own, other in ((0, 1), (1, 0)):
        rho = np.interp(2.0, np.arange(401) * tables.r_spacing, tables.density[own, other])
        phi = np.interp(2.0, np.arange(401) * tables.r_spacing, tables.pair[0, 1]) / 2.0
        embedding = np.interp(rho, np.arange(401) * tables.rho_spacing, tables.embedding[own])
        assert result.energies[own] == pytest.approx(embedding + phi / 2, abs=1e-3)  # error of np.interp
        assert abs(tables.density[own, other, 200] - tables.density[other, own, 200]) > 0.03


def test_embedding_is_linear_outside_its_table():
    model = tabulated(smooth_tables())
    rho = np.array([-3.0, -2.0, -1.0, 0.0, 59.9999999, 60.0, 61.0, 62.0, 90.0])
    energy, slope = model.embedding(np.zeros(9, int), rho)
    np.testing.assert_allclose(slope[:3], slope[3], rtol=1e-12)
    np.testing.assert_allclose(slope[6:], slope[5], rtol=1e-12)
    np.testing.assert_allclose(slope[4], slope[5], rtol=1e-7)
    np.testing.assert_allclose(energy[0] - energy[3], -3.0 * slope[3], rtol=1e-12)
    np.testing.assert_allclose(energy[8] - energy[5], 30.0 * slope[5], rtol=1e-12)


def test_jump_at_the_cutoff_is_reported_and_can_be_switched_off():
    tables = smooth_tables()
    cut = EAMTables(**{**vars(tables), "cutoff": 3.0})
    with pytest.warns(UserWarning, match=r"not zero at its cutoff of 3.0000 Å.*switch_width"):
        tabulated(cut)
    smooth = radial(tabulated(cut, switch_width=0.5), np.array([2.4, 2.999, 3.0]))
    plain = radial(tabulated(cut, interpolation="lammps"), np.array([2.4, 2.999, 3.0]))
    np.testing.assert_allclose(smooth[0], plain[0], rtol=1e-4)
    assert np.all(np.abs(smooth[1:]) < 1e-6)
    assert np.abs(plain[1:, 4]).min() > 1e-3


def test_rough_embedding_is_reported():
    tables = smooth_tables()
    tables.embedding[1, 200:] += 1e-3
    with pytest.warns(UserWarning, match=r"F\(rho\) of Fe .* near rho = (29|30)\."):
        tabulated(tables)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda lines: lines[:1500], "the file ends where .* should follow"),
        (lambda lines: [*lines, "1.0"], "1 lines too many"),
        (lambda lines: [*lines[:50], "1.0 abc", *lines[51:]], "should be numbers"),
        (lambda lines: [*lines[:50], "nan", *lines[51:]], "not finite"),
        (lambda lines: [*lines[:3], "2 W W", *lines[4:]], "different chemical symbols"),
        (lambda lines: [*lines[:3], "1 Xx", *lines[4:]], "different chemical symbols"),
        (lambda lines: [*lines[:3], "W", *lines[4:]], "2 fields|number and names"),
        (lambda lines: [*lines[:4], "1001 0.1 1001 -0.005 5.4", *lines[5:]], "positive spacings"),
    ],
)
def test_damaged_file_is_one_clear_error(analytic_file, tmp_path, damage, reason):
    path = tmp_path / "bad.eam.alloy"
    path.write_text("\n".join(damage(analytic_file.read_text().splitlines())))
    with pytest.raises(ValueError, match=f"(?s)Bad EAM file .*line [0-9]+: .*({reason})"):
        EAM(path)


def test_wrong_names_and_options_are_refused(analytic_file, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.eam.alloy does not exist"):
        EAM(tmp_path / "nowhere.eam.alloy")
    with pytest.raises(ValueError, match="W_zho.*unknown.*W_zhou"):
        EAM("W_zho")
    with pytest.raises(ValueError, match="neither a packaged name nor"):
        EAM("Cu_u3.eam")
    with pytest.raises(ValueError, match="'quintic' or 'lammps'"):
        EAM(analytic_file, interpolation="cubic")
    with pytest.raises(ValueError, match=r"switch_width = 7.0 Å"):
        EAM(analytic_file, switch_width=7.0)
    renamed = tmp_path / "really_alloy.eam.fs"
    renamed.write_text(analytic_file.read_text().replace("1 W", "2 W Fe"))
    with pytest.raises(ValueError, match="Bad EAM file"):
        EAM(renamed)
