# One rule and one script per kind of figure; what a figure shows stands under its name in the configuration.


include: "figure_inputs.smk"
include: "snapshots.smk"


rule draw_convergence:
    input:
        code=code("draw_convergence.py"),
        tables=tables_of_figure,
    output:
        png=figure_file("convergence", "png"),
        pdf="figures/{figure}.pdf",
        csv=figure_file("convergence", "csv"),
    log:
        "logs/figures/{figure}.log",
    wildcard_constraints:
        figure=named("convergence"),
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        labels=labels_of_figure,
        slope=setting("slope"),
        window=setting("window"),
        caption=caption_of,
    message:
        "{wildcards.figure}: error and estimators against N_QM"
    script:
        "../../scripts/draw_convergence.py"


rule draw_errors:
    input:
        code=code("draw_errors.py"),
        tables=tables_of_figure,
    output:
        png=figure_file("errors", "png"),
        pdf="figures/{figure}.pdf",
        csv=figure_file("errors", "csv"),
    log:
        "logs/figures/{figure}.log",
    wildcard_constraints:
        figure=named("errors"),
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        labels=labels_of_figure,
        slope=setting("slope"),
        window=setting("window"),
        caption=caption_of,
    message:
        "{wildcards.figure}: errors of several cases"
    script:
        "../../scripts/draw_errors.py"


rule draw_estimates:
    input:
        code=code("draw_estimates.py"),
        tables=tables_of_figure,
    output:
        png=figure_file("estimates", "png"),
        pdf="figures/{figure}.pdf",
        csv=figure_file("estimates", "csv"),
    log:
        "logs/figures/{figure}.log",
    wildcard_constraints:
        figure=named("estimates"),
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        labels=labels_of_figure,
        slope=setting("slope"),
        window=setting("window"),
        caption=caption_of,
    message:
        "{wildcards.figure}: practical estimator against N_QM"
    script:
        "../../scripts/draw_estimates.py"


rule draw_efficiency:
    input:
        code=code("draw_efficiency.py"),
        tables=tables_of_figure,
    output:
        png=figure_file("efficiency", "png"),
        pdf="figures/{figure}.pdf",
        csv=figure_file("efficiency", "csv"),
    log:
        "logs/figures/{figure}.log",
    wildcard_constraints:
        figure=named("efficiency"),
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        labels=labels_of_figure,
        slope=setting("slope"),
        window=setting("window"),
        caption=caption_of,
    message:
        "{wildcards.figure}: N_QM at equal error"
    script:
        "../../scripts/draw_efficiency.py"


rule draw_effectivity:
    input:
        code=code("draw_effectivity.py"),
        tables=tables_of_figure,
    output:
        png=figure_file("effectivity", "png"),
        pdf="figures/{figure}.pdf",
        csv=figure_file("effectivity", "csv"),
    log:
        "logs/figures/{figure}.log",
    wildcard_constraints:
        figure=named("effectivity"),
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        title=title_of,
        band=setting("band"),
        estimate=lambda w: case_of(w).estimate.model_dump(mode="json", include={"norm", "residual"}),
        caption=caption_of,
    message:
        "{wildcards.figure}: effectivity of every norm and residual"
    script:
        "../../scripts/draw_effectivity.py"


rule draw_bars:
    input:
        code=code("draw_bars.py"),
        tables=tables_of_figure,
        clamp=clamp_of_figure,
    output:
        png=figure_file("bars", "png"),
        pdf="figures/{figure}.pdf",
        csv=figure_file("bars", "csv"),
    log:
        "logs/figures/{figure}.log",
    wildcard_constraints:
        figure=named("bars"),
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        title=title_of,
        caption=caption_of,
    message:
        "{wildcards.figure}: the error bar, cause by cause"
    script:
        "../../scripts/draw_bars.py"


rule draw_locality:
    input:
        code=code("draw_locality.py"),
        locality=lambda w: f"results/{study.figures[w.figure].case}/locality.zarr/zarr.json",
    output:
        png=figure_file("locality", "png"),
        pdf="figures/{figure}.pdf",
        csv=figure_file("locality", "csv"),
    log:
        "logs/figures/{figure}.log",
    wildcard_constraints:
        figure=named("locality"),
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        title=title_of,
        caption=caption_of,
    message:
        "{wildcards.figure}: force error against the width of the buffer"
    script:
        "../../scripts/draw_locality.py"


rule draw_cost:
    input:
        code=code("draw_cost.py"),
        tables=tables_of_figure,
    output:
        png=figure_file("cost", "png"),
        pdf="figures/{figure}.pdf",
        csv=figure_file("cost", "csv"),
    log:
        "logs/figures/{figure}.log",
    wildcard_constraints:
        figure=named("cost"),
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        title=title_of,
        caption=caption_of,
    message:
        "{wildcards.figure}: processor time of every part"
    script:
        "../../scripts/draw_cost.py"


rule draw_certificate:
    input:
        code=code("draw_certificate.py"),
        certificates=certificates_of_figure,
        bulks=bulks_of_figure,
    output:
        png=figure_file("certificate", "png"),
        pdf="figures/{figure}.pdf",
        csv=figure_file("certificate", "csv"),
    log:
        "logs/figures/{figure}.log",
    wildcard_constraints:
        figure=named("certificate"),
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        labels=labels_of_potentials,
        caption=caption_of,
    message:
        "{wildcards.figure}: consistency of the MM potentials with the QM model"
    script:
        "../../scripts/draw_certificate.py"


rule table:
    input:
        code=code("table.py"),
        tables=expand("figures/{name}.csv", name=SUMMED),
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
        figures={
            name: study.figures[name].model_dump(mode="json", include={"kind", "window"}) for name in SUMMED
        },
    message:
        "Our numbers beside the paper's"
    script:
        "../../scripts/table.py"


# Every figure is a target by its name.
for figure in study.figures:

    rule:
        name:
            figure
        input:
            f"figures/{figure}.png",
