"""Every setting of a study, defined once as a typed field with its default, unit, range and meaning."""
