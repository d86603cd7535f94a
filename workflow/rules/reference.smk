rule reference:
    message:
        "Full QM solution of {wildcards.case}"
    input:
        code=code("reference.py"),
        qm_code=lambda w: qm_code(material_of(w)),
        qm_files=lambda w: qm_files(material_of(w)),
        structure="results/{case}/structure.zarr/zarr.json",
        operators="results/{case}/operators.zarr/zarr.json",
    output:
        store="results/{case}/reference.zarr/zarr.json",
    wildcard_constraints:
        case="|".join(set(ORIGINS.values())),
    params:
        qm=lambda w: qm_spec(material_of(w)),
        settings=section("reference"),
        journal=JOURNAL,
    log:
        "logs/{case}/reference.log",
    benchmark:
        "results/benchmarks/{case}/reference.tsv"
    threads: 1
    conda:
        "../../envs/environment.yaml"
    script:
        "../../scripts/reference.py"


rule shared:
    message:
        "The {wildcards.name} of {wildcards.case}: equal to those of another case"
    input:
        store=lambda w: f"results/{ORIGINS[w.case]}/{w.name}.zarr/zarr.json",
    output:
        store="results/{case}/{name}.zarr/zarr.json",
    wildcard_constraints:
        case="|".join(COPIES) or "(?!)",
        name="operators|reference",
    log:
        "logs/{case}/shared_{name}.log",
    threads: 1
    conda:
        "../../envs/environment.yaml"
    shell:
        'cp -rlfT "$(dirname {input.store})" "$(dirname {output.store})" 2> {log}'
