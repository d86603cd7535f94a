# A case as it begins. Cases with the same operators and reference take those of the first of them.
from qmfront.config.job_settings import StartSettings, StructureSettings


use rule timed_job as structure with:
    input:
        unpack(lambda w: defect_files(w.case)),
        unpack(operators_from),
        code=code("structure.py"),
        bulk=bulk_store,
    output:
        store="results/{case}/structure.zarr/zarr.json",
        xyz="results/{case}/structure.extxyz",
        operators="results/{case}/operators.zarr/zarr.json",
    pathvars:
        job="{case}/structure",
    params:
        settings=lambda w: StructureSettings.of(study, w.case).plain(),
    message:
        "Sites, predictor, first partition and operators of {wildcards.case}"


use rule timed_job as start with:
    input:
        unpack(last("structure", "partition", "solution", host=True)),
        **stores("structure", "operators"),
        code=code("start.py"),
        bulk=bulk_store,
        potential=potential_file("potential.json"),
    output:
        store="results/{case}/start.zarr/zarr.json",
        xyz="results/{case}/start.extxyz",
    pathvars:
        job="{case}/start",
    params:
        settings=lambda w: study.cases[w.case].part(StartSettings).plain(),
    message:
        "Minimum of the potential of {wildcards.case}, and its first QM region"


use rule qm_job as locality with:
    input:
        **stores("structure"),
        **qm_code("locality.py"),
    output:
        store="results/{case}/locality.zarr/zarr.json",
    pathvars:
        job="{case}/locality",
    params:
        # the reference model, without a label, and the same with other arguments that a case wants compared
        specs=lambda w: {
            label: study.material_of(w.case).qm.spec(Path(), {**study.cases[w.case].qm_kwargs, **changed})
            for label, changed in {"": {}, **study.cases[w.case].locality.alternatives}.items()
        },
        settings=lambda w: study.cases[w.case].plain("buffer", "embedding", "locality"),
    message:
        "Buffer that the QM model of {wildcards.case} needs"


use rule qm_job as reference with:
    input:
        unpack(start_of_reference),
        **stores("structure", "operators"),
        **qm_code("reference.py"),
    output:
        store="results/{case}/reference.zarr/zarr.json",
    pathvars:
        job="{case}/reference",
    wildcard_constraints:
        case="|".join(set(ORIGINS.values())),
    resources:
        **planned("reference"),
    params:
        settings=lambda w: study.cases[w.case].reference.plain(),
        embedding=lambda w: study.cases[w.case].embedding.plain(),
    message:
        "Full QM solution of {wildcards.case}"


use rule job as shared with:
    input:
        code=code("shared.py"),
        store=lambda w: f"results/{ORIGINS[w.case]}/reference.zarr/zarr.json",
    output:
        store="results/{case}/reference.zarr/zarr.json",
    pathvars:
        job="{case}/shared_reference",
    wildcard_constraints:
        case="|".join(set(study.cases) - set(ORIGINS.values())) or "(?!)",
    localrule: True
    message:
        "The reference of {wildcards.case}: equal to that of another case"
