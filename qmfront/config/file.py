"""What a defect in a file of the user is."""

from typing import Annotated, Literal

from pydantic import Strict, model_validator

from qmfront.config.section import Direction, Point, Section, key

Axes = Annotated[tuple[Direction, Direction, Direction], Strict(False)]


class File(Section):
    """A defect in an extended XYZ file of the user; straight, its line along z."""

    kind: Literal["file"] = key("Kind of defect")
    file: str = key("Path of the extended XYZ file, relative to the root of the project")
    axes: Axes = key("Crystal directions along x, y and z of the file, three integers each in cubic axes")
    lattice_constant: float | None = key(
        "Lattice constant with which the file was made, if it is not that of the QM model: the structure is scaled",
        unit="Å",
        gt=0.0,
    )
    lattice: str | None = key(
        "Name of an array (n, 3) of the file with the site of the perfect crystal of every atom; null: the atoms are "
        "the reference configuration"
    )
    clamp: str = key(
        "radius: atoms beyond domain.radius_r0 from the core are held; fix_atoms: those that the file fixes; any other "
        "word is the name of an array that is not zero on atoms to hold"
    )
    seed: str | None = key(
        "Name of an array that is not zero on the atoms around which the first QM region lies; null: those at the "
        "core, or where neighbours are missing"
    )
    core: Point | None = key(
        "Position of the defect, x and y in the file; null: the centre of the seeds", unit="Å"
    )

    @property
    def slip(self) -> float:
        """What a file does not say, a0."""
        return 0.0

    @model_validator(mode="after")
    def _axes_make_a_frame(self) -> "File":
        for one, other in ((0, 1), (0, 2), (1, 2)):
            product = sum(a * b for a, b in zip(self.axes[one], self.axes[other], strict=True))
            if product != 0 or not any(self.axes[one]) or not any(self.axes[other]):
                raise ValueError(
                    f"axes {[list(axis) for axis in self.axes]}: {list(self.axes[one])} and {list(self.axes[other])} "
                    "are not perpendicular"
                )
        return self
