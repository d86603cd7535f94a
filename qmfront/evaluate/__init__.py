"""QM calls: asked once, kept in a journal that survives kills, retried when they fail."""
