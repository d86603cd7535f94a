
include: "surface_inputs.smk"


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
