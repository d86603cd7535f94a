# The perfect crystal of a reference model and its free surfaces.
from qmfront.config.job_settings import BulkSettings, SurfaceSettings


use rule qm_job as bulk with:
    input:
        **qm_code("bulk.py"),
        preflight="results/preflight/{material}.json",
    output:
        store="results/bulk/{material}.zarr/zarr.json",
    pathvars:
        job="bulk/{material}",
    params:
        settings=lambda w: BulkSettings.of(study.materials[w.material]).plain(),
    message:
        "Perfect crystal of {wildcards.material}: lattice constant, moduli, force constants"


use rule qm_job as surface with:
    input:
        **qm_code("surface.py"),
        bulk=rules.bulk.output.store,
    output:
        store="results/surfaces/{material}_{plane}.zarr/zarr.json",
    pathvars:
        job="surfaces/{material}_{plane}",
    params:
        settings=lambda w: SurfaceSettings.of(study.materials[w.material], w.plane).plain(),
    message:
        "Free surface {wildcards.plane} of {wildcards.material}"
