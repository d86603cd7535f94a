# What the jobs of divide and conquer read: paths; nothing is computed here.


def patches_of(w):
    """The patches that a division consists of."""
    jobs = study.cases[w.case].divide.jobs
    return [f"results/{w.case}/{w.k}/patches/{job}.zarr/zarr.json" for job in range(jobs)]


def residual_of(w):
    """The exact residual to compare with, where the case can afford it."""
    wanted = study.cases[w.case].reference.compute
    return {"residual": f"results/{w.case}/{w.k}/residual.zarr/zarr.json"} if wanted else {}
