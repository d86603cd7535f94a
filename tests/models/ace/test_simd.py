import numpy as np
from numba import njit

from qmfront.models.ace.simd import exponential, fill, fma, load, minimum, root, store, total


@njit
def lanes_of_everything(a, b, out):
    x, y = load(a, 1), load(b, 0)
    store(out, 0, x + y)
    store(out, 4, x - y)
    store(out, 8, x * y)
    store(out, 12, x / y)
    store(out, 16, fma(x, y, fill(3.0)))
    store(out, 20, minimum(x, y))
    store(out, 24, root(x * x))
    return total(x)


@njit
def exponentials(a, out):
    for i in range(0, len(a), 4):
        store(out, i, exponential(load(a, i)))


def test_every_operation_in_every_lane():
    rng = np.random.default_rng(0)
    a, b, out = rng.normal(size=5), rng.normal(size=4), np.zeros(28)
    x = a[1:]
    assert np.isclose(lanes_of_everything(a, b, out), x.sum())
    expected = [x + b, x - b, x * b, x / b, x * b + 3, np.minimum(x, b), np.abs(x)]
    np.testing.assert_allclose(out.reshape(7, 4), expected, rtol=1e-15, atol=1e-15)


def test_exponential_to_two_units_in_the_last_place():
    a = np.concatenate([np.linspace(-12, 1, 396), [0.0, -600.0, 300.0, 1e-17]])
    out = np.zeros_like(a)
    exponentials(a, out)
    np.testing.assert_allclose(out, np.exp(a), rtol=4.5e-16)
