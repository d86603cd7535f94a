"""Stores, files that are whole or absent, locks, logs and provenance."""
