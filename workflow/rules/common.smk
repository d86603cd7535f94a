# Paths and parameters as strings and plain values; nothing is computed here.
import json

from qmfront.plan.resources import resource
from qmfront.storage.reached_code import code_stamp

JOURNAL = "work/journal"
CODE = Path(".snakemake/code")
ORIGINS = study.origins()


wildcard_constraints:
    case="|".join(study.cases),
    material="|".join(study.materials),
    potential="|".join(study.potentials),
    plane=r"-?\d+_-?\d+_-?\d+(_at_[\d.]+)?",
    k=r"\d+",
    number=r"\d+",


def code(script):
    """The stamp of the package files that a script reaches: editing one reruns the rules that use it."""
    return code_stamp(CODE / f"{script}.txt", SOURCE, script=ROOT / "scripts" / script)[0]


def material_of(w):
    """Material of a case or of a potential, or the one that is named."""
    owner = study.cases.get(w.get("case")) or study.potentials.get(w.get("potential"))
    return owner.material if owner else w.material


def qm_code(script):
    """Inputs of a job that calls the reference model: its code, our code behind the model, files of model and crystal."""

    def of_model(w):
        material = study.materials[material_of(w)]
        paths = material.qm.dotted_paths
        stamp = code_stamp(CODE / f"{'+'.join(paths)[:200]}.txt", SOURCE, also=tuple(paths))
        return [*stamp, *material.input_files]

    return {"code": code(script), "qm_code": of_model}


def qm_of(w):
    """The reference model of a material, or of a case, which may change its arguments."""
    changed = study.cases[w.case].qm_kwargs if hasattr(w, "case") else {}
    return study.materials[material_of(w)].qm.spec(Path(), changed)


QM_CALLS = {
    "qm_time_limit_ms": lambda w: study.materials[material_of(w)].qm.time_limit_ms,
    "qm_retries": lambda w: study.materials[material_of(w)].qm.retries,
}


def planned(stage):
    """Run time (minutes) and memory (MiB) of a job by the plan of its case, more of it in every further try."""

    def asked(name):
        plan = lambda w: f"results/plan/{w.get('case') or study.first_case_of(w.potential)}.json"
        return lambda w, attempt: attempt * resource(plan(w), stage, name, k=w.get("k"))

    return {name: asked(name) for name in ("runtime", "mem_mb")} | QM_CALLS


def stores(*names):
    """Stores of a case by name."""
    return {name: f"results/{{case}}/{name}.zarr/zarr.json" for name in names}


def asked(stage, **files):
    """A function that gives files to the cases that ask for a stage, and none to the others."""
    return lambda w: files if stage in study.cases[w.case].asked_stages else {}


def bulk_store(w):
    """The perfect crystal of a case or a potential."""
    return f"results/bulk/{material_of(w)}.zarr/zarr.json"


def surface_store(material, surface):
    """A free surface by its name, which has the Miller indices."""
    return f"results/surfaces/{material}_{surface}.zarr/zarr.json"


def potential_file(name):
    """A function that gives a file of the MM potential of the case."""
    return lambda w: f"results/potentials/{study.cases[w.case].potential}/{name}"


def defect_files(case):
    """Files that describe a defect beside the crystal: the surface of the plane of a crack, the structure of a file."""
    chosen = study.cases.get(case)
    match chosen and chosen.defect.kind:
        case "crack":
            return {"surface": surface_store(chosen.material, chosen.defect.surface)}
        case "file":
            return {"file": chosen.defect.file}
    return {}


def operators_from(w):
    """Operators that a case shares; for its own the potential, if its force constants go on where others end."""
    if ORIGINS[w.case] != w.case:
        return {"operators": f"results/{ORIGINS[w.case]}/operators.zarr/zarr.json"}
    completed = study.material_of(w.case).force_constants.beyond == "potential"
    return {"potential": potential_file("potential.json")(w)} if completed else {}


def start_of_reference(w):
    """What the reference starts from: nothing where that is the predictor."""
    start = study.cases[w.case].reference.start
    if start == "minimum":
        return asked("start", begun="results/{case}/start.zarr/zarr.json")(w)
    return {} if start == "predictor" else {"start": f"results/{w.case}/{start}/solution.zarr/zarr.json"}


def start_of(w):
    """Solution and partition that a solve starts from; for the first one the proof that its buffer is wide enough."""
    if w.k == "0":
        measured = asked("locality", **stores("locality"))(w)
        return measured | asked("start", begun="results/{case}/start.zarr/zarr.json")(w)
    at = f"results/{w.case}/{int(w.k) - 1}"
    return {"start": f"{at}/solution.zarr/zarr.json", "refined": ancient(f"{at}/refined.zarr/zarr.json")}


def refined_partition(w):
    """What a solve depends on in its partition: the hash of the regions that the decision before it names."""
    decision = Path(f"results/{w.case}/{int(w.k) - 1}/decision.json")
    return json.loads(decision.read_text(encoding="utf-8"))["next"] if decision.is_file() else ""


def before_of(w):
    """The estimate of the iteration before, and the residual that tells the width of the layer where it is asked."""
    before = f"results/{w.case}/{int(w.k) - 1}"
    layer = {"before": f"{before}/residual.zarr/zarr.json"}
    wanted = study.cases[w.case].estimate.layer_tolerance > 0
    return {} if w.k == "0" else {"numbers": f"{before}/estimate.json", **(layer if wanted else {})}


def iterations(case):
    """All k of a case, found by walking through the decisions."""
    k = 0
    while True:
        with checkpoints.adapt.get(case=case, k=k).output.decision.open() as file:
            if json.load(file)["stop"]:
                return range(k + 1)
        k += 1


def of_iterations(*files, case=""):
    """A function that gives files of all iterations of a case, or of the case in the wildcards."""
    return lambda w: expand(files, case=case or w.case, k=iterations(case or w.case))


def last(*names, host=False):
    """A function that gives stores of the last iteration of a case, or of its host, whose names begin with host_."""

    def found(w):
        case = study.cases[w.case].host if host else w.case
        at = f"results/{case}/{iterations(case)[-1]}/" if case else ""
        at = {name: f"results/{case}/" if name == "structure" else at for name in names if case}
        return {"host_" * host + name: f"{folder}{name}.zarr/zarr.json" for name, folder in at.items()}

    return found


def shown(path, category, caption="", **labels):
    """A file that the report shows, with the caption of its name or of the one that is given."""
    caption = f"../report/{caption or Path(path).stem}.rst"
    return report(path, caption=caption, category=category, labels=labels)
