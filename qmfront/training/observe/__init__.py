"""What a fit observes: responses of the perfect lattice, strained, rattled and cut into slabs."""
