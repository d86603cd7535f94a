# From the crystal of a material to a fitted potential, its certificate and its intervals.


include: "potential_inputs.smk"


use rule bulk as training with:
    input:
        unpack(reference_model),
        unpack(field_of),
        code=code("training.py"),
        bulk=bulk_store,
        scattered=scattered_jobs,
    output:
        store="results/potentials/{potential}/training.zarr/zarr.json",
    log:
        "logs/potentials/{potential}/training.log",
    benchmark:
        "results/benchmarks/potentials/{potential}/training.tsv"
    resources:
        runtime=planned("training", "runtime"),
        mem_mb=planned("training", "mem_mb"),
        qm_time_limit_ms=qm_time_limit_ms,
        qm_retries=qm_retries,
    params:
        script="training",
        settings=training_sections,
    message:
        "Observations of the reference model for {wildcards.potential}"


use rule training as scatter with:
    input:
        unpack(reference_model),
        unpack(field_of),
        code=code("training.py"),
        bulk=bulk_store,
    output:
        table="results/potentials/{potential}/shares/{number}.json",
    log:
        "logs/potentials/{potential}/share_{number}.log",
    benchmark:
        "results/benchmarks/potentials/{potential}/share_{number}.tsv"
    wildcard_constraints:
        number=r"\d+",
    resources:
        qm_time_limit_ms=qm_time_limit_ms,
        qm_retries=qm_retries,
    params:
        total=lambda w: study.potentials[w.potential].jobs,
    message:
        "QM calls for {wildcards.potential}, part {wildcards.number}"


rule potential:
    input:
        code=code("potential.py"),
        bulk=bulk_store,
        training=rules.training.output.store,
        surfaces=surface_stores,
    output:
        potential="results/potentials/{potential}/potential.json",
        table="results/potentials/{potential}/fit.csv",
        certificate="results/potentials/{potential}/certificate.zarr/zarr.json",
        uncertainty="results/potentials/{potential}/uncertainty.zarr/zarr.json",
    log:
        "logs/potentials/{potential}/potential.log",
    benchmark:
        "results/benchmarks/potentials/{potential}/potential.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        settings=fit_sections,
    message:
        "Fit of the ACE potential {wildcards.potential}"
    script:
        "../../scripts/potential.py"


use rule bulk as intervals with:
    input:
        unpack(reference_model),
        code=code("intervals.py"),
        bulk=bulk_store,
        training=rules.training.output.store,
        potential=rules.potential.output.potential,
        uncertainty=rules.potential.output.uncertainty,
    output:
        table=report(
            "results/potentials/{potential}/intervals.csv",
            caption="../report/intervals.rst",
            category="Potentials",
            labels={"potential": "{potential}", "table": "how sure the fit is"},
        ),
    log:
        "logs/potentials/{potential}/intervals.log",
    benchmark:
        "results/benchmarks/potentials/{potential}/intervals.tsv"
    params:
        script="intervals",
        settings=held_out_cells,
    message:
        "How sure the fit of {wildcards.potential} is"
