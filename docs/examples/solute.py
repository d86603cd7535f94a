"""What binds nickel to a Lomer dislocation in aluminium, by NiAlH_jea.eam.alloy of LAMMPS in the current folder."""

import qmfront as qf

fcc = qf.Crystal(structure="fcc", symbol="Al", lattice_constant_guess=4.05)
table = {"potential": "NiAlH_jea.eam.alloy"}
aluminium = qf.measure(fcc, qf.QuantumModel(calculator="qmfront.models.eam.EAM", files=table, cutoff=5.65))
potential = qf.fit(aluminium, qf.Potential(material="Al", solutes=["Ni"]))
lomer = {"line": (1, -1, 0), "burgers": (0.5, 0.5, 0), "plane": (0, 0, 1)}


def last(defect, domain, start=None):
    *_, step = qf.adapt(aluminium, potential, defect, domain, start=start, tolerance=2e-2)
    return step


host = last(qf.Dislocation(**lomer), qf.Disc(radius_r0=12))
alone = last(qf.Point(substituted=[{"element": "Ni"}]), qf.Box(cells=7))
beside = qf.Dislocation(**lomer, solutes=[{"element": "Ni", "at": (0, -1.5, 0)}])
bound = last(beside, qf.Disc(radius_r0=12, periods=3), start=host)
print(qf.substitution(aluminium, bound, host).beyond(qf.substitution(aluminium, alone)))
