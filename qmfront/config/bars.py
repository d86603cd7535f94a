"""What is told of a finished case beside the estimator: its energy, and the error of its clamp."""

from qmfront.config.section import Section, key


class Energy(Section):
    """The energy of the last iteration by virtual work of the mixed forces."""

    compute: bool = key(
        "Whether it is computed: 16 QM calls on the QM region, the exact layer and the wide buffer of the residual"
    )


class Clamp(Section):
    """The error of the clamp, from the answer of a larger domain. No QM call."""

    factor: float | None = key(
        "Radius of the larger disc over that of the case; null: not computed", unit="1", ge=1.1, le=4.0
    )
