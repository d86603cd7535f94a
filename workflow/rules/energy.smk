# The energy of the last iteration by virtual work: 16 QM calls, made only for cases that ask for it.


rule energy:
    input:
        unpack(far_field_of),
        code=code("energy.py"),
        qm_code=lambda w: qm_code(material_of(w)),
        qm_files=lambda w: qm_files(material_of(w)),
        structure="results/{case}/structure.zarr/zarr.json",
        operators="results/{case}/operators.zarr/zarr.json",
        partition=last("partition.zarr/zarr.json"),
        solution=last("solution.zarr/zarr.json"),
        bulk=bulk_store,
        potential=potential_file("potential.json"),
        certificate=potential_file("certificate.zarr/zarr.json"),
    output:
        table="results/{case}/energy.json",
    log:
        "logs/{case}/energy.log",
    benchmark:
        "results/benchmarks/{case}/energy.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        qm_time_limit_ms=qm_time_limit_ms,
        qm_retries=qm_retries,
    params:
        qm=qm_of_case,
        settings=residual_settings,
        journal=JOURNAL,
    message:
        "Energy of {wildcards.case} by virtual work"
    script:
        "../../scripts/energy.py"
