# One rule, one script, one figure; a figure that the configuration sets to null has no rule.


include: "figure_inputs.smk"


if drawn("figure_1"):

    rule figure_1:
        message:
            "Figure 1: decomposition into QM, buffer, MM and far field"
        input:
            unpack(files_of_snapshot("figure_1")),
            code=code("figure_1.py"),
            structure=structure_of("figure_1"),
        output:
            png=figure_file("figure_1", "png", "1 decomposition"),
            pdf="figures/figure_1.pdf",
            csv=figure_file("figure_1", "csv", "1 decomposition"),
        params:
            burgers=list(study.cases[study.figures.figure_1.case].defect.burgers),
            title=study.cases[study.figures.figure_1.case].title,
        log:
            "logs/figures/figure_1.log",
        threads: 1
        conda:
            "../../envs/environment.yaml"
        script:
            "../../scripts/figure_1.py"


if drawn("figure_2"):

    rule figure_2:
        message:
            "Figure 2: local estimator and speed"
        input:
            unpack(files_of_refinement("figure_2")),
            code=code("figure_2.py"),
            structure=structure_of("figure_2"),
        output:
            png=figure_file("figure_2", "png", "2 estimator and speed"),
            pdf="figures/figure_2.pdf",
            csv=figure_file("figure_2", "csv", "2 estimator and speed"),
        params:
            title=study.cases[study.figures.figure_2.case].title,
        log:
            "logs/figures/figure_2.log",
        threads: 1
        conda:
            "../../envs/environment.yaml"
        script:
            "../../scripts/figure_2.py"


if drawn("figure_3"):

    rule figure_3:
        message:
            "Figure 3: interfaces before and after Mark and refine"
        input:
            unpack(files_of_refinement("figure_3")),
            code=code("figure_3.py"),
            structure=structure_of("figure_3"),
        output:
            png=figure_file("figure_3", "png", "3 mark and refine"),
            pdf="figures/figure_3.pdf",
            csv=figure_file("figure_3", "csv", "3 mark and refine"),
        params:
            t_buf=study.cases[study.figures.figure_3.case].refine.t_buf,
            title=study.cases[study.figures.figure_3.case].title,
        log:
            "logs/figures/figure_3.log",
        threads: 1
        conda:
            "../../envs/environment.yaml"
        script:
            "../../scripts/figure_3.py"


if drawn("figure_4"):

    rule figure_4:
        message:
            "Figure 4: error and estimators against N_QM"
        input:
            code=code("figure_4.py"),
            tables=convergence_of("figure_4"),
        output:
            png=figure_file("figure_4", "png", "4 convergence"),
            pdf="figures/figure_4.pdf",
            csv=figure_file("figure_4", "csv", "4 convergence"),
        params:
            labels=titles_of("figure_4"),
        log:
            "logs/figures/figure_4.log",
        threads: 1
        conda:
            "../../envs/environment.yaml"
        script:
            "../../scripts/figure_4.py"


if drawn("efficiency"):

    rule efficiency:
        message:
            "Errors of adaptive and circular QM regions"
        input:
            code=code("efficiency.py"),
            tables=convergence_of("efficiency"),
        output:
            png=figure_file("efficiency", "png", "efficiency"),
            pdf="figures/efficiency.pdf",
            csv=figure_file("efficiency", "csv", "efficiency"),
        params:
            labels=[growth_label(case) for case in study.figures.efficiency],
        log:
            "logs/figures/efficiency.log",
        threads: 1
        conda:
            "../../envs/environment.yaml"
        script:
            "../../scripts/efficiency.py"


if drawn("effectivity"):

    rule effectivity:
        message:
            "Effectivity of every norm and residual"
        input:
            code=code("effectivity.py"),
            table=convergence_of("effectivity")[0],
        output:
            png=figure_file("effectivity", "png", "effectivity"),
            pdf="figures/effectivity.pdf",
            csv=figure_file("effectivity", "csv", "effectivity"),
        params:
            title=study.cases[study.figures.effectivity].title,
        log:
            "logs/figures/effectivity.log",
        threads: 1
        conda:
            "../../envs/environment.yaml"
        script:
            "../../scripts/effectivity.py"


if drawn("matching"):

    rule matching:
        message:
            "Errors with potentials of different matching"
        input:
            code=code("matching.py"),
            tables=convergence_of("matching"),
        output:
            png=figure_file("matching", "png", "matching"),
            pdf="figures/matching.pdf",
            csv=figure_file("matching", "csv", "matching"),
        params:
            labels=[MATCHING_LABELS[study.potential_of(case).matching] for case in study.figures.matching],
        log:
            "logs/figures/matching.log",
        threads: 1
        conda:
            "../../envs/environment.yaml"
        script:
            "../../scripts/matching.py"


if drawn("certificate"):

    rule certificate:
        message:
            "Consistency of the MM potentials with the QM model"
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
        params:
            labels=[potential_label(name) for name in study.figures.certificate],
        log:
            "logs/figures/certificate.log",
        threads: 1
        conda:
            "../../envs/environment.yaml"
        script:
            "../../scripts/certificate.py"


if drawn("figure_4", "matching", "effectivity", "efficiency"):

    rule table:
        message:
            "Our numbers beside the paper's"
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
        params:
            names=drawn("figure_4", "matching", "effectivity", "efficiency"),
        log:
            "logs/figures/table.log",
        threads: 1
        conda:
            "../../envs/environment.yaml"
        script:
            "../../scripts/table.py"
