# Every stage is a target for all cases of the study: `make reference`, `snakemake --cores 2 all_reference`.
from functools import partial
from types import SimpleNamespace


def asking(wanted):
    """Cases of which something is true."""
    return [name for name, case in study.cases.items() if wanted(case)]


def surfaces():
    """Surfaces of the crack planes of all cases."""
    found = (surface_of(SimpleNamespace(case=case)).get("surface") for case in study.cases)
    return sorted({surface for surface in found if surface})


def of_iterations(name):
    """A file of all iterations, by a function for each case: Snakemake follows their loops side by side."""
    return [partial(of_iterations_of, case=case, name=name) for case in study.cases]


def of_iterations_of(w, case, name):
    return [f"results/{case}/{k}/{name}" for k in iterations(case)]


STAGES = {
    "preflight": expand("results/preflight/{material}.md", material=study.materials),
    "bulk": expand("results/bulk/{material}.zarr/zarr.json", material=study.materials),
    "surface": surfaces(),
    "training": expand("results/potentials/{potential}/training.zarr/zarr.json", potential=study.potentials),
    "potential": expand("results/potentials/{potential}/potential.json", potential=study.potentials),
    "intervals": expand("results/potentials/{potential}/intervals.csv", potential=study.potentials),
    "structure": expand("results/{case}/structure.zarr/zarr.json", case=study.cases),
    "operators": expand("results/{case}/operators.zarr/zarr.json", case=study.cases),
    "start": expand("results/{case}/start.zarr/zarr.json", case=asking(lambda case: case.start.relax)),
    "mismatch": expand("results/{case}/mismatch.zarr/zarr.json", case=study.cases),
    "locality": expand(
        "results/{case}/locality.zarr/zarr.json", case=asking(lambda case: case.locality.widths)
    ),
    "far_field": expand(
        "results/{case}/far_field.zarr/zarr.json", case=asking(lambda case: case.estimate.far_field_samples)
    ),
    "reference": expand(
        "results/{case}/reference.zarr/zarr.json", case=asking(lambda case: case.reference.compute)
    ),
    "solve": of_iterations("solution.zarr/zarr.json"),
    "adapt": of_iterations("decision.json"),
    "convergence": expand("results/{case}/convergence.csv", case=study.cases),
    "energy": expand("results/{case}/energy.json", case=asking(lambda case: case.energy.compute)),
    "clamp": expand("results/{case}/clamp.json", case=asking(lambda case: case.clamp.factor is not None)),
    "figures": wanted_figures(),
}

for stage in STAGES:

    rule:
        name:
            f"all_{stage}"
        input:
            STAGES[stage],
