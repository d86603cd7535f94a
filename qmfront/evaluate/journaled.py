"""A QM model behind the journal as an ASE calculator, for code that asks for energies, forces and stresses in turn."""

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.model_spec import ModelSpec


class Journaled(Calculator):
    """Answers from the journal, or else from the model and then into the journal; never modifies the atoms.

    The energy is the free energy where the model has one. Forces come with every energy; the stress is a question of
    its own, since it can be dear.
    """

    def __init__(self, spec: ModelSpec, journal: Journal, tally: Tally) -> None:
        """The tally counts the evaluations."""
        super().__init__()
        self._model, self._spec = spec.build(), spec
        self._journal, self._tally = journal, tally
        known = getattr(self._model, "implemented_properties", ("energy", "forces", "stress"))
        self.implemented_properties = [
            name for name in ("energy", "free_energy", "forces", "stress") if name in known
        ]
        if hasattr(self._model, "force_range"):
            self.force_range = self._model.force_range

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: tuple[str, ...] = ("energy",),
        system_changes: list[str] = all_changes,
    ) -> None:
        """Fill `results`; called by ASE. Errors as in `Journal.evaluate`."""
        super().calculate(atoms, properties, system_changes)
        found = self._journal.evaluate(
            self.atoms, self._model, self._spec, stress="stress" in properties, tally=self._tally
        )
        self.results = {"energy": found.energy, "forces": found.forces.copy()}
        if "free_energy" in self.implemented_properties:
            self.results["free_energy"] = found.energy
        if found.stress is not None:
            self.results["stress"] = found.stress.copy()
