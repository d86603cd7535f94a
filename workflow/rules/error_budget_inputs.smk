# What is told of a finished case beside its estimator, as strings and plain values.


def bars():
    """Energies and clamp errors of the cases that ask for them."""
    asked = {
        "energy": lambda case: case.energy.compute,
        "clamp": lambda case: case.clamp.factor is not None,
    }
    return [
        f"results/{name}/{what}.json"
        for name, case in study.cases.items()
        for what, wanted in asked.items()
        if wanted(case)
    ]


def larger_defect(w):
    """The defect of a case on the larger domain of its clamp error."""
    described = described_defect(w)
    described["domain"]["radius_r0"] *= study.cases[w.case].clamp.factor
    return described
