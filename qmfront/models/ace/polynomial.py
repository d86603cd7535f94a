"""The polynomial of the A channels and its derivatives, four atoms at once; the tree is explained in `program`."""

import numba
import numpy as np

from qmfront.models.ace.memory import Scratch
from qmfront.models.ace.program import Program
from qmfront.models.ace.simd import LANES, Register, fill, fma, load, store


@numba.njit(cache=True)
def polynomial(program: Program, work: Scratch) -> Register:
    """Site energies of the four atoms, and dE/dA into work.slopes; see `program` for the tree."""
    a, slopes, stack = work.channels, work.slopes, work.stack
    for c in range(0, len(slopes), LANES):
        store(slopes, c, fill(0.0))
    n_levels = len(stack) // (2 * LANES)
    prefix, value = 0, n_levels * LANES
    path = np.empty(16, np.int64)
    top = 0
    store(stack, prefix, fill(1.0))
    for node in range(len(program.node_depth)):
        depth = program.node_depth[node]
        if node > 0:
            while top >= depth:
                _close(a, slopes, stack, prefix + top * LANES, value + top * LANES, path[top])
                top -= 1
            top = depth
            path[top] = program.node_channel[node] * LANES
            above = load(stack, prefix + (top - 1) * LANES)
            store(stack, prefix + top * LANES, above * load(a, path[top]))
        product, sum_ = load(stack, prefix + top * LANES), fill(program.node_value[node])
        for leaf in range(program.first_leaf[node], program.first_leaf[node + 1]):
            c = program.leaf_channel[leaf] * LANES
            weight = fill(program.leaf_value[leaf])
            sum_ = fma(weight, load(a, c), sum_)
            store(slopes, c, fma(weight, product, load(slopes, c)))
        store(stack, value + top * LANES, sum_)
    while top > 0:
        _close(a, slopes, stack, prefix + top * LANES, value + top * LANES, path[top])
        top -= 1
    return load(stack, value)


@numba.njit(cache=True)
def _close(a: np.ndarray, slopes: np.ndarray, stack: np.ndarray, prefix: int, value: int, c: int) -> None:
    """Hand the value of a finished subtree to its parent and to the slope of its channel."""
    subtree = load(stack, value)
    store(stack, value - LANES, fma(load(a, c), subtree, load(stack, value - LANES)))
    store(slopes, c, fma(load(stack, prefix - LANES), subtree, load(slopes, c)))
