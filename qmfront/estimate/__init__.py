"""The a posteriori error estimate: residual (3.6), its Riesz representative (3.8), eta (3.9) and eta_l (4.1)."""
