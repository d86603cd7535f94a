# Paths and parameters as strings and plain values; nothing is computed here.
import json

from qmfront.plan.resources import resource
from qmfront.storage.provenance import code_stamp, reached_files

ROOT = Path(workflow.basedir)
ROOT = ROOT if (ROOT / "qmfront").is_dir() else ROOT.parent.parent
JOURNAL = "work/journal"
CODE = Path(".snakemake/code")


wildcard_constraints:
    case="|".join(study.cases),
    material="|".join(study.materials),
    potential="|".join(study.potentials),
    k=r"\d+",


def origin(case):
    """First case with the same defect, domain, material and reference: both share operators and reference."""
    parts = {"material", "qm_kwargs", "defect", "domain", "reference", "embedding"}

    def key(name):
        chosen = study.cases[name]
        completed = study.material_of(name).force_constants.beyond == "potential"
        also = (
            {"potential"}
            if completed or (chosen.start.relax and chosen.reference.start == "minimum")
            else set()
        )
        also |= {"start"} if chosen.start.relax else set()
        return chosen.model_dump(include=parts | also), chosen.estimate.laplacian

    return next(name for name in study.cases if key(name) == key(case))


ORIGINS = {case: origin(case) for case in study.cases}
COPIES = [case for case in study.cases if ORIGINS[case] != case]


def code(script, *also):
    """The stamp of the package files that a script reaches: editing one reruns the rules that use it."""
    return code_stamp(CODE / f"{script}.txt", reached_files(ROOT / "scripts" / script, ROOT, also=also), ROOT)


def qm_code(material):
    """The stamp of the package files behind the reference model of a material; none if it is not ours."""
    name = study.materials[material].qm.calculator
    files = reached_files(None, ROOT, also=(name,))
    return [code_stamp(CODE / f"{name}.txt", files, ROOT)] if files else []


def qm_files(material):
    """Files that the reference model of a material reads."""
    return list(study.materials[material].qm.files.values())


def reference_model(w):
    """Inputs of a job that calls the reference model of a material: our code behind it, and the files that it reads."""
    return {"qm_code": qm_code(material_of(w)), "qm_files": qm_files(material_of(w))}


def qm_spec(material):
    """The reference model of a material: dotted path and keyword arguments."""
    qm = study.materials[material].qm
    return {"calculator": qm.calculator, "kwargs": qm.arguments(ROOT)}


def qm_of_case(w):
    """The reference model of a case: that of its material, with the arguments that the case changes."""
    spec = qm_spec(material_of(w))
    return {**spec, "kwargs": {**spec["kwargs"], **study.cases[w.case].qm_kwargs}}


def qm_time_limit_ms(w):
    """Time limit of a call of the reference model, milliseconds; 0 for none. Snakemake wants whole numbers."""
    return round(1000 * (study.materials[material_of(w)].qm.time_limit or 0.0))


def planned(stage, name):
    """A function that gives the run time (minutes) or the memory (MiB) of a job, more of it in every further try."""

    def of_job(w, attempt):
        k = int(w.k) if hasattr(w, "k") else None
        return attempt * resource(f"results/plan/{planned_case(w)}.json", stage, name, k=k)

    return of_job


def planned_case(w):
    """The case of a job; for a potential the first case that uses it, none if there is no such case."""
    if hasattr(w, "case"):
        return w.case
    return next((name for name, case in study.cases.items() if case.potential == w.potential), "")


def qm_retries(w):
    """Further tries after a failed call of the reference model."""
    return study.materials[material_of(w)].qm.retries


def material_of(w):
    """Material of a case or of a potential, or the one that is named."""
    if hasattr(w, "material"):
        return w.material
    if hasattr(w, "case"):
        return study.cases[w.case].material
    return study.potentials[w.potential].material


def plain(section, part=None):
    """A section of the configuration as plain values: all, the keys that are named or those that another section has."""
    return section.model_dump(mode="json", include=set(getattr(part, "model_fields", part or [])) or None)


def section(name):
    """A function that gives one section of the case in the wildcards, as plain values."""
    return lambda w: getattr(study.cases[w.case], name).model_dump(mode="json")


def first_partition(w):
    """What the first partition depends on: a changed front must not touch the structure."""
    case = study.cases[w.case].model_dump(mode="json")
    return {
        "initial_region": study.cases[w.case].first_disc.model_dump(mode="json"),
        "cutoff": study.material_of(w.case).qm.cutoff,
        **{name: case[name] for name in ("buffer", "embedding")},
    }


def bulk_store(w):
    """Bulk store of the material of a case or potential."""
    return f"results/bulk/{material_of(w)}.zarr/zarr.json"


def surface_of(w):
    """The surface of the crack plane of a case: none for other defects."""
    defect = study.cases[w.case].defect
    if defect.kind != "crack":
        return {}
    plane = "_".join(str(index) for index in defect.plane)
    return {"surface": f"results/surfaces/{material_of(w)}_{plane}.zarr/zarr.json"}


def structure_file_of(w):
    """The file of a case whose defect is one."""
    defect = study.cases[w.case].defect
    return {"structure": defect.file} if defect.kind == "file" else {}


def described_defect(w):
    """Defect and domain of a case. Free atoms of a file stay as far from its surface as potential and QM model reach."""
    case = study.cases[w.case]
    reach = max(2 * study.potential_of(w.case).basis.cutoff, study.material_of(w.case).qm.cutoff)
    rim = reach if case.defect.kind == "file" else 0.0
    return {**case.model_dump(mode="json", include={"defect", "domain"}), "rim": rim}


