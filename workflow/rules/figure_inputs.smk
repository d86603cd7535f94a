# What the rules of figures read: paths and labels as strings; nothing is computed here.
from snakemake.exceptions import WorkflowError

from qmfront.config.figures import NEED_ERRORS
from qmfront.config.labels import labels_of, potential_label

SUMMED = [name for name, figure in study.figures.items() if isinstance(figure, NEED_ERRORS)]


def named(kind):
    """Regular expression of the names of the figures of a kind."""
    return "|".join(name for name, figure in study.figures.items() if figure.kind == kind) or "(?!)"


def figure_file(kind, suffix):
    """Picture or table of the figures of a kind, for the report."""
    return report(
        f"figures/{{figure}}.{suffix}",
        caption=f"../report/draw_{kind}.rst",
        category="Figures",
        labels={"figure": "{figure}", "kind": kind, "type": {"png": "picture", "csv": "table"}[suffix]},
    )


def setting(name):
    """A function that gives one key of the figure in the wildcards."""
    return lambda w: study.figures[w.figure].model_dump(mode="json")[name]


def caption_of(w):
    """Text of workflow/report/{figure}.rst, which the report shows in place of the caption of the kind."""
    path = ROOT / "workflow" / "report" / f"{w.figure}.rst"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def case_of(w):
    """The case that a figure shows."""
    return study.cases[study.figures[w.figure].case]


def title_of(w):
    """Title of the case that a figure shows."""
    return case_of(w).title


def defect_of(w):
    """Kind of the defect that a figure shows, and its Burgers vector if it has one."""
    return case_of(w).defect.model_dump(mode="json", include={"kind", "burgers"})


def labels_of_figure(w):
    """What a figure calls its cases."""
    return labels_of(study.figures[w.figure], study)


def labels_of_potentials(w):
    """What a figure calls its potentials."""
    return [potential_label(name, study) for name in study.figures[w.figure].potentials]


def store_of(case, k, name):
    """A store of one iteration."""
    return f"results/{case}/{k}/{name}.zarr/zarr.json"


def structure_of_figure(w):
    """Structure of the case that a figure shows."""
    return f"results/{study.figures[w.figure].case}/structure.zarr/zarr.json"


def files_of_snapshot(w):
    """The stores of the iteration that a figure shows."""
    figure = study.figures[w.figure]
    return {name: store_of(figure.case, iteration_of(figure), name) for name in ("partition", "solution")}


def files_of_refinement(w):
    """The stores before and after the refinement that a figure shows; the last one is k - 1."""
    figure = study.figures[w.figure]
    n_refined = len(iterations(figure.case)) - 1
    if n_refined == 0:
        raise WorkflowError(
            f"figures.{w.figure} shows a refinement, but {figure.case!r} stopped at its first iteration. "
            "Allow more iterations in its section adapt, or choose null to draw no figure."
        )
    k = min(iteration_of(figure), n_refined - 1)
    now = {name: store_of(figure.case, k, name) for name in ("partition", "estimate")}
    return {**now, "refined": store_of(figure.case, k + 1, "partition")}


def partitions_of_figure(w):
    """The partitions of all iterations of the case that a figure shows."""
    case = study.figures[w.figure].case
    return [store_of(case, k, "partition") for k in iterations(case)]


def tables_of_figure(w):
    """Convergence tables of the cases that a figure shows."""
    return [f"results/{case}/convergence.csv" for case in study.figures[w.figure].cases]


def clamp_of_figure(w):
    """The clamp errors of the cases that a figure shows, of those that have one."""
    asked = [case for case in study.figures[w.figure].cases if study.cases[case].clamp.factor]
    return [f"results/{case}/clamp.json" for case in asked]


def certificates_of_figure(w):
    """Certificates of the potentials that a figure shows."""
    names = study.figures[w.figure].potentials
    return [f"results/potentials/{name}/certificate.zarr/zarr.json" for name in names]


def bulks_of_figure(w):
    """Bulk stores of the materials of the potentials that a figure shows."""
    names = study.figures[w.figure].potentials
    return [f"results/bulk/{study.potentials[name].material}.zarr/zarr.json" for name in names]
