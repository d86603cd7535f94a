# One rule and one script per kind of figure; what a figure shows stands under its name in the configuration.
from qmfront.config.figures import NEED_ERRORS
from qmfront.config.labels import labels_of

SUMMED = [name for name, figure in study.figures.items() if isinstance(figure, NEED_ERRORS)]


def of_case(name):
    """A function that gives a store of the case that a figure shows."""
    return lambda w: {name: f"results/{study.figures[w.figure].case}/{name}.zarr/zarr.json"}


def of_cases(name, path, stage=""):
    """A function that gives a file of each case that a figure shows, or of those that ask for a stage."""
    having = set(study.asking(stage) if stage else study.cases)
    return lambda w: {
        name: [f"results/{case}/{path}" for case in study.figures[w.figure].cases if case in having]
    }


def snapshot(w):
    """The stores of the iteration that a figure shows."""
    figure = study.figures[w.figure]
    folder = f"results/{figure.case}/{figure.nearest(len(iterations(figure.case)))}"
    return {name: f"{folder}/{name}.zarr/zarr.json" for name in ("partition", "solution")}


def refinement(w):
    """The stores before and after the refinement that a figure shows; the last one is k - 1."""
    figure = study.figures[w.figure]
    k = figure.refined(len(iterations(figure.case)))
    places = {"partition": (k, "partition"), "estimate": (k, "estimate"), "refined": (k + 1, "partition")}
    return {name: f"results/{figure.case}/{at}/{kind}.zarr/zarr.json" for name, (at, kind) in places.items()}


def partitions(w):
    """The partitions of all iterations of the case that a figure shows."""
    return {"partitions": of_iterations(rules.solve.output.partition, case=study.figures[w.figure].case)(w)}


def certificates(w):
    """Certificates of the potentials that a figure shows, and the bulk stores of their materials."""
    names = study.figures[w.figure].potentials
    materials = [study.potentials[name].material for name in names]
    return {
        "certificates": expand(rules.potential.output.certificate, potential=names),
        "bulks": expand(rules.bulk.output.store, material=materials),
    }


def caption_of(w):
    """Text of workflow/report/{figure}.rst, which the report shows in place of the caption of the kind."""
    path = ROOT / "workflow" / "report" / f"{w.figure}.rst"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


# What a script is told beside the keys of its figure.
TOLD = {
    "title": lambda figure: study.cases[figure.case].title,
    "labels": lambda figure: labels_of(figure, study),
    "defect": lambda figure: study.cases[figure.case].defect.plain("kind", "burgers"),
    "t_buf": lambda figure: study.cases[figure.case].refine.t_buf,
    "places": lambda figure: [study.cases[case].places for case in figure.cases],
    "estimate": lambda figure: study.cases[figure.case].estimate.plain("norm", "residual"),
}


def told(name):
    """A function that gives one parameter of the script of a figure."""
    of_figure = TOLD.get(name, lambda figure: figure.plain(name)[name])
    return lambda w: of_figure(study.figures[w.figure])


structure, locality = of_case("structure"), of_case("locality")
tables, divisions = of_cases("tables", "convergence.csv"), of_cases("divisions", "0/divided.json")
clamps, energies = of_cases("clamp", "clamp.json", "clamp"), of_cases("energies", "energy.json")
curves, sites = ([tables], ["labels", "slope", "window"]), ["title", "defect"]

# A kind of figure: what it shows, the files that its script reads, and what it is told.
KINDS = {
    "decomposition": ("decomposition into QM, buffer, MM and far field", [snapshot, structure], sites),
    "speed": ("local estimator and speed", [refinement, structure], ["title"]),
    "front": ("interfaces before and after Mark and refine", [refinement, structure], ["title", "t_buf"]),
    "stages": ("partitions at several iterations", [partitions, structure], [*sites, "n_qm"]),
    "convergence": ("error and estimators against N_QM", *curves),
    "errors": ("errors of several cases", *curves),
    "estimates": ("practical estimator against N_QM", *curves),
    "efficiency": ("N_QM at equal error", *curves),
    "effectivity": ("effectivity of every norm and residual", [tables], ["title", "band", "estimate"]),
    "bars": ("the error bar, cause by cause", [tables, clamps], ["title"]),
    "binding": ("binding energy of solutes over their place", [energies], ["labels", "places"]),
    "locality": ("force error against the width of the buffer", [locality], ["title"]),
    "cost": ("processor time of every part", [tables], ["title"]),
    "certificate": ("consistency of the MM potentials with the QM model", [certificates], ["labels"]),
    "scaling": ("cost and error of divide and conquer", [divisions], []),
}

for kind, (content, files, parameters) in KINDS.items():
    names = [name for name, figure in study.figures.items() if figure.kind == kind]
    labels = {"caption": f"draw_{kind}", "figure": "{figure}", "kind": kind}

    rule:
        name:
            f"draw_{kind}"
        input:
            *map(unpack, files),
            code=code(f"draw_{kind}.py"),
        output:
            png=shown("figures/{figure}.png", "Figures", type="picture", **labels),
            csv=shown("figures/{figure}.csv", "Figures", type="table", **labels),
            pdf="figures/{figure}.pdf",
        log:
            "logs/figures/{figure}.log",
        wildcard_constraints:
            figure="|".join(names) or "(?!)",
        localrule: True
        conda:
            "../../envs/environment.yaml"
        params:
            **{name: told(name) for name in parameters},
            script=f"draw_{kind}.py",
            caption=caption_of,
        message:
            f"{{wildcards.figure}}: {content}"
        script:
            "../../scripts/{params.script}"
