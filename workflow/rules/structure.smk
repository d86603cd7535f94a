rule structure:
    input:
        unpack(surface_of),
        unpack(structure_file_of),
        code=code("structure.py"),
        bulk=bulk_store,
    output:
        store="results/{case}/structure.zarr/zarr.json",
        xyz="results/{case}/structure.extxyz",
    log:
        "logs/{case}/structure.log",
    benchmark:
        "results/benchmarks/{case}/structure.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        described=described_defect,
        settings=first_partition,
    message:
        "Sites, predictor and first partition of {wildcards.case}"
    script:
        "../../scripts/structure.py"


rule start:
    input:
        code=code("start.py"),
        structure="results/{case}/structure.zarr/zarr.json",
        operators="results/{case}/operators.zarr/zarr.json",
        bulk=bulk_store,
        potential=potential_file("potential.json"),
    output:
        store="results/{case}/start.zarr/zarr.json",
        xyz="results/{case}/start.extxyz",
    log:
        "logs/{case}/start.log",
    benchmark:
        "results/benchmarks/{case}/start.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        sections=start_sections,
    message:
        "Minimum of the potential of {wildcards.case}, and its first QM region"
    script:
        "../../scripts/start.py"


rule operators:
    input:
        unpack(completing_potential),
        code=code("operators.py"),
        structure="results/{case}/structure.zarr/zarr.json",
        bulk=bulk_store,
    output:
        store="results/{case}/operators.zarr/zarr.json",
    log:
        "logs/{case}/operators.log",
    benchmark:
        "results/benchmarks/{case}/operators.tsv"
    wildcard_constraints:
        case="|".join(set(ORIGINS.values())),
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        constants=lambda w: study.material_of(w.case).force_constants.model_dump(mode="json"),
        laplacian=lambda w: study.cases[w.case].estimate.laplacian.model_dump(mode="json"),
    message:
        "Force-constant operator and Laplacian of {wildcards.case}"
    script:
        "../../scripts/operators.py"
