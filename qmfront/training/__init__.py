"""The fit of the MM potential to the QM model, its consistency certificate and its intervals."""
