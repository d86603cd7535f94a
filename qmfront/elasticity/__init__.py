"""Continuum fields of the homogeneous crystal: moduli, predictors (B.2)-(B.5), strain energies, free surfaces."""
