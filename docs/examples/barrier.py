"""The barrier of a vacancy in tungsten on its way to the next site, known to 5 meV."""

from qmfront import Box, Crystal, Point, QuantumModel, barrier, fit, measure

bcc = Crystal(structure="bcc", symbol="W", lattice_constant_guess=3.165)
eam = QuantumModel(calculator="qmfront.models.eam.EAM", kwargs={"potential": "W_zhou"}, cutoff=5.4)
tungsten = measure(bcc, eam)
ends = Point(removed=[(0, 0, 0)]), Point(removed=[(0.5, 0.5, 0.5)])
found = barrier(tungsten, fit(tungsten), ends, Box(cells=8), tolerance=5e-3)
print(found.forward.value, found.forward.bar)
