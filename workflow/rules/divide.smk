# QM forces of a large periodic domain at a QM/MM solution, tile by tile (divide and conquer), spread over jobs.


include: "divide_inputs.smk"


rule tiles:
    input:
        code=code("tiles.py"),
        structure="results/{case}/structure.zarr/zarr.json",
    output:
        store="results/{case}/{k}/tiles.zarr/zarr.json",
    log:
        "logs/{case}/{k}/tiles.log",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        settings=lambda w: study.cases[w.case].divide.model_dump(mode="json", exclude={"box_cells"}),
    message:
        "Tiles of {wildcards.case}"
    script:
        "../../scripts/tiles.py"


rule patch:
    input:
        code=code("patch.py"),
        qm_code=lambda w: qm_code(material_of(w)),
        qm_files=lambda w: qm_files(material_of(w)),
        structure="results/{case}/structure.zarr/zarr.json",
        solution="results/{case}/{k}/solution.zarr/zarr.json",
        tiles="results/{case}/{k}/tiles.zarr/zarr.json",
    output:
        store="results/{case}/{k}/patches/{job}.zarr/zarr.json",
    log:
        "logs/{case}/{k}/patches/{job}.log",
    benchmark:
        "results/benchmarks/{case}/{k}/patches/{job}.tsv"
    wildcard_constraints:
        job=r"\d+",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        qm_time_limit_ms=qm_time_limit_ms,
        qm_retries=qm_retries,
    params:
        qm=qm_of_case,
        box_cells=lambda w: study.cases[w.case].divide.box_cells,
        journal=JOURNAL,
    message:
        "QM forces on tiles of {wildcards.case}, iteration {wildcards.k}, job {wildcards.job}"
    script:
        "../../scripts/patch.py"


rule gather:
    input:
        unpack(residual_of),
        code=code("gather.py"),
        structure="results/{case}/structure.zarr/zarr.json",
        tiles="results/{case}/{k}/tiles.zarr/zarr.json",
        patches=patches_of,
    output:
        store="results/{case}/{k}/divided.zarr/zarr.json",
        summary="results/{case}/{k}/divided.json",
    log:
        "logs/{case}/{k}/gather.log",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    message:
        "QM forces of {wildcards.case} from tiles, iteration {wildcards.k}"
    script:
        "../../scripts/gather.py"
