"""Nickel on an aluminium site of B2 NiAl, with the table NiAlH_jea.eam.alloy of LAMMPS in the current folder."""

from qmfront import Box, Crystal, Point, QuantumModel, adapt, fit, measure

b2 = Crystal(structure="b2", symbol="NiAl", lattice_constant_guess=2.88)
eam = QuantumModel(
    calculator="qmfront.models.eam.EAM", files={"potential": "NiAlH_jea.eam.alloy"}, cutoff=5.65
)
alloy = measure(b2, eam)
antisite = Point(sublattice="Al", substituted=[{"element": "Ni"}])
for step in adapt(alloy, fit(alloy), antisite, Box(cells=10), tolerance=1e-2):
    print(step.n_qm, step.eta)
