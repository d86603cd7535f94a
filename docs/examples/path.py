"""A dislocation in tungsten driven by a shear: the example of docs/paths.md, after that of the README."""

from qmfront import Adapt, Disc, Dislocation, LoadPath, follow

mixed = Dislocation(line=(1, 1, 1), burgers=(-0.5, -0.5, 0.5), plane=(1, -1, 0))
loads = LoadPath(end=0.02, step=0.002, smallest_step=1e-4)
bar = Adapt(tolerance=5e-3, prove=False)
for step in follow(tungsten, potential, mixed, Disc(radius_r0=14), path=loads, adapt=bar):  # noqa: F821
    print(step.load, step.position, step.n_qm, step.eta)
