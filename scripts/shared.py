"""A store that another case has computed, under the name of this one."""

from qmfront.storage import store
from qmfront.storage.logs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]):
        store.link(snakemake.input.store, snakemake.output.store)
