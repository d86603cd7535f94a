"""QM and MM forces in one body: partition, force mixing (2.11), the solves (2.7) and (2.10), their stability."""
