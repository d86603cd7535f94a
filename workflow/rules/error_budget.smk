# What is told of a finished case that asks for it: its energy by virtual work (16 QM calls), the error of its clamp.


include: "error_budget_inputs.smk"


rule energy:
    input:
        code=code("energy.py"),
        qm_code=lambda w: qm_code(material_of(w)),
        qm_files=lambda w: qm_files(material_of(w)),
        structure="results/{case}/structure.zarr/zarr.json",
        operators="results/{case}/operators.zarr/zarr.json",
        partition=last("partition.zarr/zarr.json"),
        solution=last("solution.zarr/zarr.json"),
        mismatch="results/{case}/mismatch.zarr/zarr.json",
        potential=potential_file("potential.json"),
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
        settings=energy_settings,
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
        described=larger_defect,
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
