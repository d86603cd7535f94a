"""Geometry: perfect crystals, the sites of a defect, neighbour stencils N(l) of (2.3), boxes and clusters."""
