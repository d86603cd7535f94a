"""The Fermi function as a sum over poles, from which all that depends on it follows.

    f(e) = 1 / (1 + exp((e - mu) / kT)) = Re sum_i w_i / (e - z_i),    Im z_i > 0,    sum_i Re w_i = 0    (i)
    e f(e) = Re sum_i w_i z_i / (e - z_i)                                                                 (ii)
    -kT ln(1 + exp((mu - e) / kT)) = Re sum_i w_i ln(e - z_i)                                             (iii)

(ii) follows from (i) because the w_i add up to an imaginary number; (iii) is its integral, with the principal branch of
the logarithm, and vanishes at large e for the same reason. Forces from (i) and (ii) are therefore the exact derivative
of the grand potential from (iii). In units of kT, t = (e - mu) / kT, the table holds for LOWEST < t < HIGHEST with
errors 3e-11 in f, 3e-8 in t f and 3e-7 in (iii). The poles are those of a rational approximation by AAA (Nakatsukasa,
Sete, Trefethen, SIAM J. Sci. Comput. 40, A1494 (2018)), the weights a least-squares fit; tests/models/nrltb/
pole_recipe.py is the recipe.
"""

from dataclasses import dataclass

import numpy as np

LOWEST, HIGHEST = -300.0, 5000.0


@dataclass(frozen=True)
class Poles:
    """points z (q,) and weights w (q,), complex, eV; lowest and highest, eV, between which (i) to (iii) hold."""

    points: np.ndarray
    weights: np.ndarray
    lowest: float
    highest: float


def fermi_poles(mu: float, kT: float) -> Poles:
    """The poles for a chemical potential and a temperature, both in eV."""
    x, y, real, imaginary = TABLE.T
    return Poles(mu + kT * (x + 1j * y), kT * (real + 1j * imaginary), mu + kT * LOWEST, mu + kT * HIGHEST)


# Re and Im of the pole, Re and Im of the weight, in units of kT.
TABLE = np.array(
    [
        (-9.700290050570074e-11, 3.1415926535981877, -1.9999999999231766, -5.455227686570769e-10),
        (-8.384645007368776e-07, 9.424778200246347, -2.0000006158871435, -1.9333376296373684e-06),
        (-0.0003907584501938663, 15.70814828285484, -2.0003277499603103, -0.0006348277175902561),
        (-0.02593887506365332, 22.01127505430421, -2.024636761262655, -0.027423206547595894),
        (-0.33029183141311835, 28.704097335289116, -2.3203189044265566, -0.19546924836578086),
        (-1.351390678581642, 37.19752253935969, -3.1687430325705184, -0.4613181862881833),
        (-3.33062149124067, 49.008100532824685, -4.405073905405804, -0.8290580445487354),
        (-6.844964239119819, 65.24002368570943, -5.9915186286157285, -1.4698390043776692),
        (-13.084272458899326, 87.07634265593698, -7.979335771534398, -2.6096968150282875),
        (-588.1295121367353, 94.08673373455011, 57.24057119081909, -19.113520999278705),
        (-24.124055196604786, 115.79188920507099, -10.358739405652937, -4.598548060698422),
        (-43.43219027897254, 152.37713575925125, -12.929642999297243, -7.984089841414065),
        (-76.55714065307103, 196.58714795617786, -15.045286758632127, -13.539742992020514),
        (-483.74496882592314, 238.42364270153763, 32.29443474066972, -43.24293265085416),
        (-131.66172421067998, 244.80307139965416, -15.092677460082202, -22.085446235631814),
        (-218.45439384956325, 285.8903603215463, -9.7958441202005, -33.50960661823937),
        (-341.6166830321684, 295.7197078629744, 5.577140181962489, -44.108529932647535),
    ]
)
