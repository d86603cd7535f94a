# The finished results are doubted once all of them are there: a failing test fails the workflow.
SHOWN = {name for figure in study.figures.values() for name in getattr(figure, "potentials", ())}
POTENTIALS = sorted(SHOWN | {case.potential for case in study.cases.values()})
MATERIALS = {name: study.potentials[name].material for name in POTENTIALS}


rule check:
    input:
        code=code("check.py"),
        tests=sorted(str(path) for path in (ROOT / "tests" / "results").glob("*.py")),
        tables=expand("results/{case}/convergence.csv", case=study.cases),
        certificates=expand(
            "results/potentials/{potential}/certificate.zarr/zarr.json",
            potential=POTENTIALS,
        ),
        bulks=expand(
            "results/bulk/{material}.zarr/zarr.json",
            material=sorted(set(MATERIALS.values())),
        ),
    output:
        report="results/checks.txt",
    log:
        "logs/check.log",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        study={
            "cases": {
                name: case.model_dump(mode="json", include={"potential", "reference", "buffer", "solve"})
                for name, case in study.cases.items()
            },
            "potentials": MATERIALS,
        },
    message:
        "Tests of the finished results"
    script:
        "../../scripts/check.py"


rule summary:
    input:
        code=code("summary.py"),
        tables=expand("results/{case}/convergence.csv", case=study.cases),
        references=[
            f"results/{name}/reference.zarr/zarr.json"
            for name, case in study.cases.items()
            if case.reference.compute
        ],
        fits=expand("results/potentials/{potential}/fit.csv", potential=POTENTIALS),
        comparison=["results/comparison.csv"] * bool(SUMMED),
        checks="results/checks.txt",
    output:
        page=report(
            "results/summary.html",
            caption="../report/summary.rst",
            category="Summary",
            labels={"page": "results beside the paper's, consistency, cost"},
        ),
    log:
        "logs/summary.log",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        titles={name: case.title for name, case in study.cases.items()},
        potentials=POTENTIALS,
    message:
        "Summary of all results"
    script:
        "../../scripts/summary.py"
