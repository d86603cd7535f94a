# One rule, one script, one figure; a figure that the configuration sets to null has no rule.


include: "figure_inputs.smk"


if drawn("figure_1"):

    rule figure_1:
        input:
            unpack(files_of_snapshot("figure_1")),
            code=code("figure_1.py"),
            structure=structure_of("figure_1"),
        output:
            png=figure_file("figure_1", "png", "1 decomposition"),
            pdf="figures/figure_1.pdf",
            csv=figure_file("figure_1", "csv", "1 decomposition"),
        log:
            "logs/figures/figure_1.log",
        conda:
            "../../envs/environment.yaml"
        threads: 1
        params:
            burgers=list(study.cases[study.figures.figure_1.case].defect.burgers),
            title=study.cases[study.figures.figure_1.case].title,
        message:
            "Figure 1: decomposition into QM, buffer, MM and far field"
        script:
            "../../scripts/figure_1.py"


if drawn("figure_2"):

    rule figure_2:
        input:
            unpack(files_of_refinement("figure_2")),
            code=code("figure_2.py"),
            structure=structure_of("figure_2"),
        output:
            png=figure_file("figure_2", "png", "2 estimator and speed"),
            pdf="figures/figure_2.pdf",
            csv=figure_file("figure_2", "csv", "2 estimator and speed"),
        log:
            "logs/figures/figure_2.log",
        conda:
            "../../envs/environment.yaml"
        threads: 1
        params:
            title=study.cases[study.figures.figure_2.case].title,
        message:
            "Figure 2: local estimator and speed"
        script:
            "../../scripts/figure_2.py"


if drawn("figure_3"):

    rule figure_3:
        input:
            unpack(files_of_refinement("figure_3")),
            code=code("figure_3.py"),
            structure=structure_of("figure_3"),
        output:
            png=figure_file("figure_3", "png", "3 mark and refine"),
            pdf="figures/figure_3.pdf",
            csv=figure_file("figure_3", "csv", "3 mark and refine"),
        log:
            "logs/figures/figure_3.log",
        conda:
            "../../envs/environment.yaml"
        threads: 1
        params:
            t_buf=study.cases[study.figures.figure_3.case].refine.t_buf,
            title=study.cases[study.figures.figure_3.case].title,
        message:
            "Figure 3: interfaces before and after Mark and refine"
        script:
            "../../scripts/figure_3.py"


if drawn("figure_4"):

    rule figure_4:
        input:
            code=code("figure_4.py"),
            tables=convergence_of("figure_4"),
        output:
            png=figure_file("figure_4", "png", "4 convergence"),
            pdf="figures/figure_4.pdf",
            csv=figure_file("figure_4", "csv", "4 convergence"),
        log:
            "logs/figures/figure_4.log",
        conda:
            "../../envs/environment.yaml"
        threads: 1
        params:
            labels=titles_of("figure_4"),
        message:
            "Figure 4: error and estimators against N_QM"
        script:
            "../../scripts/figure_4.py"


if drawn("efficiency"):

    rule efficiency:
        input:
            code=code("efficiency.py"),
            tables=convergence_of("efficiency"),
        output:
            png=figure_file("efficiency", "png", "efficiency"),
            pdf="figures/efficiency.pdf",
            csv=figure_file("efficiency", "csv", "efficiency"),
        log:
            "logs/figures/efficiency.log",
        conda:
            "../../envs/environment.yaml"
        threads: 1
        params:
            labels=[growth_label(case) for case in study.figures.efficiency],
        message:
            "Errors of adaptive and circular QM regions"
        script:
            "../../scripts/efficiency.py"


if drawn("effectivity"):

    rule effectivity:
        input:
            code=code("effectivity.py"),
            table=convergence_of("effectivity")[0],
        output:
            png=figure_file("effectivity", "png", "effectivity"),
            pdf="figures/effectivity.pdf",
            csv=figure_file("effectivity", "csv", "effectivity"),
        log:
            "logs/figures/effectivity.log",
        conda:
            "../../envs/environment.yaml"
        threads: 1
        params:
            title=study.cases[study.figures.effectivity].title,
        message:
            "Effectivity of every norm and residual"
        script:
            "../../scripts/effectivity.py"


if drawn("matching"):

    rule matching:
        input:
            code=code("matching.py"),
            tables=convergence_of("matching"),
        output:
            png=figure_file("matching", "png", "matching"),
            pdf="figures/matching.pdf",
            csv=figure_file("matching", "csv", "matching"),
        log:
            "logs/figures/matching.log",
        conda:
            "../../envs/environment.yaml"
        threads: 1
        params:
            labels=[MATCHING_LABELS[study.potential_of(case).matching] for case in study.figures.matching],
        message:
            "Errors with potentials of different matching"
        script:
            "../../scripts/matching.py"


if drawn("certificate"):

    rule certificate:
        input:
            code=code("certificate.py"),
            certificates=expand(
                "results/potentials/{potential}/certificate.zarr/zarr.json",
                potential=study.figures.certificate,
            ),
            bulks=[
                f"results/bulk/{study.potentials[name].material}.zarr/zarr.json"
                for name in study.figures.certificate
            ],
        output:
            png=figure_file("certificate", "png", "certificate"),
            pdf="figures/certificate.pdf",
            csv=figure_file("certificate", "csv", "certificate"),
        log:
            "logs/figures/certificate.log",
        conda:
            "../../envs/environment.yaml"
        threads: 1
        params:
            labels=[potential_label(name) for name in study.figures.certificate],
        message:
            "Consistency of the MM potentials with the QM model"
        script:
            "../../scripts/certificate.py"


if drawn("figure_4", "matching", "effectivity", "efficiency"):

    rule table:
        input:
            code=code("table.py"),
            tables=expand(
                "figures/{name}.csv", name=drawn("figure_4", "matching", "effectivity", "efficiency")
            ),
        output:
            table=report(
                "results/comparison.csv",
                caption="../report/comparison.rst",
                category="Convergence",
                labels={"case": "all, beside the paper"},
            ),
        log:
            "logs/figures/table.log",
        conda:
            "../../envs/environment.yaml"
        threads: 1
        params:
            names=drawn("figure_4", "matching", "effectivity", "efficiency"),
        message:
            "Our numbers beside the paper's"
        script:
            "../../scripts/table.py"
