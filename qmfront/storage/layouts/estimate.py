"""The error estimate of an iteration."""

from qmfront.storage.layout import Declared, Kind

ESTIMATE = Kind(
    "estimate",
    {
        "phi": Declared("site component", "f", "Å", "Riesz representative of the residual force", "(3.8)"),
        "eta_site": Declared(
            "site", "f", "Å", "site contribution eta_l to the estimator; they add up to eta", "(4.1)"
        ),
        "work_site": Declared(
            "site", "f", "eV", "work F_l . phi_l of the residual force on its representative"
        ),
    },
)