def completing_potential(w):
    """The potential whose force constants go on where those of the material end, if that is wanted."""
    if study.material_of(w.case).force_constants.beyond == "zero":
        return {}
    return {"potential": f"results/potentials/{study.cases[w.case].potential}/potential.json"}


def potential_file(name):
    """A function that gives a file of the MM potential of the case."""
    return lambda w: f"results/potentials/{study.cases[w.case].potential}/{name}"


def qm_alternatives(w):
    """The reference model, without a label, and the same with the other arguments that a case wants compared."""
    spec, others = qm_of_case(w), study.cases[w.case].locality.alternatives
    changed = {label: {**spec, "kwargs": {**spec["kwargs"], **kwargs}} for label, kwargs in others.items()}
    return {"": spec, **changed}


def start_of(w):
    """Solution and partition that a solve starts from; for the first one the proof that its buffer is wide enough."""
    if w.k == "0":
        measured = study.cases[w.case].locality.widths
        locality = {"locality": f"results/{w.case}/locality.zarr/zarr.json"} if measured else {}
        return locality | begun(w)
    before = f"results/{w.case}/{int(w.k) - 1}"
    return {
        "start": f"{before}/solution.zarr/zarr.json",
        "refined": ancient(f"{before}/refined.zarr/zarr.json"),
    }


def begun(w):
    """The minimum of the potential, where a case starts from one."""
    return {"begun": f"results/{w.case}/start.zarr/zarr.json"} if study.cases[w.case].start.relax else {}


def start_sections(w):
    """How the minimum of the potential is found, and the first partition there."""
    case = study.cases[w.case].model_dump(mode="json")
    parts = ("defect", "domain", "start", "initial_region", "buffer", "embedding")
    return {name: case[name] for name in parts}


def refined_partition(w):
    """What a solve depends on in its partition: the hash of the regions that the decision before it names."""
    if w.k == "0":
        return ""
    path = Path(f"results/{w.case}/{int(w.k) - 1}/decision.json")
    return json.loads(path.read_text(encoding="utf-8"))["next"] if path.is_file() else ""


def far_field_of(w):
    """What the far field of a case says about dW, if it is asked."""
    asked = study.cases[w.case].estimate.far_field_samples
    return {"far_field": f"results/{w.case}/far_field.zarr/zarr.json"} if asked else {}


def before_of(w):
    """The estimate of the iteration before, and, where a case asks for it, the residual that tells the width of the layer."""
    if w.k == "0":
        return {}
    before = f"results/{w.case}/{int(w.k) - 1}"
    asked = study.cases[w.case].estimate.layer_tolerance > 0
    layer = {"before": f"{before}/residual.zarr/zarr.json"} if asked else {}
    return {"numbers": f"{before}/estimate.json"} | layer


def start_of_reference(w):
    """The solution that the reference starts from: none where that is the predictor."""
    start = study.cases[w.case].reference.start
    if start == "minimum":
        return begun(w)
    return {} if start == "predictor" else {"start": f"results/{w.case}/{start}/solution.zarr/zarr.json"}


def iterations(case):
    """All k of a case, found by walking through the decisions."""
    k = 0
    while True:
        with checkpoints.adapt.get(case=case, k=k).output.decision.open() as file:
            if json.load(file)["stop"]:
                return range(k + 1)
        k += 1


def estimated(w):
    """Iterations of a case that have an estimate, from the first one on: a plan learns from them."""
    found = (str(path.parent.name) for path in Path("results", w.case).glob("*/estimate.json"))
    return sorted(int(name) for name in found if name.isdigit())


def decisions(w):
    """All decisions of all cases; asked for by the target, since Snakemake follows a checkpoint that wants more
    iterations only for a job that has to run, and a finished table looks up to date."""
    return [f"results/{case}/{k}/decision.json" for case in study.cases for k in iterations(case)]


def reference_of(w):
    """The reference of a case, if it has one: told here as well, so that it need not wait for the last iteration."""
    wanted = study.cases[w.case].reference.compute
    return {"reference": f"results/{w.case}/reference.zarr/zarr.json"} if wanted else {}


def files_of_iterations(w):
    """What the convergence table of a case is made of."""
    stores = ("partition", "solution", "residual", "estimate")
    names = ["estimate.json", *(f"{name}.zarr/zarr.json" for name in stores)]
    return [f"results/{w.case}/{k}/{name}" for k in iterations(w.case) for name in names]


def last(name):
    """A function that gives a file of the last iteration of the case."""
    return lambda w: f"results/{w.case}/{iterations(w.case)[-1]}/{name}"


def energy_settings(w):
    """Layer, buffer and embedding of the forces along the path of an energy."""
    case = study.cases[w.case].model_dump(mode="json")
    return {name: case[name] for name in ("estimate", "buffer", "embedding")}


def adapt_settings(w):
    """How the residual of an iteration is computed, what is estimated, when the loop stops and how it goes on."""
    case = study.cases[w.case].model_dump(mode="json")
    sections = {name: case[name] for name in ("estimate", "buffer", "embedding", "adapt", "refine")}
    unused = {"beside", "far_field_samples", "laplacian"}  # a change of these must not estimate again
    sections["estimate"] = {name: value for name, value in case["estimate"].items() if name not in unused}
    return {"case": w.case, "k": int(w.k), "residuals": list(study.cases[w.case].residuals), **sections}


def reported(path, category, caption="", **labels):
    """A file that the report shows, with the caption of its name or of the one that is given."""
    caption = f"../report/{caption or Path(path).stem}.rst"
    return report(path, caption=caption, category=category, labels=labels)
