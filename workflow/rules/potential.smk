rule share:
    input:
        unpack(field_of),
        code=code("share.py"),
        qm_code=lambda w: qm_code(material_of(w)),
        qm_files=lambda w: qm_files(material_of(w)),
        bulk=bulk_store,
    output:
        table="results/potentials/{potential}/shares/{share}.json",
    log:
        "logs/potentials/{potential}/share_{share}.log",
    benchmark:
        "results/benchmarks/potentials/{potential}/share_{share}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        qm_time_limit_ms=qm_time_limit_ms,
        qm_retries=qm_retries,
    params:
        qm=lambda w: qm_spec(material_of(w)),
        total=lambda w: study.potentials[w.potential].jobs,
        lattice=lattice_sampling,
        others=beside_lattice,
        journal=JOURNAL,
    message:
        "QM calls for {wildcards.potential}, share {wildcards.share}"
    script:
        "../../scripts/share.py"


rule training:
    input:
        unpack(field_of),
        code=code("training.py"),
        qm_code=lambda w: qm_code(material_of(w)),
        qm_files=lambda w: qm_files(material_of(w)),
        bulk=bulk_store,
        shares=shares,
    output:
        store="results/potentials/{potential}/training.zarr/zarr.json",
    log:
        "logs/potentials/{potential}/training.log",
    benchmark:
        "results/benchmarks/potentials/{potential}/training.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        runtime=planned("training", "runtime"),
        mem_mb=planned("training", "mem_mb"),
        qm_time_limit_ms=qm_time_limit_ms,
        qm_retries=qm_retries,
    params:
        qm=lambda w: qm_spec(material_of(w)),
        lattice=lattice_sampling,
        others=beside_lattice,
        journal=JOURNAL,
    message:
        "Observations of the reference model for {wildcards.potential}"
    script:
        "../../scripts/training.py"


rule potential:
    input:
        code=code("potential.py"),
        bulk=bulk_store,
        training="results/potentials/{potential}/training.zarr/zarr.json",
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
        basis=basis_of,
        settings=lambda w: study.potentials[w.potential].model_dump(
            mode="json", include={"matching", "weights", "regression"}
        ),
        steps=lambda w: {
            "strain": study.potentials[w.potential].strain_step,
            "surface": surface_settings(material_of(w)),
            **study.materials[material_of(w)].force_constants.model_dump(mode="json"),
        },
    message:
        "Fit of the ACE potential {wildcards.potential}"
    script:
        "../../scripts/potential.py"


rule intervals:
    input:
        code=code("intervals.py"),
        qm_code=lambda w: qm_code(material_of(w)),
        qm_files=lambda w: qm_files(material_of(w)),
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
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        qm_time_limit_ms=qm_time_limit_ms,
        qm_retries=qm_retries,
    params:
        qm=lambda w: qm_spec(material_of(w)),
        held_out=held_out_sampling,
        journal=JOURNAL,
    message:
        "How sure the fit of {wildcards.potential} is"
    script:
        "../../scripts/intervals.py"
