"""H_FC and the graph Laplacian L (3.2) on the sites of a case, and their Riesz maps (3.8)."""
