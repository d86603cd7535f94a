"""Preconditioned Anderson acceleration: linear and nonlinear roots, limits, failures, and a dislocation."""

import logging

import numpy as np
import pytest
from ase.constraints import FixAtoms
from ase.optimize import LBFGS

from qmfront.config.stages import Solve
from qmfront.coupling.anderson import _History, solve_equilibrium
from qmfront.coupling.force_mixing import model_forces
from qmfront.models.eam import EAM
from qmfront.operators.assembly import assemble

UNCAPPED = Solve().model_copy(update={"step_cap": 1e3})
"""Å; beyond what a study may ask for."""


def below(tolerance: float):
    """Stop when the largest force component is below tolerance."""
    return lambda u, F, r: (np.abs(F).max() < tolerance, float(np.abs(F).max()))


def linear_problem(distinct: tuple[float, ...], n: int = 10):
    """F(u) = -A (u - root), A symmetric with the given eigenvalues repeated."""
    rng = np.random.default_rng(0)
    q = np.linalg.qr(rng.normal(size=(3 * n, 3 * n)))[0]
    A = (q * np.resize(distinct, 3 * n)) @ q.T
    root = rng.normal(size=(n, 3))
    return (lambda u: -(A @ (u - root).ravel()).reshape(-1, 3)), root


@pytest.mark.parametrize("distinct", [(1.0,), (0.5, 3.0), (0.4, 0.9, 1.7, 2.5), (-0.7, 0.4, 2.0)])
def test_linear_problem_ends_after_as_many_steps_as_distinct_eigenvalues(distinct):
    """Like GMRES, an indefinite Jacobian (a saddle of force mixing) included."""
    force, root = linear_problem(distinct)
    settings = UNCAPPED.model_copy(update={"max_calls": len(distinct) + 2})
    found = solve_equilibrium(force, np.zeros((10, 3)), lambda F: F, below(1e-9), settings=settings)
    assert np.abs(found.displacement - root).max() < 1e-8


def test_exact_model_needs_one_step():
    force, root = linear_problem((0.3, 1.0, 20.0))
    origin = force(np.zeros((10, 3)))
    A = np.array([(origin - force(e.reshape(-1, 3))).ravel() for e in np.eye(30)]).T
    found = solve_equilibrium(
        force,
        np.zeros((10, 3)),
        lambda F: np.linalg.solve(A, F.ravel()).reshape(-1, 3),
        below(1e-9),
        settings=UNCAPPED,
    )
    assert len(found.measure) == 2 and np.abs(found.displacement - root).max() < 1e-10


@pytest.mark.parametrize("memory", [0, 1, 3])
def test_memory_bounds_the_secant_pairs(memory):
    """Without memory each step is the preconditioned force; with it, a combination of that many earlier steps."""
    force, _ = linear_problem((0.4, 0.9, 1.7, 2.5, 0.2, 1.3))
    history, u = _History(memory), np.zeros((10, 3))
    for call in range(6):
        F = force(u)
        step = history.step(u, F)
        assert len(history.moves) == len(history.changes) == min(call, memory)
        assert memory > 0 or np.array_equal(step, F)
        u = u + step


def nonlinear_force(u: np.ndarray) -> np.ndarray:
    """Not a gradient; its root is u = 0.1 in every entry, checked below."""
    s = u - 0.1
    return -(s + 0.4 * np.roll(s, 1, axis=0) ** 2 + 0.3 * np.roll(s, 1, axis=1) + s**3)


def test_nonlinear_root_beats_the_plain_iteration():
    start = np.full((4, 3), 0.4) + 0.1 * np.random.default_rng(1).normal(size=(4, 3))
    calls = {}
    for memory in (0, 20):
        settings = Solve(memory=memory, max_calls=400)
        found = solve_equilibrium(nonlinear_force, start, lambda F: 0.2 * F, below(1e-11), settings=settings)
        assert found.displacement == pytest.approx(0.1, abs=1e-10)
        assert np.abs(nonlinear_force(found.displacement)).max() < 1e-11
        calls[memory] = len(found.measure)
    assert calls[20] < 0.5 * calls[0], calls


