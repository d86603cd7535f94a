# The finished results are doubted. A failing test fails the run, in its last job, once all else is written.
SHOWN = {name for figure in study.figures.values() for name in getattr(figure, "potentials", ())}
POTENTIALS = sorted(SHOWN | {case.potential for case in study.cases.values()})
MATERIALS = {name: study.potentials[name].material for name in POTENTIALS}


use rule job as table with:
    input:
        code=code("table.py"),
        tables=expand("figures/{name}.csv", name=SUMMED),
    output:
        table=shown("results/comparison.csv", "Convergence", case="all, beside the paper"),
    pathvars:
        job="figures/table",
    localrule: True
    params:
        figures={name: study.figures[name].plain("kind", "window") for name in SUMMED},
    message:
        "Our numbers beside the paper's"


use rule job as check with:
    input:
        code=code("check.py"),
        tests=sorted(str(path) for path in (ROOT / "tests" / "results").glob("*.py")),
        tables=expand(rules.convergence.output.table, case=study.cases),
        certificates=expand(rules.potential.output.certificate, potential=POTENTIALS),
        intervals=expand(rules.intervals.output.table, potential=POTENTIALS),
        bulks=expand(rules.bulk.output.store, material=sorted(set(MATERIALS.values()))),
    output:
        report="results/checks.txt",
    pathvars:
        job="check",
    localrule: True
    params:
        cases={n: case.plain("potential", "reference", "buffer", "solve") for n, case in study.cases.items()},
        potentials=MATERIALS,
    message:
        "Tests of the finished results"


use rule job as summary with:
    input:
        code=code("summary.py"),
        tables=rules.check.input.tables,
        references=expand(rules.reference.output.store, case=study.asking("reference")),
        far_fields=expand(rules.far_field.output.store, case=study.asking("far_field")),
        fits=expand(rules.potential.output.table, potential=POTENTIALS),
        potentials=[*rules.check.input.intervals, *rules.check.input.certificates],
        bulks=rules.check.input.bulks,
        comparison=[rules.table.output.table] * bool(SUMMED),
        checks=rules.check.output.report,
    output:
        page=shown("results/summary.html", "Summary", page="the answer, its structures, its error, its cost"),
        far_field=shown("results/far_field.csv", "Summary", page="whether dW speaks for the far field"),
        resources=shown("results/resources.csv", "Summary", page="time and memory of every job"),
    pathvars:
        job="summary",
    localrule: True
    params:
        cases={name: case.plain("title", "potential") for name, case in study.cases.items()},
        materials=MATERIALS,
    message:
        "Summary of all results"


use rule job as verdict with:
    input:
        expand(rules.energy.output.table, case=study.asking("energy")),
        expand(rules.clamp.output.table, case=study.asking("clamp")),
        expand("figures/{name}.png", name=study.figures),
        code=code("verdict.py"),
        checks=rules.check.output.report,
        page=rules.summary.output.page,
    output:
        verdict="results/verdict.txt",
    pathvars:
        job="verdict",
    localrule: True
    message:
        "Whether the results pass their checks"
