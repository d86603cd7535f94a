"""The interface of Python: a material, a potential, the adaptive loop of Algorithm 1, and paths of loads."""
