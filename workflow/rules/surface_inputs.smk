# What surfaces and the potentials fitted to them need, as strings and plain values.


def surface_settings(material):
    """How surfaces of a material are measured; their phonons take the step of the force constants."""
    chosen = study.materials[material]
    step = chosen.force_constants.displacement
    return {**chosen.surface.model_dump(mode="json"), "displacement": step}


def surface_sampling(w):
    """Which slabs are observed for a potential; None without surfaces."""
    surfaces, slab = study.potentials[w.potential].surfaces, study.materials[material_of(w)].surface
    if surfaces is None:
        return None
    return {**surfaces.model_dump(mode="json"), "vacuum": slab.vacuum, "max_force": slab.max_force}


def rattled_sampling(w):
    """Which rattled cells are observed for a potential; None without them."""
    rattled = study.potentials[w.potential].rattled
    return None if rattled is None else rattled.model_dump(mode="json")


def beside_lattice(w):
    """What is observed for a potential beside derivatives at the perfect lattice."""
    samples = study.potentials[w.potential].field_samples
    return {"surfaces": surface_sampling(w), "rattled": rattled_sampling(w), "field_samples": samples}


def field_of(w):
    """The structure at whose strains stresses are observed for a potential: that of the first case that has it."""
    if not study.potentials[w.potential].field_samples:
        return {}
    return {"field": f"results/{study.first_case_of(w.potential)}/structure.zarr/zarr.json"}


def held_out_sampling(w):
    """Which rattled cells doubt a potential; None without them."""
    held_out = study.potentials[w.potential].held_out
    return None if held_out is None else held_out.model_dump(mode="json")


def surface_stores(w):
    """Stores of the surfaces that a potential is fitted to."""
    surfaces = study.potentials[w.potential].surfaces
    planes = ["_".join(map(str, plane)) for plane in surfaces.planes] if surfaces else []
    return [f"results/surfaces/{material_of(w)}_{plane}.zarr/zarr.json" for plane in planes]


def basis_of(w):
    """Arguments of `build_basis`."""
    basis = study.potentials[w.potential].basis
    return {
        "cutoff": basis.cutoff,
        "max_degree": list(basis.max_degree),
        "l_weight": basis.angular_weight,
        "decay": basis.radial_lambda,
    }
