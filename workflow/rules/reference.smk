rule locality:
    input:
        code=code("locality.py"),
        qm_code=lambda w: qm_code(material_of(w)),
        qm_files=lambda w: qm_files(material_of(w)),
        structure="results/{case}/structure.zarr/zarr.json",
    output:
        store="results/{case}/locality.zarr/zarr.json",
    log:
        "logs/{case}/locality.log",
    benchmark:
        "results/benchmarks/{case}/locality.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        qm_time_limit_ms=qm_time_limit_ms,
        qm_retries=qm_retries,
    params:
        specs=qm_alternatives,
        embedding=section("embedding"),
        settings=lambda w: {
            "widths": list(study.cases[w.case].locality.widths),
            "tolerance": study.cases[w.case].locality.tolerance,
            "width": study.cases[w.case].buffer.width,
        },
        journal=JOURNAL,
    message:
        "Buffer that the QM model of {wildcards.case} needs"
    script:
        "../../scripts/locality.py"


rule reference:
    input:
        unpack(start_of_reference),
        code=code("reference.py"),
        qm_code=lambda w: qm_code(material_of(w)),
        qm_files=lambda w: qm_files(material_of(w)),
        structure="results/{case}/structure.zarr/zarr.json",
        operators="results/{case}/operators.zarr/zarr.json",
    output:
        store="results/{case}/reference.zarr/zarr.json",
    log:
        "logs/{case}/reference.log",
    benchmark:
        "results/benchmarks/{case}/reference.tsv"
    wildcard_constraints:
        case="|".join(set(ORIGINS.values())),
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        runtime=planned("reference", "runtime"),
        mem_mb=planned("reference", "mem_mb"),
        qm_time_limit_ms=qm_time_limit_ms,
        qm_retries=qm_retries,
    params:
        qm=qm_of_case,
        settings=section("reference"),
        embedding=section("embedding"),
        journal=JOURNAL,
    message:
        "Full QM solution of {wildcards.case}"
    script:
        "../../scripts/reference.py"


rule shared:
    input:
        store=lambda w: f"results/{ORIGINS[w.case]}/{w.name}.zarr/zarr.json",
    output:
        store="results/{case}/{name}.zarr/zarr.json",
    log:
        "logs/{case}/shared_{name}.log",
    wildcard_constraints:
        case="|".join(COPIES) or "(?!)",
        name="operators|reference",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    message:
        "The {wildcards.name} of {wildcards.case}: equal to those of another case"
    shell:
        'out="$(dirname {output.store})"; rm -rf "$out" "$out.partial" 2> {log} && '
        'cp -rlT "$(dirname {input.store})" "$out.partial" 2>> {log} && mv -T "$out.partial" "$out" 2>> {log}'
