# Targets: every stage for all cases of the study (`make reference`, `snakemake --cores 2 all_reference`), every figure.
STAGES = {
    "preflight": expand(rules.preflight.output.page, material=study.materials),
    "bulk": expand(rules.bulk.output.store, material=study.materials),
    "surface": sorted(filter(None, {defect_files(case).get("surface") for case in study.cases})),
    "training": expand(rules.training.output.store, potential=study.potentials),
    "potential": expand(rules.potential.output.potential, potential=study.potentials),
    "intervals": expand(rules.intervals.output.table, potential=study.potentials),
    "structure": expand(rules.structure.output.store, case=study.cases),
    "operators": expand(rules.structure.output.operators, case=study.cases),
    "start": expand(rules.start.output.store, case=study.asking("start")),
    "mismatch": expand(rules.mismatch.output.store, case=study.cases),
    "locality": expand(rules.locality.output.store, case=study.asking("locality")),
    "far_field": expand(rules.far_field.output.store, case=study.asking("far_field")),
    "reference": expand(rules.reference.output.store, case=study.asking("reference")),
    # a function for each case: Snakemake follows their loops side by side
    "solve": [of_iterations(rules.solve.output.store, case=case) for case in study.cases],
    "adapt": [of_iterations(rules.adapt.output.decision, case=case) for case in study.cases],
    "convergence": expand(rules.convergence.output.table, case=study.cases),
    "energy": expand(rules.energy.output.table, case=study.asking("energy")),
    "clamp": expand(rules.clamp.output.table, case=study.asking("clamp")),
    "figures": expand("figures/{name}.png", name=study.figures) + [rules.table.output.table] * bool(SUMMED),
}

TARGETS = {f"all_{stage}": files for stage, files in STAGES.items()}
TARGETS |= {name: f"figures/{name}.png" for name in study.figures}
TARGETS["plans"] = expand(rules.plan.output.page, case=study.cases)

for target, files in TARGETS.items():

    rule:
        name:
            target
        input:
            files,
        localrule: True
