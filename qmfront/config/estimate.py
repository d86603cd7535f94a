"""What the error estimator of a case is made of: a norm and a residual."""

from typing import Literal

from qmfront.config.section import Section, key


class Laplacian(Section):
    """The generalised graph Laplacian (3.2)."""

    A: float = key("Decay A of the weights exp(-A (r/r_nn - 1))", unit="1", ge=0.0, le=20.0)
    cutoff_r0: float = key("Largest distance of connected atoms", unit="r0", gt=1.0, le=10.0)


class Hessian(Section):
    """The Hessian at the solution, in place of the force constants of the perfect lattice."""

    model: Literal["mm", "mixed"] = key(
        "Whose Hessian: mm, that of the potential on all sites, costs no QM call; mixed, that of the mixed forces, "
        "costs steps + 1 QM calls in every iteration"
    )
    steps: int = key(
        "Steps of conjugate gradients, preconditioned with the force constants of the perfect lattice",
        unit="1",
        ge=1,
        le=50,
    )


class Estimate(Section):
    """The error estimator (3.9): a norm and a residual."""

    norm: Literal["hessian", "force_constants", "laplacian"] = key(
        "Operator behind the dual norm: the Hessian at the solution, the force constants of the perfect lattice, or "
        "the paper's L of (3.2)"
    )
    residual: Literal["exact", "cauchy_born", "paper"] = key(
        "Residual outside QM and buffer: exact, Cauchy-Born difference, or the paper's linear form (3.7)"
    )
    beside: list[Literal["exact", "cauchy_born", "paper"]] = key(
        "Residuals that are computed beside it where there is a reference to compare with"
    )
    stabilisation: float = key("C_stab of (3.2); 0.1 is the paper's choice", unit="eV/Å^2", ge=0.0, le=10.0)
    layer_r0: float = key(
        "Width of the layer around the QM region where the residual cauchy_born is exact; 0 takes the forces of the "
        "solve on the QM region and costs no QM call",
        unit="r0",
        ge=0.0,
    )
    layer_tolerance: float = key(
        "Relative change of eta up to which the next layer may be thinner than layer_r0, or none; 0 keeps its width",
        unit="1",
        ge=0.0,
        le=0.5,
    )
    face_layer: float = key(
        "Width of the layer at crack faces where the residual is exact in any variant", unit="Å", ge=0.0
    )
    far_field_samples: int = key(
        "Homogeneous lattices that both models are asked about at strains of the far field, where 24 of them say that "
        "the polynomial dW is more than 20 % off there; 0 believes the polynomial",
        unit="1",
        ge=0,
        le=100000,
    )
    hessian: Hessian = key("Settings of the norm hessian")
    laplacian: Laplacian = key("Settings of the norm laplacian")
