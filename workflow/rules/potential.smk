# From the crystal of a material to a fitted potential, its certificate and its intervals.
from qmfront.config.job_settings import FitSettings, TrainingSettings


use rule qm_job as training with:
    input:
        unpack(lambda w: defect_files(study.field_of(w.potential))),
        **qm_code("training.py"),
        bulk=bulk_store,
        scattered=lambda w: [
            f"results/potentials/{w.potential}/shares/{number}.json"
            for number in (study.potentials[w.potential].parts if not hasattr(w, "number") else ())
        ],
    output:
        store="results/potentials/{potential}/training.zarr/zarr.json",
    pathvars:
        job="potentials/{potential}/training",
    resources:
        **planned("training"),
    params:
        settings=lambda w: TrainingSettings.of(study, w.potential).plain(),
    message:
        "Observations of the reference model for {wildcards.potential}"


use rule training as scatter with:
    output:
        table="results/potentials/{potential}/shares/{number}.json",
    pathvars:
        job="potentials/{potential}/share_{number}",
    resources:
        **QM_CALLS,
    params:
        total=lambda w: study.potentials[w.potential].jobs,
    message:
        "QM calls for {wildcards.potential}, part {wildcards.number}"


use rule timed_job as potential with:
    input:
        code=code("potential.py"),
        bulk=bulk_store,
        training=rules.training.output.store,
        surfaces=lambda w: [
            surface_store(material_of(w), name)
            for name in getattr(study.potentials[w.potential].surfaces, "names", [])
        ],
    output:
        potential="results/potentials/{potential}/potential.json",
        table="results/potentials/{potential}/fit.csv",
        certificate="results/potentials/{potential}/certificate.zarr/zarr.json",
        uncertainty="results/potentials/{potential}/uncertainty.zarr/zarr.json",
    pathvars:
        job="potentials/{potential}/potential",
    params:
        settings=lambda w: FitSettings.of(study, w.potential).plain(),
    message:
        "Fit of the ACE potential {wildcards.potential}"


use rule qm_job as intervals with:
    input:
        **qm_code("intervals.py"),
        bulk=bulk_store,
        training=rules.training.output.store,
        potential=rules.potential.output.potential,
        uncertainty=rules.potential.output.uncertainty,
    output:
        table=shown(
            "results/potentials/{potential}/intervals.csv",
            "Potentials",
            potential="{potential}",
            table="how sure the fit is",
        ),
    pathvars:
        job="potentials/{potential}/intervals",
    params:
        settings=lambda w: study.potentials[w.potential].plain("held_out")["held_out"],
    message:
        "How sure the fit of {wildcards.potential} is"
