# Figures of one iteration or of several partitions side by side: atoms, regions, fields.


rule draw_decomposition:
    input:
        unpack(files_of_snapshot),
        code=code("draw_decomposition.py"),
        structure=structure_of_figure,
    output:
        png=figure_file("decomposition", "png"),
        pdf="figures/{figure}.pdf",
        csv=figure_file("decomposition", "csv"),
    log:
        "logs/figures/{figure}.log",
    wildcard_constraints:
        figure=named("decomposition"),
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        defect=defect_of,
        title=title_of,
        caption=caption_of,
    message:
        "{wildcards.figure}: decomposition into QM, buffer, MM and far field"
    script:
        "../../scripts/draw_decomposition.py"


rule draw_speed:
    input:
        unpack(files_of_refinement),
        code=code("draw_speed.py"),
        structure=structure_of_figure,
    output:
        png=figure_file("speed", "png"),
        pdf="figures/{figure}.pdf",
        csv=figure_file("speed", "csv"),
    log:
        "logs/figures/{figure}.log",
    wildcard_constraints:
        figure=named("speed"),
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        title=title_of,
        caption=caption_of,
    message:
        "{wildcards.figure}: local estimator and speed"
    script:
        "../../scripts/draw_speed.py"


rule draw_front:
    input:
        unpack(files_of_refinement),
        code=code("draw_front.py"),
        structure=structure_of_figure,
    output:
        png=figure_file("front", "png"),
        pdf="figures/{figure}.pdf",
        csv=figure_file("front", "csv"),
    log:
        "logs/figures/{figure}.log",
    wildcard_constraints:
        figure=named("front"),
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        t_buf=lambda w: case_of(w).refine.t_buf,
        title=title_of,
        caption=caption_of,
    message:
        "{wildcards.figure}: interfaces before and after Mark and refine"
    script:
        "../../scripts/draw_front.py"


rule draw_stages:
    input:
        code=code("draw_stages.py"),
        structure=structure_of_figure,
        partitions=partitions_of_figure,
    output:
        png=figure_file("stages", "png"),
        pdf="figures/{figure}.pdf",
        csv=figure_file("stages", "csv"),
    log:
        "logs/figures/{figure}.log",
    wildcard_constraints:
        figure=named("stages"),
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        n_qm=setting("n_qm"),
        defect=defect_of,
        title=title_of,
        caption=caption_of,
    message:
        "{wildcards.figure}: partitions at several iterations"
    script:
        "../../scripts/draw_stages.py"
