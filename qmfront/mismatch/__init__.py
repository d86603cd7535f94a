"""F^QM - F^MM: how the two models differ where the QM model is not asked (Cauchy-Born, linear, far field)."""
