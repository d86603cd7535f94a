"""One row per iteration of a case -> convergence.csv."""

from qmfront.analysis.convergence import convergence_table
from qmfront.storage.durable import write_file
from qmfront.storage.logs import logged


def main(folders: list[str], path: str) -> None:
    write_file(path, convergence_table(folders).to_csv(index=False))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(snakemake.params.folders, snakemake.output.table)
