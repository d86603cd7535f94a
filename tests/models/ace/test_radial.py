import numpy as np
import pytest

from qmfront.models.ace.radial import Bond
from tests.models.ace.step_sweep import assert_derivative


def written_out(r: float, k: int, cutoff: float, decay: float, taper: float) -> float:
    """g_k of the .yace format, literally, with T_k(x) = cos(k arccos x)."""
    if r >= cutoff:
        return 0.0
    x = 1 - 2 * (np.exp(-decay * r / cutoff) - np.exp(-decay)) / (1 - np.exp(-decay))
    envelope = (1 + np.cos(np.pi * r / cutoff)) / 2
    value = envelope if k == 1 else envelope * (1 - np.cos((k - 1) * np.arccos(x))) / 2
    if r > cutoff - taper:
        value *= (1 + np.cos(np.pi * (r - cutoff + taper) / taper)) / 2
    return value


@pytest.mark.parametrize("taper", [5.5, 1.2, 0.01])
@pytest.mark.parametrize("decay", [0.3, 5.25, 9.0])
def test_functions_are_those_of_the_yace_format(decay, taper):
    bond = Bond(0, 0, 5.5, decay, taper, 9)
    distances = np.array([0.4, 1.3, 2.74, 3.165, 4.2, 4.31, 5.1, 5.4951, 5.4999, 5.5, 6.0])
    expected = [[written_out(r, k, 5.5, decay, taper) for r in distances] for k in range(1, 10)]
    np.testing.assert_allclose(bond.evaluate(distances)[0], expected, atol=1e-13)


def test_slopes():
    bond = Bond(0, 0, 5.5, 5.25, 2.0, 12)
    distances = np.array([0.7, 2.1, 3.4, 3.7, 4.6, 5.2])
    assert_derivative(lambda h: bond.evaluate(distances + h)[0], bond.evaluate(distances)[1], scale=0.1)


def test_default_taper_gives_fourth_order_contact_at_the_cutoff():
    bond = Bond(0, 0, 5.5, 5.25, 5.5, 10)
    below = np.array([0.1, 0.05, 0.025])
    values = np.abs(bond.evaluate(5.5 - below)[0])
    orders = np.diff(np.log(values), axis=1) / np.diff(np.log(below))
    assert np.all(orders > 3.9), orders  # three derivatives vanish


@pytest.mark.parametrize("wrong", [{"cutoff": -1.0}, {"decay": 0.0}, {"taper": 6.0}, {"n_radial": 0}])
def test_impossible_parameters_are_refused(wrong):
    good = {"centre": 0, "neighbour": 0, "cutoff": 5.5, "decay": 5.25, "taper": 5.5, "n_radial": 3}
    with pytest.raises(ValueError, match=str(next(iter(wrong.values())))):
        Bond(**(good | wrong))
