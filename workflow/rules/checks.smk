# The finished results are doubted once all of them are there. A failing test fails the run, in its last job, once all
# else is written.
SHOWN = {name for figure in study.figures.values() for name in getattr(figure, "potentials", ())}
POTENTIALS = sorted(SHOWN | {case.potential for case in study.cases.values()})
MATERIALS = {name: study.potentials[name].material for name in POTENTIALS}


rule table:
    input:
        code=code("table.py"),
        tables=expand("figures/{name}.csv", name=SUMMED),
    output:
        table=reported("results/comparison.csv", "Convergence", case="all, beside the paper"),
    log:
        "logs/figures/table.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        figures={
            name: study.figures[name].model_dump(mode="json", include={"kind", "window"}) for name in SUMMED
        },
    message:
        "Our numbers beside the paper's"
    script:
        "../../scripts/table.py"


rule check:
    input:
        code=code("check.py"),
        tests=sorted(str(path) for path in (ROOT / "tests" / "results").glob("*.py")),
        tables=expand("results/{case}/convergence.csv", case=study.cases),
        certificates=expand(
            "results/potentials/{potential}/certificate.zarr/zarr.json",
            potential=POTENTIALS,
        ),
        intervals=expand("results/potentials/{potential}/intervals.csv", potential=POTENTIALS),
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
        far_fields=[
            f"results/{name}/far_field.zarr/zarr.json"
            for name, case in study.cases.items()
            if case.estimate.far_field_samples
        ],
        fits=expand("results/potentials/{potential}/fit.csv", potential=POTENTIALS),
        intervals=rules.check.input.intervals,
        certificates=rules.check.input.certificates,
        comparison=["results/comparison.csv"] * bool(SUMMED),
        checks="results/checks.txt",
    output:
        page=report(
            "results/summary.html",
            caption="../report/summary.rst",
            category="Summary",
            labels={"page": "results beside the paper's, consistency, cost"},
        ),
        far_field=report(
            "results/far_field.csv",
            caption="../report/far_field.rst",
            category="Summary",
            labels={"page": "whether dW speaks for the far field"},
        ),
        resources=report(
            "results/resources.csv",
            caption="../report/resources.rst",
            category="Summary",
            labels={"page": "time and memory of every job"},
        ),
    log:
        "logs/summary.log",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        cases={
            name: case.model_dump(mode="json", include={"title", "potential"})
            for name, case in study.cases.items()
        },
        potentials=POTENTIALS,
    message:
        "Summary of all results"
    script:
        "../../scripts/summary.py"


rule verdict:
    input:
        bars(),
        wanted_figures(),
        code=code("verdict.py"),
        checks=rules.check.output.report,
        page=rules.summary.output.page,
    output:
        verdict="results/verdict.txt",
    log:
        "logs/verdict.log",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    message:
        "Whether the results pass their checks"
    script:
        "../../scripts/verdict.py"
