# What is told of a finished case beside its estimator, as strings and plain values.


def bars():
    """Energies and clamp errors of the cases that ask for them."""
    asked = {
        "energy": lambda case: case.energy.compute,
        "clamp": lambda case: case.clamp.factor is not None,
    }
    return [
        f"results/{name}/{what}.json"
        for name, case in study.cases.items()
        for what, wanted in asked.items()
        if wanted(case)
    ]


def larger_defect(w):
    """The defect of a case on the larger domain of its clamp error."""
    case = study.cases[w.case]
    domain = case.domain.model_dump(mode="json", exclude={"kind"})
    domain["radius_r0"] *= case.clamp.factor
    return {**case.defect.model_dump(mode="json"), **domain, **rim_of(w)}


# What is told of a finished case that asks for it: its energy by virtual work (16 QM calls), the error of its clamp.


rule energy:
    input:
        unpack(far_field_of),
        code=code("energy.py"),
        qm_code=lambda w: qm_code(material_of(w)),
        qm_files=lambda w: qm_files(material_of(w)),
        structure="results/{case}/structure.zarr/zarr.json",
        operators="results/{case}/operators.zarr/zarr.json",
        partition=last("partition.zarr/zarr.json"),
        solution=last("solution.zarr/zarr.json"),
        bulk=bulk_store,
        potential=potential_file("potential.json"),
        certificate=potential_file("certificate.zarr/zarr.json"),
    output:
        table="results/{case}/energy.json",
    log:
        "logs/{case}/energy.log",
    benchmark:
        "results/benchmarks/{case}/energy.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        qm_time_limit_ms=qm_time_limit_ms,
        qm_retries=qm_retries,
    params:
        qm=qm_of_case,
        settings=residual_settings,
        journal=JOURNAL,
    message:
        "Energy of {wildcards.case} by virtual work"
    script:
        "../../scripts/energy.py"


rule clamp:
    input:
        unpack(surface_of),
        code=code("clamp.py"),
        bulk=bulk_store,
        structure="results/{case}/structure.zarr/zarr.json",
        solution=last("solution.zarr/zarr.json"),
        potential=potential_file("potential.json"),
    output:
        table="results/{case}/clamp.json",
    log:
        "logs/{case}/clamp.log",
    benchmark:
        "results/benchmarks/{case}/clamp.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        defect=larger_defect,
        factor=lambda w: study.cases[w.case].clamp.factor,
        operators=lambda w: {
            "reach": study.material_of(w.case).force_constants.reach,
            "decay": study.cases[w.case].estimate.laplacian.A,
            "cutoff_r0": study.cases[w.case].estimate.laplacian.cutoff_r0,
        },
    message:
        "Error of the clamp of {wildcards.case}"
    script:
        "../../scripts/clamp.py"
