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
    case = study.cases[w.case]
    domain = case.domain.model_dump(mode="json", exclude={"kind"})
    domain["radius_r0"] *= case.clamp.factor
    return {**case.defect.model_dump(mode="json"), **domain, **rim_of(w)}
