# The adaptive loop (Algorithm 1), two jobs an iteration: solve, and adapt, which estimates, decides and refines.


use rule timed_job as mismatch with:
    input:
        unpack(asked("far_field", **stores("far_field"))),
        **stores("structure"),
        code=code("mismatch.py"),
        bulk=bulk_store,
        certificate=potential_file("certificate.zarr/zarr.json"),
    output:
        store="results/{case}/mismatch.zarr/zarr.json",
    pathvars:
        job="{case}/mismatch",
    message:
        "Difference of both models on the sites of {wildcards.case}"


use rule qm_job as far_field with:
    input:
        unpack(asked("start", begun="results/{case}/start.zarr/zarr.json")),
        **stores("structure"),
        **qm_code("far_field.py"),
        bulk=bulk_store,
        potential=potential_file("potential.json"),
        certificate=potential_file("certificate.zarr/zarr.json"),
    output:
        store="results/{case}/far_field.zarr/zarr.json",
    pathvars:
        job="{case}/far_field",
    params:
        qm=lambda w: study.material_of(w.case).qm.spec(Path()),
        samples=lambda w: study.cases[w.case].estimate.far_field_samples,
    message:
        "Homogeneous lattices at the strains of {wildcards.case}"


# The partition comes through `ancient` and its content through a parameter: an edit of the estimator that leads to the
# same partition solves nothing again, and one that does not is noticed all the same.
use rule qm_job as solve with:
    input:
        unpack(start_of),
        **stores("structure", "operators", "mismatch"),
        **qm_code("solve.py"),
        potential=potential_file("potential.json"),
    output:
        partition="results/{case}/{k}/partition.zarr/zarr.json",
        store="results/{case}/{k}/solution.zarr/zarr.json",
    pathvars:
        job="{case}/{k}/solve",
    resources:
        **planned("solve"),
    params:
        settings=lambda w: study.cases[w.case].solve.plain(),
        embedding=lambda w: study.cases[w.case].embedding.plain(),
        partition=refined_partition,
    message:
        "Solve {wildcards.case}, iteration {wildcards.k}"


checkpoint adapt:  # `use rule` makes none
    input:
        unpack(before_of),
        **stores("structure", "operators", "mismatch"),
        **qm_code("adapt.py"),
        partition=rules.solve.output.partition,
        solution=rules.solve.output.store,
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
    resources:
        **planned("adapt"),
    params:
        qm=qm_of,
        settings=lambda w: {"case": w.case, "k": int(w.k), **study.cases[w.case].loop_settings},
        journal=JOURNAL,
    message:
        "Estimate, decide and refine {wildcards.case}, iteration {wildcards.k}"
    script:
        "../../scripts/adapt.py"


use rule job as convergence with:
    input:
        of_iterations(*rules.solve.output, *rules.adapt.output),
        # told here as well, so that it need not wait for the last iteration
        unpack(asked("reference", **stores("reference"))),
        **stores("structure"),
        code=code("convergence.py"),
    output:
        table=shown("results/{case}/convergence.csv", "Convergence", case="{case}"),
        xyz="results/{case}/relaxed.extxyz",
    pathvars:
        job="{case}/convergence",
    localrule: True
    params:
        folders=lambda w: [f"results/{w.case}/{k}" for k in iterations(w.case)],
    message:
        "Errors, convergence table and relaxed structure of {wildcards.case}"
