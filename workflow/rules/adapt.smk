# The adaptive loop (Algorithm 1): solve, residual, estimate, decide, refine; k counts iterations from 0.


rule solve:
    input:
        unpack(start_of),
        unpack(far_field_of),
        code=code("solve.py"),
        qm_code=lambda w: qm_code(material_of(w)),
        qm_files=lambda w: qm_files(material_of(w)),
        structure="results/{case}/structure.zarr/zarr.json",
        operators="results/{case}/operators.zarr/zarr.json",
        partition="results/{case}/{k}/partition.zarr/zarr.json",
        bulk=bulk_store,
        potential=potential_file("potential.json"),
        certificate=potential_file("certificate.zarr/zarr.json"),
    output:
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
        settings=with_embedding("solve"),
        journal=JOURNAL,
    message:
        "Solve {wildcards.case}, iteration {wildcards.k}"
    script:
        "../../scripts/solve.py"


rule far_field:
    input:
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


rule residual:
    input:
        unpack(far_field_of),
        unpack(layer_of),
        code=code("residual.py"),
        qm_code=lambda w: qm_code(material_of(w)),
        qm_files=lambda w: qm_files(material_of(w)),
        structure="results/{case}/structure.zarr/zarr.json",
        operators="results/{case}/operators.zarr/zarr.json",
        partition="results/{case}/{k}/partition.zarr/zarr.json",
        solution="results/{case}/{k}/solution.zarr/zarr.json",
        bulk=bulk_store,
        certificate=potential_file("certificate.zarr/zarr.json"),
    output:
        store="results/{case}/{k}/residual.zarr/zarr.json",
    log:
        "logs/{case}/{k}/residual.log",
    benchmark:
        "results/benchmarks/{case}/{k}/residual.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        runtime=planned("residual", "runtime"),
        mem_mb=planned("residual", "mem_mb"),
        qm_time_limit_ms=qm_time_limit_ms,
        qm_retries=qm_retries,
    params:
        qm=qm_of_case,
        settings=residual_settings,
        journal=JOURNAL,
    message:
        "Residual forces of {wildcards.case}, iteration {wildcards.k}"
    script:
        "../../scripts/residual.py"


rule answer:
    input:
        code=code("answer.py"),
        qm_code=lambda w: qm_code(material_of(w)),
        qm_files=lambda w: qm_files(material_of(w)),
        structure="results/{case}/structure.zarr/zarr.json",
        operators="results/{case}/operators.zarr/zarr.json",
        partition="results/{case}/{k}/partition.zarr/zarr.json",
        solution="results/{case}/{k}/solution.zarr/zarr.json",
        residual="results/{case}/{k}/residual.zarr/zarr.json",
        potential=potential_file("potential.json"),
    output:
        store="results/{case}/{k}/answer.zarr/zarr.json",
    log:
        "logs/{case}/{k}/answer.log",
    benchmark:
        "results/benchmarks/{case}/{k}/answer.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        qm_time_limit_ms=qm_time_limit_ms,
        qm_retries=qm_retries,
    params:
        qm=qm_of_case,
        settings=lambda w: {
            "residual": study.cases[w.case].estimate.residual,
            "hessian": study.cases[w.case].estimate.hessian.model_dump(mode="json"),
            "embedding": section("embedding")(w),
        },
        journal=JOURNAL,
    message:
        "Answer of the Hessian to the residual of {wildcards.case}, iteration {wildcards.k}"
    script:
        "../../scripts/answer.py"


rule estimate:
    input:
        unpack(answer_of),
        code=code("estimate.py"),
        structure="results/{case}/structure.zarr/zarr.json",
        operators="results/{case}/operators.zarr/zarr.json",
        partition="results/{case}/{k}/partition.zarr/zarr.json",
        solution="results/{case}/{k}/solution.zarr/zarr.json",
        residual="results/{case}/{k}/residual.zarr/zarr.json",
    output:
        store="results/{case}/{k}/estimate.zarr/zarr.json",
        table="results/{case}/{k}/estimate.json",
    log:
        "logs/{case}/{k}/estimate.log",
    benchmark:
        "results/benchmarks/{case}/{k}/estimate.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        settings=lambda w: study.cases[w.case].estimate.model_dump(
            mode="json", include={"norm", "residual", "stabilisation"}
        ),
    message:
        "Error estimate of {wildcards.case}, iteration {wildcards.k}"
    script:
        "../../scripts/estimate.py"


checkpoint decide:
    input:
        code=code("decide.py"),
        estimate="results/{case}/{k}/estimate.json",
    output:
        decision="results/{case}/{k}/decision.json",
    log:
        "logs/{case}/{k}/decide.log",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        settings=section("adapt"),
    message:
        "Stop or go on: {wildcards.case}, iteration {wildcards.k}"
    script:
        "../../scripts/decide.py"


rule refine:
    input:
        code=code("refine.py"),
        structure="results/{case}/structure.zarr/zarr.json",
        estimate=previous("estimate.zarr/zarr.json"),
        partition=previous("partition.zarr/zarr.json"),
        solution=previous("solution.zarr/zarr.json"),
    output:
        store="results/{case}/{k}/partition.zarr/zarr.json",
    log:
        "logs/{case}/{k}/refine.log",
    benchmark:
        "results/benchmarks/{case}/{k}/refine.tsv"
    wildcard_constraints:
        k=r"[1-9]\d*",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        settings=lambda w: study.cases[w.case].model_dump(
            mode="json", include={"refine", "buffer", "embedding"}
        ),
    message:
        "Partition of {wildcards.case}, iteration {wildcards.k}"
    script:
        "../../scripts/refine.py"


rule error:
    input:
        code=code("error.py"),
        structure="results/{case}/structure.zarr/zarr.json",
        solution="results/{case}/{k}/solution.zarr/zarr.json",
        reference="results/{case}/reference.zarr/zarr.json",
    output:
        error="results/{case}/{k}/error.json",
    log:
        "logs/{case}/{k}/error.log",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    message:
        "True error of {wildcards.case}, iteration {wildcards.k}"
    script:
        "../../scripts/error.py"


rule convergence:
    input:
        files_of_iterations,
        unpack(reference_of),
        code=code("convergence.py"),
    output:
        table=report(
            "results/{case}/convergence.csv",
            caption="../report/convergence.rst",
            category="Convergence",
            labels={"case": "{case}"},
        ),
    log:
        "logs/{case}/convergence.log",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        folders=lambda w: [f"results/{w.case}/{k}" for k in iterations(w.case)],
    message:
        "Convergence table of {wildcards.case}"
    script:
        "../../scripts/convergence.py"


rule export:
    input:
        code=code("export.py"),
        structure="results/{case}/structure.zarr/zarr.json",
        partition=last("partition.zarr/zarr.json"),
        solution=last("solution.zarr/zarr.json"),
        estimate=last("estimate.zarr/zarr.json"),
    output:
        xyz="results/{case}/relaxed.extxyz",
    log:
        "logs/{case}/export.log",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    message:
        "Relaxed structure of {wildcards.case}"
    script:
        "../../scripts/export.py"
