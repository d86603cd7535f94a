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


rule bulk:
    input:
        code=code("bulk.py"),
        qm_code=lambda w: qm_code(w.material),
        qm_files=lambda w: qm_files(w.material),
        preflight="results/preflight/{material}.json",
    output:
        store="results/bulk/{material}.zarr/zarr.json",
    log:
        "logs/bulk/{material}.log",
    benchmark:
        "results/benchmarks/bulk/{material}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        qm_time_limit_ms=qm_time_limit_ms,
        qm_retries=qm_retries,
    params:
        crystal=lambda w: study.materials[w.material].crystal.model_dump(mode="json"),
        qm=lambda w: qm_spec(w.material),
        settings=lambda w: study.materials[w.material].model_dump(
            mode="json", include={"force_constants", "stress_samples", "moduli"}
        ),
        journal=JOURNAL,
    message:
        "Perfect crystal of {wildcards.material}: lattice constant, moduli, force constants"
    script:
        "../../scripts/bulk.py"


rule surface:
    input:
        code=code("surface.py"),
        qm_code=lambda w: qm_code(w.material),
        qm_files=lambda w: qm_files(w.material),
        bulk="results/bulk/{material}.zarr/zarr.json",
    output:
        store="results/surfaces/{material}_{plane}.zarr/zarr.json",
    log:
        "logs/surfaces/{material}_{plane}.log",
    benchmark:
        "results/benchmarks/surfaces/{material}_{plane}.tsv"
    wildcard_constraints:
        plane=r"-?\d+_-?\d+_-?\d+",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        qm_time_limit_ms=qm_time_limit_ms,
        qm_retries=qm_retries,
    params:
        qm=lambda w: qm_spec(w.material),
        plane=lambda w: [int(index) for index in w.plane.split("_")],
        settings=lambda w: surface_settings(w.material),
        journal=JOURNAL,
    message:
        "Free surface {wildcards.plane} of {wildcards.material}"
    script:
        "../../scripts/surface.py"
