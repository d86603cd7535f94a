# What the cases will cost. Nothing asks for a plan but the target `plans` (make plan); with one, jobs ask a cluster for
# the time and memory in it.


rule plan:
    input:
        unpack(structure_file_of),
        code=code("plan.py"),
        qm_code=lambda w: qm_code(material_of(w)),
        qm_files=lambda w: qm_files(material_of(w)),
        preflight=lambda w: f"results/preflight/{material_of(w)}.json",
    output:
        table="results/plan/{case}.json",
        page="results/plan/{case}.md",
    log:
        "logs/plan/{case}.log",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        qm=qm_of_case,
        sections=lambda w: {
            "case": study.cases[w.case].model_dump(mode="json"),
            "potential": study.potential_of(w.case).model_dump(mode="json"),
            "material": study.material_of(w.case).model_dump(mode="json"),
        },
        finished=estimated,
    message:
        "Plan of {wildcards.case}"
    script:
        "../../scripts/plan.py"


rule plans:
    input:
        expand("results/plan/{case}.md", case=study.cases),
