# What a case may ask for at the end: its energy by virtual work, the error of its clamp, QM forces tile by tile.


use rule qm_job as energy with:
    input:
        unpack(last("partition", "solution", "residual", "estimate")),
        unpack(last("structure", "partition", "solution", "residual", "estimate", host=True)),
        **stores("structure", "operators", "mismatch"),
        **qm_code("energy.py"),
        bulk=bulk_store,
        potential=potential_file("potential.json"),
    output:
        table="results/{case}/energy.json",
    pathvars:
        job="{case}/energy",
    params:
        settings=lambda w: study.cases[w.case].plain("energy", "estimate", "buffer", "embedding"),
    message:
        "Energy of {wildcards.case} by virtual work"


use rule timed_job as clamp with:
    input:
        unpack(last("solution")),
        unpack(lambda w: defect_files(w.case)),
        **stores("structure"),
        code=code("clamp.py"),
        bulk=bulk_store,
        potential=potential_file("potential.json"),
    output:
        table="results/{case}/clamp.json",
    pathvars:
        job="{case}/clamp",
    params:
        described=lambda w: study.described(w.case).enlarged(study.cases[w.case].clamp.factor).plain(),
        factor=lambda w: study.cases[w.case].clamp.factor,
        reach=lambda w: study.material_of(w.case).force_constants.reach,
        laplacian=lambda w: study.cases[w.case].estimate.laplacian.plain(),
    message:
        "Error of the clamp of {wildcards.case}"


use rule job as tiles with:
    input:
        **stores("structure"),
        code=code("tiles.py"),
    output:
        store="results/{case}/{k}/tiles.zarr/zarr.json",
    pathvars:
        job="{case}/{k}/tiles",
    localrule: True
    params:
        settings=lambda w: study.cases[w.case].divide.model_dump(mode="json", exclude={"box_cells"}),
    message:
        "Tiles of {wildcards.case}"


use rule qm_job as patch with:
    input:
        **stores("structure"),
        **qm_code("patch.py"),
        solution=rules.solve.output.store,
        tiles=rules.tiles.output.store,
    output:
        store="results/{case}/{k}/patches/{number}.zarr/zarr.json",
    pathvars:
        job="{case}/{k}/patches/{number}",
    params:
        box_cells=lambda w: study.cases[w.case].divide.box_cells,
    message:
        "QM forces on tiles of {wildcards.case}, iteration {wildcards.k}, job {wildcards.number}"


use rule job as gather with:
    input:
        # the exact residual to compare with, where the case can afford it
        unpack(asked("reference", residual="results/{case}/{k}/residual.zarr/zarr.json")),
        **stores("structure"),
        code=code("gather.py"),
        tiles=rules.tiles.output.store,
        patches=lambda w: [
            f"results/{w.case}/{w.k}/patches/{number}.zarr/zarr.json"
            for number in range(study.cases[w.case].divide.jobs)
        ],
    output:
        store="results/{case}/{k}/divided.zarr/zarr.json",
        summary="results/{case}/{k}/divided.json",
    pathvars:
        job="{case}/{k}/gather",
    localrule: True
    message:
        "QM forces of {wildcards.case} from tiles, iteration {wildcards.k}"
