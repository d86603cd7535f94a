# The adaptive loop (Algorithm 1), two jobs an iteration: solve, and adapt, which estimates, decides and refines.


rule mismatch:
    input:
        unpack(far_field_of),
        code=code("mismatch.py"),
        structure="results/{case}/structure.zarr/zarr.json",
        bulk=bulk_store,
        certificate=potential_file("certificate.zarr/zarr.json"),
    output:
        store="results/{case}/mismatch.zarr/zarr.json",
    log:
        "logs/{case}/mismatch.log",
    benchmark:
        "results/benchmarks/{case}/mismatch.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    message:
        "Difference of both models on the sites of {wildcards.case}"
    script:
        "../../scripts/mismatch.py"


rule far_field:
    input:
        unpack(begun),
        code=code("far_field.py"),
        qm_code=lambda w: qm_code(material_of(w)),
        qm_files=lambda w: qm_files(material_of(w)),
        structure="results/{case}/structure.zarr/zarr.json",
        bulk=bulk_store,
        potential=potential_file("potential.json"),
        certificate=potential_file("certificate.zarr/zarr.json"),
    output:
        store="results/{case}/far_field.zarr/zarr.json",
    log:
        "logs/{case}/far_field.log",
    benchmark:
        "results/benchmarks/{case}/far_field.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        qm_time_limit_ms=qm_time_limit_ms,
        qm_retries=qm_retries,
    params:
        qm=lambda w: qm_spec(material_of(w)),
        samples=lambda w: study.cases[w.case].estimate.far_field_samples,
        journal=JOURNAL,
    message:
        "Homogeneous lattices at the strains of {wildcards.case}"
    script:
        "../../scripts/far_field.py"


# The partition comes through `ancient` and its content through a parameter: an edit of the estimator that leads to the
# same partition solves nothing again, and one that does not is noticed all the same.
rule solve:
    input:
        unpack(start_of),
        code=code("solve.py"),
        qm_code=lambda w: qm_code(material_of(w)),
        qm_files=lambda w: qm_files(material_of(w)),
        structure="results/{case}/structure.zarr/zarr.json",
        operators="results/{case}/operators.zarr/zarr.json",
        mismatch="results/{case}/mismatch.zarr/zarr.json",
        potential=potential_file("potential.json"),
    output:
        partition="results/{case}/{k}/partition.zarr/zarr.json",
        store="results/{case}/{k}/solution.zarr/zarr.json",
    log:
        "logs/{case}/{k}/solve.log",
    benchmark:
        "results/benchmarks/{case}/{k}/solve.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        runtime=planned("solve", "runtime"),
        mem_mb=planned("solve", "mem_mb"),
        qm_time_limit_ms=qm_time_limit_ms,
        qm_retries=qm_retries,
    params:
        qm=qm_of_case,
        settings=section("solve"),
        embedding=section("embedding"),
        partition=refined_partition,
        journal=JOURNAL,
    message:
        "Solve {wildcards.case}, iteration {wildcards.k}"
    script:
        "../../scripts/solve.py"


checkpoint adapt:
    input:
        unpack(before_of),
        code=code("adapt.py"),
        qm_code=lambda w: qm_code(material_of(w)),
        qm_files=lambda w: qm_files(material_of(w)),
        structure="results/{case}/structure.zarr/zarr.json",
        operators="results/{case}/operators.zarr/zarr.json",
        mismatch="results/{case}/mismatch.zarr/zarr.json",
        partition="results/{case}/{k}/partition.zarr/zarr.json",
        solution="results/{case}/{k}/solution.zarr/zarr.json",
        potential=potential_file("potential.json"),
    output:
        residual="results/{case}/{k}/residual.zarr/zarr.json",
        estimate="results/{case}/{k}/estimate.zarr/zarr.json",
        table="results/{case}/{k}/estimate.json",
        refined="results/{case}/{k}/refined.zarr/zarr.json",
        decision="results/{case}/{k}/decision.json",
    log:
        "logs/{case}/{k}/adapt.log",
    benchmark:
        "results/benchmarks/{case}/{k}/adapt.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        runtime=planned("adapt", "runtime"),
        mem_mb=planned("adapt", "mem_mb"),
        qm_time_limit_ms=qm_time_limit_ms,
        qm_retries=qm_retries,
    params:
        qm=qm_of_case,
        settings=adapt_settings,
        journal=JOURNAL,
    message:
        "Estimate, decide and refine {wildcards.case}, iteration {wildcards.k}"
    script:
        "../../scripts/adapt.py"


rule convergence:
    input:
        files_of_iterations,
        unpack(reference_of),
        code=code("convergence.py"),
        structure="results/{case}/structure.zarr/zarr.json",
    output:
        table=report(
            "results/{case}/convergence.csv",
            caption="../report/convergence.rst",
            category="Convergence",
            labels={"case": "{case}"},
        ),
        xyz="results/{case}/relaxed.extxyz",
    log:
        "logs/{case}/convergence.log",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        folders=lambda w: [f"results/{w.case}/{k}" for k in iterations(w.case)],
    message:
        "Errors, convergence table and relaxed structure of {wildcards.case}"
    script:
        "../../scripts/convergence.py"