def test_result_records_its_calls(caplog):
    asked = []

    def force(u):
        asked.append(u.copy())
        return nonlinear_force(u)

    def converged(u, F, r):
        assert np.array_equal(u, asked[-1]) and np.array_equal(r, 0.5 * F)
        return np.abs(F).max() < 1e-8, float(np.linalg.norm(r))

    start = np.full((2, 3), 0.3)
    with caplog.at_level(logging.INFO):
        found = solve_equilibrium(force, start, lambda F: 0.5 * F, converged, settings=Solve())
    assert len(asked) == len(found.measure) == len(found.max_force) == len(caplog.messages)
    assert np.array_equal(found.forces, nonlinear_force(found.displacement))
    assert found.max_force[-1] == np.abs(found.forces).max() < 1e-8 < found.max_force[-2]
    assert np.all(start == 0.3), "the start is not modified"


@pytest.mark.parametrize("cap", [0.02, 0.3])
def test_no_atom_moves_farther_than_the_cap(cap):
    force, root = linear_problem((0.4, 0.9, 1.7))
    places = []

    def recorded(u):
        places.append(u)
        return force(u)

    settings = Solve(step_cap=cap, max_calls=2000)
    found = solve_equilibrium(recorded, np.zeros((10, 3)), lambda F: F, below(1e-9), settings=settings)
    longest = np.linalg.norm(np.diff(places, axis=0), axis=2).max(axis=1)
    assert np.all(longest <= cap * (1 + 1e-12)) and np.isclose(longest[0], cap)
    assert np.abs(found.displacement - root).max() < 1e-8


def test_failure_says_how_far_it_got():
    settings = Solve(step_cap=1e-3, max_calls=5)
    with pytest.raises(
        RuntimeError, match="No equilibrium after 5 force calls: measure .*Raise solve.max_calls"
    ):
        solve_equilibrium(nonlinear_force, np.ones((2, 3)), lambda F: F, below(1e-9), settings=settings)


def test_forces_that_are_not_finite_are_named():
    def force(u):
        F = nonlinear_force(u)
        F[3, 1] = np.nan if np.any(u != 1.0) else F[3, 1]
        return F

    with pytest.raises(RuntimeError, match="Force call 2: the force on site 3 is not finite"):
        solve_equilibrium(force, np.ones((5, 3)), lambda F: F, below(1e-9), settings=Solve())


def test_errors_of_the_model_are_not_swallowed():
    def force(u):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        solve_equilibrium(force, np.ones((5, 3)), lambda F: F, below(1e-9), settings=Solve())


@pytest.mark.parametrize("case", ["edge", "mixed"])
def test_dislocation_equals_a_minimiser_of_ase(case, request, tungsten, eam, eam_forces):
    """Root finding from the predictor against energy minimisation (LBFGS) of the same clamped disc."""
    defect = request.getfixturevalue(case)
    operators = assemble(defect, tungsten, reach=eam.force_range, decay=3.0, cutoff_r0=2.5)
    jacobian = operators.force_constant_map(defect.free, tolerance=1e-4)
    found = solve_equilibrium(
        model_forces(defect.body, defect.free, eam_forces),
        np.zeros_like(defect.sites),
        jacobian.solve,
        below(1e-8),
        settings=Solve(),
    )
    assert np.all(found.displacement[~defect.free] == 0.0) and np.abs(found.displacement).max() > 0.1
    atoms = defect.body.atoms(np.zeros_like(defect.sites))
    atoms.calc = EAM(potential="W_zhou")
    atoms.set_constraint(FixAtoms(np.flatnonzero(~defect.free)))
    assert LBFGS(atoms, logfile=None).run(fmax=1e-6, steps=400)
    theirs = atoms.positions - defect.body.reference
    assert np.abs(found.displacement - theirs).max() < 1e-5
