# What training, fit and intervals of a potential need, as strings and plain values.
from qmfront.config.material import RelaxedSlab
from qmfront.config.potential import Fitting, Training


def training_sections(w):
    """What the reference model is asked for a potential: its own section, and what it takes over from the material."""
    potential, material = study.potentials[w.potential], study.materials[material_of(w)]
    return {
        "training": plain(potential, Training),
        "force_constants": plain(material.force_constants),
        "slab": plain(material.surface, RelaxedSlab),
    }


def fit_sections(w):
    """How a potential is fitted and compared with the reference model."""
    potential, material = study.potentials[w.potential], study.materials[material_of(w)]
    return {
        "basis": plain(potential.basis),
        "fitting": plain(potential, Fitting),
        "force_constants": plain(material.force_constants),
        "surface": plain(material.surface),
    }


def field_of(w):
    """The structure at whose strains stresses are observed for a potential: that of the first case that has it."""
    if not study.potentials[w.potential].field_samples:
        return {}
    return {"field": f"results/{study.first_case_of(w.potential)}/structure.zarr/zarr.json"}


def held_out_cells(w):
    """Rattled cells that a potential is not fitted to; None without them."""
    held_out = study.potentials[w.potential].held_out
    return None if held_out is None else plain(held_out)


def surface_stores(w):
    """Stores of the surfaces that a potential is fitted to."""
    surfaces = study.potentials[w.potential].surfaces
    planes = ["_".join(map(str, plane)) for plane in surfaces.planes] if surfaces else []
    return [f"results/surfaces/{material_of(w)}_{plane}.zarr/zarr.json" for plane in planes]


def scattered_jobs(w):
    """The jobs that fill the journal for a training stage: none where it does so itself."""
    total = study.potentials[w.potential].jobs
    return [f"results/potentials/{w.potential}/shares/{number}.json" for number in range(total) if total > 1]
