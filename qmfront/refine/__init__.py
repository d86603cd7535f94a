"""Algorithms 1 and 2: when to stop, how fast the front moves (4.2)-(4.3), the next QM region (4.4)."""
