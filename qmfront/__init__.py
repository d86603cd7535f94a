"""qmfront: adaptive QM/MM for crystalline defects. The names below are its documented interface.

    from qmfront import Crystal, Disc, Dislocation, QuantumModel, adapt, fit, measure

measure, fit, adapt, substitution, formation
    The loop: a material measured by its QM model, a potential fitted to it, and the iterations of Algorithm 1; what it
    costs to put a solute into the relaxed defect, and what a point defect costs.
barrier
    The saddle between two states of a point defect, and its energy over each, with an error bar.
follow
    A dislocation along a path of loads (LoadPath), with a QM region that moves with it.
Crystal, QuantumModel; Potential; Dislocation, Crack, Point, File; Disc, Box
    What a study describes.
Adapt, Buffer, Coarsen, Embedding, Estimate, InitialRegion, Refine, Solve
    Settings of the stages, for the keywords of `adapt`.
EAM, NRLTB, ACE
    ASE calculators, usable on their own.
"""

# Names are loaded when they are used: jobs that need one module do not pay for all of them.
_HOMES = {
    "measure": "adaptive.matching",
    "fit": "adaptive.matching",
    "adapt": "adaptive.loop",
    "substitution": "adaptive.substitution",
    "formation": "adaptive.formation",
    "FormationEnergy": "estimate.formation",
    "barrier": "adaptive.barrier",
    "Crossing": "adaptive.barrier",
    "Barrier": "estimate.barrier",
    "follow": "adaptive.path",
    "PathStep": "adaptive.path",
    "LoadPath": "config.stages",
    "Coarsen": "config.stages",
    "Step": "adaptive.step",
    "Crystal": "config.material",
    "QuantumModel": "config.material",
    "Potential": "config.potential",
    "Dislocation": "config.defect",
    "Crack": "config.defect",
    "Point": "config.defect",
    "File": "config.defect",
    "Disc": "config.defect",
    "Box": "config.defect",
    "Adapt": "config.stages",
    "Buffer": "config.stages",
    "Embedding": "config.stages",
    "Estimate": "config.stages",
    "InitialRegion": "config.stages",
    "Refine": "config.stages",
    "Solve": "config.stages",
    "EAM": "models.eam",
    "NRLTB": "models.nrltb",
    "ACE": "models.ace",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    """The object of that name, from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'qmfront' has no attribute {name!r}; it has {', '.join(_HOMES)}")
    from importlib import import_module

    return getattr(import_module(f"qmfront.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """What is there."""
    return sorted(_HOMES)
