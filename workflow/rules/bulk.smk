# The perfect crystal of a reference model and its free surfaces. Other stages that call the reference model of a
# material are made from `bulk`: the script that their parameters name, time limit and retries of a call.
from qmfront.config.material import Probe


rule bulk:
    input:
        unpack(reference_model),
        code=code("bulk.py"),
        preflight="results/preflight/{material}.json",
    output:
        store="results/bulk/{material}.zarr/zarr.json",
    log:
        "logs/bulk/{material}.log",
    benchmark:
        "results/benchmarks/bulk/{material}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        qm_time_limit_ms=qm_time_limit_ms,
        qm_retries=qm_retries,
    params:
        script="bulk",
        qm=lambda w: qm_spec(material_of(w)),
        journal=JOURNAL,
        settings=lambda w: {
            "crystal": plain(study.materials[w.material].crystal),
            "probe": plain(study.materials[w.material], Probe),
        },
    message:
        "Perfect crystal of {wildcards.material}: lattice constant, moduli, force constants"
    script:
        "../../scripts/{params.script}.py"


use rule bulk as surface with:
    input:
        unpack(reference_model),
        code=code("surface.py"),
        bulk=rules.bulk.output.store,
    output:
        store="results/surfaces/{material}_{plane}.zarr/zarr.json",
    log:
        "logs/surfaces/{material}_{plane}.log",
    benchmark:
        "results/benchmarks/surfaces/{material}_{plane}.tsv"
    wildcard_constraints:
        plane=r"-?\d+_-?\d+_-?\d+",
    params:
        script="surface",
        settings=lambda w: {
            "plane": [int(index) for index in w.plane.split("_")],
            "slab": plain(study.materials[w.material].surface),
            "displacement": study.materials[w.material].force_constants.displacement,
        },
    message:
        "Free surface {wildcards.plane} of {wildcards.material}"
