"""The polynomial of the A channels and its derivatives, four atoms at once; the tree is explained in `program`."""

import numpy as np

from qmfront.models.ace.memory import Scratch
from qmfront.models.ace.program import Program
from qmfront.models.ace.simd import LANES, fill, fma, load, store
from qmfront.models.compiled import compiled


@compiled
def polynomial(program: Program, work: Scratch) -> np.ndarray:
    """Site energies of the four atoms, (4,), and dE/dA into work.slopes."""
    a, slopes, stack = work.channels, work.slopes, work.stack
    for c in range(0, len(slopes), LANES):
        store(slopes, c, fill(0.0))
    value = len(stack) // 2  # prefix products come first, then values of the subtrees, one per level
    path = np.empty(len(stack) // (2 * LANES), np.int64)
    n_nodes, top = len(program.node_depth), 0
    store(stack, 0, fill(1.0))
    for node in range(n_nodes + 1):
        depth = program.node_depth[node] if node < n_nodes else 1
        while (
            node > 0 and top >= depth
        ):  # hand a finished subtree to its parent and to the slope of its channel
            c, at = path[top], top * LANES
            subtree = load(stack, value + at)
            store(stack, value + at - LANES, fma(load(a, c), subtree, load(stack, value + at - LANES)))
            store(slopes, c, fma(load(stack, at - LANES), subtree, load(slopes, c)))
            top -= 1
        if node == n_nodes:
            break
        if node > 0:
            top = depth
            path[top] = program.node_channel[node] * LANES
            store(stack, top * LANES, load(stack, top * LANES - LANES) * load(a, path[top]))
        product, subtotal = load(stack, top * LANES), fill(program.node_value[node])
        for leaf in range(program.first_leaf[node], program.first_leaf[node + 1]):
            c = program.leaf_channel[leaf] * LANES
            weight = fill(program.leaf_value[leaf])
            subtotal = fma(weight, load(a, c), subtotal)
            store(slopes, c, fma(weight, product, load(slopes, c)))
        store(stack, value + top * LANES, subtotal)
    return stack[value : value + LANES]
