# One rule and one script per kind of figure; what a figure shows stands under its name in the configuration.
from snakemake.exceptions import WorkflowError

from qmfront.config.figures import NEED_ERRORS
from qmfront.config.labels import labels_of

SUMMED = [name for name, figure in study.figures.items() if isinstance(figure, NEED_ERRORS)]


def wanted_figures():
    """The figures that the configuration asks for, and the table that sums up those with errors."""
    return [f"figures/{name}.png" for name in study.figures] + ["results/comparison.csv"] * bool(SUMMED)


def named(kind):
    """Regular expression of the names of the figures of a kind."""
    return "|".join(name for name, figure in study.figures.items() if figure.kind == kind) or "(?!)"


def figure_file(kind, suffix):
    """Picture or table of the figures of a kind, for the report."""
    labels = {"figure": "{figure}", "kind": kind, "type": {"png": "picture", "csv": "table"}[suffix]}
    return reported(f"figures/{{figure}}.{suffix}", "Figures", f"draw_{kind}", **labels)


def shown(name, path, wanted=lambda case: True):
    """A function that gives, under a name, a file of each case that a figure shows, of those that are wanted."""

    def files(w):
        cases = study.figures[w.figure].cases
        return {name: [f"results/{case}/{path}" for case in cases if wanted(study.cases[case])]}

    return files


def case_file(name):
    """A function that gives a store of the case that a figure shows."""
    return lambda w: {name: f"results/{study.figures[w.figure].case}/{name}.zarr/zarr.json"}


def store_of(case, k, name):
    """A store of one iteration."""
    return f"results/{case}/{k}/{name}.zarr/zarr.json"


def snapshot(w):
    """The stores of the iteration that a figure shows."""
    figure = study.figures[w.figure]
    k = figure.nearest(len(iterations(figure.case)))
    return {name: store_of(figure.case, k, name) for name in ("partition", "solution")}


def refinement(w):
    """The stores before and after the refinement that a figure shows; the last one is k - 1."""
    figure = study.figures[w.figure]
    n_refined = len(iterations(figure.case)) - 1
    if n_refined == 0:
        raise WorkflowError(
            f"figures.{w.figure} shows a refinement, but {figure.case!r} stopped at its first iteration. "
            "Allow more iterations in its section adapt, or choose null to draw no figure."
        )
    k = min(figure.nearest(n_refined + 1), n_refined - 1)
    now = {name: store_of(figure.case, k, name) for name in ("partition", "estimate")}
    return {**now, "refined": store_of(figure.case, k + 1, "partition")}


def partitions(w):
    """The partitions of all iterations of the case that a figure shows."""
    case = study.figures[w.figure].case
    return {"partitions": [store_of(case, k, "partition") for k in iterations(case)]}


def certificates(w):
    """Certificates of the potentials that a figure shows, and the bulk stores of their materials."""
    names = study.figures[w.figure].potentials
    materials = [study.potentials[name].material for name in names]
    return {
        "certificates": expand("results/potentials/{name}/certificate.zarr/zarr.json", name=names),
        "bulks": expand("results/bulk/{material}.zarr/zarr.json", material=materials),
    }


def caption_of(w):
    """Text of workflow/report/{figure}.rst, which the report shows in place of the caption of the kind."""
    path = ROOT / "workflow" / "report" / f"{w.figure}.rst"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


# What a script is told beside the keys of its figure.
TOLD = {
    "title": lambda figure: study.cases[figure.case].title,
    "labels": lambda figure: labels_of(figure, study),
    "defect": lambda figure: plain(study.cases[figure.case].defect, {"kind", "burgers"}),
    "t_buf": lambda figure: study.cases[figure.case].refine.t_buf,
    "estimate": lambda figure: plain(study.cases[figure.case].estimate, {"norm", "residual"}),
}


def told(name):
    """A function that gives one parameter of the script of a figure."""
    of_figure = TOLD.get(name, lambda figure: plain(figure)[name])
    return lambda w: of_figure(study.figures[w.figure])


structure, locality = case_file("structure"), case_file("locality")
tables, divisions = shown("tables", "convergence.csv"), shown("divisions", "0/divided.json")
clamps = shown("clamp", "clamp.json", lambda case: case.clamp.factor)
curves = [tables], ["labels", "slope", "window"]

# A kind of figure: what it shows, the files that its script reads, and what it is told.
KINDS = {
    "decomposition": (
        "decomposition into QM, buffer, MM and far field",
        [snapshot, structure],
        ["title", "defect"],
    ),
    "speed": ("local estimator and speed", [refinement, structure], ["title"]),
    "front": ("interfaces before and after Mark and refine", [refinement, structure], ["title", "t_buf"]),
    "stages": ("partitions at several iterations", [partitions, structure], ["title", "defect", "n_qm"]),
    "convergence": ("error and estimators against N_QM", *curves),
    "errors": ("errors of several cases", *curves),
    "estimates": ("practical estimator against N_QM", *curves),
    "efficiency": ("N_QM at equal error", *curves),
    "effectivity": ("effectivity of every norm and residual", [tables], ["title", "band", "estimate"]),
    "bars": ("the error bar, cause by cause", [tables, clamps], ["title"]),
    "locality": ("force error against the width of the buffer", [locality], ["title"]),
    "cost": ("processor time of every part", [tables], ["title"]),
    "certificate": ("consistency of the MM potentials with the QM model", [certificates], ["labels"]),
    "scaling": ("cost and error of divide and conquer", [divisions], []),
}

for kind, (content, files, parameters) in KINDS.items():

    rule:
        name:
            f"draw_{kind}"
        input:
            *map(unpack, files),
            code=code(f"draw_{kind}.py"),
        output:
            png=figure_file(kind, "png"),
            csv=figure_file(kind, "csv"),
            pdf="figures/{figure}.pdf",
        log:
            "logs/figures/{figure}.log",
        wildcard_constraints:
            figure=named(kind),
        localrule: True
        conda:
            "../../envs/environment.yaml"
        threads: 1
        params:
            **{name: told(name) for name in parameters},
            script=f"draw_{kind}",
            caption=caption_of,
        message:
            f"{{wildcards.figure}}: {content}"
        script:
            "../../scripts/{params.script}.py"


# Every figure is a target by its name.
for figure in study.figures:

    rule:
        name:
            figure
        input:
            f"figures/{figure}.png",
