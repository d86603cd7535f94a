"""Observations of the QM model, and potentials with their certificates: open kinds, since fits differ."""

from qmfront.storage.layout import Kind

TRAINING = Kind("training", {}, is_open=True)
POTENTIAL = Kind("potential", {}, is_open=True)
