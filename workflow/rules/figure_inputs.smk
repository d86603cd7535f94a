# What the rules of figures read: paths and labels as strings; nothing is computed here.
from snakemake.exceptions import WorkflowError

MATCHING_LABELS = (
    "matching 0, force constants",
    "matching 1, the paper's observations",
    "matching 2, and higher derivatives",
)


def figure_file(name, suffix, text):
    """Picture or table of a figure for the report."""
    return report(
        f"figures/{name}.{suffix}",
        caption=f"../report/{name}.rst",
        category="Figures",
        labels={"figure": text, "type": {"png": "picture", "csv": "table"}[suffix]},
    )


def store_of(case, k, name):
    """A store of one iteration."""
    return f"results/{case}/{k}/{name}.zarr/zarr.json"


def files_of_snapshot(figure):
    """A function that gives the stores of the iteration that a figure shows."""

    def files(w):
        snapshot = getattr(study.figures, figure)
        k = iteration_of(snapshot)
        return {name: store_of(snapshot.case, k, name) for name in ("partition", "solution")}

    return files


def files_of_refinement(figure):
    """A function that gives the stores before and after the refinement that a figure shows; the last one is k - 1."""
    snapshot = getattr(study.figures, figure)
    if study.cases[snapshot.case].refine.method == "circle":
        raise WorkflowError(
            f"figures.{figure} shows a front, but refine.method of {snapshot.case!r} is circle, which has none. "
            "Choose a case with fast_marching, or null to draw no figure."
        )

    def files(w):
        n_refined = len(iterations(snapshot.case)) - 1
        if n_refined == 0:
            raise WorkflowError(
                f"figures.{figure} shows a refinement, but {snapshot.case!r} stopped at its first iteration. "
                "Allow more iterations in its section adapt, or choose null to draw no figure."
            )
        k = min(iteration_of(snapshot), n_refined - 1)
        now = {name: store_of(snapshot.case, k, name) for name in ("partition", "estimate")}
        return {**now, "refined": store_of(snapshot.case, k + 1, "partition")}

    return files


def structure_of(figure):
    """Structure of the case that a figure shows."""
    return f"results/{getattr(study.figures, figure).case}/structure.zarr/zarr.json"


def convergence_of(figure):
    """Convergence tables of the cases that a figure shows."""
    return [f"results/{case}/convergence.csv" for case in cases_of_figure(study.figures, figure)]


def titles_of(figure):
    """Titles of the cases that a figure shows."""
    return [study.cases[case].title for case in cases_of_figure(study.figures, figure)]


def growth_label(case):
    """What a case is called beside circles."""
    chosen = study.cases[case]
    return chosen.title if chosen.refine.method == "circle" else f"adaptive, {chosen.title}"


def potential_label(name):
    """What a potential is called: its name, observations and regression."""
    chosen = study.potentials[name]
    return f"{name} ({MATCHING_LABELS[chosen.matching]}; {chosen.regression.method})"


def drawn(*names):
    """Those of some figures that the configuration asks for."""
    return [name for name in names if getattr(study.figures, name) is not None]
