"""A vacancy in hcp magnesium, with the table Mg_mm.eam.fs of LAMMPS in the current folder."""

from qmfront import Box, Crystal, Point, QuantumModel, adapt, fit, measure

hcp = Crystal(structure="hcp", symbol="Mg", lattice_constant_guess=3.2)
eam = QuantumModel(calculator="qmfront.models.eam.EAM", files={"potential": "Mg_mm.eam.fs"}, cutoff=7.5)
magnesium = measure(hcp, eam)
vacancy = Point(removed=[(0, 0, 0)])
for step in adapt(magnesium, fit(magnesium), vacancy, Box(cells=(10, 6, 6)), tolerance=1e-2):
    print(step.n_qm, step.eta)
