"""An edge dislocation in tungsten, relaxed until its estimated error is below 1e-3 Å: the loop of the README."""

from qmfront import Crystal, Disc, Dislocation, QuantumModel, adapt, fit, measure

bcc = Crystal(structure="bcc", symbol="W", lattice_constant_guess=3.165)
eam = QuantumModel(calculator="qmfront.models.eam.EAM", kwargs={"potential": "W_zhou"}, cutoff=5.4)
tungsten = measure(bcc, eam)
potential = fit(tungsten)
edge = Dislocation(line=(0, 1, 0), burgers=(1, 0, 0), plane=(0, 0, 1))
for step in adapt(tungsten, potential, edge, Disc(radius_r0=30), tolerance=1e-3):
    print(step.n_qm, step.eta)
