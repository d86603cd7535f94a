"""What other programs read of a finished study: LAMMPS, ML-MIX, a list of references, an archive."""
